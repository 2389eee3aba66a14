//! What an API server quotes in refusing.

use std::sync::Arc;

use harmony::engine::maestro::EngineError;
use harmony::modules::k8s::arrange_object;
use harmony::modules::k8s::manifest::Manifest;
use harmony::modules::secret::{GeneratedSecret, Recipe};
use harmony::stage::Stage;
use harmony::value::Text;
use harmony::{ArrangeError, Interpret, Inventory, Score, Scores};
use harmony_k8s::K8sPlace;
use harmony_secret::SecretValue;
use harmony_testbed::{ControlPlane, available};

use crate::failure::{Program, Said};

const SECRET: &str = "Tr0ub4dor&3 that nobody knows";
const SETTINGS: &str = "{ apiVersion: v1, kind: ConfigMap, metadata: { name: web, namespace: default } }";
const SERVICE: &str =
    "{ apiVersion: v1, kind: Service, metadata: { name: web, namespace: default }, spec: { ports: [{ port: 80 }] } }";
const SECRETS: &str = "{ apiVersion: v1, kind: Secret, metadata: { name: web, namespace: default } }";

/// An object with a secret where the API server does not take it.
#[derive(Debug)]
struct Misplaced {
    object: &'static str,
    path: &'static str,
    encode: fn(Text) -> Text,
}

impl Score<K8sPlace> for Misplaced {
    fn name(&self) -> String {
        "Misplaced".to_owned()
    }

    fn create_interpret(&self) -> Box<dyn Interpret<K8sPlace> + '_> {
        Box::new(self)
    }
}

impl Interpret<K8sPlace> for &Misplaced {
    fn arrange<'t>(&self, _: &'t Inventory, place: &'t K8sPlace, stage: &mut Stage<'t>) -> Result<(), ArrangeError> {
        let secret = stage.add(place, "key", &GeneratedSecret::new("key".parse().unwrap(), Recipe::Password))?;
        let object = Manifest::all_in_yaml(self.object).unwrap().remove(0);
        let object = object.with_value(self.path, &(self.encode)(secret.get(&GeneratedSecret::VALUE))).unwrap();
        arrange_object(object, place, stage).map(|_| ())
    }
}

#[tokio::test]
async fn an_error_does_not_quote_a_secret() {
    let Some(plane) = available("an_error_does_not_quote_a_secret", ControlPlane::start()) else { return };
    let misplaced = [
        Misplaced { object: SETTINGS, path: "/metadata/labels/key", encode: |text| text },
        Misplaced { object: SERVICE, path: "/spec/type", encode: |text| text },
        Misplaced { object: SETTINGS, path: "/data", encode: |text| text },
        Misplaced { object: SECRETS, path: "/type/key", encode: |text| text },
        Misplaced { object: SECRETS, path: "/data", encode: Text::base64 },
        Misplaced { object: SECRETS, path: "/immutable", encode: |text| text },
    ];
    for score in misplaced {
        let program = Program::new("default", &plane.kubeconfig(), "testbed").await;
        program.secrets().put(&"key".parse().unwrap(), &SecretValue::from(SECRET.to_owned())).await.unwrap();
        let (path, said) = (score.path, Arc::new(Said::default()));
        let failures = match program.apply(&Scores::default().with(score), &said).await {
            Ok(outcome) => outcome.failures,
            Err(EngineError::Observe { troubles }) => troubles,
            Err(other) => panic!("{other}"),
        };
        let refused = format!("{failures:?} {:?}", said.lines());
        assert_eq!(failures.len(), 1, "{path}: {refused}");
        for part in ["Tr0ub4dor", "nobody knows", "VHIwdWI0ZG9yJjM"] {
            assert!(!refused.contains(part), "{path}: {refused}");
        }
    }
}
