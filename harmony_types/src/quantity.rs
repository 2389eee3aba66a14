//! Quantities whose unit lives in the type.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use crate::text::serialize_as_text;

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}: write {example}")]
pub struct QuantityError {
    /// What was given.
    pub text: String,
    /// What it should have been, with its article.
    pub what: &'static str,
    /// What a right one looks like.
    pub example: &'static str,
}

/// A number of bytes, 0 to 2^63 - 1 (NATS counts sizes in signed 64 bits). Written with a binary unit where that is exact: `"1GiB"`, `"1500B"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

const BYTE_UNITS: [(&str, u64); 5] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
const LARGEST: u64 = i64::MAX as u64;

impl ByteSize {
    /// So many bytes; more than 2^63 - 1 are 2^63 - 1.
    #[must_use]
    pub const fn bytes(count: u64) -> Self {
        Self(if count > LARGEST { LARGEST } else { count })
    }

    /// So many times 1024 bytes.
    #[must_use]
    pub const fn kib(count: u64) -> Self {
        Self::bytes(count.saturating_mul(1 << 10))
    }

    /// So many times 1024^2 bytes.
    #[must_use]
    pub const fn mib(count: u64) -> Self {
        Self::bytes(count.saturating_mul(1 << 20))
    }

    /// So many times 1024^3 bytes.
    #[must_use]
    pub const fn gib(count: u64) -> Self {
        Self::bytes(count.saturating_mul(1 << 30))
    }

    /// The count in bytes.
    #[must_use]
    pub const fn as_bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) =
            BYTE_UNITS.into_iter().find(|(_, size)| self.0 >= *size && self.0.is_multiple_of(*size)).unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / size)
    }
}

impl FromStr for ByteSize {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let refuse = || QuantityError {
            text: text.to_owned(),
            what: "a size",
            example: "a whole number and a unit, as in `512MiB` or `1500B`",
        };
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        let (_, size) = BYTE_UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(refuse)?;
        let count = number.parse::<u64>().ok().and_then(|n| n.checked_mul(size)).filter(|n| *n <= LARGEST);
        count.map(Self).ok_or_else(refuse)
    }
}

serialize_as_text!(ByteSize, "a whole number of B, KiB, MiB, GiB or TiB");

/// A span of time in whole milliseconds, up to 290 years (NATS counts in signed 64-bit nanoseconds). Written as `"1h30m"`, `"2s"`, `"250ms"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeSpan(u64);

const TIME_UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
const LONGEST: u64 = i64::MAX as u64 / 1_000_000;

impl TimeSpan {
    /// So many milliseconds.
    #[must_use]
    pub const fn milliseconds(count: u64) -> Self {
        Self(if count > LONGEST { LONGEST } else { count })
    }

    /// So many seconds.
    #[must_use]
    pub const fn seconds(count: u64) -> Self {
        Self::milliseconds(count.saturating_mul(1_000))
    }

    /// So many minutes.
    #[must_use]
    pub const fn minutes(count: u64) -> Self {
        Self::seconds(count.saturating_mul(60))
    }

    /// So many hours.
    #[must_use]
    pub const fn hours(count: u64) -> Self {
        Self::minutes(count.saturating_mul(60))
    }

    /// The same span for the standard library.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (unit, size) in TIME_UNITS {
            if rest >= size {
                write!(f, "{}{unit}", rest / size)?;
                rest %= size;
            }
        }
        Ok(())
    }
}

impl FromStr for TimeSpan {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        parse_span(text).map(Self).ok_or_else(|| QuantityError {
            text: text.to_owned(),
            what: "a span of time",
            example: "whole numbers with h, m, s or ms, as in `1h30m` or `250ms`",
        })
    }
}

fn parse_span(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    let mut smallest = u64::MAX;
    while !rest.is_empty() {
        let (number, behind) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let end = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, after) = behind.split_at(end);
        let (_, size) = TIME_UNITS.into_iter().find(|(name, _)| *name == unit)?;
        if size >= smallest {
            return None;
        }
        smallest = size;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(size)?)?;
        rest = after;
    }
    (!text.is_empty() && total <= LONGEST).then_some(total)
}

serialize_as_text!(TimeSpan, "whole numbers with h, m, s or ms, largest unit first");

/// An amount of computing, in thousandths of one processor, 1 to 2^32 - 1. Written as Kubernetes writes it: `"500m"`, `"2"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cpus(NonZeroU32);

impl Cpus {
    /// So many thousandths of a processor; none is one.
    #[must_use]
    pub const fn thousandths(count: u32) -> Self {
        match NonZeroU32::new(count) {
            Some(count) => Self(count),
            None => Self(NonZeroU32::MIN),
        }
    }

    /// So many processors; none is a thousandth of one.
    #[must_use]
    pub const fn whole(count: u32) -> Self {
        Self::thousandths(count.saturating_mul(1000))
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.get() {
            count if count.is_multiple_of(1000) => write!(f, "{}", count / 1000),
            count => write!(f, "{count}m"),
        }
    }
}

impl FromStr for Cpus {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let thousandths = match text.strip_suffix('m') {
            Some(number) => whole_number(number),
            None => whole_number(text).and_then(|count| count.checked_mul(1000)),
        };
        thousandths.and_then(NonZeroU32::new).map(Self).ok_or_else(|| QuantityError {
            text: text.to_owned(),
            what: "an amount of processors",
            example: "a whole number of processors or of thousandths, as in `2` or `500m`",
        })
    }
}

/// Digits alone: `parse` would take a sign too.
fn whole_number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

serialize_as_text!(Cpus, "a whole number of processors, or of thousandths of one with `m`");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_of_processors_reads_back_what_it_writes() {
        for (cpus, text) in [(Cpus::thousandths(500), "500m"), (Cpus::whole(2), "2"), (Cpus::thousandths(1500), "1500m")] {
            assert_eq!(cpus.to_string(), text);
            assert_eq!(text.parse::<Cpus>().unwrap(), cpus);
        }
        assert_eq!("2000m".parse::<Cpus>().unwrap(), Cpus::whole(2));
        for bad in ["", "m", "0", "0m", "-1", "+1", "1.5", "2k", "99999999999"] {
            assert!(bad.parse::<Cpus>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_size_reads_back_what_it_writes() {
        for (size, text) in [
            (ByteSize::gib(1), "1GiB"),
            (ByteSize::bytes(1500), "1500B"),
            (ByteSize::bytes(0), "0B"),
            (ByteSize::kib(1536), "1536KiB"),
        ] {
            assert_eq!(size.to_string(), text);
            assert_eq!(text.parse::<ByteSize>().unwrap(), size);
        }
    }

    #[test]
    fn a_size_without_its_unit_or_too_large_is_refused() {
        for bad in ["", "1", "GiB", "-1B", "1.5GiB", "1GB", "9007199254740993TiB"] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_span_reads_back_what_it_writes() {
        for (span, text) in [
            (TimeSpan::minutes(90), "1h30m"),
            (TimeSpan::seconds(2), "2s"),
            (TimeSpan::milliseconds(250), "250ms"),
            (TimeSpan::milliseconds(61_001), "1m1s1ms"),
            (TimeSpan::seconds(0), "0s"),
        ] {
            assert_eq!(span.to_string(), text);
            assert_eq!(text.parse::<TimeSpan>().unwrap(), span);
        }
        for bad in ["", "2", "s", "1s1h", "1s1s", "1d", "-1s", "99999999999h"] {
            assert!(bad.parse::<TimeSpan>().is_err(), "{bad}");
        }
    }
}
