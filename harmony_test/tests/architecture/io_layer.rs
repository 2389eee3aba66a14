//! The outside is reached through `harmony_io`, and nothing waits by sleeping.

use crate::repository::{TextFile, Violation, assert_kept, has_word, tracked_files};

/// Words by which the standard library and tokio reach files, processes and networks. Addresses (`std::net::IpAddr`) are values and fine.
const OUTSIDE: [&str; 20] = [
    "fs::",
    "std::fs",
    "tokio::fs",
    "fs_err",
    "process::Command",
    "tokio::process",
    "File::open",
    "File::create",
    "File::options",
    "OpenOptions",
    "read_dir",
    "canonicalize",
    "tokio::net",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "UnixDatagram",
    "ToSocketAddrs",
];
const SLEEPS: [&str; 3] = ["time::sleep", "thread::sleep", "sleep_until"];

/// A word that one file may use, and why.
struct Exception {
    path: &'static str,
    word: &'static str,
    reason: &'static str,
}

const OUTSIDE_EXCEPTIONS: [Exception; 0] = [];
const SLEEP_EXCEPTIONS: [Exception; 3] = [
    Exception {
        path: "harmony/src/lease/take.rs",
        word: "time::sleep",
        reason: "the pause between two looks at a lease that another run holds: there is no event for a holder that has died",
    },
    Exception {
        path: "harmony/src/run.rs",
        word: "time::sleep",
        reason: "the pause between two looks of `Run::wait_for`, through which everything waits",
    },
    Exception {
        path: "harmony_secret/src/file/waiting.rs",
        word: "time::sleep",
        reason: "the store is of a smaller ring than `Run`, and the lock of an operating system cannot be waited for with a deadline",
    },
];

#[test]
fn shipped_code_reaches_the_outside_through_harmony_io() {
    assert_kept(
        &word_violations(&tracked_files(), &OUTSIDE, &OUTSIDE_EXCEPTIONS),
        "Call the primitive of `harmony_io::Io`, so that tests can make it fail; if it has none, add one there. \
         What truly cannot go there gets an entry with its reason in OUTSIDE_EXCEPTIONS.",
    );
}

/// What sends something over a network by an SDK. Whoever does it does it within `Io::request`.
const SENDS: [&str; 9] = [
    "send_request",
    "client.publish",
    "publish_with_reply_and_headers",
    "connection.send",
    "ConnectOptions",
    "async_nats::connect",
    "jetstream::new",
    "ureq",
    "kube::Client",
];
const REQUEST: &str = ".request(";

#[test]
fn what_goes_over_a_network_is_sent_within_a_request_of_the_fault_layer() {
    assert_kept(
        &unrequested(&tracked_files()),
        "Send it in the future that is given to `harmony_io::Io::request`, in the same file, so that tests can lose its answer.",
    );
}

/// The first line of each shipped file that sends something and makes no request.
fn unrequested(files: &[TextFile]) -> Vec<Violation> {
    let of_file = |file: &&TextFile| {
        let sends = |line: &str| !line.trim_start().starts_with("use ") && SENDS.iter().any(|word| has_word(line, word));
        let (number, _) = file.code().find(|(_, line)| sends(line))?;
        let requests = file.code().any(|(_, line)| line.contains(REQUEST));
        (!requests).then(|| file.violation(number, format!("something is sent, and the file has no `{REQUEST}…)`")))
    };
    files.iter().filter(|file| is_checked(file)).filter_map(|file| of_file(&file)).collect()
}

#[test]
fn shipped_code_does_not_wait_by_sleeping() {
    assert_kept(
        &word_violations(&tracked_files(), &SLEEPS, &SLEEP_EXCEPTIONS),
        "Wait for the event itself with the run's deadline, and report the reason. A pause between two looks gets an entry in SLEEP_EXCEPTIONS.",
    );
}

fn word_violations(files: &[TextFile], words: &[&str], exceptions: &[Exception]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut used = vec![false; exceptions.len()];
    for file in files.iter().filter(|file| is_checked(file)) {
        for (number, line) in file.code() {
            for word in words.iter().filter(|word| has_word(line, word)) {
                match exceptions.iter().position(|exception| exception.path == file.path && exception.word == *word) {
                    Some(index) => used[index] = true,
                    None => violations.push(file.violation(number, format!("`{word}` in shipped code"))),
                }
            }
            if words.contains(&"process::Command") && line.contains("process::{") && has_word(line, "Command") {
                violations.push(file.violation(number, "`process::Command` in shipped code"));
            }
        }
    }
    let unused = exceptions.iter().zip(used).filter(|(_, used)| !used);
    violations.extend(unused.map(|(Exception { path, word, reason }, _)| {
        TextFile::new(path, "").violation(1, format!("the exception for `{word}` ({reason}) is not used any more"))
    }));
    violations
}

fn is_checked(file: &TextFile) -> bool {
    file.is_rust() && file.crate_directory() != "harmony_io" && !file.is_test_code()
}

mod finds {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<usize> {
        let files = [TextFile::new(path, text)];
        word_violations(&files, &[OUTSIDE.as_slice(), &SLEEPS].concat(), &[]).iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn each_way_to_the_outside() {
        let text = "use std::fs;\nlet a = fs::read(p);\nuse std::process::{Command, Stdio};\nTcpListener::bind(x);\ntokio::time::sleep(d).await;\n";
        assert_eq!(found("harmony_local/src/a.rs", text), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_is_sent_beside_the_fault_layer() {
        let sends = "let answer = client.send_request(subject, request).await;\n";
        let files = [
            TextFile::new("harmony_nats/src/a.rs", sends),
            TextFile::new("harmony_nats/src/b.rs", &format!("run.io().request(&target, exchange()).await\n{sends}")),
            TextFile::new("harmony_nats/tests/c.rs", sends),
        ];
        let paths: Vec<_> = unrequested(&files).into_iter().map(|violation| violation.path).collect();
        assert_eq!(paths, ["harmony_nats/src/a.rs"]);
    }

    #[test]
    fn nothing_where_it_is_allowed() {
        let fine = "// std::fs is not used\nuse std::net::IpAddr;\nuse std::process::ExitCode;\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
        assert!(found("harmony_local/src/a.rs", fine).is_empty());
        for path in [
            "harmony_io/src/files.rs",
            "harmony_test/src/a.rs",
            "harmony/tests/a.rs",
            "harmony/src/a/tests.rs",
            "xtask/src/main.rs",
        ] {
            assert!(found(path, "use std::fs;\n").is_empty(), "{path}");
        }
    }

    #[test]
    fn an_exception_holds_for_one_file_and_must_be_used() {
        let exceptions = [
            Exception { path: "harmony_local/src/a.rs", word: "TcpListener", reason: "probes a port" },
            Exception { path: "harmony_local/src/gone.rs", word: "std::fs", reason: "was needed" },
        ];
        let files =
            [TextFile::new("harmony_local/src/a.rs", "TcpListener\n"), TextFile::new("harmony_local/src/b.rs", "TcpListener\n")];
        let paths: Vec<_> = word_violations(&files, &OUTSIDE, &exceptions).into_iter().map(|violation| violation.path).collect();
        assert_eq!(paths, ["harmony_local/src/b.rs", "harmony_local/src/gone.rs"]);
    }
}
