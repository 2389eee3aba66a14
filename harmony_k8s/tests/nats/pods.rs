//! Servers in real pods.

use std::time::Duration;

use harmony::engine::plan::Plan;
use harmony::modules::nats::score::{AccountWish, CredentialsScore, Grant, UserWish};
use harmony::{Outcome, Scores};
use harmony_k8s::{K8sPlace, WithNats};
use harmony_testbed::{Cluster, Kubectl};

use crate::fixture::{IMAGE, OTHER_IMAGE, Program, cluster, system};

const PATIENCE: Duration = Duration::from_secs(120);

async fn program(cluster: &Cluster) -> Program {
    Program::new(&cluster.kubeconfig(), cluster.context(), IMAGE).await
}

async fn applied(program: &Program, scores: &Scores<K8sPlace<WithNats>>) -> Outcome {
    let outcome = program.apply(scores, PATIENCE).await.unwrap();
    assert!(outcome.failures.is_empty(), "{:#?}", outcome.failures);
    outcome
}

/// All that is in the namespace, without what Kubernetes itself makes and events.
fn objects(kubectl: &Kubectl) -> String {
    kubectl.run(&["-n", "messaging", "get", "all,secret,pvc,pdb,netpol", "-o", "name"]).unwrap()
}

/// What a plan would change, with the fields that differ.
fn changes(plan: &Plan) -> Vec<String> {
    let steps = plan.steps.iter().filter(|step| step.change.is_pending());
    steps.map(|step| format!("{} {:?} {:?}", step.address, step.change, step.fields)).collect()
}

/// The pods' identities, one line for each.
fn pods(kubectl: &Kubectl) -> String {
    kubectl.run(&["-n", "messaging", "get", "pods", "-o", r#"jsonpath={range .items[*]}{.metadata.uid}{"\n"}{end}"#]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_server_in_a_pod_is_proven_stays_as_it_is_and_goes_without_a_trace() {
    let name = "one_server_in_a_pod_is_proven_stays_as_it_is_and_goes_without_a_trace";
    let Some(cluster) = cluster(name).await else { return };
    let (program, kubectl) = (program(&cluster).await, cluster.kubectl());
    let before = objects(&kubectl);
    let outcome = applied(&program, &system(1)).await;
    assert!(outcome.proofs.len() > 3, "{outcome:#?}");

    assert_eq!(changes(&program.plan(&system(1)).await.unwrap()), Vec::<String>::new());
    let mark = cluster.audit().unwrap().mark().unwrap();
    let again = applied(&program, &system(1)).await;
    assert_eq!(again.writes, 0, "{again:#?}");
    let asked = cluster.audit().unwrap().since(mark).unwrap();
    let ours: Vec<_> = asked.mutating().tally().into_iter().filter(|(what, _)| what.contains("messaging")).collect();
    assert!(ours.is_empty(), "{ours:?}");

    let refused = program.destroy(&[]).await.map(|outcome| outcome.failures).unwrap_err().to_string();
    assert_eq!(refused, "1 of the plan's steps are refused", "its volume would be lost");
    let outcome = program.destroy(&["cluster/nats/nats-1/messaging/persistentvolumeclaim/nats-1"]).await.unwrap();
    assert!(outcome.failures.is_empty(), "{:#?}", outcome.failures);
    assert_eq!(objects(&kubectl), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_servers_are_reloaded_or_replaced_one_after_another_by_what_changes() {
    let name = "three_servers_are_reloaded_or_replaced_one_after_another_by_what_changes";
    let Some(cluster) = cluster(name).await else { return };
    let (program_of_one, kubectl) = (program(&cluster).await, cluster.kubectl());
    applied(&program_of_one, &system(3)).await;
    let first = pods(&kubectl);

    // Another account: every server takes it over as it runs.
    let other = UserWish::new("reader").with_grant(Grant::kv("settings").read_write());
    let more = || {
        let other = other.clone();
        system(3).with(CredentialsScore::on("nats").with_account(AccountWish::new("APP").with_user(other)))
    };
    let outcome = applied(&program_of_one, &more()).await;
    assert_eq!(pods(&kubectl), first, "no pod was replaced: {outcome:#?}");

    // What its StatefulSet makes again is waited for; the others go on.
    kubectl.run(&["-n", "messaging", "delete", "pod", "nats-2-0"]).unwrap();
    applied(&program_of_one, &more()).await;
    let second = pods(&kubectl);
    assert_eq!(second.lines().filter(|uid| first.contains(uid)).count(), 2, "only what was deleted is another one");

    // Another image: every pod is replaced, and all is proven again.
    let changed = program_of_one.with_image(&cluster.kubeconfig(), cluster.context(), OTHER_IMAGE).await;
    applied(&changed, &more()).await;
    let third = pods(&kubectl);
    assert!(!third.lines().any(|uid| second.contains(uid)), "{second}{third}");
    assert_eq!(applied(&changed, &more()).await.writes, 0);
}
