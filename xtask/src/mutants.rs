//! `cargo xtask mutants`: each of the errors that are kept beside the model is put into a copy of the engine, and has to make the model
//! fail. A model that lets one pass has a hole, and an error that does not fit any more has to be written again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, bail};

/// Where the errors are kept.
const MUTANTS: &str = "harmony/tests/model/mutants";
/// What is copied: the engine, and what it and its model need.
const CRATES: [&str; 6] = ["harmony_types", "harmony_io", "harmony_secret", "harmony_secret_derive", "harmony", "harmony_test"];
/// How many scenarios each is given; most fail within the first hundred.
const SCENARIOS: &str = "500";

/// An error to be put into a copy of the sources: in one file, some lines become others.
#[derive(Debug, PartialEq, Eq)]
struct Mutant {
    name: String,
    /// What it breaks.
    breaks: String,
    file: String,
    from: String,
    to: String,
}

/// Plays the model against each mutant, or against those whose names are given.
///
/// # Errors
/// If a mutant does not fit the sources, or the copy cannot be made or built.
pub(crate) fn mutants(root: &Path, names: &[String]) -> anyhow::Result<ExitCode> {
    let copy = root.join("target/mutants/tree");
    copy_sources(root, &copy)?;
    let mut unnoticed = Vec::new();
    let all = read_all(root)?;
    for mutant in all.iter().filter(|mutant| names.is_empty() || names.contains(&mutant.name)) {
        let path = copy.join(&mutant.file);
        let sources = fs::read_to_string(&path).with_context(|| format!("failed to read `{}`", mutant.file))?;
        let begun = Instant::now();
        fs::write(&path, mutant.put_into(&sources)?)?;
        let noticed = is_noticed(root, &copy, mutant)?;
        fs::write(&path, &sources)?;
        let seconds = begun.elapsed().as_secs_f64();
        let verdict = noticed.as_deref().unwrap_or("NOT NOTICED");
        println!("{:<40} {seconds:>5.1} s  {verdict}\n    {}", mutant.name, mutant.breaks);
        if noticed.is_none() {
            unnoticed.push(mutant.name.as_str());
        }
    }
    println!("{} mutants, {} not noticed {}", all.len(), unnoticed.len(), unnoticed.join(", "));
    Ok(if unnoticed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the model says of a mutant; `None` if it finds nothing wrong.
fn is_noticed(root: &Path, copy: &Path, mutant: &Mutant) -> anyhow::Result<Option<String>> {
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new("cargo");
        command.current_dir(copy).args(["test", "--quiet", "--package", "harmony", "--test", "model"]).args(arguments);
        command.env("CARGO_TARGET_DIR", root.join("target")).env("CARGO_PROFILE_DEV_DEBUG", "false");
        command
    };
    let built = cargo(&["--no-run"]).output().context("failed to build a mutant")?;
    if !built.status.success() {
        bail!("`{}` does not compile:\n{}", mutant.name, String::from_utf8_lossy(&built.stderr));
    }
    let played = cargo(&["--", "--nocapture"])
        .env("HARMONY_MODEL_SCENARIOS", SCENARIOS)
        .env("HARMONY_MODEL_SHRINKING", "0")
        .env("RUST_BACKTRACE", "0")
        .output()
        .context("failed to play the model")?;
    if played.status.success() {
        return Ok(None);
    }
    let said = String::from_utf8_lossy(&played.stderr).into_owned();
    let why = said.lines().find(|line| line.starts_with("seed ")).unwrap_or("it did not come to its end");
    Ok(Some(why.chars().take(160).collect()))
}

fn read_all(root: &Path) -> anyhow::Result<Vec<Mutant>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(root.join(MUTANTS))
        .with_context(|| format!("failed to list `{MUTANTS}`"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "patch"));
    paths.sort();
    let mutants: Vec<Mutant> = paths
        .iter()
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = fs::read_to_string(path).with_context(|| format!("failed to read `{}`", path.display()))?;
            Mutant::read(&name, &text)
        })
        .collect::<anyhow::Result<_>>()?;
    // All of them are tried before any of them is built: it is cheap to see that one does not fit.
    for mutant in &mutants {
        let sources = fs::read_to_string(root.join(&mutant.file)).with_context(|| format!("failed to read `{}`", mutant.file))?;
        mutant.put_into(&sources)?;
    }
    Ok(mutants)
}

