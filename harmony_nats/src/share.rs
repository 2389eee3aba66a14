//! Sharing connections while they are in use.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Instant;

use harmony::modules::nats::access::{Credential, NatsAccess};
use harmony::provider::ProviderError;
use harmony::run::Run;
use harmony_types::Digest;
use tokio::sync::Mutex;

use crate::connect::{NoConnection, connect_patiently};
use crate::connection::Connection;
use crate::way::Ways;

/// The connections in use, by what they were made with. Operations that run at the same time with one access share one connection; none
/// outlives its last user, so that nothing stale is ever used and nothing has to be swept.
#[derive(Clone, Default)]
pub(crate) struct Shared {
    /// Where servers are dialled.
    pub(crate) ways: Ways,
    slots: Arc<std::sync::Mutex<HashMap<Digest, Arc<Mutex<Slot>>>>>,
}

#[derive(Default)]
struct Slot {
    connection: Weak<Connection>,
    /// When connecting last failed, and why: whoever was waiting for that attempt fails with it instead of making its own.
    failed: Option<(Instant, NoConnection)>,
}

impl Shared {
    /// A connection with this access, shared if one is in use.
    ///
    /// # Errors
    /// As [`connect_patiently`].
    pub(crate) async fn connection(&self, run: &Run, access: &NatsAccess) -> Result<Arc<Connection>, NoConnection> {
        let asked = Instant::now();
        let slot = self.slot(key(access)?);
        let mut slot = slot.lock().await;
        if let Some(connection) = slot.connection.upgrade().filter(|connection| connection.is_alive()) {
            return Ok(connection);
        }
        if let Some((_, error)) = slot.failed.as_ref().filter(|(when, _)| *when >= asked) {
            return Err(error.clone());
        }
        match connect_patiently(run, &self.ways, access).await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                slot.connection = Arc::downgrade(&connection);
                Ok(connection)
            }
            Err(error) => {
                slot.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    fn slot(&self, key: Digest) -> Arc<Mutex<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, slot| {
            Arc::strong_count(slot) > 1 || slot.try_lock().is_ok_and(|slot| slot.connection.strong_count() > 0)
        });
        Arc::clone(slots.entry(key).or_default())
    }
}

/// What tells accesses apart, with nothing in it that is a secret.
fn key(access: &NatsAccess) -> Result<Digest, ProviderError> {
    let mut text = format!("{}\n{}\n{}", access.who, access.inbox_prefix, access.trust.get()?);
    for server in &access.servers {
        text.push('\n');
        text.push_str(server.get()?);
    }
    let (kind, user, secret) = match &access.credential {
        Credential::Nkey { seed } => ("nkey", "", seed.get()?),
        Credential::Password { user, password } => ("password", user.get()?.as_str(), password.get()?),
    };
    Ok(Digest::of(format!("{text}\n{kind}\n{user}\n{secret}").as_bytes()))
}
