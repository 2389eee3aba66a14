//! What has to hold for an arrangement as a whole.

use std::collections::{BTreeSet, HashMap};

use harmony_types::PlaceName;
use serde_json::Value as Json;

use super::write::Stage;
use crate::address::Address;
use crate::arrangement::{Arrangement, Node, What};
use crate::engine::order::{Knot, Order};
use crate::error::ArrangeError;
use crate::topology::Providers;

impl Stage<'_> {
    /// Assembles what Scores contributed to together, and checks the whole.
    pub(crate) fn finish(mut self) -> Result<(Arrangement, Providers), ArrangeError> {
        self.assemble_all()?;
        self.follow_whereabouts();
        // Notes come in the order in which Scores spoke, which must not show.
        self.arrangement.notes.sort();
        self.arrangement.notes.dedup();
        check_references(&self.arrangement)?;
        check_identities(&self.arrangement)?;
        Ok((self.arrangement, self.providers))
    }
}

impl Stage<'_> {
    /// Lets what lives in something come after it, where the program arranges both.
    fn follow_whereabouts(&mut self) {
        if self.inside.is_empty() {
            return;
        }
        let resources = self.arrangement.nodes.iter().filter_map(|(address, node)| {
            let resource = node.resource()?;
            Some(((node.place.clone(), resource.kind.clone(), resource.identity.to_string()), address.clone()))
        });
        let addresses: HashMap<(PlaceName, String, String), Address> = resources.collect();
        for (address, place, inside) in std::mem::take(&mut self.inside) {
            let Some(node) = self.arrangement.nodes.get_mut(&address) else { continue };
            let holders = inside.into_iter();
            node.after.extend(holders.filter_map(|at| addresses.get(&(place.clone(), at.kind.to_owned(), at.identity))).cloned());
            node.after.sort();
            node.after.dedup();
        }
    }
}

/// Everything that is referred to is there, and nothing waits for itself.
fn check_references(arrangement: &Arrangement) -> Result<(), ArrangeError> {
    let addresses: Vec<&Address> = arrangement.nodes.keys().collect();
    let index: HashMap<&Address, usize> = addresses.iter().enumerate().map(|(at, address)| (*address, at)).collect();
    let mut needs: Vec<Vec<usize>> = Vec::with_capacity(addresses.len());
    for (address, node) in &arrangement.nodes {
        let at = |to: &Address| index.get(to).copied().ok_or_else(|| to.clone());
        let needed = node.references().iter().chain(&node.after).map(at).collect::<Result<BTreeSet<usize>, Address>>();
        let dangling = |to| ArrangeError::DanglingReference { address: address.clone(), origin: node.origin.clone(), to };
        needs.push(needed.map_err(dangling)?.into_iter().collect());
    }
    let said_at = |address: &Address| Some(arrangement.nodes.get(address)?.origin.clone());
    let knotted = |knot: Knot| ArrangeError::cycle(knot.cycle.into_iter().map(|at| addresses[at].clone()).collect(), said_at);
    Order::sort(&needs).map(|_| ()).map_err(knotted)
}

fn check_identities(arrangement: &Arrangement) -> Result<(), ArrangeError> {
    let mut claims: HashMap<(&str, &str, &Json), (&Address, &Node)> = HashMap::with_capacity(arrangement.nodes.len());
    for (address, node) in &arrangement.nodes {
        let What::Resource(resource) = &node.what else { continue };
        let key = (node.place.as_str(), resource.kind.as_str(), &resource.identity);
        if let Some((first_address, first)) = claims.insert(key, (address, node)) {
            return Err(ArrangeError::DuplicateIdentity {
                kind: resource.kind.clone(),
                label: resource.label.clone(),
                first_address: first_address.clone(),
                first: first.origin.clone(),
                second_address: address.clone(),
                second: node.origin.clone(),
            });
        }
    }
    Ok(())
}
