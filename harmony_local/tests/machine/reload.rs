//! What a server can read again is read again; the rest needs a restart.

use std::fs;
use std::process::{Command, Stdio};

use harmony::Scores;
use harmony::modules::nats::client::ServerState;
use harmony::modules::nats::score::{Grant, JetstreamScore, SyncPolicy, UserWish};
use harmony_types::{ByteSize, TimeSpan};

use crate::fixture::{Machine, Place, Server, account, changes, one, user, wait_until};

const PROCESS: &str = "update laptop/nats/nats-1/process";

/// A server before and after a change.
struct Change {
    before: (u32, ServerState),
    after: (u32, ServerState),
    said: Vec<String>,
}

async fn look(server: &Server) -> (u32, ServerState) {
    (server.process().unwrap(), server.state().await)
}

async fn apply(machine: &Machine, server: &Server, scores: &Scores<Place>) -> Change {
    let before = look(server).await;
    machine.said();
    machine.apply(machine.topology(), scores).await;
    let said = machine.said();
    let plan = machine.plan(machine.topology(), scores).await;
    assert!(!plan.is_pending(), "{:?}", changes(&plan));
    Change { before, after: look(server).await, said }
}

impl Change {
    fn is_reload(&self, what: &str) {
        assert_eq!(self.after.0, self.before.0, "{what}: the process is the same");
        assert_eq!(self.after.1.started, self.before.1.started, "{what}");
        assert_eq!(self.after.1.id, self.before.1.id, "{what}");
        assert_ne!(self.after.1.configured, self.before.1.configured, "{what}: it has read its configuration");
        assert_ne!(self.after.1.config_digest, self.before.1.config_digest, "{what}");
        assert!(!self.has_said("restarting"), "{what}: {:?}", self.said);
    }

    fn is_restart(&self, what: &str) {
        assert_ne!(self.after.0, self.before.0, "{what}: the process is another one");
        assert_ne!(self.after.1.id, self.before.1.id, "{what}");
        assert_ne!(self.after.1.config_digest, self.before.1.config_digest, "{what}");
        assert!(self.has_said("restarting"), "{what}: {:?}", self.said);
    }

    fn has_said(&self, words: &str) -> bool {
        self.said.iter().any(|event| event.contains(words))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_users_and_grants_are_reloaded() {
    let Some((machine, server)) = Machine::with_one_server("reload::users").await else { return };
    let jetstream = || JetstreamScore::on("nats");
    let more = account().with_user(user("second"));
    apply(&machine, &server, &one(jetstream(), more.clone())).await.is_reload("a user");
    let granted = UserWish::new("third").with_grant(Grant::publish("a.>"));
    apply(&machine, &server, &one(jetstream(), more.clone().with_user(granted.clone()))).await.is_reload("another user");
    let granted = granted.with_grant(Grant::subscribe("b.>"));
    apply(&machine, &server, &one(jetstream(), more.with_user(granted))).await.is_reload("a grant");
    apply(&machine, &server, &one(jetstream(), account())).await.is_reload("two users fewer");
    apply(&machine, &server, &one(jetstream(), account().with_max_streams(3))).await.is_reload("a limit of an account");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_refuses_to_reload_restarts_it() {
    let Some((machine, server)) = Machine::with_one_server("reload::restart").await else { return };
    let jetstream = JetstreamScore::on("nats").with_max_file(ByteSize::mib(64));
    apply(&machine, &server, &one(jetstream, account())).await.is_restart("a limit of the disk");
    let jetstream = JetstreamScore::on("nats").with_max_file(ByteSize::mib(32));
    apply(&machine, &server, &one(jetstream.clone(), account())).await.is_restart("a smaller limit of the disk");
    let jetstream = jetstream.with_sync(SyncPolicy::Every(TimeSpan::seconds(1)));
    apply(&machine, &server, &one(jetstream.clone(), account())).await.is_restart("the time between syncs");
    let jetstream = jetstream.with_domain("edge");
    let change = apply(&machine, &server, &one(jetstream, account())).await;
    change.is_restart("the domain");
    assert!(!change.has_said("refuses to reload"), "what needs a restart is known without asking: {:?}", change.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_reload_is_said_in_the_words_of_the_server_and_followed_by_a_restart() {
    let Some((machine, server)) = Machine::with_one_server("reload::refused").await else { return };
    let scores = one(JetstreamScore::on("nats"), account());
    // By hand, without the record: how it was started nobody knows.
    let config = server.config();
    let edited = config.replacen("sync_interval: \"always\"", "sync_interval: \"7s\"", 1);
    assert_ne!(config, edited);
    server.kill().await;
    fs::write(server.file("nats.conf"), edited).unwrap();
    let mut by_hand = Command::new(&machine.program);
    by_hand.arg("-c").arg(server.file("nats.conf")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut by_hand = by_hand.spawn().unwrap();
    wait_until("it answers", || server.answers()).await;
    let reaped = std::thread::spawn(move || by_hand.wait());

    let plan = machine.plan(machine.topology(), &scores).await;
    assert_eq!(changes(&plan), ["update laptop/nats/nats-1/nats.conf /content", &format!("{PROCESS} /config_digest /record")]);
    let change = apply(&machine, &server, &scores).await;
    change.is_restart("the time between syncs, set by hand");
    assert!(
        change.has_said("the server refuses to reload") && change.has_said("config reload not supported"),
        "{:?}",
        change.said
    );
    assert!(reaped.join().unwrap().unwrap().code().is_some(), "it was asked to stop, not killed");
}
