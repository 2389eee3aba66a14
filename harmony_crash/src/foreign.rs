//! A server that somebody else runs on the machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harmony_io::Io;
use harmony_local::nats_server::{Found, Search, find};
use tempfile::TempDir;

/// A nats-server with a stream in it that no site program knows. It is stopped when this is dropped.
pub struct ForeignServer {
    process: Child,
    directory: TempDir,
    before: BTreeMap<PathBuf, Vec<u8>>,
}

const MESSAGES: u32 = 5;

impl ForeignServer {
    /// Starts it from the program that site programs find too, and writes into its stream.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> Self {
        let program = nats_server();
        let directory = tempfile::Builder::new().prefix("harmony-foreign-").tempdir().expect("a temporary directory");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
        let config = directory.path().join("nats.conf");
        let store = directory.path().join("store");
        let text = format!("listen: 127.0.0.1:{port}\njetstream {{ store_dir: {:?}, sync_interval: always }}\n", store.display());
        fs::write(&config, text).expect("its configuration");
        let quiet = || (Stdio::null(), Stdio::null());
        let (out, err) = quiet();
        let process = Command::new(program).arg("-c").arg(&config).stdout(out).stderr(err).spawn().expect("nats-server starts");
        let mut foreign = Self { process, directory, before: BTreeMap::new() };
        fill(port);
        foreign.before = foreign.files();
        assert!(foreign.before.keys().any(|path| path.ends_with("msgs/1.blk")), "{:?}", foreign.before.keys());
        foreign
    }

    /// Fails unless it runs as it did, and every byte that it keeps is the same.
    ///
    /// # Panics
    /// That is how it fails.
    pub fn expect_untouched(&mut self) {
        assert!(matches!(self.process.try_wait(), Ok(None)), "the foreign server was stopped");
        assert_eq!(self.before, self.files(), "the foreign server's files were touched");
    }

    /// What it keeps: definitions, messages and its configuration; not the index, which it writes whenever it likes.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(self.directory.path(), &mut files);
        files
    }
}

impl Drop for ForeignServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program that site programs find too.
pub(crate) fn nats_server() -> PathBuf {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(find(&Io::real(), &Search::from_environment())) {
        Ok(Found::Installed { path, .. }) => path,
        other => panic!("there is no nats-server program: {other:?}"),
    }
}

fn collect(directory: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for path in fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if ["conf", "blk", "inf", "sum"].iter().any(|kept| path.extension().is_some_and(|extension| extension == *kept)) {
            files.insert(path.clone(), fs::read(&path).unwrap_or_default());
        }
    }
}

/// Makes a stream over the text protocol, and writes into it; every write is answered.
fn fill(port: u16) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let stream = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => break stream,
            Err(error) => assert!(Instant::now() < deadline, "the foreign server does not answer: {error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut writer = stream;
    write!(writer, "CONNECT {{\"verbose\":false}}\r\nSUB answers 1\r\n").expect("it reads");
    let definition = r#"{"name":"THEIRS","subjects":["theirs.>"]}"#.to_owned();
    let messages = (0..MESSAGES).map(|number| (format!("theirs.{number}"), "hello".to_owned()));
    for (subject, body) in [("$JS.API.STREAM.CREATE.THEIRS".to_owned(), definition)].into_iter().chain(messages) {
        write!(writer, "PUB {subject} answers {}\r\n{body}\r\n", body.len()).expect("it reads");
        let answer = next_answer(&mut reader);
        assert!(!answer.contains("\"error\""), "{answer}");
    }
}

fn next_answer(reader: &mut impl BufRead) -> String {
    let mut line = String::new();
    while !line.starts_with("MSG answers") {
        line.clear();
        assert!(reader.read_line(&mut line).expect("it answers") > 0, "the foreign server hung up");
    }
    line.clear();
    reader.read_line(&mut line).expect("the text follows its head");
    line
}
