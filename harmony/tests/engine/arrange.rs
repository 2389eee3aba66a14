//! What Scores become together, and what is refused.

use std::collections::BTreeSet;
use std::error::Error;

use harmony::engine::maestro::Maestro;
use harmony::explain::chain;
use harmony::stage::{Stage, Thing};
use harmony::{ArrangeError, Interpret, Inventory, Score, Scores};
use harmony_test::{FakeAccess, FakePlace, FakeProof, FakeRoom, FakeSecret, FakeSite, FakeThing, score};

use crate::programs::program;

fn arrange(scores: &Scores<FakePlace>) -> Result<harmony::arrangement::Arrangement, ArrangeError> {
    Maestro::arrange(&Inventory::empty(), &FakeSite::new().place, scores)
}

/// The refusal in words, with the lines of this file as `LINE`, and its advice.
fn refusal(scores: &Scores<FakePlace>) -> String {
    let error = arrange(scores).unwrap_err();
    let text = format!("{}\nhint: {}", chain(&error), error.hint().unwrap_or_default());
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(".rs:") {
        plain.push_str(&rest[..at]);
        plain.push_str(".rs:LINE");
        rest = rest[at + 4..].trim_start_matches(|character: char| character.is_ascii_digit());
    }
    plain + rest
}

fn adds(name: &'static str, thing: &'static str) -> impl Score<FakePlace> + 'static {
    score(name, move |_, place, stage| stage.add(place, name, &FakeThing::new(thing)).map(|_| ()))
}

