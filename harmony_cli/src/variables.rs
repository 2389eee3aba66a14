//! Environment variables, given so that tests need not touch those of the process.

use std::collections::BTreeMap;

use harmony_secret::Environment;

/// Where environment variables are looked up. One that is set to nothing counts as not set.
#[derive(Clone)]
pub enum Variables {
    /// In the process.
    Process,
    /// Here.
    Given(BTreeMap<String, String>),
}

impl Variables {
    /// The variable's text, if it is set to something in UTF-8.
    pub(crate) fn find(&self, name: &str) -> Option<String> {
        let found = match self {
            Self::Process => std::env::var(name).ok(),
            Self::Given(given) => given.get(name).cloned(),
        };
        found.filter(|text| !text.is_empty())
    }

    pub(crate) fn environment(&self) -> Environment {
        match self {
            Self::Process => Environment::of_process(),
            Self::Given(given) => {
                let given = given.clone();
                Environment::new(move |name| given.get(name).cloned())
            }
        }
    }
}
