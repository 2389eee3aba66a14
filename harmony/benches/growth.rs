//! How the cost of a run grows with the number of resources, when nothing is to be done.
//!
//! Prints a table, and fails if the time grows faster than the resources (exponent above 1.1 between 1000 and 5000), or if a thousand of
//! them need more than 30 MB. Each size is measured in a process of its own, so that its peak memory is its own. What is measured is the
//! processor's time, which others on the machine disturb less than the clock's; nothing here waits.
//!
//! `cargo bench -p harmony --bench growth`

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a program for developers")]

use std::process::{Command, ExitCode};

use harmony::{Inventory, Maestro, Scores};
use harmony_test::{FakePlace, FakeSite, FakeThing, FileOnDisk, score};

const SIZES: [usize; 4] = [1, 100, 1000, 5000];
const MOST_EXPONENT: f64 = 1.1;
const MOST_MEMORY_MB: f64 = 30.0;
/// The best of so many processes with so many repetitions each is taken: what disturbs a measurement only makes it longer.
const PROCESSES: usize = 3;
/// The kernel counts a processor's time in ticks of 4 ms, so a size is repeated until that is small against the whole.
const REPEATED_RESOURCES: usize = 50_000;
const FEWEST_REPETITIONS: usize = 10;

/// What one process measured.
#[derive(Clone, Copy)]
struct Measured {
    plan: f64,
    apply: f64,
    peak_mb: f64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--measure") {
        let Measured { plan, apply, peak_mb } = measure(&arguments[at + 1], arguments[at + 2].parse().unwrap());
        println!("{plan} {apply} {peak_mb}");
        return ExitCode::SUCCESS;
    }
    let mut good = true;
    println!("provider  resources  no-op plan s  no-op apply s  peak MB");
    for provider in ["fake", "file"] {
        let measured = SIZES.map(|size| measure_apart(provider, size));
        for (size, Measured { plan, apply, peak_mb }) in SIZES.iter().zip(measured) {
            println!("{provider:<8}  {size:>9}  {plan:>12.4}  {apply:>13.4}  {peak_mb:>7.1}");
        }
        let exponent = |of: fn(&Measured) -> f64| (of(&measured[3]) / of(&measured[2])).ln() / 5_f64.ln();
        let (plan, apply) = (exponent(|one| one.plan), exponent(|one| one.apply));
        println!("{provider:<8}  exponent 1000 to 5000: plan {plan:.2}, apply {apply:.2}");
        good &= plan <= MOST_EXPONENT && apply <= MOST_EXPONENT && measured[2].peak_mb <= MOST_MEMORY_MB;
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure_apart(provider: &str, size: usize) -> Measured {
    let nothing = Measured { plan: f64::MAX, apply: f64::MAX, peak_mb: f64::MAX };
    (0..PROCESSES).map(|_| measure_in_process(provider, size)).fold(nothing, |best, now| Measured {
        plan: best.plan.min(now.plan),
        apply: best.apply.min(now.apply),
        peak_mb: best.peak_mb.min(now.peak_mb),
    })
}

fn measure_in_process(provider: &str, size: usize) -> Measured {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this).args(["--measure", provider, &size.to_string()]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
    Measured { plan: numbers[0], apply: numbers[1], peak_mb: numbers[2] }
}

/// Makes `size` resources, and measures a plan and an apply that find nothing to do.
#[tokio::main(flavor = "current_thread")]
async fn measure(provider: &str, size: usize) -> Measured {
    let site = FakeSite::new();
    let scores = if provider == "fake" { things(size) } else { files(&site, size) };
    let outcome = site.apply(&scores).await.unwrap();
    assert_eq!((outcome.counts.create, outcome.failures.len()), (size, 0));
    let maestro = Maestro::new(&site.site);
    let repetitions = (REPEATED_RESOURCES / size).max(FEWEST_REPETITIONS);
    let begun = processor_seconds();
    for _ in 0..repetitions {
        assert!(!maestro.plan(&Inventory::empty(), &site.place, &scores).await.unwrap().is_pending());
    }
    let planned = processor_seconds();
    for _ in 0..repetitions {
        assert_eq!(site.apply_with(&maestro, &scores).await.unwrap().writes, 0);
    }
    let (plan, apply) = (planned - begun, processor_seconds() - planned);
    let each = |total: f64| total / repetitions as f64;
    Measured { plan: each(plan), apply: each(apply), peak_mb: peak_mb() }
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

/// The time for which this process has had a processor: the first number of `schedstat`, in nanoseconds.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
