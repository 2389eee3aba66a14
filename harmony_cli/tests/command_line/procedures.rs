//! `run`.

use harmony_cli::{Exit, Interrupter};

use crate::place::shelf;
use crate::program::Program;

#[tokio::test]
async fn without_a_name_it_lists_what_is_offered() {
    let program = Program::new();
    let said = program.run("run", &[shelf("low", 1), shelf("high", 1)]).await;
    assert_eq!(said.exit, Exit::Done);
    insta::assert_snapshot!(said.output, @r"
    repair wall/high
      repairs shelf high
    repair wall/low
      repairs shelf low
    ");
    let events = program.run("run --json", &[shelf("low", 1)]).await.events();
    let (first, last) = (&events[0], &events[1]);
    assert_eq!(
        (&first["event"], &first["procedure"], &first["subject"]),
        (&"procedure".into(), &"repair".into(), &"wall/low".into())
    );
    assert_eq!((&first["steps"][0]["name"], &first["underway"], &last["event"]), (&"prop".into(), &().into(), &"summary".into()));
    let said = program.run("run", &[]).await;
    assert_eq!(said.output, "The Scores of this program offer no procedures.\n");
}

#[tokio::test]
async fn it_shows_the_steps_and_carries_them_out() {
    let program = Program::new();
    program.run("apply --yes", &[shelf("low", 1)]).await;
    let said = program.run("run repair low --yes", &[shelf("low", 1)]).await;
    assert_eq!(said.exit, Exit::Done);
    insta::assert_snapshot!(said.output);
    insta::assert_snapshot!(said.messages);
    assert_eq!(program.world.shelves.lock().unwrap().keys().collect::<Vec<_>>(), ["low"]);
}

#[tokio::test]
async fn it_asks_and_nothing_has_begun_before() {
    let program = Program::new();
    program.run("apply --yes", &[shelf("low", 1)]).await;
    let said = program.run("run repair low", &[shelf("low", 1)]).await;
    assert_eq!(said.exit, Exit::Refused);
    assert!(said.messages.contains("look at the plan, then run it with `--yes`"), "{}", said.messages);
    assert!(!program.run("plan", &[shelf("low", 1)]).await.messages.contains("under way"));
}

#[tokio::test]
async fn what_is_not_as_the_scores_say_is_applied_first() {
    let program = Program::new();
    let said = program.run("run repair low --yes --json", &[shelf("low", 1)]).await;
    assert_eq!((said.exit, &said.summary()["outcome"]), (Exit::Refused, &"refused".into()));
    assert!(
        said.messages.contains("error: repair wall/low cannot begin: 1 thing of the site is not as its Scores say"),
        "{}",
        said.messages
    );
    assert!(said.messages.contains("hint: run `apply` first"), "{}", said.messages);
}

#[tokio::test]
async fn a_wrong_name_is_wrong_usage() {
    let program = Program::new();
    let said = program.run("run repair lwo", &[shelf("low", 1)]).await;
    assert_eq!(said.exit, Exit::WrongUsage);
    insta::assert_snapshot!(said.messages, @r"
    error: no Score offers `repair lwo`
      hint: did you mean `repair wall/low`? `run` lists what is offered
    ");
}

#[tokio::test]
async fn an_interrupted_one_is_gone_on_with_and_told_by_every_command() {
    let program = Program::new();
    let shelves = [shelf("low", 1)];
    program.run("apply --yes", &shelves).await;
    program.world.slow.lock().unwrap().push("low-prop".to_owned());
    let said = program.run_interruptible("run repair low --yes", &shelves, async |interrupter: Interrupter| {
        program.world.is_waiting.notified().await;
        interrupter.interrupt();
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        program.world.go_on.notify_one();
    });
    let said = said.await;
    assert_eq!(said.exit, Exit::Interrupted);
    assert!(said.messages.contains("what `repair wall/low` has reached holds, also under `apply`"), "{}", said.messages);
    program.world.slow.lock().unwrap().clear();
    for command in ["plan", "apply --yes", "status", "verify"] {
        let said = program.run(command, &shelves).await;
        let words = "`repair wall/low` is under way, at step 1 of 2 (prop), whose state holds: go on with `run repair wall/low`";
        assert!(said.messages.contains(words), "{command}: {}", said.messages);
    }
    assert!(program.world.shelves.lock().unwrap().contains_key("low-prop"), "an apply takes nothing away that it needs");
    let said = program.run("run", &shelves).await;
    assert!(said.output.contains("  under way, at step 1 of 2 (prop): run it to go on"), "{}", said.output);
    let said = program.run("run repair low --yes", &shelves).await;
    assert!(said.output.contains("→ 1. prop"), "{}", said.output);
    assert_eq!(said.exit, Exit::Done);
    assert!(!program.world.shelves.lock().unwrap().contains_key("low-prop"));
}
