//! What several Scores speak of together: fragments are collected, and the thing is assembled once, when all have spoken.

use std::any::Any;
use std::collections::BTreeMap;

use super::write::Stage;
use crate::address::Address;
use crate::error::ArrangeError;
use crate::origin::Origin;

/// Something that one Score declares and others contribute to.
pub trait Thing: 'static {
    /// What to call one in a sentence, without article: `NATS system`.
    const NOUN: &'static str;
    /// What others contribute.
    type Fragment: 'static;
    /// What there is once it has been assembled, for those that stand on it.
    type Built: 'static;
}

/// A fragment, and who contributed it.
#[derive(Debug, Clone)]
pub struct Contribution<F> {
    /// The Score and its line.
    pub origin: Origin,
    /// The fragment.
    pub fragment: F,
}

type Assemble<'t> = Box<dyn FnOnce(Vec<Contribution<Box<dyn Any>>>, &mut Stage<'t>) -> Result<Box<dyn Any>, ArrangeError> + 't>;
type Follow<'t> = Box<dyn FnOnce(&dyn Any, &mut Stage<'t>) -> Result<(), ArrangeError> + 't>;

pub(super) struct Pending<'t> {
    declared: Option<(Standpoint, Assemble<'t>)>,
    fragments: Vec<Contribution<Box<dyn Any>>>,
    followers: Vec<Follower<'t>>,
}

/// Who waits for a thing to be assembled.
struct Follower<'t> {
    standpoint: Standpoint,
    /// Of all that say the same, only one follows.
    once: Option<&'static str>,
    follow: Follow<'t>,
}

/// From where a Score spoke: what it says later, it says from there.
#[derive(Clone)]
struct Standpoint {
    origin: Origin,
    scope: Vec<String>,
    gates: Vec<Address>,
    turn: Option<String>,
    losses_allowed: bool,
}

