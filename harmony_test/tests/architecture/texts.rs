//! Texts that no file of the repository holds.

use crate::repository::{TextFile, Violation, assert_kept, tracked_files};

/// In two parts each, or this file would hold them.
const REGISTRY_HOSTS: [(&str, &str); 8] = [
    ("crates", ".io"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("proxy.golang", ".org"),
    ("sum.golang", ".org"),
    ("npmjs", ".org"),
    ("rubygems", ".org"),
    ("deb.debian", ".org"),
];
const HOMES: [(&str, &str); 3] = [("/ho", "me/"), ("/Us", "ers/"), ("/ro", "ot/")];

#[test]
fn no_file_names_the_host_of_a_package_registry() {
    assert_kept(
        &text_violations(&tracked_files(), &REGISTRY_HOSTS),
        "Name the package (\"the Python package `x`\") and reach it through the registry's client, as the machine has it configured.",
    );
}

#[test]
fn no_file_names_a_home_directory() {
    assert_kept(&text_violations(&tracked_files(), &HOMES), "Derive the path from the environment, or write `~`.");
}

fn text_violations(files: &[TextFile], parts: &[(&str, &str)]) -> Vec<Violation> {
    let texts: Vec<String> = parts.iter().map(|(first, second)| format!("{first}{second}")).collect();
    let mut violations = Vec::new();
    // Cargo writes the name of the index into its lock file.
    for file in files.iter().filter(|file| file.path != "Cargo.lock") {
        for (index, line) in file.text.lines().enumerate() {
            let found = texts.iter().filter(|text| line.contains(text.as_str()));
            violations.extend(found.map(|text| file.violation(index + 1, format!("the text `{text}`"))));
        }
    }
    violations
}

mod finds {
    use super::*;

    #[test]
    fn hosts_and_homes_in_any_file_but_the_lock() {
        let host = format!("see {}{}", "crates", ".io");
        let home = format!("cd {}{}somebody", "/ho", "me/");
        let text = format!("fine\n{host}\n{home}\n");
        let files = [TextFile::new("README.md", &text), TextFile::new("Cargo.lock", &text)];
        let lines = |parts| -> Vec<usize> { text_violations(&files, parts).iter().map(|violation| violation.line).collect() };
        assert_eq!(lines(&REGISTRY_HOSTS), [2]);
        assert_eq!(lines(&HOMES), [3]);
    }
}
