//! What a user reads after a mistake or a failure: the message, its hint, the exit code, and what a program reads of it. One snapshot each.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use harmony::address::Address;
use harmony::modules::nats::score::Replication;
use harmony::modules::nats::score::{AccountWish, CredentialsScore, Grant, JetstreamScore, KvBucketScore, NatsScore, UserWish};
use harmony::{ArrangeError, Interpret, Inventory, Score, Scores, Stage};
use harmony_cli::{Exit, Tty, interrupts};
use harmony_io::Io;
use harmony_local::{LocalPlace, LocalTopology, WithNats};

use crate::place::{Shelf, ShelvesScore, Surveyed, shelf};
use crate::program::{Program, Said};

/// A Score from a function.
pub(crate) struct Custom(pub(crate) fn(&Surveyed, &mut Stage<'_>) -> Result<(), ArrangeError>);

impl Score<Surveyed> for Custom {
    fn name(&self) -> String {
        "custom".to_owned()
    }

    fn create_interpret(&self) -> Box<dyn Interpret<Surveyed> + '_> {
        Box::new(|_: &Inventory, place: &Surveyed, stage: &mut Stage<'_>| (self.0)(place, stage))
    }
}

/// Pins what was said, and how it ended; what differs from run to run is named.
pub(crate) fn pin(name: &str, program: &Program, said: &Said, exit: Exit) {
    let state = program.state.path().display().to_string();
    let json: String = said
        .output
        .lines()
        .filter(|line| line.contains("\"event\":\"error\"") || line.contains("\"event\":\"summary\""))
        .map(|line| format!("{line}\n"))
        .collect();
    let temporary = std::env::temp_dir().join(format!("harmony-cli-{}", std::process::id())).display().to_string();
    let page = format!("exit {}\n{}{json}", said.exit.code(), said.messages).replace(&state, "[state]");
    let page = page.replace(&temporary, "[temporary]");
    insta::assert_snapshot!(name, without_numbers(&page));
    assert_eq!(said.exit, exit, "{name}");
}

/// The page without the numbers of lines, processes and seconds.
fn without_numbers(page: &str) -> String {
    let mut shown = String::new();
    for line in page.lines() {
        let line = match line.split_once(" | ") {
            Some((number, source)) if number.trim().parse::<u32>().is_ok() => format!("  LINE | {source}"),
            _ if line.trim_start().starts_with("| ^") || line.trim() == "|" => format!("       {}", line.trim_start()),
            _ if line.trim_start().starts_with("-->") => format!("      {}", line.trim_start()),
            _ => line.to_owned(),
        };
        let line = after_each(&line, "mistakes.rs:", "LINE");
        let line = after_each(&line, "failures.rs:", "LINE");
        // The number of a line, in colour.
        let line = after_each(&line, "\u{1b}[36m", "LINE");
        let line = without_writer(&line);
        let line = after_each(&line, "127.0.0.1:", "PORT");
        let line = after_each(&line, "belongs to user ", "N");
        let line = after_each(&line, "\"line\":", "0");
        let line = after_each(&line, "process ", "N");
        shown.push_str(&after_each(&line, "\"seconds\":", "0"));
        shown.push('\n');
    }
    shown
}

/// The line without the process that wrote a temporary file.
fn without_writer(line: &str) -> String {
    let Some((before, end)) = line.split_once(".tmp") else { return line.to_owned() };
    let named = before.trim_end_matches(|c: char| c.is_ascii_hexdigit() || c == '-');
    format!("{named}WRITER.tmp{end}")
}

fn after_each(text: &str, before: &str, number: &str) -> String {
    let mut parts = text.split(before);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        out.push_str(before);
        out.push_str(if rest.len() < part.len() { number } else { "" });
        out.push_str(rest);
    }
    out
}

pub(crate) async fn pinned(name: &str, program: &Program, arguments: &str, scores: Scores<Surveyed>, exit: Exit) {
    let text = program.run_until(arguments, scores, interrupts().1).await;
    pin(name, program, &text, exit);
}

async fn locally(name: &str, arguments: &str, place: LocalTopology<WithNats>, scores: Scores<LocalPlace<WithNats>>, exit: Exit) {
    let program = Program::new();
    let said = program.run_on(arguments, place, scores, interrupts().1).await;
    pin(name, &program, &said, exit);
}

fn low() -> Scores<Surveyed> {
    Scores::default().with(ShelvesScore(vec![shelf("low", 1)]))
}

fn shelves(all: Vec<Shelf>) -> Scores<Surveyed> {
    Scores::default().with(ShelvesScore(all))
}

#[tokio::test]
async fn command_lines_that_cannot_be_understood() {
    let program = Program::new();
    for (name, arguments) in [
        ("unknown_command", "plann --json"),
        ("unknown_flag", "apply --yess --json"),
        ("missing_value", "secrets set"),
        ("flag_without_its_other", "render --secrets"),
        ("wrong_choice", "graph --format png"),
        ("secret_name_that_cannot_be", "secrets get ../escape --json"),
    ] {
        pinned(name, &program, arguments, low(), Exit::WrongUsage).await;
    }
}

#[tokio::test]
async fn nobody_who_agrees() {
    let mut program = Program::new();
    pinned("no_terminal_and_no_yes", &program, "apply --json", low(), Exit::Refused).await;
    program.tty = Tty::Terminal;
    program.input = "no\n".to_owned();
    pinned("not_confirmed", &program, "apply --quiet", low(), Exit::Refused).await;
}

#[tokio::test]
async fn secrets_that_are_not_to_be_had() {
    let mut program = Program::new();
    pinned("missing_secret", &program, "secrets get token --json", low(), Exit::Failed).await;
    pinned("empty_secret", &program, "secrets set token", low(), Exit::Failed).await;
    program.variables.insert("HARMONY_SECRET_OTHER".to_owned(), "x".to_owned());
    program.input = "hunter2".to_owned();
    pinned("hidden_secret", &program, "secrets set other", low(), Exit::Failed).await;
    program.run("secrets set token", &[]).await;
    let identity = program.state.path().join("configuration/harmony/identity");
    fs::set_permissions(&identity, fs::Permissions::from_mode(0o644)).unwrap();
    pinned("identity_that_others_can_read", &program, "secrets get token", low(), Exit::Failed).await;
    fs::remove_file(&identity).unwrap();
    pinned("identity_gone", &program, "secrets get token", low(), Exit::Failed).await;
    fs::write(program.state.path().join("site/secrets.json"), "not ours").unwrap();
    pinned("secrets_damaged", &program, "secrets list --json", low(), Exit::Failed).await;
}

#[tokio::test]
async fn a_passphrase_that_is_another_one() {
    let mut program = Program::new();
    program.input = "hunter2".to_owned();
    program.variables.insert("HARMONY_SECRET_PASSPHRASE".to_owned(), "first".to_owned());
    program.run("secrets set token", &[]).await;
    program.variables.insert("HARMONY_SECRET_PASSPHRASE".to_owned(), "second".to_owned());
    let said = program.run("secrets get token", &[]).await;
    assert_eq!(said.exit, Exit::Failed);
    assert!(
        said.messages.contains("hint: it was made with a passphrase: set `HARMONY_SECRET_PASSPHRASE` to the same one"),
        "{}",
        said.messages
    );
}

#[tokio::test]
async fn places_for_state_that_are_none() {
    let mut program = Program::new();
    program.variables.insert("HARMONY_STATE_DIR".to_owned(), String::new());
    pinned("no_home", &program, "plan --json", low(), Exit::Failed).await;
    program.variables.insert("HARMONY_STATE_DIR".to_owned(), "/proc/harmony".to_owned());
    pinned("state_cannot_be_made", &program, "apply --yes", low(), Exit::Failed).await;
    program.variables.clear();
    fs::write(program.state.path().join("site"), "").unwrap();
    pinned("state_is_a_file", &program, "apply --yes --json", low(), Exit::Failed).await;
}

#[tokio::test]
async fn ledgers_that_cannot_be_read() {
    let program = Program::new();
    program.run("apply --yes", &[shelf("low", 1)]).await;
    let ledger = program.state.path().join("site/ledger.json");
    fs::write(&ledger, r#"{"format": 99}"#).unwrap();
    pinned("ledger_newer", &program, "plan --json", low(), Exit::Failed).await;
    fs::write(&ledger, "half of a led").unwrap();
    pinned("ledger_damaged", &program, "plan", low(), Exit::Failed).await;
}

#[tokio::test]
async fn another_run_that_holds_the_lock() {
    let program = Program::new();
    let state = program.state.path().join("site");
    fs::create_dir(&state).unwrap();
    let _lock = Io::real().lock(&state.join("lock"), "another program").unwrap();
    pinned("lock_held", &program, "apply --yes --json", low(), Exit::Locked).await;
}

#[tokio::test]
async fn scores_that_contradict_each_other() {
    let program = Program::new();
    let twice = low().with(ShelvesScore(vec![shelf("low", 2)]));
    pinned("duplicate_address", &program, "plan --json", twice, Exit::Refused).await;
    let one_thing = Scores::default().with(Custom(|place, stage| {
        stage.add(place, "a", &shelf("same", 1))?;
        stage.add(place, "b", &shelf("same", 1)).map(|_| ())
    }));
    pinned("duplicate_identity", &program, "plan", one_thing, Exit::Refused).await;
    let dangling = Scores::default().with(Custom(|place, stage| {
        let nowhere = [address("warehouse/nowhere")?];
        stage.after(&nowhere, |stage| stage.add(place, "a", &shelf("a", 1))).map(|_| ())
    }));
    pinned("reference_to_nothing", &program, "plan", dangling, Exit::Refused).await;
    let circle = Scores::default().with(Custom(|place, stage| {
        let (a, b) = (address("warehouse/a")?, address("warehouse/b")?);
        stage.after(&[b], |stage| stage.add(place, "a", &shelf("a", 1)))?;
        stage.after(&[a], |stage| stage.add(place, "b", &shelf("b", 1))).map(|_| ())
    }));
    pinned("circle", &program, "plan", circle, Exit::Refused).await;
    let unfit = Scores::default().with(Custom(|place, stage| stage.add(place, "two words", &shelf("a", 1)).map(|_| ())));
    pinned("name_that_is_no_address", &program, "plan --json", unfit, Exit::Refused).await;
    pinned("refused_by_its_score", &program, "plan --json", shelves(vec![shelf("low", 0)]), Exit::Refused).await;
}

fn address(text: &str) -> Result<Address, ArrangeError> {
    Ok(text.parse()?)
}

#[tokio::test]
async fn programs_that_would_destroy_by_accident() {
    let program = Program::new();
    program.run("apply --yes", &[shelf("low", 1)]).await;
    pinned("empty_program", &program, "apply --yes --json", Scores::default(), Exit::Refused).await;
    program.world.holds.lock().unwrap().insert("low".to_owned(), "12 books".to_owned());
    pinned("loss_without_allowance", &program, "apply --yes --quiet", shelves(vec![shelf("low", 3)]), Exit::Refused).await;
    pinned("loss_allowed_of_nothing", &program, "plan --allow-loss warehouse/lwo", low(), Exit::Done).await;
    pinned("destroy_without_allowance", &program, "destroy --yes --json", low(), Exit::Refused).await;
    let other = Program::new();
    other.world.shelves.lock().unwrap().insert("low".to_owned(), shelf("low", 1));
    pinned("foreign_thing_in_the_way", &other, "apply --yes", low(), Exit::Refused).await;
}

#[tokio::test]
async fn a_world_that_fails() {
    let program = Program::new();
    let both = || shelves(vec![shelf("low", 1), shelf("high", 1)]);
    program.world.refused.lock().unwrap().push("low".to_owned());
    pinned("refused_by_the_place", &program, "apply --yes --quiet", both(), Exit::Failed).await;
    program.world.refused.lock().unwrap().clear();
    program.run("apply --yes", &[shelf("low", 1), shelf("high", 1)]).await;
    program.world.dark.lock().unwrap().extend(["low".to_owned(), "high".to_owned()]);
    pinned("several_unreachable_for_one_reason", &program, "plan --json", both(), Exit::Failed).await;
    program.world.dark.lock().unwrap().clear();
    program.world.shelves.lock().unwrap().clear();
    pinned("proof_that_fails", &program, "verify --quiet", both(), Exit::Failed).await;
    program.world.dark.lock().unwrap().push("everything".to_owned());
    pinned("place_that_does_not_answer", &program, "plan --json", both(), Exit::Failed).await;
}

#[tokio::test]
async fn files_and_names_that_are_not_there() {
    let program = Program::new();
    fs::write(program.state.path().join("a-file"), "not a plan").unwrap();
    let file = program.state.path().join("a-file").display().to_string();
    pinned("saved_plan_missing", &program, &format!("show {file}.missing"), low(), Exit::Failed).await;
    pinned("saved_plan_damaged", &program, &format!("show {file} --json"), low(), Exit::Refused).await;
    pinned("render_into_a_file", &program, &format!("render --to {file}/below"), low(), Exit::Failed).await;
    pinned("procedure_that_nobody_offers", &program, "run rotate x --json", low(), Exit::WrongUsage).await;
}

fn laptop() -> LocalTopology<WithNats> {
    // It says which version it is, and is never started.
    LocalTopology::new("laptop").with_nats(harmony_nats::client()).with_nats_server(nats_server())
}

/// A program that says that it is a nats-server.
fn nats_server() -> std::path::PathBuf {
    program_that_says("nats-server: v2.15.1")
}

/// A program that says this, whatever it is asked.
fn program_that_says(words: &str) -> std::path::PathBuf {
    let name: String = words.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    let path = std::env::temp_dir().join(format!("harmony-cli-{}-{name}", std::process::id()));
    Io::real().write_file(&path, format!("#!/bin/sh\necho {words}\n").as_bytes(), harmony_io::Mode::Executable).unwrap();
    path
}

#[tokio::test]
async fn nats_servers_that_are_none() {
    let place = |path: &str| LocalTopology::new("laptop").with_nats(harmony_nats::client()).with_nats_server(path);
    let scores = || Scores::default().with(NatsScore::new("nats"));
    locally("nats_server_missing", "plan --json", place("/nowhere/nats-server"), scores(), Exit::Failed).await;
    locally("nats_server_not_executable", "plan", place("/etc/passwd"), scores(), Exit::Failed).await;
    locally("nats_server_is_another_program", "plan", place("/bin/true"), scores(), Exit::Failed).await;
    let old = program_that_says("nats-server: v2.9.0");
    locally("nats_server_too_old", "plan --json", place(old.to_str().unwrap()), scores(), Exit::Failed).await;
    let place = LocalTopology::new("my laptop").with_nats(harmony_nats::client()).with_nats_server(nats_server());
    locally("place_with_a_name_that_cannot_be", "plan", place, scores(), Exit::Refused).await;
}

#[tokio::test]
async fn nats_scores_that_do_not_fit_together() {
    let alone = Scores::default().with(JetstreamScore::on("nats"));
    locally("fragment_for_nothing", "plan --json", laptop(), alone, Exit::Refused).await;
    let twice = Scores::default().with(NatsScore::new("nats")).with(NatsScore::new("nats"));
    locally("declared_twice", "plan --json", laptop(), twice, Exit::Refused).await;
    let contradicting = Scores::default()
        .with(NatsScore::new("nats"))
        .with(JetstreamScore::on("nats").with_domain("one"))
        .with(JetstreamScore::on("nats").with_domain("two"));
    locally("contradicting_fragments", "plan", laptop(), contradicting, Exit::Refused).await;
    let user = UserWish::new("app").with_grant(Grant::kv("settings").read_write());
    let with_bucket = |bucket: KvBucketScore| {
        Scores::default()
            .with(NatsScore::new("nats"))
            .with(JetstreamScore::on("nats"))
            .with(CredentialsScore::on("nats").with_account(AccountWish::new("APP").with_user(user.clone())))
            .with(bucket)
    };
    let copies = with_bucket(KvBucketScore::on("nats", "APP", "settings").with_replication(Replication::AcrossSites));
    locally("replication_that_cannot_be", "plan", laptop(), copies, Exit::Refused).await;
    let unknown = with_bucket(KvBucketScore::on("nats", "AP", "settings"));
    locally("account_that_nobody_declares", "plan", laptop(), unknown, Exit::Refused).await;
}
