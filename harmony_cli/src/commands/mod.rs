//! The commands.

mod apply;
mod completions;
mod doctor;
mod drift;
mod facts;
mod forget;
mod graph;
mod look;
mod other_run;
mod plan;
mod render;
mod run;
mod secrets;
mod verify;

pub(crate) use completions::completions;
pub(crate) use doctor::doctor;
pub(crate) use facts::{Needed, facts, survey};
pub(crate) use forget::forget;
pub(crate) use look::{Ended, carry_out};
pub(crate) use plan::show_saved;
pub(crate) use secrets::secrets;
