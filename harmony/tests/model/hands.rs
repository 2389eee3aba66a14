//! What other people do to the world of a site.

use harmony::resource::Resource;
use harmony_test::{FakeRoom, FakeStore, FakeThing, Stored, World};
use serde_json::json;

use crate::player::Player;
use crate::program::{Key, SLOTS};
use crate::scenario::Hand;

const HOLD_DATA: [&str; 2] = [FakeStore::KIND, FakeRoom::KIND];

/// Puts something into a thing. What is in a room is in what the room is in.
fn fill(world: &World, key: &Key) {
    let holder = key.1.split('.').next().unwrap_or_default();
    for (kind, name) in [(key.0.as_str(), key.1.as_str()), (FakeStore::KIND, holder)] {
        world.edit(kind, name, |stored| stored.holds = Some("12 apples".to_owned()));
    }
}

impl Player {
    pub(crate) fn hand(&mut self, hand: &Hand) {
        match hand {
            Hand::DeleteAll => return (0..SLOTS).for_each(|slot| self.hand(&Hand::Delete(slot))),
            Hand::CreateAll => return (0..SLOTS).for_each(|slot| self.hand(&Hand::Create(slot))),
            Hand::Earlier(all) if matches!(**all, Hand::DeleteAll | Hand::CreateAll) => return self.hand(all),
            _ => {}
        }
        let (hand, program) = match hand {
            Hand::Earlier(hand) => (hand.as_ref(), self.history.last().unwrap_or(&self.program).clone()),
            hand => (hand, self.program.clone()),
        };
        let world = self.site().world.clone();
        let key = match hand {
            Hand::Noise(number) => Some((FakeThing::KIND.to_owned(), format!("x{number}"))),
            Hand::Fill(slot) | Hand::Change(slot) | Hand::Delete(slot) | Hand::Create(slot) => program.key(*slot),
            Hand::FillAll => {
                world.things().into_keys().filter(|key| HOLD_DATA.contains(&key.0.as_str())).for_each(|key| fill(&world, &key));
                return self.look_at_foreign();
            }
            Hand::DeleteAll | Hand::CreateAll | Hand::Earlier(_) => None,
        };
        let Some(key) = key else { return };
        match hand {
            Hand::Fill(_) if HOLD_DATA.contains(&key.0.as_str()) => fill(&world, &key),
            Hand::Change(_) => world.edit(&key.0, &key.1, |stored| {
                for (field, value) in [("size", json!(99)), ("note", json!("scribbled")), ("length", json!(99))] {
                    if let Some(field) = stored.state.get_mut(field) {
                        *field = value;
                    }
                }
            }),
            Hand::Delete(_) => {
                let inside = format!("{}.", key.1);
                let rooms = world.things().into_keys().filter(|(_, name)| name.starts_with(&inside));
                rooms.chain([key.clone()]).for_each(|(kind, name)| {
                    world.remove(&kind, &name);
                });
                self.numbers.remove(&key.1);
            }
            Hand::Create(_) | Hand::Noise(_) => self.create_by_hand(&key),
            Hand::Fill(_) | Hand::FillAll | Hand::DeleteAll | Hand::CreateAll | Hand::Earlier(_) => {}
        }
        self.look_at_foreign();
    }

    /// What others made is as they left it.
    fn look_at_foreign(&mut self) {
        let things = self.site().world.things();
        self.foreign = self.foreign.keys().filter_map(|key| Some((key.clone(), things.get(key)?.clone()))).collect();
    }

    fn create_by_hand(&mut self, key: &Key) {
        let site = self.site();
        let (kind, name) = (key.0.as_str(), key.1.as_str());
        let things = site.world.things();
        let (holder, room) = name.split_once('.').unwrap_or((name, ""));
        let has_holder =
            things.keys().any(|(kind, name)| name == holder && [FakeThing::KIND, FakeStore::KIND].contains(&kind.as_str()));
        if things.contains_key(key) || (kind == FakeRoom::KIND && !has_holder) {
            return;
        }
        let state = match kind {
            FakeThing::KIND => json!({"name": name, "text": "theirs", "size": 7, "colour": "colour 0", "nature": "nature 0"}),
            FakeStore::KIND => json!({"name": name, "size": 30, "engine": "theirs"}),
            FakeRoom::KIND => json!({"holder": holder, "name": room, "note": "theirs"}),
            "fake-secret/v1" => json!({"name": name, "length": 8}),
            _ => json!({"name": name}),
        };
        let outputs = match kind {
            "fake-secret/v1" => json!({"value": format!("hush-of-{name}")}),
            "fake-port/v1" => json!({"number": 9}),
            FakeThing::KIND | FakeStore::KIND => json!({"url": format!("fake://{name}")}),
            _ => json!(null),
        };
        let stored = Stored { state, outputs, holds: None };
        site.world.put(kind, name, stored.clone());
        if self.entries().contains_key(key) {
            self.anybodys.insert(key.clone());
        } else {
            self.foreign.insert(key.clone(), stored);
        }
    }
}
