//! What has to hold for an arrangement as a whole.

use std::collections::BTreeMap;

use super::write::Stage;
use crate::address::Address;
use crate::arrangement::{Arrangement, What};
use crate::engine::order::Order;
use crate::error::ArrangeError;
use crate::topology::Providers;

impl Stage<'_> {
    /// Assembles what Scores contributed to together, and checks the whole.
    pub(crate) fn finish(mut self) -> Result<(Arrangement, Providers), ArrangeError> {
        self.assemble_all()?;
        // Notes come in the order in which Scores spoke, which must not show.
        self.arrangement.notes.sort();
        self.arrangement.notes.dedup();
        check_references(&self.arrangement)?;
        check_identities(&self.arrangement)?;
        Order::of(&self.arrangement)?;
        Ok((self.arrangement, self.providers))
    }
}

fn check_references(arrangement: &Arrangement) -> Result<(), ArrangeError> {
    for (address, node) in &arrangement.nodes {
        let missing =
            node.references().into_iter().chain(node.after.iter().cloned()).find(|to| !arrangement.nodes.contains_key(to));
        if let Some(to) = missing {
            return Err(ArrangeError::DanglingReference { address: address.clone(), origin: node.origin.clone(), to });
        }
    }
    Ok(())
}

fn check_identities(arrangement: &Arrangement) -> Result<(), ArrangeError> {
    let mut claims: BTreeMap<(&str, &str, String), &Address> = BTreeMap::new();
    for (address, node) in &arrangement.nodes {
        let What::Resource(resource) = &node.what else { continue };
        let key = (node.place.as_str(), resource.kind.as_str(), resource.identity.to_string());
        if let Some(first) = claims.insert(key, address) {
            return Err(ArrangeError::DuplicateIdentity {
                kind: resource.kind.clone(),
                label: resource.label.clone(),
                first_address: first.clone(),
                first: arrangement.nodes[first].origin.clone(),
                second_address: address.clone(),
                second: node.origin.clone(),
            });
        }
    }
    Ok(())
}
