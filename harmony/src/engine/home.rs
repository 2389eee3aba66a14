//! Where a site program is at home: the machine, the directory of its state, and the checkout it was built from.
//!
//! A Ledger says what was made, not where it speaks of: copied to another machine, or used by a second checkout, it would have the one
//! take away what the other has made. So it says where it is at home, and elsewhere it is refused with both sides named.

use std::fmt;
use std::path::{Path, PathBuf};

use harmony_io::{Io, IoError};
use harmony_types::Digest;
use serde::{Deserialize, Serialize};

use super::checkout::find_checkout;

const MACHINE_ID: &str = "/etc/machine-id";
const HOST_NAME: &str = "/proc/sys/kernel/hostname";
/// The number of a machine is not to be told to others as it is (machine-id(5)), so its digest is taken with this in front.
const SALT: &str = "harmony machine ";
/// Neither of the two files is longer.
const LONGEST: u64 = 256;

/// Where a site program is at home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// A digest of the machine's number; none where the machine has no number, as in many containers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Digest>,
    /// What the machine calls itself: for people, it may change.
    pub host: String,
    /// The directory of the state. Absolute.
    pub directory: PathBuf,
    /// The directory of the workspace that the program was built from, or the program itself if it is in no build directory. Empty where that is
    /// not to be told.
    pub checkout: PathBuf,
}

/// What differs between two homes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elsewhere {
    /// They are on different machines.
    Machine,
    /// They are in different directories of one machine.
    Directory,
    /// The programs are of different checkouts.
    Checkout,
}

impl Home {
    /// The home of the program that runs, with its state in `directory`.
    ///
    /// # Errors
    /// [`IoError`] if the machine cannot be asked.
    pub(super) fn here(io: &Io, directory: &Path) -> Result<Self, IoError> {
        let read = |path: &str| io.find_start_of_file(Path::new(path), LONGEST);
        let text = |bytes: Option<Vec<u8>>| String::from_utf8_lossy(&bytes.unwrap_or_default()).trim().to_owned();
        let (number, host) = (text(read(MACHINE_ID)?), text(read(HOST_NAME)?));
        let machine = Some(number).filter(|number| !number.is_empty());
        Ok(Self {
            machine: machine.map(|number| Digest::of(format!("{SALT}{number}").as_bytes())),
            host,
            directory: directory.to_owned(),
            checkout: match std::env::current_exe() {
                Ok(program) => find_checkout(io, &program)?.unwrap_or_default(),
                Err(_) => PathBuf::new(),
            },
        })
    }

    /// In what `other` is elsewhere; `is_same_directory` tells of two paths whether they lead to one directory.
    pub(super) fn differs_from(&self, other: &Self, is_same_directory: impl Fn(&Path, &Path) -> bool) -> Option<Elsewhere> {
        let both_name_it = self.machine.is_some() && other.machine.is_some();
        let is_unknown = |home: &Self| home.checkout.as_os_str().is_empty();
        if both_name_it && self.machine != other.machine {
            Some(Elsewhere::Machine)
        } else if self.directory != other.directory && !is_same_directory(&self.directory, &other.directory) {
            Some(Elsewhere::Directory)
        } else if self.checkout != other.checkout && !is_unknown(self) && !is_unknown(other) {
            Some(Elsewhere::Checkout)
        } else {
            None
        }
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, directory, checkout, .. } = self;
        let host = if host.is_empty() { "this machine" } else { host };
        write!(f, "`{}` on {host}", directory.display())?;
        if checkout.as_os_str().is_empty() { Ok(()) } else { write!(f, ", program of `{}`", checkout.display()) }
    }
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Machine => "another machine",
            Self::Directory => "another directory",
            Self::Checkout => "another checkout",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(machine: Option<&str>, directory: &str, checkout: &str) -> Home {
        let machine = machine.map(|number| Digest::of(number.as_bytes()));
        Home { machine, host: "host".to_owned(), directory: directory.into(), checkout: checkout.into() }
    }

    #[test]
    fn a_home_is_told_apart_by_machine_directory_and_checkout() {
        let (one, unlike) = (home(Some("1"), "/state", "/site"), |_: &Path, _: &Path| false);
        assert_eq!(one.differs_from(&one, unlike), None);
        assert_eq!(one.differs_from(&home(Some("2"), "/state", "/site"), unlike), Some(Elsewhere::Machine));
        assert_eq!(one.differs_from(&home(Some("1"), "/copy", "/site"), unlike), Some(Elsewhere::Directory));
        assert_eq!(one.differs_from(&home(Some("1"), "/state", "/other"), unlike), Some(Elsewhere::Checkout));
    }

    #[test]
    fn what_is_not_known_and_a_directory_by_another_path_are_not_elsewhere() {
        let one = home(Some("1"), "/state", "/site");
        assert_eq!(one.differs_from(&home(None, "/state", "/site"), |_, _| false), None);
        assert_eq!(one.differs_from(&home(Some("1"), "/link/to/state", "/site"), |_, _| true), None);
        assert_eq!(one.differs_from(&home(Some("1"), "/state", ""), |_, _| false), None, "nobody can say of which checkout");
    }
}
