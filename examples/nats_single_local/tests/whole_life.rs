//! The smallest program, from nothing to nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use harmony_test::SiteProgram;

#[test]
fn it_is_planned_made_left_alone_and_taken_away() {
    let program = SiteProgram::new(env!("CARGO_BIN_EXE_nats_single_local"));
    let planned = program.expect(&["plan", "--json"], 0).summary();
    assert!(planned["create"].as_u64().unwrap() > 10, "{planned}");
    assert_eq!(planned["writes"], 0, "{planned}");
    assert_eq!(program.snapshot(), [], "a plan writes nothing");
    assert_eq!(program.processes(), []);

    let made = program.expect(&["apply", "--yes"], 0);
    assert!(made.stdout.contains("user app connects on every server, into account APP and no other"), "{}", made.stdout);
    assert!(made.stdout.contains("--nkey"), "it says what to do next: {}", made.stdout);
    let running = program.processes();
    assert_eq!(running.len(), 1, "{running:?}");

    let again = program.expect(&["apply", "--yes", "--json"], 0).summary();
    assert_eq!((&again["outcome"], &again["writes"]), (&"converged".into(), &0.into()), "{again}");
    assert_eq!(running, program.processes());
    program.expect(&["drift"], 0);
    program.expect(&["status"], 0);
    let verified = program.expect(&["verify", "--json"], 0).summary();
    assert_eq!((&verified["proofs"], &verified["writes"]), (&planned["proofs"], &0.into()), "{verified}");

    program.expect(&["destroy", "--yes"], 0);
    assert_eq!(program.processes(), []);
    assert!(!program.state().exists(), "{:?}", program.snapshot());
}
