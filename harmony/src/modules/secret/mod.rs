//! Secrets that a run makes once and keeps: passwords, NKeys, and the hashes of passwords.
//!
//! Entry point: the capability [`KeepsSecrets`](crate::capability::KeepsSecrets); a place that has a secret store hosts both kinds through [`SecretEntries`]. Secrets that
//! a user has to give are not here: a Score reads them from the inventory or prompts.

mod entries;
mod generated;
mod hash;
#[cfg(test)]
mod tests;

pub use entries::SecretEntries;
pub use generated::{GeneratedOutputs, GeneratedSecret, Recipe};
pub use hash::{HashOutputs, PasswordHash};
