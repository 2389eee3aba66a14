//! The numbered points, and what can happen at them.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{IoError, IoResult};
use crate::permit::Permit;
use crate::temporary::LeftBehind;

/// A primitive of input or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the variants are the primitives' own names")]
pub enum Operation {
    Read,
    List,
    Create,
    Write,
    Sync,
    Rename,
    Unlink,
    CreateDirectory,
    RemoveDirectory,
    Lock,
    Spawn,
    Signal,
    Request,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::List => "list",
            Self::Create => "create",
            Self::Write => "write",
            Self::Sync => "sync",
            Self::Rename => "rename to",
            Self::Unlink => "remove",
            Self::CreateDirectory => "create the directory",
            Self::RemoveDirectory => "remove the directory",
            Self::Lock => "lock",
            Self::Spawn => "start",
            Self::Signal => "signal",
            Self::Request => "request",
        })
    }
}

/// When, relative to its primitive, a point lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Nothing has been done yet.
    Before,
    /// It has been done; whoever asked has not heard of it.
    After,
}

/// One place at which a fault can be injected.
#[derive(Debug, Clone, Copy)]
pub struct Point<'a> {
    /// Counts up from 1 over the life of one [`Io`].
    pub number: u64,
    /// The primitive.
    pub operation: Operation,
    /// Before it or after it.
    pub moment: Moment,
    /// The path, program, process or request; never a secret.
    pub target: &'a str,
}

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Injected {
    /// What would happen anyway.
    Nothing,
    /// The primitive fails with this kind (after it: although it was done, the answer is lost).
    Fail(io::ErrorKind),
    /// The point passes only after this time.
    Delay(Duration),
    /// The process dies here, as with SIGKILL.
    Die,
}

/// Decides what happens at each point.
pub trait Faults: Send + Sync {
    /// Called at every point, in the order in which they are reached.
    fn at(&self, point: Point<'_>) -> Injected;
}

struct NoFaults;

impl Faults for NoFaults {
    fn at(&self, _: Point<'_>) -> Injected {
        Injected::Nothing
    }
}

/// The handle through which everything outside is reached. Cheap to clone; clones share one numbering.
#[derive(Clone)]
pub struct Io {
    faults: Arc<dyn Faults>,
    next: Arc<AtomicU64>,
    pub(crate) permit: Option<Arc<dyn Permit>>,
    left_behind: Arc<LeftBehind>,
}

impl fmt::Debug for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Io").field("points", &self.points()).finish_non_exhaustive()
    }
}

impl Default for Io {
    fn default() -> Self {
        Self::real()
    }
}

impl Io {
    /// The world as it is, without injected faults.
    #[must_use]
    pub fn real() -> Self {
        Self::with_faults(Arc::new(NoFaults))
    }

    /// The world, with `faults` asked at every point.
    #[must_use]
    pub fn with_faults(faults: Arc<dyn Faults>) -> Self {
        Self { faults, next: Arc::new(AtomicU64::new(0)), permit: None, left_behind: Arc::default() }
    }

    /// How many points have been passed so far.
    #[must_use]
    pub fn points(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Sends a request over a network: `target` names it (no secret), `send` does it.
    ///
    /// # Errors
    /// What `send` fails with; with injected faults also an error made by `E::from` of an [`IoError`].
    pub async fn request<T, E: From<IoError>>(&self, target: &str, send: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.point_async(Operation::Request, Moment::Before, target).await?;
        // After the point: what was delayed there may have lost its leave.
        self.check_permit(Operation::Request).map_err(|source| IoError::named(Operation::Request, target, source))?;
        let answer = send.await?;
        self.point_async(Operation::Request, Moment::After, target).await?;
        Ok(answer)
    }

    pub(crate) fn left_behind(&self) -> &LeftBehind {
        &self.left_behind
    }

    /// Does a primitive between its two points.
    pub(crate) fn run<T>(&self, operation: Operation, target: &str, primitive: impl FnOnce() -> io::Result<T>) -> IoResult<T> {
        self.point(operation, Moment::Before, target)?;
        // After the point: what was delayed there may have lost its leave.
        let done = self
            .check_permit(operation)
            .and_then(|()| primitive())
            .map_err(|source| IoError::named(operation, target, source))?;
        self.point(operation, Moment::After, target)?;
        Ok(done)
    }

    fn point(&self, operation: Operation, moment: Moment, target: &str) -> IoResult<()> {
        if let Some(delay) = self.ask(operation, moment, target)? {
            std::thread::sleep(delay);
        }
        Ok(())
    }

    async fn point_async(&self, operation: Operation, moment: Moment, target: &str) -> IoResult<()> {
        if let Some(delay) = self.ask(operation, moment, target)? {
            tokio::time::sleep(delay).await;
        }
        Ok(())
    }

    fn ask(&self, operation: Operation, moment: Moment, target: &str) -> IoResult<Option<Duration>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        match self.faults.at(Point { number, operation, moment, target }) {
            Injected::Nothing => Ok(None),
            Injected::Delay(delay) => Ok(Some(delay)),
            Injected::Fail(kind) => Err(IoError::named(operation, target, kind.into())),
            Injected::Die => crate::process::die(),
        }
    }
}
