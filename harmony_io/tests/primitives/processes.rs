//! Processes that outlive us, found without mistaking another for them, and stopped even if they do not want to.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use harmony_io::{Faults, Injected, Io, Moment, Operation, Point, ProcessId, Signal, StartTime};
use tempfile::TempDir;

/// A process that is killed when this is dropped.
struct Started(Child);

impl Started {
    fn sleep(arguments: &[&str]) -> Self {
        Self(Command::new("sleep").args(arguments).stdin(Stdio::null()).spawn().unwrap())
    }

    fn id(&self) -> ProcessId {
        ProcessId(self.0.id())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A number of seconds that no other process of this machine sleeps.
fn unique(tail: u32) -> String {
    format!("{}.{tail:03}", 1_000_000 + std::process::id())
}

fn script(directory: &TempDir, text: &str) -> PathBuf {
    let path = directory.path().join("script");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn kill(io: &Io, process: ProcessId) {
    if let Some(started) = io.find_process(process).unwrap() {
        io.signal(process, started, Signal::Kill).unwrap();
    }
}

#[tokio::test]
async fn a_program_that_is_run_to_its_end_does_not_hear_what_is_pressed_in_our_terminal() {
    let arguments = ["-c", "cut -d' ' -f5 /proc/$$/stat; echo $$"];
    let said = Io::real().run_program(Path::new("/bin/sh"), &arguments, Duration::from_secs(20)).await.unwrap().stdout;
    let (group, process) = said.trim().split_once('\n').unwrap();
    assert_eq!(group, process, "it is in the group of another process");
}

#[test]
fn only_processes_with_exactly_these_arguments_are_found() {
    let io = Io::real();
    let (one, other) = (unique(1), unique(2));
    let wanted = Started::sleep(&[&one]);
    let others = [
        Started::sleep(&[&one, &other]),
        Started::sleep(&[&other, &one]),
        Started::sleep(&[&format!("{one}0")]),
        Started::sleep(&[&other]),
    ];
    assert_eq!(io.find_processes_with(&[&one]).unwrap(), [wanted.id()]);
    assert_eq!(io.find_processes_with(&[&one, &other]).unwrap(), [others[0].id()]);
    assert_eq!(io.find_processes_with(&[one[..one.len() - 1].to_owned()]).unwrap(), []);
    assert!(io.has_arguments(wanted.id(), &[&one]).unwrap());
    assert!(!io.has_arguments(others[3].id(), &[&one]).unwrap());
    assert!(!io.has_arguments(wanted.id(), &[] as &[&str]).unwrap());
    drop(wanted);
    assert_eq!(io.find_processes_with(&[&one]).unwrap(), []);
}

#[test]
fn a_detached_process_has_no_environment_and_a_process_group_of_its_own() {
    let io = Io::real();
    let directory = TempDir::new().unwrap();
    let log = directory.path().join("log");
    let process = io.spawn_detached(Path::new("/bin/sleep"), &[unique(3)], &log).unwrap();
    let proc = Path::new("/proc").join(process.to_string());
    let environment = fs::read(proc.join("environ")).unwrap();
    let stat = fs::read_to_string(proc.join("stat")).unwrap();
    let directory = fs::read_link(proc.join("cwd")).unwrap();
    kill(&io, process);
    assert_eq!(environment, b"");
    assert!(std::env::vars_os().next().is_some(), "we have an environment that it could have got");
    // State, parent, process group.
    let group = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(2).unwrap();
    assert_eq!(group, process.to_string());
    assert_eq!(directory, Path::new("/"), "it keeps no directory of ours in use");
}

#[test]
fn what_a_detached_process_says_goes_to_the_end_of_its_log() {
    let directory = TempDir::new().unwrap();
    let log = directory.path().join("log");
    fs::write(&log, "before\n").unwrap();
    let program = script(&directory, "#!/bin/sh\necho out\necho error >&2\n");
    Io::real().spawn_detached(&program, &[] as &[&str], &log).unwrap();
    wait_until("it has said all", || fs::read_to_string(&log).unwrap() == "before\nout\nerror\n");
}

/// Dies as soon as a process has been started.
struct DiesAfterSpawning;

impl Faults for DiesAfterSpawning {
    fn at(&self, point: Point<'_>) -> Injected {
        match (point.operation, point.moment) {
            (Operation::Spawn, Moment::After) => Injected::Die,
            _ => Injected::Nothing,
        }
    }
}

const DIRECTORY: &str = "HARMONY_TEST_DIRECTORY";

/// Not a test of its own: what the next one starts as a program.
#[test]
fn a_program_that_dies_when_it_has_started_a_process() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let arguments = [unique(4)];
    fs::write(Path::new(&directory).join("arguments"), &arguments[0]).unwrap();
    let io = Io::with_faults(Arc::new(DiesAfterSpawning));
    let started = io.spawn_detached(Path::new("/bin/sleep"), &arguments, &Path::new(&directory).join("log"));
    panic!("it lives: {started:?}");
}

#[test]
fn a_detached_process_survives_the_death_of_the_program_and_is_found_again() {
    let directory = TempDir::new().unwrap();
    let program = std::env::current_exe().unwrap();
    let name = "processes::a_program_that_dies_when_it_has_started_a_process";
    let ended = Command::new(program).args(["--exact", name]).env(DIRECTORY, directory.path()).output().unwrap();
    assert!(ended.status.code().is_none(), "it was killed: {ended:?}");
    let arguments = [fs::read_to_string(directory.path().join("arguments")).unwrap()];
    let io = Io::real();
    let found = io.find_processes_with(&arguments).unwrap();
    let [process] = found[..] else { panic!("{found:?}") };
    assert!(io.find_process(process).unwrap().is_some());
    kill(&io, process);
    wait_until("it is gone", || io.find_process(process).unwrap().is_none());
}

#[tokio::test]
async fn a_process_that_ignores_to_be_asked_is_killed() {
    let io = Io::real();
    let directory = TempDir::new().unwrap();
    let log = directory.path().join("log");
    let program = script(&directory, "#!/bin/sh\ntrap '' TERM\necho ready\nexec sleep 600\n");
    let process = io.spawn_detached(&program, &[] as &[&str], &log).unwrap();
    wait_until("it ignores", || fs::read_to_string(&log).unwrap() == "ready\n");
    let started = io.find_process(process).unwrap().unwrap();
    let begun = Instant::now();
    io.stop_process(process, started, Duration::from_millis(300)).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(300), "it was asked first");
    assert_eq!(io.find_process(process).unwrap(), None);
}

#[tokio::test]
async fn another_process_with_the_same_number_is_left_alone() {
    let io = Io::real();
    let other = Started::sleep(&[&unique(5)]);
    let started = io.find_process(other.id()).unwrap().unwrap();
    let before = StartTime(started.0 - 1);
    io.stop_process(other.id(), before, Duration::from_millis(50)).await.unwrap();
    assert!(!io.signal(other.id(), before, Signal::Kill).unwrap());
    assert_eq!(io.find_process(other.id()).unwrap(), Some(started));
}

#[test]
fn a_stopped_process_is_told_from_one_that_runs() {
    let directory = TempDir::new().unwrap();
    let io = Io::real();
    let process = io.spawn_detached(Path::new("/bin/sleep"), &[unique(5)], &directory.path().join("log")).unwrap();
    let started = io.find_process(process).unwrap().unwrap();
    assert!(!io.is_stopped(process, started).unwrap());
    assert!(std::process::Command::new("kill").args(["-STOP", &process.to_string()]).status().unwrap().success());
    wait_until("the process is stopped", || io.is_stopped(process, started).unwrap());
    assert!(!io.is_stopped(process, StartTime(started.0 + 1)).unwrap(), "another process of that number is not this one");
    kill(&io, process);
    wait_until("the process has ended", || !io.is_stopped(process, started).unwrap());
}

#[test]
fn this_process_knows_itself_its_host_and_its_user() {
    let io = Io::real();
    let (process, started) = io.own_process().unwrap();
    assert_eq!((process.0, io.find_process(process).unwrap()), (std::process::id(), Some(started)));
    let said = |program: &str, argument: &str| {
        let output = std::process::Command::new(program).arg(argument).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(io.host_name().unwrap(), said("uname", "-n"));
    assert_eq!(io.user_name().unwrap(), said("id", "-un"));
}
