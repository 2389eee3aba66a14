//! A place whose things are entries of a map.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use harmony::procedure::{Procedure, Step};
use harmony::proof::{Evidence, Proof, Prover};
use harmony::provider::{Failure, Known, Live, Observation, Provider, ProviderError};
use harmony::resource::{FieldChange, Impact, Loss, Resource};
use harmony::run::Run;
use harmony::topology::{Hosts, Proves, Providers, Site, Survey, Topology};
use harmony::value::{Output, Text, Value};
use harmony::{ArrangeError, Interpret, Inventory, Score, Stage};
use harmony_types::{PlaceName, TimeSpan};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// What a test makes of the place.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) shelves: Mutex<BTreeMap<String, Shelf>>,
    /// What shelves hold that would be lost.
    pub(crate) holds: Mutex<BTreeMap<String, String>>,
    /// Names that are refused.
    pub(crate) refused: Mutex<Vec<String>>,
    /// Names that we may not build.
    pub(crate) barred: Mutex<Vec<String>>,
    /// Names that others are always faster to change.
    pub(crate) contested: Mutex<Vec<String>>,
    /// Names that do not answer.
    pub(crate) dark: Mutex<Vec<String>>,
    /// Names whose making waits for `go_on`.
    pub(crate) slow: Mutex<Vec<String>>,
    pub(crate) is_waiting: Notify,
    pub(crate) go_on: Notify,
}

/// A place before it is looked at.
pub(crate) struct Warehouse(pub(crate) Arc<World>);

/// The place.
pub(crate) struct Surveyed {
    name: PlaceName,
    site: Site,
    world: Arc<World>,
}

#[async_trait]
impl Survey for Warehouse {
    type Facts = ();
    type Surveyed = Surveyed;

    async fn survey(&self, _: &Site) -> Result<(), ProviderError> {
        if self.0.dark.lock().unwrap().contains(&"everything".to_owned()) {
            let failure = Failure::new("failed to find the warehouse", "connection refused").with_hint("switch it on");
            return Err(ProviderError::Unreachable(failure));
        }
        Ok(())
    }

    fn with_facts(self, site: &Site, (): ()) -> Result<Surveyed, ProviderError> {
        Ok(Surveyed { name: "warehouse".parse().unwrap(), site: site.clone(), world: self.0 })
    }
}

impl Topology for Surveyed {
    fn name(&self) -> &PlaceName {
        &self.name
    }

    fn site(&self) -> &Site {
        &self.site
    }

    fn register(&self, providers: &mut Providers) {
        providers.host::<Shelf>(self);
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shelf {
    pub(crate) name: String,
    pub(crate) boards: u32,
    pub(crate) label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lock: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) combination: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ShelfOutputs {
    code: String,
}

impl Resource for Shelf {
    const KIND: &'static str = "test-shelf/v1";
    const NOUN: &'static str = "shelf";
    const LOSS: Loss = Loss::Data;
    const SECRET_FIELDS: &'static [&'static str] = &["/combination"];
    type Identity = String;
    type Access = ();
    type Outputs = ShelfOutputs;

    fn identity(&self) -> String {
        self.name.clone()
    }

    fn impact(change: &FieldChange) -> Impact {
        match change.path.as_str() {
            "/boards" => Impact::Replace("boards are glued".to_owned()),
            _ => Impact::Update,
        }
    }
}

/// The secret code of a shelf.
const CODE: Output<Shelf, String> = Output::sensitive("code");

pub(crate) struct Carpenter(Arc<World>);

#[async_trait]
impl Provider<Shelf> for Carpenter {
    async fn observe(&self, _: &Run, (): &(), wanted: &[Known<Shelf>]) -> Result<Vec<Observation<Shelf>>, ProviderError> {
        let look = |known: &Known<Shelf>| {
            if self.0.dark.lock().unwrap().contains(&known.identity) {
                return Observation::Unreachable("no light in there".to_owned());
            }
            match self.0.shelves.lock().unwrap().get(&known.identity).cloned() {
                None => Observation::Absent,
                Some(state) => {
                    let holds = self.0.holds.lock().unwrap().get(&known.identity).cloned();
                    Observation::There(Box::new(Live { state, outputs: outputs(), holds }))
                }
            }
        };
        Ok(wanted.iter().map(look).collect())
    }

