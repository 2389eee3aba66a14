//! The secrets of a site program, and the files that may hold them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harmony_io::Io;
use harmony_secret::{EncryptedFile, Environment, SecretStore};
use harmony_test::{SecretScanner, SiteProgram};

/// The password that the user sets, with everything that needs escaping somewhere.
pub(crate) const SET: (&str, &str) = ("nats/nats/cluster/nats-east/routes", "set: p@ss/w%rd<&>\"\\é $x+");
/// The password that the environment gives.
pub(crate) const GIVEN: (&str, &str) = ("nats/nats/cluster/nats-west/routes", "given: q@ss/w%rd<&>\"\\ü $y+");
/// The variable that gives it.
const VARIABLE: &str = "HARMONY_SECRET_NATS_NATS_CLUSTER_NATS_WEST_ROUTES";
/// What the key of the secrets' file is called here.
const IDENTITY: &str = "identity";

/// The program with these arguments, and the password that its environment gives.
pub(crate) fn command(program: &SiteProgram, arguments: &[&str]) -> Command {
    let mut command = program.command(arguments);
    command.env(VARIABLE, GIVEN.1);
    command
}

/// Sets the password that the user sets.
pub(crate) fn set_password(program: &SiteProgram) {
    let mut setting = command(program, &["secrets", "set", SET.0]).stdin(Stdio::piped()).spawn().unwrap();
    setting.stdin.take().unwrap().write_all(SET.1.as_bytes()).unwrap();
    assert!(setting.wait().unwrap().success());
}

/// Where the program keeps its secrets.
pub(crate) fn store(program: &SiteProgram) -> PathBuf {
    program.state().join("secrets.json")
}

/// Every secret of the program by its name, and the key of the file that keeps them.
pub(crate) async fn secrets(program: &SiteProgram) -> BTreeMap<String, String> {
    let config = program.config().display().to_string();
    let environment = Environment::new(move |name| (name == "XDG_CONFIG_HOME").then(|| config.clone()));
    let file = EncryptedFile::new(store(program), Io::real(), environment);
    let mut secrets = BTreeMap::from([(GIVEN.0.to_owned(), GIVEN.1.to_owned())]);
    for name in file.names().await.unwrap() {
        let value = file.find(&name).await.unwrap().unwrap();
        secrets.insert(name.to_string(), value.expose_str().unwrap().to_owned());
    }
    let identity = fs::read_to_string(program.config().join("harmony/identity")).unwrap();
    secrets.insert(IDENTITY.to_owned(), identity.lines().nth(1).unwrap().to_owned());
    secrets
}

/// Looks for them.
pub(crate) fn scanner(secrets: &BTreeMap<String, String>) -> SecretScanner {
    let mut scanner = SecretScanner::default();
    for (name, value) in secrets {
        match serde_json::from_str::<serde_json::Value>(value).ok().and_then(|pair| pair["key"].as_str().map(str::to_owned)) {
            Some(key) => scanner.add_key(name, &key),
            None => scanner.add(name, value.as_bytes()),
        }
    }
    let key = data_encoding::BASE64.decode(secrets[IDENTITY].as_bytes()).unwrap();
    scanner.add(IDENTITY, &key);
    scanner
}

/// The files that hold a secret, and which: the servers' keys and their route passwords, the users' credentials, the identity.
pub(crate) fn expected_files() -> BTreeMap<PathBuf, BTreeSet<String>> {
    let mut files = BTreeMap::from([(PathBuf::from("config/harmony/identity"), BTreeSet::from([IDENTITY.to_owned()]))]);
    let mut hold = |file: String, secret: String| {
        files.insert(PathBuf::from("state/nats_supercluster_local/laptop").join(file), BTreeSet::from([secret]));
    };
    for site in ["east", "north", "west"] {
        for (server, cluster) in [("1", site), ("2", site), ("hub", "hub")] {
            let server = format!("nats-{site}-{server}");
            hold(format!("nats/{server}/key.pem"), format!("nats/nats/server/{server}/certificate"));
            hold(format!("nats/{server}/routes.conf"), format!("nats/nats/cluster/nats-{cluster}/routes"));
        }
    }
    for user in ["agent", "auditor"] {
        hold(format!("credentials/nats/HARMONY-{user}.nk"), format!("nats/nats/account/harmony/user/{user}/nkey"));
    }
    files
}

/// The files below `root` that hold a secret, and which, and how many files were looked at. Each that does is its owner's alone.
pub(crate) fn files_with_secrets(scanner: &SecretScanner, root: &Path) -> (BTreeMap<PathBuf, BTreeSet<String>>, usize) {
    let mut with_secrets = BTreeMap::new();
    let files = files(root);
    for file in &files {
        // The servers write while we look.
        let Ok(bytes) = fs::read(file) else { continue };
        let secrets: BTreeSet<String> = scanner.secrets_in(&bytes).into_iter().map(str::to_owned).collect();
        if !secrets.is_empty() {
            let mode = fs::metadata(file).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{} holds {secrets:?}", file.display());
            with_secrets.insert(file.strip_prefix(root).unwrap().to_owned(), secrets);
        }
    }
    (with_secrets, files.len())
}

/// Every file below `directory`.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            _ => found.push(entry.path()),
        }
    }
    found
}
