//! What a server says before it fails to start.

use harmony::provider::{Failure, ProviderError};
use harmony_io::{Io, IoResult};

use super::process::ProcessIdentity;

/// The server's own log.
pub(crate) const LOG: &str = "nats-server.log";
/// Where the server writes before its own log is open, and when it breaks down.
pub(super) const OUTPUT: &str = "output.log";
/// How many of the last lines explain a failure.
const EXPLAINING_LINES: usize = 8;

/// Listens to one start of a server: what stands in its logs already was said by an earlier one.
pub(super) struct LastWords {
    identity: ProcessIdentity,
    said_before: [(&'static str, u64); 2],
}

impl LastWords {
    /// Begins to listen.
    ///
    /// # Errors
    /// [`IoError`](harmony_io::IoError) if its directory cannot be searched.
    pub(super) fn listen(io: &Io, identity: &ProcessIdentity) -> IoResult<Self> {
        let mut said_before = [(LOG, 0), (OUTPUT, 0)];
        for (name, length) in &mut said_before {
            *length = io.find_entry(&identity.beside(name))?.map_or(0, |entry| entry.length);
        }
        Ok(Self { identity: identity.clone(), said_before })
    }

    /// A failure with what the server has said since.
    pub(super) fn explain(&self, io: &Io, why: &str) -> ProviderError {
        let [log, output] = self.said_before.map(|(name, length)| self.said_since(io, name, length));
        let file = self.identity.beside(if log.is_empty() { OUTPUT } else { LOG });
        let said = [log, output].concat();
        let last = &said[said.len().saturating_sub(EXPLAINING_LINES)..];
        let why = if last.is_empty() { why.to_owned() } else { format!("{why}; its last words:\n{}", last.join("\n")) };
        let hint = if why.contains("address already in use") {
            "run the command again: a port that something else has taken meanwhile is chosen anew".to_owned()
        } else {
            format!("see `{}`", file.display())
        };
        ProviderError::Refused(Failure::new(format!("failed to run nats-server {}", self.identity), why).with_hint(hint))
    }

    fn said_since(&self, io: &Io, name: &str, before: u64) -> Vec<String> {
        let Ok(Some(bytes)) = io.find_file(&self.identity.beside(name)) else { return Vec::new() };
        // A shorter file is a new one.
        let since = usize::try_from(before).ok().and_then(|before| bytes.get(before..)).unwrap_or(&bytes);
        String::from_utf8_lossy(since).lines().map(|line| format!("  {line}")).collect()
    }
}
