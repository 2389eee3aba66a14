//! Places, what they can host and prove, and looking at them before they are used.

mod check;
mod erased;
mod place;
mod providers;
mod sites;

pub use check::{Check, Verdict};
pub(crate) use erased::{AnyIntended, AnyKnown, AnyLive, AnyObservation, AnyProver, AnyProvider, KindFacts};
pub use place::{Fetching, Hosts, Proves, Site, Survey, Topology, WithoutSurvey};
pub use providers::Providers;
pub use sites::{Sites, SitesFacts, SitesPlace};
