//! Which step may begin when. The graph of a run is that of the plan, with the edges of deletion turned round.

use std::collections::{BTreeMap, BTreeSet};

use super::items::{ItemKind, Items};
use super::observe::Observed;
use super::order::Order;
use super::plan::Change;
use crate::resource::Loss;

/// What is left to do, and what waits for what.
pub(super) struct Schedule {
    pending: Vec<bool>,
    waits_for: Vec<usize>,
    releases: Vec<Vec<usize>>,
    ready: BTreeSet<usize>,
    /// What does not begin, because nobody can say what becomes of it: it is not looked at again either.
    dark: Vec<bool>,
}

impl Schedule {
    pub(super) fn new(items: &Items, found: &Observed) -> Self {
        let needs = edges(items, found);
        let mut releases = vec![Vec::new(); items.len()];
        for (index, list) in needs.iter().enumerate() {
            for need in list {
                releases[*need].push(index);
            }
        }
        let pending = found.verdicts.iter().map(|step| step.change.is_pending()).collect();
        let waits_for: Vec<usize> = needs.iter().map(Vec::len).collect();
        let free: Vec<usize> = (0..items.len()).filter(|index| waits_for[*index] == 0).collect();
        let mut schedule = Self { pending, waits_for, releases, ready: BTreeSet::new(), dark: found.is_dim.clone() };
        schedule.offer(free);
        schedule
    }

    /// The next step that may begin, the first in the plan's order.
    pub(super) fn begin(&mut self) -> Option<usize> {
        self.ready.pop_first()
    }

    /// What does not begin because a place does not answer: what is in it, and everything that waits for that.
    pub(super) fn held_up(&self) -> Vec<bool> {
        let mut held_up = self.dark.clone();
        let mut queue: Vec<usize> = (0..held_up.len()).filter(|index| held_up[*index]).collect();
        while let Some(index) = queue.pop() {
            for &next in &self.releases[index] {
                if !std::mem::replace(&mut held_up[next], true) {
                    queue.push(next);
                }
            }
        }
        held_up
    }

    /// A step ended well: what waited for it may begin.
    pub(super) fn finish(&mut self, index: usize) {
        let free = self.release(index);
        self.offer(free);
    }

    /// What waits for nothing any more may begin; what has nothing to do is passed over.
    fn offer(&mut self, mut free: Vec<usize>) {
        while let Some(index) = free.pop() {
            if self.pending[index] {
                // What does not begin lets nothing begin that waits for it.
                self.ready.extend((!self.dark[index]).then_some(index));
            } else {
                free.extend(self.release(index));
            }
        }
    }

    fn release(&mut self, index: usize) -> Vec<usize> {
        let mut released = std::mem::take(&mut self.releases[index]);
        released.retain(|next| {
            self.waits_for[*next] -= 1;
            self.waits_for[*next] == 0
        });
        released
    }
}

/// For each item what it waits for.
fn edges(items: &Items, found: &Observed) -> Vec<Vec<usize>> {
    let mut needs = order_of_needs(items, found);
    let groups = groups(items, found, &needs);
    for (later, earlier) in groups.iter().flat_map(Group::turns) {
        needs[later].push(earlier);
    }
    let preferred: Vec<(usize, usize)> =
        groups.iter().flat_map(Group::made_before_changed).chain(around_holders(items, found)).collect();
    add_unless_circular(&mut needs, &preferred);
    needs
}

/// Is the step a deletion, or the striking out of something that is gone?
fn goes(items: &Items, index: usize) -> bool {
    matches!(items.items[index].what, ItemKind::Unwanted { .. }) && !items.items[index].stays
}

/// Whether `index` should go, and could not be looked at because `need` did not let through. A secret that goes too lets through only until
/// it is gone.
fn is_behind(items: &Items, index: usize, need: usize, found: &Observed) -> bool {
    let is_unseen = found.live[index].is_none() && matches!(found.verdicts[index].change, Change::Delete { .. });
    let lets_in = |at: usize| items.items[at].loss() != Loss::Secret || !goes(items, at);
    is_unseen && items.items[index].through.contains(&need) && lets_in(need)
}

/// What is wanted comes after what it needs; what goes comes after everything that needed it.
fn order_of_needs(items: &Items, found: &Observed) -> Vec<Vec<usize>> {
    let mut edges = vec![Vec::new(); items.len()];
    for (index, item) in items.items.iter().enumerate() {
        for &need in &item.needs {
            if !goes(items, index) {
                edges[index].push(need);
            } else if goes(items, need) && !is_behind(items, index, need, found) {
                edges[need].push(index);
            }
        }
    }
    edges
}

/// What goes leaves before what it lives in is changed: afterwards it might not be reached any more. If it is not reached now, it is the
/// other way round.
fn around_holders(items: &Items, found: &Observed) -> Vec<(usize, usize)> {
    let mut edges = Vec::new();
    for (index, item) in items.items.iter().enumerate().filter(|(index, _)| goes(items, *index)) {
        for &need in item.needs.iter().filter(|need| found.verdicts[**need].change.is_pending()) {
            if is_behind(items, index, need, found) {
                edges.push((index, need));
            } else if !goes(items, need) {
                edges.push((need, index));
            }
        }
    }
    edges
}

/// The things of a group in which only one at a time is changed: those that are made, and those that are changed, in an order that
/// follows their needs.
#[derive(Default)]
struct Group {
    made: Vec<usize>,
    changed: Vec<usize>,
}

fn groups(items: &Items, found: &Observed, needs: &[Vec<usize>]) -> Vec<Group> {
    let Ok(order) = Order::sort(needs) else { return Vec::new() };
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for index in order.sequence {
        let Some(turn) = &items.items[index].turn else { continue };
        let group = groups.entry(turn).or_default();
        match found.verdicts[index].change {
            Change::Create => group.made.push(index),
            Change::Update | Change::Replace { .. } | Change::UnknownUntil { .. } => group.changed.push(index),
            _ => {}
        }
    }
    groups.into_values().collect()
}

impl Group {
    /// Each change waits for the one before it. This closes no circle, because their order follows their needs.
    fn turns(&self) -> impl Iterator<Item = (usize, usize)> {
        self.changed.windows(2).map(|pair| (pair[1], pair[0]))
    }

    /// The first change waits for everything that is made.
    fn made_before_changed(&self) -> impl Iterator<Item = (usize, usize)> {
        self.changed.first().into_iter().flat_map(|first| self.made.iter().map(|made| (*first, *made)))
    }
}

/// Adds edges (`from` waits for `to`) except where they would close circles: they are preferences, and a circle would hold up the run.
fn add_unless_circular(needs: &mut [Vec<usize>], edges: &[(usize, usize)]) {
    let before: Vec<usize> = needs.iter().map(Vec::len).collect();
    for (from, to) in edges {
        needs[*from].push(*to);
    }
    let Err(knot) = Order::sort(needs) else { return };
    let knotted: BTreeSet<usize> = knot.members.into_iter().collect();
    for from in &knotted {
        let own = before[*from];
        let kept: Vec<usize> = needs[*from].drain(own..).filter(|to| !knotted.contains(to)).collect();
        needs[*from].extend(kept);
    }
}
