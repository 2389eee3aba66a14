//! Which checkout the running program was built from.

use std::path::{Path, PathBuf};

use harmony_io::{Io, IoError};

/// Cargo lists the sources of what it builds beside it; the list of a program with a thousand sources is a tenth of this.
const LONGEST_LIST: u64 = 4 * 1024 * 1024;
const LOCK_FILE: &str = "Cargo.lock";

/// The directory of the workspace that `program` was built in. A program that is in no build directory is its own checkout. `None` where that is
/// not to be told: what is said of it then holds for any.
///
/// The sources decide where they are listed, not the build directory: `CARGO_TARGET_DIR` may be shared by many checkouts, and the program
/// of one overwrites that of another there.
///
/// # Errors
/// [`IoError`] if the list is there and cannot be read.
pub(super) fn find_checkout(io: &Io, program: &Path) -> Result<Option<PathBuf>, IoError> {
    let Some(above) = above_build_directory(program) else { return Ok(Some(program.to_owned())) };
    let Some(list) = io.find_start_of_file(&program.with_extension("d"), LONGEST_LIST)? else {
        return Ok(Some(above.to_owned()));
    };
    let sources = sources_in(&String::from_utf8_lossy(&list));
    let is_there = |path: &Path| io.find_entry(path).map(|entry| entry.is_some());
    match sources.iter().find_map(|source| package_of(source)) {
        Some(package) => {
            for directory in package.ancestors() {
                if is_there(&directory.join(LOCK_FILE))? {
                    return Ok(Some(directory.to_owned()));
                }
            }
            Ok(Some(package.to_owned()))
        }
        // The list of a test names its sources from the root of the workspace.
        None => match sources.first() {
            Some(source) if source.starts_with(above) || is_there(&above.join(source))? => Ok(Some(above.to_owned())),
            _ => Ok(None),
        },
    }
}

/// What is above the build directory, so that a debug and a release build are one program.
fn above_build_directory(program: &Path) -> Option<&Path> {
    let is_named = |path: &&Path, names: &[&str]| path.file_name().is_some_and(|name| names.iter().any(|known| name == *known));
    let target = program.ancestors().skip(1).find(|path| is_named(path, &["target"]));
    let profile = || program.ancestors().skip(1).find(|path| is_named(path, &["debug", "release"]));
    target.or_else(profile).and_then(Path::parent)
}

/// The sources in a list in the form of a makefile: `program: source source`, spaces in a name behind `\`.
fn sources_in(list: &str) -> Vec<PathBuf> {
    const SPACE: &str = "\u{0}";
    let line = list.lines().next().unwrap_or_default().replace("\\ ", SPACE);
    let sources = line.split_once(": ").map_or("", |(_, sources)| sources);
    sources.split(' ').filter(|source| !source.is_empty()).map(|source| source.replace(SPACE, " ").into()).collect()
}

/// The directory of the package whose program begins in this source: `src/main.rs`, `src/bin/name.rs`, `src/bin/name/main.rs`. Libraries that it is
/// built with have no such source.
fn package_of(source: &Path) -> Option<&Path> {
    let is_named = |path: &Path, name: &str| path.file_name().is_some_and(|found| found == name);
    let directory = source.parent().filter(|_| source.is_absolute())?;
    let programs =
        directory.ancestors().take(2).find(|path| is_named(path, "bin") && path.parent().is_some_and(|up| is_named(up, "src")));
    match programs {
        Some(programs) => programs.parent()?.parent(),
        None if is_named(source, "main.rs") && is_named(directory, "src") => directory.parent(),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn checkout(program: &str) -> PathBuf {
        find_checkout(&Io::real(), Path::new(program)).unwrap().unwrap()
    }

    #[test]
    fn a_checkout_is_what_is_above_the_build_directory() {
        for (program, expected) in [
            ("/users/me/site/target/debug/site", "/users/me/site"),
            ("/users/me/site/target/release/site", "/users/me/site"),
            ("/users/me/site/target/x86_64-unknown-linux-musl/release/site", "/users/me/site"),
            ("/users/me/site/target/debug/deps/engine-0123", "/users/me/site"),
            ("/var/build/debug/site", "/var/build"),
            ("/usr/local/bin/site", "/usr/local/bin/site"),
        ] {
            assert_eq!(checkout(program), Path::new(expected), "{program}");
        }
    }

    /// A build directory that two checkouts share, each of which has a package and a library that both use.
    struct Shared(TempDir);

    impl Shared {
        fn new() -> Self {
            let shared = Self(TempDir::new().unwrap());
            for directory in ["my site", "other", "cache/target/debug/deps"] {
                fs::create_dir_all(shared.path(directory)).unwrap();
            }
            for checkout in ["my site", "other"] {
                fs::write(shared.path(checkout).join(LOCK_FILE), "").unwrap();
            }
            shared
        }

        fn path(&self, below: &str) -> PathBuf {
            self.0.path().join(below)
        }

        /// The checkout of the program there that was built last from these sources, relative to this directory.
        fn built_from(&self, program: &str, sources: &[&str]) -> Option<PathBuf> {
            let program = self.path("cache/target/debug").join(program);
            let listed: Vec<String> =
                sources.iter().map(|source| self.path(source).display().to_string().replace(' ', "\\ ")).collect();
            fs::write(program.with_extension("d"), format!("{}: {}\n", program.display(), listed.join(" "))).unwrap();
            find_checkout(&Io::real(), &program).unwrap()
        }
    }

    #[test]
    fn two_checkouts_that_share_a_build_directory_are_told_apart_by_their_sources() {
        let shared = Shared::new();
        let library = "library/src/lib.rs";
        assert_eq!(shared.built_from("site", &[library, "my site/src/main.rs"]), Some(shared.path("my site")));
        assert_eq!(shared.built_from("site", &["my site/src/bin/site.rs", library]), Some(shared.path("my site")));
        assert_eq!(shared.built_from("site", &["my site/src/bin/site/main.rs"]), Some(shared.path("my site")));
        assert_eq!(shared.built_from("site", &[library, "other/member/src/main.rs"]), Some(shared.path("other")));
        assert_eq!(shared.built_from("site", &["unlocked/src/main.rs"]), Some(shared.path("unlocked")));
    }

    #[test]
    fn where_sources_do_not_tell_a_checkout_it_is_left_open() {
        let shared = Shared::new();
        assert_eq!(shared.built_from("site", &["my site/site.rs"]), None);
        assert_eq!(shared.built_from("site", &["cache/site/site.rs"]), Some(shared.path("cache")));
        // A test's sources are named from the root of its workspace, wherever that is.
        let test = shared.path("cache/target/debug/deps/engine-0123");
        fs::write(test.with_extension("d"), format!("{}: tests/engine/main.rs\n", test.display())).unwrap();
        assert_eq!(find_checkout(&Io::real(), &test).unwrap(), None);
        fs::create_dir_all(shared.path("cache/tests/engine")).unwrap();
        fs::write(shared.path("cache/tests/engine/main.rs"), "").unwrap();
        assert_eq!(find_checkout(&Io::real(), &test).unwrap(), Some(shared.path("cache")));
    }
}
