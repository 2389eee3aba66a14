//! The grammar with the program's name and examples in it.

use clap::CommandFactory;

use crate::arguments::Arguments;

/// For each command, what to type and what it does.
const EXAMPLES: &[(&str, &[(&str, &str)])] = &[
    (
        "plan",
        &[
            ("plan", "what would change, field by field"),
            ("plan --exit-code", "in a pipeline: 3 if anything would"),
            ("plan --out night.plan", "to be looked at now, and carried out later"),
        ],
    ),
    ("show", &[("show night.plan", "what was planned, on any machine")]),
    (
        "apply",
        &[
            ("apply", "show the plan, ask, carry it out"),
            ("apply --yes --json", "in a pipeline"),
            ("apply night.plan", "exactly what was planned, or exit code 5"),
            ("apply --allow-loss laptop/nats/ORDERS", "accept the loss that the plan names"),
        ],
    ),
    ("verify", &[("verify", "carry out all proofs")]),
    ("drift", &[("drift --json", "for a scheduled check: 3 if something is not as the Scores say")]),
    ("forget", &[("forget laptop/nats/old", "leave it as it is, and no longer this program's")]),
    ("destroy", &[("destroy", "show what goes, ask, take it away")]),
    (
        "render",
        &[
            ("render", "everything, secrets hidden"),
            ("render --to rendered", "one file per resource, for a review or a diff"),
            ("render --facts laptop.json", "on a machine that cannot look at the place"),
        ],
    ),
    ("list", &[("list", "which Score makes what, and its source line")]),
    ("facts", &[("facts > laptop.json", "what is known of the place"), ("facts --json", "the same as a line, for a program")]),
    (
        "graph",
        &[
            ("graph", "Mermaid, one box for each thing"),
            ("graph --all --format svg > site.svg", "a picture of every resource; point at a box to see its arrows"),
        ],
    ),
    ("status", &[("status", "what works, what is lost, what does not answer")]),
    ("doctor", &[("doctor", "what is wrong here, what it means, and what to do"), ("doctor --json", "for a bug report")]),
    (
        "completions",
        &[
            ("completions bash > ~/.local/share/bash-completion/completions/PROGRAM", "for bash, under the program's name"),
            ("completions fish | source", "for this session"),
        ],
    ),
    (
        "run",
        &[
            ("run", "what is offered, and what is under way"),
            ("run rotate HARMONY/agent", "show the steps, ask, carry them out; or go on where it was left"),
            ("run rotate HARMONY/agent --overlap 10m", "for clients that read their credential again every few minutes"),
        ],
    ),
    (
        "secrets",
        &[
            ("secrets set registry/password", "typed, without being shown"),
            ("secrets get registry/password --reveal | wl-copy", "the value itself"),
            ("secrets seal", "after a merge of two versions of the file"),
        ],
    ),
];

/// The grammar of the program of that name.
pub(crate) fn grammar(program: &str) -> clap::Command {
    let all = ["plan", "apply", "verify"].iter().filter_map(|wanted| EXAMPLES.iter().find(|(command, _)| command == wanted));
    let overview: Vec<(&str, &str)> = all.filter_map(|(_, examples)| examples.first().copied()).collect();
    let grammar = Arguments::command()
        .name(program.to_owned())
        .bin_name(program.to_owned())
        .after_long_help(format!("{}\n{EXIT_CODES}", examples_of(program, &overview)));
    EXAMPLES.iter().fold(grammar, |grammar, (command, examples)| {
        grammar.mut_subcommand(*command, |subcommand| subcommand.after_long_help(examples_of(program, examples)))
    })
}

pub(crate) const EXIT_CODES: &str = "Exit codes:
  0    done, or nothing to do
  1    something failed
  2    wrong usage
  3    something is not as the Scores say (drift, status, plan --exit-code)
  4    another run holds the lock
  5    refused before any change
  130  interrupted; run it again to go on
";

fn examples_of(program: &str, examples: &[(&str, &str)]) -> String {
    let width = examples.iter().map(|(line, _)| line.len()).max().unwrap_or_default();
    let shown = |(line, does): &(&str, &str)| format!("  {program} {line:width$}  {does}\n").replace("PROGRAM", program);
    let lines: String = examples.iter().map(shown).collect();
    format!("Examples:\n{lines}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_examples_that_parse() {
        let grammar = grammar("site");
        for command in grammar.get_subcommands() {
            let name = command.get_name();
            let (_, examples) = EXAMPLES.iter().find(|(with_examples, _)| *with_examples == name).unwrap();
            for (line, _) in *examples {
                let line = line.split(['|', '>']).next().unwrap().trim_end();
                let words = std::iter::once("site").chain(line.split(' '));
                super::grammar("site").try_get_matches_from(words).unwrap();
                assert_eq!(line.split(' ').next(), Some(name));
            }
        }
    }

    #[test]
    fn the_grammar_holds_together() {
        grammar("site").debug_assert();
    }
}
