//! A run on a machine of its own, for tests that stop and kill it: `lease_runner DIRECTORY HOST WORDS PAUSE LEASE FILE…`.
//!
//! It makes the files in `DIRECTORY/world` hold `WORDS`, and takes away those that are not named. Each write takes `PAUSE` milliseconds. Its
//! state is in `DIRECTORY/state`; with a `LEASE` of that many milliseconds it is shared, with 0 it is not. `DIRECTORY/log` gets a line for
//! each taking and each write: `took NUMBER TIME`, `begin NUMBER TIME FILE`, `wrote NUMBER TIME FILE`, in nanoseconds since the machine started.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "it is a test's other half: what goes wrong ends it, and is said")]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use harmony::engine::events::{Event, Observer};
use harmony::engine::maestro::EngineError;
use harmony::engine::outcome::Ending;
use harmony::lease::{FileLeaseStore, Lease};
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::run::Run;
use harmony::topology::{Fetching, Hosts, Providers, Site, Topology};
use harmony::{Interpret, Inventory, Maestro, Score, Scores, Stage};
use harmony_io::{Io, Mode, time_since_boot};
use harmony_secret::{MemoryStore, SecretManager};
use harmony_test::{FileOnDisk, FilesOnDisk};
use harmony_types::PlaceName;

struct Machine {
    name: PlaceName,
    site: Site,
    log: Log,
    pause: Duration,
}

#[derive(Clone)]
struct Log(PathBuf);

impl Log {
    /// One write for a line, so that lines of several processes do not mix.
    fn add(&self, what: &str, number: u64, about: &str) {
        let line = format!("{what} {number} {} {about}\n", time_since_boot().as_nanos());
        let mut file = OpenOptions::new().append(true).create(true).open(&self.0).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}

impl Topology for Machine {
    fn name(&self) -> &PlaceName {
        &self.name
    }

    fn site(&self) -> &Site {
        &self.site
    }

    fn register(&self, providers: &mut Providers) {
        providers.host::<FileOnDisk>(self);
    }
}

impl Hosts<FileOnDisk> for Machine {
    fn provider(&self) -> Arc<dyn Provider<FileOnDisk>> {
        Arc::new(Logged { log: self.log.clone(), pause: self.pause })
    }
}

/// Files, with a line for each write.
struct Logged {
    log: Log,
    pause: Duration,
}

#[async_trait]
impl Provider<FileOnDisk> for Logged {
    async fn observe(
        &self,
        run: &Run,
        at: &(),
        wanted: &[Known<FileOnDisk>],
    ) -> Result<Vec<Observation<FileOnDisk>>, ProviderError> {
        FilesOnDisk.observe(run, at, wanted).await
    }

    async fn apply(
        &self,
        run: &Run,
        at: &(),
        desired: &FileOnDisk,
        live: Option<&Live<FileOnDisk>>,
    ) -> Result<(), ProviderError> {
        let name = desired.path.file_name().unwrap().to_string_lossy().into_owned();
        self.log.add("begin", run.fence(), &name);
        tokio::time::sleep(self.pause).await;
        FilesOnDisk.apply(run, at, desired, live).await?;
        self.log.add("wrote", run.fence(), &name);
        Ok(())
    }

    async fn delete(&self, run: &Run, at: &(), identity: &String) -> Result<(), ProviderError> {
        self.log.add("begin", run.fence(), identity);
        FilesOnDisk.delete(run, at, identity).await?;
        self.log.add("wrote", run.fence(), identity);
        Ok(())
    }
}

/// Files that are made one after the other.
struct Files(Vec<FileOnDisk>);

impl Score<Machine> for Files {
    fn name(&self) -> String {
        "files".to_owned()
    }

    fn create_interpret(&self) -> Box<dyn Interpret<Machine> + '_> {
        Box::new(|_: &Inventory, place: &Machine, stage: &mut Stage<'_>| {
            let mut before = Vec::new();
            for file in &self.0 {
                let name = file.path.file_name().unwrap().to_string_lossy();
                before = vec![stage.after(&before, |stage| stage.add(place, &name, file))?.address().clone()];
            }
            Ok(())
        })
    }
}

/// Says what users should know.
struct Said;

impl Observer for Said {
    fn on(&self, event: &Event) {
        if let Event::Remark { says } = event {
            eprintln!("{says}");
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, host, words, pause, lease, files @ ..] = arguments.as_slice() else { return ExitCode::from(2) };
    let directory = PathBuf::from(directory);
    let milliseconds = |text: &String| Duration::from_millis(text.parse().unwrap());
    let io = Io::real();
    io.ensure_directory(&directory.join("world"), Mode::Private).unwrap();
    let secrets = SecretManager::new(vec![Arc::new(MemoryStore::new())]);
    let mut site = Site::new(directory.join("state"), secrets, io.clone()).with_fetching(Fetching::Forbidden);
    if !milliseconds(lease).is_zero() {
        let store = Arc::new(FileLeaseStore::new(io, directory.join("lease")));
        site = site.with_lease(Lease::new(store).with_duration(milliseconds(lease)).on_host(host));
    }
    let machine = Machine { name: "machine".parse().unwrap(), site, log: Log(directory.join("log")), pause: milliseconds(pause) };
    let files = files
        .iter()
        .map(|name| FileOnDisk { path: directory.join("world").join(name), contents: words.as_str().into() })
        .collect();
    let scores = Scores::default().with(Files(files));
    let result = play(&machine, &scores).await;
    let hint = |error: &EngineError| error.hint().unwrap_or_default();
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error @ EngineError::Exclusion(_)) => {
            eprintln!("{}\n{}", harmony::explain::chain(&error), hint(&error));
            ExitCode::from(4)
        }
        Err(error) => {
            eprintln!("{}\n{}", harmony::explain::chain(&error), hint(&error));
            ExitCode::from(1)
        }
    }
}

async fn play(machine: &Machine, scores: &Scores<Machine>) -> Result<u8, EngineError> {
    let maestro = Maestro::new(&machine.site).with_observer(Arc::new(Said));
    let prepared = maestro.prepare(&Inventory::empty(), machine, scores).await?;
    machine.log.add("took", prepared.fence(), machine.site.lease.as_ref().map_or("lock", |_| "lease"));
    let outcome = prepared.apply().await?;
    for failed in &outcome.failures {
        eprintln!("{}", failed.error);
    }
    if let Some(why) = &outcome.lease_lost {
        eprintln!("lease lost: {why}");
    }
    Ok(u8::from(outcome.ending() == Ending::Failed))
}
