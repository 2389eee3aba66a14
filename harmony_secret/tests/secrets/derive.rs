//! What the derive gives.

use harmony_secret::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Secret, Serialize, Deserialize, JsonSchema)]
struct TLSClientKey {
    pem: String,
}

#[derive(Secret, Serialize, Deserialize, JsonSchema)]
#[secret(name = "nats-east/admin")]
struct NatsAdmin {
    user: String,
    password: String,
}

#[test]
fn name_is_the_structs_unless_given() {
    assert_eq!(TLSClientKey::NAME, "tls-client-key");
    assert_eq!(NatsAdmin::NAME, "nats-east/admin");
}

#[test]
fn schema_has_the_fields() {
    let schema = NatsAdmin::schema();
    assert_eq!(schema.get("required"), Some(&serde_json::json!(["user", "password"])));
    assert_eq!(schema.get("properties").unwrap()["password"]["type"], "string");
}
