//! Running the program until it says that it has come to a point, and killing it there.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

/// Something that the program says in a step.
pub(crate) struct Point {
    step: &'static str,
    event: &'static str,
    /// What its label, if it has one, contains.
    about: &'static str,
    /// Whether somebody applies before it is run again.
    pub(crate) then_apply: bool,
}

const fn at(step: &'static str, event: &'static str, about: &'static str) -> Point {
    Point { step, event, about, then_apply: false }
}

impl Point {
    const fn then_apply(self) -> Self {
        Self { then_apply: true, ..self }
    }
}

/// Where the program is killed, in the order in which it comes there.
pub(crate) const POINTS: [Point; 15] = [
    at("accept-both", "procedure_step", ""),
    at("accept-both", "finished", "nkey-next"),
    at("accept-both", "finished", "nats.conf"),
    at("accept-both", "finished", "nats-server nats-east-2"),
    at("accept-both", "finished", "nats-server nats-west-1"),
    at("accept-both", "started", "connects on every server").then_apply(),
    at("hand-out", "procedure_step", ""),
    at("hand-out", "finished", "user/agent/nkey").then_apply(),
    at("hand-out", "started", "connects on every server"),
    at("hand-out", "procedure_holds", ""),
    at("withdraw", "procedure_step", ""),
    at("withdraw", "finished", "nats-server nats-east-1"),
    at("withdraw", "finished", "nats-server nats-north-2").then_apply(),
    at("withdraw", "started", "the former credential"),
    at("clear", "procedure_step", ""),
];

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.step, self.event, self.about)
    }
}

/// How a run ended.
pub(crate) enum Ended {
    /// It was killed at that one of the points.
    Killed { at: usize },
    /// It came to its end.
    Itself { code: i32, said: String },
}

/// Runs the command, and kills it when it comes to one of the points.
pub(crate) fn run_until(mut command: Command, points: &[Point]) -> Ended {
    let mut program = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut said = String::new();
    let mut step = String::new();
    for line in BufReader::new(program.stdout.take().unwrap()).lines().map_while(Result::ok) {
        let event: Json = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line}"));
        said.push_str(&line);
        said.push('\n');
        if event["event"] == "procedure_step" {
            step = event["step"].as_str().unwrap().to_owned();
        }
        let label = event["label"].as_str().unwrap_or_default();
        let passed = |point: &Point| point.step == step && point.event == event["event"] && label.contains(point.about);
        if let Some(at) = points.iter().position(passed) {
            program.kill().unwrap();
            program.wait().unwrap();
            return Ended::Killed { at };
        }
    }
    let mut errors = String::new();
    program.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    let code = program.wait().unwrap().code().unwrap_or(-1);
    Ended::Itself { code, said: said + &errors }
}
