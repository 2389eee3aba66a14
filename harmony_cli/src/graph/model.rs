//! Boxes, in groups by place and Score, and the arrows between them.

use std::collections::{BTreeMap, BTreeSet};

use harmony::Origin;
use harmony::address::Address;
use harmony::arrangement::{Arrangement, Node, What};

use super::components::{components, without_implied};

/// How much of an arrangement a graph shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// One box for each thing: what has a common address but for its last segment. Things of one Score that need each other are one box.
    Things,
    /// One box for each resource and proof.
    All,
}

/// Boxes and arrows, in the same order for the same arrangement. An arrow is left out where a way of several arrows says the same: a site of
/// a hundred things has a thousand needs, and most of them follow from others.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// The groups, by place and Score.
    pub(crate) groups: Vec<Group>,
    pub(crate) boxes: Vec<GraphBox>,
    pub(crate) arrows: Vec<Arrow>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group {
    pub(crate) place: String,
    // In the order of the program: what stands on the others is said later, most often.
    file: String,
    line: u32,
    score: String,
}

#[derive(Debug)]
pub(crate) struct GraphBox {
    /// The group it is in, as an index.
    pub(crate) group: usize,
    pub(crate) shape: Shape,
    pub(crate) title: String,
    /// What stands below the title.
    pub(crate) lines: Vec<String>,
    pub(crate) members: Vec<Address>,
}

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    Resource,
    Proof,
}

/// From what is needed to what needs it, as indices of boxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrow {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) need: Need,
}

/// Why one comes after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// A value of it is used.
    Reference,
    /// Only the order is wanted.
    Gate,
}

/// How many rows a box has at most.
const MOST_ROWS: usize = 12;

/// What becomes one box: the same group, the same shape, and what is above the last segment of the address.
type ThingKey = (Group, Shape, String);

impl Graph {
    /// The graph of an arrangement.
    pub(crate) fn of(arrangement: &Arrangement, depth: Depth) -> Self {
        let mut things: BTreeMap<ThingKey, Vec<&Address>> = BTreeMap::new();
        for (address, node) in &arrangement.nodes {
            things.entry(key(address, node, depth)).or_default().push(address);
        }
        let needs = |things: &[Vec<&Address>]| needs_between(arrangement, things);
        let (keys, things): (Vec<ThingKey>, Vec<Vec<&Address>>) = things.into_iter().unzip();
        let joined = match depth {
            Depth::Things => joined(&keys, &needs(&things)),
            Depth::All => (0..keys.len()).map(|thing| vec![thing]).collect(),
        };
        let members: Vec<Vec<&Address>> =
            joined.iter().map(|parts| parts.iter().flat_map(|part| things[*part].iter().copied()).collect()).collect();
        let needs = needs(&members);
        let arrows = without_implied(members.len(), &needs.keys().copied().collect());
        let groups: Vec<Group> = keys.iter().map(|(group, ..)| group.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        let boxes = joined.iter().zip(&members).map(|(parts, members)| {
            let (group, shape, _) = &keys[parts[0]];
            let group = groups.binary_search(group).unwrap_or_default();
            let (title, lines) = match &parts[..] {
                [only] => words(arrangement, &keys[*only], members),
                _ => words_of_joined(parts.iter().map(|part| (&keys[*part], things[*part].len()))),
            };
            GraphBox { group, shape: *shape, title, lines, members: members.iter().map(|address| (*address).clone()).collect() }
        });
        let boxes = boxes.collect();
        let arrows = arrows.into_iter().map(|(from, to)| Arrow { from, to, need: needs[&(from, to)] }).collect();
        Self { groups, boxes, arrows }
    }
}

impl Group {
    /// The group as people call it.
    pub(crate) fn title(&self) -> String {
        format!("{}: {}", self.place, self.origin())
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin::new(&self.score, &self.file, self.line)
    }

