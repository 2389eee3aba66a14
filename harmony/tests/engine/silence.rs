//! Places that do not answer, among others that do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use harmony::engine::maestro::EngineError;
use harmony::engine::outcome::Ending;
use harmony::engine::plan::{Change, Plan};
use harmony::engine::status::State;
use harmony::provider::Failure;
use harmony::topology::{Providers, Site, Topology};
use harmony::{Inventory, Outcome, Scores};
use harmony_test::{FakePlace, FakeProof, FakeSite, FakeThing, score_on};
use harmony_types::PlaceName;

use crate::programs::change;

const WHY: &str = "failed to look at far: connection refused";

/// A place that answers and one that may not.
struct Pair {
    near: FakePlace,
    far: FakePlace,
    is_silent: AtomicBool,
}

impl Topology for Pair {
    fn name(&self) -> &PlaceName {
        self.near.name()
    }

    fn site(&self) -> &Site {
        self.near.site()
    }

    fn register(&self, providers: &mut Providers) {
        self.near.register(providers);
        self.far.register(providers);
        if self.is_silent.load(Ordering::Relaxed) {
            let failure = Failure::new("failed to look at far", "connection refused").with_hint("switch it on");
            providers.note_silence(self.far.name(), failure);
        }
    }
}

struct Fixture {
    site: FakeSite,
    pair: Pair,
}

impl Fixture {
    fn new() -> Self {
        let site = FakeSite::new();
        let place = |name: &str| FakePlace::new(name.parse().unwrap(), &site.site, &site.world);
        let pair = Pair { near: place("near"), far: place("far"), is_silent: AtomicBool::new(false) };
        Self { site, pair }
    }

    fn far_answers(&self, answers: bool) {
        self.pair.is_silent.store(!answers, Ordering::Relaxed);
    }

    async fn plan(&self, scores: &Scores<Pair>) -> Plan {
        self.site.maestro().plan(&Inventory::empty(), &self.pair, scores).await.unwrap()
    }

    async fn apply(&self, scores: &Scores<Pair>) -> Outcome {
        self.site.maestro().prepare(&Inventory::empty(), &self.pair, scores).await.unwrap().apply().await.unwrap()
    }

    async fn destroy(&self) -> Outcome {
        self.site.maestro().prepare_destroy(&self.pair).await.unwrap().apply().await.unwrap()
    }

    fn recorded(&self) -> BTreeMap<String, bool> {
        self.site.entries().into_iter().map(|entry| (entry.address.to_string(), entry.made)).collect()
    }
}

/// Near are `free` of this size, which nothing of far is needed for, and `router`, which says where `gate` is; far are `gate`, which says
/// where `road` is, and `attic` if it is wanted. One proof is about the router, the other one about what is free.
fn program(size: u64, attic: bool) -> Scores<Pair> {
    Scores::default().with(score_on::<Pair, _>("program", move |_, pair, stage| {
        let free = stage.add(&pair.near, "free", &FakeThing::new("free").with_size(size))?;
        let road = stage.add(&pair.near, "road", &FakeThing::new("road"))?;
        let gate = stage.add(&pair.far, "gate", &FakeThing::new("gate").with_text(road.get(&FakeThing::URL)))?;
        let router = stage.add(&pair.near, "router", &FakeThing::new("router").with_text(gate.get(&FakeThing::URL)))?;
        if attic {
            stage.add(&pair.far, "attic", &FakeThing::new("attic"))?;
        }
        let about = |name: &str, thing: &harmony::resource::Handle<FakeThing>| FakeProof {
            name: name.to_owned(),
            about: thing.get(&FakeThing::URL),
        };
        stage.prove(&pair.near, "routed", &[], &about("routed", &router))?;
        stage.prove(&pair.near, "freed", &[], &about("freed", &free)).map(|_| ())
    }))
}

fn strings(addresses: &[harmony::address::Address]) -> Vec<&str> {
    addresses.iter().map(harmony::address::Address::as_str).collect()
}

