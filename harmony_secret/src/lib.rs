//! x

/// y
#[derive(Clone)]
pub struct SecretManager;
