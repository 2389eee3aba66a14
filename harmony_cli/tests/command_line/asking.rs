//! What is asked, and what is not.

use harmony_cli::{Exit, Tty};

use crate::place::shelf;
use crate::program::Program;

#[tokio::test]
async fn without_a_terminal_nothing_is_applied_that_nobody_agreed_to() {
    let program = Program::new();
    let said = program.run("apply", &[shelf("low", 1)]).await;
    assert_eq!(said.exit, Exit::Refused);
    insta::assert_snapshot!(said.messages, @"
    error: there is no terminal in which to ask whether to go on, and nothing has been changed
      hint: look at the plan, then run it with `--yes`
    ");
    assert!(said.output.contains("+ warehouse/low"), "the plan is shown first: {}", said.output);
    assert!(program.world.shelves.lock().unwrap().is_empty());
    assert_eq!(program.run("destroy --json", &[]).await.exit, Exit::Done, "nothing has been made");
}

#[tokio::test]
async fn in_a_terminal_only_a_yes_is_a_yes() {
    let mut program = Program::new();
    program.tty = Tty::Terminal;
    for answer in ["\n", "no\n", "", "sure\n"] {
        program.input = answer.to_owned();
        let said = program.run("apply", &[shelf("low", 1)]).await;
        assert_eq!(said.exit, Exit::Refused, "{answer:?}");
        assert!(said.messages.contains("Apply these changes? [y/N] "), "{}", said.messages);
    }
    assert!(program.world.shelves.lock().unwrap().is_empty());
    program.input = "Y\n".to_owned();
    assert_eq!(program.run("apply", &[shelf("low", 1)]).await.exit, Exit::Done);
    program.input = "yes\n".to_owned();
    assert_eq!(program.run("destroy", &[]).await.exit, Exit::Done);
    assert!(program.world.shelves.lock().unwrap().is_empty());
}

#[tokio::test]
async fn colour_is_for_terminals_and_for_those_who_ask() {
    let mut program = Program::new();
    let piped = program.run("plan", &[shelf("low", 1)]).await;
    assert!(!piped.output.contains('\u{1b}'));
    let asked = program.run("plan --color always", &[shelf("low", 1)]).await;
    assert!(asked.output.contains("\u{1b}[32m  +\u{1b}[0m warehouse/low"), "{}", asked.output);
    program.variables.insert("CLICOLOR_FORCE".to_owned(), "1".to_owned());
    assert_eq!(program.run("plan", &[shelf("low", 1)]).await.output, asked.output);
    program.variables.insert("NO_COLOR".to_owned(), "1".to_owned());
    assert_eq!(program.run("plan", &[shelf("low", 1)]).await.output, piped.output);
}

#[tokio::test]
async fn quiet_says_only_what_failed() {
    let program = Program::new();
    let said = program.run("apply --yes --quiet", &[shelf("low", 1)]).await;
    assert_eq!((said.exit, said.messages.as_str()), (Exit::Done, ""));
    program.world.refused.lock().unwrap().push("high".to_owned());
    let said = program.run("apply --yes --quiet", &[shelf("low", 1), shelf("high", 1)]).await;
    assert!(said.messages.starts_with("error: failed to build shelf high: no wood left\n"), "{}", said.messages);
}

#[tokio::test]
async fn the_version_is_that_of_what_it_is_built_with() {
    let said = Program::new().run("--version", &[]).await;
    assert_eq!((said.exit, said.output), (Exit::Done, format!("site (built with Harmony {})\n", env!("CARGO_PKG_VERSION"))));
}
