//! File systems that are mounted for one test.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const VARIABLE: &str = "HARMONY_CRASH_ALONE";

/// A file system in memory at one directory. Only to be made where [`alone`] says so.
pub struct SmallDisk(PathBuf);

/// Runs the running test, whose name is `test`, once more in a mount namespace of its own; whether this is that run. Where no such namespace
/// can be made, the test is reported as not run.
///
/// # Panics
/// If the test fails there.
#[must_use]
pub fn alone(test: &str) -> bool {
    if env::var_os(VARIABLE).is_some() {
        return true;
    }
    let own = ["--mount", "--propagation", "private"];
    let can = Command::new("unshare").args(own).arg("true").output();
    if !can.as_ref().is_ok_and(|output| output.status.success()) {
        let why = can.map_or_else(|error| error.to_string(), |output| String::from_utf8_lossy(&output.stderr).trim().to_owned());
        harmony_test::not_run(test, &format!("needs root, to mount file systems: {why}"));
        return false;
    }
    let program = env::current_exe().expect("a path");
    let mut again = Command::new("unshare");
    again.args(own).arg(program).args(["--exact", test, "--nocapture"]).env(VARIABLE, "1");
    assert!(again.status().expect("unshare starts").success(), "{test} failed in its own mount namespace");
    false
}

impl SmallDisk {
    /// A disk of so many pages of 4 KiB at `directory`, which is made.
    ///
    /// # Panics
    /// If it cannot be mounted.
    #[must_use]
    pub fn mount(directory: &Path, pages: u32) -> Self {
        fs::create_dir_all(directory).expect("a directory");
        run(
            "mount",
            &["-t", "tmpfs", "-o", &format!("mode=0755,size={}k", pages * 4), "tmpfs", &directory.display().to_string()],
        );
        Self(directory.to_owned())
    }

    /// Lets it have so many pages.
    ///
    /// # Panics
    /// If it cannot be resized.
    pub fn resize(&self, pages: u32) {
        run("mount", &["-o", &format!("remount,size={}k", pages * 4), &self.0.display().to_string()]);
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // It goes with the namespace at the latest; servers that still run hold it until then.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// A directory below which nothing can be written, until this is dropped. Only to be made where [`alone`] says so.
pub struct ReadOnly(PathBuf);

impl ReadOnly {
    /// Makes the directory so; what is open already can still be written.
    ///
    /// # Panics
    /// If it cannot be mounted.
    #[must_use]
    pub fn make(directory: &Path) -> Self {
        let path = directory.display().to_string();
        run("mount", &["--bind", &path, &path]);
        run("mount", &["-o", "remount,bind,ro", &path]);
        Self(directory.to_owned())
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().expect("it starts");
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
