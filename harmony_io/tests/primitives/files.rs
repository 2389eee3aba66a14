//! A write is whole or not there.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use harmony_io::{Faults, Injected, Io, Mode, Point};
use tempfile::TempDir;

/// Fails at one point.
struct FailsAt(u64);

impl Faults for FailsAt {
    fn at(&self, point: Point<'_>) -> Injected {
        if point.number == self.0 { Injected::Fail(ErrorKind::StorageFull) } else { Injected::Nothing }
    }
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_write_that_fails_at_any_point_leaves_the_old_or_the_new_contents_and_nothing_beside_them() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("file");
    let (mut old, mut new) = (0, 0);
    for number in 1.. {
        fs::write(&path, "old").unwrap();
        let written = Io::with_faults(Arc::new(FailsAt(number))).write_file(&path, b"new", Mode::Private);
        assert_eq!(names(directory.path()), ["file"], "after a failure at point {number}");
        if written.is_ok() {
            break;
        }
        match fs::read_to_string(&path).unwrap().as_str() {
            "old" => old += 1,
            "new" => new += 1,
            other => panic!("{other:?} after a failure at point {number}"),
        }
    }
    // Up to the rename the old contents stand; when it has been done, or the directory could not be synced, the new ones.
    assert_eq!((old, new), (7, 3), "a write has five primitives with two points each");
}

#[test]
fn a_first_write_that_fails_leaves_nothing_until_it_is_renamed() {
    for number in 1..=7 {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("file");
        let written = Io::with_faults(Arc::new(FailsAt(number))).write_file(&path, b"new", Mode::Private);
        assert!(written.is_err(), "at point {number}");
        assert_eq!(names(directory.path()), Vec::<String>::new(), "after a failure at point {number}");
    }
}
