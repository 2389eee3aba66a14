//! How objects that a program says are played.

use super::manifest::{AnyObject, Manifest, ManifestError};
use super::score::K8sResourceScore;
use crate::address::Address;
use crate::capability::Kubernetes;
use crate::error::ArrangeError;
use crate::interpret::Interpret;
use crate::inventory::Inventory;
use crate::score::Score;
use crate::stage::Stage;

impl<T: Kubernetes> Score<T> for K8sResourceScore {
    fn name(&self) -> String {
        format!("K8sResourceScore {}", self.label)
    }

    fn create_interpret(&self) -> Box<dyn Interpret<T> + '_> {
        Box::new(Objects(self))
    }
}

struct Objects<'s>(&'s K8sResourceScore);

impl<T: Kubernetes> Interpret<T> for Objects<'_> {
    fn arrange<'t>(&self, _: &'t Inventory, place: &'t T, stage: &mut Stage<'t>) -> Result<(), ArrangeError> {
        let score = self.0;
        let refused = |error: ManifestError| {
            let hint = error.hint().unwrap_or("correct the object").to_owned();
            ArrangeError::refused(error.to_string(), vec![stage.origin().clone()], hint)
        };
        let namespace = score.namespace().unwrap_or_else(|| place.default_namespace());
        let manifests = score.manifests().map_err(refused)?;
        // The kinds first that the others may be of.
        let (definitions, others): (Vec<_>, Vec<_>) = manifests.into_iter().partition(Manifest::is_definition);
        let write = |stage: &mut Stage<'t>| {
            let mut gates = Vec::new();
            for definition in &definitions {
                gates.push(arrange_object(definition.clone(), place, stage)?);
            }
            stage.after(&gates, |stage| {
                others
                    .into_iter()
                    .try_for_each(|object| arrange_object(object.in_namespace(namespace, &definitions), place, stage).map(|_| ()))
            })
        };
        if score.losses_allowed { stage.allowing_loss(write) } else { write(stage) }
    }
}

/// Adds an object to the stage, at the address of its identity.
///
/// # Errors
/// [`ArrangeError`] if it is there twice.
pub fn arrange_object<T: Kubernetes + ?Sized>(
    object: Manifest,
    place: &T,
    stage: &mut Stage<'_>,
) -> Result<Address, ArrangeError> {
    let name = object.address();
    Ok(match object.into_resource() {
        AnyObject::Ordinary(object) => stage.add(place, &name, &object)?.address().clone(),
        AnyObject::Secret(secret) => stage.add(place, &name, &secret)?.address().clone(),
        AnyObject::Holding(object) => stage.add(place, &name, &object)?.address().clone(),
        AnyObject::Namespace(namespace) => stage.share(place, &name, &namespace)?.address().clone(),
    })
}

/// Adds an object that several things need, below no scope: equal twins are one.
///
/// # Errors
/// [`ArrangeError`] if another one has its identity.
pub fn share_object<T: Kubernetes + ?Sized>(object: Manifest, place: &T, stage: &mut Stage<'_>) -> Result<Address, ArrangeError> {
    let name = object.address();
    Ok(match object.into_resource() {
        AnyObject::Ordinary(object) => stage.share(place, &name, &object)?.address().clone(),
        AnyObject::Secret(secret) => stage.share(place, &name, &secret)?.address().clone(),
        AnyObject::Holding(object) => stage.share(place, &name, &object)?.address().clone(),
        AnyObject::Namespace(namespace) => stage.share(place, &name, &namespace)?.address().clone(),
    })
}
