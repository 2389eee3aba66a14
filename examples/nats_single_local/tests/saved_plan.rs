//! A saved plan does exactly what it says, or is refused and names what somebody has changed since.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use async_nats::{Client, ConnectOptions};
use harmony_test::{Finished, SiteProgram};
use serde_json::{Value as Json, json};

const PROCESS: &str = "laptop/nats/nats-1/process";
const CONFIG: &str = "laptop/nats/nats-1/nats.conf";
const TRUST: &str = "laptop/nats/nats-1/trust.pem";
const KEY: &str = "laptop/nats/nats-1/key.pem";
const CREDENTIALS: &str = "laptop/nats/credentials/APP-app";
const BUCKET: &str = "laptop/nats/bucket/APP/settings";
const NKEY: &str = "laptop/nats/user/APP/app/nkey";

/// Files with their contents, and processes.
type Standing = (Vec<(PathBuf, Vec<u8>)>, Vec<(u32, String)>);

struct Site {
    program: SiteProgram,
    plan: PathBuf,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_is_carried_out_exactly_or_refused_with_what_moved() {
    let program = SiteProgram::new(env!("CARGO_BIN_EXE_nats_single_local"));
    let plan = program.config().parent().unwrap().join("night.plan");
    let site = Site { program, plan };
    site.the_first_plan_makes_what_it_says();
    site.nothing_changed_is_nothing_done();
    site.after_each_change_by_hand_it_is_refused().await;
    site.a_repair_that_was_planned_is_done_and_nothing_else().await;
    site.program.expect(&["destroy", "--yes"], 0);
    site.apply_is_refused(&[], "stands on run");
}

impl Site {
    fn the_first_plan_makes_what_it_says(&self) {
        let planned = self.save();
        let shown = SiteProgram::new(env!("CARGO_BIN_EXE_nats_single_local")).expect(&["show", self.path(), "--json"], 0);
        assert_eq!(changes(&shown), changes(&planned), "shown by a program without that state");
        self.does_what_was_planned(&planned);
    }

    fn nothing_changed_is_nothing_done(&self) {
        assert!(changes(&self.save()).is_empty());
        let before = self.standing();
        assert_eq!(self.apply(0).summary()["outcome"], "converged");
        assert!(before == self.standing());
    }

    async fn after_each_change_by_hand_it_is_refused(&self) {
        self.save();
        let config = self.file("nats.conf");
        self.while_file(
            &config,
            |text| text + "max_payload: 2MB\n",
            || {
                self.apply_is_refused(&[CONFIG], "`/content` was as it should be");
            },
        );
        // The file of a secret: it is named, and nothing of it is said.
        let edited = self.file("key.pem");
        self.while_file(
            &edited,
            |text| text.replace("KEY", "KEX"),
            || {
                self.apply_is_refused(&[KEY], "`/content` was as it should be, (sensitive), and is (sensitive) now");
            },
        );
        for (path, address) in [(self.file("trust.pem"), TRUST), (self.state("laptop/credentials/nats/APP-app.nk"), CREDENTIALS)]
        {
            let text = fs::read(&path).unwrap();
            fs::remove_file(&path).unwrap();
            self.apply_is_refused(&[address], "now it would be made");
            write_private(&path, &text);
        }
        self.a_changed_bucket().await;
        self.a_changed_secret();
        self.a_killed_process();
    }

    async fn a_changed_bucket(&self) {
        let provisioner = self.connect("harmony-provisioner").await;
        let config = call(&provisioner, "STREAM.INFO.KV_settings", &Json::Null).await["config"].take();
        let mut other = config.clone();
        other["max_msgs_per_subject"] = json!(5);
        call(&provisioner, "STREAM.UPDATE.KV_settings", &other).await;
        self.apply_is_refused(&[BUCKET], "`/history` was as it should be, 1, and is 5 now");
        call(&provisioner, "STREAM.UPDATE.KV_settings", &config).await;
        self.apply(0);
        self.save();
    }

    /// The secret of a user is exchanged in the store, as by a merge: what is there is as it should be, and yet it is another one.
    fn a_changed_secret(&self) {
        let store = fs::read(self.state("secrets.json")).unwrap();
        let name = "nats/nats/account/app/user/app/nkey";
        let other =
            self.program.expect(&["secrets", "get", "nats/nats/account/app/user/harmony-prover/nkey", "--reveal"], 0).stdout;
        let given = self.state("given");
        fs::write(&given, other.trim()).unwrap();
        let mut setting = self.program.command(&["secrets", "set", name]);
        assert!(setting.stdin(fs::File::open(&given).unwrap()).status().unwrap().success());
        fs::remove_file(&given).unwrap();
        let refused = self.apply_is_refused(&[NKEY], "what it offers to others is another value now");
        assert!(!refused.output().contains(other.trim()));
        write_private(&self.state("secrets.json"), &store);
    }

    fn a_killed_process(&self) {
        kill(&self.program);
        self.apply_is_refused(&[PROCESS], "it was there when it was planned, and is not seen now");
    }

    /// The process is down and a file is edited when it is planned; then another file is edited too, and put back.
    async fn a_repair_that_was_planned_is_done_and_nothing_else(&self) {
        let trust = self.file("trust.pem");
        let before = fs::read(&trust).unwrap();
        fs::write(&trust, "edited").unwrap();
        let planned = self.save();
        assert!(changes(&planned).contains(&("create".to_owned(), PROCESS.to_owned())), "{:?}", changes(&planned));
        let config = self.file("nats.conf");
        self.while_file(&config, |text| text + "# by hand\n", || drop(self.apply_is_refused(&[CONFIG], "and is ")));
        fs::write(&trust, "edited otherwise").unwrap();
        self.apply_is_refused(&[TRUST], "and is \"edited otherwise\" now");
        fs::write(&trust, "edited").unwrap();
        self.does_what_was_planned(&planned);
        assert_eq!(fs::read(&trust).unwrap(), before);
        self.program.expect(&["drift"], 0);
    }

