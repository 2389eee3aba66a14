//! Secrets that a run makes once and keeps: passwords, NKeys, and the hashes of passwords.
//!
//! Entry point: the capability [`KeepsSecrets`](crate::capability::KeepsSecrets); a place that says [`UsesSecretStore`](hosting::UsesSecretStore) hosts both kinds. Secrets that
//! a user has to give are not here: a Score reads them from the inventory or prompts.

mod entries;
mod generated;
mod hash;
pub mod hosting;
#[cfg(test)]
mod tests;

pub use entries::SecretEntries;
pub use generated::{GeneratedOutputs, GeneratedSecret, Recipe};
pub use hash::{HashOutputs, PasswordHash};
