//! How long a file may be, and what a `mod.rs` holds. Clippy counts the lines of functions (`clippy.toml`).

use crate::repository::{TextFile, Violation, assert_kept, tracked_files};

const LONGEST: usize = 600;

#[test]
fn no_file_is_too_long() {
    assert_kept(
        &length_violations(&tracked_files()),
        "Split it by what changes for different reasons; above 400 lines think of it.",
    );
}

#[test]
fn a_mod_file_holds_only_docs_and_modules() {
    assert_kept(&mod_file_violations(&tracked_files()), "Move the code into a module with a name of its own.");
}

fn length_violations(files: &[TextFile]) -> Vec<Violation> {
    let is_shipped = |file: &&TextFile| file.is_rust() && (!file.is_test_code() || file.path.starts_with("xtask/"));
    let too_long = files.iter().filter(is_shipped).filter(|file| file.shipped_lines() > LONGEST);
    too_long.map(|file| file.violation(LONGEST + 1, format!("{} lines, {LONGEST} are allowed", file.shipped_lines()))).collect()
}

fn mod_file_violations(files: &[TextFile]) -> Vec<Violation> {
    files.iter().filter(|file| file.path.ends_with("/mod.rs")).filter_map(first_other_line).collect()
}

fn first_other_line(file: &TextFile) -> Option<Violation> {
    let mut in_statement = false;
    for (index, line) in file.text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with("//") || line.starts_with("#[") || line.starts_with("#![") {
            continue;
        }
        let declaration = strip_visibility(line);
        let begins = (declaration.starts_with("mod ") && !line.ends_with('{')) || declaration.starts_with("use ");
        if !in_statement && !begins {
            return Some(file.violation(index + 1, format!("`{line}` in a mod.rs")));
        }
        in_statement = !line.ends_with(';');
    }
    None
}

fn strip_visibility(line: &str) -> &str {
    let rest = line.strip_prefix("pub").unwrap_or(line);
    let rest = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(rest, |(_, rest)| rest);
    rest.trim_start()
}

mod finds {
    use super::*;

    #[test]
    fn files_that_are_too_long_without_their_tests() {
        let long = "\n".repeat(601);
        let tested = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(600), "\n".repeat(900));
        let files = [
            TextFile::new("harmony/src/a.rs", &long),
            TextFile::new("harmony/src/b.rs", &tested),
            TextFile::new("notes.md", &long),
        ];
        let found: Vec<_> = length_violations(&files).iter().map(Violation::to_string).collect();
        assert_eq!(found, ["harmony/src/a.rs:601: 601 lines, 600 are allowed"]);
    }

    #[test]
    fn code_in_a_mod_file() {
        let good = "//! Docs.\n\nmod a;\npub(crate) mod b;\n#[cfg(test)]\nmod tests;\n\npub use a::{\n    B,\n    C,\n};\n";
        let files = [
            TextFile::new("harmony/src/good/mod.rs", good),
            TextFile::new("harmony/src/bad/mod.rs", "mod a;\npub fn b() {}\n"),
            TextFile::new("harmony/src/inline/mod.rs", "mod a {\n}\n"),
        ];
        let found: Vec<_> = mod_file_violations(&files).iter().map(Violation::to_string).collect();
        assert_eq!(
            found,
            ["harmony/src/bad/mod.rs:2: `pub fn b() {}` in a mod.rs", "harmony/src/inline/mod.rs:1: `mod a {` in a mod.rs"]
        );
    }
}
