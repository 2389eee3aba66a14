//! Starting, finding, reloading, restarting and stopping nats-server processes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::client::{JetstreamMode, NatsClient, ServerState};
use harmony::modules::nats::gate::wait_until_settled;
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::run::{Looked, Run};
use harmony::value::Text;
use harmony_io::{Io, ProcessId, StartTime};

use super::last_words::{LastWords, OUTPUT};
use super::process::{NatsServerProcess, ProcessIdentity, RecordState};
use super::record::{Found, Record, find, little_room_of, store_of};
use crate::kind::NoOutputs;

/// A server alone answers within 50 ms, nine at once on two busy cores within 3 s; more is a fault.
pub(crate) const READY_WITHIN: Duration = Duration::from_secs(20);
/// How long a server may take to write its state and stop.
const STOP_WITHIN: Duration = Duration::from_secs(15);
/// How long a server may take to end that cannot listen on its port: 0.1 s was seen. So long somebody else may answer there in its stead.
const ENDS_WITHIN: Duration = Duration::from_secs(3);

/// The provider of nats-server processes.
pub(crate) struct Supervisor {
    client: Arc<dyn NatsClient>,
    ready_within: Duration,
}

impl Supervisor {
    pub(crate) fn new(client: Arc<dyn NatsClient>, ready_within: Duration) -> Self {
        Self { client, ready_within }
    }

    async fn look(
        &self,
        run: &Run,
        at: &NatsAccess,
        identity: &ProcessIdentity,
    ) -> Result<Observation<NatsServerProcess>, ProviderError> {
        let Some(found) = find(run.io(), identity)? else { return Ok(Observation::Absent) };
        if let Some(why) = stopped(run.io(), &found)? {
            return Ok(Observation::Unreachable(why));
        }
        let (digest, server) = match self.client.look_at_server(run, at).await {
            Ok(server) => (server.config_digest.clone(), Some(server)),
            Err(error @ ProviderError::NotPermitted(_)) => (error.to_string(), None),
            Err(error) => return Ok(Observation::Unreachable(error.to_string())),
        };
        let record = found.record.as_ref();
        let recorded = |field: fn(&Record) -> String| Text::from(record.map_or_else(|| "(not recorded)".to_owned(), field));
        let startup_digest = if found.lost_its_store(run.io(), identity)? {
            Text::from("(its store was taken away)")
        } else if found.has_outgrown_its_room(run.io(), identity)? {
            Text::from("(its disk was full when it started)")
        } else {
            recorded(|record| record.startup_digest.clone())
        };
        let mode = server.as_ref().map(ServerState::mode);
        let state = NatsServerProcess {
            identity: identity.clone(),
            program: recorded(|record| record.program.display().to_string()),
            config_digest: Text::from(digest),
            startup_digest,
            certificates_digest: recorded(|record| record.certificates_digest.clone()),
            jetstream: mode.unwrap_or(JetstreamMode::Off),
            record: found.state,
        };
        let holds = server.as_ref().and_then(ServerState::holds);
        Ok(Observation::There(Box::new(Live { state, outputs: NoOutputs {}, holds })))
    }

    async fn start(&self, run: &Run, at: &NatsAccess, desired: &NatsServerProcess) -> Result<(), ProviderError> {
        let identity = &desired.identity;
        let program = PathBuf::from(desired.program.get()?);
        let words = LastWords::listen(run.io(), identity)?;
        let process = run.io().spawn_detached(&program, &identity.arguments(), &identity.beside(OUTPUT))?;
        let Some(started) = run.io().find_process(process)? else { return Err(words.explain(run.io(), "it ended")) };
        let little_room = little_room_of(run.io(), identity)?;
        Record { little_room, ..record(run.io(), desired, process, started)? }.write(run.io(), identity)?;
        match self
            .wait_until_it_answers(&run.within(self.ready_within).finishing(), at, identity, (process, started), &words)
            .await
        {
            Err(error @ ProviderError::Unreachable(_)) => {
                run.io().stop_process(process, started, STOP_WITHIN).await?;
                Err(words.explain(run.io(), &format!("it was stopped, because it was not ready in time: {error}")))
            }
            answered => answered,
        }
    }

    async fn wait_until_it_answers(
        &self,
        run: &Run,
        at: &NatsAccess,
        identity: &ProcessIdentity,
        (process, started): (ProcessId, StartTime),
        words: &LastWords,
    ) -> Result<(), ProviderError> {
        let begun = Instant::now();
        let look = || async {
            if run.io().find_process(process)? != Some(started) {
                return Err(words.explain(run.io(), "it ended"));
            }
            match self.client.look_at_server(run, at).await {
                Err(ProviderError::NotPermitted(failure)) if begun.elapsed() < ENDS_WITHIN => {
                    Ok(Looked::NotYet(failure.to_string()))
                }
                answer => answer.map(|_| Looked::Found(())),
            }
        };
        run.wait_for(&format!("{identity} to answer"), look).await
    }

