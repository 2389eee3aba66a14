//! Every primitive has a point before it and one after it, and no other way past them.

use std::fmt::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harmony_io::{Faults, Injected, Io, IoError, Mode, Moment, Operation, Point, Signal};
use tempfile::TempDir;

/// Writes down every point.
#[derive(Default)]
struct Recorder(Mutex<Vec<(u64, Operation, Moment)>>);

impl Faults for Recorder {
    fn at(&self, point: Point<'_>) -> Injected {
        self.0.lock().unwrap().push((point.number, point.operation, point.moment));
        Injected::Nothing
    }
}

impl Recorder {
    /// The primitives since this was asked last. Their points are numbered without a gap, and come in pairs.
    fn take(&self, first: &mut u64) -> Vec<Operation> {
        let points = std::mem::take(&mut *self.0.lock().unwrap());
        let mut operations = Vec::new();
        for pair in points.chunks(2) {
            let [(number, before, Moment::Before), (next, after, Moment::After)] = pair else { panic!("no pair: {pair:?}") };
            assert_eq!((*number, *next, before), (*first, *first + 1, after), "{pair:?}");
            *first += 2;
            operations.push(*before);
        }
        operations
    }
}

#[tokio::test]
async fn every_primitive_has_a_point_before_and_one_after_it() {
    let recorder = Arc::new(Recorder::default());
    let io = Io::with_faults(Arc::clone(&recorder) as Arc<dyn Faults>);
    let directory = TempDir::new().unwrap();
    let inside = directory.path().join("inside");
    let (file, made) = (inside.join("file"), inside.join("made"));
    let (mut first, mut page) = (1, String::new());
    let mut note = |what: &str| writeln!(page, "{what}: {:?}", recorder.take(&mut first)).unwrap();

    io.ensure_directory(&inside, Mode::Private).unwrap();
    note("make a directory");
    io.write_file(&file, b"1", Mode::Private).unwrap();
    note("write a file");
    io.create_file(&made, b"1", Mode::Private).unwrap();
    note("create a file");
    io.append_line(&file, b"2").unwrap();
    note("append a line");
    io.set_mode(&file, Mode::Readable).unwrap();
    note("set a mode");
    io.find_file(&file).unwrap();
    note("read a file");
    io.ensure_no_file(&file).unwrap();
    note("remove a file");
    io.ensure_no_tree(&inside).unwrap();
    note("remove a tree");
    drop(io.lock(&directory.path().join("lock"), "me").unwrap());
    note("lock");
    let process = io.spawn_detached(Path::new("/bin/sleep"), &["600"], &directory.path().join("log")).unwrap();
    note("start a process");
    let started = io.find_process(process).unwrap().unwrap();
    note("look for a process");
    io.signal(process, started, Signal::Kill).unwrap();
    note("signal a process");
    io.run_program(Path::new("/bin/true"), &[] as &[&str], Duration::from_secs(20)).await.unwrap();
    note("run a program");
    io.request("somebody", async { Ok::<_, IoError>(()) }).await.unwrap();
    note("send a request");
    assert_eq!(page, EXPECTED);
}

const EXPECTED: &str = "\
make a directory: [CreateDirectory]
write a file: [List, Create, Write, Sync, Rename, Sync]
create a file: [Create, Write, Sync, Rename, Sync]
append a line: [Create, Write, Sync]
set a mode: [Write]
read a file: [Read]
remove a file: [Unlink]
remove a tree: [RemoveDirectory]
lock: [Lock, Write]
start a process: [Create, Spawn]
look for a process: [Read]
signal a process: [Read, Signal]
run a program: [Spawn]
send a request: [Request]
";
