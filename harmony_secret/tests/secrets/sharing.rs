//! One file and several programs, versions in between, and writes that fail half-way.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use harmony_io::{Faults, Injected, Io, Point};
use harmony_secret::{SecretManager, SecretStore};
use tokio::task::JoinSet;

use crate::fixtures::{KEY, Place, VALUE, assert_hidden, name, shared, value};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writes_lose_nothing() {
    let place = Place::new();
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let secrets = SecretManager::new(vec![shared(place.store(&[]))]);
        writers.spawn(async move {
            for number in 0..10 {
                secrets.put(&name(&format!("writer-{writer}/secret-{number}")), &value(VALUE)).await.unwrap();
            }
            secrets.take_notices().len()
        });
    }
    assert_eq!(writers.join_all().await.into_iter().sum::<usize>(), 1, "one of them made the identity");
    assert_eq!(place.store(&[]).names().await.unwrap().len(), 40);
    assert_eq!(place.store(&[]).find(&name("writer-3/secret-9")).await.unwrap(), Some(value(VALUE)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_first_writers_agree_on_one_value() {
    let place = Place::new();
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let store = place.keyed();
        writers.spawn(async move { store.put_if_absent(&name("token"), &value(&format!("of {writer}"))).await.unwrap() });
    }
    let told = writers.join_all().await;
    let kept = place.keyed().find(&name("token")).await.unwrap();
    for told in told {
        assert_eq!(Some(told), kept);
    }
}

#[tokio::test]
async fn change_by_another_program_is_seen() {
    let place = Place::new();
    let (ours, theirs) = (place.keyed(), place.keyed());
    ours.put(&name("token"), &value("first")).await.unwrap();
    assert_eq!(theirs.find(&name("token")).await.unwrap(), Some(value("first")));
    ours.put(&name("token"), &value("other")).await.unwrap();
    assert_eq!(theirs.find(&name("token")).await.unwrap(), Some(value("other")));
    std::fs::remove_file(place.file()).unwrap();
    assert_eq!(theirs.find(&name("token")).await.unwrap(), None);
}

#[tokio::test]
async fn file_encrypted_anew_for_another_key_is_noticed() {
    let place = Place::new();
    let store = place.keyed();
    store.put(&name("token"), &value("first")).await.unwrap();
    std::fs::remove_file(place.file()).unwrap();
    place.store(&[]).put(&name("token"), &value("second")).await.unwrap();
    assert_eq!(store.find(&name("token")).await.unwrap(), Some(value("second")), "the identity fits");
}

#[tokio::test]
async fn change_of_one_secret_changes_two_lines() {
    let place = Place::new();
    let store = place.keyed();
    for secret in ["c", "a", "b"] {
        store.put(&name(secret), &value(VALUE)).await.unwrap();
    }
    let before = place.text();
    store.put(&name("b"), &value("other")).await.unwrap();
    let after = place.text();
    let changed: Vec<&str> = after.lines().zip(before.lines()).filter(|(a, b)| a != b).map(|(a, _)| a).collect();
    assert_eq!(changed.iter().map(|line| &line.trim()[..4]).collect::<Vec<_>>(), ["\"sea", "\"b\":"]);
    assert_eq!(before.lines().count(), after.lines().count());
}

#[tokio::test]
async fn putting_what_is_there_writes_nothing() {
    let place = Place::new();
    let store = place.keyed();
    store.put(&name("a"), &value(VALUE)).await.unwrap();
    let before = place.text();
    place.keyed().put(&name("a"), &value(VALUE)).await.unwrap();
    place.keyed().put_if_absent(&name("a"), &value("other")).await.unwrap();
    assert_eq!(place.text(), before);
}

#[tokio::test]
async fn file_is_private_and_shows_names_only() {
    let place = Place::new();
    let store = place.keyed();
    store.put(&name("nats/admin"), &value(VALUE)).await.unwrap();
    std::fs::set_permissions(place.file(), PermissionsExt::from_mode(0o644)).unwrap();
    store.put(&name("nats/user"), &value(VALUE)).await.unwrap();
    assert_eq!(std::fs::metadata(place.file()).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(place.text().contains("nats/admin"));
    assert_hidden(&place.text(), &[VALUE, KEY]);
    assert_hidden(&format!("{store:?}"), &[VALUE, KEY]);
}

/// Fails at one point.
struct FailAt(u64);

impl Faults for FailAt {
    fn at(&self, point: Point<'_>) -> Injected {
        if point.number == self.0 { Injected::Fail(ErrorKind::Other) } else { Injected::Nothing }
    }
}

#[tokio::test]
async fn write_that_fails_anywhere_leaves_the_old_file_or_the_new() {
    for failing in 1.. {
        let place = Place::new();
        let io = Io::with_faults(Arc::new(FailAt(failing)));
        let put = place.store_through(io.clone(), &[]).put(&name("nats/admin"), &value(VALUE)).await;
        if io.points() < failing {
            put.unwrap();
            assert!(failing > 20, "only {failing} points");
            return;
        }
        let kept = place.store(&[]).find(&name("nats/admin")).await.unwrap();
        match put {
            // Not every failure is one of the write: leftovers that cannot be listed stay.
            Ok(()) => assert_eq!(kept, Some(value(VALUE)), "point {failing}"),
            Err(error) => {
                assert_hidden(&crate::fixtures::everything_said(&error), &[VALUE]);
                assert!(kept.is_none() || kept == Some(value(VALUE)), "point {failing}");
            }
        }
        place.store(&[]).put(&name("nats/admin"), &value(VALUE)).await.unwrap();
        assert_eq!(place.store(&[]).find(&name("nats/admin")).await.unwrap(), Some(value(VALUE)));
        assert!(!place.everything().iter().any(|path| path.ends_with(".tmp")), "{:?}", place.everything());
    }
}

#[tokio::test]
async fn bare_file_name_is_in_the_current_directory() {
    let store = harmony_secret::EncryptedFile::new("secrets.json", Io::real(), crate::fixtures::environment(&[]));
    assert_eq!(store.describe(), "encrypted file `./secrets.json`");
}
