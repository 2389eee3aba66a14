//! Rotations of a smaller system: with passwords, with a site that does not answer, stopped and gone on with, of users that are not
//! there or are taken away meanwhile; and that nothing of it tells a secret.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

#[path = "world/program.rs"]
mod program;

use std::fs;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_nats::connection::State;
use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions};
use harmony::Scores;
use harmony::capability::NatsSupercluster;
use harmony::modules::nats::score::{AccountWish, Authentication, CredentialsScore, Grant, NatsSuperclusterScore, UserWish};
use program::Program;

const SERVERS: [&str; 2] = ["nats-east-1", "nats-west-1"];

fn scores<T: NatsSupercluster>(users: &[&str]) -> Scores<T> {
    let user = |name: &&str| {
        let user = UserWish::new(name).with_grant(Grant::publish("orders.>"));
        if *name == "billing" { user.with_authentication(Authentication::Password) } else { user }
    };
    let account = users.iter().map(user).fold(AccountWish::new("SHOP"), AccountWish::with_user);
    Scores::default()
        .with(NatsSuperclusterScore::new("nats").with_site("east", 1).with_site("west", 1))
        .with(CredentialsScore::on("nats").with_account(account))
}

/// The site program with these users.
async fn run(program: &Program, users: &[&str], arguments: &str, code: u8) -> String {
    program.run(scores(users), arguments, code).await
}

const BOTH: &[&str] = &["billing", "till"];

/// What clients are given.
#[derive(Debug, Clone, PartialEq)]
struct Given {
    login: Option<String>,
    secret: String,
}

fn given(program: &Program, user: &str) -> Given {
    let file = |kind: &str| {
        let path = program.state().join("laptop/credentials/nats").join(format!("SHOP-{user}.{kind}"));
        fs::read_to_string(path).unwrap().trim().to_owned()
    };
    match user {
        "billing" => Given { login: Some(file("user")), secret: file("password") },
        _ => Given { login: None, secret: file("nk") },
    }
}

async fn connect(program: &Program, server: &str, given: &Given) -> Result<Client, ConnectError> {
    let options = match &given.login {
        Some(login) => ConnectOptions::with_user_and_password(login.clone(), given.secret.clone()),
        None => ConnectOptions::with_nkey(given.secret.clone()),
    };
    let config = fs::read_to_string(program.state().join("laptop/nats").join(server).join("nats.conf")).unwrap();
    let port = config.lines().find_map(|line| line.strip_prefix("port: ")).unwrap();
    let trust = program.state().join("laptop/credentials/nats/trust.pem");
    let options = options.require_tls(true).add_root_certificates(trust).connection_timeout(Duration::from_secs(10));
    options.ignore_discovered_servers().connect(format!("tls://127.0.0.1:{port}")).await
}

async fn is_taken(program: &Program, servers: &[&str], given: &Given) {
    for server in servers {
        connect(program, server, given).await.unwrap_or_else(|error| panic!("{server} does not take it: {error}"));
    }
}

async fn is_refused(program: &Program, given: &Given) {
    for server in SERVERS {
        let error = connect(program, server, given).await.err().unwrap_or_else(|| panic!("{server} takes it"));
        assert_eq!(error.kind(), ConnectErrorKind::AuthorizationViolation, "{server}: {error}");
    }
}

