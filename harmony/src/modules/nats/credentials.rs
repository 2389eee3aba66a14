//! Reading back, from a program, what was minted.

use harmony_secret::{NameError, SecretError, SecretManager, SecretName, SecretValue};
use harmony_types::{AccountName, SystemName, UserName};

use super::interpret::user_secret;

/// A credential that Harmony has minted for a user, as it stands in the secret store. A client that is refused, or told that its
/// connection is closed, reads it again: `rotate` puts a new one there while the old one still works.
///
/// ```
/// # async fn example(site: &harmony::topology::Site) -> Result<(), Box<dyn std::error::Error>> {
/// use harmony::modules::nats::NatsCredentials;
///
/// let agent = NatsCredentials::find(&site.secrets, &"nats".parse()?, &"HARMONY".parse()?, &"agent".parse()?).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NatsCredentials {
    /// An NKey.
    Nkey {
        /// The seed, `SU…`, 58 characters.
        seed: SecretValue,
        /// The prefix of the inboxes that the user may subscribe to, without the final dot.
        inbox_prefix: String,
    },
    /// A user name and a password.
    Password {
        /// The name that it connects with: the user's, except while it is being rotated.
        login: String,
        /// The password.
        password: SecretValue,
        /// The prefix of the inboxes that the user may subscribe to, without the final dot.
        inbox_prefix: String,
    },
}

/// Why a credential could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The names make no name of a secret.
    #[error("user {user} of account {account} can have no credential")]
    Name {
        /// The user.
        user: UserName,
        /// The account.
        account: AccountName,
        /// Which name, and why.
        source: NameError,
    },
    /// The store could not be read.
    #[error("failed to read the credential of user {user} of account {account}")]
    Store {
        /// The user.
        user: UserName,
        /// The account.
        account: AccountName,
        /// The words of the store.
        source: SecretError,
    },
}

impl CredentialsError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Name { .. } => None,
            Self::Store { source, .. } => source.hint(),
        }
    }
}

impl NatsCredentials {
    /// The credential of a user; `None` if it has not been minted.
    ///
    /// # Errors
    /// [`CredentialsError`] if the store cannot be read: that is never `None`.
    pub async fn find(
        secrets: &SecretManager,
        system: &SystemName,
        account: &AccountName,
        user: &UserName,
    ) -> Result<Option<Self>, CredentialsError> {
        let base = user_secret(system.as_str(), account.as_str(), user.as_str());
        let inbox_prefix = format!("_INBOX_{user}");
        let entry = |kind: &str| {
            let name = format!("{base}/{kind}").parse::<SecretName>();
            name.map_err(|source| CredentialsError::Name { user: user.clone(), account: account.clone(), source })
        };
        let failed = |source| CredentialsError::Store { user: user.clone(), account: account.clone(), source };
        if let Some(seed) = secrets.find(&entry("nkey")?).await.map_err(failed)? {
            return Ok(Some(Self::Nkey { seed, inbox_prefix }));
        }
        let password = secrets.find(&entry("password")?).await.map_err(failed)?;
        let Some(password) = password else { return Ok(None) };
        let login = match secrets.find(&entry("login")?).await.map_err(failed)? {
            Some(login) => login.expose_str().map_or_else(|_| user.to_string(), str::to_owned),
            None => user.to_string(),
        };
        Ok(Some(Self::Password { login, password, inbox_prefix }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use harmony_secret::MemoryStore;

    use super::*;

    async fn find(secrets: &SecretManager) -> Option<NatsCredentials> {
        let (system, account, user) = ("nats".parse().unwrap(), "SHOP".parse().unwrap(), "till".parse().unwrap());
        NatsCredentials::find(secrets, &system, &account, &user).await.unwrap()
    }

    #[tokio::test]
    async fn a_password_comes_with_the_name_under_which_it_is_handed_out() {
        let secrets = SecretManager::new(vec![Arc::new(MemoryStore::new())]);
        assert_eq!(find(&secrets).await, None);
        let put = async |kind: &str, value: &str| {
            let name = format!("nats/nats/account/shop/user/till/{kind}").parse().unwrap();
            secrets.put(&name, &SecretValue::from(value.to_owned())).await.unwrap();
        };
        put("password", "sesame").await;
        let login = |found: Option<NatsCredentials>| match found {
            Some(NatsCredentials::Password { login, .. }) => login,
            other => panic!("{other:?}"),
        };
        assert_eq!(login(find(&secrets).await), "till");
        put("login", "till.next").await;
        assert_eq!(login(find(&secrets).await), "till.next");
    }
}
