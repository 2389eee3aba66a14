//! Files and directories: a write is whole or not there, and it is on the disk before it is named.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;

use crate::error::{IoError, IoResult};
use crate::faults::{Io, Operation};
use crate::temporary::temporary_beside;

/// Who may read a file or enter a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Only the owner: 0600 for a file, 0700 for a directory.
    Private,
    /// Everybody may read: 0644 for a file, 0755 for a directory.
    Readable,
    /// Everybody may execute, the owner may write: 0755.
    Executable,
}

impl Mode {
    fn file_bits(self) -> u32 {
        match self {
            Self::Private => 0o600,
            Self::Readable => 0o644,
            Self::Executable => 0o755,
        }
    }

    fn directory_bits(self) -> u32 {
        match self {
            Self::Private => 0o700,
            Self::Readable | Self::Executable => 0o755,
        }
    }

    fn of_file(bits: u32) -> Option<Self> {
        [Self::Private, Self::Readable, Self::Executable].into_iter().find(|mode| mode.file_bits() == bits & 0o777)
    }
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants say it")]
pub enum EntryKind {
    File,
    Directory,
    Other,
}

/// What a directory or a look at a path tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The whole path.
    pub path: PathBuf,
    /// File, directory, or neither (a link is neither).
    pub kind: EntryKind,
    /// The mode, if it is one of ours.
    pub mode: Option<Mode>,
    /// Length in bytes.
    pub length: u64,
    /// What the file system knows it by: another one at the same path has another number.
    pub number: u64,
}

impl Io {
    /// The contents of a file; `None` if nothing is there.
    ///
    /// # Errors
    /// [`IoError`] if something is there that cannot be read.
    pub fn find_file(&self, path: &Path) -> IoResult<Option<Vec<u8>>> {
        self.run(Operation::Read, &name(path), || absent_is_none(fs::read(path)))
    }

    /// The first bytes of a file, `limit` at most; `None` if nothing is there. For `/proc` and other files that say no length.
    ///
    /// # Errors
    /// [`IoError`] if something is there that cannot be read.
    pub fn find_start_of_file(&self, path: &Path, limit: u64) -> IoResult<Option<Vec<u8>>> {
        self.run(Operation::Read, &name(path), || {
            let mut start = Vec::new();
            match File::open(path) {
                Ok(file) => file.take(limit).read_to_end(&mut start).map(|_| Some(start)),
                Err(error) => absent_is_none(Err(error)),
            }
        })
    }

    /// What stands at a path, without following a link; `None` if nothing does.
    ///
    /// # Errors
    /// [`IoError`] if the directory above cannot be searched.
    pub fn find_entry(&self, path: &Path) -> IoResult<Option<Entry>> {
        let found = self.run(Operation::Read, &name(path), || absent_is_none(fs::symlink_metadata(path)))?;
        Ok(found.map(|metadata| entry(path.to_owned(), &metadata)))
    }

    /// Everything in a directory, sorted by path; empty if the directory is not there.
    ///
    /// # Errors
    /// [`IoError`] if it cannot be listed.
    pub fn list_directory(&self, path: &Path) -> IoResult<Vec<Entry>> {
        self.run(Operation::List, &name(path), || {
            let Some(listing) = absent_is_none(fs::read_dir(path))? else { return Ok(Vec::new()) };
            let mut entries = Vec::new();
            for found in listing {
                let found = found?;
                if let Some(metadata) = absent_is_none(found.metadata())? {
                    entries.push(entry(found.path(), &metadata));
                }
            }
            entries.sort_by(|a, b| a.path.cmp(&b.path));
            Ok(entries)
        })
    }

    /// Makes `path` hold exactly `contents` with `mode`: written beside it, synced, renamed over it, and the rename synced.
    /// What a killed process had begun to write there goes.
    ///
    /// # Errors
    /// [`IoError`] for the first primitive that failed; what stood at `path` before still stands there, or the new contents do.
    pub fn write_file(&self, path: &Path, contents: &[u8], mode: Mode) -> IoResult<()> {
        self.ensure_nothing_left_beside(path)?;
        let beside = temporary_beside(path);
        let written = self.write_beside(&beside, contents, mode).and_then(|()| {
            self.run(Operation::Rename, &name(path), || fs::rename(&beside, path))?;
            self.sync_directory_of(path)
        });
        if written.is_err() {
            // Best effort: the rename may already have taken it away, and the first error is the one to report.
            let _ = fs::remove_file(&beside);
        }
        written
    }

    /// Makes a file with exactly `contents`, which was not there: `false` if something already stands at `path`. Of several that try at the
    /// same time one wins; the file is never seen half written.
    ///
    /// # Errors
    /// [`IoError`] for the first primitive that failed; the file may be there then, whole.
    pub fn create_file(&self, path: &Path, contents: &[u8], mode: Mode) -> IoResult<bool> {
        let beside = temporary_beside(path);
        let made = self.write_beside(&beside, contents, mode).and_then(|()| {
            // A rename would replace what another has made meanwhile; a second name for the file is refused then.
            let made = self.run(Operation::Rename, &name(path), || exists_is_false(fs::hard_link(&beside, path)))?;
            self.sync_directory_of(path)?;
            Ok(made)
        });
        // Best effort, in either case: what is left is recognised as abandoned once this process is no more.
        let _ = fs::remove_file(&beside);
        made
    }

