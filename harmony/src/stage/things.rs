//! What several Scores speak of together: fragments are collected, and the thing is assembled once, when all have spoken.

use std::any::Any;
use std::collections::BTreeMap;

use super::write::Stage;
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
    noun: &'static str,
    declared: Option<(Origin, Assemble<'t>)>,
    fragments: Vec<Contribution<Box<dyn Any>>>,
    followers: Vec<(Origin, Option<&'static str>, Follow<'t>)>,
    once: BTreeMap<&'static str, Origin>,
}

/// The pending things, by their noun and name, so that they are assembled in an order that no Score decides.
pub(super) type Things<'t> = BTreeMap<(&'static str, String), Pending<'t>>;

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
        let origin = self.origin().clone();
        let pending = self.pending::<G>(name);
        if let Some((first, _)) = &pending.declared {
            let first = first.clone();
            return Err(ArrangeError::DeclaredTwice { what: G::NOUN, name: name.to_owned(), first, second: origin });
        }
        let assemble: Assemble<'t> = Box::new(move |fragments, stage| {
            let typed = fragments.into_iter().filter_map(|Contribution { origin, fragment }| {
                // Fragments are keyed by the thing's noun, so another type means two things with one noun; such a one is not ours.
                fragment.downcast().ok().map(|fragment| Contribution { origin, fragment: *fragment })
            });
            let built = assemble(typed.collect(), stage)?;
            Ok(Box::new(built))
        });
        pending.declared = Some((origin, assemble));
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

    fn follow_as<G: Thing>(
        &mut self,
        name: &str,
        once: Option<&'static str>,
        follow: impl FnOnce(&G::Built, &mut Stage<'t>) -> Result<(), ArrangeError> + 't,
    ) {
        let origin = self.origin().clone();
        let follow: Follow<'t> = Box::new(move |built, stage| match built.downcast_ref() {
            Some(built) => follow(built, stage),
            None => Ok(()),
        });
        self.pending::<G>(name).followers.push((origin, once, follow));
    }

    /// As [`Stage::follow`], but of all that say the same `what` only one is called: that of the smallest origin.
    pub fn follow_once<G: Thing>(
        &mut self,
        name: &str,
        what: &'static str,
        follow: impl FnOnce(&G::Built, &mut Stage<'t>) -> Result<(), ArrangeError> + 't,
    ) {
        let origin = self.origin().clone();
        let pending = self.pending::<G>(name);
        if pending.once.get(what).is_none_or(|first| origin < *first) {
            if let Some(later) = pending.once.insert(what, origin.clone()) {
                pending.followers.retain(|(earlier, once, _)| *once != Some(what) || *earlier != later);
            }
            self.follow_as::<G>(name, Some(what), follow);
        }
    }

    fn pending<G: Thing>(&mut self, name: &str) -> &mut Pending<'t> {
        self.things.entry((G::NOUN, name.to_owned())).or_insert_with(|| Pending {
            noun: G::NOUN,
            declared: None,
            fragments: Vec::new(),
            followers: Vec::new(),
            once: BTreeMap::new(),
        })
    }

    /// Assembles everything that was declared, including what an assembly declares.
    pub(super) fn assemble_all(&mut self) -> Result<(), ArrangeError> {
        while let Some(((_, name), pending)) = self.things.pop_first() {
            let Some((origin, assemble)) = pending.declared else {
                let spoken = pending
                    .fragments
                    .iter()
                    .map(|fragment| &fragment.origin)
                    .chain(pending.followers.iter().map(|(origin, ..)| origin));
                let origin = spoken.min().cloned().unwrap_or_else(|| self.origin().clone());
                return Err(ArrangeError::Undeclared { what: pending.noun, name, origin });
            };
            let built = self.on_behalf(&origin, |stage| assemble(pending.fragments, stage))?;
            for (origin, _, follow) in pending.followers {
                self.on_behalf(&origin, |stage| follow(built.as_ref(), stage))?;
            }
        }
        Ok(())
    }
}
