//! A lease as a Lease of `coordination.k8s.io/v1`.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use harmony::lease::{LeaseRecord, LeaseStore, Stored, Version, WallTime};
use harmony::provider::{Failure, ProviderError};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value as Json;

use super::keeping::{HowMuch, Keeping, Kind, text};
use crate::api::{ApiError, Send};

/// How long an answer is waited for: a lease that is not renewed in time is lost, and another try is better than a long wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// A lease in a cluster. Its version is the object's `resourceVersion` and `uid`, its number `leaseTransitions`.
///
/// The object holds whole seconds: a duration is rounded up, so that who watches waits a little longer, and never too short a time.
#[derive(Debug, Clone)]
pub(crate) struct K8sLeaseStore(Keeping);

impl K8sLeaseStore {
    pub(crate) fn new(keeping: Keeping) -> Self {
        Self(keeping)
    }

    fn path(&self) -> String {
        self.0.path(Kind::Lease, &self.0.name)
    }

    fn failed(&self, error: ApiError) -> ProviderError {
        // What was taken away meanwhile is another state too, unless there is no room for it.
        let is_gone = error.is_absent() && !error.to_string().contains("namespaces \"");
        if is_gone {
            return ProviderError::Conflict(Failure::new(format!("failed to write {}", self.name()), error));
        }
        self.0.failed(&format!("failed to write the lease `{}`", self.0.name), error)
    }
}

#[async_trait]
impl LeaseStore for K8sLeaseStore {
    fn name(&self) -> String {
        format!("the lease `{}` in {}", self.0.name, self.0.place())
    }

    async fn find(&self) -> Result<Option<Stored>, ProviderError> {
        let run = self.0.run(&self.0.io, PATIENCE);
        let found = self.0.find(&run, &self.path(), HowMuch::Whole).await?;
        found.map(|object| stored(&object).map_err(|why| damaged(&self.name(), &why))).transpose()
    }

    async fn swap(&self, expected: Option<&Version>, record: &LeaseRecord) -> Result<Version, ProviderError> {
        let run = self.0.run(&self.0.io, PATIENCE);
        let (resource_version, uid) = expected.and_then(|version| version.0.split_once(' ')).unzip();
        let metadata = ObjectMeta {
            name: Some(self.0.name.clone()),
            namespace: Some(self.0.namespace.to_string()),
            resource_version: resource_version.map(str::to_owned),
            uid: uid.map(str::to_owned),
            ..ObjectMeta::default()
        };
        let unfit = |why: &str| ProviderError::refused(format!("{} cannot be written", self.name()), why);
        let spec = Some(spec(record).map_err(unfit)?);
        let object = serde_json::to_value(Lease { metadata, spec }).map_err(|error| unfit(&error.to_string()))?;
        let api = self.0.api(&run).await?;
        let written = match expected {
            Some(_) => api.send(&run, &self.path(), Send::Update(&object)).await,
            None => api.send(&run, &self.0.path_of_all(Kind::Lease), Send::Create(&object)).await,
        };
        match written {
            Ok(object) => Ok(version(&object)),
            Err(error) => Err(self.0.explained(&run, self.failed(error)).await),
        }
    }
}

fn spec(record: &LeaseRecord) -> Result<LeaseSpec, &'static str> {
    let seconds = record.duration.as_secs() + u64::from(record.duration.subsec_nanos() > 0);
    Ok(LeaseSpec {
        holder_identity: record.holder.clone(),
        lease_duration_seconds: Some(i32::try_from(seconds).map_err(|_| "its duration is longer than a Lease can say")?),
        lease_transitions: Some(i32::try_from(record.number).map_err(|_| "its number is higher than a Lease can say")?),
        acquire_time: Some(time(record.taken, 0)?),
        renew_time: Some(time(record.renewed, fraction())?),
        ..LeaseSpec::default()
    })
}

/// The part of the present second that has passed, in microseconds. What is written twice in a second would be the same object, in the same version, and so
/// no sign of life.
fn fraction() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| i64::from(since.subsec_micros()))
}

fn time(time: WallTime, fraction: i64) -> Result<MicroTime, &'static str> {
    const UNFIT: &str = "the clock of this machine says a time that a Lease cannot";
    let seconds = i64::try_from(time.0).map_err(|_| UNFIT)?;
    let microseconds = seconds.checked_mul(1_000_000).ok_or(UNFIT)? + fraction;
    Timestamp::from_microsecond(microseconds).map(MicroTime).map_err(|_| UNFIT)
}

/// Its `uid` too: the API would make an object anew that somebody has taken away, whatever version of it is named.
fn version(object: &Json) -> Version {
    Version(format!("{} {}", text(object, "/metadata/resourceVersion"), text(object, "/metadata/uid")))
}

fn stored(object: &Json) -> Result<Stored, String> {
    let lease: Lease = serde_json::from_value(object.clone()).map_err(|error| error.to_string())?;
    let spec = lease.spec.unwrap_or_default();
    let positive = |number: Option<i32>| u64::try_from(number.unwrap_or_default()).map_err(|error| error.to_string());
    let seconds = |time: Option<MicroTime>| time.and_then(|time| u64::try_from(time.0.as_second()).ok()).unwrap_or_default();
    let record = LeaseRecord {
        holder: spec.holder_identity.filter(|holder| !holder.is_empty()),
        duration: Duration::from_secs(positive(spec.lease_duration_seconds)?),
        number: positive(spec.lease_transitions)?,
        taken: WallTime(seconds(spec.acquire_time)),
        renewed: WallTime(seconds(spec.renew_time)),
    };
    Ok(Stored { version: version(object), record })
}

fn damaged(name: &str, why: &str) -> ProviderError {
    let failure = Failure::new(format!("{name} is damaged"), why);
    ProviderError::Refused(failure.with_hint("make sure that no run is going on, then delete the Lease"))
}
