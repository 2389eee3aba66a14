//! Commands that change nothing.

use harmony::Scores;
use harmony::modules::nats::score::NatsScore;
use harmony_cli::{Exit, interrupts};
use harmony_io::Mode;
use harmony_local::{LocalTopology, WithNats};
use serde_json::Value as Json;

use crate::place::{Shelf, shelf};
use crate::program::Program;

fn locked(mut shelf: Shelf) -> Shelf {
    shelf.lock = Some("filled in by the Score".into());
    shelf.combination = Some("hunter3".to_owned());
    shelf
}

#[tokio::test]
async fn a_plan_shows_what_would_be_made_and_makes_nothing() {
    let program = Program::new();
    let said = program.run("plan", &[shelf("low", 1), locked(shelf("high", 2))]).await;
    assert_eq!(said.exit, Exit::Done);
    insta::assert_snapshot!(said.output);
    assert_eq!(said.messages, "");
    assert!(program.world.shelves.lock().unwrap().is_empty());
    assert_eq!(std::fs::read_dir(program.state.path()).unwrap().count(), 0, "a plan writes no state");
}

#[tokio::test]
async fn a_plan_tells_by_its_exit_code_whether_something_would_change_if_asked_to() {
    let program = Program::new();
    assert_eq!(program.run("plan --exit-code", &[shelf("low", 1)]).await.exit, Exit::Pending);
    assert_eq!(program.run("apply --yes", &[shelf("low", 1)]).await.exit, Exit::Done);
    let said = program.run("plan --exit-code", &[shelf("low", 1)]).await;
    assert_eq!((said.exit, said.output.as_str()), (Exit::Done, "No changes. Everything is as the Scores say.\n"));
}

#[tokio::test]
async fn a_plan_as_json_has_one_line_for_each_planned_change() {
    let program = Program::new();
    let said = program.run("plan --json", &[shelf("low", 1), shelf("high", 1)]).await;
    let events = said.events();
    let planned: Vec<(&str, &str)> = events
        .iter()
        .filter(|event| event["event"] == "planned_change")
        .map(|event| (event["action"].as_str().unwrap(), event["address"].as_str().unwrap()))
        .collect();
    assert_eq!(planned, [("create", "warehouse/high"), ("create", "warehouse/low"), ("prove", "warehouse/straight")]);
    let summary = said.summary();
    assert_eq!((&summary["outcome"], &summary["create"], &summary["writes"]), (&"changed".into(), &2.into(), &0.into()));
}

#[tokio::test]
async fn drift_is_what_somebody_else_has_changed() {
    let program = Program::new();
    let shelves = [shelf("low", 1), shelf("high", 1)];
    program.run("apply --yes", &shelves).await;
    assert_eq!(program.run("drift", &shelves).await.exit, Exit::Done);
    program.world.shelves.lock().unwrap().get_mut("low").unwrap().label = "first line\nsecond line\n".to_owned();
    let said = program.run("drift", &shelves).await;
    assert_eq!(said.exit, Exit::Pending);
    insta::assert_snapshot!(said.output);
    assert_eq!(program.run("drift --json", &shelves).await.summary()["outcome"], "changed");
}

