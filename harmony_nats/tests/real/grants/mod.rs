//! What grants allow and refuse, on a real server, with the real client.

mod connected;
mod escalations;
mod table;
mod using;

pub(crate) use connected::{Connected, PROFILES, on_bucket, with_rights};
