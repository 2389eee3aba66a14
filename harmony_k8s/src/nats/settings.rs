//! What only Kubernetes has to know of a NATS server.

use harmony_types::ByteSize;

/// The image of a server, as the name that container engines look up. Its tag is the version that is pinned for local servers too.
pub const NATS_IMAGE: &str = "nats:2.15.1";

/// What only Kubernetes has to know of NATS servers.
#[derive(Debug, Clone)]
pub(crate) struct NatsSettings {
    pub(crate) image: String,
    pub(crate) storage: Option<ByteSize>,
    pub(crate) storage_class: Option<String>,
}

impl Default for NatsSettings {
    fn default() -> Self {
        Self { image: NATS_IMAGE.to_owned(), storage: None, storage_class: None }
    }
}

/// The volume of a server of which nobody says how much it may hold.
const STORAGE: ByteSize = ByteSize::gib(10);

impl NatsSettings {
    /// How large the volume of a server is whose JetStream may hold `max_file`.
    pub(super) fn volume(&self, max_file: Option<ByteSize>) -> ByteSize {
        // A store needs room beside its messages: indexes, and what compaction writes before it deletes.
        let with_room = |size: ByteSize| ByteSize::mib((size.as_bytes() / 4 * 5).div_ceil(ByteSize::mib(1).as_bytes()));
        self.storage.or_else(|| max_file.map(with_room)).unwrap_or(STORAGE)
    }
}

/// As Kubernetes writes it: `10Gi`.
pub(super) fn quantity(size: ByteSize) -> String {
    size.to_string().trim_end_matches('B').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_has_room_beside_what_streams_may_hold() {
        let settings = NatsSettings::default();
        let volume = |max_file| quantity(settings.volume(max_file));
        assert_eq!([volume(Some(ByteSize::gib(4))), volume(Some(ByteSize::mib(1))), volume(None)], ["5Gi", "2Mi", "10Gi"]);
        let said = NatsSettings { storage: Some(ByteSize::mib(100)), ..settings };
        assert_eq!(quantity(said.volume(Some(ByteSize::gib(4)))), "100Mi");
    }
}
