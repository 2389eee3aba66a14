//! `cargo xtask crash`: real programs, killed and disturbed at every point; the tests of `harmony_crash` visit a seeded part.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context;

/// Builds the programs and runs the matrix with these arguments; what it prints ends with the table.
///
/// # Errors
/// If cargo or the matrix cannot be started.
pub(crate) fn crash(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no directory above it")?;
    let built = Command::new("cargo").current_dir(root).args(["build", "--package", "harmony_crash", "--bins"]).status();
    if !built.context("failed to start cargo")?.success() {
        return Ok(ExitCode::FAILURE);
    }
    let run = ["run", "--quiet", "--package", "harmony_crash", "--bin", "crash_matrix", "--"];
    let status = Command::new("cargo").current_dir(root).args(run).args(arguments).status();
    let code = status.context("failed to start the matrix")?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
