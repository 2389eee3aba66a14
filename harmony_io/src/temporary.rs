//! What is written beside a file before it takes its place, and what of it killed processes have left behind.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::error::IoResult;
use crate::faults::{Io, Operation};
use crate::files::{Entry, EntryKind, name};
use crate::process::{ProcessId, StartTime, start_time};

static NUMBER: AtomicU64 = AtomicU64::new(0);
static OWN_START: OnceLock<u64> = OnceLock::new();

/// What was left behind in each directory when it was first used, as far as it is still there.
#[derive(Default)]
pub(crate) struct LeftBehind(Mutex<HashMap<PathBuf, Vec<PathBuf>>>);

impl LeftBehind {
    /// What is left of `directory`; `list` is asked the first time.
    fn in_directory(&self, directory: &Path, list: impl FnOnce() -> Vec<PathBuf>) -> Vec<PathBuf> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(directory.to_owned()).or_insert_with(list).clone()
    }

    fn forget(&self, directory: &Path, path: &Path) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = seen.get_mut(directory) {
            left.retain(|other| other != path);
        }
    }
}

/// The file to be written in place of `path`: its name tells who writes it.
pub(crate) fn temporary_beside(path: &Path) -> PathBuf {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let (process, started, host) = (std::process::id(), OWN_START.get_or_init(own_start), own_host());
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{process}-{started}-{host}-{number}.tmp"));
    beside.into()
}

impl Io {
    /// Removes what killed processes had begun to write in place of `path`. The directory is listed once in the life of this [`Io`], so
    /// that writing many files into one stays linear.
    ///
    /// # Errors
    /// [`IoError`](crate::IoError) if something that was left cannot be removed.
    pub(crate) fn ensure_nothing_left_beside(&self, path: &Path) -> IoResult<()> {
        let (Some(directory), Some(file)) = (path.parent(), path.file_name()) else { return Ok(()) };
        let list = || {
            // A directory that may be used but not listed is no reason not to write into it.
            let entries = self.list_directory(directory).unwrap_or_default();
            entries.into_iter().filter(|entry| self.is_abandoned(entry)).map(|entry| entry.path).collect()
        };
        for left in self.left_behind().in_directory(directory, list) {
            if written_in_place_of(&left).is_some_and(|target| target == file.to_string_lossy()) {
                self.run(Operation::Unlink, &name(&left), || std::fs::remove_file(&left).or_else(ignore_absent))?;
                self.left_behind().forget(directory, &left);
            }
        }
        Ok(())
    }

    /// Whether it is a file that [`temporary_beside`] named for a process which is no more.
    pub(crate) fn is_abandoned(&self, entry: &Entry) -> bool {
        let Some(Writer { process, life, .. }) = writer(&entry.path) else { return false };
        // Of the processes of another machine that shares the directory nothing is known here.
        let is_of_this_machine = life.is_none_or(|(_, host)| host == own_host());
        let is_gone = || match (self.find_process(process), life) {
            (Ok(None), _) => true,
            (Ok(Some(now)), Some((started, _))) => now != started,
            _ => false,
        };
        entry.kind == EntryKind::File && is_of_this_machine && is_gone()
    }
}

/// Read without a point, once in the life of the process: numbers of points must not depend on what came first.
fn own_start() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    start_time(&stat).map_or(0, |StartTime(started)| started)
}

/// A number that tells this machine from others by its name (FNV-1a).
fn own_host() -> u32 {
    let name = nix::unistd::gethostname().unwrap_or_default();
    name.as_encoded_bytes().iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

fn written_in_place_of(path: &Path) -> Option<String> {
    writer(path).map(|writer| writer.target)
}

/// What the name of a temporary file says.
struct Writer {
    target: String,
    process: ProcessId,
    /// When the process started, and on which machine; files of the first versions do not say it.
    life: Option<(StartTime, u32)>,
}

/// What the name says, if it is one that [`temporary_beside`] gives.
fn writer(path: &Path) -> Option<Writer> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let (target, writer) = name.strip_suffix(".tmp")?.rsplit_once('.')?;
    let numbers: Vec<u64> = writer.split('-').map(|number| number.parse().ok()).collect::<Option<_>>()?;
    let (process, life) = match numbers[..] {
        [process, _] => (process, None),
        [process, started, host, _] => (process, Some((StartTime(started), u32::try_from(host).ok()?))),
        _ => return None,
    };
    Some(Writer { target: target.to_owned(), process: ProcessId(u32::try_from(process).ok()?), life })
}

fn ignore_absent(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::files::Mode;

    /// No process has a number this high: Linux stops at 2^22.
    fn dead() -> String {
        format!("4194999-5-{}-7.tmp", own_host())
    }

    fn place(name: &str) -> PathBuf {
        let place = std::env::temp_dir().join(format!("harmony-io-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir(&place).unwrap();
        place
    }

    #[test]
    fn what_a_killed_process_began_to_write_goes_with_its_directory_and_nothing_else_does() {
        let io = Io::real();
        let place = place("abandoned");
        let abandoned = place.join(format!("key.pem.{}", dead()));
        let living = temporary_beside(&place.join("key.pem"));
        let reborn = place.join(format!("key.pem.{}-1-{}-7.tmp", std::process::id(), own_host()));
        for (path, text) in [(&abandoned, "half"), (&living, "half"), (&reborn, "half"), (&place.join("notes.tmp"), "of others")]
        {
            fs::write(path, text).unwrap();
        }
        assert!(io.ensure_no_directory(&place).unwrap_err().is_not_empty());
        let left: Vec<PathBuf> = io.list_directory(&place).unwrap().into_iter().map(|entry| entry.path).collect();
        assert_eq!(left, [living, place.join("notes.tmp")]);

        io.ensure_no_tree(&place).unwrap();
        fs::create_dir(&place).unwrap();
        fs::write(&abandoned, "half").unwrap();
        io.ensure_no_directory(&place).unwrap();
        assert!(!place.exists());
    }

    #[test]
    fn what_a_killed_process_began_to_write_goes_when_the_file_is_written_or_removed() {
        let place = place("left");
        let path = place.join("key.pem");
        let others =
            [format!("other.pem.{}", dead()), "key.pem.4194999-5-7.tmp".to_owned(), "key.pem.4194999-5-1-7.tmp".to_owned()];
        let left = place.join(format!("key.pem.{}", dead()));
        others.iter().for_each(|other| fs::write(place.join(other), "of others").unwrap());

        fs::write(&left, "half").unwrap();
        Io::real().write_file(&path, b"whole", Mode::Private).unwrap();
        assert!(!left.exists() && path.exists());

        fs::write(&left, "half").unwrap();
        Io::real().ensure_no_file(&path).unwrap();
        assert!(!left.exists() && !path.exists());
        others.iter().for_each(|other| assert!(place.join(other).exists(), "{other}"));
        Io::real().ensure_no_tree(&place).unwrap();
    }
}
