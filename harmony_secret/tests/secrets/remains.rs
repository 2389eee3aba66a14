//! What writers that were killed leave, and that it goes where nothing is kept.

use std::panic::resume_unwind;
use std::sync::Arc;

use harmony_io::{Faults, Injected, Io, Point};
use harmony_secret::{SecretManager, SecretStore};

use crate::fixtures::{KEY, Place, VALUE, name, shared, value};

/// Abandons whatever goes on at one point, as a kill does: nothing is tidied up, and its locks are free.
struct DieAt(u64);

impl Faults for DieAt {
    fn at(&self, point: Point<'_>) -> Injected {
        if point.number == self.0 { resume_unwind(Box::new("killed")) } else { Injected::Nothing }
    }
}

/// What is left, but for what is half written: whoever writes it lives on in a test.
fn locks(place: &Place) -> Vec<String> {
    let everything = place.everything().into_iter();
    everything.filter(|path| path.ends_with(".lock")).collect()
}

/// Puts a secret, or removes it again, and dies at one point after the other; returns how many of them left a lock.
async fn killed_at_each_point(is_put_before: bool, variables: &'static [(&str, &str)]) -> usize {
    let mut left = 0;
    for dying in 1.. {
        let place = Place::new();
        if is_put_before {
            place.store(variables).put(&name("token"), &value(VALUE)).await.unwrap();
        }
        let io = Io::with_faults(Arc::new(DieAt(dying)));
        let store = place.store_through(io.clone(), variables);
        let ended = tokio::spawn(async move {
            match is_put_before {
                true => drop(store.remove(&name("token")).await),
                false => drop(store.put(&name("token"), &value(VALUE)).await),
            }
        });
        if ended.await.is_ok() {
            assert!(dying > 5, "only {dying} points");
            break;
        }
        left += usize::from(!locks(&place).is_empty() && !place.file().exists());
        let is_kept = place.store(variables).find(&name("token")).await.unwrap().is_some();
        SecretManager::new(vec![shared(place.store(variables))]).ensure_no_remains().await.unwrap();
        let left: Vec<String> =
            locks(&place).into_iter().filter(|lock| !lock.contains("identity") || !place.identity().exists()).collect();
        assert!(is_kept || left.is_empty(), "point {dying}: {left:?}");
        assert_eq!(place.store(variables).find(&name("token")).await.unwrap().is_some(), is_kept, "point {dying}");
    }
    left
}

#[tokio::test]
async fn a_first_write_killed_anywhere_leaves_no_lock_where_nothing_is_kept() {
    assert!(killed_at_each_point(false, &[]).await > 3);
    assert!(killed_at_each_point(false, &[("HARMONY_SECRET_KEY", KEY)]).await > 3);
}

#[tokio::test]
async fn the_removal_of_the_last_secret_killed_anywhere_leaves_no_lock() {
    assert!(killed_at_each_point(true, &[]).await > 0);
}

#[tokio::test]
async fn what_a_living_writer_holds_stays() {
    let place = Place::new();
    std::fs::create_dir_all(place.file().parent().unwrap()).unwrap();
    let lock = place.file().with_file_name("secrets.json.lock");
    let held = Io::real().lock(&lock, "another").unwrap();
    place.keyed().ensure_no_remains().await.unwrap();
    assert!(lock.exists(), "the lock of a living writer was taken away");
    drop(held);
    place.keyed().ensure_no_remains().await.unwrap();
    assert!(!lock.exists());
}

#[tokio::test]
async fn where_secrets_are_kept_nothing_goes() {
    let place = Place::new();
    place.keyed().put(&name("token"), &value(VALUE)).await.unwrap();
    let before = place.everything();
    place.keyed().ensure_no_remains().await.unwrap();
    assert_eq!(place.everything(), before);
}
