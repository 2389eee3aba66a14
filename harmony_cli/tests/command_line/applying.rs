//! Commands that change something.

use harmony::Scores;
use harmony::lease::{FileLeaseStore, LeaseRecord, LeaseStore, WallTime};
use harmony_cli::{Exit, Interrupter, interrupts};
use harmony_io::Io;
use serde_json::json;

use crate::mistakes::Custom;
use crate::place::shelf;
use crate::program::Program;

#[tokio::test]
async fn apply_makes_proves_and_says_what_is_next() {
    let program = Program::new();
    let said = program.run("apply --yes", &[shelf("low", 1), shelf("high", 2)]).await;
    assert_eq!(said.exit, Exit::Done);
    insta::assert_snapshot!(said.output);
    insta::assert_snapshot!(said.messages, @"
         Created shelf low  0.0 s
         Created shelf high  0.0 s
          Proved shelf high stands straight  0.0 s
    ");
}

#[tokio::test]
async fn applying_again_says_one_line_and_writes_nothing() {
    let program = Program::new();
    program.run("apply --yes", &[shelf("low", 1)]).await;
    let said = program.run("apply", &[shelf("low", 1)]).await;
    assert_eq!((said.exit, said.messages.as_str()), (Exit::Done, ""));
    assert_eq!(said.output, "Nothing to change: 1 resource, 1 proof holds (0.0 s)\n");
    let mut summary = program.run("apply --json", &[shelf("low", 1)]).await.summary();
    summary["seconds"] = json!(0);
    let expected = json!({"event": "summary", "version": 1, "outcome": "converged", "create": 0, "update": 0, "replace": 0,
        "delete": 0, "unchanged": 1, "writes": 0, "proofs": 0, "seconds": 0});
    assert_eq!(summary, expected);
}

#[tokio::test]
async fn apply_as_json_tells_every_step_and_ends_with_what_was_done() {
    let program = Program::new();
    let said = program.run("apply --yes --json", &[shelf("low", 1)]).await;
    let events = said.events();
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "phase",
            "planned_change",
            "planned_change",
            "phase",
            "started",
            "finished",
            "started",
            "finished",
            "proved",
            "next_step",
            "summary"
        ]
    );
    let summary = said.summary();
    assert_eq!((&summary["outcome"], &summary["writes"], &summary["proofs"]), (&"changed".into(), &1.into(), &1.into()));
    assert_eq!(said.messages, "");
}

#[tokio::test]
async fn what_failed_is_told_with_its_cause_its_hint_and_its_score() {
    let program = Program::new();
    program.world.refused.lock().unwrap().push("low".to_owned());
    let said = program.run("apply --yes", &[shelf("low", 1), shelf("high", 2)]).await;
    assert_eq!(said.exit, Exit::Failed);
    insta::assert_snapshot!(said.messages);
    assert!(said.output.ends_with("So far: 1 failed, 0 unchanged (0.0 s)\n"), "{}", said.output);
    let summary = program.run("apply --yes --json", &[shelf("low", 1)]).await.summary();
    assert_eq!((&summary["outcome"], &summary["writes"]), (&"failed".into(), &0.into()));
}

#[tokio::test]
async fn a_replacement_that_loses_something_needs_its_flag() {
    let program = Program::new();
    program.run("apply --yes", &[shelf("low", 1)]).await;
    program.world.holds.lock().unwrap().insert("low".to_owned(), "12 books".to_owned());
    let refused = program.run("apply --yes", &[shelf("low", 3)]).await;
    assert_eq!(refused.exit, Exit::Refused);
    insta::assert_snapshot!(refused.output);
    insta::assert_snapshot!(refused.messages);
    assert_eq!(program.run("plan", &[shelf("low", 3)]).await.exit, Exit::Refused);
    assert_eq!(program.run("apply --yes --json", &[shelf("low", 3)]).await.summary()["outcome"], "refused");
    assert_eq!(program.world.shelves.lock().unwrap()["low"].boards, 1);
    let allowed = program.run("apply --yes --allow-loss warehouse/low", &[shelf("low", 3)]).await;
    assert_eq!(allowed.exit, Exit::Done);
    assert!(allowed.output.contains("! loses: 12 books (allowed)"), "{}", allowed.output);
}

