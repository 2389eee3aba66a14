use harmony_secret::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Secret, Serialize, Deserialize, JsonSchema)]
#[secret(key = "nats/admin")]
struct Admin {
    password: String,
}

fn main() {}