    /// Appends `line` and a line end to the file and syncs it; the file is made, private, if it is not there.
    ///
    /// # Errors
    /// [`IoError`] for the first primitive that failed; a part of the line may then stand at the end.
    pub fn append_line(&self, path: &Path, line: &[u8]) -> IoResult<()> {
        let target = name(path);
        let mut file = self.run(Operation::Create, &target, || {
            OpenOptions::new().append(true).create(true).mode(Mode::Private.file_bits()).open(path)
        })?;
        self.run(Operation::Write, &target, || file.write_all(&[line, b"\n"].concat()))?;
        self.run(Operation::Sync, &target, || file.sync_data())
    }

    /// Makes a directory and those above it, with `mode` for the ones it makes; it may be there already.
    ///
    /// # Errors
    /// [`IoError`] if one of them cannot be made, or something else stands there.
    pub fn ensure_directory(&self, path: &Path, mode: Mode) -> IoResult<()> {
        if path.is_dir() {
            return Ok(());
        }
        self.run(Operation::CreateDirectory, &name(path), || {
            fs::DirBuilder::new().recursive(true).mode(mode.directory_bits()).create(path)
        })
    }

    /// Removes a file; it may be gone already. What a killed process had begun to write in its place goes too.
    ///
    /// # Errors
    /// [`IoError`] if it is there and cannot be removed.
    pub fn ensure_no_file(&self, path: &Path) -> IoResult<()> {
        self.ensure_nothing_left_beside(path)?;
        self.run(Operation::Unlink, &name(path), || absent_is_none(fs::remove_file(path)))?;
        Ok(())
    }

    /// Whether something can listen on this address now.
    ///
    /// # Errors
    /// [`IoError`] if the address is not one of this machine, or may not be listened on.
    pub fn is_address_free(&self, address: std::net::SocketAddr) -> IoResult<bool> {
        self.run(Operation::Read, &address.to_string(), || match std::net::TcpListener::bind(address) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(false),
            Err(error) => Err(error),
        })
    }

    /// How many bytes can still be written to the file system that holds `path`, without privileges; `None` if nothing stands there.
    ///
    /// # Errors
    /// [`IoError`] if the file system does not say.
    pub fn find_free_space(&self, path: &Path) -> IoResult<Option<u64>> {
        self.run(Operation::Read, &name(path), || {
            let told = absent_is_none(statvfs(path).map_err(io::Error::from))?;
            Ok(told.map(|told| told.blocks_available().saturating_mul(told.fragment_size())))
        })
    }

    /// Removes an empty directory; it may be gone already. What a killed process had begun to write into it goes with it.
    ///
    /// # Errors
    /// [`IoError`] if it is there and not empty, or cannot be removed.
    pub fn ensure_no_directory(&self, path: &Path) -> IoResult<()> {
        for entry in self.list_directory(path)?.iter().filter(|entry| self.is_abandoned(entry)) {
            self.ensure_no_file(&entry.path)?;
        }
        self.run(Operation::RemoveDirectory, &name(path), || absent_is_none(fs::remove_dir(path)))?;
        Ok(())
    }

    /// Removes a directory with all that is in it; it may be gone already. Only for directories of which everything is ours.
    ///
    /// # Errors
    /// [`IoError`] if something in it cannot be removed.
    pub fn ensure_no_tree(&self, path: &Path) -> IoResult<()> {
        self.run(Operation::RemoveDirectory, &name(path), || absent_is_none(fs::remove_dir_all(path)))?;
        Ok(())
    }

    /// Gives a file the mode it should have.
    ///
    /// # Errors
    /// [`IoError`] if the file is not there or not ours.
    pub fn set_mode(&self, path: &Path, mode: Mode) -> IoResult<()> {
        self.run(Operation::Write, &name(path), || fs::set_permissions(path, fs::Permissions::from_mode(mode.file_bits())))
    }

    fn write_beside(&self, beside: &Path, contents: &[u8], mode: Mode) -> IoResult<()> {
        let target = name(beside);
        let mut file = self.run(Operation::Create, &target, || {
            OpenOptions::new().write(true).create_new(true).mode(mode.file_bits()).open(beside)
        })?;
        self.run(Operation::Write, &target, || {
            // The mode given at creation is cut by the umask, so it is set again.
            file.set_permissions(fs::Permissions::from_mode(mode.file_bits()))?;
            file.write_all(contents)
        })?;
        self.run(Operation::Sync, &target, || file.sync_all())
    }

    fn sync_directory_of(&self, path: &Path) -> IoResult<()> {
        let directory = path.parent().unwrap_or(Path::new("/"));
        self.run(Operation::Sync, &name(directory), || File::open(directory)?.sync_all())
    }
}

impl IoError {
    /// Whether the directory that should go still holds something.
    #[must_use]
    pub fn is_not_empty(&self) -> bool {
        self.source.kind() == io::ErrorKind::DirectoryNotEmpty
    }
}

pub(crate) fn name(path: &Path) -> String {
    path.display().to_string()
}

fn exists_is_false(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn entry(path: PathBuf, metadata: &fs::Metadata) -> Entry {
    let kind = if metadata.is_file() {
        EntryKind::File
    } else if metadata.is_dir() {
        EntryKind::Directory
    } else {
        EntryKind::Other
    };
    Entry { path, kind, mode: Mode::of_file(metadata.mode()), length: metadata.len(), number: metadata.ino() }
}
