//! A lease in a directory that several machines share.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use harmony_io::{Entry, Io, Mode};

use super::record::{LeaseRecord, Stored, Version};
use super::store::LeaseStore;
use crate::provider::{Failure, ProviderError};

/// A lease in a directory of its own, on a file system that all machines share and that knows hard links.
///
/// Each state of the record is a file named by its number, which is made only if no file has that name: of several who would follow the same
/// state one wins. There is no lock in it, so that a process that is stopped in the middle holds up nobody. The last state stays when
/// nobody holds the lease: the fencing number must not begin again.
#[derive(Debug, Clone)]
pub struct FileLeaseStore {
    io: Io,
    directory: PathBuf,
}

impl FileLeaseStore {
    /// The lease in `directory`, which is made when it is first written.
    #[must_use]
    pub fn new(io: Io, directory: impl Into<PathBuf>) -> Self {
        Self { io, directory: directory.into() }
    }

    /// The number of the newest state; 0 if there is none.
    fn newest(&self) -> Result<u64, ProviderError> {
        Ok(self.io.list_directory(&self.directory)?.iter().filter_map(number_of).max().unwrap_or(0))
    }

    fn path(&self, number: u64) -> PathBuf {
        self.directory.join(number.to_string())
    }

    fn drop_older_than(&self, number: u64) -> Result<(), ProviderError> {
        for entry in self.io.list_directory(&self.directory)? {
            if number_of(&entry).is_some_and(|older| older < number) {
                self.io.ensure_no_file(&entry.path)?;
            }
        }
        Ok(())
    }

    fn overtaken(&self) -> ProviderError {
        ProviderError::Conflict(Failure::new(format!("failed to write {}", self.name()), "it was written meanwhile"))
    }
}

#[async_trait]
impl LeaseStore for FileLeaseStore {
    fn name(&self) -> String {
        format!("the lease in `{}`", self.directory.display())
    }

    async fn find(&self) -> Result<Option<Stored>, ProviderError> {
        let mut number = self.newest()?;
        while number > 0 {
            if let Some(bytes) = self.io.find_file(&self.path(number))? {
                return Ok(Some(Stored { version: Version(number.to_string()), record: parse(&self.path(number), &bytes)? }));
            }
            // It was overtaken, and removed, between the two looks.
            number = self.newest()?;
        }
        Ok(None)
    }

    async fn swap(&self, expected: Option<&Version>, record: &LeaseRecord) -> Result<Version, ProviderError> {
        let before = match expected {
            None => 0,
            Some(version) => version.0.parse().map_err(|_| self.overtaken())?,
        };
        let text = serde_json::to_vec(record).map_err(|error| ProviderError::refused("failed to write the lease", error))?;
        self.io.ensure_directory(&self.directory, Mode::Private)?;
        let next: u64 = before + 1;
        // An old state may be gone, so that its name is free: then a newer one is there, now and ever after.
        if self.newest()? != before || !self.io.create_file(&self.path(next), &text, Mode::Private)? || self.newest()? != next {
            return Err(self.overtaken());
        }
        // What stays behind if this fails is older than the newest, and so never looked at.
        if let Err(error) = self.drop_older_than(next) {
            log::debug!(error:%; "old states of a lease were not removed");
        }
        Ok(Version(next.to_string()))
    }
}

fn number_of(entry: &Entry) -> Option<u64> {
    entry.path.file_name()?.to_str()?.parse().ok()
}

fn parse(path: &Path, bytes: &[u8]) -> Result<LeaseRecord, ProviderError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let failure = Failure::new(format!("the lease `{}` is damaged", path.display()), error);
        ProviderError::Refused(failure.with_hint("make sure that no run is going on, then remove the file"))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::lease::WallTime;

    fn record(number: u64) -> LeaseRecord {
        let duration = Duration::from_secs(30);
        LeaseRecord { holder: Some("a run".to_owned()), duration, number, taken: WallTime(1), renewed: WallTime(2) }
    }

    fn store() -> (FileLeaseStore, tempfile::TempDir) {
        let directory = tempfile::TempDir::new().unwrap();
        (FileLeaseStore::new(Io::real(), directory.path().join("lease")), directory)
    }

    #[tokio::test]
    async fn what_was_overtaken_long_ago_wins_nothing_though_its_name_is_free() {
        let (store, _directory) = store();
        let mut version = store.swap(None, &record(1)).await.unwrap();
        let old = version.clone();
        for number in 2..6 {
            version = store.swap(Some(&version), &record(number)).await.unwrap();
        }
        for stale in [None, Some(&old)] {
            assert!(matches!(store.swap(stale, &record(99)).await, Err(ProviderError::Conflict(_))));
        }
        assert_eq!(store.find().await.unwrap().unwrap(), Stored { version, record: record(5) });
        assert_eq!(std::fs::read_dir(&store.directory).unwrap().count(), 1, "older states are removed");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_those_who_swap_the_same_state_at_the_same_time_one_wins() {
        let (store, _directory) = store();
        let first = store.swap(None, &record(1)).await.unwrap();
        let tries: Vec<_> = (0..8)
            .map(|number| {
                let (store, first) = (store.clone(), first.clone());
                tokio::spawn(async move { store.swap(Some(&first), &record(100 + number)).await.ok() })
            })
            .collect();
        let mut won = Vec::new();
        for tried in tries {
            won.extend(tried.await.unwrap());
        }
        assert_eq!(won.len(), 1);
        assert_eq!(store.find().await.unwrap().unwrap().version, won[0]);
    }
}
