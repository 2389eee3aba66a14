//! Which step may begin when. The graph of a run is that of the plan, with the edges of deletion turned round.

use std::collections::{BTreeMap, BTreeSet};

use super::items::{ItemKind, Items};
use super::order::Order;
use super::plan::{Change, Step};

/// What is left to do, and what waits for what.
pub(super) struct Schedule {
    waits_for: Vec<usize>,
    releases: Vec<Vec<usize>>,
    ready: BTreeSet<usize>,
    open: usize,
}

impl Schedule {
    pub(super) fn new(items: &Items, steps: &[Step]) -> Self {
        let pending: Vec<bool> = steps.iter().map(|step| step.change.is_pending()).collect();
        let mut needs = strong_edges(items, &pending);
        for weak in [turn_edges(items, steps), holder_edges(items, &pending)] {
            add_unless_circular(&mut needs, &weak);
        }
        let mut releases = vec![Vec::new(); items.len()];
        for (index, list) in needs.iter().enumerate() {
            for need in list {
                releases[*need].push(index);
            }
        }
        let waits_for: Vec<usize> = needs.iter().map(Vec::len).collect();
        let ready = (0..items.len()).filter(|index| waits_for[*index] == 0).collect();
        let mut schedule = Self { waits_for, releases, ready, open: items.len() };
        schedule.pass(&pending);
        schedule
    }

    /// Passes over everything that has nothing to do.
    fn pass(&mut self, pending: &[bool]) {
        let mut idle: Vec<usize> = self.ready.iter().copied().filter(|index| !pending[*index]).collect();
        while let Some(index) = idle.pop() {
            self.ready.remove(&index);
            idle.extend(self.release(index).into_iter().filter(|next| !pending[*next]));
        }
    }

    /// The next step that may begin, the first in the plan's order.
    pub(super) fn begin(&mut self) -> Option<usize> {
        self.ready.pop_first()
    }

    /// A step ended well: what waited for it may begin.
    pub(super) fn finish(&mut self, index: usize, pending: &[bool]) {
        self.release(index);
        self.pass(pending);
    }

    fn release(&mut self, index: usize) -> Vec<usize> {
        self.open -= 1;
        let released = std::mem::take(&mut self.releases[index]);
        let mut ready = Vec::new();
        for next in released {
            self.waits_for[next] -= 1;
            if self.waits_for[next] == 0 {
                self.ready.insert(next);
                ready.push(next);
            }
        }
        ready
    }
}

/// Is the step a deletion, or the striking out of something that is gone?
fn goes(items: &Items, index: usize) -> bool {
    matches!(items.items[index].what, ItemKind::Unwanted { .. })
}

/// What is wanted comes after what it needs; what goes comes after everything that needed it.
fn strong_edges(items: &Items, pending: &[bool]) -> Vec<Vec<usize>> {
    let mut edges = vec![Vec::new(); items.len()];
    for (index, item) in items.items.iter().enumerate() {
        for &need in &item.needs {
            if !goes(items, index) {
                edges[index].push(need);
            } else if goes(items, need) && pending[need] {
                edges[need].push(index);
            }
        }
    }
    edges
}

/// What goes leaves before what it lives in is changed: afterwards it might not be reached any more.
fn holder_edges(items: &Items, pending: &[bool]) -> Vec<(usize, usize)> {
    let mut edges = Vec::new();
    for (index, item) in items.items.iter().enumerate().filter(|(index, _)| goes(items, *index)) {
        edges.extend(item.needs.iter().filter(|need| !goes(items, **need) && pending[**need]).map(|need| (*need, index)));
    }
    edges
}

/// In each group, changes come after what is made, and one after another.
fn turn_edges(items: &Items, steps: &[Step]) -> Vec<(usize, usize)> {
    let mut groups: BTreeMap<&str, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (index, item) in items.items.iter().enumerate() {
        let Some(turn) = &item.turn else { continue };
        let (made, changed) = groups.entry(turn).or_default();
        match steps[index].change {
            Change::Create => made.push(index),
            Change::Update | Change::Replace { .. } | Change::UnknownUntil { .. } => changed.push(index),
            _ => {}
        }
    }
    let mut edges = Vec::new();
    for (made, changed) in groups.into_values() {
        edges.extend(changed.first().into_iter().flat_map(|first| made.iter().map(|make| (*first, *make))));
        edges.extend(changed.windows(2).map(|pair| (pair[1], pair[0])));
    }
    edges
}

/// Adds edges (`from` waits for `to`) where they close no circle: they are preferences, and a circle would hold up the run.
fn add_unless_circular(needs: &mut [Vec<usize>], edges: &[(usize, usize)]) {
    for (from, to) in edges {
        needs[*from].push(*to);
    }
    if Order::sort(needs).is_ok() {
        return;
    }
    for (from, to) in edges {
        if let Some(at) = needs[*from].iter().rposition(|need| need == to) {
            needs[*from].remove(at);
        }
    }
    for (from, to) in edges {
        needs[*from].push(*to);
        if Order::sort(needs).is_err() {
            needs[*from].pop();
        }
    }
}
