//! The page of all commands, from the grammar itself.

use clap::{Arg, Command};

use crate::help::{EXIT_CODES, grammar};

/// What programs are called on the page.
const PROGRAM: &str = "site";

/// All commands and flags of a site program, as a page of Markdown; published as `docs/reference/commands.md`.
#[must_use]
pub fn commands_reference() -> String {
    let mut grammar = grammar(PROGRAM);
    grammar.build();
    let mut page = format!(
        "# Commands\n\nWhat every site program understands; here it is called `{PROGRAM}`. This page is written from the program's own grammar, \
         `{PROGRAM} COMMAND --help` says the same.\n\n## Flags of every command\n\n"
    );
    arguments(&mut page, grammar.get_arguments());
    for command in grammar.get_subcommands_mut() {
        section(&mut page, command, "##");
    }
    page.push_str("## Exit codes\n\n");
    for line in EXIT_CODES.lines().skip(1) {
        let (code, means) = line.trim().split_once(' ').unwrap_or_default();
        page.push_str(&format!("- `{code}`: {}\n", means.trim()));
    }
    page
}

/// A command: what it does, how it is written, its own flags, examples, and the commands below it.
fn section(page: &mut String, command: &mut Command, heading: &str) {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let name =
        usage.split_whitespace().skip(1).take_while(|word| word.starts_with(char::is_lowercase)).collect::<Vec<_>>().join(" ");
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    page.push_str(&format!("{heading} `{name}`\n\n{about}.\n\n```text\n{usage}\n```\n\n"));
    arguments(page, command.get_arguments().filter(|argument| !argument.is_global_set()));
    let examples = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    if let Some((_, examples)) = examples.split_once("Examples:\n") {
        page.push_str(&format!("```text\n{}\n```\n\n", unindented(examples)));
    }
    for below in command.get_subcommands_mut() {
        section(page, below, &format!("{heading}#"));
    }
}

/// Each argument on a line of its own; nothing if there is none besides the call for help.
fn arguments<'a>(page: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    let before = page.len();
    for argument in arguments.filter(|argument| !["help", "version"].contains(&argument.get_id().as_str())) {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        page.push_str(&format!("- `{}`: {help}{}\n", written(argument), choices(argument)));
    }
    if page.len() > before {
        page.push('\n');
    }
}

/// As it is typed: `-y, --yes`, `--out <FILE>`, `<ADDRESS>...`.
fn written(argument: &Arg) -> String {
    let values: Vec<String> = argument.get_value_names().unwrap_or_default().iter().map(|name| format!("<{name}>")).collect();
    let values = if argument.get_action().takes_values() { values.join(" ") } else { String::new() };
    let names: Vec<String> =
        [argument.get_short().map(|short| format!("-{short}")), argument.get_long().map(|long| format!("--{long}"))]
            .into_iter()
            .flatten()
            .collect();
    let several = if matches!(argument.get_action(), clap::ArgAction::Append | clap::ArgAction::Count) { "..." } else { "" };
    [names.join(", "), values].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ") + several
}

/// Which values there are, and which one it is if nothing is said.
fn choices(argument: &Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let names: Vec<String> = argument.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    let one_of = if names.is_empty() { String::new() } else { format!(" (one of {})", names.join(", ")) };
    match argument.get_default_values() {
        [] => one_of,
        [usual, ..] => format!("{one_of} (default `{}`)", usual.to_string_lossy()),
    }
}

fn unindented(text: &str) -> String {
    text.trim_end().lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect::<Vec<_>>().join("\n")
}
