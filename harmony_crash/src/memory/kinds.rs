//! What each kind offers to others, and what it lives in.

use harmony::modules::nats::assets::{AccountContents, KvBucket, ServerMembership, Stream};
use harmony::modules::secret::{GeneratedSecret, PasswordHash};
use harmony::modules::tls::{Authority, Certificate};
use harmony::resource::Resource;
use harmony_local::kind::{LocalDirectory, LocalFile, LocalPort};
use harmony_local::nats::{NatsServerBinary, NatsServerDirectory, NatsServerProcess, NatsStore};
use harmony_types::Digest;
use serde_json::{Value as Json, json};

/// A kind that can be in memory.
pub(super) trait MemoryKind: Resource {
    /// Whether it is reached through a running server.
    const IN_A_SERVER: bool = false;

    /// What it offers when it is made as the `number`th thing: `~number` is in what is random.
    fn outputs(&self, _number: u64) -> Json {
        json!({})
    }
}

impl MemoryKind for LocalFile {}
impl MemoryKind for LocalDirectory {}
impl MemoryKind for NatsServerDirectory {}
impl MemoryKind for NatsStore {}
impl MemoryKind for NatsServerProcess {}

impl MemoryKind for KvBucket {
    const IN_A_SERVER: bool = true;
}

impl MemoryKind for Stream {
    const IN_A_SERVER: bool = true;
}

impl MemoryKind for AccountContents {
    const IN_A_SERVER: bool = true;
}

impl MemoryKind for ServerMembership {
    const IN_A_SERVER: bool = true;
}

impl MemoryKind for LocalPort {
    fn outputs(&self, _: u64) -> Json {
        // The same one again if it is chosen again, so that files can be compared.
        let digest = Digest::of(self.identity().to_string().as_bytes()).hex().to_owned();
        let number = u64::from_str_radix(&digest[..4], 16).unwrap_or_default();
        json!({"port": (15_000 + number % 17_000).to_string()})
    }
}

impl MemoryKind for GeneratedSecret {
    fn outputs(&self, number: u64) -> Json {
        json!({"value": format!("secret {} ~{number}", self.identity()), "public": format!("public {} ~{number}", self.identity())})
    }
}

impl MemoryKind for PasswordHash {
    fn outputs(&self, number: u64) -> Json {
        json!({"hash": format!("hash ~{number}")})
    }
}

impl MemoryKind for Authority {
    fn outputs(&self, number: u64) -> Json {
        issued(&self.identity(), number)
    }
}

impl MemoryKind for Certificate {
    fn outputs(&self, number: u64) -> Json {
        issued(&self.identity(), number)
    }
}

impl MemoryKind for NatsServerBinary {
    fn outputs(&self, _: u64) -> Json {
        json!({"path": "/programs/nats-server"})
    }
}

fn issued(name: &impl std::fmt::Display, number: u64) -> Json {
    json!({"certificate": format!("certificate {name} ~{number}"), "key": format!("key {name} ~{number}")})
}
