//! Writing resources and proofs into the arrangement.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use harmony_types::PlaceName;

use super::things::Things;
use crate::address::Address;
use crate::arrangement::{Arrangement, Node, Note, ProofNode, ResourceNode, What};
use crate::error::ArrangeError;
use crate::inventory::Inventory;
use crate::origin::Origin;
use crate::procedure::Underway;
use crate::proof::Proof;
use crate::resource::{Handle, Resource, Whereabouts};
use crate::score::{Score, Scores};
use crate::topology::{Hosts, Proves, Providers, Topology};
use crate::value::{self, Text};

/// Where Interprets write. It has the lifetime of the place, because what Scores contribute together is assembled after all have spoken.
pub struct Stage<'t> {
    pub(super) arrangement: Arrangement,
    pub(super) providers: Providers,
    pub(super) things: Things<'t>,
    /// In what of their places resources live, to be followed when all is arranged.
    pub(super) inside: Vec<(Address, PlaceName, Vec<Whereabouts>)>,
    places: BTreeMap<PlaceName, (*const (), Origin)>,
    pub(super) scope: Vec<String>,
    pub(super) gates: Vec<Address>,
    pub(super) turn: Option<String>,
    pub(super) losses_allowed: bool,
    pub(super) origin: Origin,
    underway: Vec<Underway>,
}

impl<'t> Stage<'t> {
    pub(crate) fn new(origin: Origin) -> Self {
        Self {
            arrangement: Arrangement::default(),
            providers: Providers::default(),
            things: Things::new(),
            inside: Vec::new(),
            places: BTreeMap::new(),
            scope: Vec::new(),
            gates: Vec::new(),
            turn: None,
            losses_allowed: false,
            origin,
            underway: Vec::new(),
        }
    }

    /// Plays all `scores` on `topology` and returns what they became, checked as a whole.
    ///
    /// # Errors
    /// [`ArrangeError`] if a Score cannot be arranged, or they contradict each other.
    pub fn play_all<T: Topology + ?Sized>(
        scores: &Scores<T>,
        inventory: &'t Inventory,
        topology: &'t T,
    ) -> Result<(Arrangement, Providers), ArrangeError> {
        Self::play_during(scores, inventory, topology, &[])
    }

    /// The same while procedures are `underway`: what they have brought about so far holds.
    ///
    /// # Errors
    /// As [`Stage::play_all`].
    pub fn play_during<T: Topology + ?Sized>(
        scores: &Scores<T>,
        inventory: &'t Inventory,
        topology: &'t T,
        underway: &[Underway],
    ) -> Result<(Arrangement, Providers), ArrangeError> {
        let mut stage = Self::new(Origin::new("the program", "", 0));
        stage.underway = underway.to_vec();
        topology.register(&mut stage.providers);
        for (origin, score) in &scores.scores {
            stage.on_behalf(origin, |stage| score.create_interpret().arrange(inventory, topology, stage))?;
        }
        stage.finish()
    }

    /// Plays a Score inside a Score.
    ///
    /// # Errors
    /// What the inner Score fails with.
    pub fn play<T: Topology + ?Sized>(
        &mut self,
        score: &impl Score<T>,
        inventory: &'t Inventory,
        topology: &'t T,
    ) -> Result<(), ArrangeError> {
        score.create_interpret().arrange(inventory, topology, self)
    }

    /// Adds a resource that lives in the place itself, and returns a handle for its outputs.
    ///
    /// # Errors
    /// [`ArrangeError::DuplicateAddress`] if the name is taken in this scope; [`ArrangeError::Address`] if it is no name.
    pub fn add<R: Resource<Access = ()>>(
        &mut self,
        on: &(impl Hosts<R> + ?Sized),
        name: &str,
        spec: &R,
    ) -> Result<Handle<R>, ArrangeError> {
        self.add_through(on, &(), name, spec)
    }

