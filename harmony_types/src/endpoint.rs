//! Where something listens.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::str::FromStr;

use crate::name::NameError;
use crate::text::serialize_as_text;

/// A TCP port, 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(NonZeroU16);

impl Port {
    /// The port with this number; `None` for 0, which asks for any port and names none.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The port's number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Port {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        text.parse().map(Self).map_err(|_| NameError {
            text: text.to_owned(),
            what: "a port",
            rule: "a whole number from 1 to 65535",
        })
    }
}

serialize_as_text!(Port, "a whole number from 1 to 65535");

/// A host as others dial it: an IP address, or a DNS name of RFC 1123 labels, at most 253 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(String);

impl HostName {
    /// This machine, as only itself can reach it: 127.0.0.1.
    #[must_use]
    pub fn loopback() -> Self {
        Self("127.0.0.1".to_owned())
    }

    /// The host's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address, if the host is one and not a name.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.0.parse().ok()
    }
}

impl FromStr for HostName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let is_label = |label: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            (1..=63).contains(&label.len()) && label.bytes().all(allowed) && !label.starts_with('-') && !label.ends_with('-')
        };
        let all_digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let is_name = text.len() <= 253 && !all_digits && text.split('.').all(is_label);
        if is_name || text.parse::<IpAddr>().is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError { text: text.to_owned(), what: "a host", rule: "an IP address or a DNS name" })
        }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

serialize_as_text!(HostName, "an IP address or a DNS name");

/// A host and a port, written `host:port` (`[::1]:4222` for IPv6).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    /// The host.
    pub host: HostName,
    /// The port.
    pub port: Port,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.address() {
            Some(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            _ => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl FromStr for HostPort {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refuse = || NameError { text: text.to_owned(), what: "an endpoint", rule: "`host:port`, as in `127.0.0.1:4222`" };
        let (host, port) = text.rsplit_once(':').ok_or_else(refuse)?;
        let bare = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host);
        match (bare.parse::<HostName>(), port.parse()) {
            (Ok(host_name), Ok(port)) if (bare == host) != bare.contains(':') => Ok(Self { host: host_name, port }),
            _ => Err(refuse()),
        }
    }
}

serialize_as_text!(HostPort, "host:port");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_reads_back_what_it_writes() {
        for text in ["127.0.0.1:4222", "nats.example.org:443", "[::1]:4222"] {
            assert_eq!(text.parse::<HostPort>().unwrap().to_string(), text);
        }
        for bad in ["", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:4222", "a b:1", "300.1.1.1:1", ":1"] {
            assert!(bad.parse::<HostPort>().is_err(), "{bad}");
        }
    }
}