async fn is_closed(client: &Client) {
    let until = Instant::now() + Duration::from_secs(10);
    while client.connection_state() == State::Connected && client.statistics().connects.load(Ordering::Relaxed) == 1 {
        assert!(Instant::now() < until, "the connection is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn signal(program: &Program, server: &str, signal: &str) {
    let number = program.server(server).unwrap_or_else(|| panic!("{server} does not run")).to_string();
    assert!(Command::new("kill").args([signal, &number]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotations_of_a_smaller_system() {
    let program = Program::new("rotations");
    run(&program, BOTH, "apply --yes", 0).await;
    let mut secrets = vec![given(&program, "billing").secret, given(&program, "till").secret];
    names(&program).await;
    a_password_is_rotated_under_a_name_of_its_own(&program).await;
    secrets.push(given(&program, "billing").secret);
    a_site_that_does_not_answer_stops_it_before_the_old_one_is_refused(&program).await;
    secrets.push(given(&program, "till").secret);
    a_user_who_is_taken_away_meanwhile_ends_it(&program).await;
    nothing_tells_a_secret(&program, &secrets);
    run(&program, &["billing"], "destroy --yes", 0).await;
    assert!(program.processes().is_empty());
}

async fn names(program: &Program) {
    let said = run(program, BOTH, "run", 0).await;
    assert!(said.contains("rotate nats/SHOP/billing\n  gives user billing of account SHOP a new password"), "{said}");
    let said = run(program, BOTH, "run rotate SHOP/tlil", 2).await;
    assert!(said.contains("no Score offers `rotate SHOP/tlil`"), "{said}");
    assert!(said.contains("did you mean `rotate nats/SHOP/till`?"), "{said}");
    let said = run(program, BOTH, "run rotate SYS/harmony-operator", 2).await;
    assert!(said.contains("no Score offers `rotate SYS/harmony-operator`"), "{said}");
    let said = run(program, BOTH, "run rotate SHOP/till", 5).await;
    assert!(said.contains("look at the plan, then run it with `--yes`"), "{said}");
    let said = run(program, BOTH, "plan", 0).await;
    assert!(said.contains("No changes.") && !said.contains("under way"), "nothing has begun: {said}");
}

async fn a_password_is_rotated_under_a_name_of_its_own(program: &Program) {
    let old = given(program, "billing");
    let connected = connect(program, SERVERS[1], &old).await.unwrap();
    let (run_it, meanwhile) = (run(program, BOTH, "run rotate billing --overlap 2s --yes", 0), async {
        let until = Instant::now() + Duration::from_secs(60);
        while given(program, "billing").login.as_deref() != Some("billing.next") {
            assert!(Instant::now() < until, "the new one is not handed out");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // The name and the password are two files: whoever reads between the two is refused once, and reads again.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let new = given(program, "billing");
        assert_ne!(new.secret, old.secret);
        is_taken(program, &SERVERS, &new).await;
        is_taken(program, &SERVERS, &old).await;
        (connect(program, SERVERS[0], &new).await.unwrap(), new)
    });
    let (_, (under_its_own_name, renamed)) = tokio::join!(run_it, meanwhile);
    is_closed(&connected).await;
    is_closed(&under_its_own_name).await;
    is_refused(program, &old).await;
    is_refused(program, &renamed).await;
    let new = given(program, "billing");
    assert_eq!((new.login.as_deref(), &new.secret), (Some("billing"), &renamed.secret));
    is_taken(program, &SERVERS, &new).await;
    assert!(run(program, BOTH, "plan", 0).await.contains("No changes."));
    assert!(!run(program, BOTH, "secrets list", 0).await.contains("billing/login"));
}

async fn a_site_that_does_not_answer_stops_it_before_the_old_one_is_refused(program: &Program) {
    let (old, billing) = (given(program, "till"), given(program, "billing"));
    signal(program, SERVERS[1], "-STOP");
    run(program, BOTH, "run rotate till --yes", 1).await;
    is_taken(program, &SERVERS[..1], &old).await;
    assert_eq!(given(program, "till"), old);
    signal(program, SERVERS[1], "-CONT");

    // It is stopped where old and new stand side by side, for an hour.
    let said = program.run_until(scores(BOTH), "run rotate till --overlap 1h --yes --json", "procedure_holds").await;
    assert!(said.contains(r#""outcome":"interrupted""#), "{said}");
    let new = given(program, "till");
    assert_ne!(new, old);
    let said = run(program, BOTH, "run", 0).await;
    assert!(said.contains("under way, at step 2 of 4 (hand-out): run it to go on"), "{said}");

    // Another one goes its own way meanwhile, and ends.
    run(program, BOTH, "run rotate billing --overlap 0s --yes", 0).await;
    is_refused(program, &billing).await;
    is_taken(program, &SERVERS, &old).await;

    signal(program, SERVERS[1], "-STOP");
    run(program, BOTH, "run rotate till --overlap 0s --yes", 1).await;
    is_taken(program, &SERVERS[..1], &old).await;
    signal(program, SERVERS[1], "-CONT");
    is_taken(program, &SERVERS, &old).await;
    is_taken(program, &SERVERS, &new).await;

    run(program, BOTH, "run rotate till --overlap 0s --yes", 0).await;
    is_refused(program, &old).await;
    is_taken(program, &SERVERS, &new).await;
    assert_eq!(given(program, "till"), new);
    assert!(run(program, BOTH, "plan", 0).await.contains("No changes."));
}

async fn a_user_who_is_taken_away_meanwhile_ends_it(program: &Program) {
    let old = given(program, "till");
    program.run_until(scores(BOTH), "run rotate till --overlap 1h --yes --json", "procedure_holds").await;
    let new = given(program, "till");
    let said = run(program, &["billing"], "plan", 0).await;
    assert!(said.contains("`rotate nats/SHOP/till` has begun, and no Score offers it any more"), "{said}");
    run(program, &["billing"], "apply --yes", 0).await;
    is_refused(program, &old).await;
    is_refused(program, &new).await;
    let said = run(program, &["billing"], "plan", 0).await;
    assert!(said.contains("No changes.") && !said.contains("has begun"), "{said}");
    assert!(!run(program, &["billing"], "secrets list", 0).await.contains("till"));
}

/// Neither anything that was said, nor a file outside of those that hand a credential to its user.
fn nothing_tells_a_secret(program: &Program, secrets: &[String]) {
    let said = program.said();
    for secret in secrets {
        assert!(!said.contains(secret.as_str()), "a secret was said");
    }
    for (path, content) in program.files() {
        if path.starts_with(program.state().join("laptop/credentials")) {
            continue;
        }
        let content = String::from_utf8_lossy(&content);
        assert!(!secrets.iter().any(|secret| content.contains(secret.as_str())), "a secret is in {}", path.display());
    }
}
