//! Runs that are limited to a part of a site.

use harmony::engine::maestro::EngineError;
use harmony::engine::plan::Plan;
use harmony::engine::scope::Targets;
use harmony::{Inventory, Maestro, Outcome, Scores};
use harmony_test::{FakeAccess, FakePlace, FakeProof, FakeRoom, FakeSecret, FakeSite, FakeThing, score};

/// Two Scores. One has a house with an attic, a chain `a` <- `b` <- `c` with a proof on `b`, and one on all; the other has `other`.
fn site_of(size: u64, old: bool) -> Scores<FakePlace> {
    let first = score("first", move |_, place, stage| {
        let key = stage.add(place, "key", &FakeSecret::new("key"))?;
        let house = stage.add(place, "house", &FakeThing::new("house").with_size(size))?;
        stage.add_through(
            place,
            &FakeAccess::new(&house, &key),
            "attic",
            &FakeRoom { note: format!("{size}").as_str().into(), ..FakeRoom::new("house", "attic") },
        )?;
        stage.within("chain", |stage| {
            let a = stage.add(place, "a", &FakeThing::new("a").with_size(size))?;
            let b = stage.add(place, "b", &FakeThing::new("b").with_size(size).with_text(a.get(&FakeThing::URL)))?;
            stage.prove(place, "proof-of-b", &[b.address().clone()], &FakeProof::new("of b"))?;
            stage.add(place, "c", &FakeThing::new("c").with_size(size).with_text(b.get(&FakeThing::URL)))
        })?;
        let all = ["fake/house".parse()?, "fake/chain/c".parse()?];
        stage.prove(place, "proof-of-all", &all, &FakeProof::new("of all"))?;
        if old {
            let old = stage.add(place, "old", &FakeThing::new("old"))?;
            stage.add(place, "older", &FakeThing::new("older").with_text(old.get(&FakeThing::URL)))?;
            stage.add(place, "gone", &FakeThing::new("gone"))?;
        }
        Ok(())
    });
    let second =
        score("second", move |_, place, stage| stage.add(place, "other", &FakeThing::new("other").with_size(size)).map(|_| ()));
    Scores::default().with(first).with(second)
}

fn limited(site: &FakeSite, targets: &[&str]) -> Maestro {
    site.maestro().with_targets(Targets::new(targets.iter().map(|target| (*target).to_owned())))
}

async fn plan(site: &FakeSite, targets: &[&str], scores: &Scores<FakePlace>) -> Plan {
    limited(site, targets).plan(&Inventory::empty(), &site.place, scores).await.unwrap()
}

async fn apply(site: &FakeSite, targets: &[&str], scores: &Scores<FakePlace>) -> Outcome {
    let outcome = site.apply_with(&limited(site, targets), scores).await.unwrap();
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    outcome
}

fn written(site: &FakeSite) -> Vec<String> {
    let mut log = site.world.take_log();
    log.sort();
    log
}

#[tokio::test]
async fn what_a_target_needs_comes_along_and_nothing_else() {
    for (target, expected) in [
        ("fake/chain/b", vec!["create a", "create b"]),
        ("fake/chain", vec!["create a", "create b", "create c"]),
        ("fake/attic", vec!["create house", "create house.attic", "create key"]),
        ("second", vec!["create other"]),
    ] {
        let site = FakeSite::new();
        apply(&site, &[target], &site_of(1, false)).await;
        assert_eq!(written(&site), expected, "{target}");
        let recorded: Vec<_> = site.entries().into_iter().map(|entry| entry.label).collect();
        assert_eq!(recorded.len(), expected.len(), "only that is written down: {recorded:?}");
    }
}

#[tokio::test]
async fn what_is_left_is_said_and_neither_looked_at_nor_pruned() {
    let site = FakeSite::new();
    site.apply(&site_of(1, true)).await.unwrap();
    site.world.take_log();
    // What is not meant would stand in the way of a whole plan.
    site.world.fail(harmony_test::Call::Observe, "house", harmony_test::Failing::Refused, 9);
    let planned = plan(&site, &["fake/chain/a", "second"], &site_of(2, false)).await;
    let left: Vec<&str> = planned.left.iter().map(harmony::address::Address::as_str).collect();
    let expected = ["attic", "chain/b", "chain/c", "gone", "house", "key", "old", "older"];
    assert_eq!(left, expected.map(|name| format!("fake/{name}")));
    let counts = planned.counts();
    assert_eq!((counts.update, counts.delete, counts.unchanged), (2, 0, 0));
    apply(&site, &["fake/chain/a", "second"], &site_of(2, false)).await;
    assert_eq!(written(&site), ["update a", "update other"]);
    assert_eq!(site.entries().len(), 10, "what was left is still known");
    site.world.heal();
    site.apply(&site_of(2, false)).await.unwrap();
    let rest = ["delete gone", "delete old", "delete older", "update b", "update c", "update house", "update house.attic"];
    assert_eq!(written(&site), rest);
}

