//! What a kill leaves at each point of a run.
//!
//! A kill leaves what is outside at that instant and nothing else, so that one run shows what every kill of it would leave. Most points
//! leave what the one before left; of those only the first is kept.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::disturbed::Disturbance;
use super::site::{Ended, MemorySite};
use super::things::Things;
use crate::matrix::Command;
use crate::name::PointName;

/// Every different world that a kill of one run leaves.
pub struct Instants {
    /// The worlds, in the order in which the run passed them.
    pub worlds: Vec<World>,
    /// How many points it passed.
    pub points: u64,
}

/// What a kill leaves.
#[derive(Clone)]
pub struct World {
    /// The first point that leaves it.
    pub at: String,
    /// How many points leave it.
    pub points: usize,
    things: Things,
    files: Files,
}

#[derive(Default)]
struct Seen {
    worlds: Vec<World>,
    /// Where each is, by its hash.
    places: HashMap<u64, usize>,
    /// What the point before left, and where that is.
    last: Option<((usize, Files), usize)>,
}

/// Names and contents.
type Files = Vec<(String, Vec<u8>)>;

impl Instants {
    /// Runs `command` on `site` undisturbed, and looks at it at every point.
    ///
    /// # Panics
    /// If it does not end well.
    pub async fn of(site: &MemorySite, command: Command) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (state, things, watching) = (site.state(), site.things().clone(), seen.clone());
        let watch = move |number: u64, name: &PointName| {
            let Seen { worlds, places, last } = &mut *watching.lock().expect("nobody panicked");
            let now = (things.writes(), files_of(&state));
            if let Some((_, place)) = last.as_ref().filter(|(before, _)| *before == now) {
                worlds[*place].points += 1;
                return;
            }
            let world = World { at: format!("point {number}, {name}"), points: 1, things: things.copied(), files: now.1.clone() };
            let place = *places.entry(world.hash()).or_insert(worlds.len());
            match worlds.get_mut(place) {
                Some(known) => known.points += 1,
                None => worlds.push(world),
            }
            *last = Some((now, place));
        };
        let (ended, _, points) = site.run_watched(command, Disturbance::Nothing, Box::new(watch)).await;
        assert!(matches!(&ended, Ended::Done(Ok(outcome)) if outcome.failures.is_empty()), "{ended:?}");
        let worlds = std::mem::take(&mut seen.lock().expect("nobody panicked").worlds);
        Self { worlds, points }
    }
}

impl World {
    /// What `site` is now.
    #[must_use]
    pub fn of(site: &MemorySite) -> Self {
        Self { at: "now".to_owned(), points: 1, things: site.things().copied(), files: files_of(&site.state()) }
    }

    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.things.all(), &self.files).hash(&mut hasher);
        hasher.finish()
    }

    /// A site that is left so.
    #[must_use]
    pub fn site(&self) -> MemorySite {
        MemorySite::with(self.things.copied(), &self.files)
    }

    /// Whether the other one is the same, but for what is random.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let names = |world: &Self| world.files.iter().map(|(name, bytes)| (name.clone(), bytes.len())).collect::<Vec<_>>();
        self.things.all() == other.things.all() && names(self) == names(other)
    }
}

/// Stands for the state directory in the files: a Ledger says where it is at home.
pub(super) const HOME: &str = "(home)";

fn files_of(state: &Path) -> Files {
    let entries = fs::read_dir(state).into_iter().flatten().flatten();
    let mut files: Files = entries
        .map(|entry| {
            let text = fs::read_to_string(entry.path()).unwrap_or_default().replace(&state.display().to_string(), HOME);
            (left_by_a_dead_one(&entry.file_name().to_string_lossy()), text.into_bytes())
        })
        .filter(|(name, _)| name != "lock")
        .collect();
    files.sort();
    files
}

/// The process that writes a temporary file is in its name, and in a test it lives on. No process has a number this high: Linux stops at
/// 2^22.
fn left_by_a_dead_one(name: &str) -> String {
    match name.strip_suffix(".tmp").and_then(|start| start.rsplit_once('.')) {
        Some((file, writer)) => format!("{file}.4194999-{}.tmp", writer.split_once('-').map_or("", |(_, rest)| rest)),
        None => name.to_owned(),
    }
}
