//! What a NATS system has become, for those that stand on it.

use super::spec::SystemSpec;

/// A NATS system, assembled from what all Scores say of it.
#[derive(Debug, Clone)]
pub struct BuiltSystem {
    /// The validated model.
    pub spec: SystemSpec,
}