#[tokio::test]
async fn verify_fails_when_a_proof_does() {
    let program = Program::new();
    let shelves = [shelf("low", 1)];
    program.run("apply --yes", &shelves).await;
    let said = program.run("verify", &shelves).await;
    assert_eq!(said.exit, Exit::Done);
    insta::assert_snapshot!(said.output, @"
    ✓ shelf low stands straight
        with a spirit level, as visitor (2 checks)
        largest angle: 1 degree

    Verified: 1 proof holds (0.0 s)
    ");
    program.world.shelves.lock().unwrap().clear();
    let said = program.run("verify", &shelves).await;
    assert_eq!(said.exit, Exit::Failed);
    insta::assert_snapshot!(said.messages);
    assert_eq!(program.run("verify --json", &shelves).await.summary()["outcome"], "failed");
}

#[tokio::test]
async fn status_names_what_is_lost_and_what_still_works() {
    let program = Program::new();
    let shelves = [shelf("a", 1), shelf("b", 1), shelf("c", 1), shelf("d", 1)];
    program.run("apply --yes", &shelves).await;
    assert_eq!(program.run("status", &shelves).await.exit, Exit::Done);
    program.world.shelves.lock().unwrap().remove("b");
    program.world.dark.lock().unwrap().push("c".to_owned());
    let said = program.run("status", &shelves).await;
    assert_eq!(said.exit, Exit::Pending);
    insta::assert_snapshot!(said.output);
    let events = program.run("status --json", &shelves).await.events();
    let lost = events.iter().find(|event| event["address"] == "warehouse/c").unwrap();
    assert!(lost["state"]["unreachable"]["why"].as_str().unwrap().contains("no light in there"), "{lost}");
}

#[tokio::test]
async fn render_shows_everything_but_secrets() {
    let program = Program::new();
    let said = program.run("render", &[shelf("low", 1), locked(shelf("high", 2))]).await;
    assert_eq!(said.exit, Exit::Done);
    insta::assert_snapshot!(said.output);
    let json = program.run("render --json", &[locked(shelf("high", 2))]).await;
    assert_eq!(json.events()[0]["spec"]["combination"], "(sensitive)");
    assert!(!said.output.contains("hunter") && !json.output.contains("hunter"));
}

#[tokio::test]
async fn render_writes_one_private_file_per_resource_and_secrets_only_if_told() {
    use std::os::unix::fs::PermissionsExt;
    let program = Program::new();
    let shelves = [shelf("low", 1), locked(shelf("high", 2))];
    program.run("apply --yes", &shelves).await;
    let directory = program.state.path().join("rendered");
    let to = directory.to_str().unwrap();
    let file = directory.join("warehouse/high.yaml");
    assert_eq!(program.run(&format!("render --to {to}"), &shelves).await.exit, Exit::Done);
    assert!(!std::fs::read_to_string(&file).unwrap().contains("hunter"));
    let said = program.run(&format!("render --to {to} --secrets"), &shelves).await;
    assert_eq!(said.exit, Exit::Done);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("combination: hunter3") && text.contains("    user\n    hunter2"), "{text}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!said.output.contains("hunter") && !said.messages.contains("hunter"));
    assert_eq!(program.run("render --secrets", &shelves).await.exit, Exit::WrongUsage);
}

#[tokio::test]
async fn list_says_which_line_wants_what() {
    let said = Program::new().run("list", &[shelf("low", 1)]).await;
    let line = said.output.lines().next().unwrap();
    assert!(line.starts_with("shelves  harmony_cli/tests/command_line/program.rs:") && line.ends_with("  1 resource, 1 proof"));
    assert!(said.output.contains("  warehouse/low  test-shelf/v1 low\n"), "{}", said.output);
    assert_eq!(Program::new().run("list --json", &[shelf("low", 1)]).await.events()[0]["score"], "shelves");
}

#[tokio::test]
async fn graph_draws_what_stands_on_what_in_three_languages_and_as_json() {
    let program = Program::new();
    let shelves = [shelf("low", 1), shelf("high", 2)];
    let mermaid = program.run("graph", &shelves).await;
    assert_eq!((mermaid.exit, mermaid.messages.as_str()), (Exit::Done, ""));
    assert!(mermaid.output.contains("b1 -.-> b0"), "high stands on low: {}", mermaid.output);
    assert!(program.run("graph --format dot", &shelves).await.output.contains("b1 -> b0 [style=dashed];"));
    assert!(program.run("graph --all --format svg", &shelves).await.output.ends_with("</svg>\n"));
    let events = program.run("graph --json", &shelves).await.events();
    assert_eq!(events[0]["members"], serde_json::json!(["warehouse/high"]));
    assert!(events.iter().any(|event| event["event"] == "graph_edge" && event["is_gate"] == true));
    assert!(program.world.shelves.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_place_that_does_not_answer_is_a_failure_with_its_cause_and_hint() {
    let program = Program::new();
    program.world.dark.lock().unwrap().push("everything".to_owned());
    let said = program.run("plan --json", &[shelf("low", 1)]).await;
    assert_eq!(said.exit, Exit::Failed);
    insta::assert_snapshot!(said.messages, @"
    error: failed to look at the place
      caused by: failed to find the warehouse: connection refused
      hint: switch it on
    ");
    assert_eq!(said.summary()["outcome"], "failed");
}

#[tokio::test]
async fn a_thing_that_does_not_answer_fails_the_plan_by_name() {
    let program = Program::new();
    program.run("apply --yes", &[shelf("low", 1)]).await;
    program.world.dark.lock().unwrap().push("low".to_owned());
    let said = program.run("plan", &[shelf("low", 1)]).await;
    assert_eq!(said.exit, Exit::Failed);
    assert!(said.messages.contains("error: failed to look at shelf low: no light in there"), "{}", said.messages);
    assert!(said.messages.contains("wanted by shelves (harmony_cli/tests/"), "{}", said.messages);
}

#[tokio::test]
async fn wrong_usage_and_help_are_told_apart() {
    let program = Program::new();
    let said = program.run("plann", &[]).await;
    assert_eq!((said.exit, said.output.as_str()), (Exit::WrongUsage, ""));
    assert!(said.messages.contains("'plan'"), "did you mean: {}", said.messages);
    let said = program.run("apply --help", &[]).await;
    assert_eq!((said.exit, said.messages.as_str()), (Exit::Done, ""));
    assert!(said.output.contains("  site apply --yes --json"), "{}", said.output);
}

/// A machine on which this program says that it is a nats-server.
fn machine(nats_server: &std::path::Path) -> LocalTopology<WithNats> {
    LocalTopology::new("laptop").with_nats(harmony_nats::client()).with_nats_server(nats_server)
}

#[tokio::test]
async fn what_a_file_says_of_a_place_is_as_good_as_a_look_at_it() {
    let program = Program::new();
    let server = program.state.path().join("nats-server");
    harmony_io::Io::real().write_file(&server, b"#!/bin/sh\necho nats-server: v2.15.1\n", Mode::Executable).unwrap();
    let scores = || Scores::default().with(NatsScore::new("nats"));
    let looking = async |arguments: &str| program.run_on(arguments, machine(&server), scores(), interrupts().1).await;
    // Where nobody can look, the file is all there is.
    let nowhere = std::path::Path::new("/nowhere/nats-server");
    let knowing = async |arguments: &str| program.run_on(arguments, machine(nowhere), scores(), interrupts().1).await;
    let found = looking("facts").await;
    assert_eq!((found.exit, found.messages.as_str()), (Exit::Done, ""));
    assert_eq!(looking("facts --json").await.events()[0]["facts"], serde_json::from_str::<Json>(&found.output).unwrap());
    let file = program.state.path().join("facts.json");
    std::fs::write(&file, &found.output).unwrap();
    for command in ["render", "render --json", "list", "graph --all"] {
        assert_eq!(knowing(command).await.exit, Exit::Failed, "{command}");
        let known = knowing(&format!("{command} --facts {}", file.display())).await;
        let shown = looking(command).await;
        assert_eq!((known.exit, known.messages.as_str()), (Exit::Done, ""), "{command}");
        assert!(timeless_summary(&known.output) == timeless_summary(&shown.output), "{command}: {}", known.output);
    }
    std::fs::write(&file, "{\"nats_server\": 7}").unwrap();
    let other = knowing(&format!("render --facts {}", file.display())).await;
    assert_eq!(other.exit, Exit::Refused);
    assert!(
        other.messages.contains("does not hold the facts of this place") && other.messages.contains("hint: "),
        "{}",
        other.messages
    );
    let absent = knowing(&format!("graph --facts {}.gone", file.display())).await;
    assert!(absent.exit == Exit::Failed && absent.messages.contains("there is no file of facts"), "{}", absent.messages);
}

/// Without the line that says how long it took.
fn timeless_summary(output: &str) -> String {
    output.lines().filter(|line| !line.contains("\"seconds\":")).map(|line| format!("{line}\n")).collect()
}
