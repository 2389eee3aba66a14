//! A user's own kind, capability, place and Score: notices on a board. `cargo run -p custom_score -- apply`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::resource::{FieldChange, Impact, Resource};
use harmony::run::Run;
use harmony::topology::{Hosts, Providers, Site, Topology, WithoutSurvey};
use harmony::{ArrangeError, Interpret, Inventory, Score, Scores, Stage};
use harmony_io::{Io, Mode};
use harmony_types::PlaceName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind: a notice on a board. Its colour is printed, its text can be written over.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Notice {
    name: String,
    colour: String,
    text: String,
}

impl Resource for Notice {
    const KIND: &'static str = "notice/v1";
    const NOUN: &'static str = "notice";
    type Identity = String;
    type Access = ();
    type Outputs = ();

    fn identity(&self) -> String {
        self.name.clone()
    }

    fn impact(change: &FieldChange) -> Impact {
        match change.path.as_str() {
            "/colour" => Impact::Replace("paper keeps its colour".to_owned()),
            _ => Impact::Update,
        }
    }
}

/// Its provider, the only thing that does I/O: a notice is the file `NAME.COLOUR` in this directory.
struct Board(PathBuf);

impl Board {
    fn find(&self, io: &Io, name: &str) -> Result<Option<(PathBuf, Notice)>, ProviderError> {
        let is_it = |path: &Path| path.file_stem().is_some_and(|stem| stem == name);
        let Some(entry) = io.list_directory(&self.0)?.into_iter().find(|entry| is_it(&entry.path)) else { return Ok(None) };
        let Some(text) = io.find_file(&entry.path)? else { return Ok(None) };
        let colour = entry.path.extension().unwrap_or_default().to_string_lossy().into_owned();
        let text = String::from_utf8_lossy(&text).into_owned();
        Ok(Some((entry.path, Notice { name: name.to_owned(), colour, text })))
    }
}

#[async_trait]
impl Provider<Notice> for Board {
    async fn observe(&self, run: &Run, (): &(), wanted: &[Known<Notice>]) -> Result<Vec<Observation<Notice>>, ProviderError> {
        let look = |known: &Known<Notice>| {
            let found = self.find(run.io(), &known.identity)?;
            Ok(found.map_or(Observation::Absent, |(_, notice)| Observation::there(notice, ())))
        };
        wanted.iter().map(look).collect()
    }

    async fn apply(&self, run: &Run, (): &(), notice: &Notice, _: Option<&Live<Notice>>) -> Result<(), ProviderError> {
        run.io().ensure_directory(&self.0, Mode::Readable)?;
        let path = self.0.join(format!("{}.{}", notice.name, notice.colour));
        Ok(run.io().write_file(&path, notice.text.as_bytes(), Mode::Readable)?)
    }

    async fn delete(&self, run: &Run, (): &(), name: &String) -> Result<(), ProviderError> {
        if let Some((path, _)) = self.find(run.io(), name)? {
            run.io().ensure_no_file(&path)?;
        }
        // The last notice takes the board with it.
        match run.io().ensure_no_directory(&self.0) {
            Err(error) if !error.is_not_empty() => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// The capability: what a Score may ask of a place.
#[diagnostic::on_unimplemented(message = "topology `{Self}` has no notice board", note = "implement `NoticeBoard` for it")]
trait NoticeBoard: Topology {
    fn arrange_notice(&self, notice: &Notice, stage: &mut Stage) -> Result<(), ArrangeError>;
}

/// The place.
struct Hallway {
    name: PlaceName,
    site: Site,
}

impl Topology for Hallway {
    fn name(&self) -> &PlaceName {
        &self.name
    }

    fn site(&self) -> &Site {
        &self.site
    }

    fn register(&self, providers: &mut Providers) {
        providers.host::<Notice>(self);
    }
}

impl Hosts<Notice> for Hallway {
    fn provider(&self) -> Arc<dyn Provider<Notice>> {
        Arc::new(Board(self.site.state.join("board")))
    }
}

impl NoticeBoard for Hallway {
    fn arrange_notice(&self, notice: &Notice, stage: &mut Stage) -> Result<(), ArrangeError> {
        stage.add(self, &notice.name, notice).map(|_| ())
    }
}

/// The Score: plain data, playable on every place with a board.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct NoticesScore(Vec<Notice>);

impl<T: NoticeBoard> Score<T> for NoticesScore {
    fn name(&self) -> String {
        "notices".to_owned()
    }

    fn create_interpret(&self) -> Box<dyn Interpret<T> + '_> {
        Box::new(|_: &Inventory, place: &T, stage: &mut Stage| {
            self.0.iter().try_for_each(|notice| place.arrange_notice(notice, stage))
        })
    }
}

/// A Score is data, so it can come from a file; `NOTICES` names another one.
fn main() -> anyhow::Result<ExitCode> {
    let path = std::env::var("NOTICES").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/notices.json").to_owned());
    let score: NoticesScore = serde_json::from_str(&std::fs::read_to_string(&path).context(path)?)?;
    let name = "hallway".parse()?;
    let hallway = WithoutSurvey(|site| Hallway { name, site });
    Ok(harmony_cli::run(Inventory::empty(), hallway, Scores::default().with(score)))
}
