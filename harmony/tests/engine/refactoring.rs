//! Where the program says a thing does not matter to the world.

use harmony::Scores;
use harmony::engine::outcome::Ending;
use harmony_test::{FakeAccess, FakePlace, FakeRoom, FakeSecret, FakeSite, FakeThing, score};

use crate::programs::house;

fn renamed_house(scope: &'static str) -> Scores<FakePlace> {
    let inner = score("the house", |_, place, stage| {
        let key = stage.add(place, "latchkey", &FakeSecret::new("key"))?;
        let house = stage.add(place, "home", &FakeThing::new("house"))?;
        stage.add_through(place, &FakeAccess::new(&house, &key), "loft", &FakeRoom::new("house", "attic")).map(|_| ())
    });
    Scores::default()
        .with(score("a street", move |inventory, place, stage| stage.within(scope, |stage| stage.play(&inner, inventory, place))))
}

#[tokio::test]
async fn other_addresses_and_other_scores_change_nothing_in_the_world() {
    let site = FakeSite::new();
    site.apply(&house(1, &["attic"])).await.unwrap();
    let writes = site.world.writes();
    let outcome = site.apply(&renamed_house("street")).await.unwrap();
    assert_eq!((outcome.ending(), site.world.writes()), (Ending::Converged, writes));
    let before = site.files();
    site.apply(&renamed_house("street")).await.unwrap();
    assert_eq!(site.files(), before, "the second run has nothing to write down");
}

#[tokio::test]
async fn what_was_renamed_can_be_taken_away() {
    let site = FakeSite::new();
    site.apply(&house(1, &["attic"])).await.unwrap();
    site.apply(&renamed_house("street")).await.unwrap();
    let outcome = site.destroy().await.unwrap();
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert!(site.world.identities().is_empty());
}

#[tokio::test]
async fn what_a_renamed_thing_holds_for_other_scores_follows_it() {
    use harmony::{Inventory, Play};
    let site = FakeSite::new();
    site.apply(&house(1, &["attic"])).await.unwrap();
    // Only the holder is played, under another name: the room's entry has to follow.
    let alone = score("alone", |_, place, stage| stage.add(place, "villa", &FakeThing::new("house")).map(|_| ()));
    alone.interpret(&Inventory::empty(), &site.place).await.unwrap();
    let outcome = site.destroy().await.unwrap();
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert!(site.world.identities().is_empty());
}

#[tokio::test]
async fn two_things_can_swap_their_addresses() {
    let site = FakeSite::new();
    let named = |first: &'static str, second: &'static str| {
        crate::programs::program(move |place, stage| {
            stage.add(place, first, &FakeThing::new("one"))?;
            stage.add(place, second, &FakeThing::new("two")).map(|_| ())
        })
    };
    site.apply(&named("x", "y")).await.unwrap();
    assert_eq!(site.apply(&named("y", "x")).await.unwrap().writes, 0);
    let mut addresses: Vec<_> = site.entries().into_iter().map(|entry| (entry.label, entry.address.to_string())).collect();
    addresses.sort();
    assert_eq!(addresses, [("one".to_owned(), "fake/y".to_owned()), ("two".to_owned(), "fake/x".to_owned())]);
}

#[tokio::test]
async fn what_needs_an_address_whose_thing_was_exchanged_has_nothing_to_write_down_later() {
    let site = FakeSite::new();
    let named = |name: &'static str| {
        crate::programs::program(move |place, stage| {
            let it = stage.add(place, "it", &FakeThing::new(name))?;
            stage.after(&[it.address().clone()], |stage| stage.add(place, "behind", &FakeThing::new("behind"))).map(|_| ())
        })
    };
    site.apply(&named("old")).await.unwrap();
    site.apply(&named("new")).await.unwrap();
    let before = site.files();
    site.apply(&named("new")).await.unwrap();
    assert_eq!(site.files(), before, "the entry of `behind` followed the thing that went");
}

#[tokio::test]
async fn a_score_that_only_moved_in_its_file_writes_nothing() {
    let site = FakeSite::new();
    let thing = score("same", |_, place, stage| stage.add(place, "a", &FakeThing::new("a")).map(|_| ()));
    site.apply(&Scores::default().with(thing.clone())).await.unwrap();
    let before = site.files();
    site.apply(&Scores::default().with(thing)).await.unwrap();
    assert_eq!(site.files(), before);
}