#[tokio::test]
async fn of_a_place_that_does_not_answer_nothing_is_known_and_of_the_others_everything() {
    let fixture = Fixture::new();
    fixture.apply(&program(1, true)).await;
    fixture.far_answers(false);
    let plan = fixture.plan(&program(2, false)).await;
    let unreachable = Change::Unreachable { why: WHY.to_owned() };
    assert_eq!((change(&plan, "far/gate"), change(&plan, "far/attic")), (&unreachable, &unreachable), "wanted or not");
    assert_eq!(change(&plan, "near/free"), &Change::Update);
    assert_eq!(change(&plan, "near/road"), &Change::None);
    assert_eq!(change(&plan, "near/router"), &Change::UnknownUntil { until: vec!["far/gate".parse().unwrap()] });
    let silence = &plan.silent[0];
    assert_eq!((silence.place.as_str(), silence.why.as_str(), silence.hint.as_deref()), ("far", WHY, Some("switch it on")));
    assert_eq!(strings(&silence.things), ["far/gate", "far/attic"]);
    assert_eq!(strings(&plan.waiting), ["near/routed", "near/router"]);
    let begins: Vec<&str> = plan.beginning().map(|step| step.address.as_str()).collect();
    assert_eq!(begins, ["near/free", "near/freed"]);
}

#[tokio::test]
async fn what_needs_nothing_of_a_silent_place_is_changed_and_all_else_left_until_it_answers() {
    let fixture = Fixture::new();
    fixture.apply(&program(1, true)).await;
    let recorded = fixture.recorded();
    fixture.far_answers(false);
    fixture.site.world.remove("fake-thing/v1", "attic");
    fixture.site.world.edit("fake-thing/v1", "gate", |gate| gate.state["size"] = 9.into());
    fixture.site.world.take_log();
    let outcome = fixture.apply(&program(2, false)).await;
    assert_eq!(fixture.site.world.take_log(), ["update free"]);
    assert_eq!((outcome.ending(), outcome.writes, outcome.is_complete()), (Ending::Failed, 1, false));
    assert_eq!((outcome.silent.len(), strings(&outcome.waiting)), (1, vec!["near/routed", "near/router"]));
    assert!(outcome.not_begun.is_empty() && outcome.failures.is_empty(), "{outcome:?}");
    assert_eq!(outcome.proofs.iter().map(|proved| proved.claim.as_str()).collect::<Vec<_>>(), ["freed holds"]);
    assert_eq!(fixture.recorded(), recorded, "nothing of it was forgotten");

    fixture.far_answers(true);
    let outcome = fixture.apply(&program(2, false)).await;
    assert_eq!(fixture.site.world.take_log(), ["update gate"]);
    assert_eq!((outcome.ending(), outcome.counts.forget), (Ending::Changed, 1), "what is gone is seen to be gone");
    assert_eq!(fixture.plan(&program(2, false)).await.pending().count(), 0);
}

#[tokio::test]
async fn a_run_that_can_do_nothing_for_a_silent_place_writes_nothing_and_forgets_no_proof() {
    let fixture = Fixture::new();
    fixture.apply(&program(1, true)).await;
    fixture.far_answers(false);
    let before = fixture.site.files();
    let outcome = fixture.apply(&program(1, true)).await;
    assert_eq!((outcome.ending(), outcome.writes, outcome.proofs.len()), (Ending::Failed, 0, 0));
    assert_eq!(fixture.site.files(), before);
    fixture.far_answers(true);
    let outcome = fixture.apply(&program(1, true)).await;
    assert_eq!((outcome.ending(), outcome.counts.holding), (Ending::Converged, 2));
}

#[tokio::test]
async fn a_proof_under_which_something_changed_meanwhile_is_carried_out_when_the_place_answers() {
    let fixture = Fixture::new();
    let about_both = |size: u64| {
        Scores::default().with(score_on::<Pair, _>("program", move |_, pair, stage| {
            let free = stage.add(&pair.near, "free", &FakeThing::new("free").with_size(size))?;
            let gate = stage.add(&pair.far, "gate", &FakeThing::new("gate"))?;
            let after = [free.address().clone(), gate.address().clone()];
            stage.prove(&pair.near, "both", &after, &FakeProof::new("both")).map(|_| ())
        }))
    };
    fixture.apply(&about_both(1)).await;
    fixture.site.world.take_proofs();
    fixture.far_answers(false);
    assert_eq!(fixture.apply(&about_both(2)).await.writes, 1);
    assert!(fixture.site.world.take_proofs().is_empty(), "it needs what nobody can look at");
    fixture.far_answers(true);
    assert_eq!(fixture.apply(&about_both(2)).await.writes, 0);
    assert_eq!(fixture.site.world.take_proofs(), ["both"]);
}

