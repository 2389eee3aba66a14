use std::sync::Arc;
use std::time::Duration;

use harmony_io::Io;
use harmony_secret::{MemoryStore, SecretManager, SecretValue};

use super::{GeneratedSecret, PasswordHash, Recipe, SecretEntries};
use crate::provider::{Known, Live, Observation, Provider};
use crate::resource::Resource;
use crate::run::Run;
use crate::value::Text;

fn run() -> Run {
    Run::alone(Io::real(), Duration::from_secs(5))
}

fn entries() -> (SecretManager, Arc<SecretEntries>) {
    let secrets = SecretManager::new(vec![Arc::new(MemoryStore::new())]);
    (secrets.clone(), SecretEntries::new(&secrets))
}

async fn look<R: Resource<Access = ()>>(entries: &SecretEntries, identity: R::Identity) -> Option<Box<Live<R>>>
where
    SecretEntries: Provider<R>,
{
    match entries.observe(&run(), &(), &[Known { identity, kept: None }]).await.unwrap().pop().unwrap() {
        Observation::There(live) => Some(live),
        _ => None,
    }
}

#[tokio::test]
async fn a_generated_nkey_is_found_with_its_public_half() {
    let (_, entries) = entries();
    let wish = GeneratedSecret::new("agent".parse().unwrap(), Recipe::UserNkey);
    assert!(look::<GeneratedSecret>(&entries, wish.name.clone()).await.is_none());
    entries.apply(&run(), &(), &wish, None).await.unwrap();
    let live = look::<GeneratedSecret>(&entries, wish.name.clone()).await.unwrap();
    assert_eq!(live.state, wish);
    let outputs = serde_json::to_value(&live.outputs).unwrap();
    assert!(outputs["value"].as_str().unwrap().starts_with("SU"));
    assert!(outputs["public"].as_str().unwrap().starts_with('U'));
    Provider::<GeneratedSecret>::delete(&*entries, &run(), &(), &wish.name).await.unwrap();
    assert!(look::<GeneratedSecret>(&entries, wish.name).await.is_none());
}

#[tokio::test]
async fn a_password_that_a_user_gave_is_used_as_it_is() {
    let (secrets, entries) = entries();
    let name: harmony_secret::SecretName = "db".parse().unwrap();
    secrets.put(&name, &SecretValue::from("hunter2".to_owned())).await.unwrap();
    let live = look::<GeneratedSecret>(&entries, name.clone()).await.unwrap();
    assert_eq!(live.state, GeneratedSecret::new(name, Recipe::Password));
    assert_eq!(serde_json::to_value(&live.outputs).unwrap()["value"], "hunter2");
}

#[tokio::test]
async fn a_hash_is_kept_until_the_password_changes() {
    let (_, entries) = entries();
    let wish = |password: &str| PasswordHash { name: "hash".parse().unwrap(), password: Text::from(password), cost: 4 };
    entries.apply(&run(), &(), &wish("one"), None).await.unwrap();
    let live = look::<PasswordHash>(&entries, "hash".parse().unwrap()).await.unwrap();
    let same = entries.preview(&run(), &(), &wish("one"), Some(&live)).await.unwrap();
    assert_eq!(same, live.state);
    let other = entries.preview(&run(), &(), &wish("two"), Some(&live)).await.unwrap();
    assert_ne!(other, live.state);
}

#[tokio::test]
async fn a_copy_follows_what_it_copies_and_is_kept_where_it_is_no_copy_any_more() {
    let (secrets, entries) = entries();
    let wish = |value: &str| GeneratedSecret::new("copy".parse().unwrap(), Recipe::Password).copying(Text::from(value));
    entries.apply(&run(), &(), &wish("one"), None).await.unwrap();
    let live = look::<GeneratedSecret>(&entries, "copy".parse().unwrap()).await.unwrap();
    assert_eq!(entries.preview(&run(), &(), &wish("one"), Some(&live)).await.unwrap(), live.state);
    assert_ne!(entries.preview(&run(), &(), &wish("two"), Some(&live)).await.unwrap(), live.state);
    entries.apply(&run(), &(), &wish("two"), Some(&live)).await.unwrap();
    let kept = secrets.find(&"copy".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(kept.expose_str().unwrap(), "two");
    let live = look::<GeneratedSecret>(&entries, "copy".parse().unwrap()).await.unwrap();
    let at_rest = GeneratedSecret::new("copy".parse().unwrap(), Recipe::Password);
    assert_eq!(entries.preview(&run(), &(), &at_rest, Some(&live)).await.unwrap(), live.state);
}
