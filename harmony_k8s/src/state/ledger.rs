//! A Ledger as a ConfigMap, and more of them where one is too small.

use std::time::Duration;

use async_trait::async_trait;
use data_encoding::BASE64;
use harmony::engine::ledger::{Fence, LedgerError, LedgerState, LedgerStore, StoredLedger};
use harmony::provider::{Failure, ProviderError};
use harmony::run::{Looked, Run};
use serde_json::{Map, Value as Json, json};

use super::keeping::{HowMuch, Keeping, Kind, text};
use super::pack::{Packed, pack, unpack};
use super::parts;
use super::version::Known;
use crate::api::{ApiError, Send};

/// How long an API server that does not answer is waited for when the Ledger is written: one that is started again was seen to need 4 s. A
/// run whose Ledger cannot be written can do nothing else.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same when it is read, and for lines of the journal.
const SHORT_PATIENCE: Duration = Duration::from_secs(10);
/// Lines are written so often: 5000 resources that are made in a minute cost a dozen requests.
const PACE: Duration = Duration::from_secs(5);
/// So many bytes of lines are kept, beside 512 KiB of the whole in an object of 1 MiB. Further ones wait for the next save.
const MOST_LINES: usize = 384 * 1024;
/// The form of the objects. A newer one is refused.
const LAYOUT: u32 = 1;
/// The annotation with the number of the newest run that wrote it, or took over.
const RUN: &str = "harmony/run";
const RUN_POINTER: &str = "/metadata/annotations/harmony~1run";
const CONTENTS: &str = "ledger";
const BATCH: &str = "lines-";

/// A Ledger in a cluster.
///
/// The first object says everything or names the objects with the rest, so that it alone decides which state there is: those are made before it is written, and the old
/// ones deleted after it. Lines stand in it, and go with the whole that they belong to. It is changed in the version that is known, and never by two.
#[derive(Debug, Clone)]
pub(crate) struct K8sLedgerStore(Keeping);

impl K8sLedgerStore {
    pub(crate) fn new(keeping: Keeping) -> Self {
        Self(keeping)
    }

    fn path(&self) -> String {
        self.0.path(Kind::ConfigMap, &self.0.name)
    }

    fn run(&self, fence: Option<&Fence>, patience: Duration) -> Run {
        self.0.run(fence.map_or(&self.0.io, Fence::io), patience)
    }

    fn failed(&self, error: ApiError) -> ProviderError {
        self.0.failed("failed to write the Ledger", error)
    }

    fn damaged(&self, why: impl ToString) -> LedgerError {
        let failure = Failure::new(format!("the Ledger {} is damaged", self.name()), why);
        let hint = "restore it from a backup; without it nothing that was made would be found again";
        ProviderError::Refused(failure.with_hint(hint)).into()
    }

    /// Refuses what a newer program has laid out.
    fn check_layout(&self, object: &Json) -> Result<(), LedgerError> {
        let layout = text(object, "/data/layout");
        match layout.parse::<u32>() {
            Ok(LAYOUT) => Ok(()),
            Ok(newer) if newer > LAYOUT => {
                let why = format!("its objects have form {newer}, this program reads up to {LAYOUT}");
                let failure = Failure::new(format!("the Ledger {} cannot be read", self.name()), why);
                let hint = "build the site program with the newer version of Harmony that wrote it";
                Err(ProviderError::Refused(failure.with_hint(hint)).into())
            }
            _ => Err(self.damaged("its object does not say which form it has")),
        }
    }

    /// The state that an object says; `None` if one of the objects that it names is not there.
    async fn read(&self, run: &Run, object: &Json) -> Result<Option<StoredLedger>, LedgerError> {
        self.check_layout(object)?;
        let names: Vec<String> = text(object, "/data/parts").split_whitespace().map(str::to_owned).collect();
        let Some(mut pieces) = parts::find(&self.0, run, &names).await? else { return Ok(None) };
        pieces.insert(0, parts::contents(object, CONTENTS));
        let whole = unpack(&pieces, text(object, "/data/digest")).map_err(|why| self.damaged(why))?;
        let data = object["data"].as_object().into_iter().flatten();
        let batches: Vec<&str> =
            data.filter(|(name, _)| name.starts_with(BATCH)).filter_map(|(_, lines)| lines.as_str()).collect();
        let known = Known {
            resource: text(object, "/metadata/resourceVersion").to_owned(),
            parts: names,
            batches: batches.len(),
            bytes: batches.iter().map(|batch| batch.len()).sum(),
        };
        let state = LedgerState { version: known.text(), has_lines: !batches.is_empty() };
        Ok(Some(StoredLedger { state, whole: Some(whole), lines: batches.concat().into_bytes() }))
    }

    /// Who has written the object that is there, by its number, and in which version it is now.
    async fn find_writer(&self, run: &Run) -> Result<Option<(u64, String)>, ProviderError> {
        let found = self.0.find(run, &self.path(), HowMuch::Metadata).await?;
        Ok(found.map(|object| {
            (text(&object, RUN_POINTER).parse().unwrap_or_default(), text(&object, "/metadata/resourceVersion").to_owned())
        }))
    }

