//! Applications in pods, which know the Secret that is mounted and nothing else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

use std::time::Duration;

use harmony_testbed::{Application, Clusters, Image, Kubectl};
use serde_json::json;

use crate::clusters::{NAMESPACE, eventually};

const IMAGE: &str = "harmony.test/application:1";
/// How long a pod may take to start and be done.
const DONE: Duration = Duration::from_secs(60);

pub(crate) struct Pods;

impl Pods {
    /// Gives all clusters the image.
    pub(crate) fn with_image(clusters: &mut Clusters) -> Self {
        let application = Application::ensure(&|_| ()).unwrap();
        let image = Image::new(IMAGE, &["/application", "/credential"]).with_program("/application", application.program);
        clusters.iter_mut().for_each(|cluster| cluster.load_image(&image).unwrap());
        Self
    }

    /// What the application says that runs with these arguments in a pod of its own, which is then taken away.
    pub(crate) async fn run(&self, kubectl: &Kubectl, name: &str, arguments: &[&str]) -> String {
        let container = json!({
            "name": "application",
            "image": IMAGE,
            "args": arguments,
            "volumeMounts": [{ "name": "credential", "mountPath": "/credential", "readOnly": true }],
        });
        let spec = json!({
            "restartPolicy": "Never",
            "automountServiceAccountToken": false,
            "containers": [container],
            "volumes": [{ "name": "credential", "secret": { "secretName": "nats-harmony-agent" } }],
        });
        let pod =
            json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "namespace": NAMESPACE }, "spec": spec });
        kubectl.run_with_input(&["create", "-f", "-"], &pod.to_string()).unwrap();
        let phase = ["-n", NAMESPACE, "get", "pod", name, "-o", "jsonpath={.status.phase}"];
        let ended = eventually(&format!("pod {name}"), DONE, async || match kubectl.run(&phase).unwrap() {
            phase if ["Succeeded", "Failed"].contains(&phase.as_str()) => Ok(phase),
            phase => Err(phase),
        })
        .await;
        let said = kubectl.run(&["-n", NAMESPACE, "logs", name]).unwrap();
        assert_eq!(ended, "Succeeded", "{said}");
        kubectl.run(&["-n", NAMESPACE, "delete", "pod", name]).unwrap();
        said
    }
}
