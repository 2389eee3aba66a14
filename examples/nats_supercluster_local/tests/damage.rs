//! Damage done by hand is shown exactly, and repaired exactly.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

#[path = "world/edited.rs"]
mod edited;
#[path = "world/outside.rs"]
mod outside;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use async_nats::Client;
use async_nats::jetstream;
use edited::{LOCAL_BUCKET, run_with_local_bucket};
use harmony_test::{Finished, SiteProgram};
use outside::{SERVERS, ask_all, called, connect, file};
use serde_json::{Value as Json, json};

const BUCKET: &str = "laptop/nats/bucket/HARMONY/HARMONY";

/// The main job, applied once, and looked at from outside.
struct Applied {
    program: SiteProgram,
    operator: Client,
    provisioner: Client,
    agent: Client,
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_shown_exactly_and_repaired_exactly() {
    let program = SiteProgram::new(env!("CARGO_BIN_EXE_nats_supercluster_local"));
    program.expect(&["apply", "--yes"], 0);
    // Connections to a server to which nothing is done.
    let operator = connect(&program, "nats-north-1", "SYS", "harmony-operator").await;
    let provisioner = connect(&program, "nats-north-1", "HARMONY", "harmony-provisioner").await;
    let agent = connect(&program, "nats-north-1", "HARMONY", "agent").await;
    let applied = Applied { program, operator, provisioner, agent };
    applied.settled(SERVERS.len()).await;
    applied.a_killed_server().await;
    applied.an_edited_configuration().await;
    applied.an_edited_and_reloaded_configuration().await;
    applied.a_user_added_on_one_site().await;
    applied.a_changed_bucket().await;
    applied.a_lost_certificate().await;
    applied.a_record_of_another_process().await;
    applied.a_deleted_bucket().await;
    applied.a_site_that_is_down().await;
}

impl Applied {
    async fn a_killed_server(&self) {
        self.kill("nats-east-1");
        // If it led all of JetStream, the others have to agree on another one first.
        self.settled(SERVERS.len() - 1).await;
        self.is_repaired("a killed server", &[("create", "laptop/nats/nats-east-1/process")]);
    }

    async fn an_edited_configuration(&self) {
        self.edit("nats-west-1", |config| config + "max_payload: 2MB\n");
        self.is_repaired("an edited configuration", &[("update", "laptop/nats/nats-west-1/nats.conf")]);
    }

    async fn an_edited_and_reloaded_configuration(&self) {
        let before = self.started("nats-west-1").await;
        self.edit("nats-west-1", |config| config + "max_payload: 2MB\n");
        self.reload("nats-west-1").await;
        let changed = [("update", "laptop/nats/nats-west-1/nats.conf"), ("update", "laptop/nats/nats-west-1/process")];
        self.is_repaired("an edited and reloaded configuration", &changed);
        assert_eq!(before, self.started("nats-west-1").await, "what a server can read again needs no restart");
    }

    async fn a_user_added_on_one_site(&self) {
        let stranger = "{ user: stranger, password: \"let-me-in\" }\n";
        self.edit("nats-east-2", |config| config.replacen("users: [\n", &format!("users: [\n{stranger}"), 1));
        self.reload("nats-east-2").await;
        assert!(self.stranger_connects("nats-east-2").await, "the damage is done");
        let changed = [("update", "laptop/nats/nats-east-2/nats.conf"), ("update", "laptop/nats/nats-east-2/process")];
        self.is_repaired("a user added on one site", &changed);
        assert!(!self.stranger_connects("nats-east-2").await);
    }

    async fn a_changed_bucket(&self) {
        let config = called(&self.provisioner, "STREAM.INFO.KV_HARMONY", &Json::Null).await["config"].take();
        let mut other = config.clone();
        (other["max_msgs_per_subject"], other["deny_delete"]) = (json!(5), json!(true));
        other["description"] = json!("by hand");
        called(&self.provisioner, "STREAM.UPDATE.KV_HARMONY", &other).await;
        self.is_repaired("a changed bucket", &[("update", BUCKET)]);
        let again = called(&self.provisioner, "STREAM.INFO.KV_HARMONY", &Json::Null).await["config"].take();
        assert_eq!(config, again);
    }

    async fn a_lost_certificate(&self) {
        let path = file(&self.program, "nats-north-2", "certificate.pem");
        let before = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        self.is_repaired("a lost certificate", &[("create", "laptop/nats/nats-north-2/certificate.pem")]);
        assert_eq!(before, fs::read(&path).unwrap());
    }

    async fn a_record_of_another_process(&self) {
        let mut other = Command::new("sleep").arg("600").spawn().unwrap();
        let path = file(&self.program, "nats-west-2", "process.json");
        let mut record: Json = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        record["process"] = json!(other.id());
        fs::write(&path, record.to_string()).unwrap();
        let before = self.started("nats-west-2").await;
        self.is_repaired("a record of another process", &[("update", "laptop/nats/nats-west-2/process")]);
        assert_eq!(before, self.started("nats-west-2").await, "the server was found without its record, and needs no restart");
        assert!(other.try_wait().unwrap().is_none(), "the other process was left alone");
        other.kill().unwrap();
        other.wait().unwrap();
    }

