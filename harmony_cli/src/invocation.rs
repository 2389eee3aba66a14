//! One command, from its arguments to its exit code.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::FromArgMatches;
use clap::error::ErrorKind;
use harmony::engine::scope::Targets;
use harmony::topology::{Fetching, Site, Survey};
use harmony::{Inventory, Maestro, Scores};
use harmony_io::Io;

use crate::arguments::{Arguments, Command, HomeArguments, Talk, TargetArguments};
use crate::commands::{self, Ended};
use crate::console::{Console, Streams, Tty};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::interrupt::Interrupts;
use crate::logging;
use crate::paint::Paint;
use crate::progress::{Form, Progress};
use crate::report::{self, Detail, Layout, Summary};
use crate::site;
use crate::variables::Variables;

/// What a command is given by the process around it, or by a test.
pub struct Invocation {
    /// The program's name: its state is kept under it.
    pub program: String,
    /// The arguments, without the program's own name.
    pub arguments: Vec<OsString>,
    /// The environment variables. The log is installed only for those of the process.
    pub variables: Variables,
    /// Standard input, output and error stream.
    pub streams: Streams,
    /// The width of the text in columns; `None` for `COLUMNS`, or else that of the terminal, or else 100.
    pub width: Option<usize>,
    /// What asks the command to stop.
    pub interrupts: Interrupts,
    /// The way to the outside.
    pub io: Io,
}

/// Runs one command and says how it ended. What [`run`](crate::run) does, without the process around it.
pub async fn run_with<P: Survey>(invocation: Invocation, inventory: Inventory, place: P, scores: Scores<P::Surveyed>) -> Exit {
    let Invocation { program, arguments, variables, streams, width, mut interrupts, io } = invocation;
    let console = Console::new(streams);
    let wants_json = arguments.iter().any(|argument| argument == "--json");
    let arguments = match parse(&program, arguments) {
        Ok(arguments) => arguments,
        Err(error) => return misunderstood(&error, &console, wants_json),
    };
    let session = Session::new(program, variables, console, width, arguments.talk, arguments.offline);
    let talking = tokio::spawn(Arc::clone(&session.progress).keep_talking());
    let result = Box::pin(session.carry_out(arguments.command, io, &mut interrupts, (&inventory, place, &scores))).await;
    talking.abort();
    session.end(result)
}

/// What all commands share.
pub(crate) struct Session {
    pub(crate) program: String,
    pub(crate) variables: Variables,
    pub(crate) console: Console,
    pub(crate) talk: Talk,
    /// For the standard output.
    pub(crate) layout: Layout,
    /// For the error stream.
    pub(crate) messages: Layout,
    pub(crate) progress: Arc<Progress>,
    fetching: Fetching,
    begun: Instant,
}

impl Session {
    fn new(program: String, variables: Variables, console: Console, width: Option<usize>, talk: Talk, offline: bool) -> Self {
        let detail = if talk.verbose > 0 { Detail::Full } else { Detail::Short };
        let width = width.unwrap_or_else(|| columns(&variables));
        let layout = |tty| Layout { paint: Paint::choose(talk.color, &variables, tty), width, detail };
        let (layout, messages) = (layout(console.output_tty), layout(console.messages_tty));
        if matches!(variables, Variables::Process) {
            logging::install(&talk, &console, messages.paint);
        }
        let is_dumb = variables.find("TERM").is_some_and(|term| term == "dumb");
        let form = match (talk.json, talk.quiet, console.messages_tty) {
            (true, _, _) => Form::Json,
            (_, true, _) => Form::Silent,
            (_, _, Tty::Terminal) if !is_dumb => Form::Live,
            _ => Form::Lines,
        };
        let progress = Arc::new(Progress::new(form, console.clone(), messages));
        let fetching = if offline { Fetching::Forbidden } else { Fetching::Allowed };
        Self { program, variables, console, talk, layout, messages, progress, fetching, begun: Instant::now() }
    }

