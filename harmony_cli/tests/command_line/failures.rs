//! What a user reads when the world does not do what it should: the message, its hint, the exit code, and what a program reads of it.

use std::fs;
use std::io::{ErrorKind, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use harmony::modules::nats::score::{AccountWish, CredentialsScore, Grant, NatsScore, UserWish};
use harmony::modules::nats::spec::{
    AccountBlock, ClientListener, ClusterBlock, LogLevel, Monitoring, Route, ServerSpec, check_servers,
};
use harmony::provider::ProviderError;
use harmony::topology::{Site, Survey};
use harmony::value::{Text, Value};
use harmony::{ArrangeError, Scores};
use harmony_cli::{Exit, Interrupter, interrupts};
use harmony_io::{Faults, Injected, Io, Operation, Point};
use harmony_local::{LocalFacts, LocalPlace, LocalTopology, WithNats};
use harmony_types::{HostName, Port};

use crate::mistakes::{Custom, pin, pinned};
use crate::place::{ShelvesScore, Surveyed, shelf};
use crate::program::{Program, Said};

fn both() -> Scores<Surveyed> {
    Scores::default().with(ShelvesScore(vec![shelf("low", 1), shelf("high", 1)]))
}

#[tokio::test(start_paused = true)]
async fn what_is_not_permitted_and_what_others_are_faster_at() {
    let program = Program::new();
    program.world.barred.lock().unwrap().push("low".to_owned());
    pinned("not_permitted", &program, "apply --yes --quiet --json", both(), Exit::Failed).await;
    program.world.barred.lock().unwrap().clear();
    // Tried again until the deadline, of which this test waits for nothing.
    program.world.contested.lock().unwrap().push("low".to_owned());
    pinned("conflict", &program, "apply --yes --quiet", both(), Exit::Failed).await;
}

/// Every primitive of one sort fails so where it concerns a file of this name.
struct FailsOn(Operation, &'static str, ErrorKind);

impl Faults for FailsOn {
    fn at(&self, point: Point<'_>) -> Injected {
        let Self(operation, name, kind) = self;
        if point.operation == *operation && point.target.contains(name) { Injected::Fail(*kind) } else { Injected::Nothing }
    }
}

#[tokio::test]
async fn disks_that_take_nothing_more() {
    let mut program = Program::new();
    let failing = |operation, name, kind| Io::with_faults(Arc::new(FailsOn(operation, name, kind)));
    program.io = failing(Operation::Write, "ledger.json", ErrorKind::StorageFull);
    pinned("disk_full", &program, "apply --yes --quiet --json", both(), Exit::Failed).await;
    assert!(program.world.shelves.lock().unwrap().is_empty(), "what cannot be written down is not begun");
    program.io = failing(Operation::CreateDirectory, "site", ErrorKind::ReadOnlyFilesystem);
    let other = Program { io: program.io.clone(), ..Program::new() };
    pinned("disk_read_only", &other, "apply --yes --quiet", both(), Exit::Failed).await;
    let third = Program { io: failing(Operation::Write, "nats.conf", ErrorKind::StorageFull), ..Program::new() };
    pin("disk_full_at_a_thing", &third, &locally(&third, "apply --yes --quiet", ENDS).await, Exit::Failed);
    program.io = failing(Operation::Read, "ledger.json", ErrorKind::PermissionDenied);
    pinned("ledger_of_somebody_else", &program, "plan", both(), Exit::Failed).await;
}

#[tokio::test]
async fn a_state_directory_of_another_user() {
    let program = Program::new();
    let state = program.state.path().join("site");
    // Who may do everything gives one away; everybody else finds one that is the administrator's.
    fs::create_dir(&state).unwrap();
    if std::os::unix::fs::chown(&state, Some(65_534), None).is_err() {
        fs::remove_dir(&state).unwrap();
        std::os::unix::fs::symlink("/usr", &state).unwrap();
    }
    pinned("state_of_another_user", &program, "apply --yes --json", both(), Exit::Refused).await;
    let about = program.run("doctor", &[]).await.output;
    assert!(about.contains("! state directory") || about.contains("!  state directory"), "{about}");
    assert!(about.contains("so its secrets and its Ledger are not this user's"), "{about}");
}

#[tokio::test]
async fn users_who_ask_to_stop() {
    let program = Program::new();
    let (interrupter, before) = interrupts();
    interrupter.interrupt();
    let said = program.run_until("plan --json", both(), before).await;
    pin("interrupted_before_anything", &program, &said, Exit::Interrupted);
    program.world.slow.lock().unwrap().push("low".to_owned());
    let shelves = [shelf("low", 1), shelf("high", 1)];
    for (name, times) in [("interrupted_once", 1), ("interrupted_twice", 2)] {
        let said = program.run_interruptible("apply --yes --quiet --json", &shelves, async |interrupter: Interrupter| {
            program.world.is_waiting.notified().await;
            for _ in 0..times {
                interrupter.interrupt();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            program.world.go_on.notify_one();
        });
        pin(name, &program, &said.await, Exit::Interrupted);
        program.world.shelves.lock().unwrap().clear();
        fs::remove_dir_all(program.state.path().join("site")).unwrap();
    }
}

/// This machine, as a file with facts would say it: nobody has found a nats-server there.
struct WithoutServer;

#[async_trait]
impl Survey for WithoutServer {
    type Facts = LocalFacts;
    type Surveyed = LocalPlace<WithNats>;

    async fn survey(&self, _: &Site) -> Result<LocalFacts, ProviderError> {
        Ok(LocalFacts { nats_server: None })
    }

    fn with_facts(self, site: &Site, facts: LocalFacts) -> Result<LocalPlace<WithNats>, ProviderError> {
        LocalTopology::new("laptop").with_nats(harmony_nats::client()).with_facts(site, facts)
    }
}

/// A server whose route is said in a form in which nobody can dial it.
fn with_route(host: &str) -> ServerSpec {
    let port = |number| Value::Known(Port::new(number).unwrap());
    let (listen, system_account) = (HostName::loopback(), "SYS".parse().unwrap());
    ServerSpec {
        name: "nats-1".parse().unwrap(),
        tags: Vec::new(),
        client: ClientListener { listen: listen.clone(), port: port(4222), advertise: None, tls: None },
        cluster: Some(ClusterBlock {
            name: "nats".parse().unwrap(),
            listen,
            port: port(6222),
            advertise: None,
            user: "cluster".to_owned(),
            password: Text::from("hunter2"),
            routes: vec![Route { host: Text::from(host), port: port(6222) }],
            tls: None,
        }),
        gateway: None,
        jetstream: None,
        accounts: vec![AccountBlock { name: "SYS".parse().unwrap(), jetstream: None, users: Vec::new() }],
        system_account,
        monitoring: Monitoring::Closed,
        log: LogLevel::Normal,
        log_file: None,
        max_payload: None,
        max_connections: None,
        ping_interval: None,
        lame_duck: None,
    }
}

#[tokio::test]
async fn what_a_place_cannot_do() {
    let program = Program::new();
    let scores = Scores::default().with(NatsScore::new("nats"));
    let said = program.run_on("plan --json", WithoutServer, scores, interrupts().1).await;
    pin("unsupported_by_the_facts", &program, &said, Exit::Refused);
    assert!(!program.state.path().join("site").exists());
    let dialled_by = Scores::default().with(Custom(|_, stage| -> Result<(), ArrangeError> {
        check_servers(&[with_route("tls://user:hunter2@nats-2:6222")], stage.origin())
    }));
    pinned("route_that_nobody_can_dial", &program, "plan --json", dialled_by, Exit::Refused).await;
}

fn one_server() -> Scores<LocalPlace<WithNats>> {
    let user = UserWish::new("app").with_grant(Grant::publish("app.>"));
    Scores::default()
        .with(NatsScore::new("nats"))
        .with(CredentialsScore::on("nats").with_account(AccountWish::new("APP").with_user(user)))
}

/// A program that says that it is a nats-server, and then does this instead of serving.
fn server_that(program: &Program, does: &str) -> PathBuf {
    let path = program.state.path().join("nats-server");
    let text = format!("#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'nats-server: v2.15.1'; exit; fi\n{does}\n");
    // Written by another process, so that none of ours can hold it open when it is started.
    let written =
        Command::new("sh").args(["-c", "printf '%s' \"$1\" > \"$0\" && chmod 700 \"$0\""]).arg(&path).arg(text).status();
    assert!(written.unwrap().success());
    path
}

async fn locally(program: &Program, arguments: &str, does: &str) -> Said {
    let laptop = LocalTopology::new("laptop").with_nats(harmony_nats::client()).with_nats_server(server_that(program, does));
    let laptop = if does.contains(NEVER) { laptop.with_ready_within(Duration::from_millis(500)) } else { laptop };
    program.run_on(arguments, laptop, one_server(), interrupts().1).await
}

const ENDS: &str = "sleep 0.1; exit 1";
/// Longer than anybody waits.
const NEVER: &str = "exec sleep 600";

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_do_not_serve() {
    const TAKEN: &str = "[FTL] Error listening on port: 127.0.0.1:4222, bind: address already in use";
    for (name, does) in [
        ("server_that_dies", format!("echo 'nats-server: no such file: routes.conf' >&2; {ENDS}")),
        ("server_that_is_never_ready", format!("echo '[INF] Recovering'; {NEVER}")),
        ("server_whose_port_is_taken", format!("echo '{TAKEN}'; {ENDS}")),
    ] {
        let program = Program::new();
        pin(name, &program, &locally(&program, "apply --yes --quiet --json", &does).await, Exit::Failed);
    }
}

/// The line that is about this, and the one below it.
fn about(output: &str, words: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let at = lines.iter().position(|line| line.contains(words));
    assert!(at.is_some(), "no {words} in {output}");
    let at = at.unwrap();
    let words = |line: &&str| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n";
    lines[at..].iter().take(2).map(words).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_nats_server_on_the_port_of_ours() {
    let program = Program::new();
    locally(&program, "apply --yes --quiet", ENDS).await;
    let config = fs::read_to_string(program.state.path().join("site/laptop/nats/nats-1/nats.conf")).unwrap();
    let port: u16 = config.lines().find_map(|line| line.strip_prefix("port: ")).unwrap().parse().unwrap();
    let foreign = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let greeting = std::thread::spawn(move || {
        while let Ok((mut client, _)) = foreign.accept() {
            if client.write_all(b"INFO {\"server_id\":\"FOREIGN\",\"version\":\"2.10.0\",\"max_payload\":1048576}\r\n").is_err() {
                return;
            }
        }
    });
    let named = |text: &str| text.replace(&port.to_string(), "PORT");
    let doctor = locally(&program, "doctor", ENDS).await;
    assert_eq!(doctor.exit, Exit::Failed);
    insta::assert_snapshot!(named(&about(&doctor.output, &format!("port {port}"))), @r"
    ! port PORT something else listens on 127.0.0.1:PORT, chosen for client of nats-1 on 127.0.0.1
    hint: stop it, or run `apply`, which chooses another port
    ");
    let planned = locally(&program, "plan", ENDS).await;
    assert_eq!(planned.exit, Exit::Done, "it is left alone, and ours moves");
    insta::assert_snapshot!(named(&about(&planned.output, "laptop/nats/nats-1/client-port")), @r#"
    ~ laptop/nats/nats-1/client-port port client of nats-1 on 127.0.0.1
    holder: "another-process" -> "server"
    "#);
    drop(greeting);
}

#[tokio::test]
async fn errors_on_a_narrow_and_on_a_colourful_terminal() {
    let mut program = Program { width: 40, ..Program::new() };
    program.world.refused.lock().unwrap().push("low".to_owned());
    pinned("narrow", &program, "apply --yes --quiet", both(), Exit::Failed).await;
    program.width = 100;
    pinned("coloured", &program, "apply --yes --quiet --color always", both(), Exit::Failed).await;
    program.world.holds.lock().unwrap().insert("low".to_owned(), "12 books".to_owned());
    program.world.refused.lock().unwrap().clear();
    program.run("apply --yes", &[shelf("low", 1), shelf("high", 1)]).await;
    let replaced = || Scores::default().with(ShelvesScore(vec![shelf("low", 3), shelf("high", 1)]));
    program.width = 40;
    pinned("narrow_refusal", &program, "apply --yes", replaced(), Exit::Refused).await;
}
