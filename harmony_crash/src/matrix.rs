//! One fault at each of many points of a real program, and what has to hold after it.

use std::any::Any;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use harmony_test::Finished;

use crate::cluster::{Others, Part};
use crate::excuse::Excused;
use crate::fault::{At, Trouble, What};
use crate::name::PointName;
use crate::world::{Standing, World};

/// A command that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the commands' own names")]
pub enum Command {
    Apply,
    Destroy,
}

impl Command {
    pub(crate) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Apply => &["apply", "--yes"],
            Self::Destroy => &["destroy", "--yes"],
        }
    }

    pub(crate) fn name(self) -> &'static str {
        self.arguments()[0]
    }
}

/// What is run after a disturbed run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the commands' own names")]
pub enum Next {
    Apply,
    Destroy,
}

/// A program, and what an undisturbed run of it leaves.
pub struct Matrix {
    make: Box<dyn Fn() -> World + Send + Sync>,
    servers: usize,
    expected: Standing,
    empty: Standing,
    points: [Vec<PointName>; 2],
}

/// What was seen at one point.
#[derive(Debug)]
pub struct Visit {
    /// Where it belongs in a table.
    pub row: String,
    /// The point that was sought.
    pub at: String,
    /// The point that was met, if it was reached.
    pub met: Option<String>,
    /// What was not as promised.
    pub failure: Option<String>,
    /// What the machine did to it, so that it was tried once more.
    pub retried: Option<String>,
    /// How long it took with everything that belongs to it.
    pub took: Duration,
}

const NOTHING_WRITTEN: &str = "a run that has nothing to do";

