//! How the cost of a run grows with the number of resources: when nothing is to be done, and when all of them are made, changed, taken away
//! with their program, or pruned by half; and of the Ledger's look-ups.
//!
//! Prints a table, and fails if the time grows faster than the resources (exponent above 1.1 between 1000 and 5000), or if a run that has
//! nothing to do on a thousand of them needs more than 30 MB. Each run is measured in a process of its own, which has made the resources before: its peak memory counts that
//! too. What is measured is the processor's time, which others on the machine disturb less than the clock's; nothing here waits.
//!
//! `cargo bench -p harmony --bench growth`

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "a program for developers")]

use std::process::{Command, ExitCode};

use harmony::engine::ledger::{Key, Ledger};
use harmony::{Inventory, Maestro, Scores};
use harmony_io::Io;
use harmony_test::{FakePlace, FakeSite, FakeThing, FileOnDisk, score};

const SIZES: [usize; 4] = [1, 100, 1000, 5000];
const MOST_EXPONENT: f64 = 1.1;
const MOST_MEMORY_MB: f64 = 30.0;
/// The best of so many samples is taken: what disturbs a measurement only makes it longer.
const SAMPLES: usize = 12;
/// The same for runs that write: they are longer, so that the same disturbance is less.
const WRITING_SAMPLES: usize = 5;
/// A sample of the largest size is one process, and one of the next is as many as have as many resources in all: both take equally long. A
/// shorter sample would find the gaps between two disturbances more often, and the exponent would tell of the machine's unrest.
const PROCESSES: [usize; SIZES.len()] = [1, 1, 5, 1];
/// How often each entry is looked up, about as often as a run does it.
const LOOK_UPS: usize = 5;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Plan,
    Apply,
    Create,
    Update,
    PruneHalf,
    Destroy,
    LookUp,
}

impl Operation {
    const ALL: [Self; 7] = [Self::Plan, Self::Apply, Self::Create, Self::Update, Self::PruneHalf, Self::Destroy, Self::LookUp];

    fn name(self) -> &'static str {
        match self {
            Self::Plan => "no-op plan",
            Self::Apply => "no-op apply",
            Self::Create => "create",
            Self::Update => "update",
            Self::PruneHalf => "prune half",
            Self::Destroy => "destroy",
            Self::LookUp => "look up",
        }
    }

    fn does_nothing(self) -> bool {
        matches!(self, Self::Plan | Self::Apply)
    }
}

/// What a program says: so many resources, in the first form or in another.
#[derive(Clone, Copy)]
struct Said {
    count: usize,
    changed: bool,
}

