//! What is said while a run runs: lines for what has been done, and something at least every few seconds while work is under way.

mod rows;
mod state;
#[cfg(test)]
mod tests;
mod voice;

pub(crate) use voice::{Form, Progress};