#[tokio::test]
async fn what_this_program_has_not_made_is_taken_over_only_by_name() {
    let program = Program::new();
    program.world.shelves.lock().unwrap().insert("low".to_owned(), shelf("low", 1));
    let refused = program.run("apply --yes", &[shelf("low", 1)]).await;
    assert_eq!(refused.exit, Exit::Refused);
    assert!(refused.messages.contains("`--adopt warehouse/low`"), "{}", refused.messages);
    assert_eq!(program.run("apply --yes --adopt warehouse/low", &[shelf("low", 1)]).await.exit, Exit::Done);
}

#[tokio::test]
async fn a_flag_that_names_nothing_is_told() {
    for (flag, near) in [
        ("--allow-loss warehouse/lwo", "; did you mean `warehouse/low`?\n"),
        ("--allow-loss low", "; did you mean `warehouse/low`?\n"),
        ("--adopt warehouse/lwo", "; did you mean `warehouse/low`?\n"),
        ("--allow-loss elsewhere/entirely", "\n"),
    ] {
        let said = Program::new().run(&format!("plan {flag}"), &[shelf("low", 1)]).await;
        assert!(said.messages.contains(&format!("`{flag}` names nothing in the plan{near}")), "{}", said.messages);
    }
}

#[tokio::test]
async fn scores_that_cannot_be_arranged_are_refused_with_the_line() {
    let program = Program::new();
    let said = program.run("apply --yes --json", &[shelf("low", 0)]).await;
    assert_eq!(said.exit, Exit::Refused);
    assert!(said.messages.starts_with("error: shelves (harmony_cli/tests/command_line/program.rs:"), "{}", said.messages);
    assert!(said.messages.contains("  caused by: shelf `low` has no boards\n"), "{}", said.messages);
    assert!(said.messages.contains("  hint: give it one board at least"), "{}", said.messages);
    assert_eq!(said.summary()["outcome"], "refused");
}

#[tokio::test]
async fn a_program_that_lost_its_scores_takes_nothing_away_by_accident() {
    let program = Program::new();
    program.run("apply --yes", &[shelf("low", 1)]).await;
    let said = program.run("apply --yes", &[]).await;
    assert_eq!(said.exit, Exit::Refused);
    assert!(said.messages.contains("hint: use `destroy`"), "{}", said.messages);
}

#[tokio::test]
async fn a_state_of_elsewhere_is_refused_until_somebody_says_that_it_was_moved() {
    let program = Program::new();
    program.run("apply --yes", &[shelf("low", 1)]).await;
    let ledger = program.state.path().join("site/ledger.json");
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&ledger).unwrap()).unwrap();
    json["home"]["checkout"] = "/users/other/site".into();
    std::fs::write(&ledger, json.to_string()).unwrap();
    for command in ["plan", "apply --yes", "destroy --yes", "status", "drift", "verify"] {
        let said = program.run(command, &[shelf("low", 2)]).await;
        assert_eq!(said.exit, Exit::Refused, "{command}");
        assert!(said.messages.contains("belongs to another checkout"), "{}", said.messages);
        assert!(
            said.messages.contains("`/users/other/site`") && said.messages.contains("hint: if it was moved"),
            "{}",
            said.messages
        );
    }
    assert_eq!(program.run("plan --moved", &[shelf("low", 1)]).await.exit, Exit::Done);
    assert_eq!(program.run("apply --yes --moved", &[shelf("low", 1)]).await.exit, Exit::Done);
    assert_eq!(program.run("apply --yes", &[shelf("low", 1)]).await.exit, Exit::Done);
}