impl Mutant {
    /// Reads a patch: what it breaks, the file's name behind `+++`, and behind `@@` lines that stay, go (`-`) and come (`+`).
    fn read(name: &str, text: &str) -> anyhow::Result<Self> {
        let (head, body) = text.split_once("\n@@\n").with_context(|| format!("`{name}` has no line `@@`"))?;
        let file = head.lines().find_map(|line| line.strip_prefix("+++ ")).with_context(|| format!("`{name}` names no file"))?;
        let breaks = head.lines().next().unwrap_or_default();
        let side = |goes: char| -> String {
            let lines = body.lines().filter(|line| !line.starts_with(goes));
            lines.map(|line| format!("{}\n", line.get(1..).unwrap_or_default())).collect()
        };
        let (from, to) = (side('+'), side('-'));
        Ok(Self { name: name.to_owned(), breaks: breaks.to_owned(), file: file.to_owned(), from, to })
    }

    /// The sources with the error in them.
    fn put_into(&self, sources: &str) -> anyhow::Result<String> {
        match sources.matches(&self.from).count() {
            1 => Ok(sources.replace(&self.from, &self.to)),
            found => bail!("`{}` does not fit `{}` any more: its lines are there {found} times", self.name, self.file),
        }
    }
}

/// A workspace of the crates that the model needs. A file that has not changed is not written, so that it need not be built again.
fn copy_sources(root: &Path, copy: &Path) -> anyhow::Result<()> {
    for name in CRATES {
        copy_directory(&root.join(name), &copy.join(name))?;
    }
    // The events' schema is there, and the fixtures hold it.
    copy_directory(&root.join("docs"), &copy.join("docs"))?;
    fs::copy(root.join("Cargo.lock"), copy.join("Cargo.lock"))?;
    let workspace = fs::read_to_string(root.join("Cargo.toml"))?;
    let (before, rest) = workspace.split_once("members = [").context("the workspace names no members")?;
    let (_, after) = rest.split_once(']').context("the list of members has no end")?;
    write_if_changed(&copy.join("Cargo.toml"), format!("{before}members = {CRATES:?}{after}").as_bytes())
}

fn copy_directory(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| format!("failed to create `{}`", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("failed to list `{}`", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &target)?;
        } else {
            write_if_changed(&target, &fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

fn write_if_changed(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    if fs::read(path).is_ok_and(|before| before == contents) {
        return Ok(());
    }
    fs::write(path, contents).with_context(|| format!("failed to write `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "It says no.\n--- src/a.rs\n+++ src/a.rs\n@@\n fn a() -> bool {\n-    true\n+    false\n }\n";

    #[test]
    fn a_mutant_exchanges_its_lines() {
        let mutant = Mutant::read("no", PATCH).unwrap();
        assert_eq!((mutant.breaks.as_str(), mutant.file.as_str()), ("It says no.", "src/a.rs"));
        let mutated = mutant.put_into("// a\nfn a() -> bool {\n    true\n}\n").unwrap();
        assert_eq!(mutated, "// a\nfn a() -> bool {\n    false\n}\n");
    }

    #[test]
    fn a_mutant_that_does_not_fit_is_an_error() {
        let mutant = Mutant::read("no", PATCH).unwrap();
        for sources in ["fn a() -> bool {\n    1 == 1\n}\n", "fn a() -> bool {\n    true\n}\nfn a() -> bool {\n    true\n}\n"] {
            insta::allow_duplicates! {
                let error = mutant.put_into(sources).unwrap_err().to_string();
                assert!(error.starts_with("`no` does not fit `src/a.rs` any more"), "{error}");
            }
        }
    }

    #[test]
    fn every_mutant_fits_the_sources() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert!(read_all(root).unwrap().len() >= 10);
    }
}
