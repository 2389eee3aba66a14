//! What every store that can be written must do.

use harmony_secret::{Access, MemoryStore, Removal, SecretStore, SecretValue};

use crate::fixtures::{Place, name, value};

async fn keeps_what_is_put(store: &dyn SecretStore) {
    assert_eq!(store.access(), Access::ReadWrite);
    assert_eq!(store.find(&name("nats/admin")).await.unwrap(), None);
    assert_eq!(store.names().await.unwrap(), []);

    store.put(&name("nats/admin"), &value("first")).await.unwrap();
    store.put(&name("bytes"), &SecretValue::from(vec![0, 255, 10])).await.unwrap();
    store.put(&name("empty"), &value("")).await.unwrap();
    store.put(&name("long"), &SecretValue::from(vec![7; 300_000])).await.unwrap();

    assert_eq!(store.find(&name("nats/admin")).await.unwrap(), Some(value("first")));
    assert_eq!(store.find(&name("bytes")).await.unwrap(), Some(SecretValue::from(vec![0, 255, 10])));
    assert_eq!(store.find(&name("empty")).await.unwrap(), Some(value("")));
    assert_eq!(store.find(&name("long")).await.unwrap(), Some(SecretValue::from(vec![7; 300_000])));
    assert_eq!(store.find(&name("nats")).await.unwrap(), None);
    assert_eq!(store.names().await.unwrap(), ["bytes", "empty", "long", "nats/admin"].map(name));

    store.put(&name("nats/admin"), &value("second")).await.unwrap();
    assert_eq!(store.find(&name("nats/admin")).await.unwrap(), Some(value("second")));
}

async fn keeps_the_first_if_asked_to(store: &dyn SecretStore) {
    assert_eq!(store.put_if_absent(&name("token"), &value("first")).await.unwrap(), value("first"));
    assert_eq!(store.put_if_absent(&name("token"), &value("second")).await.unwrap(), value("first"));
    assert_eq!(store.find(&name("token")).await.unwrap(), Some(value("first")));
}

async fn forgets_what_is_removed(store: &dyn SecretStore) {
    store.put(&name("kept"), &value("kept")).await.unwrap();
    store.put(&name("gone"), &value("gone")).await.unwrap();
    assert_eq!(store.remove(&name("gone")).await.unwrap(), Removal::Removed);
    assert_eq!(store.remove(&name("gone")).await.unwrap(), Removal::WasAbsent);
    assert_eq!(store.find(&name("gone")).await.unwrap(), None);
    assert_eq!(store.names().await.unwrap(), [name("kept")]);
    assert_eq!(store.find(&name("kept")).await.unwrap(), Some(value("kept")));
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    keeps_what_is_put(&MemoryStore::new()).await;
    keeps_the_first_if_asked_to(&MemoryStore::new()).await;
    forgets_what_is_removed(&MemoryStore::new()).await;
}

#[tokio::test]
async fn encrypted_file_keeps_the_contract() {
    keeps_what_is_put(&Place::new().keyed()).await;
    keeps_the_first_if_asked_to(&Place::new().keyed()).await;
    forgets_what_is_removed(&Place::new().keyed()).await;
}