    /// The others are not waited for beforehand: one of them that is dead is started by the same run, maybe in a later turn.
    async fn restart(
        &self,
        run: &Run,
        at: &NatsAccess,
        desired: &NatsServerProcess,
        found: &Found,
        before: Option<&ServerState>,
    ) -> Result<(), ProviderError> {
        self.replace_process(run, at, desired, found).await?;
        wait_until_settled(&*self.client, run, at, &desired.identity, before).await
    }

    async fn replace_process(
        &self,
        run: &Run,
        at: &NatsAccess,
        desired: &NatsServerProcess,
        found: &Found,
    ) -> Result<(), ProviderError> {
        run.progress("restarting");
        run.io().stop_process(found.process, found.started, STOP_WITHIN).await?;
        self.start(run, at, desired).await
    }

    /// Has the server read its files again; whether it now uses what it should.
    async fn reload(&self, run: &Run, at: &NatsAccess, desired: &NatsServerProcess) -> Result<bool, ProviderError> {
        run.progress("reloading");
        if let Err(error) = self.client.reload_server(run, at).await {
            run.progress(format!("the server refuses to reload: {error}"));
            return Ok(false);
        }
        Ok(self.client.look_at_server(run, at).await?.config_digest == *desired.config_digest.get()?)
    }

    async fn change(
        &self,
        run: &Run,
        at: &NatsAccess,
        desired: &NatsServerProcess,
        live: &NatsServerProcess,
        found: &Found,
    ) -> Result<(), ProviderError> {
        let before = match self.client.look_at_server(run, at).await {
            // Nobody can ask it to reload. And where all servers stopped trusting their operator, they do not trust each other either
            // until the last one has been changed: to wait for that here would be to wait forever.
            Err(ProviderError::NotPermitted(_)) => return self.replace_process(run, at, desired, found).await,
            before => before.ok(),
        };
        // A lost record says nothing of how the server was started, and the server says what it uses itself.
        let known = found.state == RecordState::NamesThisProcess;
        if known && (live.startup_digest != desired.startup_digest || live.program != desired.program) {
            return self.restart(run, at, desired, found, before.as_ref()).await;
        }
        let reads_other = live.config_digest != desired.config_digest || live.jetstream != desired.jetstream;
        let stale = live.certificates_digest != desired.certificates_digest;
        if (reads_other || stale) && !self.reload(run, at, desired).await? {
            return self.restart(run, at, desired, found, before.as_ref()).await;
        }
        let little_room = found.record.as_ref().and_then(|record| record.little_room);
        Record { little_room, ..record(run.io(), desired, found.process, found.started)? }.write(run.io(), &desired.identity)
    }
}

/// That somebody has stopped the process, if so: it lives, holds its ports, and answers nobody.
fn stopped(io: &Io, found: &Found) -> Result<Option<String>, ProviderError> {
    let process = found.process;
    let says = || {
        format!(
            "process {process} is stopped (SIGSTOP): let it go on with `kill -CONT {process}`, or end it with `kill -KILL {process}` and \
             apply"
        )
    };
    Ok(io.is_stopped(process, found.started)?.then(says))
}

fn record(io: &Io, desired: &NatsServerProcess, process: ProcessId, started: StartTime) -> Result<Record, ProviderError> {
    Ok(Record {
        process: process.0,
        started: started.0,
        program: PathBuf::from(desired.program.get()?),
        startup_digest: desired.startup_digest.get()?.clone(),
        certificates_digest: desired.certificates_digest.get()?.clone(),
        store: store_of(io, &desired.identity)?,
        little_room: None,
    })
}

#[async_trait]
impl Provider<NatsServerProcess> for Supervisor {
    async fn observe(
        &self,
        run: &Run,
        at: &NatsAccess,
        wanted: &[Known<NatsServerProcess>],
    ) -> Result<Vec<Observation<NatsServerProcess>>, ProviderError> {
        let mut found = Vec::with_capacity(wanted.len());
        for known in wanted {
            found.push(self.look(run, at, &known.identity).await?);
        }
        Ok(found)
    }

    async fn apply(
        &self,
        run: &Run,
        at: &NatsAccess,
        desired: &NatsServerProcess,
        live: Option<&Live<NatsServerProcess>>,
    ) -> Result<NoOutputs, ProviderError> {
        match (live, find(run.io(), &desired.identity)?) {
            (Some(live), Some(found)) => self.change(run, at, desired, &live.state, &found).await?,
            (None, Some(found)) => self.restart(run, at, desired, &found, None).await?,
            (_, None) => self.start(run, at, desired).await?,
        }
        Ok(NoOutputs {})
    }

    async fn delete(&self, run: &Run, _: &NatsAccess, identity: &ProcessIdentity) -> Result<(), ProviderError> {
        if let Some(found) = find(run.io(), identity)? {
            run.io().stop_process(found.process, found.started, STOP_WITHIN).await?;
        }
        Ok(())
    }
}