/// What one process measured.
#[derive(Clone, Copy)]
struct Measured {
    seconds: f64,
    peak_mb: f64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--measure") {
        let operation = Operation::ALL.into_iter().find(|operation| operation.name() == arguments[at + 2]).unwrap();
        let Measured { seconds, peak_mb } = measure(&arguments[at + 1], operation, arguments[at + 3].parse().unwrap());
        println!("{seconds} {peak_mb}");
        return ExitCode::SUCCESS;
    }
    let mut good = true;
    println!("provider  operation    {}  exponent  MB at 1000", SIZES.map(|size| format!("s at {size:>4}")).join("  "));
    for provider in ["fake", "file"] {
        for operation in Operation::ALL {
            let measured = best_of_many(provider, operation);
            let exponent = (measured[3].seconds / measured[2].seconds).ln() / 5_f64.ln();
            let seconds = measured.map(|one| format!("{:>9.4}", one.seconds)).join("  ");
            println!("{provider:<8}  {:<11}  {seconds}  {exponent:>8.2}  {:>10.1}", operation.name(), measured[2].peak_mb);
            good &= exponent <= MOST_EXPONENT && (!operation.does_nothing() || measured[2].peak_mb <= MOST_MEMORY_MB);
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The sizes take turns, so that what disturbs the machine for a while disturbs all of them.
fn best_of_many(provider: &str, operation: Operation) -> [Measured; SIZES.len()] {
    let mut best = [Measured { seconds: f64::MAX, peak_mb: f64::MAX }; SIZES.len()];
    for _ in 0..if operation.does_nothing() { SAMPLES } else { WRITING_SAMPLES } {
        for ((best, size), processes) in best.iter_mut().zip(SIZES).zip(PROCESSES) {
            let sample: Vec<Measured> = (0..processes).map(|_| measure_in_process(provider, operation, size)).collect();
            let mean = sample.iter().map(|one| one.seconds).sum::<f64>() / f64::from(u32::try_from(processes).unwrap());
            best.seconds = best.seconds.min(mean);
            best.peak_mb = sample.iter().fold(best.peak_mb, |least, one| least.min(one.peak_mb));
        }
    }
    best
}

fn measure_in_process(provider: &str, operation: Operation, size: usize) -> Measured {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this).args(["--measure", provider, operation.name(), &size.to_string()]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
    Measured { seconds: numbers[0], peak_mb: numbers[1] }
}

/// Makes `size` resources, and measures one run on them, as a user's process does one run. What is written goes to memory: the disk's time is
/// not the engine's.
fn measure(provider: &str, operation: Operation, size: usize) -> Measured {
    let site = FakeSite::in_memory();
    let said = |count: usize, changed: bool| {
        let said = Said { count, changed };
        if provider == "fake" { things(said) } else { files(&site, said) }
    };
    let usual = said(size, false);
    if operation != Operation::Create {
        // On a thread of its own, so that what it leaves in its part of the heap is not where the measured run looks for room.
        std::thread::scope(|scope| scope.spawn(|| wait_for(make(&site, &usual, size))).join().unwrap());
    }
    let scores = match operation {
        Operation::Update => said(size, true),
        Operation::PruneHalf => said(size.div_ceil(2), false),
        _ => usual,
    };
    let maestro = Maestro::new(&site.site);
    let apply = || {
        let outcome = wait_for(site.apply_with(&maestro, &scores)).unwrap();
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        outcome.writes
    };
    let begun = processor_seconds();
    match operation {
        Operation::Plan => {
            assert!(!wait_for(maestro.plan(&Inventory::empty(), &site.place, &scores)).unwrap().is_pending());
        }
        Operation::Apply => assert_eq!(apply(), 0),
        Operation::Create | Operation::Update => assert_eq!(apply(), size),
        Operation::PruneHalf => assert_eq!(apply(), size / 2),
        Operation::Destroy => {
            assert_eq!(wait_for(async { maestro.prepare_destroy(&site.place).await?.apply().await }).unwrap().writes, size);
        }
        Operation::LookUp => look_up(&site, size),
    }
    Measured { seconds: processor_seconds() - begun, peak_mb: peak_mb() }
}

/// Reads the Ledger and asks for every entry by what the world calls it, many times.
fn look_up(site: &FakeSite, size: usize) {
    let ledger = Ledger::load(&Io::real(), &site.site.state).unwrap();
    let keys: Vec<Key> = ledger.entries().map(|entry| entry.key.clone()).collect();
    assert_eq!(keys.len(), size);
    for _ in 0..LOOK_UPS {
        assert!(keys.iter().all(|key| ledger.find(key).is_some()));
    }
}

fn wait_for<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

async fn make(site: &FakeSite, scores: &Scores<FakePlace>, size: usize) {
    let outcome = site.apply_with(&Maestro::new(&site.site), scores).await.unwrap();
    assert_eq!((outcome.counts.create, outcome.failures.len()), (size, 0));
}

/// Things in groups of ten, each showing the address of the one before it.
fn things(said: Said) -> Scores<FakePlace> {
    Scores::default().with(score("things", move |_, place, stage| {
        let mut before = None;
        for number in 0..said.count {
            let mut thing = FakeThing::new(&format!("thing-{number}")).with_size(if said.changed { 2 } else { 1 });
            if let Some(before) = before.filter(|_| number % 10 != 0) {
                thing = thing.with_text(harmony::resource::Handle::get(&before, &FakeThing::URL));
            }
            before = Some(stage.add(place, &thing.name, &thing)?);
        }
        Ok(())
    }))
}

fn files(site: &FakeSite, said: Said) -> Scores<FakePlace> {
    let directory = site.directory().to_owned();
    Scores::default().with(score("files", move |_, place, stage| {
        (0..said.count).try_for_each(|number| {
            let name = format!("file-{number}");
            let contents = if said.changed { "another line\n" } else { "a line of text\n" };
            let file = FileOnDisk { path: directory.join(&name), contents: contents.into() };
            stage.add(place, &name, &file).map(|_| ())
        })
    }))
}

/// The time for which this thread has had a processor. Of the clocks that say so this one is exact; `schedstat` counts whole ticks, which at a
/// thousand resources are a quarter of what is measured.
fn processor_seconds() -> f64 {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
    std::time::Duration::from(time).as_secs_f64()
}

fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