    async fn carry_out<P: Survey>(
        &self,
        command: Command,
        io: Io,
        interrupts: &mut Interrupts,
        (inventory, place, scores): (&Inventory, P, &Scores<P::Surveyed>),
    ) -> Result<Ended, CommandError> {
        if let Command::Show { file } = &command {
            return commands::show_saved(self, &io, file);
        }
        if let Command::Completions { shell } = command {
            return Ok(commands::completions(self, shell));
        }
        let site = site::site(&self.program, &self.variables, self.fetching, io)?;
        let site = place.keep_state(site).map_err(|source| CommandError::State { source })?;
        let ended = match command {
            Command::Forget(arguments) => {
                interrupts.unless(commands::forget(self, &site, arguments)).await.unwrap_or(Err(CommandError::Interrupted))
            }
            Command::Secrets(command) => {
                interrupts.unless(commands::secrets(self, &site, command)).await.unwrap_or(Err(CommandError::Interrupted))
            }
            Command::Doctor => interrupts.unless(commands::doctor(self, &site, &place)).await.ok_or(CommandError::Interrupted),
            Command::Facts => {
                interrupts.unless(commands::facts(self, &place, &site)).await.unwrap_or(Err(CommandError::Interrupted))
            }
            command => {
                let surveying = commands::survey(place, &site, (command.facts(), command.needed()));
                let surveyed = interrupts.unless(surveying).await.unwrap_or(Err(CommandError::Interrupted));
                match surveyed {
                    Ok(topology) => {
                        Box::pin(commands::carry_out(self, interrupts, command, (inventory, &topology, scores))).await
                    }
                    Err(error) => Err(error),
                }
            }
        };
        if let Some(lease) = &site.lease {
            lease.settle().await;
        }
        for notice in site.secrets.take_notices() {
            self.remark(&notice.to_string());
        }
        ended
    }

    /// Where the sources of the program are, for errors.
    pub(crate) fn sources(&self) -> report::Sources {
        report::Sources::of_process(Io::real())
    }

    /// A conductor that tells this session what happens.
    pub(crate) fn maestro(&self, site: &Site) -> Maestro {
        Maestro::new(site).with_observer(Arc::clone(&self.progress) as _)
    }

    /// The same for a site that may have been moved, limited to targets.
    pub(crate) fn maestro_at(&self, site: &Site, home: HomeArguments, limit: &TargetArguments) -> Maestro {
        let maestro = self.maestro(site).with_targets(Targets::new(limit.target.iter().cloned()));
        if home.moved { maestro.accepting_move() } else { maestro }
    }

    /// Writes data that is text for people, unless lines of JSON are wanted instead.
    pub(crate) fn text(&self, text: &str) {
        if !self.talk.json {
            self.console.data(text);
        }
    }

    /// Writes data that is lines of JSON, if they are wanted.
    pub(crate) fn json(&self, lines: impl FnOnce() -> String) {
        if self.talk.json {
            self.console.data(&lines());
        }
    }

    /// Says something that the user must know.
    pub(crate) fn remark(&self, says: &str) {
        use harmony::engine::events::{Event, Observer};
        self.progress.on(&Event::Remark { says: says.to_owned() });
    }

    fn end(&self, result: Result<Ended, CommandError>) -> Exit {
        self.progress.end();
        let ended = match (result, self.console.failure()) {
            (Ok(ended), None) => ended,
            (Ok(_), Some(source)) => self.failed(&CommandError::Output { source }),
            (Err(error), _) => self.failed(&error),
        };
        self.json(|| ended.summary.line(self.begun.elapsed()));
        ended.exit
    }

    fn failed(&self, error: &CommandError) -> Ended {
        self.console.message(report::problem(error, &self.sources(), &self.messages).as_bytes());
        self.json(|| report::error_line(error));
        Ended { exit: error.exit(), summary: Summary::of(error.exit().outcome()) }
    }
}

fn parse(program: &str, arguments: Vec<OsString>) -> Result<Arguments, clap::Error> {
    let words = std::iter::once(OsString::from(program)).chain(arguments);
    Arguments::from_arg_matches(&crate::help::grammar(program).try_get_matches_from(words)?)
}

/// Help that was asked for is data; everything else is wrong usage.
fn misunderstood(error: &clap::Error, console: &Console, wants_json: bool) -> Exit {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            console.data(&text);
            Exit::Done
        }
        _ => {
            console.message(text.as_bytes());
            if wants_json {
                console.data(&report::misunderstood_line(&text));
                console.data(&Summary::of(Exit::WrongUsage.outcome()).line(Duration::ZERO));
            }
            Exit::WrongUsage
        }
    }
}

/// Where nobody says how wide the text may be.
const USUAL_WIDTH: usize = 100;

fn columns(variables: &Variables) -> usize {
    let said = variables.find("COLUMNS").and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    let measured = || match variables {
        Variables::Process => terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)),
        Variables::Given(_) => None,
    };
    said.or_else(measured).unwrap_or(USUAL_WIDTH)
}
