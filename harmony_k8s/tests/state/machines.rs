//! Runs on different machines that have only the cluster in common.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use harmony::engine::exclusion::find_other_run;
use harmony::engine::maestro::EngineError;
use harmony::engine::outcome::Ending;
use harmony::modules::k8s::score::K8sResourceScore;
use harmony::topology::{Site, Survey};
use harmony::{Inventory, Maestro, Outcome, Scores};
use harmony_io::{Faults, Injected, Io, Moment, Point};
use harmony_k8s::K8sPlace;
use harmony_testbed::{ControlPlane, available};
use tempfile::TempDir;

use crate::fixture::{NAME, NAMESPACE, is_of, site, topology, with_namespace};

/// Enough for a busy machine to renew in time.
const LEASE: Duration = Duration::from_secs(5);

/// Gives each object that is applied some time, before it is.
struct Slow(Duration);

impl Faults for Slow {
    fn at(&self, point: Point<'_>) -> Injected {
        let applies =
            point.moment == Moment::Before && point.target.contains("/configmaps/m-") && !point.target.contains("dryRun");
        if applies { Injected::Delay(self.0) } else { Injected::Nothing }
    }
}

fn site_on(host: &str, state: &Path, kubeconfig: &Path, io: Io) -> Site {
    let mut site = site(&state.join("shop"), io, kubeconfig);
    site.lease = site.lease.map(|lease| lease.with_duration(LEASE).on_host(host));
    site
}

/// Objects of these names, one after another.
async fn apply(site: &Site, kubeconfig: &Path, names: &[&str]) -> Result<Outcome, EngineError> {
    let topology = topology(kubeconfig);
    let facts = topology.survey(site).await.unwrap();
    let place = topology.with_facts(site, facts).unwrap();
    let scores = names.iter().fold(Scores::<K8sPlace>::default(), |all, name| {
        let object = format!("{{ apiVersion: v1, kind: ConfigMap, metadata: {{ name: {name}, namespace: default }} }}");
        all.with(K8sResourceScore::yaml(name, &object))
    });
    let one_after_another = std::num::NonZeroUsize::MIN;
    let maestro = Maestro::new(site).with_side_by_side(one_after_another);
    maestro.prepare(&Inventory::empty(), &place, &scores).await?.apply().await
}

/// By which the process of a run is told its kubeconfig and its state directory.
const RUN: &str = "HARMONY_TEST_RUN_OF_STATE";
const OLD: [&str; 6] = ["m-0", "m-1", "m-2", "m-3", "m-4", "m-5"];
const NEW: [&str; 3] = ["m-0", "m-1", "n-0"];

/// Nothing unless a test below starts it.
#[tokio::test]
async fn a_run_of_a_process_of_its_own() {
    let Ok(told) = std::env::var(RUN) else { return };
    let (kubeconfig, state) = told.split_once(' ').unwrap();
    let kubeconfig = PathBuf::from(kubeconfig);
    let site = site_on("old", state.as_ref(), &kubeconfig, Io::with_faults(Arc::new(Slow(Duration::from_millis(700)))));
    let outcome = apply(&site, &kubeconfig, &OLD).await.unwrap();
    assert_eq!(outcome.ending(), Ending::Failed, "{outcome:?}");
    assert!(outcome.lease_lost.as_ref().unwrap().starts_with("it was not renewed for "), "{outcome:?}");
    assert!(!outcome.not_begun.is_empty(), "{outcome:?}");
}

/// A run in a process; killed when this is dropped.
struct Process(Child);

impl Process {
    fn start(kubeconfig: &Path, state: &Path) -> Self {
        let test = ["--exact", "machines::a_run_of_a_process_of_its_own", "--nocapture"];
        let mut command = Command::new(std::env::current_exe().unwrap());
        let told = format!("{} {}", kubeconfig.display(), state.display());
        Self(command.args(test).env(RUN, told).stdout(Stdio::inherit()).spawn().unwrap())
    }

    fn signal(&self, signal: &str) {
        let process = self.0.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &process]).status().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn wait_for_object(plane: &ControlPlane, name: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while plane.kubectl().run(&["get", "configmap", name]).is_err() {
        assert!(Instant::now() < deadline, "no `{name}`");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_stopped_past_its_lease_writes_nothing_more_and_the_next_one_knows_what_it_meant_to_make() {
    let name = "a_run_that_was_stopped_past_its_lease_writes_nothing_more_and_the_next_one_knows_what_it_meant_to_make";
    let Some(plane) = available(name, ControlPlane::start().map(with_namespace)) else { return };
    let kubeconfig = |user: &str| plane.kubeconfig_of(user, &["system:masters"]).unwrap();
    let (old_state, new_state) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mark = plane.audit().mark().unwrap();
    let mut old = Process::start(&kubeconfig("old"), old_state.path());
    wait_for_object(&plane, "m-1").await;
    old.signal("STOP");

    let site = site_on("new", new_state.path(), &kubeconfig("new"), Io::real());
    let other = find_other_run(&site).await.unwrap().unwrap().to_string();
    assert!(other.starts_with(&format!("the lease `{NAME}` in namespace {NAMESPACE} of cluster cluster is held by")), "{other}");
    assert!(other.contains(" on old, since 20"), "{other}");
    let begun = Instant::now();
    let outcome = apply(&site, &kubeconfig("new"), &NEW).await.unwrap();
    assert!(begun.elapsed() >= LEASE && outcome.failures.is_empty(), "{outcome:?}");
    old.signal("CONT");
    assert!(old.0.wait().unwrap().success(), "it ends as it has to");

    let all = plane.audit().since(mark).unwrap();
    let of_new = all.of_user("new").mutating();
    let taken = of_new.of("update", "leases.coordination.k8s.io").0[0].stage_timestamp.clone();
    let late: Vec<_> = all.of_user("old").mutating().0.into_iter().filter(|event| event.stage_timestamp >= taken).collect();
    assert!(late.iter().all(|event| event.code() >= 400), "after {taken}: {late:?}");
    let of_old = all.of_user("old").mutating();
    assert!(
        !of_old.of("patch", "configmaps").is_empty() && !of_old.of("create", "configmaps").is_empty(),
        "{:?}",
        of_old.tally()
    );

    // What the old run had made is known to the new ones, from its Ledger.
    let last = apply(&site, &kubeconfig("new"), &NEW).await.unwrap();
    assert!(last.failures.is_empty(), "{last:?}");
    let objects = plane.kubectl().run(&["get", "configmaps", "-o", "name"]).unwrap();
    let made: Vec<&str> =
        objects.lines().filter_map(|name| name.strip_prefix("configmap/")).filter(|name| !name.starts_with("kube")).collect();
    assert_eq!(made, NEW);
    let mark = plane.audit().mark().unwrap();
    assert_eq!(apply(&site, &kubeconfig("new"), &NEW).await.unwrap().ending(), Ending::Converged);
    let quiet = plane.audit().since(mark).unwrap().of_user("new").mutating();
    assert!(quiet.0.iter().all(|event| is_of(event, "leases")), "{:?}", quiet.tally());
}