    async fn apply(&self, _: &Run, (): &(), desired: &Shelf, _: Option<&Live<Shelf>>) -> Result<ShelfOutputs, ProviderError> {
        if self.0.refused.lock().unwrap().contains(&desired.name) {
            let failure = Failure::new(format!("failed to build shelf {}", desired.name), "no wood left");
            return Err(ProviderError::Refused(failure.with_hint("order wood")));
        }
        let failure = |why: &str| Failure::new(format!("failed to build shelf {}", desired.name), why);
        if self.0.barred.lock().unwrap().contains(&desired.name) {
            return Err(ProviderError::NotPermitted(failure("the storeroom is locked")));
        }
        if self.0.contested.lock().unwrap().contains(&desired.name) {
            return Err(ProviderError::Conflict(failure("somebody else is building there")));
        }
        if self.0.slow.lock().unwrap().contains(&desired.name) {
            self.0.is_waiting.notify_one();
            self.0.go_on.notified().await;
        }
        let mut built = desired.clone();
        // What is observed is bare, also where the wish is a secret.
        built.lock = desired.lock.as_ref().map(|lock| Value::Known(lock.get().cloned().unwrap_or_default()));
        self.0.shelves.lock().unwrap().insert(built.name.clone(), built);
        Ok(outputs())
    }

    async fn delete(&self, _: &Run, (): &(), identity: &String) -> Result<(), ProviderError> {
        self.0.shelves.lock().unwrap().remove(identity);
        Ok(())
    }
}

fn outputs() -> ShelfOutputs {
    ShelfOutputs { code: "hunter2".to_owned() }
}

impl Hosts<Shelf> for Surveyed {
    fn provider(&self) -> Arc<dyn Provider<Shelf>> {
        Arc::new(Carpenter(Arc::clone(&self.world)))
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StandsStraight {
    shelf: String,
}

impl Proof for StandsStraight {
    const KIND: &'static str = "test-stands-straight/v1";

    fn claim(&self) -> String {
        format!("shelf {} stands straight", self.shelf)
    }
}

#[async_trait]
impl Prover<StandsStraight> for Carpenter {
    async fn prove(&self, _: &Run, proof: &StandsStraight) -> Result<Evidence, ProviderError> {
        if !self.0.shelves.lock().unwrap().contains_key(&proof.shelf) {
            return Err(ProviderError::refused(format!("shelf {} does not stand straight", proof.shelf), "it is not there"));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        let how = "with a spirit level, as visitor".to_owned();
        Ok(Evidence { checks: 2, how, measured: vec!["largest angle: 1 degree".to_owned()] })
    }
}

impl Proves<StandsStraight> for Surveyed {
    fn prover(&self) -> Arc<dyn Prover<StandsStraight>> {
        Arc::new(Carpenter(Arc::clone(&self.world)))
    }
}

/// Shelves, each standing on the one before it, and a proof of the last one.
#[derive(Debug, Clone)]
pub(crate) struct ShelvesScore(pub(crate) Vec<Shelf>);

pub(crate) fn shelf(name: &str, boards: u32) -> Shelf {
    Shelf { name: name.to_owned(), boards, label: format!("shelf {name}"), lock: None, combination: None }
}

impl Score<Surveyed> for ShelvesScore {
    fn name(&self) -> String {
        "shelves".to_owned()
    }

    fn create_interpret(&self) -> Box<dyn Interpret<Surveyed> + '_> {
        Box::new(self)
    }

    /// A shelf can be repaired: a prop stands under it meanwhile.
    fn procedures(&self) -> Vec<Procedure> {
        let repair = |shelf: &Shelf| {
            Procedure::new("repair", format!("wall/{}", shelf.name), format!("repairs shelf {}", shelf.name))
                .with_step(Step::new("prop", "a prop stands under it", "it stands straight").held_for(TimeSpan::milliseconds(1)))
                .with_step(Step::new("clear", "the prop is gone", ""))
        };
        self.0.iter().map(repair).collect()
    }
}

impl Interpret<Surveyed> for &ShelvesScore {
    fn arrange<'t>(&self, _: &'t Inventory, place: &'t Surveyed, stage: &mut Stage<'t>) -> Result<(), ArrangeError> {
        let mut below = Vec::new();
        let mut code: Option<Text> = None;
        for shelf in &self.0 {
            if shelf.boards == 0 {
                let what = format!("shelf `{}` has no boards", shelf.name);
                return Err(ArrangeError::refused(what, vec![], "give it one board at least"));
            }
            let mut shelf = shelf.clone();
            shelf.lock = shelf.lock.and(code);
            let handle = stage.after(&below, |stage| stage.add(place, &shelf.name, &shelf))?;
            if stage.step_of("repair", &format!("wall/{}", shelf.name)) == Some("prop") {
                let prop = self::shelf(&format!("{}-prop", shelf.name), 1);
                stage.add(place, &prop.name, &prop)?;
            }
            code = Some(harmony::text!["user\n", handle.get(&CODE)]);
            below = vec![handle.address().clone()];
        }
        if let Some(last) = self.0.last() {
            stage.prove(place, "straight", &below, &StandsStraight { shelf: last.name.clone() })?;
            stage.note(&last.name, "survives the loss of any one screw");
            stage.next_step("Look at it", Text::from("walk to the warehouse"));
        }
        Ok(())
    }
}