#[tokio::test]
async fn destroy_takes_everything_away_once() {
    let program = Program::new();
    program.run("apply --yes", &[shelf("low", 1), shelf("high", 1)]).await;
    let said = program.run("destroy --yes", &[shelf("low", 1), shelf("high", 1)]).await;
    assert_eq!(said.exit, Exit::Done);
    assert!(program.world.shelves.lock().unwrap().is_empty());
    assert!(said.output.ends_with("Done: 2 deleted, 0 unchanged (0.0 s)\n"), "{}", said.output);
    let again = program.run("destroy --yes", &[]).await;
    assert_eq!((again.exit, again.messages.as_str()), (Exit::Done, ""));
    assert!(again.output.starts_with("Nothing to take away"), "{}", again.output);
    assert!(!program.state.path().join("site").exists(), "also not the lock of the run that found nothing");
}

#[tokio::test]
async fn a_second_run_ends_with_who_holds_the_lock() {
    let program = Program::new();
    program.world.slow.lock().unwrap().push("low".to_owned());
    let second = std::sync::Mutex::new(None);
    let shelves = [shelf("low", 1)];
    let first = program.run_interruptible("apply --yes", &shelves, async |_: Interrupter| {
        program.world.is_waiting.notified().await;
        let said = program.run("apply --yes --json", &[shelf("low", 1)]).await;
        *second.lock().unwrap() = Some(said);
        for (command, exit) in [("plan", Exit::Done), ("drift", Exit::Pending), ("status", Exit::Pending)] {
            let looked = program.run(command, &[shelf("low", 1)]).await;
            assert_eq!(looked.exit, exit, "{command} takes no lock");
            let who = format!("process {} of ", std::process::id());
            assert!(looked.messages.contains("is locked by `") && looked.messages.contains(&who), "{}", looked.messages);
            assert!(looked.messages.contains("what that run has not come to yet shows as a difference"), "{}", looked.messages);
        }
        program.world.go_on.notify_one();
    });
    assert_eq!(first.await.exit, Exit::Done);
    let second = second.lock().unwrap().take().unwrap();
    assert_eq!((second.exit, &second.summary()["outcome"]), (Exit::Locked, &"refused".into()));
    let process = format!("process {} of ", std::process::id());
    assert!(second.messages.contains("is locked by `") && second.messages.contains(&process), "{}", second.messages);
    assert!(second.messages.contains(" UTC until it ends\n  hint: wait for that run to end"), "{}", second.messages);
    let error = second.events().into_iter().find(|event| event["event"] == "error").unwrap();
    assert!(error["held"]["by"].as_str().unwrap().contains(&process), "{error}");
    assert!(error["held"]["since"].is_u64() && error["held"]["until"].is_null() && error["held"]["stopped"] == false, "{error}");
}

#[tokio::test]
async fn a_run_on_another_machine_ends_with_who_holds_the_lease() {
    let mut program = Program::new();
    let directory = program.state.path().join("leases");
    program.variables.insert("HARMONY_LEASE_DIR".to_owned(), directory.display().to_string());
    assert_eq!(program.run("apply --yes", &[shelf("low", 1)]).await.exit, Exit::Done);
    // Another machine takes the lease, renews it once, and ends long after this run.
    let store = FileLeaseStore::new(Io::real(), directory.join("site"));
    let mut stored = store.find().await.unwrap().unwrap();
    assert_eq!((stored.record.holder.take(), stored.record.number), (None, 1), "it was given back");
    let holder = Some("`site`, process 7 of ops on elsewhere".to_owned());
    let (taken, renewed) = (WallTime(1_795_463_655), WallTime(1_795_463_665));
    let record = LeaseRecord { holder, number: 2, taken, renewed, ..stored.record };
    let version = store.swap(Some(&stored.version), &record).await.unwrap();
    let renewing = tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        store.swap(Some(&version), &record).await.unwrap();
    });
    let said = program.run("apply --yes --json", &[shelf("low", 2)]).await;
    renewing.await.unwrap();
    for command in ["plan", "drift", "status"] {
        let looked = program.run(command, &[shelf("low", 2)]).await;
        let who = "is held by `site`, process 7 of ops on elsewhere, since 2026-11-23";
        assert!(looked.messages.contains(who), "{command}: {}", looked.messages);
    }
    assert_eq!((said.exit, &said.summary()["outcome"]), (Exit::Locked, &"refused".into()));
    let holding = "is held by `site`, process 7 of ops on elsewhere, since 2026-11-23 19:54:15 UTC until 2026-11-23 19:54:55 UTC";
    assert!(said.messages.contains(holding), "{}", said.messages);
    let error = said.events().into_iter().find(|event| event["event"] == "error").unwrap();
    assert_eq!((&error["held"]["since"], &error["held"]["until"]), (&1_795_463_655.into(), &1_795_463_695.into()));
    assert_eq!(program.world.shelves.lock().unwrap()["low"].boards, 1);
}

