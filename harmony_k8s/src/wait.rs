//! Waiting for what an API makes of a wish: until it is there, or a sign of trouble has lasted longer than the grace it has.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use harmony::modules::k8s::identity::ObjectIdentity;
use harmony::provider::{Failure, ProviderError};
use harmony::run::{Looked, Run};
use serde_json::Value as Json;
use tokio::time::Instant;

use crate::api::{Api, ApiError, Send};
use crate::discovery::Discovery;
use crate::explain::{binds_at_once, signs_around, with_last_words};
use crate::ready::{Readiness, readiness};
use crate::sign::{SOON, Sign};

/// Waits until the object is ready, and returns it.
///
/// # Errors
/// [`ProviderError::Refused`] with object, container and reason as soon as it cannot become ready, or a sign of trouble has lasted too long; else as
/// [`Run::wait_for`].
pub(crate) async fn wait_until_ready(
    run: &Run,
    api: &Api,
    path: &str,
    applied: Json,
    identity: &ObjectIdentity,
) -> Result<Json, ProviderError> {
    if of_claims_too(run, api, &applied).await == Readiness::Ready {
        return Ok(applied);
    }
    let lasting = Lasting::default();
    let what = identity.to_string();
    run.wait_for(&format!("{identity} to be ready"), || async {
        let failed = |error: ApiError| error.failed(format!("failed to look at {identity} in {}", api.cluster()));
        let object = api.send(run, path, Send::Get).await.map_err(failed)?;
        let (reason, is_final) = match of_claims_too(run, api, &object).await {
            Readiness::Ready => return Ok(Looked::Found(object)),
            Readiness::Failed(reason) => (reason, true),
            Readiness::NotYet(reason) => (reason, false),
        };
        lasting.why(run, api, &object, &what, (&reason, is_final)).await.map(Looked::NotYet)
    })
    .await
}

/// Waits until the API serves the kind of an object in this version, and returns the object's path: a definition may come a moment later.
///
/// # Errors
/// [`ProviderError::Refused`] if it does not within the grace that this has; else as [`Run::wait_for`].
pub(crate) async fn wait_until_served(
    run: &Run,
    api: &Api,
    discovery: &Discovery,
    identity: &ObjectIdentity,
    api_version: &str,
) -> Result<String, ProviderError> {
    let what = || format!("failed to apply {identity} in {}", api.cluster());
    let version = api_version.rsplit_once('/').map_or(api_version, |(_, version)| version);
    let started = Instant::now();
    run.wait_for(&format!("the API to serve {}", identity.kind), || async {
        let served = discovery.find_again(run, api, identity).await.map_err(|error| error.failed(what()))?;
        if let Some(served) = served.filter(|served| served.has_version(version)) {
            return Ok(Looked::Found(served.path(identity, Some(version))));
        }
        let why = format!("{identity}: the API serves no {} in {api_version}", identity.kind);
        if started.elapsed() >= SOON {
            let failure = Failure::new(what(), format!("{why}, for {} s", SOON.as_secs()));
            let hint = "apply the definition of the kind first, or correct `apiVersion` and `kind`";
            return Err(ProviderError::Refused(failure.with_hint(hint)));
        }
        Ok(Looked::NotYet(format!("{why}; that may last {} s", SOON.as_secs())))
    })
    .await
}

/// Whether it is ready, where a claim that should have its volume at once is not while it has none.
async fn of_claims_too(run: &Run, api: &Api, object: &Json) -> Readiness {
    let is_pending =
        object["kind"] == "PersistentVolumeClaim" && object.pointer("/status/phase").is_none_or(|phase| phase == "Pending");
    if is_pending && binds_at_once(run, api, object).await {
        return Readiness::NotYet("no volume is bound to it yet".to_owned());
    }
    readiness(object)
}

fn told(reason: &str, sign: &Sign, is_final: bool, is_over: bool) -> String {
    let says = sign.says();
    match sign.grace.map(|grace| grace.as_secs()) {
        _ if is_final => format!("{reason}; {says}"),
        Some(0) | None => format!("{reason}; {says}"),
        Some(seconds) if is_over => format!("{reason}; {says} (for {seconds} s)"),
        Some(seconds) => format!("{reason}; {says}; that may last {seconds} s"),
    }
}

/// Since when there are signs, by what they are about: the same trouble has several names in turn, such as `ErrImagePull` and `ImagePullBackOff`.
#[derive(Default)]
pub(crate) struct Lasting(Mutex<HashMap<String, Instant>>);

impl Lasting {
    /// What to say while `what`, or the `object` that it hangs on, is not ready for a reason, which may be final.
    ///
    /// # Errors
    /// [`ProviderError::Refused`] with object, container and reason as soon as it cannot become ready, or a sign of trouble has lasted too long.
    pub(crate) async fn why(
        &self,
        run: &Run,
        api: &Api,
        object: &Json,
        what: &str,
        (reason, is_final): (&str, bool),
    ) -> Result<String, ProviderError> {
        let does_not = || format!("{what} does not become ready in {}", api.cluster());
        let Some((sign, lasted)) = self.nearest_end(signs_around(run, api, object).await) else {
            let reason = api.redacted(reason.to_owned());
            return if is_final { Err(ProviderError::refused(does_not(), reason)) } else { Ok(reason) };
        };
        let is_over = sign.grace.is_some_and(|grace| lasted >= grace);
        let sign = with_last_words(run, api, object, sign).await;
        let told = api.redacted(told(reason, &sign, is_final, is_over));
        if is_final || is_over {
            let failure = Failure::new(does_not(), told);
            return Err(ProviderError::Refused(sign.hint.into_iter().fold(failure, Failure::with_hint)));
        }
        Ok(told)
    }

    /// The sign that ends the wait first, and for how long there has been one about the same.
    fn nearest_end(&self, signs: Vec<Sign>) -> Option<(Sign, Duration)> {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        since.retain(|about, _| signs.iter().any(|sign| sign.about == *about));
        let now = Instant::now();
        let lasted = |sign: Sign| {
            let lasted = now.duration_since(*since.entry(sign.about.clone()).or_insert(now));
            (sign, lasted)
        };
        let left = |(sign, lasted): &(Sign, Duration)| sign.grace.map_or(Duration::MAX, |grace| grace.saturating_sub(*lasted));
        signs.into_iter().map(lasted).min_by_key(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::LATER;

    fn sign(about: &str, grace: Option<Duration>) -> Sign {
        Sign { about: about.to_owned(), reason: "reason".to_owned(), grace, hint: None, words_of: None }
    }

    #[tokio::test(start_paused = true)]
    async fn a_trouble_lasts_under_all_its_names_and_is_forgotten_when_it_is_over() {
        let lasting = Lasting::default();
        lasting.nearest_end(vec![sign("a", Some(SOON))]);
        tokio::time::advance(Duration::from_secs(15)).await;
        assert_eq!(lasting.nearest_end(vec![sign("a", None)]).unwrap().1, Duration::from_secs(15));
        assert_eq!(lasting.nearest_end(Vec::new()), None);
        assert_eq!(lasting.nearest_end(vec![sign("a", Some(SOON))]).unwrap().1, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn of_several_troubles_the_one_that_ends_the_wait_first_is_told() {
        let lasting = Lasting::default();
        lasting.nearest_end(vec![sign("a", Some(LATER))]);
        tokio::time::advance(Duration::from_secs(50)).await;
        let nearest = lasting.nearest_end(vec![sign("b", None), sign("c", Some(SOON)), sign("a", Some(LATER))]);
        assert_eq!(nearest.unwrap().0.about, "a");
    }
}
