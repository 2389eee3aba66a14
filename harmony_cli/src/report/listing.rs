//! The Scores and what each of them becomes.

use harmony::Origin;
use harmony::arrangement::{Arrangement, What};

use super::layout::{Layout, counted, push, visible};
use crate::paint::Hue;

/// Each Score with its source line, and below it the things and proofs that it becomes.
pub(crate) fn listing<'a>(origins: impl Iterator<Item = &'a Origin>, arrangement: &Arrangement, layout: &Layout) -> String {
    let mut page = String::new();
    for origin in origins {
        let own: Vec<_> = arrangement.nodes.iter().filter(|(_, node)| node.origin == *origin).collect();
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