    fn of(node: &Node) -> Self {
        let origin = &node.origin;
        Self { place: node.place.to_string(), file: origin.file.clone(), line: origin.line, score: origin.score.clone() }
    }
}

fn key(address: &Address, node: &Node, depth: Depth) -> ThingKey {
    let group = Group::of(node);
    let shape = if node.resource().is_some() { Shape::Resource } else { Shape::Proof };
    let own = below_place(address, &group.place);
    let thing = match (depth, own.rsplit_once('/')) {
        (Depth::Things, Some((above, _))) => above,
        _ => own,
    };
    (group, shape, thing.to_owned())
}

fn below_place<'a>(address: &'a Address, place: &str) -> &'a str {
    address.as_str().strip_prefix(place).and_then(|rest| rest.strip_prefix('/')).unwrap_or(address.as_str())
}

/// Between which things there are needs; one that is both is a reference.
fn needs_between(arrangement: &Arrangement, things: &[Vec<&Address>]) -> BTreeMap<(usize, usize), Need> {
    let of: BTreeMap<&Address, usize> =
        things.iter().enumerate().flat_map(|(index, members)| members.iter().map(move |member| (*member, index))).collect();
    let mut needs = BTreeMap::new();
    for (address, node) in &arrangement.nodes {
        let references = node.references().into_iter().map(|needed| (needed, Need::Reference));
        let gates = node.after.iter().cloned().map(|needed| (needed, Need::Gate));
        for (needed, need) in references.chain(gates) {
            let (Some(&from), Some(&to)) = (of.get(&needed), of.get(address)) else { continue };
            if from != to {
                let known = needs.entry((from, to)).or_insert(need);
                *known = need.min(*known);
            }
        }
    }
    needs
}

/// Which things become one box: those of one group and shape that need each other.
fn joined(keys: &[ThingKey], needs: &BTreeMap<(usize, usize), Need>) -> Vec<Vec<usize>> {
    let alike = |(from, to): &(usize, usize)| keys[*from].0 == keys[*to].0 && keys[*from].1 == keys[*to].1;
    let edges: BTreeSet<(usize, usize)> = needs.keys().filter(|edge| alike(edge)).copied().collect();
    let mut joined: Vec<Vec<usize>> = Vec::new();
    let mut at = BTreeMap::new();
    for (thing, component) in components(keys.len(), &edges).into_iter().enumerate() {
        let index = *at.entry(component).or_insert_with(|| {
            joined.push(Vec::new());
            joined.len() - 1
        });
        joined[index].push(thing);
    }
    joined
}

/// Title and rows of one thing.
fn words(arrangement: &Arrangement, (group, shape, thing): &ThingKey, members: &[&Address]) -> (String, Vec<String>) {
    let [only] = members else { return (thing.clone(), vec![counted(members.len(), *shape)]) };
    let row = arrangement.nodes.get(*only).map(|node| match &node.what {
        What::Resource(resource) => resource.kind.split('/').next().unwrap_or_default().to_owned(),
        What::Proof(proof) => proof.claim.clone(),
    });
    (below_place(only, &group.place).to_owned(), row.into_iter().collect())
}

/// Title and rows of things that need each other.
fn words_of_joined<'a>(things: impl ExactSizeIterator<Item = (&'a ThingKey, usize)>) -> (String, Vec<String>) {
    let title = format!("{} things that need each other", things.len());
    let mut rows: Vec<String> =
        things.map(|((_, shape, thing), members)| format!("{thing}: {}", counted(members, *shape))).collect();
    if rows.len() > MOST_ROWS {
        let more = rows.len() - MOST_ROWS;
        rows.truncate(MOST_ROWS);
        rows.push(format!("and {more} more"));
    }
    (title, rows)
}

fn counted(count: usize, shape: Shape) -> String {
    let noun = match shape {
        Shape::Resource => "resource",
        Shape::Proof => "proof",
    };
    crate::report::counted(count, noun)
}
