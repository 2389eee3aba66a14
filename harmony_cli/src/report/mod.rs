//! Rendering what a command has to say: pure, from data to text.

mod document;
mod events;
mod failure;
mod fields;
mod layout;
mod lines;
mod listing;
mod outcome;
mod plan;
mod procedure;
mod status;
#[cfg(test)]
mod tests;

pub(crate) use document::{Secrets, document};
pub use events::EVENTS;
pub(crate) use events::{Summary, event_line, json_line, planned_changes};
pub(crate) use failure::{failed, problem};
pub(crate) use layout::{Detail, Layout, seconds, visible};
pub(crate) use lines::{error_line, listing_lines, next_step_lines, node_line, proof_lines};
pub(crate) use listing::listing;
pub(crate) use outcome::{after_failures, done, verified};
pub(crate) use plan::{changes_something, drift, plan, refusals};
pub(crate) use procedure::{procedure, procedure_lines, procedures};
pub(crate) use status::{is_well, status};