#[tokio::test]
async fn one_interrupt_finishes_what_is_in_flight_and_says_what_is_left() {
    let program = Program::new();
    program.world.slow.lock().unwrap().push("low".to_owned());
    let shelves = [shelf("low", 1), shelf("high", 1)];
    let said = program.run_interruptible("apply --yes", &shelves, async |interrupter: Interrupter| {
        program.world.is_waiting.notified().await;
        interrupter.interrupt();
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        program.world.go_on.notify_one();
    });
    let said = said.await;
    assert_eq!(said.exit, Exit::Interrupted);
    insta::assert_snapshot!(said.messages);
    assert!(program.world.shelves.lock().unwrap().contains_key("low"), "what was in flight has finished");
    program.world.slow.lock().unwrap().clear();
    assert_eq!(program.run("apply --yes", &shelves).await.exit, Exit::Done);
}

#[tokio::test]
async fn a_second_interrupt_stops_at_once_and_the_next_run_goes_on() {
    let program = Program::new();
    program.world.slow.lock().unwrap().push("low".to_owned());
    let shelves = [shelf("low", 1)];
    let said = program.run_interruptible("apply --yes --json", &shelves, async |interrupter: Interrupter| {
        program.world.is_waiting.notified().await;
        interrupter.interrupt();
        interrupter.interrupt();
    });
    let said = said.await;
    assert_eq!((said.exit, &said.summary()["outcome"]), (Exit::Interrupted, &"interrupted".into()));
    let messages = &said.messages;
    assert!(messages.contains("interrupted at once: ") && !messages.contains("error: "), "{messages}");
    program.world.slow.lock().unwrap().clear();
    assert_eq!(program.run("apply --yes", &[shelf("low", 1)]).await.exit, Exit::Done);
}

#[tokio::test]
async fn a_part_is_planned_applied_and_destroyed_and_the_rest_is_named() {
    let program = Program::new();
    let shelves = [shelf("low", 1), shelf("high", 1), shelf("top", 1)];
    let planned = program.run("plan --target warehouse/high", &shelves).await;
    assert!(planned.output.ends_with("1 thing left as they are, and not looked at:\n  warehouse/top\n"), "{}", planned.output);
    let lines = program.run("plan --json --target warehouse/high", &shelves).await.events();
    let left = lines.iter().find(|line| line["event"] == "left_out").unwrap();
    assert_eq!(left["addresses"], json!(["warehouse/top"]));
    assert_eq!(program.run("apply --yes --target warehouse/high", &shelves).await.exit, Exit::Done);
    assert_eq!(program.world.shelves.lock().unwrap().len(), 2);
    let refused = program.run("plan --target warehouse/hihg", &shelves).await;
    assert_eq!(refused.exit, Exit::Refused);
    assert!(refused.messages.contains("hint: did you mean `warehouse/high`?"), "{}", refused.messages);
    assert_eq!(program.run("destroy --yes --target warehouse/low", &shelves).await.exit, Exit::Done);
    assert!(program.world.shelves.lock().unwrap().is_empty(), "what stands on it goes with it");
}

