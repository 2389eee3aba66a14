//! A procedure goes from state to state, and holds the one it has reached until it is run again.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use harmony::engine::ledger::Ledger;
use harmony::engine::maestro::EngineError;
use harmony::procedure::{Procedure, Step, Underway};
use harmony::stage::Stage;
use harmony::{ArrangeError, Interpret, Inventory, Outcome, Score, Scores};
use harmony_io::{Faults, Injected, Io, Point};
use harmony_test::{Call, Failing, FakePlace, FakeProof, FakeSite, FakeThing, FileOnDisk};
use harmony_types::TimeSpan;

/// A shelf of this size, that can be repainted: a sheet is laid under it, it is painted, the sheet is taken away.
#[derive(Clone)]
struct Shelf {
    name: &'static str,
    size: u64,
    /// A file that is there while it is painted.
    sign: Option<std::path::PathBuf>,
}

impl Shelf {
    fn new(name: &'static str) -> Self {
        Self { name, size: 1, sign: None }
    }

    fn repaint(&self) -> Procedure {
        Procedure::new("repaint", format!("shelf/{}", self.name), "paints a shelf")
            .with_step(Step::new("sheet", "a sheet lies under it", "nothing drips"))
            .with_step(Step::new("paint", "it has a new colour", "it is dry").held_for(TimeSpan::milliseconds(1)))
            .with_step(Step::new("clear", "the sheet is gone", ""))
    }
}

impl Score<FakePlace> for Shelf {
    fn name(&self) -> String {
        format!("shelf {}", self.name)
    }

    fn create_interpret(&self) -> Box<dyn Interpret<FakePlace> + '_> {
        Box::new(|_: &Inventory, place: &FakePlace, stage: &mut Stage<'_>| self.arrange(place, stage))
    }

    fn procedures(&self) -> Vec<Procedure> {
        vec![self.repaint()]
    }
}

impl Shelf {
    fn arrange(&self, place: &FakePlace, stage: &mut Stage<'_>) -> Result<(), ArrangeError> {
        let step = stage.step_of("repaint", &format!("shelf/{}", self.name)).map(str::to_owned);
        let sheet = format!("{}-sheet", self.name);
        let mut text = "bare";
        if let Some("sheet" | "paint") = step.as_deref() {
            stage.add(place, &sheet, &FakeThing::new(&sheet))?;
            if let Some(sign) = &self.sign {
                stage.add(place, "sign", &FileOnDisk { path: sign.clone(), contents: "wet".into() })?;
            }
            text = if step.as_deref() == Some("paint") { "wet" } else { "covered" };
        }
        let shelf = stage.add(place, self.name, &FakeThing::new(self.name).with_size(self.size).with_text(text))?;
        let proof = FakeProof { name: format!("{}-stands", self.name), about: shelf.get(&FakeThing::URL) };
        stage.prove(place, &format!("{}-proof", self.name), &[], &proof)?;
        Ok(())
    }
}

fn shop(shelves: &[Shelf]) -> Scores<FakePlace> {
    shelves.iter().cloned().fold(Scores::default(), Scores::with)
}

async fn repaint(site: &FakeSite, shelves: &[Shelf], at: usize) -> Result<Outcome, EngineError> {
    let (maestro, scores) = (site.maestro(), shop(shelves));
    let on = (&Inventory::empty(), &site.place, &scores);
    maestro.prepare_procedure(on, &shelves[at].repaint(), None).await?.carry_out().await
}

fn underway(site: &FakeSite) -> Vec<(String, String)> {
    let ledger = Ledger::load(&Io::real(), &site.site.state).unwrap();
    ledger.underway().iter().map(|underway| (underway.subject.clone(), underway.step.clone())).collect()
}

fn stands(subject: &str, step: &str) -> Vec<(String, String)> {
    vec![(subject.to_owned(), step.to_owned())]
}

/// A shop in which painting low fails.
async fn stuck_shop(shelves: &[Shelf]) -> FakeSite {
    let site = FakeSite::new();
    site.apply(&shop(shelves)).await.unwrap();
    site.world.watch({
        let world = site.world.clone();
        move |happened| {
            if format!("{happened:?}").contains("low-sheet") {
                world.fail(Call::Apply, "low", Failing::Refused, 1);
            }
        }
    });
    let outcome = repaint(&site, shelves, 0).await.unwrap();
    assert_eq!(outcome.failures.len(), 1);
    site.world.heal();
    site.world.take_log();
    site
}