#[tokio::test]
async fn proofs_that_stand_on_the_target_alone_are_carried_out_and_the_others_count_unless_something_under_them_changed() {
    let site = FakeSite::new();
    site.apply(&site_of(1, false)).await.unwrap();
    site.world.take_proofs();
    apply(&site, &["second"], &site_of(2, false)).await;
    assert_eq!(site.world.take_proofs(), [""; 0]);
    assert_eq!(plan(&site, &[], &site_of(1, false)).await.counts().prove, 0, "nothing under a proof has changed");
    apply(&site, &["fake/chain/b"], &site_of(2, false)).await;
    assert_eq!(site.world.take_proofs(), ["of b"]);
    let whole = plan(&site, &[], &site_of(2, false)).await;
    assert_eq!(whole.counts().prove, 1, "the proof of all stands on what has changed");
    site.apply(&site_of(2, false)).await.unwrap();
    assert_eq!(site.world.take_proofs(), ["of all"]);
}

#[tokio::test]
async fn what_left_the_program_is_pruned_when_it_is_meant_and_with_it_what_needs_it() {
    let site = FakeSite::new();
    site.apply(&site_of(1, true)).await.unwrap();
    site.world.take_log();
    apply(&site, &["fake/old"], &site_of(2, false)).await;
    assert_eq!(site.world.take_log(), ["delete older", "delete old"]);
    assert_eq!(site.entries().len(), 8);
}

#[tokio::test]
async fn destroying_a_part_takes_what_needs_it_and_leaves_what_it_needs() {
    for (target, expected) in [
        ("fake/chain/b", vec!["delete b", "delete c"]),
        ("fake/attic", vec!["delete house.attic"]),
        ("fake/house", vec!["delete house", "delete house.attic"]),
        ("second", vec!["delete other"]),
    ] {
        let site = FakeSite::new();
        site.apply(&site_of(1, false)).await.unwrap();
        site.apply(&site_of(1, false)).await.unwrap();
        site.world.take_log();
        let before = site.entries().len() - expected.len();
        let prepared = limited(&site, &[target]).prepare_destroy(&site.place).await.unwrap();
        assert_eq!(prepared.plan().left.len(), before, "{target}: {:?}", prepared.plan().left);
        let outcome = prepared.apply().await.unwrap();
        assert!(outcome.failures.is_empty() && outcome.not_begun.is_empty(), "{target}: {outcome:?}");
        assert_eq!(written(&site), expected, "{target}");
        assert_eq!(site.entries().len(), before, "{target}");
        assert!(site.destroy().await.unwrap().failures.is_empty());
        assert!(site.world.identities().is_empty());
    }
}

#[tokio::test]
async fn a_target_that_means_nothing_is_refused_and_the_nearest_are_named() {
    let site = FakeSite::new();
    site.apply(&site_of(1, false)).await.unwrap();
    for (target, near) in [
        ("fake/chian/b", Some("did you mean `fake/chain/b`")),
        ("atic", Some("did you mean `fake/attic`")),
        ("secnd", Some("did you mean `second`")),
        ("zzz", None),
        // The beginning of a name is no part of an address.
        ("fake/cha", Some("`fake/chain`")),
    ] {
        let maestro = limited(&site, &["fake/house", target]);
        let refusals = [
            maestro.plan(&Inventory::empty(), &site.place, &site_of(1, false)).await.err(),
            maestro.prepare_destroy(&site.place).await.err(),
        ];
        for refusal in refusals {
            let Some(error @ EngineError::Target(_)) = refusal else { panic!("{target}: {refusal:?}") };
            assert!(error.to_string().contains(&format!("`{target}` means nothing here")), "{error}");
            let hint = error.hint().unwrap();
            match near {
                Some(near) => assert!(hint.contains(near), "{target}: {hint}"),
                None => assert_eq!(hint, "see `list` for what there is"),
            }
        }
    }
}

#[tokio::test]
async fn a_saved_plan_keeps_its_limit() {
    let site = FakeSite::new();
    site.apply(&site_of(1, true)).await.unwrap();
    let saved = limited(&site, &["second"]).plan_to_save(&Inventory::empty(), &site.place, &site_of(2, false)).await.unwrap();
    site.world.take_log();
    // What it leaves alone may change.
    site.world.edit("fake-thing/v1", "house", |stored| stored.state["size"] = 9.into());
    let prepared = site.maestro().prepare_saved(&saved, &Inventory::empty(), &site.place, &site_of(2, false)).await.unwrap();
    assert_eq!(prepared.plan(), &saved.plan);
    prepared.apply().await.unwrap();
    assert_eq!(written(&site), ["update other"]);
}