#[tokio::test]
async fn forget_is_shown_asks_and_leaves_the_thing_where_it_is() {
    let program = Program::new();
    program.run("apply --yes", &[shelf("low", 1), shelf("high", 1)]).await;
    let asked = program.run("forget warehouse/low", &[]).await;
    assert_eq!(asked.exit, Exit::Refused);
    assert!(asked.output.contains("is struck from the Ledger, nothing else is done"), "{}", asked.output);
    assert!(asked.messages.contains("`--yes`"), "{}", asked.messages);
    assert_eq!(program.run("plan", &[shelf("low", 1)]).await.exit, Exit::Done);
    let refused = program.run("forget warehouse/lwo --yes", &[]).await;
    assert!(refused.exit == Exit::Refused && refused.messages.contains("did you mean `warehouse/low`?"), "{}", refused.messages);
    // The place need not answer: one that is gone for good is why things are forgotten.
    program.world.dark.lock().unwrap().push("everything".to_owned());
    let forgotten = program.run("forget warehouse/low --yes", &[]).await;
    assert_eq!(forgotten.exit, Exit::Done, "{}", forgotten.messages);
    assert!(forgotten.output.ends_with("Done: 1 forgotten\n"), "{}", forgotten.output);
    program.world.dark.lock().unwrap().clear();
    assert_eq!(program.world.shelves.lock().unwrap().len(), 2);
    assert!(program.run("plan", &[shelf("low", 1), shelf("high", 1)]).await.messages.contains("--adopt warehouse/low"));
}

#[tokio::test]
async fn a_lost_ledger_is_told_by_plan_and_destroy_and_all_is_taken_over_at_once() {
    let program = Program::new();
    let shelves = [shelf("low", 1), shelf("high", 1)];
    program.run("apply --yes", &shelves).await;
    std::fs::remove_dir_all(program.state.path().join("site")).unwrap();
    let planned = program.run("plan", &shelves).await;
    assert_eq!(planned.exit, Exit::Refused);
    assert!(planned.messages.contains("2 of the things that the Scores want are there already"), "{}", planned.messages);
    assert!(planned.messages.contains("`--adopt-all`"), "{}", planned.messages);
    let destroyed = program.run("destroy --yes", &shelves).await;
    assert_eq!(destroyed.exit, Exit::Refused);
    assert!(destroyed.messages.contains("2 of the things that its Scores want are there"), "{}", destroyed.messages);
    assert!(
        destroyed.messages.contains("hint: if the Ledger was lost, take them over with `apply --adopt-all`"),
        "{}",
        destroyed.messages
    );
    let shown = program.run("plan --adopt-all", &shelves).await;
    assert!(shown.output.contains("is taken over as it is"), "{}", shown.output);
    assert_eq!(program.run("apply --yes --adopt-all", &shelves).await.exit, Exit::Done);
    assert_eq!(program.run("destroy --yes", &shelves).await.exit, Exit::Done);
    assert!(program.world.shelves.lock().unwrap().is_empty());
}

#[tokio::test]
async fn verify_before_anything_was_made_says_once_to_apply_first() {
    let said = Program::new().run("verify", &[shelf("low", 1), shelf("high", 1)]).await;
    assert_eq!(said.exit, Exit::Failed);
    insta::assert_snapshot!(said.messages, @r"
    error: this program has made nothing yet, so there is nothing to prove
      hint: run `apply` first
    ");
}

#[tokio::test]
async fn after_a_failure_the_rest_goes_on_unless_told_otherwise() {
    // More than can be under way at the same time, and all of them fail.
    let many = || {
        Scores::default().with(Custom(|place, stage| {
            (0..40).try_for_each(|number| stage.add(place, &format!("t{number}"), &shelf(&format!("t{number}"), 1)).map(drop))
        }))
    };
    let program = Program::new();
    program.world.refused.lock().unwrap().extend((0..40).map(|number| format!("t{number}")));
    let said = program.run_until("apply --yes", many(), interrupts().1).await;
    assert_eq!(said.exit, Exit::Failed);
    assert!(!said.messages.contains("not begun"), "{}", said.messages);
    let said = program.run_until("apply --yes --fail-fast", many(), interrupts().1).await;
    assert_eq!(said.exit, Exit::Failed);
    assert!(said.messages.contains(" things were not begun:"), "{}", said.messages);
}
