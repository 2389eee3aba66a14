//! A plan in a file: shown anywhere, carried out exactly as it is or not at all.
//!
//! The first line is a header with the format's number and the digest of the second line, which is everything else as JSON. It holds what
//! [`Plan`] holds, and marks by which it is noticed that something has moved since, hidden values included; no secret, and nothing by
//! which one could be guessed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use harmony_io::{Io, IoError, Mode};
use harmony_types::Digest;
use serde::{Deserialize, Serialize};

use super::home::Home;
use super::items::{Item, ItemKind, Items};
pub use super::moved::Moved;
use super::plan::{Allowances, Plan};
use super::scope::Targets;
use super::witness::{Mark, Marks, Witness};
use crate::address::Address;

/// The version of the format that this program writes and reads. A newer one is refused.
pub const FORMAT: u32 = 1;

/// A plan and what it is bound to: the program, the site, the Ledger's state, the Scores, and everything that was seen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedPlan {
    /// The site program's name.
    pub program: String,
    /// Where the site is at home, if its place is bound to a machine.
    pub home: Option<Home>,
    /// The Ledger's identity; none if nothing had been made yet.
    pub ledger: Option<String>,
    /// What it is limited to.
    #[serde(default, skip_serializing_if = "Targets::is_everything")]
    pub targets: Targets,
    /// What was allowed when it was made.
    pub allowances: Allowances,
    /// What would happen.
    pub plan: Plan,
    /// Under which key the marks were made.
    pub(super) key: Mark,
    pub(super) things: Vec<Marked>,
}

/// A thing or proof of the plan as it was wanted and seen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Marked {
    pub(super) address: Address,
    pub(super) kind: String,
    pub(super) label: String,
    /// What the program says of it; of what only the Ledger knows, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) wish: Option<Mark>,
    #[serde(default, skip_serializing_if = "Marks::is_empty")]
    pub(super) seen: Marks,
}

#[derive(Serialize, Deserialize)]
struct Header {
    saved_plan: u32,
    digest: Digest,
}

/// Why a file cannot be used as a saved plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SavedPlanError {
    /// Nothing is there.
    #[error("there is no saved plan `{path}`")]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// It is something else.
    #[error("`{path}` is not a saved plan")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error("the saved plan `{path}` has format {found}, this program reads up to {FORMAT}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// It is not as it was written.
    #[error("the saved plan `{path}` is damaged: it is not as it was written")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Its file could not be used.
    #[error(transparent)]
    Io(#[from] IoError),
}

impl SavedPlanError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Absent { .. } | Self::Foreign { .. } => Some("make one with `plan --out FILE`".to_owned()),
            Self::Newer { .. } => Some("use the newer site program that wrote it, or plan again".to_owned()),
            Self::Damaged { .. } => Some("plan again".to_owned()),
            Self::Io(error) => error.hint().map(str::to_owned),
        }
    }
}

/// Why a saved plan is not carried out. Nothing has been changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanRefusal {
    /// It is the plan of another program.
    #[error("the plan is one of the program `{planned}`, and this is `{here}`")]
    Program {
        /// The name of the one.
        planned: String,
        /// The name of the other.
        here: String,
    },
    /// It is the plan of another site.
    #[error("the plan is one for {planned}, and this is {here}")]
    Site {
        /// Where it was made.
        planned: String,
        /// Where it should be carried out.
        here: String,
    },
    /// Another run has changed something, or the Ledger is another one.
    #[error("the plan stands on {planned}, and this is {here}")]
    Ledger {
        /// The Ledger then.
        planned: String,
        /// The Ledger now.
        here: String,
    },
    /// The key under which things were marked is not the one of this state directory, so that nothing can be compared.
    #[error("the plan was made with another state directory than `{here}`, or its key `plan-key` was replaced")]
    Key {
        /// The state directory.
        here: PathBuf,
    },
    /// Something is not as it was planned.
    #[error("the plan no longer holds: {} not as planned", counted(moved.len()))]
    Moved {
        /// What, and in what.
        moved: Vec<Moved>,
    },
}

impl PlanRefusal {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Program { .. } | Self::Site { .. } => "carry it out where it was made, or plan again here".to_owned(),
            Self::Ledger { .. } | Self::Key { .. } => "plan again, and look at what it says now".to_owned(),
            Self::Moved { .. } => "nothing has been changed; plan again, and look at what it says now".to_owned(),
        })
    }

    /// What is not as it was planned, one by one.
    #[must_use]
    pub fn moved(&self) -> &[Moved] {
        if let Self::Moved { moved } = self { moved } else { &[] }
    }
}

impl SavedPlan {
    /// Writes it to `path`, readable by its owner alone.
    ///
    /// # Errors
    /// [`SavedPlanError::Io`]; what stood there before still does.
    pub fn save(&self, io: &Io, path: &Path) -> Result<(), SavedPlanError> {
        let unwritable = |_| SavedPlanError::Damaged { path: path.to_owned() };
        let body = serde_json::to_vec(self).map_err(unwritable)?;
        let header = Header { saved_plan: FORMAT, digest: Digest::of(&body) };
        let header = serde_json::to_vec(&header).map_err(unwritable)?;
        Ok(io.write_file(path, &[header.as_slice(), b"\n", &body, b"\n"].concat(), Mode::Private)?)
    }

    /// Reads the one at `path`. Needs nothing of the program or site that wrote it.
    ///
    /// # Errors
    /// [`SavedPlanError`] if there is none, or it is damaged, or of a newer format.
    pub fn load(io: &Io, path: &Path) -> Result<Self, SavedPlanError> {
        #[derive(Deserialize)]
        struct Version {
            saved_plan: u32,
        }
        let (path, foreign) = (path.to_owned(), SavedPlanError::Foreign { path: path.to_owned() });
        let Some(bytes) = io.find_file(&path)? else { return Err(SavedPlanError::Absent { path }) };
        let (head, body) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len()));
        let Ok(Version { saved_plan: found }) = serde_json::from_slice(head) else { return Err(foreign) };
        if found > FORMAT {
            return Err(SavedPlanError::Newer { path, found });
        }
        let body = body.strip_prefix(b"\n").and_then(|body| body.strip_suffix(b"\n")).unwrap_or_default();
        let whole = serde_json::from_slice::<Header>(head).is_ok_and(|header| header.digest == Digest::of(body));
        let read = if whole { serde_json::from_slice(body).ok() } else { None };
        read.ok_or(SavedPlanError::Damaged { path })
    }
}

/// Every item as it is wanted (`wishes`, by address) and was seen.
pub(super) fn marked(items: &Items, wishes: &BTreeMap<Address, Mark>, witness: &Witness) -> Vec<Marked> {
    let mark = |item: &Item| Marked {
        address: item.address.clone(),
        kind: item.kind().to_owned(),
        label: item.label(),
        wish: wishes.get(&item.address).filter(|_| !matches!(item.what, ItemKind::Unwanted { .. })).cloned(),
        seen: witness.seen(item),
    };
    items.items.iter().map(mark).collect()
}

fn counted(things: usize) -> String {
    if things == 1 { "1 thing is".to_owned() } else { format!("{things} things are") }
}
