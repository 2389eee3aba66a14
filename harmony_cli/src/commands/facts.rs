//! What is known of the place: looked up, written down, and read back.

use std::path::Path;

use harmony::topology::{Site, Survey};

use super::look::Ended;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::invocation::Session;
use crate::report;

/// Looks at the place, and shows what was found.
pub(crate) async fn facts<P: Survey>(session: &Session, place: &P, site: &Site) -> Result<Ended, CommandError> {
    let facts = place.survey(site).await.map_err(|source| CommandError::Survey { source })?;
    let facts = serde_json::to_value(facts).map_err(|source| CommandError::FactsUnwritable { source })?;
    session.progress.end();
    session.text(&format!("{facts:#}\n"));
    session.json(|| report::facts_line(&facts));
    Ok(Ended::with(Exit::Done))
}

/// What a command needs to know of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needed {
    /// All of it.
    Everything,
    /// What answers, where it is several places.
    WhatAnswers,
}

/// The place with what a file says of it, or with what is found by looking at it.
pub(crate) async fn survey<P: Survey>(
    place: P,
    site: &Site,
    (given, needed): (Option<&Path>, Needed),
) -> Result<P::Surveyed, CommandError> {
    let looked = match (given, needed) {
        (Some(path), _) => Ok(read::<P>(site, path)?),
        (None, Needed::Everything) => place.survey(site).await,
        (None, Needed::WhatAnswers) => place.survey_what_answers(site).await,
    };
    let facts = looked.map_err(|source| CommandError::Survey { source })?;
    place.with_facts(site, facts).map_err(|source| CommandError::Unfit { source })
}

fn read<P: Survey>(site: &Site, path: &Path) -> Result<P::Facts, CommandError> {
    let text = site.io.find_file(path)?.ok_or_else(|| CommandError::NoFacts { path: path.to_owned() })?;
    serde_json::from_slice(&text).map_err(|source| CommandError::OtherFacts { path: path.to_owned(), source })
}
