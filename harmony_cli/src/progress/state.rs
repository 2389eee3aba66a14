//! What is known of a run while it runs.

use std::collections::BTreeMap;
use std::time::Instant;

use harmony::address::Address;
use harmony::engine::events::Event;

use super::voice::SILENCE;

/// What is known of a run while it runs.
pub(super) struct State {
    /// What is done, over how many things, since when; nothing before and after the run.
    pub(super) phase: Option<Phase>,
    /// What has begun and not ended.
    pub(super) running: BTreeMap<Address, Running>,
    /// How many things of the phase have ended, well or not.
    pub(super) ended: usize,
    pub(super) failed: usize,
    last_said: Instant,
}

pub(super) struct Phase {
    pub(super) name: &'static str,
    pub(super) count: usize,
    pub(super) since: Instant,
}

pub(super) struct Running {
    pub(super) doing: &'static str,
    pub(super) label: String,
    pub(super) since: Instant,
    /// What it said last: what it does or waits for.
    pub(super) reason: Option<String>,
}

impl State {
    pub(super) fn new(now: Instant) -> Self {
        Self { phase: None, running: BTreeMap::new(), ended: 0, failed: 0, last_said: now }
    }

    pub(super) fn note(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Phase { phase, count } => {
                self.phase = Some(Phase { name: phase, count: *count, since: now });
                (self.ended, self.failed) = (0, 0);
            }
            Event::Started { address, doing, label } => {
                let running = Running { doing, label: label.clone(), since: now, reason: None };
                self.running.insert(address.clone(), running);
            }
            Event::Progress { address, what } => {
                if let Some(running) = self.running.get_mut(address) {
                    running.reason = Some(what.clone());
                }
            }
            Event::Finished { address, .. } | Event::Left { address, .. } => {
                self.running.remove(address);
                self.ended += 1;
            }
            Event::Failed { address, .. } => {
                self.running.remove(address);
                self.ended += 1;
                self.failed += 1;
            }
            _ => {}
        }
    }

    pub(super) fn end(&mut self) {
        self.phase = None;
        self.running.clear();
    }

    pub(super) fn said(&mut self, now: Instant) {
        self.last_said = now;
    }

    /// Whether something is under way and nothing has been said for too long.
    pub(super) fn is_silent(&self, now: Instant) -> bool {
        self.phase.is_some() && now.saturating_duration_since(self.last_said) >= SILENCE
    }

    /// What runs, longest first.
    pub(super) fn longest(&self) -> Vec<&Running> {
        let mut running: Vec<&Running> = self.running.values().collect();
        running.sort_by_key(|running| running.since);
        running
    }
}
