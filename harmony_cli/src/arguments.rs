//! The command line's grammar.

use std::path::{Path, PathBuf};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use harmony_types::TimeSpan;

use crate::commands::Needed;

/// Makes this site what its Scores say, and proves that it works.
#[derive(Debug, Parser)]
#[command(version = VERSION, disable_help_subcommand = true, infer_long_args = false)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) talk: Talk,
    /// Fetch nothing: a tool that is missing is an error
    #[arg(long, global = true)]
    pub(crate) offline: bool,
}

/// The site program has a version of its own, which nobody tells here.
const VERSION: &str = concat!("(built with Harmony ", env!("CARGO_PKG_VERSION"), ")");

/// How a command speaks.
#[derive(Debug, Clone, Args)]
pub(crate) struct Talk {
    /// Write one JSON object per line to the standard output, the last one being the summary
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say more; twice for the debug log
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say only what failed
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorWhen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what would change, and change nothing
    Plan(PlanArguments),
    /// Show a saved plan, on any machine and without looking at anything
    Show {
        /// The file that `plan --out` wrote
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Make everything as the Scores say, and prove it
    Apply(ApplyArguments),
    /// Carry out every proof, and change nothing
    Verify,
    /// Tell whether what is there still is what the Scores say (exit code 3 if not)
    Drift,
    /// Strike things from the Ledger, and leave them as they are: from then on they are not this program's
    Forget(ForgetArguments),
    /// Take away everything that this program has made
    Destroy(DestroyArguments),
    /// Show what the Scores become, without looking at what was made
    Render(RenderArguments),
    /// List the Scores and what each of them becomes
    List(FactsArguments),
    /// Draw what stands on what, without looking at what was made; needs that follow from others are left out
    Graph(GraphArguments),
    /// Look at the place, and write what was found as JSON, for `--facts`
    Facts,
    /// Tell how every thing stands, also where some do not answer (exit code 3 unless all is well)
    Status,
    /// Carry out a procedure that a Score offers, such as `rotate`; without a name, list them
    Run(RunArguments),
    /// Check what this program needs on this machine, without changing anything (exit code 1 if something is wrong)
    Doctor,
    /// Write what a shell needs to complete the command lines of this program
    Completions {
        /// The shell
        shell: Shell,
    },
    /// List, set, read and remove the secrets of this program
    #[command(subcommand)]
    Secrets(SecretsCommand),
}

impl Command {
    /// The file that says what is known of the place, if one is given.
    pub(crate) fn facts(&self) -> Option<&Path> {
        match self {
            Self::List(place) | Self::Render(RenderArguments { place, .. }) | Self::Graph(GraphArguments { place, .. }) => {
                place.facts.as_deref()
            }
            _ => None,
        }
    }

    /// What it needs to know of the place. What the Scores become is said of places that are known, all else of those that answer.
    pub(crate) fn needed(&self) -> Needed {
        match self {
            Self::List(_) | Self::Render(_) | Self::Graph(_) => Needed::Everything,
            _ => Needed::WhatAnswers,
        }
    }
}

/// What the user allows beyond the Scores.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct LossArguments {
    /// Accept that what the thing at ADDRESS holds is lost
    #[arg(long = "allow-loss", value_name = "ADDRESS")]
    pub(crate) allow_loss: Vec<String>,
}

/// What is taken over.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AdoptArguments {
    /// Take over what is at ADDRESS and below it, which exists and was not made by this program
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) adopt: Vec<String>,
    /// Take over everything that exists already, as after the loss of the Ledger
    #[arg(long)]
    pub(crate) adopt_all: bool,
}

/// What a command is limited to.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TargetArguments {
    /// Do nothing but at ADDRESS and below it, or for the Score of that name; what it needs comes along
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) target: Vec<String>,
}

/// What is known of the place.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct FactsArguments {
    /// Take what is known of the place from FILE, which `facts` wrote, instead of looking at it
    #[arg(long, value_name = "FILE")]
    pub(crate) facts: Option<PathBuf>,
}

/// Where the site is at home.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct HomeArguments {
    /// Accept that the site was moved here on purpose, from another machine, directory or checkout that does not use it any more
    #[arg(long)]
    pub(crate) moved: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// End with exit code 3 if anything would change
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Save the plan in FILE, to be carried out exactly as it is by `apply FILE`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) losses: LossArguments,
    #[command(flatten)]
    pub(crate) adoptions: AdoptArguments,
    #[command(flatten)]
    pub(crate) home: HomeArguments,
    #[command(flatten)]
    pub(crate) targets: TargetArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArguments {
    /// A plan that `plan --out` saved: it is carried out exactly as it is, without asking, or refused
    #[arg(value_name = "FILE", conflicts_with_all = ["allow_loss", "adopt", "adopt_all", "moved", "target"])]
    pub(crate) file: Option<PathBuf>,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Begin nothing new after a failure
    #[arg(long)]
    pub(crate) fail_fast: bool,
    #[command(flatten)]
    pub(crate) losses: LossArguments,
    #[command(flatten)]
    pub(crate) adoptions: AdoptArguments,
    #[command(flatten)]
    pub(crate) home: HomeArguments,
    #[command(flatten)]
    pub(crate) targets: TargetArguments,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// What is done
    pub(crate) procedure: Option<String>,
    /// What it is done to; its first parts may be left out where that is clear
    pub(crate) subject: Option<String>,
    /// How long old and new stand side by side, such as `10s` or `2h`, instead of what the procedure says
    #[arg(long, value_name = "TIME")]
    pub(crate) overlap: Option<TimeSpan>,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) losses: LossArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ForgetArguments {
    /// What to forget: an address, all below it, or all of a Score
    #[arg(value_name = "ADDRESS", required = true)]
    pub(crate) addresses: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) home: HomeArguments,
}

#[derive(Debug, Args)]
pub(crate) struct DestroyArguments {
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) losses: LossArguments,
    #[command(flatten)]
    pub(crate) home: HomeArguments,
    #[command(flatten)]
    pub(crate) targets: TargetArguments,
}

#[derive(Debug, Args)]
pub(crate) struct RenderArguments {
    /// Write one file per resource into DIR, readable by you alone
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
    /// Look at what is there, and write also values and secrets that are known only from it
    #[arg(long, requires = "to", conflicts_with = "facts")]
    pub(crate) secrets: bool,
    #[command(flatten)]
    pub(crate) place: FactsArguments,
}

#[derive(Debug, Args)]
pub(crate) struct GraphArguments {
    /// The language that the graph is written in
    #[arg(long, value_name = "FORMAT", default_value = "mermaid")]
    pub(crate) format: GraphFormat,
    /// Show every resource and proof, not one box for each thing
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) place: FactsArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// For Markdown on most code hosts
    Mermaid,
    /// For Graphviz
    Dot,
    /// A picture, for a browser
    Svg,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretsCommand {
    /// List the names of the secrets that are kept
    List,
    /// Keep a secret, typed without being shown, or read from the standard input
    Set { name: String },
    /// Tell whether a secret is kept
    Get {
        name: String,
        /// Write its value to the standard output
        #[arg(long)]
        reveal: bool,
    },
    /// Remove a secret
    Remove { name: String },
    /// Accept the file of secrets as it is, after a merge of two versions of it
    Seal,
}
