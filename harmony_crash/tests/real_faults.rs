//! A disk that is really full, and directories that really cannot be written: what the operating system itself says, and then one run.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test that cannot go on ends")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use harmony_crash::{Matrix, Next, ReadOnly, SmallDisk, World, alone};
use harmony_test::Finished;

const BINARY: &str = env!("CARGO_BIN_EXE_crash_one_server");
/// Room for everything.
const ENOUGH: u32 = 128 * 1024;

/// It failed, and says on what, why, and what to do.
fn expect_help(ended: &Finished, causes: &[&str], when: &str) {
    let output = ended.output();
    assert_eq!(ended.code, 1, "{when}: {output}");
    assert!(output.contains("error: "), "{when}, it names no error: {output}");
    assert!(causes.iter().any(|cause| output.to_lowercase().contains(cause)), "{when}, it does not say why: {output}");
    let helps = ["hint: ", "Run it again"].iter().any(|words| output.contains(words));
    assert!(helps, "{when}, it does not say what to do: {output}");
}

/// Of the operating system, and of a server that has met the same.
const FULL: [&str; 2] = ["no space left on device", "insufficient"];
const READ_ONLY: [&str; 1] = ["read-only file system"];
const NOT_ALLOWED: [&str; 1] = ["permission denied"];

#[test]
fn a_disk_that_fills_up_on_the_way_ends_in_an_error_that_helps_and_the_next_run_needs_nothing() {
    if !alone("a_disk_that_fills_up_on_the_way_ends_in_an_error_that_helps_and_the_next_run_needs_nothing") {
        return;
    }
    let matrix = Matrix::new(BINARY, 1, &[]);
    let mut failed = 0;
    for pages in [1, 4, 12, 24, 48, 128] {
        let world = World::new(BINARY, &[]);
        let disk = SmallDisk::mount(world.program().state().parent().unwrap(), pages);
        let ended = world.run(&["apply", "--yes"]);
        println!("{pages} pages: {}", ended.code);
        if ended.code != 0 {
            expect_help(&ended, &FULL, &format!("with {pages} pages"));
            failed += 1;
        }
        disk.resize(ENOUGH);
        matrix.expect_end(&world, Next::Apply);
    }
    assert!(failed > 4, "only {failed} were too small");
}

#[test]
fn a_disk_that_others_fill_holds_up_changes_and_the_next_run_needs_nothing() {
    if !alone("a_disk_that_others_fill_holds_up_changes_and_the_next_run_needs_nothing") {
        return;
    }
    let matrix = Matrix::new(BINARY, 1, &[]);
    for next in [Next::Apply, Next::Destroy] {
        let world = World::new(BINARY, &[]);
        let state = world.program().state();
        let disk = SmallDisk::mount(state.parent().unwrap(), 4096);
        world.expect(&["apply", "--yes"], 0);
        let others = state.with_file_name("others");
        // Written until nothing more fits.
        fs::write(&others, vec![7; 64 << 20]).unwrap_err();
        let ended = world.run(&["destroy", "--yes"]);
        expect_help(&ended, &FULL, "a destroy");
        fs::remove_file(others).unwrap();
        matrix.expect_end(&world, next);
        drop(disk);
    }
}

#[test]
fn directories_that_cannot_be_written_are_named_and_the_next_run_needs_nothing() {
    if !alone("directories_that_cannot_be_written_are_named_and_the_next_run_needs_nothing") {
        return;
    }
    let matrix = Matrix::new(BINARY, 1, &[]);
    cannot_be_written(&matrix, || World::new(BINARY, &[]), &READ_ONLY, &|directory| {
        let read_only = ReadOnly::make(directory);
        Box::new(move || drop(read_only))
    });
}

#[test]
fn directories_that_may_not_be_written_are_named_and_the_next_run_needs_nothing() {
    let matrix = Matrix::new(BINARY, 1, &[]);
    cannot_be_written(&matrix, || World::without_privileges(BINARY), &NOT_ALLOWED, &|directory| {
        let directory = directory.to_owned();
        let before = fs::metadata(&directory).unwrap().permissions();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o555)).unwrap();
        Box::new(move || fs::set_permissions(directory, before).unwrap())
    });
}

/// Makes a directory so that it cannot be written; what it gives back makes it as it was.
type Forbid<'a> = &'a dyn Fn(&Path) -> Box<dyn FnOnce()>;

fn cannot_be_written(matrix: &Matrix, new_world: impl Fn() -> World, causes: &[&str], forbid: Forbid<'_>) {
    let fails = |world: &World, directory: &Path, command: &str| {
        let allow = forbid(directory);
        let ended = world.run(&[command, "--yes"]);
        allow();
        expect_help(&ended, causes, &format!("{command} with `{}`", directory.display()));
        let named = directory.strip_prefix(world.directory()).unwrap().display().to_string();
        assert!(ended.output().contains(&named), "it does not name `{named}`: {}", ended.output());
    };
    let world = new_world();
    fails(&world, &world.directory(), "apply");
    matrix.expect_end(&world, Next::Apply);

    for next in [Next::Apply, Next::Destroy] {
        let world = new_world();
        world.expect(&["apply", "--yes"], 0);
        let state = world.program().state();
        fails(&world, &state, "destroy");
        // Not the server's: it acknowledges the deletion of a stream also where it cannot remove its files, and finds it again when it
        // is started again.
        fails(&world, &state.join("laptop/credentials/nats"), "destroy");
        matrix.expect_end(&world, next);
    }
    let world = new_world();
    world.expect(&["apply", "--yes"], 0);
    let server = world.program().state().join("laptop/nats/nats-1");
    fs::remove_file(server.join("nats.conf")).unwrap();
    fails(&world, &server, "apply");
    matrix.expect_end(&world, Next::Apply);
}
