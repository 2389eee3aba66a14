//! Fixtures, fakes and architecture tests.
//!
//! Entry points: [`FakeSite`] for anything that runs the engine, [`score`] for a Score from a closure, [`World`] to look at what a run
//! did, to change things by hand, and to let calls fail.

mod captured;
#[allow(clippy::unwrap_used, reason = "what a test stands on fails by panicking, like the test")]
mod contract;
#[allow(clippy::expect_used, clippy::panic, reason = "what a test stands on fails by panicking, like the test")]
mod events;
mod fake;
mod file;
mod fixture;
mod not_run;
#[allow(clippy::expect_used, clippy::panic, reason = "what a test stands on fails by panicking, like the test")]
mod program;
mod recorder;
#[allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test stands on fails by panicking, like the test"
)]
mod scanner;
mod score;

pub use captured::Captured;
pub use contract::assert_keeps_the_contract_of_leases;
pub use events::assert_events_conform;
pub use fake::{
    Call, Failing, FakeAccess, FakeGarden, FakeKind, FakeNamespace, FakePlace, FakePort, FakeProof, FakeProver, FakeProvider,
    FakeRoom, FakeSecret, FakeStore, FakeThing, Happened, PortOutputs, SecretOutputs, Stored, ThingOutputs, World,
};
pub use file::{FileOnDisk, FilesOnDisk};
pub use fixture::{FakeSite, Stamp};
pub use not_run::not_run;
pub use program::{Finished, SiteProgram};
pub use recorder::Recorder;
pub use scanner::SecretScanner;
pub use score::{ScoreOf, score, score_on};