impl Matrix {
    /// The program at `binary`, which runs so many servers, with files of others in its directories. Runs it once from nothing to nothing.
    ///
    /// # Panics
    /// If that does not end well.
    #[must_use]
    pub fn new(binary: &str, servers: usize, foreign: &[&'static str]) -> Self {
        let (binary, foreign) = (binary.to_owned(), foreign.to_vec());
        Self::of(servers, move || World::new(&binary, &foreign))
    }

    /// The program at `binary` on a cluster, each world in a part of it. Runs it once from nothing to nothing.
    ///
    /// # Panics
    /// If that does not end well.
    #[must_use]
    pub fn on_cluster(binary: &str, others: &Arc<Others>) -> Self {
        let (binary, others) = (binary.to_owned(), Arc::clone(others));
        Self::of(0, move || World::on_cluster(&binary, Part::new(&others)))
    }

    fn of(servers: usize, make: impl Fn() -> World + Send + Sync + 'static) -> Self {
        let world = make();
        let apply = world.record(Command::Apply.arguments());
        world.expect(Command::Apply.arguments(), 0);
        let expected = world.standing();
        let destroy = world.record(Command::Destroy.arguments());
        let empty = world.standing();
        let points = [apply, destroy].map(without_repetition);
        Self { make: Box::new(make), servers, expected, empty, points }
    }

    /// The points of a command, in the order in which an undisturbed run passed them.
    #[must_use]
    pub fn points(&self, command: Command) -> &[PointName] {
        &self.points[usize::from(command == Command::Destroy)]
    }

    /// Lets `what` happen to `command` at each of `points`, so many side by side, and checks the world after each.
    pub fn visit_at(
        &self,
        (command, next): (Command, Next),
        points: &[PointName],
        what: What,
        side_by_side: usize,
        tell: impl Fn(&Visit) + Sync,
    ) {
        let left = Mutex::new(points.iter());
        std::thread::scope(|scope| {
            for _ in 0..side_by_side {
                scope.spawn(|| {
                    loop {
                        let point = left.lock().ok().and_then(|mut points| points.next());
                        let Some(point) = point else { return };
                        tell(&self.visit((command, next), point, what));
                    }
                });
            }
        });
    }

    /// Lets `what` happen to `command` at `point`, and checks the world after it.
    #[must_use]
    pub fn visit(&self, (command, next): (Command, Next), point: &PointName, what: What) -> Visit {
        let begun = Instant::now();
        let mut met = None;
        let mut attempt = || {
            let world = self.new_world();
            self.disturb(&world, (command, next), &At::Named(point.clone()), what, &mut met);
        };
        let Tried { failure, retried } = try_twice(&mut attempt);
        let row = format!("{} then {next:?}, {} {}", command.name(), point.moment.to_lowercase(), point.operation);
        Visit { row, at: point.to_string(), met, failure, retried, took: begun.elapsed() }
    }

    fn disturb(&self, world: &World, (command, next): (Command, Next), at: &At, what: What, met: &mut Option<String>) {
        if command == Command::Destroy {
            world.expect(Command::Apply.arguments(), 0);
        }
        let (ended, at) = world.run_disturbed(command.arguments(), at.clone(), what);
        *met = at;
        match met {
            Some(_) => expect_ending(what, &ended),
            None => world.expect_code(&format!("{}, to which nothing happened,", command.name()), &ended, 0),
        }
        world.expect_foreign_untouched();
        self.expect_end(world, next);
    }

    pub(crate) fn new_world(&self) -> World {
        (self.make)()
    }

    /// The next run ends as it should, and in the end nothing is left.
    ///
    /// # Panics
    /// If that is not so.
    pub fn expect_end(&self, world: &World, next: Next) {
        match next {
            Next::Apply => self.expect_converged(world),
            Next::Destroy => world.expect(Command::Destroy.arguments(), 0),
        };
        self.expect_gone(world);
    }

    /// The next run makes everything as it should be, and the one after it changes nothing; then everything can be taken away.
    fn expect_converged(&self, world: &World) -> Finished {
        world.expect(Command::Apply.arguments(), 0);
        world.expect_standing(&self.expected);
        assert_eq!(world.program().processes().len(), self.servers, "{:?}", world.program().processes());
        world.expect_foreign_untouched();
        let before = world.kept();
        let writes = world.writes_during(|| {
            let summary = world.expect(&["apply", "--yes", "--json"], 0).summary();
            let said = (&summary["outcome"], &summary["writes"]);
            assert_eq!(said, (&"converged".into(), &0.into()), "{NOTHING_WRITTEN}: {summary}");
        });
        assert!(writes.is_empty(), "{NOTHING_WRITTEN} asks the API server for {:?}", writes.tally());
        assert!(before == world.kept(), "{NOTHING_WRITTEN} changed a file");
        world.expect(Command::Destroy.arguments(), 0)
    }

    fn expect_gone(&self, world: &World) {
        assert_eq!(world.program().processes(), [], "processes are left");
        world.expect_standing(&self.empty);
        world.expect_foreign_untouched();
    }
}

/// What came of something that may be tried twice.
#[derive(Debug, Default)]
pub(crate) struct Tried {
    pub(crate) failure: Option<String>,
    pub(crate) retried: Option<String>,
}

/// Tries it, and once more if only the machine was the reason that it failed: a defect shows itself again.
pub(crate) fn try_twice(attempt: &mut impl FnMut()) -> Tried {
    let first = try_once(attempt);
    match first.retried {
        Some(_) => Tried { failure: catch_unwind(AssertUnwindSafe(attempt)).err().map(words_of), ..first },
        None => first,
    }
}

/// Tries it; where only the machine was the reason that it failed, whoever asks tries again.
pub(crate) fn try_once(attempt: &mut impl FnMut()) -> Tried {
    let Err(panic) = catch_unwind(AssertUnwindSafe(attempt)) else { return Tried::default() };
    match panic.downcast::<Excused>() {
        Ok(excused) => Tried { failure: None, retried: Some(excused.0) },
        Err(panic) => Tried { failure: Some(words_of(panic)), retried: None },
    }
}

/// What somebody panicked with.
pub(crate) fn words_of(panic: Box<dyn Any + Send>) -> String {
    let panic = match panic.downcast::<String>() {
        Ok(text) => return *text,
        Err(panic) => panic,
    };
    match panic.downcast::<Excused>() {
        Ok(excused) => excused.0,
        Err(panic) => (*panic.downcast::<&str>().unwrap_or(Box::new("it panicked"))).to_owned(),
    }
}

/// A killed run says nothing; any other ends well, or says what failed, why, and what to do.
fn expect_ending(what: What, ended: &Finished) {
    let output = ended.output();
    match what {
        What::Die => assert_eq!(ended.code, -1, "it was not killed: {output}"),
        What::Interrupt(times) => {
            assert!([0, 130].contains(&ended.code), "interrupted {times} times, it ended with {}: {output}", ended.code);
            let says_so = output.contains("interrupted");
            assert!(ended.code == 0 || says_so, "it does not say that it was interrupted: {output}");
            let fails = ["error: ", " Failed ", "failed\n", "failed,"].iter().any(|words| output.contains(words));
            assert!(!fails, "an interrupt is no failure: {output}");
        }
        What::Fail(trouble) | What::NoMoreWrites(trouble) => expect_help(trouble, ended),
        What::Delay(_) => assert_eq!(ended.code, 0, "a slow answer made it fail: {output}"),
    }
}

/// An error names what failed and its cause, and what to do.
fn expect_help(trouble: Trouble, ended: &Finished) {
    let output = ended.output();
    let failed = [1, 5].contains(&ended.code);
    assert!(failed || ended.code == 0, "it ended with {}: {output}", ended.code);
    if failed {
        assert!(output.contains("error: "), "it names no error: {output}");
        let cause = std::io::Error::from(trouble.kind()).to_string();
        assert!(output.contains(&cause) || output.contains("was not"), "it does not say `{cause}`: {output}");
        let helps = ["hint: ", "Run it again"].iter().any(|words| output.contains(words));
        assert!(helps, "it does not say what to do: {output}");
    }
}

/// The points once each; of the looks at other processes of the machine, the first of each name.
fn without_repetition(points: Vec<PointName>) -> Vec<PointName> {
    let mut seen = HashSet::new();
    let is_new = |point: &PointName| !(point.is_about_other_processes() && point.nth > 1) && seen.insert(point.clone());
    let mut is_new = is_new;
    points.into_iter().filter(|point| is_new(point)).collect()
}
