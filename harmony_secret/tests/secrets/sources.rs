//! Several sources, asked as one, for typed secrets and for raw ones.

use std::sync::Arc;

use async_trait::async_trait;
use harmony_secret::{
    Access, EnvironmentStore, MemoryStore, MissingSecret, Removal, Secret, SecretError, SecretManager, SecretName, SecretStore,
    SecretValue, WayToProvide,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fixtures::{Place, VALUE, assert_hidden, environment, everything_said, name, shared, value};

#[derive(Secret, Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[secret(name = "nats-east/admin")]
struct NatsAdmin {
    user: String,
    password: String,
}

fn admin(password: &str) -> NatsAdmin {
    NatsAdmin { user: "admin".to_owned(), password: password.to_owned() }
}

fn variables(json: &str) -> Arc<dyn SecretStore> {
    shared(EnvironmentStore::new(environment(&[("HARMONY_SECRET_NATS_EAST_ADMIN", json), ("HARMONY_SECRET_KEY", VALUE)])))
}

/// A store that nobody can reach.
struct Down;

fn down() -> SecretError {
    SecretError::Down { store: "vault `https://vault.example`".to_owned(), source: "connection refused".into() }
}

#[async_trait]
impl SecretStore for Down {
    fn describe(&self) -> String {
        "vault `https://vault.example`".to_owned()
    }
    fn access(&self) -> Access {
        Access::ReadWrite
    }
    fn way_to_provide(&self, _: &SecretName) -> Option<WayToProvide> {
        None
    }
    async fn find(&self, _: &SecretName) -> Result<Option<SecretValue>, SecretError> {
        Err(down())
    }
    async fn names(&self) -> Result<Vec<SecretName>, SecretError> {
        Err(down())
    }
    async fn put(&self, _: &SecretName, _: &SecretValue) -> Result<(), SecretError> {
        Err(down())
    }
    async fn put_if_absent(&self, _: &SecretName, _: &SecretValue) -> Result<SecretValue, SecretError> {
        Err(down())
    }
    async fn remove(&self, _: &SecretName) -> Result<Removal, SecretError> {
        Err(down())
    }
}

#[tokio::test]
async fn first_source_that_has_it_wins() {
    let (first, second) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
    let secrets = SecretManager::new(vec![first.clone(), second.clone()]);
    second.put(&name("token"), &value("second")).await.unwrap();
    assert_eq!(secrets.find(&name("token")).await.unwrap(), Some(value("second")));
    first.put(&name("token"), &value("first")).await.unwrap();
    assert_eq!(secrets.find(&name("token")).await.unwrap(), Some(value("first")));
    assert_eq!(secrets.names().await.unwrap(), [name("token")]);
}

#[tokio::test]
async fn source_that_is_down_is_not_passed_over() {
    let behind = Arc::new(MemoryStore::new());
    behind.put(&name("nats-east/admin"), &value("{}")).await.unwrap();
    let secrets = SecretManager::new(vec![Arc::new(Down), behind.clone()]);
    assert!(matches!(secrets.find(&name("nats-east/admin")).await, Err(SecretError::Down { .. })));
    assert!(matches!(secrets.names().await, Err(SecretError::Down { .. })));
    let generated = secrets.get_or_generate(|| -> NatsAdmin { panic!("generated although the store is down") }).await;
    assert!(matches!(generated, Err(SecretError::Down { .. })));
}

#[tokio::test]
async fn writes_go_to_the_first_that_can_be_written() {
    let (first, second) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
    let secrets = SecretManager::new(vec![variables(""), first.clone(), second.clone()]);
    secrets.clone().put(&name("token"), &value(VALUE)).await.unwrap();
    assert_eq!(first.find(&name("token")).await.unwrap(), Some(value(VALUE)));
    assert_eq!(second.names().await.unwrap(), []);
    assert_eq!(secrets.remove(&name("token")).await.unwrap(), Removal::Removed);
    assert_eq!(first.names().await.unwrap(), []);
    assert_eq!(secrets.describe(), "environment variables `HARMONY_SECRET_*`, then memory, then memory");
    assert_hidden(&format!("{secrets:?} {first:?}"), &[VALUE]);
}

#[tokio::test]
async fn write_that_could_not_be_read_is_refused() {
    let memory = Arc::new(MemoryStore::new());
    let secrets = SecretManager::new(vec![variables(VALUE), memory.clone()]);
    let error = secrets.put(&name("nats-east/admin"), &value("new")).await.unwrap_err();
    assert!(matches!(error, SecretError::Hidden { .. }));
    assert_eq!(memory.names().await.unwrap(), []);
    assert_hidden(&everything_said(&error), &[VALUE]);
}

#[tokio::test]
async fn nothing_to_write_to_is_an_error_before_anything_is_made() {
    let secrets = SecretManager::new(vec![variables("")]);
    let generated = secrets.get_or_generate(|| -> NatsAdmin { panic!("generated for nothing") }).await;
    assert!(matches!(generated, Err(SecretError::NoWritableStore { .. })));
    assert!(matches!(secrets.put(&name("token"), &value("")).await, Err(SecretError::NoWritableStore { .. })));
}

#[tokio::test]
async fn variable_provides_a_typed_secret() {
    let secrets = SecretManager::new(vec![variables(r#"{"user":"admin","password":"hunter2"}"#)]);
    assert_eq!(secrets.get::<NatsAdmin>().await.unwrap(), admin("hunter2"));
}

#[tokio::test]
async fn variables_of_the_encrypted_files_key_are_no_secrets() {
    let store = variables("");
    assert_eq!(store.find(&name("key")).await.unwrap(), None);
    assert_eq!(store.way_to_provide(&name("key")), None);
    assert_eq!(EnvironmentStore::variable(&name("passphrase")), None);
    assert_eq!(EnvironmentStore::variable(&name("a.b/c-d_e")).as_deref(), Some("HARMONY_SECRET_A_B_C_D_E"));
}

#[tokio::test]
async fn generated_once_and_then_found() {
    let place = Place::new();
    let secrets = SecretManager::new(vec![shared(place.keyed())]);
    assert_eq!(secrets.find_secret::<NatsAdmin>().await.unwrap(), None);
    assert_eq!(secrets.get_or_generate(|| admin(VALUE)).await.unwrap(), admin(VALUE));
    assert_eq!(secrets.get_or_generate(|| admin("again")).await.unwrap(), admin(VALUE));
    let later = SecretManager::new(vec![shared(place.keyed())]);
    assert_eq!(later.get::<NatsAdmin>().await.unwrap(), admin(VALUE));
    assert_hidden(&place.text(), &[VALUE]);
}

#[tokio::test]
async fn missing_secret_says_every_way_to_provide_it() {
    let secrets = SecretManager::new(vec![variables(""), Arc::new(MemoryStore::new())]);
    let error = secrets.get::<NatsAdmin>().await.unwrap_err();
    let SecretError::Missing(missing) = &error else { panic!("{error}") };
    let expected = MissingSecret {
        name: name("nats-east/admin"),
        fields: vec!["password".to_owned(), "user".to_owned()],
        ways: vec![WayToProvide::Variable("HARMONY_SECRET_NATS_EAST_ADMIN".to_owned()), WayToProvide::Store("memory".to_owned())],
    };
    assert_eq!(missing, &expected);
    assert_eq!(secrets.missing(&name("nats-east/admin")), MissingSecret { fields: Vec::new(), ..expected });
    insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()), @"
    no secret `nats-east/admin`
    provide it (JSON with the fields `password`, `user`): set the environment variable `HARMONY_SECRET_NATS_EAST_ADMIN`, or put it into memory
    ");
}

#[tokio::test]
async fn ill_fitting_secret_is_refused_without_quoting_it() {
    for unfit in [
        format!(r#"{{"user": "admin", "password": ["{VALUE}"]}}"#),
        format!(r#"{{"user": "admin", "password": 1, "{VALUE}": 2}}"#),
        format!(r#""{VALUE}""#),
        VALUE.to_owned(),
        format!(r#"{{"user": "{VALUE}"#),
    ] {
        let secrets = SecretManager::new(vec![variables(&unfit), Arc::new(MemoryStore::new())]);
        for error in [secrets.get::<NatsAdmin>().await.unwrap_err(), secrets.get_or_generate(|| admin("new")).await.unwrap_err()]
        {
            assert!(matches!(error, SecretError::Unfit { .. }), "{error}");
            assert!(error.hint().unwrap().contains("`password`, `user`"));
            assert_hidden(&everything_said(&error), &[VALUE]);
        }
    }
}