#[tokio::test]
async fn what_was_never_made_waits_too() {
    let fixture = Fixture::new();
    fixture.far_answers(false);
    fixture.apply(&program(1, true)).await;
    assert_eq!(fixture.site.world.identities(), ["free", "road"]);
    assert_eq!(fixture.recorded(), [("near/free".to_owned(), true), ("near/road".to_owned(), true)].into());
    fixture.far_answers(true);
    assert_eq!(fixture.apply(&program(1, true)).await.counts.create, 3);
}

#[tokio::test]
async fn what_a_silent_place_needs_is_not_taken_away_before_it_answers() {
    let fixture = Fixture::new();
    fixture.apply(&program(1, true)).await;
    fixture.far_answers(false);
    fixture.site.world.take_log();
    let outcome = fixture.destroy().await;
    let mut log = fixture.site.world.take_log();
    log.sort();
    assert_eq!(log, ["delete free", "delete router"], "the gate still needs the road");
    assert_eq!((outcome.ending(), strings(&outcome.waiting)), (Ending::Failed, vec!["near/road"]));
    let left = ["far/attic", "far/gate", "near/road"].map(|address| (address.to_owned(), true));
    assert_eq!(fixture.recorded(), left.into());
    fixture.far_answers(true);
    assert_eq!(fixture.destroy().await.counts.delete, 3);
    assert!(fixture.site.world.identities().is_empty() && fixture.site.entries().is_empty());
}

#[tokio::test]
async fn status_and_verify_tell_a_silent_place_from_one_whose_things_are_gone() {
    let fixture = Fixture::new();
    fixture.apply(&program(1, true)).await;
    fixture.far_answers(false);
    let (inventory, scores, maestro) = (Inventory::empty(), program(1, true), fixture.site.maestro());
    let standings = maestro.status(&inventory, &fixture.pair, &scores).await.unwrap();
    let state = |address: &str| &standings.iter().find(|standing| standing.address.as_str() == address).unwrap().state;
    let unreachable = State::Unreachable { why: WHY.to_owned() };
    let until = State::UnknownUntil { until: vec!["far/gate".parse().unwrap()] };
    assert_eq!((state("far/attic"), state("far/gate")), (&unreachable, &unreachable));
    assert_eq!((state("near/router"), state("near/routed")), (&until, &until));
    assert_eq!((state("near/free"), state("near/freed")), (&State::AsItShould, &State::AsItShould));

    let outcome = maestro.verify(&inventory, &fixture.pair, &scores).await.unwrap();
    assert_eq!((outcome.silent.len(), outcome.proofs.len(), outcome.is_complete()), (1, 2, false), "{outcome:?}");
    assert!(outcome.not_begun.is_empty(), "nothing that can be looked at differs");
}

#[tokio::test]
async fn what_needs_every_place_is_refused_while_one_is_silent() {
    let fixture = Fixture::new();
    fixture.far_answers(false);
    let refused = fixture.site.maestro().plan_to_save(&Inventory::empty(), &fixture.pair, &program(1, true)).await;
    let Err(error @ EngineError::Silent { .. }) = refused else { panic!("it was not refused") };
    assert_eq!(error.to_string(), format!("far does not answer: {WHY}"));
    assert_eq!(error.hint().as_deref(), Some("switch it on"));
}

#[tokio::test]
async fn a_silent_place_that_the_run_has_nothing_to_do_with_does_not_matter() {
    let fixture = Fixture::new();
    fixture.far_answers(false);
    let near_only = Scores::default().with(score_on::<Pair, _>("program", |_, pair, stage| {
        stage.add(&pair.near, "free", &FakeThing::new("free")).map(|_| ())
    }));
    let outcome = fixture.apply(&near_only).await;
    assert_eq!((outcome.ending(), outcome.silent.len()), (Ending::Changed, 0));
}
