//! `cargo xtask model`: the model of the engine with many scenarios.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;

/// How many scenarios are played unless somebody says how many.
const SCENARIOS: u64 = 10_000;

/// Plays `--scenarios N` (10 000) made up from `--seed S` (another one each time) on.
///
/// # Errors
/// If an argument is no such number, or cargo cannot be started.
pub(crate) fn model(root: &Path, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let (mut scenarios, mut seed) = (SCENARIOS, seed_of_now());
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { anyhow::bail!("`{}` needs a number", pair[0]) };
        let value: u64 = value.parse().with_context(|| format!("`{name}` needs a number, and `{value}` is none"))?;
        match name.as_str() {
            "--scenarios" => scenarios = value,
            "--seed" => seed = value,
            _ => anyhow::bail!("`{name}` is no option of `model`: it has `--scenarios N` and `--seed S`"),
        }
    }
    println!("{scenarios} scenarios; the same again with `cargo xtask model --scenarios {scenarios} --seed {seed}`");
    let status = Command::new("cargo")
        .current_dir(root)
        .args(["test", "--package", "harmony", "--test", "model", "--", "--nocapture"])
        .env("HARMONY_MODEL_SCENARIOS", scenarios.to_string())
        .env("HARMONY_MODEL_SEED", seed.to_string())
        .status()
        .context("failed to run the model")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A number that is another one each time, and short enough to be typed.
fn seed_of_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() * 100_000 % 100_000_000_000_000)
}
