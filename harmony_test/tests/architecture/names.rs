//! Names that name nothing.

use crate::repository::{TextFile, Violation, assert_kept, tracked_files};

const EMPTY_WORDS: [&str; 8] = ["util", "utils", "common", "helper", "helpers", "misc", "manager", "managers"];
const EMPTY_VERBS: [&str; 4] = ["handle", "do", "maybe", "process"];
/// Behind these `process` is a noun: a process of the operating system has them.
const OF_A_PROCESS: [&str; 6] = ["id", "ids", "name", "group", "table", "log"];
/// Users know it by this name.
const KNOWN: [&str; 2] = ["SecretManager", "secret_manager"];

#[test]
fn names_say_what_they_name() {
    assert_kept(&name_violations(&tracked_files()), "Name it after the domain word it stands for (STYLE, names).");
}

fn name_violations(files: &[TextFile]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let stem = file.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        if is_empty(stem) && !is_known_file(file) {
            violations.push(file.violation(1, format!("the file is called `{stem}`")));
        }
        for (index, line) in file.text.lines().enumerate() {
            let bad =
                defined_name(line).filter(|(keyword, name)| is_empty(name) || (*keyword == "fn" && begins_with_empty_verb(name)));
            violations.extend(bad.map(|(keyword, name)| file.violation(index + 1, format!("`{keyword} {name}`"))));
        }
    }
    violations
}

/// `harmony_secret/src/manager.rs` holds `SecretManager`.
fn is_known_file(file: &TextFile) -> bool {
    file.path.starts_with("harmony_secret/") && file.path.ends_with("/manager.rs")
}

/// The name that a line defines, with the keyword before it.
fn defined_name(line: &str) -> Option<(&str, &str)> {
    const PREFIXES: [&str; 6] = ["pub", "async", "const", "unsafe", "extern", "default"];
    let mut words = line.split_whitespace().skip_while(|word| PREFIXES.contains(&word.split('(').next().unwrap_or_default()));
    let keyword = words.next().filter(|word| ["fn", "mod", "struct", "enum", "trait", "type", "macro_rules!"].contains(word))?;
    let name = words.next()?.split(|character: char| !character.is_alphanumeric() && character != '_').next()?;
    Some((keyword, name))
}

fn is_empty(name: &str) -> bool {
    !KNOWN.contains(&name) && words_of(name).iter().any(|word| EMPTY_WORDS.contains(&word.as_str()))
}

fn begins_with_empty_verb(name: &str) -> bool {
    match words_of(name).as_slice() {
        [verb, next, ..] if verb == "process" => !OF_A_PROCESS.contains(&next.as_str()),
        [verb, _, ..] => EMPTY_VERBS.contains(&verb.as_str()),
        _ => false,
    }
}

/// The words of `snake_case` and of `CamelCase`, in lower case.
fn words_of(name: &str) -> Vec<String> {
    let mut spaced = String::new();
    for character in name.chars() {
        if character.is_uppercase() {
            spaced.push('_');
        }
        spaced.extend(character.to_lowercase());
    }
    spaced.split('_').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

mod finds {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        name_violations(&[TextFile::new(path, text)]).iter().map(|violation| violation.what.clone()).collect()
    }

    #[test]
    fn empty_names_of_files_modules_types_and_functions() {
        assert_eq!(found("harmony/src/utils.rs", ""), ["the file is called `utils`"]);
        let text = "pub(crate) mod test_helpers;\npub struct NatsManager<T> {\n    pub async fn handle_event(&self) {\nfn process_plan() {}\n";
        let expected = ["`mod test_helpers`", "`struct NatsManager`", "`fn handle_event`", "`fn process_plan`"];
        assert_eq!(found("harmony/src/a.rs", text), expected);
    }

    #[test]
    fn nothing_in_names_that_say_something() {
        let text = "pub struct SecretManager;\nfn process_id() {}\nfn domain() {}\nfn uncommon_words() {}\nlet handle_event = 1;\nfn handles() {}\n";
        assert!(found("harmony/src/commons.rs", text).is_empty());
        assert!(found("harmony_secret/src/manager.rs", "").is_empty());
    }
}
