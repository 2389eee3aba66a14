//! Programs that several tests play.

use harmony::engine::plan::{Change, Plan, Step};
use harmony::stage::Stage;
use harmony::{ArrangeError, Scores};
use harmony_test::{FakeAccess, FakePlace, FakeProof, FakeRoom, FakeSecret, FakeStore, FakeThing, score};

/// One Score that adds what `write` adds.
pub(crate) fn program(
    write: impl for<'t> Fn(&'t FakePlace, &mut Stage<'t>) -> Result<(), ArrangeError> + Send + Sync + 'static,
) -> Scores<FakePlace> {
    Scores::default().with(score("program", move |_, place, stage| write(place, stage)))
}

/// Things of these names that do not need each other.
pub(crate) fn things(names: &[&str]) -> Scores<FakePlace> {
    let specs = names.iter().map(|name| FakeThing::new(name)).collect();
    of_things(specs)
}

pub(crate) fn of_things(specs: Vec<FakeThing>) -> Scores<FakePlace> {
    program(move |place, stage| specs.iter().try_for_each(|spec| stage.add(place, &spec.name, spec).map(|_| ())))
}

pub(crate) fn of_stores(specs: Vec<FakeStore>) -> Scores<FakePlace> {
    program(move |place, stage| specs.iter().try_for_each(|spec| stage.add(place, &spec.name, spec).map(|_| ())))
}

/// `c` shows the address of `b`, which shows that of `a`.
pub(crate) fn chain(text_of_a: &'static str) -> Scores<FakePlace> {
    program(move |place, stage| {
        let a = stage.add(place, "a", &FakeThing::new("a").with_text(text_of_a))?;
        let b = stage.add(place, "b", &FakeThing::new("b").with_text(a.get(&FakeThing::URL)))?;
        stage.add(place, "c", &FakeThing::new("c").with_text(b.get(&FakeThing::URL)))?;
        Ok(())
    })
}

/// A `house` with rooms that are reached through it with the secret `key`.
pub(crate) fn house(size: u64, rooms: &'static [&'static str]) -> Scores<FakePlace> {
    program(move |place, stage| {
        let key = stage.add(place, "key", &FakeSecret::new("key"))?;
        let house = stage.add(place, "house", &FakeThing::new("house").with_size(size))?;
        let access = FakeAccess::new(&house, &key);
        for room in rooms {
            stage.add_through(place, &access, room, &FakeRoom::new("house", room))?;
        }
        Ok(())
    })
}

/// `a`, a proof that stands on it, and `b` behind the proof.
pub(crate) fn proven(size_of_a: u64) -> Scores<FakePlace> {
    program(move |place, stage| {
        let a = stage.add(place, "a", &FakeThing::new("a").with_size(size_of_a))?;
        let proof = FakeProof { name: "p".to_owned(), about: a.get(&FakeThing::URL) };
        let proof = stage.prove(place, "proof", &[], &proof)?;
        stage.after(&[proof], |stage| stage.add(place, "b", &FakeThing::new("b")))?;
        Ok(())
    })
}

/// The step at an address.
pub(crate) fn step<'p>(plan: &'p Plan, address: &str) -> &'p Step {
    plan.steps.iter().find(|step| step.address.as_str() == address).unwrap_or_else(|| panic!("no step at {address}"))
}

/// What becomes of the thing at an address.
pub(crate) fn change<'p>(plan: &'p Plan, address: &str) -> &'p Change {
    &step(plan, address).change
}
