//! What a run leaves behind, and what another one makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use harmony::Inventory;
use harmony::resource::Resource;
use harmony_test::{FakeSite, FakeThing, Stored};
use serde_json::json;

use crate::player::{Player, maestro};
use crate::program::Key;
use crate::reached;
use crate::record::{End, Record, Snapshot, is_shared};
use crate::rules::Broken;

impl Player {
    /// What a run that went well leaves behind: exactly what is wanted, all of it proven, and nothing to do.
    pub(crate) async fn is_as_wanted(&mut self, record: &Record) -> Result<(), Broken> {
        let things = &record.after.things;
        let number = |name: &str| -> u64 {
            let entry = record.after.entries.get(&("fake-port/v1".to_owned(), name.to_owned()));
            entry.and_then(|entry| entry.kept.as_ref()?["number"].as_u64()).unwrap_or_default()
        };
        let value = |name: &str| -> String {
            let stored = things.get(&("fake-secret/v1".to_owned(), name.to_owned()));
            stored.and_then(|stored| stored.outputs["value"].as_str()).unwrap_or("nothing").to_owned()
        };
        let expected = record.program.expected(&value, &number);
        for (key, state) in &expected {
            let is = things.get(key).map(|stored| &stored.state);
            if is != Some(state) {
                return Err(format!("{} is {is:?}, and should be {state}", key.1));
            }
        }
        let left = things.keys().find(|key| !expected.contains_key(*key) && !is_shared(key) && !self.foreign.contains_key(*key));
        if let Some(left) = left {
            return Err(format!("{} is left, and nobody wants it", left.1));
        }
        for slot in record.program.all().filter(|slot| record.program.key(*slot).is_none()) {
            let (name, about) = (record.program.name(slot).unwrap(), record.program.about(slot));
            if self.proven.get(&name) != Some(&about) {
                return Err(format!("{name} is taken for proven, and is not: {:?}", record.events));
            }
        }
        // A choice that was only in an answer is lost with it.
        let hears = record.conditions.is_undisturbed();
        let made = record.writes().filter(|(did, _)| hears && *did == "create").map(|(_, key)| key.1.clone()).collect();
        self.numbers_stand(&record.after, &number, &made)?;
        if record.destroys { Ok(()) } else { self.is_quiet().await }
    }

    /// The number of a port is written down when it is chosen, and does not change while the port stands.
    fn numbers_stand(&mut self, now: &Snapshot, number: &dyn Fn(&str) -> u64, made: &BTreeSet<String>) -> Result<(), Broken> {
        let ports: BTreeMap<String, u64> = now
            .things
            .keys()
            .filter(|key| key.0 == "fake-port/v1" && now.entries.contains_key(*key))
            .map(|key| (key.1.clone(), number(&key.1)))
            .collect();
        for (port, number) in &ports {
            let was = self.numbers.get(port);
            let chosen = now.things[&("fake-port/v1".to_owned(), port.clone())].outputs["number"].as_u64();
            if made.contains(port) && chosen != Some(*number) {
                return Err(format!("the number of {port} is {chosen:?}, and the Ledger says {number}"));
            }
            if was.is_some_and(|was| was != number) {
                return Err(format!("the number of {port} was {was:?} and is {number}"));
            }
        }
        self.numbers = ports;
        Ok(())
    }

    /// Another plan shows nothing, and another run does nothing.
    async fn is_quiet(&self) -> Result<(), Broken> {
        let site = self.site();
        let (files, things) = (site.files(), site.world.things());
        site.world.take_proofs();
        site.world.take_log();
        let plan = site.plan(&self.program.scores(true)).await.map_err(|error| format!("a second plan: {error:?}"))?;
        if let Some(step) = plan.pending().next() {
            return Err(format!("a second plan shows {step:?}"));
        }
        let outcome = site.apply(&self.program.scores(true)).await.map_err(|error| format!("a second run: {error:?}"))?;
        let (wrote, proved) = (site.world.take_log(), site.world.take_proofs());
        if outcome.writes != 0 || !wrote.is_empty() || !proved.is_empty() || !outcome.failures.is_empty() {
            return Err(format!("a second run did {wrote:?} {proved:?} {:?}", outcome.failures));
        }
        if files != site.files() || things != site.world.things() {
            return Err("a second run wrote something down".into());
        }
        Ok(())
    }

    /// One step at a time, everything said in the other order, things of others around: the plan and its end are the same.
    pub(crate) async fn twin_does_the_same(&self, twin: FakeSite, record: &Record) -> Result<(), Broken> {
        let noise = json!({"name": "noise", "text": "", "size": 1, "colour": "red", "nature": "plain"});
        let noise = Stored { state: noise, outputs: json!({"url": "fake://noise"}), holds: None };
        ["0-noise", "z-noise"].iter().for_each(|name| twin.world.put(FakeThing::KIND, name, noise.clone()));
        let maestro = maestro(&twin, &record.conditions, &record.allowed).with_side_by_side(NonZeroUsize::MIN);
        let scores = record.program.scores(true);
        let inventory = Inventory::empty();
        let prepared = match record.destroys {
            true => maestro.prepare_destroy(&twin.place).await,
            false => maestro.prepare(&inventory, &twin.place, &scores).await,
        };
        let (Ok(prepared), Some(plan)) = (prepared, &record.plan) else { return Ok(()) };
        reached::note("twin");
        if prepared.plan() != plan {
            return Err(format!("a twin's plan is another: {:?}\nand not {plan:?}", prepared.plan()));
        }
        let ended = prepared.apply().await;
        let same = match (&record.end, &ended) {
            (End::Finished(one), Ok(other)) => one.counts == other.counts && one.failures.len() == other.failures.len(),
            (End::Failed(_), Err(_)) => true,
            _ => false,
        };
        let things =
            |things: BTreeMap<Key, Stored>| -> Vec<Key> { things.into_keys().filter(|key| !key.1.ends_with("noise")).collect() };
        if same && things(twin.world.things()) == things(record.after.things.clone()) {
            Ok(())
        } else {
            Err(format!("a twin's end is another: {ended:?}\nand not {:?}", record.end))
        }
    }
}
