//! What is checked: the tracked files and the crates of the workspace.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// One place where a rule is broken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// A text file.
pub(crate) struct TextFile {
    /// Relative to the workspace, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A crate of the workspace.
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) manifest: TextFile,
    /// Name and whether it is only for tests.
    pub(crate) dependencies: Vec<(String, Use)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Shipped,
    OnlyInTests,
}

impl TextFile {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The crate that the file belongs to: its first directory, or the first two below `examples`.
    pub(crate) fn crate_directory(&self) -> &str {
        let deep = usize::from(self.path.starts_with("examples/"));
        self.path.match_indices('/').nth(deep).map_or("", |(end, _)| &self.path[..end])
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether nothing in it is shipped: tests, benches, build-time tasks, fixtures, examples.
    pub(crate) fn is_test_code(&self) -> bool {
        let unshipped = ["harmony_test/", "harmony_testbed/", "harmony_crash/", "xtask/", "examples/"]
            .iter()
            .any(|directory| self.path.starts_with(directory));
        let test = ["/tests/", "/benches/", "/examples/"].iter().any(|directory| self.path.contains(directory));
        unshipped || test || self.path.ends_with("/tests.rs") || self.path.ends_with("/fixtures.rs")
    }

    /// How many lines stand before the test module at its end (all, if there is none).
    pub(crate) fn shipped_lines(&self) -> usize {
        let lines: Vec<&str> = self.text.lines().collect();
        let is_test_module = |at: &usize| {
            lines[*at] == "#[cfg(test)]" && lines.get(at + 1).is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'))
        };
        (0..lines.len()).rev().find(is_test_module).unwrap_or(lines.len())
    }

    /// The shipped lines with their numbers, without comments.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let without_comment = |line: &'_ str| -> usize {
            if line.trim_start().starts_with("//") { 0 } else { line.find(" // ").unwrap_or(line.len()) }
        };
        let lines = self.text.lines().take(self.shipped_lines()).enumerate();
        lines.map(move |(index, line)| (index + 1, &line[..without_comment(line)]))
    }

    pub(crate) fn violation(&self, line: usize, what: impl Into<String>) -> Violation {
        Violation { path: self.path.clone(), line, what: what.into() }
    }

    /// The number of the first line for which `is_it` holds; 1 if there is none.
    pub(crate) fn line_where(&self, is_it: impl Fn(&str) -> bool) -> usize {
        self.text.lines().position(is_it).map_or(1, |index| index + 1)
    }
}

/// Fails with every violation and with what to do about it.
pub(crate) fn assert_kept(violations: &[Violation], advice: &str) {
    let listed: String = violations.iter().map(|violation| format!("\n  {violation}")).collect();
    assert!(violations.is_empty(), "{} broken rules:{listed}\n{advice}", violations.len());
}

/// Whether `word` stands in `line` with no letter, digit or `_` right before it, nor right behind it if it ends in one.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let in_name = |character: Option<char>| character.is_some_and(|character| character.is_alphanumeric() || character == '_');
    line.match_indices(word).any(|(start, _)| {
        let (before, behind) = (line[..start].chars().next_back(), line[start + word.len()..].chars().next());
        let goes_on = in_name(word.chars().next_back()) && in_name(behind);
        !in_name(before) && !goes_on
    })
}

/// Every file that git tracks or would track; without git, every file that is not in `target` or hidden.
pub(crate) fn tracked_files() -> Vec<TextFile> {
    let root = root();
    let paths = git_files(&root).unwrap_or_else(|| {
        let mut paths = Vec::new();
        walk(&root, &root, &mut paths);
        paths
    });
    // What is no text cannot hold the texts that are looked for, and what is deleted but tracked is not there.
    let files: Vec<TextFile> = paths
        .into_iter()
        .filter_map(|path| fs::read_to_string(root.join(&path)).ok().map(|text| TextFile { path, text }))
        .collect();
    assert!(files.iter().any(|file| file.path == "harmony_test/tests/architecture/repository.rs"), "the files were not found");
    files
}

/// Every crate of the workspace.
pub(crate) fn crates() -> Vec<Crate> {
    let root = root();
    let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec().unwrap();
    let packages = metadata.packages.into_iter().map(|package| {
        let manifest = package.manifest_path.strip_prefix(&root).unwrap().as_str();
        Crate {
            name: package.name.to_string(),
            manifest: TextFile::new(manifest, &fs::read_to_string(&package.manifest_path).unwrap()),
            dependencies: package.dependencies.into_iter().map(|dependency| (dependency.name, use_of(dependency.kind))).collect(),
        }
    });
    packages.collect()
}

fn use_of(kind: DependencyKind) -> Use {
    if kind == DependencyKind::Development { Use::OnlyInTests } else { Use::Shipped }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn git_files(root: &Path) -> Option<Vec<String>> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").current_dir(root).args(arguments).output().ok()?;
    let files = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !files.is_empty()).then(|| files.lines().map(str::to_owned).collect())
}

fn walk(root: &Path, directory: &Path, paths: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let relative = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && relative != "target" && relative != ".git" {
            walk(root, &path, paths);
        } else if path.is_file() {
            paths.push(relative);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_code_ends_at_the_test_module_and_has_no_comments() {
        let file = TextFile::new("a/src/b.rs", "fn a() {} // why\n// all\n#[cfg(test)]\nmod tests {\n}\n");
        assert_eq!(file.code().collect::<Vec<_>>(), [(1, "fn a() {}"), (2, "")]);
        let declared = TextFile::new("a/src/b.rs", "#[cfg(test)]\nmod tests;\nmod b;\n");
        assert_eq!(declared.shipped_lines(), 3);
    }

    #[test]
    fn a_word_is_found_only_whole() {
        assert!(has_word("use std::fs;", "std::fs") && has_word("fs::read(x)", "fs::"));
        assert!(!has_word("nfs::read(x)", "fs::") && !has_word("std::fsx", "std::fs"));
    }

    #[test]
    fn a_file_belongs_to_its_crate() {
        assert_eq!(TextFile::new("harmony/src/a/b.rs", "").crate_directory(), "harmony");
        assert_eq!(TextFile::new("examples/nats/src/b.rs", "").crate_directory(), "examples/nats");
        assert_eq!(TextFile::new("README.md", "").crate_directory(), "");
    }
}