#[test]
fn two_claims_on_one_thing_are_refused_with_both_lines() {
    insta::assert_snapshot!(refusal(&Scores::default().with(adds("one", "x")).with(adds("two", "x"))), @r"
    `fake/one` of one (harmony/tests/engine/arrange.rs:LINE) and `fake/two` of two (harmony/tests/engine/arrange.rs:LINE) are both fake-thing/v1 `x`
    hint: remove one of the two, or share it through one Score
    ");
}

#[test]
fn two_things_at_one_address_are_refused_with_both_lines() {
    let other = score("other", |_, place, stage| stage.add(place, "one", &FakeThing::new("y")).map(|_| ()));
    insta::assert_snapshot!(refusal(&Scores::default().with(adds("one", "x")).with(other)), @r"
    other (harmony/tests/engine/arrange.rs:LINE) cannot be arranged: two things are called `fake/one`: one of one (harmony/tests/engine/arrange.rs:LINE), one of other (harmony/tests/engine/arrange.rs:LINE)
    hint: give one of them another name, or put it into a scope of its own
    ");
}

#[test]
fn two_places_with_one_name_are_refused() {
    struct Two(FakePlace, FakePlace);
    impl harmony::topology::Topology for Two {
        fn name(&self) -> &harmony_types::PlaceName {
            self.0.name()
        }
        fn site(&self) -> &harmony::topology::Site {
            self.0.site()
        }
        fn register(&self, _: &mut harmony::topology::Providers) {}
    }
    struct On(&'static str);
    impl Score<Two> for On {
        fn name(&self) -> String {
            format!("on the {}", self.0)
        }
        fn create_interpret(&self) -> Box<dyn Interpret<Two> + '_> {
            Box::new(|_: &Inventory, two: &Two, stage: &mut Stage<'_>| {
                let place = if self.0 == "first" { &two.0 } else { &two.1 };
                stage.add(place, self.0, &FakeThing::new(self.0)).map(|_| ())
            })
        }
    }
    let (first, second) = (FakeSite::new(), FakeSite::new());
    let two = Two(first.place, second.place);
    let error = Maestro::arrange(&Inventory::empty(), &two, &Scores::default().with(On("first")).with(On("second"))).unwrap_err();
    let text = error.source().unwrap().to_string();
    assert!(text.starts_with("two places are called `fake`: one of on the first (harmony/tests/engine/arrange.rs:"), "{text}");
    assert!(text.contains(", one of on the second (harmony/tests/engine/arrange.rs:"), "{text}");
    insta::assert_snapshot!(error.hint().unwrap(), @"give every place its own name: the Ledger tells them apart by it");
    let scores: Vec<&str> = error.origins().iter().map(|origin| origin.score.as_str()).collect();
    assert_eq!(scores, ["on the second", "on the first"], "both lines are shown");
}

#[tokio::test]
async fn what_a_place_cannot_do_is_refused_before_anything_is_looked_at() {
    let site = FakeSite::new();
    let scores = program(|place, stage| {
        stage.add(place, "a", &FakeThing::new("a"))?;
        let (place, what) = ("fake".to_owned(), "fly".to_owned());
        Err(ArrangeError::Unsupported { place, what, alternative: "choose one with wings".to_owned() })
    });
    insta::assert_snapshot!(refusal(&scores), @r"
    program (harmony/tests/engine/programs.rs:LINE) cannot be arranged: place `fake` cannot fly
    hint: choose one with wings
    ");
    assert!(site.apply(&scores).await.is_err() && site.plan(&scores).await.is_err());
    assert_eq!((site.world.observations(), site.world.writes(), site.site.state.exists()), (0, 0, false));
}

#[test]
fn a_reference_to_what_nobody_arranges_is_refused() {
    let scores = program(|place, stage| {
        stage.after(&["fake/ghost".parse()?], |stage| stage.add(place, "a", &FakeThing::new("a")).map(|_| ()))
    });
    insta::assert_snapshot!(refusal(&scores), @r"
    `fake/a` of program (harmony/tests/engine/programs.rs:LINE) refers to `fake/ghost`, which nobody arranges
    hint: arrange it in the same program, or take the value from the inventory
    ");
}

#[test]
fn things_that_wait_for_each_other_are_refused() {
    let scores = program(|place, stage| {
        stage.after(&["fake/b".parse()?], |stage| stage.add(place, "a", &FakeThing::new("a")))?;
        stage.after(&["fake/a".parse()?], |stage| stage.add(place, "b", &FakeThing::new("b"))).map(|_| ())
    });
    insta::assert_snapshot!(refusal(&scores), @r"
    these wait for each other: fake/a -> fake/b -> fake/a
    hint: let one of them not wait for the next: take away a reference or a gate between two of them
    ");
}

#[test]
fn a_name_that_is_no_name_is_refused() {
    let scores = program(|place, stage| stage.add(place, "two words", &FakeThing::new("a")).map(|_| ()));
    insta::assert_snapshot!(refusal(&scores), @r"
    program (harmony/tests/engine/programs.rs:LINE) cannot be arranged: `fake/two words` is not an address
    hint: write segments of visible characters without `/`, joined by `/`
    ");
}

/// A choir that one Score declares and others send singers to.
struct Choir;

impl Thing for Choir {
    const NOUN: &'static str = "choir";
    type Fragment = &'static str;
    type Built = harmony::resource::Handle<FakeThing>;
}

fn declares() -> impl Score<FakePlace> + 'static {
    score("declares", |_, place, stage| {
        stage.within("music", |stage| {
            stage.declare::<Choir>("choir", move |singers, stage| {
                let voices: BTreeSet<_> = singers.iter().map(|singer| singer.fragment).collect();
                let text: Vec<_> = voices.into_iter().collect();
                stage.add(place, "choir", &FakeThing::new("choir").with_text(text.join(" and ")))
            })
        })
    })
}

fn sings(voice: &'static str) -> impl Score<FakePlace> + 'static {
    score(voice, move |_, place, stage| {
        stage.contribute::<Choir>("choir", voice);
        stage.note(voice, "sings");
        stage.within(voice, |stage| {
            stage.follow::<Choir>("choir", move |choir, stage| {
                stage.add(place, "seat", &FakeThing::new(&format!("seat-{voice}")).with_text(choir.get(&FakeThing::URL)))?;
                Ok(())
            });
            Ok(())
        })
    })
}

#[test]
fn contributions_in_any_order_become_the_same_bytes() {
    let scores = || Scores::default().with(declares()).with(sings("alto")).with(sings("bass")).with(sings("tenor"));
    let json = |order: &[usize]| serde_json::to_string_pretty(&arrange(&scores().reordered(order)).unwrap()).unwrap();
    // The lines at which Scores are added differ only between calls, and here they are all added on one.
    let first = json(&[0, 1, 2, 3]);
    assert!(first.contains("alto and bass and tenor"), "{first}");
    let mut orders = 0;
    for order in permutations(4) {
        assert_eq!(json(&order), first, "{order:?}");
        orders += 1;
    }
    assert_eq!(orders, 24);
}

fn permutations(length: usize) -> Vec<Vec<usize>> {
    if length == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(length - 1);
    let insert = |order: &Vec<usize>, at: usize| [&order[..at], &[length - 1], &order[at..]].concat();
    shorter.iter().flat_map(|order| (0..length).map(move |at| insert(order, at))).collect()
}

#[test]
fn what_is_said_later_is_said_from_where_the_score_spoke() {
    let arranged = arrange(&Scores::default().with(declares()).with(sings("alto"))).unwrap();
    let addresses: Vec<&str> = arranged.nodes.keys().map(harmony::address::Address::as_str).collect();
    assert_eq!(addresses, ["fake/alto/seat", "fake/music/choir"]);
    assert_eq!(arranged.nodes[&"fake/alto/seat".parse().unwrap()].origin.score, "alto");
}

#[test]
fn speaking_of_what_nobody_declares_is_refused() {
    insta::assert_snapshot!(refusal(&Scores::default().with(sings("alto"))), @r"
    alto (harmony/tests/engine/arrange.rs:LINE) speaks of the choir `choir`, which no Score declares
    hint: add the Score that declares the choir `choir`, or correct the name
    ");
}

#[test]
fn declaring_twice_is_refused_with_both_lines() {
    insta::assert_snapshot!(refusal(&Scores::default().with(declares()).with(declares())), @r"
    declares (harmony/tests/engine/arrange.rs:LINE) cannot be arranged: the choir `choir` is declared twice: by declares (harmony/tests/engine/arrange.rs:LINE) and by declares (harmony/tests/engine/arrange.rs:LINE)
    hint: keep one declaration and let the other Score contribute to it
    ");
}

/// A stage is built for a choir when it is assembled, and somebody follows the choir from there.
struct Podium;

impl Thing for Podium {
    const NOUN: &'static str = "podium";
    type Fragment = ();
    type Built = ();
}

#[test]
fn what_is_assembled_later_can_follow_what_was_assembled_before_but_not_add_to_it() {
    let podium = |late: bool| {
        score("podium", move |_, place, stage| {
            stage.declare::<Podium>("podium", move |_, stage| {
                if late {
                    stage.contribute::<Choir>("choir", "late");
                }
                stage.follow::<Choir>("choir", move |choir, stage| {
                    stage.add(place, "podium", &FakeThing::new("podium").with_text(choir.get(&FakeThing::URL))).map(|_| ())
                });
                Ok(())
            })
        })
    };
    assert_eq!(arrange(&Scores::default().with(declares()).with(podium(false))).unwrap().nodes.len(), 2);
    insta::assert_snapshot!(refusal(&Scores::default().with(declares()).with(podium(true))), @r"
    podium (harmony/tests/engine/arrange.rs:LINE) contributes to the choir `choir` after it was assembled
    hint: contribute while the Score is arranged, not while something else is assembled (said by podium (harmony/tests/engine/arrange.rs:LINE))
    ");
}

#[test]
fn the_arrangement_has_this_form() {
    let scores = program(|place, stage| {
        let key = stage.allowing_loss(|stage| stage.add(place, "key", &FakeSecret::new("key")))?;
        let secret = key.get(&FakeSecret::VALUE);
        let house = stage.one_at_a_time("houses", |stage| {
            let text = harmony::text!["a", "b ", secret.clone().quoted(harmony::value::Syntax::GoJson), " c"];
            stage.add(place, "house", &FakeThing::new("house").with_text(text))
        })?;
        let proof = FakeProof { name: "p".to_owned(), about: harmony::text![secret.digest()] };
        let proof = stage.prove(place, "proof", &[house.address().clone()], &proof)?;
        let room = FakeRoom { note: key.get(&FakeSecret::VALUE).base64(), ..FakeRoom::new("house", "attic") };
        stage.after(&[proof], |stage| stage.add_through(place, &FakeAccess::new(&house, &key), "attic", &room))?;
        stage.note("house", "is red");
        stage.next_step("visit", house.get(&FakeThing::URL));
        Ok(())
    });
    let mut arranged = arrange(&scores).unwrap();
    arranged.nodes.values_mut().for_each(|node| node.origin = harmony::Origin::new(&node.origin.score, &node.origin.file, 1));
    let json = serde_json::to_value(&arranged).unwrap();
    insta::assert_snapshot!("arrangement", serde_json::to_string_pretty(&json).unwrap());
    assert_eq!(serde_json::from_value::<harmony::arrangement::Arrangement>(json).unwrap(), arranged);
}

/// A capability in the form that the style guide asks for.
trait Sings: harmony::topology::Hosts<FakeThing> {
    fn arrange_song(&self, title: &str, stage: &mut Stage<'_>) -> Result<(), ArrangeError>;
}

impl Sings for FakePlace {
    fn arrange_song(&self, title: &str, stage: &mut Stage<'_>) -> Result<(), ArrangeError> {
        stage.add(self, title, &FakeThing::new(title)).map(|_| ())
    }
}

#[test]
fn a_capability_can_be_a_trait_object() {
    let scores = program(|place, stage| {
        let singer: &dyn Sings = place;
        singer.arrange_song("tune", stage)?;
        stage.add(singer, "hum", &FakeThing::new("hum")).map(|_| ())
    });
    assert_eq!(arrange(&scores).unwrap().nodes.len(), 2);
}
