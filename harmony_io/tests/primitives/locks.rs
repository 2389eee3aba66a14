//! A lock excludes, whatever happens to its file.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harmony_io::{Faults, Injected, Io, Lock, LockError, Moment, Operation, Point};
use tempfile::TempDir;

/// Removes a held lock at the moment when somebody else has opened its file and not yet locked it.
struct RemovedOnceOpened(Mutex<Option<Lock>>);

impl Faults for RemovedOnceOpened {
    fn at(&self, point: Point<'_>) -> Injected {
        if (point.operation, point.moment) == (Operation::Lock, Moment::After)
            && let Some(held) = self.0.lock().unwrap().take()
        {
            held.remove(&Io::real()).unwrap();
        }
        Injected::Nothing
    }
}

fn is_held(path: &Path) -> Option<String> {
    match Io::real().lock(path, "somebody else") {
        Ok(_) => None,
        Err(LockError::Held { holder, .. }) => Some(holder),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_held_lock_names_its_holder_and_a_dropped_one_is_free() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("lock");
    let held = Io::real().lock(&path, "the first").unwrap();
    assert_eq!(is_held(&path).as_deref(), Some("the first"));
    drop(held);
    assert_eq!(is_held(&path), None);
}

#[test]
fn a_removed_lock_is_free_and_leaves_no_file() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("lock");
    Io::real().lock(&path, "the first").unwrap().remove(&Io::real()).unwrap();
    assert!(!path.exists());
    assert_eq!(is_held(&path), None);
}

#[test]
fn a_lock_whose_file_is_removed_while_it_is_opened_is_taken_on_the_new_file() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("lock");
    let first = Io::real().lock(&path, "the first").unwrap();
    let faults = Arc::new(RemovedOnceOpened(Mutex::new(Some(first))));
    let second = Io::with_faults(Arc::clone(&faults) as Arc<dyn Faults>).lock(&path, "the second").unwrap();
    assert!(faults.0.lock().unwrap().is_none(), "the first was removed in between");
    // A lock on the file that is gone would exclude nobody.
    assert_eq!(is_held(&path).as_deref(), Some("the second"));
    drop(second);
    assert_eq!(is_held(&path), None);
}

#[test]
fn a_holder_is_told_the_words_of_the_one_before() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("lock");
    let mut told = Vec::new();
    for words in ["the first, with a long name", "the second"] {
        let lock = Io::real().lock_as(&path, |before| {
            told.push(before.to_owned());
            words.to_owned()
        });
        drop(lock.unwrap());
    }
    assert_eq!(told, ["", "the first, with a long name"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "the second");
}

#[test]
fn a_lock_that_is_waited_for_is_taken_when_it_gets_free_and_given_up_in_time() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("lock");
    let held = Io::real().lock(&path, "the first").unwrap();
    let given_up = Io::real().lock_within(&path, "the second", Duration::from_millis(50));
    assert!(matches!(given_up, Err(LockError::Held { .. })));
    let waiting = std::thread::spawn({
        let path = path.clone();
        move || Io::real().lock_within(&path, "the second", Duration::from_secs(20)).is_ok()
    });
    std::thread::sleep(Duration::from_millis(20));
    drop(held);
    assert!(waiting.join().unwrap());
}
