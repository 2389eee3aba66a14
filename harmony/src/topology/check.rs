//! What a program needs on the machine it runs on, looked at one by one.

use schemars::JsonSchema;
use serde::Serialize;

/// One thing that a program needs, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// What was looked at: `state directory`.
    pub about: String,
    /// How it stands.
    pub verdict: Verdict,
    /// What was found, and what that means.
    pub found: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How a thing that is needed stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It works, and may not go on to.
    Doubtful,
    /// It does not work.
    Wrong,
}

impl Check {
    /// It is as it should be.
    #[must_use]
    pub fn good(about: impl Into<String>, found: impl Into<String>) -> Self {
        Self { about: about.into(), verdict: Verdict::Good, found: found.into(), hint: None }
    }

    /// It works, and may not go on to.
    #[must_use]
    pub fn doubtful(about: impl Into<String>, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { about: about.into(), verdict: Verdict::Doubtful, found: found.into(), hint: Some(hint.into()) }
    }

    /// It does not work.
    #[must_use]
    pub fn wrong(about: impl Into<String>, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { about: about.into(), verdict: Verdict::Wrong, found: found.into(), hint: Some(hint.into()) }
    }

    /// It does not work, and here is the advice if there is any.
    #[must_use]
    pub fn failed(about: impl Into<String>, found: impl Into<String>, hint: Option<String>) -> Self {
        Self { about: about.into(), verdict: Verdict::Wrong, found: found.into(), hint }
    }
}
