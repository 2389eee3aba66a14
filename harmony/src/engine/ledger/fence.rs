//! What keeps a run that has lost its lease from writing the Ledger: its number, which is compared with that of the newest run before each write.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use harmony_io::Io;

use super::error::LedgerError;
use crate::lease::{Gained, Held, Standing};

/// The right of a run to write the Ledger, which ends with its lease.
#[derive(Clone)]
pub struct Fence {
    io: Io,
    number: u64,
    standing: Standing,
    words: String,
    patience: Duration,
}

impl fmt::Debug for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fence").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Fence {
    /// The right of the run that holds this lease and says `words` of itself; another one's write is waited for no longer than `patience`.
    pub(crate) fn new(io: &Io, held: &Held, words: String, patience: Duration) -> Self {
        let standing = held.standing().clone();
        let io = io.with_permit(Arc::new(standing.clone()));
        Self { io, number: held.number(), standing, words, patience }
    }

    /// The run's number, higher than that of every run before it.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The way to the outside on which nothing is begun once the lease is lost.
    #[must_use]
    pub fn io(&self) -> &Io {
        &self.io
    }

    /// Whether the run before did not give its lease back, so that what it has sent may still be under way.
    #[must_use]
    pub fn took_over(&self) -> bool {
        self.standing.gained() == Gained::TakenOver
    }

    /// How long another one's write may be waited for.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// What the run says of itself.
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// Lets the run write if none newer than itself has been here; from then on it begins nothing any more otherwise.
    ///
    /// # Errors
    /// [`LedgerError::Superseded`] if `newest` is the number of a newer run, or the lease is lost.
    pub fn ensure_newest(&self, newest: u64) -> Result<(), LedgerError> {
        if newest > self.number {
            self.standing.lose(format!("run {newest} has begun, this is run {}", self.number));
        }
        self.standing.lost().map_or(Ok(()), |why| Err(LedgerError::Superseded { why }))
    }
}
