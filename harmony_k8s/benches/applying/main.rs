//! What applying costs on a real API server, against a loop that sends each object by the same client, and against `kubectl apply --server-side`.
//!
//! Prints a table of seconds (medians; the programs take turns, each a process of its own, each time with a namespace that nobody had before), of peak memory and of
//! requests by verb. Fails if a first apply reaches less than 0.8 of the loop's rate, or less than 2.5 times kubectl's at 1000 objects or 2 times at 5000, or if a plan
//! grows faster than the objects (exponent above 1.1 between 1000 and 5000).
//!
//! `cargo bench -p harmony_k8s --bench applying`; with `-- --most N` only sizes up to N.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "a program for developers")]

mod objects;
mod programs;
mod table;

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use harmony_testbed::ControlPlane;
use tempfile::TempDir;

use crate::objects::objects;
use crate::programs::{Told, carry_out};
use crate::table::{Measured, Table};

/// Sizes, and how often each is measured.
const SIZES: [(usize, usize); 4] = [(1, 5), (100, 5), (1000, 5), (5000, 3)];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--carry-out") {
        let [doing, kubeconfig, state, namespace, count] = [1, 2, 3, 4, 5].map(|number| arguments[at + number].clone());
        let told = Told { doing, kubeconfig, state, namespace, count: count.parse().unwrap() };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        println!("{}", runtime.block_on(carry_out(&told)));
        return ExitCode::SUCCESS;
    }
    let most =
        arguments.iter().position(|argument| argument == "--most").map_or(usize::MAX, |at| arguments[at + 1].parse().unwrap());
    let plane = ControlPlane::start().unwrap();
    let mut table = Table::default();
    for (size, rounds) in SIZES.into_iter().filter(|(size, _)| *size <= most) {
        for round in 0..rounds {
            measure_all(&plane, size, round, &mut table);
        }
        println!("{}", table.of_size(size));
    }
    let missed = table.missed();
    missed.iter().for_each(|goal| println!("MISSED: {goal}"));
    if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Each program once; who comes first changes from round to round.
fn measure_all(plane: &ControlPlane, size: usize, round: usize, table: &mut Table) {
    let directory = TempDir::new().unwrap();
    let mut programs: [&dyn Fn(&mut Table); 3] = [
        &|table| {
            let namespace = format!("h-{size}-{round}");
            let harmony = |doing| ours(plane, directory.path(), doing, &namespace, size);
            for (row, doing) in
                [("first plan", "plan"), ("first apply", "apply"), ("no-op plan", "plan"), ("no-op apply", "apply")]
            {
                table.add(size, row, measure(plane, harmony(doing)));
            }
        },
        &|table| {
            let namespace = format!("r-{size}-{round}");
            table.add(size, "raw loop", measure(plane, ours(plane, directory.path(), "raw", &namespace, size)));
        },
        &|table| {
            let file = directory.path().join("objects.json");
            let mut written = std::fs::File::create(&file).unwrap();
            objects(&format!("k-{size}-{round}"), size).iter().for_each(|object| writeln!(written, "{object}").unwrap());
            table.add(size, "kubectl apply", measure(plane, kubectl(plane, "apply", &file)));
            table.add(size, "kubectl no-op", measure(plane, kubectl(plane, "apply", &file)));
        },
    ];
    programs.rotate_left(round % 3);
    programs.into_iter().for_each(|program| program(table));
}

/// This program as one of those that are measured.
fn ours(plane: &ControlPlane, state: &Path, doing: &str, namespace: &str, size: usize) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("--carry-out").arg(doing).arg(plane.kubeconfig()).arg(state).args([namespace, &size.to_string()]);
    command
}

fn kubectl(plane: &ControlPlane, verb: &str, file: &Path) -> Command {
    let mut command = plane.kubectl().command();
    command.args([verb, "--server-side", "-f"]).arg(file);
    command
}

/// Runs the program to its end: how long it took, the most memory that it had, and what it asked.
fn measure(plane: &ControlPlane, mut command: Command) -> Measured {
    let mark = plane.audit().mark().unwrap();
    let begun = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let over = AtomicBool::new(false);
    let (said, took, peak_mb) = std::thread::scope(|scope| {
        let (process, over) = (child.id(), &over);
        let peak = scope.spawn(move || watch_memory(process, over));
        let said = read_all(&mut child);
        let took = begun.elapsed().as_secs_f64();
        over.store(true, Ordering::Relaxed);
        (said, took, peak.join().unwrap())
    });
    let asked = plane.audit().since(mark).unwrap().of_user(plane.administrator());
    let mut requests = std::collections::BTreeMap::new();
    for event in &asked.0 {
        *requests.entry(if event.is_dry_run() { "dry run".to_owned() } else { event.verb.clone() }).or_default() += 1;
    }
    // What a process says of itself is without what every process needs to start.
    let inner = said.trim().parse().unwrap_or(took);
    Measured { seconds: took, inner, peak_mb, requests }
}

fn read_all(child: &mut Child) -> String {
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut said).unwrap();
    assert!(child.wait().unwrap().success());
    said
}

/// The most memory that a process had, in MB, looked at until it is over.
fn watch_memory(process: u32, over: &AtomicBool) -> f64 {
    let mut most: f64 = 0.0;
    while !over.load(Ordering::Relaxed) {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        most = most.max(now.unwrap_or(0.0) / 1024.0);
        std::thread::sleep(Duration::from_millis(10));
    }
    most
}
