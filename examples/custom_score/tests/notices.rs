//! The example as its users run it: each command, and each sort of change.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::fs;
use std::path::Path;
use std::process::Output;

use harmony_test::SiteProgram;
use serde_json::{Value as Json, json};
use tempfile::NamedTempFile;

const BINARY: &str = env!("CARGO_BIN_EXE_custom_score");

struct Hallway {
    program: SiteProgram,
    notices: NamedTempFile,
}

impl Hallway {
    fn new() -> Self {
        Self::of(BINARY)
    }

    fn of(binary: &str) -> Self {
        Self { program: SiteProgram::new(binary), notices: NamedTempFile::new().unwrap() }
    }

    fn wants(&self, notices: &Json) {
        fs::write(self.notices.path(), notices.to_string()).unwrap();
    }

    fn run(&self, arguments: &[&str], code: i32) -> Output {
        let output = self.program.command(arguments).env("NOTICES", self.notices.path()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        output
    }

    /// The summary of `command`: what it came to, and how many things were made, changed, replaced and taken away.
    fn summary(&self, command: &[&str]) -> (String, [u64; 4]) {
        let output = self.run(&[command, &["--json"]].concat(), 0);
        let last: Json =
            serde_json::from_slice(output.stdout.trim_ascii().split(|byte| *byte == b'\n').next_back().unwrap()).unwrap();
        let counts = ["create", "update", "replace", "delete"].map(|count| last[count].as_u64().unwrap());
        (last["outcome"].as_str().unwrap().to_owned(), counts)
    }

    fn board(&self) -> Vec<(String, String)> {
        let files = fs::read_dir(self.program.state().join("board")).into_iter().flatten().map(Result::unwrap);
        let read = |file: fs::DirEntry| (file.file_name().into_string().unwrap(), fs::read_to_string(file.path()).unwrap());
        let mut board: Vec<_> = files.map(read).collect();
        board.sort();
        board
    }
}

fn notice(name: &str, colour: &str, text: &str) -> Json {
    json!({"name": name, "colour": colour, "text": text})
}

fn on_board(notices: &[(&str, &str)]) -> Vec<(String, String)> {
    notices.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn notices_are_made_changed_replaced_and_taken_away() {
    let hallway = Hallway::new();
    hallway.wants(&json!([notice("lift", "yellow", "broken"), notice("welcome", "white", "hello")]));
    assert_eq!(hallway.summary(&["plan"]), ("changed".to_owned(), [2, 0, 0, 0]));
    assert!(hallway.board().is_empty(), "the plan has made something");

    let changed = |counts| ("changed".to_owned(), counts);
    assert_eq!(hallway.summary(&["apply", "--yes"]), changed([2, 0, 0, 0]));
    assert_eq!(hallway.board(), on_board(&[("lift.yellow", "broken"), ("welcome.white", "hello")]));
    assert_eq!(hallway.summary(&["apply", "--yes"]), ("converged".to_owned(), [0; 4]));

    hallway.wants(&json!([notice("lift", "yellow", "repaired"), notice("welcome", "white", "hello")]));
    assert_eq!(hallway.summary(&["apply", "--yes"]), changed([0, 1, 0, 0]));
    hallway.wants(&json!([notice("lift", "green", "repaired")]));
    let plan = String::from_utf8(hallway.run(&["plan"], 0).stdout).unwrap();
    assert!(plan.contains("paper keeps its colour"), "{plan}");
    assert_eq!(hallway.summary(&["apply", "--yes"]), changed([0, 0, 1, 1]));
    assert_eq!(hallway.board(), on_board(&[("lift.green", "repaired")]));

    assert_eq!(hallway.summary(&["destroy", "--yes"]), changed([0, 0, 0, 1]));
    assert!(!hallway.program.state().exists(), "something is left");
}

#[test]
fn a_notice_that_somebody_else_put_there_is_not_touched() {
    let hallway = Hallway::new();
    let board = hallway.program.state().join("board");
    fs::create_dir_all(&board).unwrap();
    fs::write(board.join("lift.red"), "theirs").unwrap();
    hallway.wants(&json!([notice("lift", "yellow", "ours")]));
    let refused = hallway.run(&["apply", "--yes"], 5);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--adopt hallway/lift"));
    assert_eq!(hallway.board(), on_board(&[("lift.red", "theirs")]));
}

/// As with `CARGO_TARGET_DIR`: the program of one checkout stands where that of the other stood, and has the same state.
#[test]
fn two_checkouts_that_share_a_build_directory_do_not_take_away_what_the_other_made() {
    let shared = tempfile::tempdir_in(Path::new(BINARY).parent().unwrap()).unwrap();
    let built = shared.path().join("target/debug/custom_score");
    fs::create_dir_all(built.parent().unwrap()).unwrap();
    fs::hard_link(BINARY, &built).unwrap();
    let build_from = |checkout: &str| {
        let root = shared.path().join(checkout);
        fs::create_dir_all(&root).unwrap();
        fs::write(root.join("Cargo.lock"), "").unwrap();
        let list = format!("{}: {}\n", built.display(), root.join("src/main.rs").display());
        fs::write(built.with_extension("d"), list).unwrap();
        root.display().to_string()
    };
    let hallway = Hallway::of(built.to_str().unwrap());
    let one = build_from("one");
    hallway.wants(&json!([notice("lift", "yellow", "of one")]));
    hallway.run(&["apply", "--yes"], 0);
    let other = build_from("other");
    hallway.wants(&json!([notice("welcome", "white", "of the other")]));
    for command in [&["plan"][..], &["apply", "--yes"], &["destroy", "--yes"]] {
        let told = String::from_utf8_lossy(&hallway.run(command, 5).stderr).into_owned();
        assert!(told.contains("belongs to another checkout") && told.contains(&one) && told.contains(&other), "{told}");
    }
    assert_eq!(hallway.board(), on_board(&[("lift.yellow", "of one")]));
    build_from("one");
    hallway.run(&["destroy", "--yes"], 0);
}

#[test]
fn the_example_stays_small() {
    let lines = include_str!("../src/main.rs").lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines < 150, "{lines} lines that are not empty");
}
