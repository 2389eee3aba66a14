//! Rendering what a command has to say: pure, from data to text.

mod checks;
mod counts;
mod document;
mod excerpt;
mod failure;
mod fields;
mod layout;
mod line;
mod lines;
mod listing;
mod outcome;
mod plan;
mod procedure;
mod schema;
mod silence;
mod status;
mod summary;
#[cfg(test)]
mod tests;

pub(crate) use checks::{check_lines, checks};
pub(crate) use document::{Secrets, document};
pub(crate) use excerpt::Sources;
pub(crate) use failure::{failures, problem};
pub(crate) use layout::{Detail, Layout, counted, seconds, visible};
pub use line::EVENTS;
pub(crate) use line::Line;
pub(crate) use lines::{
    completions_line, error_line, event_line, facts_line, left_line, listing_lines, misunderstood_line, next_step_lines,
    node_line, planned_changes, proof_lines, secret_line, silence_lines, standing_lines,
};
pub(crate) use listing::listing;
pub(crate) use outcome::{after_failures, done, verified};
pub(crate) use plan::{changes_something, drift, plan, refusals};
pub(crate) use procedure::{procedure, procedure_lines, procedures};
pub use schema::events_schema;
pub(crate) use silence::silences;
pub(crate) use status::{is_well, status};
pub(crate) use summary::Summary;
