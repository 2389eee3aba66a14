//! The smallest client that sees what the server refuses.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

/// How long a server that has read a message takes at most to answer it.
const SILENCE: Duration = Duration::from_millis(500);

/// A connection.
pub(crate) struct Client {
    reader: BufReader<TcpStream>,
    inbox: String,
    asked: u32,
}

/// What came back of one message.
#[derive(Debug)]
pub(crate) struct Answer {
    /// What the server said against it: `Permissions Violation for …`.
    pub(crate) violation: Option<String>,
    /// The body of the first reply; empty if there was none.
    pub(crate) body: String,
}

impl Client {
    /// Connects as `user`, and subscribes to an inbox of this connection below `inbox`.
    pub(crate) fn connect(port: u16, user: &str, password: &str, inbox: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(SILENCE)).unwrap();
        let inbox = format!("{inbox}.{}", stream.local_addr().unwrap().port());
        let mut client = Self { reader: BufReader::new(stream), inbox: inbox.clone(), asked: 0 };
        client.line();
        let options =
            json!({"user": user, "pass": password, "headers": true, "no_responders": true, "verbose": false, "pedantic": false});
        client.send(&format!("CONNECT {options}\r\nSUB {inbox}.> 1\r\nPING\r\n"));
        let line = client.line();
        assert_eq!(line, "PONG", "{user} cannot connect");
        client
    }

    /// Connects as `user`, and subscribes to `subject`, without looking at what the server says to that.
    pub(crate) fn connect_refused(port: u16, user: &str, password: &str, subject: &str) -> Self {
        let mut client = Self::connect(port, user, password, &format!("_INBOX_{user}"));
        client.send(&format!("SUB {subject} 2\r\nPING\r\n"));
        client
    }

    /// The next line that is not about the connection itself.
    pub(crate) fn next_line(&mut self) -> String {
        self.asked = 1;
        self.line()
    }

    /// Publishes with a reply subject and waits for what comes back. Some messages the server never answers.
    pub(crate) fn ask(&mut self, subject: &str, body: &str, expected_last_sequence: Option<u64>) -> Answer {
        self.asked += 1;
        let reply = format!("{}.{}", self.inbox, self.asked);
        match expected_last_sequence {
            None => self.send(&format!("PUB {subject} {reply} {}\r\n{body}\r\nPING\r\n", body.len())),
            Some(sequence) => {
                let headers = format!("NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: {sequence}\r\n\r\n");
                let (header, all) = (headers.len(), headers.len() + body.len());
                self.send(&format!("HPUB {subject} {reply} {header} {all}\r\n{headers}{body}\r\nPING\r\n"));
            }
        }
        let mut answer = Answer { violation: None, body: String::new() };
        let mut answered = false;
        let mut ponged = false;
        while !(ponged && (answered || answer.violation.is_some())) {
            let Some(line) = self.find_line() else { break };
            match line.split_once(' ').unwrap_or((&line, "")) {
                ("PONG", _) => ponged = true,
                ("-ERR", words) => answer.violation = Some(words.trim_matches('\'').to_owned()),
                ("MSG" | "HMSG", rest) => {
                    let body = self.body(rest);
                    if !answered && rest.split(' ').next() == Some(&reply) {
                        (answer.body, answered) = (body, true);
                    }
                }
                _ => panic!("the server says {line}"),
            }
        }
        answer
    }

    fn body(&mut self, rest: &str) -> String {
        let length: usize = rest.rsplit(' ').next().unwrap().parse().unwrap();
        let mut bytes = vec![0; length + 2];
        self.reader.read_exact(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    fn send(&mut self, text: &str) {
        self.reader.get_mut().write_all(text.as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        self.find_line().unwrap()
    }

    /// The next line that is not about the connection itself; `None` if the server is silent for too long.
    fn find_line(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).ok()?;
            let line = line.trim_end().to_owned();
            if line == "PING" {
                self.send("PONG\r\n");
            } else if !line.is_empty() && !line.starts_with("INFO ") || self.asked == 0 && line.starts_with("INFO ") {
                return Some(line);
            }
        }
    }
}