#[tokio::test]
async fn each_state_is_brought_about_and_proven_before_the_next_one() {
    let (site, low) = (FakeSite::new(), [Shelf::new("low")]);
    site.apply(&shop(&low)).await.unwrap();
    site.world.take_log();
    site.world.take_proofs();
    let outcome = repaint(&site, &low, 0).await.unwrap();
    assert!(outcome.is_complete(), "{outcome:?}");
    assert_eq!(site.world.take_log(), ["update low", "create low-sheet", "update low", "update low", "delete low-sheet"]);
    assert_eq!(site.world.take_proofs(), ["low-stands"; 3]);
    assert_eq!((outcome.counts.create, outcome.counts.update, outcome.counts.delete, outcome.writes), (1, 3, 1, 5));
    assert!(underway(&site).is_empty());
    assert!(!site.plan(&shop(&low)).await.unwrap().is_pending());
}

#[tokio::test]
async fn a_procedure_changes_nothing_but_its_own() {
    let (site, mut low) = (FakeSite::new(), [Shelf::new("low")]);
    site.apply(&shop(&low)).await.unwrap();
    low[0].size = 2;
    let error = repaint(&site, &low, 0).await.unwrap_err();
    assert!(matches!(&error, EngineError::NotAtRest { steps, .. } if steps.len() == 1), "{error:?}");
    assert_eq!(error.to_string(), "repaint shelf/low cannot begin: 1 thing of the site is not as its Scores say");
    assert!(underway(&site).is_empty());
}

#[tokio::test]
async fn what_it_has_reached_holds_under_apply_until_it_is_run_again() {
    let low = [Shelf::new("low")];
    let site = stuck_shop(&low).await;
    assert_eq!(underway(&site), stands("shelf/low", "paint"));
    site.events.take();
    let plan = site.plan(&shop(&low)).await.unwrap();
    assert_eq!(plan.counts().delete, 0, "a plan does not take away what the procedure needs");
    let said = site.events.take().concat();
    assert!(
        said.contains("`repaint shelf/low` is under way, at step 2 of 3 (paint), whose state holds: go on with `run "),
        "{said}"
    );
    let outcome = site.apply(&shop(&low)).await.unwrap();
    assert!(outcome.is_complete());
    assert_eq!(underway(&site), stands("shelf/low", "paint"));
    assert_eq!(site.apply(&shop(&low)).await.unwrap().writes, 0);
    assert!(site.world.find("fake-thing/v1", "low-sheet").is_some());
    assert!(repaint(&site, &low, 0).await.unwrap().is_complete());
    assert!(underway(&site).is_empty() && site.world.find("fake-thing/v1", "low-sheet").is_none());
}

#[tokio::test]
async fn what_cannot_be_looked_at_is_no_reason_to_begin() {
    let low = [Shelf::new("low")];
    let site = FakeSite::new();
    site.apply(&shop(&low)).await.unwrap();
    site.world.fail(Call::Observe, "low", Failing::Refused, 1);
    assert!(matches!(repaint(&site, &low, 0).await, Err(EngineError::Observe { .. })));
    assert!(underway(&site).is_empty());
}

#[tokio::test]
async fn a_procedure_that_no_score_offers_any_more_ends_with_the_next_apply() {
    let low = [Shelf::new("low")];
    let site = stuck_shop(&low).await;
    let high = shop(&[Shelf::new("high")]);
    site.events.take();
    assert!(site.plan(&high).await.is_ok());
    let said = site.events.take().concat();
    assert!(said.contains("`repaint shelf/low` has begun, and no Score offers it any more"), "{said}");
    assert_eq!(underway(&site), stands("shelf/low", "paint"), "a plan changes nothing");
    assert!(site.apply(&high).await.unwrap().is_complete());
    assert!(underway(&site).is_empty());
    assert_eq!(site.world.identities(), ["high"]);
}

#[tokio::test]
async fn a_score_may_be_edited_while_a_procedure_is_under_way() {
    let mut low = [Shelf::new("low")];
    let site = stuck_shop(&low).await;
    low[0].size = 7;
    assert!(site.apply(&shop(&low)).await.unwrap().is_complete());
    assert_eq!(underway(&site), stands("shelf/low", "paint"));
    assert!(repaint(&site, &low, 0).await.unwrap().is_complete());
    assert!(!site.plan(&shop(&low)).await.unwrap().is_pending());
}

