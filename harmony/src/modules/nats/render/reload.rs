//! Which settings a running server takes over.

/// What a reload changes in a running server; the paths below are in it too. Everything else needs a restart: it was refused by a
/// server that was asked (gateways' remotes, ports, names, JetStream's settings, the system account, lame duck mode), or was not tried.
/// JetStream's limits are not here because a server takes over only larger ones.
const RELOADABLE: &[&[&str]] = &[
    &["accounts"],
    &["server_tags"],
    &["client_advertise"],
    &["tls"],
    &["max_payload"],
    &["max_connections"],
    &["log_file"],
    &["debug"],
    &["trace"],
    &["cluster", "tls"],
    &["cluster", "authorization"],
    &["cluster", "routes"],
    &["cluster", "pool_size"],
    &["cluster", "no_advertise"],
    &["gateway", "tls"],
];

/// Whether a running server takes a change of the setting at `path` over when it is told to read its configuration again, as observed
/// with nats-server 2.15.1.
///
/// ```
/// use harmony::modules::nats::render::is_reloadable;
///
/// assert!(is_reloadable(&["accounts", "HARMONY", "users"]));
/// assert!(!is_reloadable(&["gateway", "gateways"]));
/// ```
#[must_use]
pub fn is_reloadable(path: &[&str]) -> bool {
    RELOADABLE.iter().any(|prefix| path.starts_with(prefix))
}
