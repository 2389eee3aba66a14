//! The site program's own place on this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use harmony::lease::{FileLeaseStore, Lease};
use harmony::topology::{Fetching, Site};
use harmony_io::Io;
use harmony_secret::{EncryptedFile, EnvironmentStore, KeySource, SecretManager};

use crate::variables::Variables;

const STATE_VARIABLE: &str = "HARMONY_STATE_DIR";
const LEASE_VARIABLE: &str = "HARMONY_LEASE_DIR";
const SECRETS_FILE: &str = "secrets.json";

/// Why a program has no place for its state.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum SiteError {
    /// A name that cannot be a folder.
    #[error("`{name}` cannot be the name of a site program")]
    Name { name: String },
    /// Nothing says where state lives.
    #[error("there is no directory for the state of `{program}`")]
    NoDirectory { program: String },
    /// A relative path was given, and it is not known what it is relative to.
    #[error("failed to find out where `{path}` is")]
    Lost { path: PathBuf, source: std::io::Error },
}

impl SiteError {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Name { .. } => Some("give it a name of visible characters without `/`".to_owned()),
            Self::NoDirectory { .. } => Some(format!("set `{STATE_VARIABLE}` to an absolute path")),
            Self::Lost { .. } => Some("use an absolute path".to_owned()),
        }
    }
}

/// The site of the program of that name.
pub(crate) fn site(program: &str, variables: &Variables, fetching: Fetching, io: Io) -> Result<Site, SiteError> {
    let state = state_directory(program, variables)?;
    let environment = EnvironmentStore::new(variables.environment());
    let secrets = SecretManager::new(vec![Arc::new(environment), Arc::new(secrets_file(&state, &io, variables))]);
    let site = Site::new(state, secrets, io.clone()).with_fetching(fetching);
    Ok(match lease_directory(program, variables)? {
        Some(directory) => site.with_lease(Lease::new(Arc::new(FileLeaseStore::new(io, directory)))),
        None => site,
    })
}

/// The encrypted file in which the program keeps its secrets.
pub(crate) fn secrets_file(state: &Path, io: &Io, variables: &Variables) -> EncryptedFile {
    let environment = variables.environment();
    let keys = KeySource::usual(&environment);
    EncryptedFile::new(state.join(SECRETS_FILE), io.clone(), environment).with_key_sources(keys)
}

fn state_directory(program: &str, variables: &Variables) -> Result<PathBuf, SiteError> {
    let visible = |c: char| !c.is_control() && !c.is_whitespace() && c != '/';
    if matches!(program, "" | "." | "..") || !program.chars().all(visible) {
        return Err(SiteError::Name { name: program.to_owned() });
    }
    if let Some(given) = given_directory(STATE_VARIABLE, program, variables)? {
        return Ok(given);
    }
    let absolute = |name| variables.find(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    let base = base.ok_or_else(|| SiteError::NoDirectory { program: program.to_owned() })?;
    Ok(base.join("harmony").join(program))
}

/// The directory of the lease, if the state is shared by several machines.
fn lease_directory(program: &str, variables: &Variables) -> Result<Option<PathBuf>, SiteError> {
    given_directory(LEASE_VARIABLE, program, variables)
}

/// The program's folder in the directory that a variable names.
fn given_directory(variable: &str, program: &str, variables: &Variables) -> Result<Option<PathBuf>, SiteError> {
    let Some(given) = variables.find(variable).filter(|given| !given.is_empty()).map(PathBuf::from) else { return Ok(None) };
    let base = std::path::absolute(&given).map_err(|source| SiteError::Lost { path: given, source })?;
    Ok(Some(base.join(program)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn directory(variables: &[(&str, &str)]) -> Result<PathBuf, SiteError> {
        let given: BTreeMap<_, _> = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        state_directory("site", &Variables::Given(given))
    }

    #[test]
    fn state_lives_in_a_folder_of_the_programs_own() {
        let home = ("HOME", "/users/me");
        assert_eq!(directory(&[home]).unwrap(), Path::new("/users/me/.local/state/harmony/site"));
        assert_eq!(directory(&[home, ("XDG_STATE_HOME", "/x")]).unwrap(), Path::new("/x/harmony/site"));
        assert_eq!(
            directory(&[home, ("XDG_STATE_HOME", "not/absolute")]).unwrap(),
            Path::new("/users/me/.local/state/harmony/site")
        );
        assert_eq!(directory(&[home, ("HARMONY_STATE_DIR", "/s")]).unwrap(), Path::new("/s/site"));
        assert!(directory(&[("HARMONY_STATE_DIR", "s")]).unwrap().is_absolute());
        assert!(matches!(directory(&[]), Err(SiteError::NoDirectory { .. })));
    }

    #[test]
    fn a_name_that_leaves_its_folder_is_refused() {
        for name in ["", "..", "a/b", "a b"] {
            let variables = Variables::Given(BTreeMap::from([("HOME".to_owned(), "/users/me".to_owned())]));
            assert!(matches!(state_directory(name, &variables), Err(SiteError::Name { .. })), "{name}");
        }
    }
}
