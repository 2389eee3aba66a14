//! Being asked to stop.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Asks a command to stop, as Ctrl-C does: once to finish what is in flight, twice to stop at once.
#[derive(Debug, Clone)]
pub struct Interrupter(UnboundedSender<()>);

/// What a command is told to stop by.
#[derive(Debug)]
pub struct Interrupts(UnboundedReceiver<()>);

/// Something to stop a command with, and what to give to the command.
#[must_use]
pub fn interrupts() -> (Interrupter, Interrupts) {
    let (sender, receiver) = unbounded_channel();
    (Interrupter(sender), Interrupts(receiver))
}

impl Interrupter {
    /// Asks once.
    pub fn interrupt(&self) {
        // Nobody listens any more once the command has ended.
        let _ = self.0.send(());
    }
}

impl Interrupts {
    /// Returns when the user asks; never if nobody can.
    pub(crate) async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// Does `work` unless the user asks to stop first; `None` then. For work that changes nothing.
    pub(crate) async fn unless<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.next() => None,
            done = work => Some(done),
        }
    }
}