    async fn a_deleted_bucket(&self) {
        let bucket = jetstream::new(self.agent.clone()).get_key_value("HARMONY").await.unwrap();
        for key in ["one", "two", "three"] {
            bucket.put(key, "value".into()).await.unwrap();
        }
        // The run that sees them last.
        self.program.expect(&["apply", "--yes"], 0);
        called(&self.provisioner, "STREAM.DELETE.KV_HARMONY", &Json::Null).await;
        let shown = self.program.expect(&["drift"], 3).stdout;
        assert!(shown.contains("it is gone, with what it held when last seen: 3 messages"), "{shown}");
        assert_eq!(self.changes("drift", 3), as_map(&[("create", BUCKET)]));
        let refused = self.program.expect(&["apply", "--yes"], 5);
        assert!(refused.output().contains(&format!("--allow-loss {BUCKET}")), "{}", refused.output());
        assert!(called_is_absent(&self.provisioner).await, "it was refused before any change");
        let made = self.program.expect(&["apply", "--yes", "--json", "--allow-loss", BUCKET], 0).summary();
        assert_eq!((&made["create"], &made["writes"]), (&json!(1), &json!(1)), "{made}");
        self.program.expect(&["drift"], 0);
    }

    /// What lives on one site only, in a later edition of the same program.
    async fn a_site_that_is_down(&self) {
        let applied = run_with_local_bucket(&self.program, &["apply", "--yes", "--json"], 0).await.summary();
        assert_eq!(applied["writes"], 1, "{applied}");
        for server in SERVERS.iter().filter(|server| server.contains("-east-")) {
            self.kill(server);
        }
        self.settled(SERVERS.len() - 3).await;
        // The bucket that has a copy on every site is looked at as ever. What else may be in the account nobody can list now.
        let expected = as_map(&[
            ("create", "laptop/nats/nats-east-1/process"),
            ("create", "laptop/nats/nats-east-2/process"),
            ("create", "laptop/nats/nats-east-hub/process"),
            ("unknown", LOCAL_BUCKET),
            ("unknown", "laptop/nats/account/HARMONY"),
        ]);
        let shown = run_with_local_bucket(&self.program, &["drift", "--json"], 3).await;
        assert_eq!(changes_in(&shown), expected);
        let repaired = run_with_local_bucket(&self.program, &["apply", "--yes", "--json"], 0).await.summary();
        assert_eq!((&repaired["create"], &repaired["writes"]), (&json!(3), &json!(3)), "{repaired}");
        run_with_local_bucket(&self.program, &["drift"], 0).await;
    }

    /// `drift` and `plan` show these changes and no others, `apply` makes as many, and then nothing is left to do.
    fn is_repaired(&self, damage: &str, expected: &[(&str, &str)]) {
        assert_eq!(self.changes("drift", 3), as_map(expected), "{damage}, in `drift`");
        assert_eq!(self.changes("plan", 0), as_map(expected), "{damage}, in `plan`");
        let summary = self.program.expect(&["apply", "--yes", "--json"], 0).summary();
        let count = |action: &str| json!(expected.iter().filter(|(change, _)| *change == action).count());
        let done = ["create", "update", "replace", "delete"].map(|action| summary[action].clone());
        assert_eq!(done, [count("create"), count("update"), json!(0), json!(0)], "{damage}, in `apply`: {summary}");
        assert_eq!(summary["writes"], expected.len(), "{damage}, in `apply`: {summary}");
        self.program.expect(&["drift"], 0);
    }

    fn changes(&self, command: &str, code: i32) -> BTreeMap<String, String> {
        changes_in(&self.program.expect(&[command, "--json"], code))
    }

    fn kill(&self, server: &str) {
        let process = self.program.server(server).unwrap_or_else(|| panic!("{server} does not run"));
        signal("-KILL", process);
        let begun = Instant::now();
        while self.program.server(server) == Some(process) {
            assert!(begun.elapsed() < Duration::from_secs(5), "{server} does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn edit(&self, server: &str, edit: impl Fn(String) -> String) {
        let path = file(&self.program, server, "nats.conf");
        let before = fs::read_to_string(&path).unwrap();
        let after = edit(before.clone());
        assert_ne!(before, after, "the edit does nothing");
        fs::write(&path, after).unwrap();
    }

    /// As an administrator would do it.
    async fn reload(&self, server: &str) {
        let before = self.says(server, "config_load_time").await;
        signal("-HUP", self.program.server(server).unwrap());
        let begun = Instant::now();
        while self.says(server, "config_load_time").await == before {
            assert!(begun.elapsed() < Duration::from_secs(5), "{server} does not reload");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn started(&self, server: &str) -> Json {
        self.says(server, "start").await
    }

    async fn says(&self, server: &str, field: &str) -> Json {
        ask_all(&self.operator, "VARZ", &Json::Null, SERVERS.len()).await[server][field].clone()
    }

    async fn settled(&self, count: usize) {
        outside::settled(&self.operator, &self.provisioner, count).await;
    }

    async fn stranger_connects(&self, server: &str) -> bool {
        let options = async_nats::ConnectOptions::with_user_and_password("stranger".to_owned(), "let-me-in".to_owned());
        outside::trusting(&self.program, options).connect(outside::url(&self.program, server)).await.is_ok()
    }
}

async fn called_is_absent(provisioner: &Client) -> bool {
    outside::call(provisioner, "STREAM.INFO.KV_HARMONY", &Json::Null).await["error"]["code"] == 404
}

fn signal(name: &str, process: u32) {
    assert!(Command::new("kill").args([name, &process.to_string()]).status().unwrap().success());
}

fn as_map(changes: &[(&str, &str)]) -> BTreeMap<String, String> {
    changes.iter().map(|(action, address)| ((*address).to_owned(), (*action).to_owned())).collect()
}

/// What a plan would do to which thing; that proofs are due again follows from it.
fn changes_in(finished: &Finished) -> BTreeMap<String, String> {
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    let planned = finished.events().into_iter().filter(|event| event["event"] == "planned_change" && event["action"] != "prove");
    planned.map(|event| (text(&event["address"]), text(&event["action"]))).collect()
}
