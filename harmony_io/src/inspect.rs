//! Looking at what surrounds a program: who owns a path, who holds a lock, whether a process runs. Read-only.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, Uid, access};

use crate::error::IoResult;
use crate::faults::{Io, Operation};
use crate::files::{Entry, EntryKind};
use crate::process::ProcessId;

/// How a file or directory stands to this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether it is a directory.
    pub is_directory: bool,
    /// The number of its owner.
    pub owner: u32,
    /// Whether that is the user of this process.
    pub is_own: bool,
    /// Who may do what: the lowest nine bits of its mode.
    pub permissions: u32,
    /// Whether this process may write into it.
    pub is_writable: bool,
    /// When its contents last changed.
    pub changed: SystemTime,
    /// How much more its file system takes, in bytes.
    pub free: u64,
}

impl Io {
    /// How what stands at a path, or what a link there leads to, stands to this process; `None` if nothing does.
    ///
    /// # Errors
    /// [`IoError`](crate::IoError) if the directory above cannot be searched.
    pub fn find_status(&self, path: &Path) -> IoResult<Option<Status>> {
        self.run(Operation::Read, &path.display().to_string(), || {
            let metadata = match fs::metadata(path) {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            let volume = statvfs(path)?;
            Ok(Some(Status {
                is_directory: metadata.is_dir(),
                owner: metadata.uid(),
                is_own: metadata.uid() == Uid::effective().as_raw(),
                permissions: metadata.mode() & 0o777,
                is_writable: access(path, AccessFlags::W_OK).is_ok(),
                changed: metadata.modified()?,
                free: volume.blocks_available().saturating_mul(volume.fragment_size()),
            }))
        })
    }

    /// The process that holds the lock at `path` ([`Io::lock`]), without touching it; `None` if nobody does, or if it is not to be seen
    /// from here.
    ///
    /// # Errors
    /// [`IoError`](crate::IoError) if the path or `/proc/locks` cannot be read.
    pub fn find_lock_holder(&self, path: &Path) -> IoResult<Option<ProcessId>> {
        let Some(entry) = self.find_entry(path)? else { return Ok(None) };
        for _ in 0..LOOKS {
            let locks = self.run(Operation::Read, LOCKS, read_locks)?;
            if let Some(holder) = holder_of(&locks, entry.number) {
                return Ok(Some(holder));
            }
        }
        Ok(None)
    }

    /// What killed processes had begun to write in a directory and those below it, sorted.
    ///
    /// # Errors
    /// [`IoError`](crate::IoError) if one of them cannot be listed.
    pub fn list_abandoned(&self, directory: &Path) -> IoResult<Vec<Entry>> {
        let mut found = Vec::new();
        let mut directories = vec![directory.to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in self.list_directory(&directory)? {
                match entry.kind {
                    EntryKind::Directory => directories.push(entry.path),
                    _ if self.is_abandoned(&entry) => found.push(entry),
                    _ => {}
                }
            }
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }
}

const LOCKS: &str = "/proc/locks";
/// The kernel's list of locks may lack a line if others take or free locks between two reads of it.
const LOOKS: usize = 3;

/// The kernel's list of locks, in as few reads as it allows.
fn read_locks() -> std::io::Result<String> {
    let mut file = fs::File::open(LOCKS)?;
    let (mut all, mut part) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut part)? {
            0 => return Ok(String::from_utf8_lossy(&all).into_owned()),
            length => all.extend_from_slice(&part[..length]),
        }
    }
}

/// The holder of the lock on the file with this number (proc_locks(5)): `1: FLOCK  ADVISORY  WRITE 18234 fe:00:7077969 0 EOF`. Who waits for a
/// lock has `->` in his line.
fn holder_of(locks: &str, file: u64) -> Option<ProcessId> {
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, process, of, ..] = words[..] else { return None };
        let number: u64 = of.rsplit(':').next()?.parse().ok()?;
        let process: u32 = process.parse().ok()?;
        (number == file && process > 0).then_some(ProcessId(process))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_found_by_the_number_of_its_file() {
        let locks = "1: POSIX  ADVISORY  WRITE 7 fe:00:42 0 EOF\n2: FLOCK  ADVISORY  WRITE 0 fe:00:43 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 18234 fe:00:42 0 EOF\n3: -> FLOCK  ADVISORY  WRITE 9 fe:00:42 0 EOF\n";
        assert_eq!(holder_of(locks, 42), Some(ProcessId(18234)));
        assert_eq!(holder_of(locks, 43), None, "it is not to be seen from here");
        assert_eq!(holder_of(locks, 44), None);
    }
}
