//! Making, finding and removing secrets in the stores of a site program.

use std::sync::Arc;

use async_trait::async_trait;
use harmony_secret::{SecretManager, SecretName, SecretValue, generate};
use nkeys::KeyPair;

use super::generated::{GeneratedOutputs, GeneratedSecret, Recipe};
use super::hash::{HashOutputs, PasswordHash};
use crate::provider::{Failure, Known, Live, Observation, Provider, ProviderError};
use crate::resource::Resource;
use crate::run::Run;
use crate::value::Text;

/// How many letters and digits a generated password has: 190 bits.
const PASSWORD_LENGTH: usize = 32;

/// The provider of secrets and hashes over the stores of a [`SecretManager`].
#[derive(Clone)]
pub struct SecretEntries {
    secrets: SecretManager,
}

impl SecretEntries {
    /// A provider over these stores.
    #[must_use]
    pub fn new(secrets: &SecretManager) -> Arc<Self> {
        Arc::new(Self { secrets: secrets.clone() })
    }

    /// Tells users what the stores did on their own, such as making the identity that their file is encrypted for.
    fn tell(&self, run: &Run) {
        for notice in self.secrets.take_notices() {
            run.remark(notice.to_string());
        }
    }

    async fn keep(&self, run: &Run, name: &SecretName, value: &str) -> Result<(), ProviderError> {
        self.secrets.put(name, &SecretValue::from(value.to_owned())).await?;
        self.tell(run);
        Ok(())
    }

    async fn find_text(&self, name: &SecretName) -> Result<Option<String>, ProviderError> {
        let Some(value) = self.secrets.find(name).await? else { return Ok(None) };
        match value.expose_str() {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(error) => Err(ProviderError::refused(format!("failed to read the secret {name}"), error)),
        }
    }

    async fn look<R: Resource<Identity = SecretName>>(
        &self,
        wanted: &[Known<R>],
        mut read: impl FnMut(&SecretName, String) -> Result<Observation<R>, ProviderError> + Send,
    ) -> Result<Vec<Observation<R>>, ProviderError> {
        let mut found = Vec::with_capacity(wanted.len());
        for Known { identity, .. } in wanted {
            found.push(match self.find_text(identity).await? {
                Some(text) => read(identity, text)?,
                None => Observation::Absent,
            });
        }
        Ok(found)
    }

    async fn forget(&self, name: &SecretName) -> Result<(), ProviderError> {
        self.secrets.remove(name).await?;
        Ok(())
    }
}

fn generated(name: &SecretName, value: String) -> Result<Observation<GeneratedSecret>, ProviderError> {
    let public = public_half(&value);
    let recipe = if public.is_some() { Recipe::UserNkey } else { Recipe::Password };
    let state = GeneratedSecret::new(name.clone(), recipe);
    Ok(Observation::there(state, GeneratedOutputs::new(value, public)))
}

/// Of an NKey's seed, the public key.
fn public_half(value: &str) -> Option<String> {
    KeyPair::from_seed(value).ok().map(|pair| pair.public_key())
}

#[async_trait]
impl Provider<GeneratedSecret> for SecretEntries {
    async fn observe(
        &self,
        _: &Run,
        (): &(),
        wanted: &[Known<GeneratedSecret>],
    ) -> Result<Vec<Observation<GeneratedSecret>>, ProviderError> {
        self.look(wanted, generated).await
    }

    async fn preview(
        &self,
        _: &Run,
        (): &(),
        desired: &GeneratedSecret,
        live: Option<&Live<GeneratedSecret>>,
    ) -> Result<GeneratedSecret, ProviderError> {
        let follows = |value: &String| live.is_some_and(|live| live.outputs.is(value));
        let is_there = desired.copy_of.as_ref().and_then(|value| value.get().ok()).is_some_and(follows);
        Ok(if is_there { GeneratedSecret { copy_of: None, ..desired.clone() } } else { desired.clone() })
    }

    async fn apply(
        &self,
        run: &Run,
        (): &(),
        desired: &GeneratedSecret,
        _: Option<&Live<GeneratedSecret>>,
    ) -> Result<GeneratedOutputs, ProviderError> {
        if let Some(value) = &desired.copy_of {
            let value = value.get()?;
            self.keep(run, &desired.name, value).await?;
            return Ok(GeneratedOutputs::new(value.clone(), public_half(value)));
        }
        let (value, public) = match desired.recipe {
            Recipe::Password => (generate::password(PASSWORD_LENGTH), None),
            Recipe::UserNkey => {
                let pair = KeyPair::new_user();
                let failed = |error| ProviderError::refused(format!("failed to make the NKey {}", desired.name), error);
                (pair.seed().map_err(failed)?, Some(pair.public_key()))
            }
        };
        self.keep(run, &desired.name, &value).await?;
        Ok(GeneratedOutputs::new(value, public))
    }

    async fn delete(&self, _: &Run, (): &(), name: &SecretName) -> Result<(), ProviderError> {
        self.forget(name).await
    }
}

#[async_trait]
impl Provider<PasswordHash> for SecretEntries {
    async fn observe(
        &self,
        _: &Run,
        (): &(),
        wanted: &[Known<PasswordHash>],
    ) -> Result<Vec<Observation<PasswordHash>>, ProviderError> {
        self.look(wanted, |name, hash| {
            let cost = hash.split('$').nth(2).and_then(|cost| cost.parse().ok()).unwrap_or_default();
            // Whose hash it is cannot be read from it; the preview finds out whether it is that of the wanted password.
            let state = PasswordHash { name: name.clone(), password: unreadable(), cost };
            Ok(Observation::there(state, HashOutputs::new(hash)))
        })
        .await
    }

    async fn preview(
        &self,
        _: &Run,
        (): &(),
        desired: &PasswordHash,
        live: Option<&Live<PasswordHash>>,
    ) -> Result<PasswordHash, ProviderError> {
        let (Ok(password), Some(live)) = (desired.password.get(), live) else { return Ok(desired.clone()) };
        let hash = self.find_text(&live.state.name).await?.unwrap_or_default();
        let password = password.clone();
        let fits = compute(move || bcrypt::verify(password, &hash).unwrap_or(false)).await?;
        Ok(if fits { PasswordHash { password: unreadable(), ..desired.clone() } } else { desired.clone() })
    }

    async fn apply(
        &self,
        run: &Run,
        (): &(),
        desired: &PasswordHash,
        _: Option<&Live<PasswordHash>>,
    ) -> Result<HashOutputs, ProviderError> {
        let (password, cost) = (desired.password.get()?.clone(), u32::from(desired.cost));
        let failed = |error: bcrypt::BcryptError| ProviderError::refused(format!("failed to hash for {}", desired.name), error);
        let hash = compute(move || bcrypt::hash(password, cost)).await?.map_err(failed)?;
        self.keep(run, &desired.name, &hash).await?;
        Ok(HashOutputs::new(hash))
    }

    async fn delete(&self, _: &Run, (): &(), name: &SecretName) -> Result<(), ProviderError> {
        self.forget(name).await
    }
}

/// What stands for a password that only its hash is left of.
fn unreadable() -> Text {
    Text::from("")
}

/// Computes what takes long without holding up what else goes on.
async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ProviderError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ProviderError::Refused(Failure::new("failed to compute", error)))
}
