//! A write is whole or not there.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use harmony_io::{Faults, Injected, Io, Mode, Permit, Point};
use tempfile::TempDir;

/// Fails at one point.
struct FailsAt(u64);

impl Faults for FailsAt {
    fn at(&self, point: Point<'_>) -> Injected {
        if point.number == self.0 { Injected::Fail(ErrorKind::StorageFull) } else { Injected::Nothing }
    }
}

/// The points of the look for what killed processes have left, without which a write goes on.
const LOOK_AT_DIRECTORY: u64 = 2;

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
        let io = Io::with_faults(Arc::new(FailsAt(number)));
        let written = io.write_file(&path, b"new", Mode::Private);
        assert_eq!(names(directory.path()), ["file"], "after a failure at point {number}");
        if io.points() < number {
            break;
        }
        assert_eq!(written.is_ok(), number <= LOOK_AT_DIRECTORY, "at point {number}");
        match fs::read_to_string(&path).unwrap().as_str() {
            "old" => old += 1,
            "new" => new += 1,
            other => panic!("{other:?} after a failure at point {number}"),
        }
    }
    // Up to the rename the old contents stand; when it has been done, or the directory could not be synced, the new ones.
    let new_in_spite_of_it = LOOK_AT_DIRECTORY;
    assert_eq!((old, new), (7, 3 + new_in_spite_of_it), "a write has five primitives with two points each");
}

#[test]
fn a_first_write_that_fails_leaves_nothing_until_it_is_renamed() {
    for number in LOOK_AT_DIRECTORY + 1..=LOOK_AT_DIRECTORY + 7 {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("file");
        let written = Io::with_faults(Arc::new(FailsAt(number))).write_file(&path, b"new", Mode::Private);
        assert!(written.is_err(), "at point {number}");
        assert_eq!(names(directory.path()), Vec::<String>::new(), "after a failure at point {number}");
    }
}

#[test]
fn of_those_that_make_one_file_at_the_same_time_one_wins_and_its_contents_stand() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("file");
    let made: Vec<bool> = std::thread::scope(|scope| {
        let tries = (0..8).map(|number: u8| {
            let path = &path;
            scope.spawn(move || Io::real().create_file(path, &[b'0' + number], Mode::Private).unwrap())
        });
        tries.collect::<Vec<_>>().into_iter().map(|tried| tried.join().unwrap()).collect()
    });
    assert_eq!(made.iter().filter(|made| **made).count(), 1);
    let winner = made.iter().position(|made| *made).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), winner.to_string());
    assert_eq!(names(directory.path()), ["file"], "nothing is left beside it");
}

/// Gives leave until it is withdrawn.
#[derive(Default)]
struct Withdrawn(std::sync::atomic::AtomicBool);

impl Permit for Withdrawn {
    fn check(&self) -> std::io::Result<()> {
        if self.0.load(std::sync::atomic::Ordering::Relaxed) { Err(std::io::Error::other("withdrawn")) } else { Ok(()) }
    }
}

#[tokio::test]
async fn without_leave_nothing_that_could_change_something_is_begun() {
    let directory = TempDir::new().unwrap();
    let leave = Arc::new(Withdrawn::default());
    let io = Io::real().with_permit(Arc::clone(&leave) as Arc<dyn Permit>);
    let path = directory.path().join("file");
    io.write_file(&path, b"old", Mode::Private).unwrap();
    leave.0.store(true, std::sync::atomic::Ordering::Relaxed);

    let error = io.write_file(&path, b"new", Mode::Private).unwrap_err();
    assert_eq!(error.source.to_string(), "withdrawn");
    assert!(io.append_line(&path, b"more").is_err() && io.ensure_no_file(&path).is_err());
    assert!(io.ensure_directory(&directory.path().join("inside"), Mode::Private).is_err());
    let mut sent = false;
    let request = async {
        sent = true;
        Ok::<_, harmony_io::IoError>(())
    };
    assert!(io.request("somebody", request).await.is_err() && !sent);
    assert_eq!(io.find_file(&path).unwrap().unwrap(), b"old", "reading needs no leave");
    assert_eq!(names(directory.path()), ["file"]);
    assert!(Io::real().ensure_no_file(&path).is_ok(), "other ways to the outside are as free as before");
}

#[test]
fn free_space_is_told_of_what_is_there() {
    let directory = TempDir::new().unwrap();
    let free = Io::real().find_free_space(directory.path()).unwrap().unwrap();
    // As `df` has it, in KiB; others write meanwhile.
    let told = std::process::Command::new("df").args(["--output=avail"]).arg(directory.path()).output().unwrap().stdout;
    let told: u64 = String::from_utf8(told).unwrap().lines().nth(1).unwrap().trim().parse().unwrap();
    assert!((free / 1024).abs_diff(told) < 1024 * 1024, "{free} is not {told} KiB");
    assert_eq!(Io::real().find_free_space(&directory.path().join("nothing")).unwrap(), None);
}