    /// Adds a resource that lives in something that `access` reaches.
    ///
    /// # Errors
    /// As [`Stage::add`].
    pub fn add_through<R: Resource>(
        &mut self,
        on: &(impl Hosts<R> + ?Sized),
        access: &R::Access,
        name: &str,
        spec: &R,
    ) -> Result<Handle<R>, ArrangeError> {
        let address = self.address(on.name(), name)?;
        let failed = |source| ArrangeError::Unserialisable { address: address.clone(), source };
        let identity = spec.identity();
        let (access, wish) = (serde_json::to_value(access).map_err(failed)?, serde_json::to_value(spec).map_err(failed)?);
        if value::holds_secret(&access) || value::holds_secret(&wish) {
            let what = format!("the spec of `{address}` holds a secret in the open");
            let hint = "refer to the output of a secret resource, so that the value stays out of plans and the Ledger";
            return Err(ArrangeError::refused(what, vec![self.origin.clone()], hint));
        }
        let resource = ResourceNode {
            kind: R::KIND.to_owned(),
            label: identity.to_string(),
            identity: serde_json::to_value(&identity).map_err(failed)?,
            access,
            spec: wish,
            loss: R::LOSS,
            may_be_lost: self.losses_allowed,
        };
        self.providers.host(on);
        self.insert(on.name(), std::ptr::from_ref(on).cast(), address.clone(), What::Resource(Box::new(resource)))?;
        let inside = spec.inside();
        if !inside.is_empty() {
            self.inside.push((address.clone(), on.name().clone(), inside));
        }
        Ok(Handle::new(address))
    }

    /// Adds a resource that several Scores need, below no scope: equal twins are one.
    ///
    /// # Errors
    /// [`ArrangeError::DuplicateAddress`] if another one has this name.
    pub fn share<R: Resource<Access = ()>>(
        &mut self,
        on: &(impl Hosts<R> + ?Sized),
        name: &str,
        spec: &R,
    ) -> Result<Handle<R>, ArrangeError> {
        let scope = std::mem::take(&mut self.scope);
        let twin = self.address(on.name(), name).ok().and_then(|address| self.arrangement.nodes.remove(&address));
        let added = self.add(on, name, spec);
        self.scope = scope;
        let (Ok(handle), Some(mut twin)) = (&added, twin) else { return added };
        let Some(node) = self.arrangement.nodes.get_mut(handle.address()) else { return added };
        // The node must not tell which of the two came first.
        twin.origin = twin.origin.min(node.origin.clone());
        twin.after.retain(|gate| node.after.contains(gate));
        let equal = twin.what == node.what;
        let (first, second) = (twin.origin.clone(), node.origin.clone());
        *node = twin;
        if equal { added } else { Err(ArrangeError::DuplicateAddress { address: handle.address().clone(), first, second }) }
    }

    /// Adds a proof, to be carried out after `after` and what it refers to.
    ///
    /// # Errors
    /// As [`Stage::add`].
    pub fn prove<P: Proof>(
        &mut self,
        on: &(impl Proves<P> + ?Sized),
        name: &str,
        after: &[Address],
        proof: &P,
    ) -> Result<Address, ArrangeError> {
        let address = self.address(on.name(), name)?;
        let failed = |source| ArrangeError::Unserialisable { address: address.clone(), source };
        let proof =
            ProofNode { kind: P::KIND.to_owned(), claim: proof.claim(), proof: serde_json::to_value(proof).map_err(failed)? };
        self.providers.prove(on);
        let place = std::ptr::from_ref(on).cast();
        self.after(after, |stage| stage.insert(on.name(), place, address.clone(), What::Proof(proof)))?;
        Ok(address)
    }

    /// Adds what `write` writes below a segment of its own.
    ///
    /// # Errors
    /// What `write` fails with.
    pub fn within<V>(
        &mut self,
        segment: &str,
        write: impl FnOnce(&mut Self) -> Result<V, ArrangeError>,
    ) -> Result<V, ArrangeError> {
        self.scope.push(segment.to_owned());
        let written = write(self);
        self.scope.pop();
        written
    }

