use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use async_nats::ConnectErrorKind;
use harmony_test::{Finished, SecretScanner, SiteProgram};

use crate::kept::{self, command, expected_files, files, files_with_secrets, scanner, secrets, set_password, store};

/// Every level of detail, as text and as JSON.
const VOICES: [(&[&str], Option<&str>); 8] = [
    (&[], None),
    (&["-v"], None),
    (&["-vv"], None),
    (&[], Some("trace")),
    (&["--json"], None),
    (&["--json", "-v"], None),
    (&["--json", "-vv"], None),
    (&["--json"], Some("trace")),
];

/// A program, and all that it has said.
struct World {
    program: SiteProgram,
    said: Vec<(String, String)>,
}

impl World {
    fn run(&mut self, arguments: &[&str], (options, log): (&[&str], Option<&str>)) -> Finished {
        let mut command = command(&self.program, &[arguments, options].concat());
        log.map(|level| command.env("RUST_LOG", level));
        let output = command.output().unwrap();
        let finished = Finished {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        self.said.push((format!("{arguments:?} {options:?} {log:?}"), finished.output()));
        finished
    }

    fn expect(&mut self, arguments: &[&str], voice: (&[&str], Option<&str>), code: i32) -> Finished {
        let finished = self.run(arguments, voice);
        let output = finished.output();
        let tail = output.char_indices().rev().nth(6000).map_or(output.as_str(), |(at, _)| &output[at..]);
        assert_eq!(finished.code, code, "{arguments:?} {voice:?}: {tail}");
        finished
    }

    fn root(&self) -> PathBuf {
        self.program.config().parent().unwrap().to_owned()
    }

    /// In everything said, in every file, and in what every server was started with: only what must be, where it must be.
    fn assert_kept(&self, scanner: &SecretScanner, when: &str) {
        let begun = Instant::now();
        for (what, said) in &self.said {
            assert!(scanner.find(said.as_bytes()).is_empty(), "{when}, {what} says {:?}", scanner.find(said.as_bytes()));
        }
        let said: usize = self.said.iter().map(|(_, said)| said.len()).sum();
        let (found, looked) = files_with_secrets(scanner, &self.root());
        assert_eq!(found, expected_files(), "{when}");
        let processes = self.program.processes();
        assert_eq!(processes.len(), 9, "{when}");
        for (process, _) in &processes {
            for what in ["cmdline", "environ"] {
                let bytes = fs::read(format!("/proc/{process}/{what}")).unwrap();
                assert!(scanner.find(&bytes).is_empty(), "{when}, {what} of {process}");
                assert!(what == "environ" || !bytes.is_empty());
            }
        }
        println!(
            "{when}: {} forms of secrets, {} outputs of {said} bytes, {looked} files ({} with a secret), {} processes, {:.1?}",
            scanner.forms(),
            self.said.len(),
            found.len(),
            processes.len(),
            begun.elapsed()
        );
    }

    /// What was replaced is in nothing said and in no file any more.
    fn assert_gone(&self, replaced: &SecretScanner) {
        assert!(self.said.iter().all(|(_, said)| replaced.find(said.as_bytes()).is_empty()));
        let (found, _) = files_with_secrets(replaced, &self.program.state());
        assert!(found.is_empty(), "{found:?}");
    }
}

/// A program that is only asked for its version is given no secret either.
#[test]
fn a_program_that_is_asked_for_its_version_is_given_no_secret() {
    let program = SiteProgram::new(env!("CARGO_BIN_EXE_nats_supercluster_local"));
    let directory = tempfile::tempdir().unwrap();
    let server = directory.path().join("nats-server");
    fs::write(&server, "#!/bin/sh\ncat /proc/$$/environ > \"$0.environ\"\necho nats-server: v2.15.1\n").unwrap();
    fs::set_permissions(&server, fs::Permissions::from_mode(0o700)).unwrap();
    let output = command(&program, &["plan"]).env("HARMONY_NATS_SERVER", &server).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let environment = fs::read(directory.path().join("nats-server.environ")).unwrap();
    assert!(String::from_utf8_lossy(&environment).contains("HARMONY_STATE_DIR="));
    let mut scanner = SecretScanner::default();
    scanner.add(kept::GIVEN.0, kept::GIVEN.1.as_bytes());
    assert!(scanner.find(&environment).is_empty());
}

/// One test, because such a system takes seconds to start.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_anywhere_but_where_it_must_be() {
    let begun = Instant::now();
    let program = SiteProgram::new(env!("CARGO_BIN_EXE_nats_supercluster_local"));
    set_password(&program);
    let mut world = World { program, said: Vec::new() };
    world.expect(&["apply", "--yes"], (&[], Some("trace")), 0);
    let first = secrets(&world.program).await;
    assert_eq!(first.len(), 22, "{:?}", first.keys());
    world.assert_kept(&scanner(&first), "after it was made");
    let agent = world.program.state().join("laptop/credentials/nats/HARMONY-agent.nk");
    let trust = world.program.state().join("laptop/credentials/nats/trust.pem");
    let before = (fs::read_to_string(&agent).unwrap(), fs::read(&trust).unwrap());
    // What holds data is not destroyed.
    let client = connect(&world, &before.0, &trust).await.unwrap();
    let bucket = async_nats::jetstream::new(client).get_key_value("HARMONY").await.unwrap();
    bucket.put("key", "value".into()).await.unwrap();
    println!("made and looked at: {:.1?}", begun.elapsed());

