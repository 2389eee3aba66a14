//! What a place makes of a wish is what is compared, so that its defaults and its rounding are no difference.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use harmony::Scores;
use harmony::engine::plan::Change;
use harmony::provider::{Known, Live, Observation, Provider, ProviderError};
use harmony::resource::{Resource, Shown};
use harmony::run::Run;
use harmony::topology::Hosts;
use harmony_test::{FakePlace, FakeSite, score};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::programs::{change, step};

/// A plank. The place cuts planks to whole tens, and paints those that nobody gave a colour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Plank {
    name: String,
    length: u64,
    colour: Option<String>,
}

impl Resource for Plank {
    const KIND: &'static str = "test-plank/v1";
    const NOUN: &'static str = "plank";
    type Identity = String;
    type Access = ();
    type Outputs = ();

    fn identity(&self) -> String {
        self.name.clone()
    }
}

/// The planks that there are. One world for all tests of this file: each has planks of its own.
static SAWMILL: Mutex<BTreeMap<String, Plank>> = Mutex::new(BTreeMap::new());

struct Sawyer;

fn as_cut(wish: &Plank) -> Plank {
    let colour = wish.colour.clone().unwrap_or_else(|| "brown".to_owned());
    Plank { length: wish.length.next_multiple_of(10), colour: Some(colour), ..wish.clone() }
}

#[async_trait]
impl Provider<Plank> for Sawyer {
    async fn observe(&self, _: &Run, (): &(), wanted: &[Known<Plank>]) -> Result<Vec<Observation<Plank>>, ProviderError> {
        let planks = SAWMILL.lock().unwrap();
        let look = |known: &Known<Plank>| {
            planks.get(&known.identity).map_or(Observation::Absent, |plank| Observation::there(plank.clone(), ()))
        };
        Ok(wanted.iter().map(look).collect())
    }

    async fn preview(&self, _: &Run, (): &(), desired: &Plank, _: Option<&Live<Plank>>) -> Result<Plank, ProviderError> {
        Ok(as_cut(desired))
    }

    async fn apply(&self, _: &Run, (): &(), desired: &Plank, _: Option<&Live<Plank>>) -> Result<(), ProviderError> {
        SAWMILL.lock().unwrap().insert(desired.name.clone(), as_cut(desired));
        Ok(())
    }

    async fn delete(&self, _: &Run, (): &(), identity: &String) -> Result<(), ProviderError> {
        SAWMILL.lock().unwrap().remove(identity);
        Ok(())
    }
}

impl Hosts<Plank> for FakePlace {
    fn provider(&self) -> Arc<dyn Provider<Plank>> {
        Arc::new(Sawyer)
    }
}

fn plank(length: u64) -> Scores<FakePlace> {
    Scores::default().with(score("plank", move |_, place, stage| {
        stage.add(place, "it", &Plank { name: "it".to_owned(), length, colour: None }).map(|_| ())
    }))
}

#[tokio::test]
async fn what_a_place_rounds_and_fills_in_is_shown_and_is_no_difference_afterwards() {
    let site = FakeSite::new();
    let planned = site.plan(&plank(7)).await.unwrap();
    let shown = |path: &str| step(&planned, "fake/it").fields.iter().find(|field| field.path == path).unwrap().desired.clone();
    assert_eq!((shown("/length"), shown("/colour")), (Shown::Value(json!(10)), Shown::Value(json!("brown"))));
    site.apply(&plank(7)).await.unwrap();
    assert_eq!(site.apply(&plank(7)).await.unwrap().writes, 0);
    assert!(!site.plan(&plank(9)).await.unwrap().is_pending(), "another wish for the same thing");
    let planned = site.plan(&plank(11)).await.unwrap();
    assert_eq!(change(&planned, "fake/it"), &Change::Update);
    let field = &step(&planned, "fake/it").fields[0];
    assert_eq!((&field.live, &field.desired), (&Shown::Value(json!(10)), &Shown::Value(json!(20))));
}
