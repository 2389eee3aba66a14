//! Addresses that something else takes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::entry::{Entry, Key};
use super::record::Ledger;
use crate::address::Address;

/// What the address of something begins with that was moved aside.
const ASIDE: &str = "before-";

impl Ledger {
    /// Entries refer to each other by address. What the program now says elsewhere is followed there; what stays behind at an address
    /// that something else takes is moved aside, and those that live in it with it.
    pub(super) fn make_room(&mut self, incoming: &[Entry]) {
        let owners: BTreeMap<Address, Key> =
            self.entries.values().map(|entry| (entry.address.clone(), entry.key.clone())).collect();
        let mut moved = BTreeMap::new();
        for entry in incoming {
            if let Some(before) = self.entries.get(&entry.key).filter(|before| before.address != entry.address) {
                moved.insert(before.address.clone(), entry.address.clone());
            }
        }
        let coming: BTreeSet<&Key> = incoming.iter().map(|entry| &entry.key).collect();
        for entry in incoming {
            let aside = || entry.address.join(&format!("{ASIDE}{}", self.serial)).ok();
            if let Some(aside) = owners.get(&entry.address).filter(|owner| !coming.contains(owner)).and_then(|_| aside()) {
                moved.insert(entry.address.clone(), aside);
            }
        }
        if !moved.is_empty() {
            self.entries.values_mut().for_each(|entry| Arc::make_mut(entry).follow(&moved));
        }
    }
}

/// Where something was before it was moved aside because something else took its address.
pub(crate) fn before_aside(address: &Address) -> Option<Address> {
    let (before, last) = address.as_str().rsplit_once('/')?;
    let number = last.strip_prefix(ASIDE)?;
    number.bytes().all(|digit| digit.is_ascii_digit()).then(|| before.parse().ok()).flatten()
}