#[tokio::test]
async fn two_procedures_may_be_under_way_and_each_holds_its_own_state() {
    let both = [Shelf::new("low"), Shelf::new("high")];
    let site = stuck_shop(&both).await;
    assert!(matches!(repaint(&site, &both, 1).await, Err(EngineError::NotAtRest { .. })), "low is still to be painted");
    assert!(site.apply(&shop(&both)).await.unwrap().is_complete());
    assert!(repaint(&site, &both, 1).await.unwrap().is_complete());
    assert_eq!(underway(&site), stands("shelf/low", "paint"));
    assert!(site.world.find("fake-thing/v1", "low-sheet").is_some());
    assert!(repaint(&site, &both, 0).await.unwrap().is_complete());
    assert_eq!(site.world.identities(), ["high", "low"]);
}

#[tokio::test]
async fn a_stop_ends_the_holding_and_the_next_run_waits_for_the_rest() {
    let (site, low) = (FakeSite::new(), [Shelf::new("low")]);
    let (maestro, scores, inventory) = (site.maestro(), shop(&low), Inventory::empty());
    site.apply(&scores).await.unwrap();
    let on = (&inventory, &site.place, &scores);
    let prepared = maestro.prepare_procedure(on, &low[0].repaint(), Some(TimeSpan::hours(1))).await.unwrap();
    let stopper = prepared.stopper();
    let stop = async {
        while !site.events.take().concat().contains("procedure_holds") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stopper.stop();
    };
    let (outcome, ()) = tokio::join!(prepared.carry_out(), stop);
    assert!(outcome.unwrap().interrupted);
    assert_eq!(underway(&site), stands("shelf/low", "paint"));
    let reached = |site: &FakeSite| Ledger::load(&Io::real(), &site.site.state).unwrap().underway()[0].clone();
    assert!(matches!(reached(&site), Underway { reached: Some(_), held_for: Some(span), .. } if span == TimeSpan::hours(1)));
    assert!(site.apply(&scores).await.unwrap().is_complete());
    assert!(reached(&site).reached.is_some(), "an apply does not begin the time anew");
    let prepared = maestro.prepare_procedure(on, &low[0].repaint(), Some(TimeSpan::milliseconds(1))).await.unwrap();
    assert!(prepared.carry_out().await.unwrap().is_complete());
    assert!(underway(&site).is_empty());
}

#[tokio::test]
async fn destroying_ends_it() {
    let low = [Shelf::new("low")];
    let site = stuck_shop(&low).await;
    assert!(site.destroy().await.unwrap().is_complete());
    assert!(underway(&site).is_empty() && site.world.identities().is_empty());
}

/// Fails at one numbered point.
struct FailAt(u64);

impl Faults for FailAt {
    fn at(&self, point: Point<'_>) -> Injected {
        if point.number == self.0 { Injected::Fail(ErrorKind::StorageFull) } else { Injected::Nothing }
    }
}

/// A shop in which low, with a sign on the disk, is repainted through `io`.
async fn repaint_through(io: Io) -> (FakeSite, [Shelf; 1]) {
    let site = FakeSite::new();
    let low = [Shelf { sign: Some(site.directory().join("sign")), ..Shelf::new("low") }];
    site.apply(&shop(&low)).await.unwrap();
    let site = site.reopened(io);
    let _ = repaint(&site, &low, 0).await;
    (site, low)
}

#[tokio::test]
async fn a_procedure_that_fails_at_any_point_is_gone_on_with() {
    let io = Io::real();
    let (site, _) = repaint_through(io.clone()).await;
    assert!(underway(&site).is_empty());
    assert!(io.points() > 60, "too few points to be a test: {}", io.points());
    // Each point costs several runs, all of which wait for the disk; the offset is none that points come in.
    for number in (1..=io.points()).step_by(3) {
        let (site, low) = repaint_through(Io::with_faults(Arc::new(FailAt(number)))).await;
        let site = site.reopened(Io::real());
        // Every second time somebody applies in between.
        if number % 2 == 0 {
            let outcome = site.apply(&shop(&low)).await.unwrap_or_else(|error| panic!("point {number}: {error}"));
            assert!(outcome.is_complete(), "point {number}: {outcome:?}");
            assert!(!site.plan(&shop(&low)).await.unwrap().is_pending(), "point {number}");
        }
        if !underway(&site).is_empty() {
            let outcome = repaint(&site, &low, 0).await.unwrap_or_else(|error| panic!("point {number}: {error}"));
            assert!(outcome.is_complete(), "point {number}: {:?}", outcome.failures);
        }
        assert!(underway(&site).is_empty(), "point {number}");
        assert!(site.apply(&shop(&low)).await.unwrap().is_complete(), "point {number}");
        assert_eq!(site.world.identities(), ["low"], "point {number}");
        assert!(!site.directory().join("sign").exists(), "point {number}");
        assert_eq!(site.apply(&shop(&low)).await.unwrap().writes, 0, "point {number}");
    }
}
