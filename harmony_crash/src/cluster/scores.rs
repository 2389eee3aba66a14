//! What the program on a cluster wants.

use harmony::capability::Kubernetes;
use harmony::modules::k8s::arrange_object;
use harmony::modules::k8s::manifest::Manifest;
use harmony::modules::k8s::score::K8sResourceScore;
use harmony::modules::secret::{GeneratedSecret, Recipe};
use harmony::stage::Stage;
use harmony::topology::Hosts;
use harmony::{ArrangeError, Interpret, Inventory, Score, Scores};
use serde_json::json;

const OBJECTS: &str = include_str!("every_sort.yaml");

/// Objects of every sort and of many kinds in the part of a cluster that is called `life`, and a Secret whose value is made up.
#[must_use]
pub fn every_sort<T: Kubernetes + Hosts<GeneratedSecret>>(life: &str) -> Scores<T> {
    let objects = K8sResourceScore::yaml("shop", &OBJECTS.replace("LIFE", life)).allowing_loss();
    Scores::default().with(objects).with(MadeUp { namespace: life.to_owned() })
}

/// A Secret with a password that is made up.
#[derive(Debug)]
struct MadeUp {
    namespace: String,
}

impl<T: Kubernetes + Hosts<GeneratedSecret>> Score<T> for MadeUp {
    fn name(&self) -> String {
        "made up".to_owned()
    }

    fn create_interpret(&self) -> Box<dyn Interpret<T> + '_> {
        Box::new(self)
    }
}

impl<T: Kubernetes + Hosts<GeneratedSecret>> Interpret<T> for &MadeUp {
    fn arrange<'t>(&self, _: &'t Inventory, place: &'t T, stage: &mut Stage<'t>) -> Result<(), ArrangeError> {
        let password =
            stage.add(place, "password", &GeneratedSecret::new("password".parse().expect("a name"), Recipe::Password))?;
        let metadata = json!({ "name": "password", "namespace": self.namespace });
        let object = Manifest::of(&json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata })).expect("a manifest");
        let object = object.with_value("/stringData/password", &password.get(&GeneratedSecret::VALUE)).expect("a place for it");
        arrange_object(object, place, stage).map(|_| ())
    }
}
