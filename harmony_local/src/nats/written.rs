//! What a server's configuration still says where the Ledger does not.

use harmony_io::{Io, IoResult};
use harmony_types::Port;

use super::process::ProcessIdentity;

/// The port that the configuration of a server names for a role; nothing, if there is no configuration, or it names none.
pub(crate) fn find_written_port(io: &Io, identity: &ProcessIdentity, role: &str) -> IoResult<Option<Port>> {
    let config = io.find_file(&identity.config_file.0)?;
    Ok(config.and_then(|config| port_in(&String::from_utf8_lossy(&config), role)))
}

/// The port in a configuration as it is rendered: one entry a line, blocks two spaces further in.
fn port_in(config: &str, role: &str) -> Option<Port> {
    let mut block = "";
    for line in config.lines() {
        let depth = line.len() - line.trim_start().len();
        match (line.trim().split_once(": "), depth) {
            (Some(("port", port)), 0) if role == "client" => return port.parse().ok(),
            (Some(("http", address)), 0) if role == "monitoring" => {
                return address.trim_matches('"').rsplit_once(':')?.1.parse().ok();
            }
            (Some(("port", port)), 2) if block == role => return port.parse().ok(),
            (None, 0) => block = line.strip_suffix(" {").unwrap_or_default(),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "# NATS server nats-1.\nhost: \"127.0.0.1\"\nport: 4000\ntls {\n  timeout: 5\n}\nhttp: \"127.0.0.1:8000\"\naccounts {\n  APP {\n    \
                          port: 1\n  }\n}\ncluster {\n  name: \"nats\"\n  port: 6000\n  tls {\n    port: 2\n  }\n}\ngateway {\n  port: 7000\n}\n";

    #[test]
    fn each_role_has_its_port_where_it_is_written() {
        let port = |role: &str| port_in(CONFIG, role).map(Port::number);
        assert_eq!(port("client"), Some(4000));
        assert_eq!(port("cluster"), Some(6000));
        assert_eq!(port("gateway"), Some(7000));
        assert_eq!(port("monitoring"), Some(8000));
        assert_eq!(port_in("port: 0\n", "client"), None);
        assert_eq!(port_in("edited by hand", "cluster"), None);
    }
}