    /// Carries the saved plan out, and compares one by one what was planned with what was done.
    fn does_what_was_planned(&self, planned: &Finished) {
        let applied = self.apply(0);
        let mut done: Vec<(String, String)> = Vec::new();
        for event in applied.events().iter().filter(|event| event["event"] == "finished") {
            let action = match event["done"].as_str().unwrap() {
                "created" => "create",
                "updated" => "update",
                "proved" => "prove",
                // What was known only later turned out to need nothing, or is kept by whoever had it.
                "is as it should be" => continue,
                other => panic!("{other}: {event}"),
            };
            done.push((action.to_owned(), event["address"].as_str().unwrap().to_owned()));
        }
        done.sort();
        let looked_again: Vec<String> = applied
            .events()
            .iter()
            .filter(|event| event["done"] == "is as it should be")
            .map(|event| event["address"].as_str().unwrap().to_owned())
            .collect();
        let expected: Vec<_> = changes(planned).into_iter().filter(|(_, address)| !looked_again.contains(address)).collect();
        assert_eq!(done, expected);
        // The contents of an account and the part that a server has are looked at, never written; of what depends on a dead server it
        // is known later.
        let permitted = |address: &String| ["/account/", "/member/", "/bucket/"].iter().any(|kind| address.contains(kind));
        assert!(looked_again.iter().all(permitted), "{looked_again:?}");
        let writes = done.iter().filter(|(action, _)| action != "prove").count();
        assert_eq!(applied.summary()["writes"], writes, "{}", applied.summary());
    }

    fn apply_is_refused(&self, addresses: &[&str], says: &str) -> Finished {
        let before = self.standing();
        let refused = self.apply(5);
        assert!(before == self.standing(), "it was refused before any change");
        let events = refused.events();
        let error = events.iter().find(|event| event["event"] == "error").unwrap_or_else(|| panic!("{refused:?}"));
        let moved: Vec<&str> =
            error["moved"].as_array().unwrap().iter().map(|moved| moved["address"].as_str().unwrap()).collect();
        assert!(addresses.iter().all(|address| moved.contains(address)), "{addresses:?} in {error}");
        assert!(refused.stderr.contains(says), "{says} in {}", refused.stderr);
        refused
    }

    /// The files that a run may change, and the processes. The lock says who had it last; a server writes its log and its store.
    fn standing(&self) -> Standing {
        let of_the_server = |path: &Path| path.ends_with("lock") || path.extension().is_some_and(|end| end == "log");
        let mut files: Vec<_> = self.program.snapshot().into_iter().map(|(path, bytes, _)| (path, bytes)).collect();
        files.retain(|(path, _)| !of_the_server(path) && !path.starts_with("laptop/nats/nats-1/store"));
        (files, self.program.processes())
    }

    fn save(&self) -> Finished {
        let saved = self.program.expect(&["plan", "--out", self.path(), "--json"], 0);
        assert!(self.plan.exists());
        saved
    }

    fn apply(&self, code: i32) -> Finished {
        self.program.expect(&["apply", self.path(), "--json"], code)
    }

    fn path(&self) -> &str {
        self.plan.to_str().unwrap()
    }

    fn state(&self, name: &str) -> PathBuf {
        self.program.state().join(name)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.state("laptop/nats/nats-1").join(name)
    }

    /// Edits a file, and puts it back.
    fn while_file(&self, path: &Path, edit: impl Fn(String) -> String, test: impl Fn()) {
        let before = fs::read_to_string(path).unwrap();
        let after = edit(before.clone());
        assert_ne!(before, after);
        fs::write(path, after).unwrap();
        test();
        fs::write(path, before).unwrap();
    }

    async fn connect(&self, user: &str) -> Client {
        let secret = format!("nats/nats/account/app/user/{user}/nkey");
        let seed = self.program.expect(&["secrets", "get", &secret, "--reveal"], 0).stdout.trim().to_owned();
        let config = fs::read_to_string(self.file("nats.conf")).unwrap();
        let port = config.lines().find_map(|line| line.strip_prefix("port: ")).unwrap();
        let options = ConnectOptions::with_nkey(seed).custom_inbox_prefix(format!("_INBOX_{user}")).require_tls(true);
        let options = options.add_root_certificates(self.state("laptop/credentials/nats/trust.pem"));
        options.connect(format!("tls://127.0.0.1:{port}")).await.unwrap()
    }
}

/// What a plan would do, sorted by action and address.
fn changes(planned: &Finished) -> Vec<(String, String)> {
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    let events = planned.events().into_iter().filter(|event| event["event"] == "planned_change");
    let mut changes: Vec<_> = events.map(|event| (text(&event["action"]), text(&event["address"]))).collect();
    changes.sort();
    changes
}

async fn call(client: &Client, what: &str, body: &Json) -> Json {
    let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
    let answer = client.request(format!("$JS.API.{what}"), body.into()).await.unwrap();
    let answer: Json = serde_json::from_slice(&answer.payload).unwrap();
    assert!(answer["error"].is_null(), "{what}: {answer}");
    answer
}

fn kill(program: &SiteProgram) {
    let (process, _) = program.processes()[0].clone();
    assert!(Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap().success());
    let begun = Instant::now();
    while !program.processes().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{process} does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn write_private(path: &Path, text: &[u8]) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text).unwrap();
    let mode = if path.ends_with("trust.pem") { 0o644 } else { 0o600 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
