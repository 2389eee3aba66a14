//! What still works where, when some of it does not.

use std::collections::BTreeMap;

use harmony::modules::nats::proof::SiteAccess;
use harmony::provider::{Failure, ProviderError};

/// What was found on every site, or the failure that says on which sites it works, and why not on the others.
///
/// # Errors
/// If it failed anywhere: of the kind of the worst failure, and that failure itself if there is only one site.
pub(super) fn on_every_site<T>(
    what: &str,
    sites: &[SiteAccess],
    results: Vec<Result<T, ProviderError>>,
) -> Result<Vec<T>, ProviderError> {
    let mut works = Vec::new();
    let mut found = Vec::new();
    let mut failures = Vec::new();
    for (site, result) in sites.iter().zip(results) {
        match result {
            Ok(one) => {
                works.push(site.site.as_str());
                found.push(one);
            }
            Err(error) => failures.push((site, error)),
        }
    }
    if let ([_], [(site, error)]) = (sites, failures.as_slice()) {
        return Err(on_site(error.clone(), site));
    }
    let why: Vec<String> = failures.iter().map(|(site, error)| format!("site {}: {error}", site.site)).collect();
    match worst(failures.into_iter().map(|(_, error)| error)) {
        None => Ok(found),
        Some(worst) => Err(told_as(
            worst,
            format!("{what} works on {} of {} sites{}", works.len(), sites.len(), in_brackets(&works)),
            why.join("; "),
        )),
    }
}

/// The same error, naming the site.
pub(super) fn on_site(error: ProviderError, site: &SiteAccess) -> ProviderError {
    let failure = error.failure().clone();
    told_as(error, format!("on site {}: {}", site.site, failure.what), failure.why)
}

/// The failure that decides what becomes of all: one that is no mere silence, if there is one.
pub(super) fn worst(failures: impl Iterator<Item = ProviderError>) -> Option<ProviderError> {
    let is_silence = |error: &ProviderError| {
        matches!(error, ProviderError::Unreachable(_) | ProviderError::RetryLater(_) | ProviderError::Stopped(_))
    };
    failures.reduce(|worst, error| if is_silence(&worst) && !is_silence(&error) { error } else { worst })
}

/// The same kind of error with the same advice, in other words.
pub(super) fn told_as(error: ProviderError, what: String, why: String) -> ProviderError {
    let told = |failure: Failure| Failure { what, why, ..failure };
    match error {
        ProviderError::Refused(failure) => ProviderError::Refused(told(failure)),
        ProviderError::Conflict(failure) => ProviderError::Conflict(told(failure)),
        ProviderError::Unreachable(failure) => ProviderError::Unreachable(told(failure)),
        ProviderError::RetryLater(failure) => ProviderError::RetryLater(told(failure)),
        ProviderError::NotPermitted(failure) => ProviderError::NotPermitted(told(failure)),
        ProviderError::Stopped(failure) => ProviderError::Stopped(told(failure)),
        other => other,
    }
}

/// What fails for the same reason, together: `reason (a, b, c)`.
pub(super) fn by_reason(reasons: impl Iterator<Item = (String, String)>) -> String {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (reason, who) in reasons {
        groups.entry(reason).or_default().push(who);
    }
    groups.into_iter().map(|(reason, who)| format!("{reason} ({})", who.join(", "))).collect::<Vec<_>>().join("; ")
}

/// ` (a, b)`, or nothing.
pub(super) fn in_brackets(names: &[&str]) -> String {
    if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_outweighs_a_silence() {
        let silent = || ProviderError::unreachable("a", "silent");
        let refused = || ProviderError::refused("b", "no");
        assert!(matches!(worst([silent(), refused(), silent()].into_iter()), Some(ProviderError::Refused(_))));
        assert!(matches!(worst([silent(), silent()].into_iter()), Some(ProviderError::Unreachable(_))));
        assert!(worst(std::iter::empty()).is_none());
    }

    #[test]
    fn what_fails_for_one_reason_is_told_once() {
        let reasons = [("refused", "a"), ("silent", "b"), ("refused", "c")];
        let reasons = reasons.into_iter().map(|(reason, who)| (reason.to_owned(), who.to_owned()));
        assert_eq!(by_reason(reasons), "refused (a, c); silent (b)");
    }
}
