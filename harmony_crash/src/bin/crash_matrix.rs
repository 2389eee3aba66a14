//! Disturbs the real programs at every point: what `cargo xtask crash` runs.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::expect_used, reason = "a task talks to whoever runs it")]

use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use harmony_crash::cluster::Others;
use harmony_crash::memory::MemoryFaults;
use harmony_crash::{Command, ForeignServer, Matrix, Next, PointName, Seed, THE_END, Table, Trouble, Visit, What};
use harmony_testbed::ControlPlane;

/// What happens at a point: `die` unless said otherwise.
const WHAT: [(&str, What); 11] = [
    ("die", What::Die),
    ("permission-denied", What::Fail(Trouble::PermissionDenied)),
    ("storage-full", What::Fail(Trouble::StorageFull)),
    ("connection-reset", What::Fail(Trouble::ConnectionReset)),
    ("timed-out", What::Fail(Trouble::TimedOut)),
    ("interrupted", What::Fail(Trouble::Interrupted)),
    ("slow", What::Delay(1500)),
    ("full-disk", What::NoMoreWrites(Trouble::StorageFull)),
    ("read-only", What::NoMoreWrites(Trouble::ReadOnlyFilesystem)),
    ("ctrl-c", What::Interrupt(1)),
    ("ctrl-c-twice", What::Interrupt(2)),
];

const USAGE: &str = "usage: cargo xtask crash [--from N] [--to N] [--sample N] [--seed N] [--side-by-side N] [--points] [--main-job | --memory | --k8s] [--what WHAT]";

/// What was asked for.
#[derive(Debug, Default)]
struct Wanted {
    from: usize,
    to: Option<usize>,
    sample: Option<usize>,
    seed: u64,
    side_by_side: Option<usize>,
    points: bool,
    main_job: bool,
    memory: bool,
    k8s: bool,
    what: Option<What>,
}

