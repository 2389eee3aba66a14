//! Why Scores cannot become an arrangement.

use std::collections::BTreeSet;

use crate::address::{Address, AddressError};
use crate::origin::Origin;

/// Why Scores cannot become an arrangement. Nothing has been looked at or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArrangeError {
    /// A name cannot be part of an address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The place cannot do what is asked for.
    #[error("place `{place}` cannot {what}")]
    Unsupported {
        /// The place.
        place: String,
        /// What it was asked to do: a verb and its object.
        what: String,
        /// What to do instead.
        alternative: String,
    },
    /// What the Scores say together breaks a rule.
    #[error("{what}")]
    Refused {
        /// What is wrong, with kind, name and place.
        what: String,
        /// The lines that say it.
        said_at: Vec<Origin>,
        /// What to do about it.
        hint: String,
    },
    /// Two different things have one address.
    #[error("two things are called `{address}`: one of {first}, one of {second}")]
    DuplicateAddress {
        /// The address.
        address: Address,
        /// Who said it first.
        first: Origin,
        /// Who said it again.
        second: Origin,
    },
    /// Two resources are one thing of the world.
    #[error("`{first_address}` of {first} and `{second_address}` of {second} are both {kind} `{label}`")]
    DuplicateIdentity {
        /// The kind.
        kind: String,
        /// What the world calls it.
        label: String,
        /// One address.
        first_address: Address,
        /// Who said it.
        first: Origin,
        /// The other address.
        second_address: Address,
        /// Who said it.
        second: Origin,
    },
    /// Two places have one name.
    #[error("two places are called `{place}`: one of {first}, one of {second}")]
    DuplicatePlace {
        /// The name.
        place: String,
        /// Who used one of them first.
        first: Origin,
        /// Who used the other.
        second: Origin,
    },
    /// Something refers to what nobody arranges.
    #[error("`{address}` of {origin} refers to `{to}`, which nobody arranges")]
    DanglingReference {
        /// Who refers.
        address: Address,
        /// The Score that says so.
        origin: Origin,
        /// What is missing.
        to: Address,
    },
    /// Things wait for each other.
    #[error("these wait for each other: {}", cycle.iter().map(Address::as_str).collect::<Vec<_>>().join(" -> "))]
    Cycle {
        /// The addresses, the first one again at the end.
        cycle: Vec<Address>,
        /// The Scores that say them, each once.
        said_at: Vec<Origin>,
    },
    /// Several Scores speak of something that none of them declares.
    #[error("{origin} speaks of the {what} `{name}`, which no Score declares")]
    Undeclared {
        /// What it would be.
        what: &'static str,
        /// Its name.
        name: String,
        /// Who speaks of it.
        origin: Origin,
    },
    /// Two Scores declare one thing.
    #[error("the {what} `{name}` is declared twice: by {first} and by {second}")]
    DeclaredTwice {
        /// What it is.
        what: &'static str,
        /// Its name.
        name: String,
        /// Who declared it first.
        first: Origin,
        /// Who declared it again.
        second: Origin,
    },
    /// A spec cannot be written as JSON; only a hand-written `Serialize` can do this.
    #[error("the spec of `{address}` cannot be serialised")]
    Unserialisable {
        /// Whose spec.
        address: Address,
        /// The words of the serialiser.
        source: serde_json::Error,
    },
    /// What happened while a Score was arranged.
    #[error("{origin} cannot be arranged")]
    InScore {
        /// The Score and its line.
        origin: Origin,
        /// What happened.
        source: Box<ArrangeError>,
    },
}

impl ArrangeError {
    /// Refuses `what` the Scores say at `said_at`, with advice.
    #[must_use]
    pub fn refused(what: impl Into<String>, said_at: Vec<Origin>, hint: impl Into<String>) -> Self {
        Self::Refused { what: what.into(), said_at, hint: hint.into() }
    }

    /// Things that wait for each other, the first one again at the end; `said_at` tells which Score says one of them.
    pub(crate) fn cycle(cycle: Vec<Address>, said_at: impl Fn(&Address) -> Option<Origin>) -> Self {
        let all: BTreeSet<Origin> = cycle.iter().filter_map(said_at).collect();
        Self::Cycle { cycle, said_at: all.into_iter().collect() }
    }

    /// The same as something that happened in a Score: in the one that says what is refused, else in `playing`, the one being played.
    pub(crate) fn in_score(self, playing: &Origin) -> Self {
        let origin = match &self {
            Self::Refused { said_at, .. } => said_at.first().unwrap_or(playing),
            _ => playing,
        };
        Self::InScore { origin: origin.clone(), source: Box::new(self) }
    }

    /// The Scores that say what is wrong, each once, with their lines in the program.
    #[must_use]
    pub fn origins(&self) -> Vec<&Origin> {
        let mut origins = match self {
            Self::Refused { said_at, .. } | Self::Cycle { said_at, .. } => said_at.iter().collect(),
            Self::DuplicateAddress { first, second, .. }
            | Self::DuplicateIdentity { first, second, .. }
            | Self::DuplicatePlace { first, second, .. }
            | Self::DeclaredTwice { first, second, .. } => vec![first, second],
            Self::DanglingReference { origin, .. } | Self::Undeclared { origin, .. } => vec![origin],
            Self::InScore { origin, source } => [vec![origin], source.origins()].concat(),
            _ => Vec::new(),
        };
        let mut seen = BTreeSet::new();
        origins.retain(|origin| seen.insert(*origin));
        origins
    }

    /// What to do about it, with the lines of the program that say it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { hint, said_at, .. } => Some(with_lines(hint, said_at)),
            Self::InScore { source, .. } => source.hint(),
            other => other.advice(),
        }
    }

    /// What to do about it, for whoever shows the lines ([`ArrangeError::origins`]) by itself.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        match self {
            Self::Unsupported { alternative, .. } => Some(alternative.clone()),
            Self::Refused { hint, .. } => Some(hint.clone()),
            Self::DuplicateAddress { .. } => Some("give one of them another name, or put it into a scope of its own".to_owned()),
            Self::DuplicateIdentity { .. } => Some("remove one of the two, or share it through one Score".to_owned()),
            Self::DuplicatePlace { .. } => Some("give every place its own name: the Ledger tells them apart by it".to_owned()),
            Self::DanglingReference { .. } => {
                Some("arrange it in the same program, or take the value from the inventory".to_owned())
            }
            Self::Undeclared { what, name, .. } => {
                Some(format!("add the Score that declares the {what} `{name}`, or correct the name"))
            }
            Self::DeclaredTwice { .. } => Some("keep one declaration and let the other Score contribute to it".to_owned()),
            Self::InScore { source, .. } => source.advice(),
            Self::Cycle { .. } => {
                Some("let one of them not wait for the next: take away a reference or a gate between two of them".to_owned())
            }
            Self::Address(_) => Some("write segments of visible characters without `/`, joined by `/`".to_owned()),
            Self::Unserialisable { .. } => {
                Some("its `Serialize` is written by hand: let it write text, numbers, lists and maps with text keys".to_owned())
            }
        }
    }
}

fn with_lines(hint: &str, said_at: &[Origin]) -> String {
    if said_at.is_empty() {
        return hint.to_owned();
    }
    let lines: Vec<String> = said_at.iter().map(Origin::to_string).collect();
    format!("{hint} (said by {})", lines.join(" and by "))
}