    everything_is_said_at_every_level(&mut world);
    what_fails_says_no_secret(&mut world);
    what_is_rendered_is_private(&mut world, &scanner(&first));
    world.assert_kept(&scanner(&first), "after all commands");
    println!("all commands: {:.1?}", begun.elapsed());

    lost_secrets_are_not_made_anew_silently(&mut world);
    let second = secrets(&world.program).await;
    let kept: Vec<&String> = first.keys().filter(|name| first.get(*name) == second.get(*name)).collect();
    assert_eq!((kept, second.len()), (vec![&"identity".to_owned(), &kept::GIVEN.0.to_owned()], 22));
    world.assert_kept(&scanner(&second), "after the loss");
    let replaced = first.into_iter().filter(|(name, value)| name == "identity" || second.get(name) != Some(value)).collect();
    world.assert_gone(&scanner(&replaced));
    old_credentials_are_refused(&world, &agent, &trust, before).await;
    println!("all: {:.1?}", begun.elapsed());
}

fn everything_is_said_at_every_level(world: &mut World) {
    // Beside the state, where every file is searched.
    let saved = world.root().join("saved.plan").display().to_string();
    for voice in VOICES {
        for (arguments, code) in [
            (&["plan"][..], 0),
            (&["plan", "--out", &saved], 0),
            (&["show", &saved], 0),
            (&["apply", &saved], 0),
            (&["apply", "--yes"], 0),
            (&["status"], 0),
            (&["verify"], 0),
            (&["drift"], 0),
            (&["render"], 0),
            (&["list"], 0),
            (&["secrets", "list"], 0),
            (&["secrets", "get", kept::SET.0], 0),
            (&["destroy", "--yes"], 5),
        ] {
            world.expect(arguments, voice, code);
        }
    }
}

fn what_fails_says_no_secret(world: &mut World) {
    let place = world.program.state().join("laptop/nats");
    for voice in VOICES {
        assert_ne!(world.run(&["apply", "--yes", "--allow-loss", "laptop/nonsense"], voice).code, -1);
        // Files with secrets that somebody has edited.
        for file in ["nats-west-1/routes.conf", "nats-west-1/key.pem"] {
            let edited = place.join(file);
            let text = fs::read_to_string(&edited).unwrap();
            fs::write(&edited, text.replace("KEY", "KEX").replace("nats", "gnats")).unwrap();
        }
        world.expect(&["plan", "--exit-code"], voice, 3);
        let edited = world.root().join("edited.plan").display().to_string();
        world.expect(&["plan", "--out", &edited], voice, 0);
        world.expect(&["apply", &world.root().join("saved.plan").display().to_string()], voice, 5);
        world.expect(&["drift"], voice, 3);
        world.expect(&["apply", "--yes"], voice, 0);
    }
    // A server that somebody has killed, to take its ports.
    let conf = fs::read_to_string(place.join("nats-west-1/nats.conf")).unwrap();
    let process = world.program.server("nats-west-1").unwrap();
    assert!(std::process::Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap().success());
    let ports = conf.lines().filter_map(|line| line.trim().strip_prefix("port: ")).map(|port| port.parse().unwrap());
    let taken: Vec<TcpListener> = ports.map(take).collect();
    assert_eq!(taken.len(), 3);
    world.expect(&["apply", "--yes"], VOICES[3], 0);
    drop(taken);
    // A file with a secret that cannot be written, because somebody has put a directory there.
    let blocked = place.join("nats-west-1/routes.conf");
    fs::remove_file(&blocked).unwrap();
    fs::create_dir(&blocked).unwrap();
    for voice in [VOICES[0], VOICES[3], VOICES[7]] {
        for arguments in [&["plan"][..], &["apply", "--yes"], &["status"], &["verify"]] {
            let code = world.run(arguments, voice).code;
            assert!(code != 0 || arguments != ["apply", "--yes"], "{arguments:?}");
        }
    }
    fs::remove_dir(&blocked).unwrap();
    world.expect(&["apply", "--yes"], VOICES[0], 0);
}

