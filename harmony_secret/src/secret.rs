//! What makes a struct a secret.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A struct that is kept as one secret, as JSON with its fields, under one name. Derived.
///
/// ```
/// # use harmony_secret::Secret;
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// #[derive(Secret, Serialize, Deserialize, JsonSchema)]
/// struct NatsCredentials {
///     user: String,
///     password: String,
/// }
/// assert_eq!(NatsCredentials::NAME, "nats-credentials");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a secret",
    note = "add `#[derive(Secret, Serialize, Deserialize, JsonSchema)]` to it"
)]
pub trait Secret: Serialize + DeserializeOwned + JsonSchema {
    /// The name under which it is kept; a valid [`SecretName`](crate::SecretName).
    const NAME: &'static str;

    /// The JSON schema of its fields: what must be provided, and what is asked for in a terminal.
    #[must_use]
    fn schema() -> Schema {
        SchemaGenerator::default().into_root_schema_for::<Self>()
    }
}
