//! The commands.

mod apply;
mod drift;
mod look;
mod plan;
mod render;
mod run;
mod secrets;
mod verify;

pub(crate) use look::{Ended, carry_out};
pub(crate) use plan::show_saved;
pub(crate) use secrets::secrets;