fn main() -> ExitCode {
    let Some(wanted) = wanted(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let mut foreign = ForeignServer::start();
    let begun = Instant::now();
    let table = Mutex::new(Table::default());
    match &wanted {
        Wanted { memory: true, .. } => memory(&wanted, &table),
        Wanted { main_job: true, .. } => main_job(&wanted, &table),
        Wanted { k8s: true, .. } => cluster(&wanted, &table),
        _ => one_server(&wanted, &table),
    }
    foreign.expect_untouched();
    let table = table.into_inner().expect("nobody panicked");
    println!(
        "\n{table}\nseed {}, {:.0} s; a server and a stream of others untouched",
        wanted.seed,
        begun.elapsed().as_secs_f64()
    );
    if table.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn binary(name: &str) -> String {
    std::env::current_exe().expect("a path").with_file_name(name).display().to_string()
}

fn one_server(wanted: &Wanted, table: &Mutex<Table>) {
    let alone = Matrix::new(&binary("crash_one_server"), 1, &[]);
    let beside = Matrix::new(&binary("crash_one_server"), 1, &["notes.txt", "laptop/nats/nats-1/notes.tmp"]);
    // Every point of both commands. A look changes nothing, so that once is enough, whatever comes next and stands beside it.
    let changes = |point: &PointName| !point.only_looks();
    visit_all("beside files of others", &beside, (Command::Apply, Next::Apply), wanted, table, |_| true);
    visit_all("alone", &alone, (Command::Apply, Next::Destroy), wanted, table, changes);
    visit_all("alone", &alone, (Command::Destroy, Next::Destroy), wanted, table, |_| true);
    visit_all("beside files of others", &beside, (Command::Destroy, Next::Destroy), wanted, table, changes);
}

/// The points are sought in several sites at a time, which wait for their servers most of the time: each goes the whole way and meets every
/// so manieth point, because some parts of the way take much longer than others.
fn main_job(wanted: &Wanted, table: &Mutex<Table>) {
    let matrix = Matrix::new(&binary("crash_main_job"), 9, &["laptop/nats/notes.txt"]);
    let sites = wanted.side_by_side.unwrap_or(4).max(1);
    for command in [Command::Apply, Command::Destroy] {
        let points = chosen(matrix.points(command), wanted, PointName::is_met_again);
        println!("{command:?}: {} points are sought one after the other, on {sites} sites", points.len());
        let seek = |points: &[PointName]| matrix.chain(command, points, points.len(), |visit| note(visit, table));
        std::thread::scope(|scope| {
            for first in 0..sites {
                let points: Vec<PointName> = points.iter().skip(first).step_by(sites).cloned().collect();
                scope.spawn(move || seek(&points));
            }
        });
    }
}

/// Objects of every sort on a real API server, each world in a part of it. What a world waits for is the cluster's doing most of the time, so
/// that several go side by side.
fn cluster(wanted: &Wanted, table: &Mutex<Table>) {
    let others = Others::on(ControlPlane::start().expect("a control plane"));
    let matrix = Matrix::on_cluster(&binary("crash_cluster"), &others);
    let wanted = &Wanted { side_by_side: wanted.side_by_side.or(Some(16)), ..*wanted };
    let changes = |point: &PointName| !point.only_looks();
    visit_all("on a cluster", &matrix, (Command::Apply, Next::Apply), wanted, table, changes);
    visit_all("on a cluster", &matrix, (Command::Apply, Next::Destroy), wanted, table, changes);
    visit_all("on a cluster", &matrix, (Command::Destroy, Next::Destroy), wanted, table, changes);
    others.expect_untouched();
}

/// Each fault at each point of the main job on things in memory.
fn memory(wanted: &Wanted, table: &Mutex<Table>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for command in [Command::Apply, Command::Destroy] {
        let faults = runtime.block_on(MemoryFaults::of(command));
        let chosen = chosen(&faults.all(), wanted, |_| true);
        println!("{command:?}: {} faults", chosen.len());
        faults.visit(&chosen, |visit| note(visit, table));
    }
}

/// Those of `all` that count and were asked for.
fn chosen<T: Clone>(all: &[T], wanted: &Wanted, counts: impl Fn(&T) -> bool) -> Vec<T> {
    let all: Vec<T> = all.iter().filter(|point| counts(point)).cloned().collect();
    let to = wanted.to.unwrap_or(all.len()).min(all.len());
    let within = &all[wanted.from.min(to)..to];
    wanted.sample.map_or_else(|| within.to_vec(), |count| Seed(wanted.seed).sample(within, count))
}

fn note(visit: &Visit, table: &Mutex<Table>) {
    if let Some(failure) = &visit.failure {
        println!("FAILED {}: {} ({:?}): {failure}", visit.row, visit.at, visit.met);
    }
    if visit.met.is_none() && visit.failure.is_none() && visit.at != THE_END {
        println!("not reached, {}: {}", visit.row, visit.at);
    }
    let mut table = table.lock().expect("nobody panicked");
    table.add(visit);
    let (visited, _) = table.counts();
    if visited % EVERY == 0 {
        println!("{visited} visited");
    }
}

/// After so many visits the matrix says how far it is.
const EVERY: usize = 100;

fn visit_all(
    what: &str,
    matrix: &Matrix,
    (command, next): (Command, Next),
    wanted: &Wanted,
    table: &Mutex<Table>,
    counts: impl Fn(&PointName) -> bool,
) {
    let points = chosen(matrix.points(command), wanted, &counts);
    println!("{what}: {command:?} then {next:?}, {} points", points.len());
    if wanted.points {
        points.iter().enumerate().for_each(|(number, point)| println!("  {}: {point}", number + wanted.from));
        return;
    }
    let side_by_side = wanted.side_by_side.unwrap_or(2);
    matrix.visit_at((command, next), &points, wanted.what.unwrap_or(What::Die), side_by_side, |visit| note(visit, table));
}

fn wanted(mut arguments: impl Iterator<Item = String>) -> Option<Wanted> {
    let mut wanted = Wanted { seed: 1, ..Wanted::default() };
    while let Some(argument) = arguments.next() {
        let number = |arguments: &mut dyn Iterator<Item = String>| arguments.next()?.parse::<usize>().ok();
        match argument.as_str() {
            "--from" => wanted.from = number(&mut arguments)?,
            "--to" => wanted.to = Some(number(&mut arguments)?),
            "--sample" => wanted.sample = Some(number(&mut arguments)?),
            "--seed" => wanted.seed = u64::try_from(number(&mut arguments)?).ok()?,
            "--side-by-side" => wanted.side_by_side = Some(number(&mut arguments)?),
            "--points" => wanted.points = true,
            "--what" => wanted.what = Some(what(&arguments.next()?)?),
            "--main-job" => wanted.main_job = true,
            "--memory" => wanted.memory = true,
            "--k8s" => wanted.k8s = true,
            _ => return None,
        }
    }
    Some(wanted)
}

fn what(name: &str) -> Option<What> {
    WHAT.iter().find(|(known, _)| *known == name).map(|(_, what)| *what)
}
