//! Leave to change something, asked for right before each primitive that does.

use std::io;

use crate::faults::{Io, Operation};

/// Whoever may withdraw the leave to change anything outside: a lease that can be lost.
pub trait Permit: Send + Sync {
    /// Called right before every primitive that could change something.
    ///
    /// # Errors
    /// An error that says why nothing may be changed any more; the primitive is not begun then.
    fn check(&self) -> io::Result<()>;
}

impl Io {
    /// The same way to the outside, on which every primitive that could change something is begun only with leave of `permit`. Reading
    /// needs none; a request does, because nobody here can tell what it asks for.
    #[must_use]
    pub fn with_permit(&self, permit: std::sync::Arc<dyn Permit>) -> Self {
        let mut guarded = self.clone();
        guarded.permit = Some(permit);
        guarded
    }

    pub(crate) fn check_permit(&self, operation: Operation) -> io::Result<()> {
        match &self.permit {
            Some(permit) if operation.changes_something() => permit.check(),
            _ => Ok(()),
        }
    }
}

impl Operation {
    fn changes_something(self) -> bool {
        !matches!(self, Self::Read | Self::List | Self::Lock)
    }
}
