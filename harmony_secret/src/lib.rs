//! Typed secrets, and where they are kept.
//!
//! Entry points: [`SecretManager`], which asks an ordered list of [`SecretStore`]s as one, and `#[derive(Secret)]` for a struct
//! that is kept as one secret. Stores here: [`EncryptedFile`] (safe to commit), [`EnvironmentStore`] (read only) and
//! [`MemoryStore`] (for tests).
//!
//! ```
//! # use std::sync::Arc;
//! # use harmony_secret::{MemoryStore, Secret, SecretManager, generate};
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//! #[derive(Secret, Serialize, Deserialize, JsonSchema)]
//! #[secret(name = "nats/admin")]
//! struct NatsAdmin {
//!     user: String,
//!     password: String,
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), harmony_secret::SecretError> {
//! let secrets = SecretManager::new(vec![Arc::new(MemoryStore::new())]);
//! let admin = secrets.get_or_generate(|| NatsAdmin { user: "admin".into(), password: generate::password(32) }).await?;
//! assert_eq!(secrets.get::<NatsAdmin>().await?.password, admin.password);
//! # Ok(())
//! # }
//! ```
//!
//! A store that cannot answer is an error, never an absent secret: what is absent may be generated anew, what is unreachable must
//! not be. No value is ever in a `Debug` or `Display` text, in an error or in a log: it reads `(sensitive)`. A typed secret's own
//! struct is the program's: deriving `Debug` for it is the program's to leave out.
//!
//! It deliberately knows no terminal (that is behind [`Prompt`]) and does not rotate or expire anything.

// The derive writes `::harmony_secret::...`, also where it is used in this crate.
extern crate self as harmony_secret;

mod answers;
mod environment;
mod error;
mod file;
pub mod generate;
mod json;
mod memory;
mod missing;
mod name;
mod prompt;
mod secret;
mod sources;
mod store;
mod value;

pub use environment::{Environment, EnvironmentStore};
pub use error::SecretError;
pub use file::{EncryptedFile, EncryptedFileError, KeyError, KeyId, KeySource};
pub use harmony_secret_derive::Secret;
pub use json::{Misfit, MisfitKind};
pub use memory::MemoryStore;
pub use missing::{MissingSecret, WayToProvide};
pub use name::{NameError, NameFault, SecretName};
pub use prompt::{AnswerError, AnswerKind, Need, NoTerminal, Prompt, PromptError, Question};
pub use secret::Secret;
pub use sources::SecretManager;
pub use store::{Access, Removal, SecretNotice, SecretStore};
pub use value::{NotText, SecretValue};
