//! No secret is anywhere but in Secrets: in no other object of the cluster, in nothing that is said at any level of detail, in no file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use data_encoding::BASE64;
use harmony_test::SecretScanner;
use serde_json::Value as Json;

use crate::world::World;

/// Every level of detail, as text and as JSON.
const VOICES: [(&[&str], Option<&str>); 4] =
    [(&["-vv"], None), (&[], Some("trace")), (&["--json", "-vv"], None), (&["--json"], Some("trace"))];

/// What is said, and how it ends.
const COMMANDS: [(&[&str], i32); 6] =
    [(&["plan"], 0), (&["apply", "--yes"], 0), (&["status"], 0), (&["verify"], 0), (&["render"], 0), (&["destroy", "--yes"], 5)];

pub(crate) fn are_all_secrets(world: &World) {
    let secrets = secrets(world);
    let mut scanner = SecretScanner::default();
    for (name, value) in &secrets {
        match serde_json::from_str::<Json>(value).ok().and_then(|pair| pair["key"].as_str().map(str::to_owned)) {
            Some(key) => scanner.add_key(name, &key),
            None => scanner.add(name, value.as_bytes()),
        }
    }
    let (bytes, outputs) = nothing_said_holds_one(world, &scanner);
    let objects = only_secrets_hold_one(world, &scanner, &secrets);
    let files = files(&world.program.state());
    for file in &files {
        let found = scanner.find(&fs::read(file).unwrap());
        assert!(found.is_empty(), "{}: {found:?}", file.display());
    }
    println!(
        "{} secrets in {} forms: {objects} objects, {outputs} outputs of {bytes} bytes, {} files",
        secrets.len(),
        scanner.forms(),
        files.len()
    );
}

/// All that the program keeps, by name.
fn secrets(world: &World) -> BTreeMap<String, String> {
    let listed = world.program.expect(&["secrets", "list"], 0).stdout;
    let names: Vec<&str> = listed.split_whitespace().filter(|word| word.starts_with("nats/")).collect();
    let reveal = |name: &str| world.program.expect(&["secrets", "get", name, "--reveal"], 0).stdout;
    let secrets: BTreeMap<String, String> =
        names.iter().map(|name| ((*name).to_owned(), reveal(name).trim_end().to_owned())).collect();
    assert!(secrets.len() >= 9, "{listed}");
    secrets
}

fn nothing_said_holds_one(world: &World, scanner: &SecretScanner) -> (usize, usize) {
    let (mut bytes, mut outputs) = (0, 0);
    for (options, log) in VOICES {
        for (arguments, code) in COMMANDS {
            let mut command = world.program.command(&[arguments, options].concat());
            log.map(|level| command.env("RUST_LOG", level));
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(code), "{arguments:?} {}", String::from_utf8_lossy(&output.stderr));
            let said = [output.stdout, output.stderr].concat();
            let found = scanner.find(&said);
            assert!(found.is_empty(), "{arguments:?} {options:?} {log:?} says {found:?}");
            (bytes, outputs) = (bytes + said.len(), outputs + 1);
        }
    }
    (bytes, outputs)
}

/// How many objects were searched.
fn only_secrets_hold_one(world: &World, scanner: &SecretScanner, secrets: &BTreeMap<String, String>) -> usize {
    let objects = world.cluster.objects().unwrap();
    let mut kept = BTreeSet::new();
    for object in &objects {
        let name = format!("{} {}/{}", object["kind"], object["metadata"]["namespace"], object["metadata"]["name"]);
        if object["kind"] == "Secret" {
            let values = object["data"].as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str());
            for value in values {
                kept.extend(scanner.secrets_in(&BASE64.decode(value.as_bytes()).unwrap()).into_iter().map(str::to_owned));
            }
            let rest = serde_json::to_vec(&object["metadata"]).unwrap();
            assert!(scanner.find(&rest).is_empty(), "{name} says {:?} beside its data", scanner.find(&rest));
        } else {
            let found = serde_json::to_vec(object).unwrap();
            assert!(scanner.find(&found).is_empty(), "{name} holds {:?}", scanner.find(&found));
        }
    }
    // Keys of servers, the password of routes, and what the application connects with; no user of Harmony's own, and no authority's key.
    let expected =
        secrets.keys().filter(|name| name.contains("/server/") || name.ends_with("/routes") || name.contains("/user/app/"));
    assert_eq!(kept, expected.cloned().collect());
    objects.len()
}

fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            _ => found.push(entry.path()),
        }
    }
    found
}
