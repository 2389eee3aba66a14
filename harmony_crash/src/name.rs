//! What a point is called from one run to the next: numbers vary with what goes side by side, names do not.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use harmony_io::{Moment, Point};
use serde::{Deserialize, Serialize};

/// A point of a run: the `nth` with this operation and target.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PointName {
    /// The primitive: `Rename`.
    pub operation: String,
    /// `Before` it or `After` it.
    pub moment: String,
    /// What it is about, with `~` for the world's directory and `*` for numbers that vary.
    pub target: String,
    /// Which one of this name, from 1.
    pub nth: u32,
}

impl fmt::Display for PointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, moment, target, nth } = self;
        write!(f, "{} {operation} of {target} (number {nth})", moment.to_lowercase())
    }
}

impl PointName {
    /// Whether its primitive changes nothing: a kill there leaves what a kill at the points around it leaves.
    #[must_use]
    pub fn only_looks(&self) -> bool {
        let reads = ["Read", "List"].contains(&self.operation.as_str());
        reads || (self.operation == "Request" && asks(&self.target))
    }

    /// Whether it changes something, and is the first of its name that is about one thing: what is done again in every run (the lock, the
    /// Ledger) is passed at other places in every run.
    #[must_use]
    pub fn is_met_again(&self) -> bool {
        !self.only_looks() && self.operation != "Lock" && self.nth == 1
    }

    /// Whether it is a look at a process of the machine, of which there are as many as there are processes of others.
    #[must_use]
    pub fn is_about_other_processes(&self) -> bool {
        self.target.starts_with("/proc/")
    }
}

/// Whether a request to an API server asks only: for what is there, what would happen, or what is permitted.
fn asks(target: &str) -> bool {
    target.starts_with("GET ") || target.contains("dryRun=All") || target.contains("accessreviews of ")
}

/// Names points as they come.
#[derive(Debug, Default)]
pub struct Naming(HashMap<(String, String, String), u32>);

impl Naming {
    /// The name of the next point, in a world in that directory.
    pub fn name(&mut self, point: &Point<'_>, world: &Path) -> PointName {
        let operation = format!("{:?}", point.operation);
        let moment = if point.moment == Moment::Before { "Before" } else { "After" }.to_owned();
        let target = steady(point.target, world);
        let nth = self.0.entry((operation.clone(), moment.clone(), target.clone())).or_default();
        *nth += 1;
        PointName { operation, moment, target, nth: *nth }
    }
}

/// The target without what differs from run to run.
fn steady(target: &str, world: &Path) -> String {
    let target = target.replace(&world.display().to_string(), "~");
    let target = match target.strip_suffix(".tmp").and_then(|start| start.rsplit_once('.')) {
        Some((file, _)) => format!("{file}.*.tmp"),
        None => target,
    };
    if let Some((process, rest)) = target.strip_prefix("/proc/").and_then(|rest| rest.split_once('/')) {
        return format!("/proc/{}/{rest}", if process.starts_with(|c: char| c.is_ascii_digit()) { "*" } else { process });
    }
    let mut steady = String::with_capacity(target.len());
    let mut word = String::new();
    for character in target.chars().chain(['\n']) {
        if character.is_ascii_alphanumeric() {
            word.push(character);
            continue;
        }
        steady.push_str(if varies(&word) { "*" } else { &word });
        word.clear();
        steady.push(character);
    }
    steady.trim_end().to_owned()
}

/// Whether a word is a port, a process, a key of a server, or one that is made up to be unique.
fn varies(word: &str) -> bool {
    let is_number = word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    let has = |is_one: fn(&u8) -> bool| word.as_bytes().iter().any(is_one);
    let is_mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    let is_key = word.len() >= 20 && (is_mixed || has(u8::is_ascii_digit));
    is_number || is_key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_only_asks_is_told_from_one_that_changes_something() {
        let point =
            |target: &str| PointName { operation: "Request".into(), moment: "After".into(), target: target.into(), nth: 1 };
        for asks in ["GET /api of c", "PATCH /api/v1/x?force=false&dryRun=All of c", "POST /apis/a/selfsubjectaccessreviews of c"]
        {
            assert!(point(asks).only_looks(), "{asks}");
        }
        assert!(!point("PATCH /api/v1/x?force=false of c").only_looks() && !point("DELETE /api/v1/x of c").only_looks());
    }

    #[test]
    fn a_target_is_called_the_same_in_every_run() {
        let name = |target| steady(target, Path::new("/tmp/world"));
        assert_eq!(name("/tmp/world/state/nats-1/key.pem.4711-3.tmp"), "~/state/nats-1/key.pem.*.tmp");
        assert_eq!(name("connection of app to tls://127.0.0.1:15432"), "connection of app to tls://*.0.0.1:*");
        assert_eq!(name("process 4711"), "process *");
        assert_eq!(name("$KV.PROOF.nats.ocilobwywsqrhmVWBbRgGs"), "$KV.PROOF.nats.*");
        assert_eq!(name("$KV.PROOF.nats.6dqtaboofG7sw0n5Yd4RM6 on a"), "$KV.PROOF.nats.* on a");
        assert_eq!(name("/proc/47/cmdline"), "/proc/*/cmdline");
    }
}
