//! Saving a plan, showing it elsewhere, and carrying it out.

use harmony_cli::Exit;
use serde_json::Value as Json;

use crate::place::{Shelf, shelf};
use crate::program::{Program, Said};

/// What a test plans: two shelves stand, one of them is to be replaced, one is new.
async fn standing() -> Program {
    let program = Program::new();
    program.run("apply --yes", &[shelf("low", 1), shelf("high", 1)]).await;
    program
}

fn wanted() -> Vec<Shelf> {
    vec![shelf("low", 1), shelf("high", 2), shelf("top", 1)]
}

fn file(program: &Program) -> String {
    program.state.path().join("night.plan").display().to_string()
}

async fn save(program: &Program) -> Said {
    program.run(&format!("plan --out {}", file(program)), &wanted()).await
}

/// The lines that are about the plan, without how long it took.
fn planned(said: &Said) -> Vec<Json> {
    let mut events = said.events();
    events.retain(|event| event["event"] != "phase" && event["event"] != "remark");
    events.iter_mut().for_each(|event| drop(event.as_object_mut().unwrap().remove("seconds")));
    events
}

#[tokio::test]
async fn what_is_shown_elsewhere_is_what_was_planned() {
    let program = standing().await;
    let said = save(&program).await;
    assert_eq!(said.exit, Exit::Done);
    assert!(said.messages.contains("saved; `site apply "), "{}", said.messages);
    // Another program on another machine: no state, no Scores, and a place that nobody can look at.
    let elsewhere = Program::new();
    elsewhere.world.dark.lock().unwrap().push("everything".to_owned());
    let shown = elsewhere.run(&format!("show {}", file(&program)), &[]).await;
    assert_eq!((shown.exit, &shown.output, shown.messages.as_str()), (Exit::Done, &said.output, ""));
    let lines = program.run("plan --json", &wanted()).await;
    let shown = elsewhere.run(&format!("show --json {}", file(&program)), &[]).await;
    assert_eq!(planned(&shown), planned(&lines));
    assert!(!elsewhere.state.path().join("site").exists(), "showing leaves nothing behind");
}

#[tokio::test]
async fn a_saved_plan_is_carried_out_without_a_question_as_it_was_shown() {
    let program = standing().await;
    let said = save(&program).await;
    let applied = program.run(&format!("apply {}", file(&program)), &wanted()).await;
    assert_eq!(applied.exit, Exit::Done, "{}", applied.messages);
    assert!(applied.output.starts_with(&said.output), "{}", applied.output);
    assert_eq!(program.world.shelves.lock().unwrap()["high"].boards, 2);
    assert_eq!(program.run("plan --exit-code", &wanted()).await.exit, Exit::Done);
}

#[tokio::test]
async fn what_moved_is_named_and_nothing_is_changed() {
    let program = standing().await;
    save(&program).await;
    program.world.shelves.lock().unwrap().get_mut("low").unwrap().label = "books".to_owned();
    program.world.shelves.lock().unwrap().remove("high");
    let said = program.run(&format!("apply {}", file(&program)), &wanted()).await;
    assert_eq!((said.exit, said.output.as_str()), (Exit::Refused, ""));
    insta::assert_snapshot!(said.messages, @r#"
    error: the plan no longer holds: 2 things are not as planned
      warehouse/high: shelf high
        it was planned that it would be replaced: boards are glued; now it would be made
        what would be lost: as planned, nothing; now, an earlier run made it and it is gone; it held nothing when last seen
        it was there when it was planned, and is not seen now
      warehouse/low: shelf low
        it was planned that it would be left as it is; now it would be changed
        `/label` was as it should be, "shelf low", and is "books" now
      hint: nothing has been changed; plan again, and look at what it says now
    "#);
    let lines = program.run(&format!("apply --json {}", file(&program)), &wanted()).await.events();
    let error = lines.iter().find(|line| line["event"] == "error").unwrap();
    assert_eq!(error["moved"][1]["address"], "warehouse/low", "{error}");
    assert_eq!(lines.last().unwrap()["outcome"], "refused");
    assert_eq!(program.world.shelves.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_plan_that_would_be_refused_is_not_saved() {
    let program = standing().await;
    program.world.holds.lock().unwrap().insert("high".to_owned(), "12 books".to_owned());
    let said = save(&program).await;
    assert_eq!(said.exit, Exit::Refused);
    assert!(said.messages.contains("nothing was saved"), "{}", said.messages);
    assert!(!std::path::Path::new(&file(&program)).exists());
    let losing = format!("plan --out {} --allow-loss warehouse/high", file(&program));
    assert_eq!(program.run(&losing, &wanted()).await.exit, Exit::Done);
    assert_eq!(program.run(&format!("apply {}", file(&program)), &wanted()).await.exit, Exit::Done);
}

#[tokio::test]
async fn a_file_that_is_no_plan_is_told_apart_from_none() {
    let program = standing().await;
    save(&program).await;
    let text = std::fs::read_to_string(file(&program)).unwrap();
    for (what, text) in [
        ("has format 9", text.replacen("\"saved_plan\":1", "\"saved_plan\":9", 1)),
        ("is damaged", text.replacen("shelf low", "shelf lou", 1)),
        ("is not a saved plan", "hello".to_owned()),
    ] {
        std::fs::write(file(&program), text).unwrap();
        for command in ["show", "apply"] {
            let said = program.run(&format!("{command} {}", file(&program)), &wanted()).await;
            assert_eq!(said.exit, Exit::Refused, "{command}");
            assert!(said.messages.contains(what) && said.messages.contains("hint: "), "{}", said.messages);
        }
    }
    std::fs::remove_file(file(&program)).unwrap();
    let said = program.run(&format!("show {}", file(&program)), &[]).await;
    assert_eq!(said.exit, Exit::Failed);
    assert!(said.messages.contains("there is no saved plan"), "{}", said.messages);
}

#[tokio::test]
async fn what_was_allowed_when_it_was_planned_cannot_be_changed_later() {
    let program = standing().await;
    save(&program).await;
    for flag in ["--allow-loss warehouse/high", "--adopt warehouse/high", "--moved"] {
        let said = program.run(&format!("apply {} {flag}", file(&program)), &wanted()).await;
        assert_eq!(said.exit, Exit::WrongUsage, "{flag}");
    }
}