/// Listens there as soon as nobody else does.
fn take(port: u16) -> TcpListener {
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(listener) => return listener,
            Err(error) => assert!(Instant::now() < until, "{port}: {error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn what_is_rendered_is_private(world: &mut World, scanner: &SecretScanner) {
    let directory = tempfile::tempdir().unwrap();
    for (name, options) in [("plain", &[][..]), ("with-secrets", &["--secrets"])] {
        let to = directory.path().join(name);
        let to = to.to_str().unwrap();
        world.expect(&[&["render", "--to", to], options].concat(), VOICES[0], 0);
        let rendered = files(Path::new(to));
        assert!(!rendered.is_empty());
        let private = |file: &&PathBuf| fs::metadata(file).unwrap().permissions().mode() & 0o777 == 0o600;
        assert_eq!(rendered.iter().filter(private).count(), rendered.len(), "{name}");
        let with_secrets = rendered.iter().filter(|file| !scanner.secrets_in(&fs::read(file).unwrap()).is_empty()).count();
        assert_eq!(with_secrets > 0, name == "with-secrets", "{name}");
        println!("render {name}: {} files, {with_secrets} with a secret", rendered.len());
    }
}

fn lost_secrets_are_not_made_anew_silently(world: &mut World) {
    fs::remove_file(store(&world.program)).unwrap();
    let refused = world.expect(&["apply", "--yes"], VOICES[0], 5);
    let lost: Vec<&str> = refused.stderr.lines().filter_map(|line| line.trim().strip_prefix("hint: allow it with `")).collect();
    let lost: Vec<&str> = lost.into_iter().filter_map(|words| words.strip_suffix('`')).collect();
    // What the environment gives is not lost; certificates are made anew by whoever has the authority.
    assert_eq!(lost.len(), 11, "{lost:?}");
    for name in ["laptop/nats/authority/east", "laptop/nats/routes/nats-east", "laptop/nats/user/HARMONY/agent/nkey"] {
        assert!(lost.contains(&format!("--allow-loss {name}").as_str()), "{name} in {lost:?}");
    }
    assert!(!store(&world.program).exists());
    let allowed: Vec<&str> = lost.iter().flat_map(|words| words.split(' ')).collect();
    world.expect(&[&["apply", "--yes"], allowed.as_slice()].concat(), (&["--json"], Some("trace")), 0);
    let again = world.expect(&["apply", "--yes"], (&["--json"], None), 0);
    assert_eq!(again.summary()["outcome"], "converged");
}

async fn old_credentials_are_refused(world: &World, agent: &Path, trust: &Path, (old_seed, old_trust): (String, Vec<u8>)) {
    let new_seed = fs::read_to_string(agent).unwrap();
    let refused = async |seed: &str, trust: &Path| connect(world, seed, trust).await.map(drop).map_err(|error| error.kind());
    assert_eq!(refused(&new_seed, trust).await, Ok(()));
    assert_eq!(refused(&old_seed, trust).await, Err(ConnectErrorKind::AuthorizationViolation));
    let old = tempfile::NamedTempFile::new().unwrap();
    fs::write(old.path(), old_trust).unwrap();
    assert!(refused(&new_seed, old.path()).await.is_err());
}

/// Connects as the agent.
async fn connect(world: &World, seed: &str, trust: &Path) -> Result<async_nats::Client, async_nats::ConnectError> {
    let conf = fs::read_to_string(world.program.state().join("laptop/nats/nats-east-1/nats.conf")).unwrap();
    let port = conf.lines().find_map(|line| line.trim().strip_prefix("port: ")).unwrap();
    let options = async_nats::ConnectOptions::with_nkey(seed.trim().to_owned()).add_root_certificates(trust.to_owned());
    options.custom_inbox_prefix("_INBOX_agent").connect(format!("tls://127.0.0.1:{port}")).await
}
