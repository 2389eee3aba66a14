//! Several sources of secrets, asked as one.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::answers;
use crate::error::SecretError;
use crate::json;
use crate::missing::{MissingSecret, WayToProvide};
use crate::name::SecretName;
use crate::prompt::{Prompt, PromptError};
use crate::secret::Secret;
use crate::store::{Access, Removal, SecretNotice, SecretStore};
use crate::value::SecretValue;

/// An ordered list of sources, asked as one: the first that has a secret wins, and one that cannot answer is an error, because
/// what it would have said is not known. What is written goes to the first source that can be written.
///
/// Cheap to clone; clones share the sources.
#[derive(Clone)]
pub struct SecretManager {
    sources: Arc<[Arc<dyn SecretStore>]>,
}

impl SecretManager {
    /// Asks `sources` in this order.
    #[must_use]
    pub fn new(sources: Vec<Arc<dyn SecretStore>>) -> Self {
        Self { sources: sources.into() }
    }

    /// The sources in their order, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        let sources: Vec<String> = self.sources.iter().map(|source| source.describe()).collect();
        sources.join(", then ")
    }

    /// The typed secret.
    ///
    /// # Errors
    /// [`SecretError::Missing`] if no source has it; [`SecretError::Unfit`] if it is not what `T` is read from; else what a source
    /// failed with.
    pub async fn get<T: Secret>(&self) -> Result<T, SecretError> {
        match self.find_secret().await? {
            Some(found) => Ok(found),
            None => Err(self.missing_secret::<T>()?.into()),
        }
    }

    /// The typed secret, if any source has it.
    ///
    /// # Errors
    /// As for [`get`](Self::get), without `Missing`.
    pub async fn find_secret<T: Secret>(&self) -> Result<Option<T>, SecretError> {
        let name = T::NAME.parse()?;
        let Some((source, value)) = self.find_with_source(&name).await? else { return Ok(None) };
        read::<T>(&name, &value, || source.describe()).map(Some)
    }

    /// The typed secret; if no source has it, what `make` gives is kept first. Whoever asks at the same time gets the same one.
    ///
    /// # Errors
    /// As for [`get`](Self::get); [`SecretError::NoWritableStore`] if it would have to be kept and cannot.
    pub async fn get_or_generate<T: Secret>(&self, make: impl FnOnce() -> T) -> Result<T, SecretError> {
        if let Some(found) = self.find_secret().await? {
            return Ok(found);
        }
        let name: SecretName = T::NAME.parse()?;
        let store = self.writable()?;
        let made = json::write(&make()).map_err(|_| SecretError::Unwritable { name: name.clone() })?;
        let kept = store.put_if_absent(&name, &made).await?;
        read(&name, &kept, || store.describe())
    }

    /// The typed secret; if no source has it, `prompt` asks for each of its fields and the answers are kept.
    ///
    /// # Errors
    /// As for [`get`](Self::get): also [`SecretError::Missing`], with every way to provide it, if there is no terminal or nothing
    /// can be kept; [`SecretError::NotAnswered`] if an answer is refused or cannot be used.
    pub async fn get_or_prompt<T: Secret>(&self, prompt: &dyn Prompt) -> Result<T, SecretError> {
        if let Some(found) = self.find_secret().await? {
            return Ok(found);
        }
        let mut missing = self.missing_secret::<T>()?;
        let Ok(store) = self.writable() else { return Err(missing.into()) };
        let name = missing.name.clone();
        let answers = match answers::ask_for_all(&answers::questions(&name, &T::schema()), prompt) {
            Ok(answers) => answers,
            Err(PromptError::NoTerminal) => {
                missing.ways.push(WayToProvide::Terminal);
                return Err(missing.into());
            }
            Err(source) => return Err(SecretError::NotAnswered { name, source }),
        };
        read::<T>(&name, &answers, || "the answers".to_owned())?;
        let kept = store.put_if_absent(&name, &answers).await?;
        read(&name, &kept, || store.describe())
    }

    /// The secret as it is kept, if any source has it.
    ///
    /// # Errors
    /// What the first source failed with that could not tell.
    pub async fn find(&self, name: &SecretName) -> Result<Option<SecretValue>, SecretError> {
        Ok(self.find_with_source(name).await?.map(|(_, value)| value))
    }

    /// The names of all secrets that the sources can list, sorted. Environment variables cannot be listed.
    ///
    /// # Errors
    /// What the first source failed with that could not tell.
    pub async fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        let mut names = BTreeSet::new();
        for source in self.sources.iter() {
            names.extend(source.names().await?);
        }
        Ok(names.into_iter().collect())
    }

    /// Keeps the secret in the first source that can be written.
    ///
    /// # Errors
    /// [`SecretError::NoWritableStore`] if there is none; [`SecretError::Hidden`] if a source before it has the secret, so that the
    /// new value would never be read; else what a source failed with. Nothing is written then.
    pub async fn put(&self, name: &SecretName, value: &SecretValue) -> Result<(), SecretError> {
        let store = self.writable()?;
        for source in self.sources.iter().take_while(|source| source.access() == Access::ReadOnly) {
            if source.find(name).await?.is_some() {
                return Err(SecretError::Hidden { name: name.clone(), by: source.describe() });
            }
        }
        store.put(name, value).await
    }

    /// Removes the secret from the first source that can be written; other sources may still have it.
    ///
    /// # Errors
    /// [`SecretError::NoWritableStore`] if there is none; else what the source failed with.
    pub async fn remove(&self, name: &SecretName) -> Result<Removal, SecretError> {
        self.writable()?.remove(name).await
    }

    /// Takes away what killed programs have left in the sources that keep nothing.
    ///
    /// # Errors
    /// What the first source failed with that could not do it.
    pub async fn ensure_no_remains(&self) -> Result<(), SecretError> {
        for source in self.sources.iter() {
            source.ensure_no_remains().await?;
        }
        Ok(())
    }

    /// What to say about a secret of plain text or bytes that no source has: every way to provide it. It is not looked for.
    #[must_use]
    pub fn missing(&self, name: &SecretName) -> MissingSecret {
        let ways = self.sources.iter().filter_map(|source| source.way_to_provide(name)).collect();
        MissingSecret { name: name.clone(), fields: Vec::new(), ways }
    }

    /// What to say about a typed secret that no source has: its fields and every way to provide it. It is not looked for.
    ///
    /// # Errors
    /// [`SecretError::Name`] if `T` has a name that cannot be one.
    pub fn missing_secret<T: Secret>(&self) -> Result<MissingSecret, SecretError> {
        let missing = self.missing(&T::NAME.parse()?);
        Ok(MissingSecret { fields: answers::fields(&T::schema()), ..missing })
    }

    /// What the sources have done that the user must be told and has not been told yet.
    #[must_use]
    pub fn take_notices(&self) -> Vec<SecretNotice> {
        self.sources.iter().flat_map(|source| source.take_notices()).collect()
    }

    async fn find_with_source(&self, name: &SecretName) -> Result<Option<(&dyn SecretStore, SecretValue)>, SecretError> {
        for source in self.sources.iter() {
            if let Some(value) = source.find(name).await? {
                return Ok(Some((source.as_ref(), value)));
            }
        }
        Ok(None)
    }

    fn writable(&self) -> Result<&dyn SecretStore, SecretError> {
        let writable = self.sources.iter().find(|source| source.access() == Access::ReadWrite);
        writable.map(AsRef::as_ref).ok_or_else(|| SecretError::NoWritableStore { sources: self.describe() })
    }
}

impl fmt::Debug for SecretManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretManager({})", self.describe())
    }
}

fn read<T: Secret>(name: &SecretName, value: &SecretValue, origin: impl FnOnce() -> String) -> Result<T, SecretError> {
    json::read(value.expose_bytes()).map_err(|source| SecretError::Unfit {
        name: name.clone(),
        origin: origin(),
        fields: answers::fields(&T::schema()),
        source,
    })
}
