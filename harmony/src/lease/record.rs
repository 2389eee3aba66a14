//! What stands in a lease.

use std::fmt;
use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// The record of a lease, as its store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseRecord {
    /// Who holds it, in words for people (`holderIdentity`); `None` if it was given back.
    pub holder: Option<String>,
    /// For how long it is held without being renewed, in whole seconds and milliseconds (`leaseDurationSeconds`).
    pub duration: Duration,
    /// How many times it was taken; the holder's fencing number (`leaseTransitions`). It never goes back, also not when nobody holds it.
    pub number: u64,
    /// When it was taken, by the holder's clock (`acquireTime`). For people: nothing is decided by it.
    pub taken: WallTime,
    /// When it was renewed last, by the holder's clock (`renewTime`). For people: nothing is decided by it.
    pub renewed: WallTime,
}

/// Which of the states of a record it is; only equality means something. Opaque: a counter, or a cluster's `resourceVersion`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub String);

/// A record with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Which state it is.
    pub version: Version,
    /// What it says.
    pub record: LeaseRecord,
}

/// A time of day that some machine's clock said, in seconds of Unix time; shown in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct WallTime(pub u64);

impl WallTime {
    /// What this machine's clock says.
    #[must_use]
    pub fn now() -> Self {
        Self(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }

    /// That much later, in whole seconds.
    #[must_use]
    pub fn later_by(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time.as_secs()))
    }
}

impl fmt::Display for WallTime {
    /// `2026-11-23 19:54:15 UTC`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0).unwrap_or(i64::MAX);
        let Ok(at) = OffsetDateTime::from_unix_timestamp(seconds) else { return write!(f, "second {} of Unix time", self.0) };
        let (date, time) = (at.date(), at.time());
        let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
        write!(f, "{year}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC", time.hour(), time.minute(), time.second())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_time_reads_like_one() {
        assert_eq!(WallTime(1_795_463_655).to_string(), "2026-11-23 19:54:15 UTC");
        assert_eq!(WallTime(u64::MAX).to_string(), format!("second {} of Unix time", u64::MAX));
    }
}
