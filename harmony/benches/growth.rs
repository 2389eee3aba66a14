//! How the cost of a run grows with the number of resources, when nothing is to be done.
//!
//! Prints a table, and fails if the time grows faster than the resources (exponent above 1.1 between 1000 and 5000), or if a thousand of
//! them need more than 30 MB. Each run is measured in a process of its own, which has made the resources before: its peak memory counts that
//! too. What is measured is the processor's time, which others on the machine disturb less than the clock's; nothing here waits.
//!
//! `cargo bench -p harmony --bench growth`

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a program for developers")]

use std::process::{Command, ExitCode};

use harmony::{Inventory, Maestro, Scores};
use harmony_test::{FakePlace, FakeSite, FakeThing, FileOnDisk, score};

const SIZES: [usize; 4] = [1, 100, 1000, 5000];
const MOST_EXPONENT: f64 = 1.1;
const MOST_MEMORY_MB: f64 = 30.0;
/// The best of so many processes is taken: what disturbs a measurement only makes it longer.
const PROCESSES: usize = 15;

/// What is measured.
const OPERATIONS: [&str; 2] = ["no-op plan", "no-op apply"];

/// What one process measured.
#[derive(Clone, Copy)]
struct Measured {
    seconds: f64,
    peak_mb: f64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--measure") {
        let Measured { seconds, peak_mb } = measure(&arguments[at + 1], &arguments[at + 2], arguments[at + 3].parse().unwrap());
        println!("{seconds} {peak_mb}");
        return ExitCode::SUCCESS;
    }
    let mut good = true;
    println!("provider  operation    {}  exponent  MB at 1000", SIZES.map(|size| format!("s at {size:>4}")).join("  "));
    for provider in ["fake", "file"] {
        for operation in OPERATIONS {
            let measured = best_of_many(provider, operation);
            let exponent = (measured[3].seconds / measured[2].seconds).ln() / 5_f64.ln();
            let seconds = measured.map(|one| format!("{:>9.4}", one.seconds)).join("  ");
            println!("{provider:<8}  {operation:<11}  {seconds}  {exponent:>8.2}  {:>10.1}", measured[2].peak_mb);
            good &= exponent <= MOST_EXPONENT && measured[2].peak_mb <= MOST_MEMORY_MB;
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The sizes take turns, so that what disturbs the machine for a while disturbs all of them.
fn best_of_many(provider: &str, operation: &str) -> [Measured; SIZES.len()] {
    let mut best = [Measured { seconds: f64::MAX, peak_mb: f64::MAX }; SIZES.len()];
    for _ in 0..PROCESSES {
        for (best, size) in best.iter_mut().zip(SIZES) {
            let now = measure_in_process(provider, operation, size);
            *best = Measured { seconds: best.seconds.min(now.seconds), peak_mb: best.peak_mb.min(now.peak_mb) };
        }
    }
    best
}

fn measure_in_process(provider: &str, operation: &str, size: usize) -> Measured {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this).args(["--measure", provider, operation, &size.to_string()]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
    Measured { seconds: numbers[0], peak_mb: numbers[1] }
}

/// Makes `size` resources, and measures one run that finds nothing to do, as a user's process does one run.
fn measure(provider: &str, operation: &str, size: usize) -> Measured {
    let site = FakeSite::new();
    let scores = if provider == "fake" { things(size) } else { files(&site, size) };
    // On a thread of its own, so that what it leaves in its part of the heap is not where the measured run looks for room.
    std::thread::scope(|scope| scope.spawn(|| wait_for(make(&site, &scores, size))).join().unwrap());
    let maestro = Maestro::new(&site.site);
    let begun = processor_seconds();
    match operation {
        "no-op plan" => {
            let plan = wait_for(maestro.plan(&Inventory::empty(), &site.place, &scores)).unwrap();
            assert!(!plan.is_pending());
        }
        "no-op apply" => assert_eq!(wait_for(site.apply_with(&maestro, &scores)).unwrap().writes, 0),
        other => panic!("nobody measures {other}"),
    }
    Measured { seconds: processor_seconds() - begun, peak_mb: peak_mb() }
}

fn wait_for<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

async fn make(site: &FakeSite, scores: &Scores<FakePlace>, size: usize) {
    let outcome = site.apply_with(&Maestro::new(&site.site), scores).await.unwrap();
    assert_eq!((outcome.counts.create, outcome.failures.len()), (size, 0));
}

/// Things in groups of ten, each showing the address of the one before it.
fn things(size: usize) -> Scores<FakePlace> {
    Scores::default().with(score("things", move |_, place, stage| {
        let mut before = None;
        for number in 0..size {
            let mut thing = FakeThing::new(&format!("thing-{number}"));
            if let Some(before) = before.filter(|_| number % 10 != 0) {
                thing = thing.with_text(harmony::resource::Handle::get(&before, &FakeThing::URL));
            }
            before = Some(stage.add(place, &thing.name, &thing)?);
        }
        Ok(())
    }))
}

fn files(site: &FakeSite, size: usize) -> Scores<FakePlace> {
    let directory = site.directory().to_owned();
    Scores::default().with(score("files", move |_, place, stage| {
        (0..size).try_for_each(|number| {
            let name = format!("file-{number}");
            let file = FileOnDisk { path: directory.join(&name), contents: "a line of text\n".into() };
            stage.add(place, &name, &file).map(|_| ())
        })
    }))
}

/// The time for which this process's first thread has had a processor: the first number of `schedstat`, in nanoseconds.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