    /// The version to write over after a write that did not come through or was not answered: what this run itself has written is its own; empty if nothing is there.
    async fn look_again(&self, run: &Run, fence: Option<&Fence>) -> Result<String, LedgerError> {
        let Some((number, version)) = self.find_writer(run).await? else { return Ok(String::new()) };
        if let Some(fence) = fence {
            fence.ensure_newest(number)?;
        }
        match fence {
            Some(fence) if fence.number() == number => Ok(version),
            _ => Err(LedgerError::Superseded { why: format!("run {number} has written it meanwhile") }),
        }
    }

    /// Writes until it is written, beginning each further try with a look; what `write` returns of the object that it has written.
    async fn persist<'a, W>(
        &'a self,
        run: &'a Run,
        known: &Known,
        fence: Option<&'a Fence>,
        write: impl Fn(String) -> W + Sync,
    ) -> Result<Json, LedgerError>
    where
        W: Future<Output = Result<Json, ApiError>> + std::marker::Send,
    {
        let mut first = Some(known.resource.clone());
        let write = &write;
        let attempt = || {
            let known = first.take();
            async move {
                let version = match known {
                    Some(version) => version,
                    None => match self.look_again(run, fence).await {
                        Ok(version) => version,
                        Err(LedgerError::Store(error)) => return Err(error),
                        Err(refused) => return Ok(Looked::Found(Err(refused))),
                    },
                };
                match write(version).await {
                    Ok(object) => Ok(Looked::Found(Ok(object))),
                    Err(error) if error.is_conflict() => Ok(Looked::NotYet("something else goes on writing it".to_owned())),
                    // It was taken away meanwhile: the next look sees that it has to be made anew.
                    Err(error) if error.is_absent() && self.is_there_room(&error) => {
                        Ok(Looked::NotYet("something else has taken it away".to_owned()))
                    }
                    Err(error) => Err(self.failed(error)),
                }
            }
        };
        match run.wait_for("the Ledger", attempt).await {
            Ok(written) => written,
            Err(error) => Err(self.0.explained(run, error).await.into()),
        }
    }

    /// Whether it is the object itself that is not there, and not its namespace.
    fn is_there_room(&self, error: &ApiError) -> bool {
        !error.to_string().contains("namespaces \"")
    }

    /// The first object: with the first piece, and the names of the objects that have the others.
    fn head(&self, packed: &Packed, names: &[String], fence: Option<&Fence>) -> Json {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": self.0.name,
                "namespace": self.0.namespace,
                "labels": parts::labels(&self.0.name),
                "annotations": { RUN: fence.map_or(0, Fence::number).to_string() },
            },
            "data": { "layout": LAYOUT.to_string(), "digest": packed.digest.to_string(), "parts": names.join(" ") },
            "binaryData": { CONTENTS: BASE64.encode(packed.pieces.first().map(Vec::as_slice).unwrap_or_default()) },
        })
    }

    async fn put(&self, run: &Run, mut object: Json, version: String) -> Result<Json, ApiError> {
        let unreachable = |error: ProviderError| ApiError::Lost { words: error.to_string() };
        let api = self.0.api(run).await.map_err(unreachable)?;
        if version.is_empty() {
            return api.send(run, &self.0.path_of_all(Kind::ConfigMap), Send::Create(&object)).await;
        }
        object["metadata"]["resourceVersion"] = version.into();
        api.send(run, &self.path(), Send::Update(&object)).await
    }

    async fn merge(&self, run: &Run, mut patch: Json, version: String) -> Result<Json, ApiError> {
        let unreachable = |error: ProviderError| ApiError::Lost { words: error.to_string() };
        patch["metadata"]["resourceVersion"] = version.into();
        self.0.api(run).await.map_err(unreachable)?.send(run, &self.path(), Send::Merge(&patch)).await
    }

    /// What nobody reads is no reason to fail.
    async fn tidy(&self, fence: Option<&Fence>, keep: &[String]) {
        if let Err(error) = parts::remove_all_but(&self.0, &self.run(fence, parts::TIDYING), keep).await {
            log::debug!(error:%; "old parts of a Ledger were not removed");
        }
    }
}

#[async_trait]
impl LedgerStore for K8sLedgerStore {
    fn name(&self) -> String {
        format!("`{}` in {}", self.0.name, self.0.place())
    }