/// The pending things, by their noun and name, so that they are assembled in an order that no Score decides.
pub(super) type Things<'t> = BTreeMap<Key, Pending<'t>>;
type Key = (&'static str, String);

impl<'t> Stage<'t> {
    /// Declares the thing `name`; `assemble` is called with all fragments once every Score has spoken. Fragments arrive in the order of
    /// their Scores in the program: what is built must not depend on it.
    ///
    /// # Errors
    /// [`ArrangeError::DeclaredTwice`] if another Score has declared it.
    pub fn declare<G: Thing>(
        &mut self,
        name: &str,
        assemble: impl FnOnce(Vec<Contribution<G::Fragment>>, &mut Stage<'t>) -> Result<G::Built, ArrangeError> + 't,
    ) -> Result<(), ArrangeError> {
        let standpoint = self.standpoint();
        let pending = self.pending::<G>(name);
        if let Some((first, _)) = &pending.declared {
            let (first, second) = (first.origin.clone(), standpoint.origin);
            return Err(ArrangeError::DeclaredTwice { what: G::NOUN, name: name.to_owned(), first, second });
        }
        let assemble: Assemble<'t> = Box::new(move |fragments, stage| {
            let typed = fragments.into_iter().filter_map(|Contribution { origin, fragment }| {
                // Fragments are keyed by the thing's noun, so another type means two things with one noun; such a one is not ours.
                fragment.downcast().ok().map(|fragment| Contribution { origin, fragment: *fragment })
            });
            let built = assemble(typed.collect(), stage)?;
            Ok(Box::new(built))
        });
        pending.declared = Some((standpoint, assemble));
        Ok(())
    }

    /// Adds a fragment to the thing `name`, which another Score declares, earlier or later.
    pub fn contribute<G: Thing>(&mut self, name: &str, fragment: G::Fragment) {
        let origin = self.origin().clone();
        self.pending::<G>(name).fragments.push(Contribution { origin, fragment: Box::new(fragment) });
    }

    /// Calls `follow` with what the thing `name` has become, once it is assembled, on behalf of the present Score.
    pub fn follow<G: Thing>(
        &mut self,
        name: &str,
        follow: impl FnOnce(&G::Built, &mut Stage<'t>) -> Result<(), ArrangeError> + 't,
    ) {
        self.follow_as::<G>(name, None, follow);
    }

    /// As [`Stage::follow`], but of all that say the same `what` only one follows: the one with the smallest origin.
    pub fn follow_once<G: Thing>(
        &mut self,
        name: &str,
        what: &'static str,
        follow: impl FnOnce(&G::Built, &mut Stage<'t>) -> Result<(), ArrangeError> + 't,
    ) {
        self.follow_as::<G>(name, Some(what), follow);
    }

    fn follow_as<G: Thing>(
        &mut self,
        name: &str,
        once: Option<&'static str>,
        follow: impl FnOnce(&G::Built, &mut Stage<'t>) -> Result<(), ArrangeError> + 't,
    ) {
        let standpoint = self.standpoint();
        let follow: Follow<'t> = Box::new(move |built, stage| match built.downcast_ref() {
            Some(built) => follow(built, stage),
            None => Ok(()),
        });
        self.pending::<G>(name).followers.push(Follower { standpoint, once, follow });
    }

    fn pending<G: Thing>(&mut self, name: &str) -> &mut Pending<'t> {
        self.things.entry((G::NOUN, name.to_owned())).or_insert_with(|| Pending {
            declared: None,
            fragments: Vec::new(),
            followers: Vec::new(),
        })
    }

    /// Assembles everything that was declared, including what an assembly declares, and lets those follow that wait for it.
    pub(super) fn assemble_all(&mut self) -> Result<(), ArrangeError> {
        let mut assembled = BTreeMap::new();
        while let Some((key, Pending { declared, fragments, followers })) = self.things.pop_first() {
            match (declared, assembled.get(&key)) {
                (Some((standpoint, assemble)), None) => {
                    let built = self.from(&standpoint, |stage| assemble(fragments, stage))?;
                    assembled.insert(key.clone(), Assembled { by: standpoint.origin, built });
                }
                (Some((standpoint, _)), Some(Assembled { by, .. })) => {
                    let (first, second) = (by.clone(), standpoint.origin);
                    return Err(ArrangeError::DeclaredTwice { what: key.0, name: key.1, first, second });
                }
                (None, Some(_)) => refuse_late(&key, &fragments)?,
                (None, None) => return Err(self.undeclared(key, &fragments, &followers)),
            }
            let Some(Assembled { built, .. }) = assembled.get(&key) else { continue };
            for Follower { standpoint, follow, .. } in each_once(followers) {
                self.from(&standpoint, |stage| follow(built.as_ref(), stage))?;
            }
        }
        Ok(())
    }

    fn undeclared(
        &self,
        (what, name): Key,
        fragments: &[Contribution<Box<dyn Any>>],
        followers: &[Follower<'_>],
    ) -> ArrangeError {
        let contributors = fragments.iter().map(|fragment| &fragment.origin);
        let origin = contributors.chain(followers.iter().map(|follower| &follower.standpoint.origin)).min();
        ArrangeError::Undeclared { what, name, origin: origin.unwrap_or(&self.origin).clone() }
    }

    fn standpoint(&self) -> Standpoint {
        Standpoint {
            origin: self.origin.clone(),
            scope: self.scope.clone(),
            gates: self.gates.clone(),
            turn: self.turn.clone(),
            losses_allowed: self.losses_allowed,
        }
    }

    fn from<V>(
        &mut self,
        standpoint: &Standpoint,
        write: impl FnOnce(&mut Self) -> Result<V, ArrangeError>,
    ) -> Result<V, ArrangeError> {
        let before = self.standpoint();
        self.stand_at(standpoint.clone());
        let written = self.on_behalf(&standpoint.origin, write);
        self.stand_at(before);
        written
    }

    fn stand_at(&mut self, Standpoint { origin, scope, gates, turn, losses_allowed }: Standpoint) {
        (self.origin, self.scope, self.gates, self.turn, self.losses_allowed) = (origin, scope, gates, turn, losses_allowed);
    }
}

/// Of those that follow only once, the one with the smallest origin, so that the order in which Scores spoke does not show.
fn each_once(mut followers: Vec<Follower<'_>>) -> Vec<Follower<'_>> {
    followers.sort_by(|one, other| one.standpoint.origin.cmp(&other.standpoint.origin));
    let mut done = std::collections::BTreeSet::new();
    followers.retain(|follower| follower.once.is_none_or(|what| done.insert(what)));
    followers
}

struct Assembled {
    by: Origin,
    built: Box<dyn Any>,
}

fn refuse_late((noun, name): &Key, fragments: &[Contribution<Box<dyn Any>>]) -> Result<(), ArrangeError> {
    let Some(late) = fragments.first() else { return Ok(()) };
    let what = format!("{} contributes to the {noun} `{name}` after it was assembled", late.origin);
    let hint = "contribute while the Score is arranged, not while something else is assembled";
    Err(ArrangeError::refused(what, vec![late.origin.clone()], hint))
}
