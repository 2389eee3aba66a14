//! The last line of every command.

use schemars::JsonSchema;
use serde::Serialize;

use super::line::EVENTS;

/// How a command ended, and what it did or would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Summary {
    /// In one word.
    #[schemars(extend("enum" = ["converged", "changed", "failed", "refused", "interrupted"]))]
    pub(crate) outcome: &'static str,
    /// How many things were made, or would be.
    pub(crate) create: usize,
    /// How many were changed in place.
    pub(crate) update: usize,
    /// How many were deleted and made again.
    pub(crate) replace: usize,
    /// How many were taken away.
    pub(crate) delete: usize,
    /// How many needed nothing.
    pub(crate) unchanged: usize,
    /// How many times something was told to be made, changed or deleted.
    pub(crate) writes: usize,
    /// How many proofs passed, or would be carried out.
    pub(crate) proofs: usize,
    /// How long the command took.
    pub(crate) seconds: f64,
}

impl Summary {
    /// Of a command that counts nothing.
    pub(crate) fn of(outcome: &'static str) -> Self {
        Self { outcome, ..Self::default() }
    }

    /// Written by hand to keep the order of the fields, which people read.
    pub(super) fn text(&self) -> String {
        let Self { outcome, create, update, replace, delete, unchanged, writes, proofs, seconds } = self;
        format!(
            "{{\"event\":\"summary\",\"version\":{EVENTS},\"outcome\":\"{outcome}\",\"create\":{create},\"update\":{update},\
             \"replace\":{replace},\"delete\":{delete},\"unchanged\":{unchanged},\"writes\":{writes},\"proofs\":{proofs},\
             \"seconds\":{seconds:.3}}}\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::super::line::{Line, versioned};
    use super::*;

    #[test]
    fn the_summary_has_its_fields_in_the_promised_order() {
        let summary = Summary { create: 1, writes: 2, seconds: 1.5, ..Summary::of("changed") };
        let line = summary.text();
        assert_eq!(
            line,
            "{\"event\":\"summary\",\"version\":1,\"outcome\":\"changed\",\"create\":1,\"update\":0,\"replace\":0,\"delete\":0,\
             \"unchanged\":0,\"writes\":2,\"proofs\":0,\"seconds\":1.500}\n"
        );
        let read = |text: &str| serde_json::from_str::<Json>(text).unwrap();
        assert_eq!(read(&line), read(&versioned(&Line::Summary(&summary))), "it has the fields that are published");
    }
}