    fn pace(&self) -> Duration {
        PACE
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn find(&self) -> Result<StoredLedger, LedgerError> {
        let run = self.run(None, SHORT_PATIENCE);
        let mut before = String::new();
        loop {
            let Some(object) = self.0.find(&run, &self.path(), HowMuch::Whole).await? else { return Ok(StoredLedger::default()) };
            if let Some(stored) = self.read(&run, &object).await? {
                return Ok(stored);
            }
            // A run that goes on may have written it between the two looks. What is missing in the same version stays missing.
            let version = text(&object, "/metadata/resourceVersion").to_owned();
            if version == before {
                return Err(self.damaged(format!("not all of its objects are there: {}", text(&object, "/data/parts"))));
            }
            before = version;
        }
    }

    async fn find_newest(&self) -> Result<u64, LedgerError> {
        Ok(self.find_writer(&self.run(None, SHORT_PATIENCE)).await?.map_or(0, |(number, _)| number))
    }

    /// A run that gave its lease back has nothing under way. Of one that was taken over something may still come, in the version that it knew.
    async fn claim(&self, fence: &Fence) -> Result<(), LedgerError> {
        if !fence.took_over() {
            return Ok(());
        }
        let run = self.run(Some(fence), SHORT_PATIENCE);
        let patch = json!({ "metadata": { "annotations": { RUN: fence.number().to_string() } } });
        loop {
            let Some((number, version)) = self.find_writer(&run).await? else { return Ok(()) };
            fence.ensure_newest(number)?;
            match self.merge(&run, patch.clone(), version).await {
                Ok(_) => return Ok(()),
                Err(error) if error.is_conflict() || (error.is_absent() && self.is_there_room(&error)) => {}
                Err(error) => return Err(self.0.explained(&run, self.failed(error)).await.into()),
            }
        }
    }

    async fn save(&self, known: &LedgerState, whole: &[u8], fence: Option<&Fence>) -> Result<LedgerState, LedgerError> {
        let known = Known::read(known.version.as_ref());
        let packed = pack(whole).map_err(|error| ProviderError::refused("failed to compress the Ledger", error))?;
        let run = self.run(fence, PATIENCE);
        let digest: String = packed.digest.hex().chars().take(12).collect();
        let number = fence.map_or(0, Fence::number);
        let parts: Vec<(String, &[u8])> = packed
            .pieces
            .iter()
            .enumerate()
            .skip(1)
            .map(|(index, piece)| (format!("{}-{number}-{digest}-{index}", self.0.name), piece.as_slice()))
            .collect();
        let names: Vec<String> = parts.iter().map(|(name, _)| name.clone()).collect();
        parts::make(&self.0, &run, &parts).await?;
        let head = self.head(&packed, &names, fence);
        let written = self.persist(&run, &known, fence, |version| self.put(&run, head.clone(), version)).await?;
        if !(names.is_empty() && known.parts.is_empty()) {
            self.tidy(fence, &names).await;
        }
        let resource = text(&written, "/metadata/resourceVersion").to_owned();
        Ok(LedgerState { version: Known { resource, parts: names, batches: 0, bytes: 0 }.text(), has_lines: false })
    }

    async fn append(&self, known: &LedgerState, lines: &[u8], fence: Option<&Fence>) -> Result<LedgerState, LedgerError> {
        let known = Known::read(known.version.as_ref());
        let bytes = known.bytes + lines.len() + 1;
        if known.resource.is_empty() || bytes > MOST_LINES {
            return Err(ProviderError::retry_later("failed to write lines of the Ledger", "they wait for its next save").into());
        }
        let batch = format!("{}\n", String::from_utf8_lossy(lines));
        let data = Map::from_iter([(format!("{BATCH}{:04}", known.batches), Json::String(batch))]);
        let number = fence.map_or(0, Fence::number).to_string();
        let patch = json!({ "metadata": { "annotations": { RUN: number } }, "data": data });
        let run = self.run(fence, SHORT_PATIENCE);
        let written = self.persist(&run, &known, fence, |version| self.merge(&run, patch.clone(), version)).await?;
        let resource = text(&written, "/metadata/resourceVersion").to_owned();
        let known = Known { resource, batches: known.batches + 1, bytes, ..known };
        Ok(LedgerState { version: known.text(), has_lines: true })
    }

    async fn remove(&self, known: &LedgerState, fence: Option<&Fence>) -> Result<(), LedgerError> {
        let known = Known::read(known.version.as_ref());
        let run = self.run(fence, PATIENCE);
        if !known.resource.is_empty() {
            let delete = |version: String| self.delete(&run, version);
            self.persist(&run, &known, fence, delete).await?;
        }
        Ok(parts::remove_all_but(&self.0, &run, &[]).await?)
    }

    async fn missing_rights(&self) -> Result<Vec<String>, ProviderError> {
        self.0.missing_rights(&self.run(None, SHORT_PATIENCE)).await
    }
}

impl K8sLedgerStore {
    /// Deletes it in this version; what is gone already is as good.
    async fn delete(&self, run: &Run, version: String) -> Result<Json, ApiError> {
        let unreachable = |error: ProviderError| ApiError::Lost { words: error.to_string() };
        if version.is_empty() {
            return Ok(Json::Null);
        }
        let options = json!({ "preconditions": { "resourceVersion": version } });
        match self.0.api(run).await.map_err(unreachable)?.send(run, &self.path(), Send::Delete(&options)).await {
            Err(error) if error.is_absent() => Ok(Json::Null),
            answer => answer,
        }
    }
}
