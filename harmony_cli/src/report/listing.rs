//! The Scores and what each of them becomes.

use std::collections::BTreeMap;

use harmony::Origin;
use harmony::address::Address;
use harmony::arrangement::{Arrangement, Node, What};

use super::layout::{Layout, counted, push, visible};
use crate::paint::Hue;

/// What a Score becomes.
pub(super) type Own<'a> = Vec<(&'a Address, &'a Node)>;

/// Each Score with its source line, and below it the things and proofs that it becomes.
pub(crate) fn listing<'a>(origins: impl Iterator<Item = &'a Origin>, arrangement: &'a Arrangement, layout: &Layout) -> String {
    let mut page = String::new();
    for (origin, own) in by_score(origins, arrangement) {
        let resources = own.iter().filter(|(_, node)| node.resource().is_some()).count();
        let place = layout.text(Hue::Dim, &format!("{}:{}", origin.file, origin.line));
        let counts = format!("{}, {}", counted(resources, "resource"), counted(own.len() - resources, "proof"));
        push(&mut page, &format!("{}  {place}  {counts}", layout.text(Hue::Bold, &visible(&origin.score))));
        for (address, node) in own {
            let what = match &node.what {
                What::Resource(resource) => format!("{} {}", resource.kind, resource.label),
                What::Proof(proof) => format!("proves: {}", proof.claim),
            };
            let used = 4 + address.as_str().chars().count();
            push(&mut page, &format!("  {address}  {}", layout.fit(&visible(&what), used)));
        }
    }
    if page.is_empty() {
        push(&mut page, "This program has no Scores.");
    }
    page
}

/// What each Score becomes, in the order of the Scores; Scores of one name that one line adds are one.
pub(super) fn by_score<'a>(
    origins: impl Iterator<Item = &'a Origin>,
    arrangement: &'a Arrangement,
) -> Vec<(&'a Origin, Own<'a>)> {
    let mut all: BTreeMap<&Origin, Own<'a>> = BTreeMap::new();
    for (address, node) in &arrangement.nodes {
        all.entry(&node.origin).or_default().push((address, node));
    }
    let mut seen = std::collections::BTreeSet::new();
    let first_of_each = origins.filter(|origin| seen.insert(*origin)).collect::<Vec<_>>();
    first_of_each.into_iter().map(|origin| (origin, all.remove(origin).unwrap_or_default())).collect()
}