    /// Adds what `write` writes so that it is done after `gates`.
    ///
    /// # Errors
    /// What `write` fails with.
    pub fn after<V>(
        &mut self,
        gates: &[Address],
        write: impl FnOnce(&mut Self) -> Result<V, ArrangeError>,
    ) -> Result<V, ArrangeError> {
        let before = self.gates.len();
        self.gates.extend_from_slice(gates);
        let written = write(self);
        self.gates.truncate(before);
        written
    }

    /// Adds what `write` writes so that of all in `group` only one at a time is changed. Making them may go side by side.
    ///
    /// # Errors
    /// What `write` fails with.
    pub fn one_at_a_time<V>(
        &mut self,
        group: &str,
        write: impl FnOnce(&mut Self) -> Result<V, ArrangeError>,
    ) -> Result<V, ArrangeError> {
        let before = self.turn.replace(group.to_owned());
        let written = write(self);
        self.turn = before;
        written
    }

    /// Adds what `write` writes with the Score's allowance that what it holds may be lost.
    ///
    /// # Errors
    /// What `write` fails with.
    pub fn allowing_loss<V>(&mut self, write: impl FnOnce(&mut Self) -> Result<V, ArrangeError>) -> Result<V, ArrangeError> {
        let before = std::mem::replace(&mut self.losses_allowed, true);
        let written = write(self);
        self.losses_allowed = before;
        written
    }

    /// Adds what `write` writes on behalf of another Score, whose contribution asked for it.
    ///
    /// # Errors
    /// What `write` fails with, as something that happened in that Score.
    pub fn on_behalf<V>(
        &mut self,
        origin: &Origin,
        write: impl FnOnce(&mut Self) -> Result<V, ArrangeError>,
    ) -> Result<V, ArrangeError> {
        let before = std::mem::replace(&mut self.origin, origin.clone());
        let written = write(self);
        self.origin = before;
        written.map_err(|error| match error {
            inner @ ArrangeError::InScore { .. } => inner,
            source => source.in_score(origin),
        })
    }

    /// Says something that users should know and that no field says.
    pub fn note(&mut self, about: impl Into<String>, says: impl Into<String>) {
        self.arrangement.notes.push(Note { about: about.into(), says: says.into() });
    }

    /// Says what a user can do once all is applied.
    pub fn next_step(&mut self, title: impl Into<String>, what: Text) {
        self.arrangement.next_steps.insert(title.into(), what);
    }

    /// The step at which the procedure `name` on `subject` stands; none if it is not under way. What is arranged is the state of this
    /// step.
    #[must_use]
    pub fn step_of(&self, name: &str, subject: &str) -> Option<&str> {
        let underway = self.underway.iter().find(|underway| underway.name == name && underway.subject == subject)?;
        Some(&underway.step)
    }

    /// The Score that is being arranged.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    fn address(&self, place: &PlaceName, name: &str) -> Result<Address, ArrangeError> {
        let mut text = place.as_str().to_owned();
        for segment in self.scope.iter().map(String::as_str).chain([name]) {
            text.push('/');
            text.push_str(segment);
        }
        Ok(text.parse()?)
    }

    fn insert(
        &mut self,
        place: &PlaceName,
        identity_of_place: *const (),
        address: Address,
        what: What,
    ) -> Result<(), ArrangeError> {
        // Two places are told apart by where they are in memory: a place is borrowed for the stage's whole life.
        let (known, first) = self.places.entry(place.clone()).or_insert_with(|| (identity_of_place, self.origin.clone()));
        if *known != identity_of_place {
            let (first, second) = (first.clone(), self.origin.clone());
            return Err(ArrangeError::DuplicatePlace { place: place.to_string(), first, second });
        }
        let free = match self.arrangement.nodes.entry(address) {
            Entry::Vacant(free) => free,
            Entry::Occupied(taken) => {
                let (address, first) = (taken.key().clone(), taken.get().origin.clone());
                return Err(ArrangeError::DuplicateAddress { address, first, second: self.origin.clone() });
            }
        };
        let mut after = self.gates.clone();
        after.sort();
        after.dedup();
        let node = Node { place: place.clone(), what, after, turn: self.turn.clone(), origin: self.origin.clone() };
        free.insert(node);
        Ok(())
    }
}
