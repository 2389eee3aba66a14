//! Volumes grow where their class lets them, and are never made anew for a number.

use std::time::{Duration, Instant};

use crate::fixture::{changes, yaml};
use crate::ground::Ground;
use harmony::engine::plan::Change;

fn claim(name: &str, class: &str, size: &str) -> String {
    format!(
        "{{ apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{ name: {name}, namespace: volumes }}, \
         spec: {{ accessModes: [ReadWriteOnce], storageClassName: {class}, resources: {{ requests: {{ storage: {size} }} }} }} }}"
    )
}

/// Waits until the volume of a claim has this size.
fn wait_for_size(ground: &Ground, name: &str, size: &str) {
    let begun = Instant::now();
    while ground.run(&["get", "pvc", name, "-o", "jsonpath={.status.capacity.storage}"]) != size {
        assert!(begun.elapsed() < Duration::from_secs(60), "{name} does not become {size}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[tokio::test]
async fn a_volume_grows_where_its_class_lets_it_and_what_it_cannot_be_is_forbidden_in_words() {
    let test = "a_volume_grows_where_its_class_lets_it_and_what_it_cannot_be_is_forbidden_in_words";
    let Some(ground) = Ground::find(test, "volumes") else { return };
    let program = ground.program("one").await;
    let rigid = "{ apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: { name: rigid }, \
                 provisioner: kubernetes.io/host-path, volumeBindingMode: Immediate }";
    ground.kubectl().run_with_input(&["apply", "-f", "-"], rigid).unwrap();
    program.applied(&yaml(&[&claim("grows", "hostpath", "1Gi"), &claim("stays", "rigid", "1Gi")])).await;
    wait_for_size(&ground, "grows", "1Gi");
    wait_for_size(&ground, "stays", "1Gi");

    let larger = [claim("grows", "hostpath", "2Gi"), claim("stays", "rigid", "1Gi")];
    let larger = yaml(&[&larger[0], &larger[1]]);
    let shown = changes(&program.plan(&larger).await.unwrap());
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(
        (&shown[0].1, shown[0].2.as_slice()),
        (&Change::Update, ["/fields/spec/resources/requests/storage".to_owned()].as_slice())
    );
    assert_eq!(program.applied(&larger).await, 1);
    wait_for_size(&ground, "grows", "2Gi");
    assert_eq!(program.applied(&larger).await, 0);

    let because = async |grows: (&str, &str), stays: (&str, &str)| {
        let wish = [claim("grows", grows.0, grows.1), claim("stays", stays.0, stays.1)];
        let plan = program.plan(&yaml(&[&wish[0], &wish[1]])).await.unwrap();
        let because = |step: (String, Change, Vec<String>)| match step.1 {
            Change::Forbidden { because, .. } => format!("forbidden: {because}"),
            Change::Replace { because } => format!("replace: {because}"),
            other => format!("{other:?}"),
        };
        let all: Vec<String> = changes(&plan).into_iter().map(because).collect();
        all.join("\n")
    };
    assert_eq!(
        because(("hostpath", "1Gi"), ("rigid", "1Gi")).await,
        "forbidden: a volume of 2Gi cannot be made as small as 1Gi: ask for 2Gi or more"
    );
    assert_eq!(
        because(("hostpath", "2Gi"), ("rigid", "3Gi")).await,
        "forbidden: a volume of 1Gi of storage class `rigid` cannot be made as large as 3Gi: let the class allow it \
         (`allowVolumeExpansion`), or stay with 1Gi"
    );
    let other_class = because(("hostpath", "2Gi"), ("hostpath", "1Gi")).await;
    assert!(other_class.starts_with("replace: ") && other_class.contains("immutable after creation"), "{other_class}");
    assert_eq!(program.applied(&larger).await, 0, "nothing of that was done");
}
