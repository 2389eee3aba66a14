//! What users may do on the wire: subjects derived from grants, by one function, and the probes that prove them on real servers.
//!
//! Entry points: [`permissions`] for a user's subjects, [`api_calls`] for the table of what can be asked of JetStream, [`probes`] for
//! the proof of one user, [`escalations`] for what a grant cannot prevent.
//!
//! # What permissions on subjects cannot prevent
//!
//! NATS checks the subject of a request, not what the request makes the server do. So, inside one account:
//!
//! - whoever may make a consumer of a stream (every reader of a bucket or stream) can let the server deliver what the stream holds to
//!   any subject of the account, also to one that the user may not publish to, and can change or end other readers' consumers of it;
//! - whoever may make the durable consumer of a stream may also change it, because making is also changing;
//! - whoever may create or change a stream or bucket (its owner) can make it a copy of any other stream of the account, and read it there,
//!   or let it publish what it receives under other subjects;
//! - reading is granted per bucket, not per key: clients put the filter of a watch into the body of the request.
//!
//! So an account is the boundary between those who do not trust each other. Within one, nobody but Harmony's provisioner creates
//! streams, and each user has a private prefix for its inboxes, so that no user reads the answers meant for another.

mod api;
mod escalation;
mod probe;
mod right;
mod subjects;
#[cfg(test)]
mod tests;

pub use api::{ApiCall, api_calls};
pub use escalation::escalations;
pub use probe::probes;
pub use right::Right;
pub use subjects::{Permissions, inbox_prefix, permissions};
