//! A place in memory: kinds that each have one property of the real ones, over a world that counts, remembers, and fails on demand.

mod kinds;
mod place;
mod proof;
mod provider;
mod world;

pub use kinds::{
    FakeAccess, FakeGarden, FakeKind, FakeNamespace, FakePort, FakeRoom, FakeSecret, FakeStore, FakeThing, PortOutputs,
    SecretOutputs, ThingOutputs,
};
pub use place::FakePlace;
pub use proof::{FakeProof, FakeProver};
pub use provider::FakeProvider;
pub use world::{Call, Failing, Happened, Stored, World};
