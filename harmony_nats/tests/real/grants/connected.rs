//! Users with grants, and their connections.

use async_nats::{Client, ConnectOptions, Event, ServerError};
use harmony::modules::nats::permission::{Right, permissions};
use harmony::modules::nats::score::KvAccess;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::fixture::{System, User, name};

/// The users, each with one access to bucket `B`.
pub(crate) const PROFILES: [(&str, KvAccess); 4] =
    [("reader", KvAccess::Read), ("writer", KvAccess::ReadWrite), ("dropper", KvAccess::WriteOnly), ("owner", KvAccess::Owner)];

/// A user with these rights, as Harmony lowers them.
pub(crate) fn with_rights(user: &'static str, rights: &[Right]) -> User {
    let permissions = permissions(&name(user), rights);
    assert_eq!(permissions.subscribe, [format!("_INBOX_{user}.>")]);
    User::new(user, "APP").publishing(&permissions.publish.iter().map(String::as_str).collect::<Vec<_>>())
}

pub(crate) fn on_bucket(access: KvAccess) -> Right {
    Right::Kv { bucket: name("B"), access, below: None }
}

/// A connection, and what the server says against what it sends.
pub(crate) struct Connected {
    pub(crate) client: Client,
    complaints: UnboundedReceiver<String>,
}

impl Connected {
    pub(crate) async fn new(system: &System, user: &str) -> Self {
        let user = system.users.iter().find(|known| known.name == user).unwrap();
        let trust = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(trust.path(), &system.authority.trust).unwrap();
        let (said, complaints) = unbounded_channel();
        let options = ConnectOptions::with_nkey(user.seed.clone())
            .add_root_certificates(trust.path().to_owned())
            .custom_inbox_prefix(format!("_INBOX_{}", user.name))
            .event_callback(move |event| {
                if let Event::ServerError(ServerError::Other(words)) = event {
                    let _ = said.send(words);
                }
                std::future::ready(())
            });
        Self { client: options.connect(system.url(0)).await.unwrap(), complaints }
    }

    /// What the server has said against everything sent so far.
    pub(crate) async fn complaints(&mut self) -> Vec<String> {
        // Every user may ask this, and the server answers in order.
        self.client.request("$SYS.REQ.USER.INFO", "".into()).await.unwrap();
        let mut said = Vec::new();
        while let Ok(words) = self.complaints.try_recv() {
            said.push(words);
        }
        said
    }
}
