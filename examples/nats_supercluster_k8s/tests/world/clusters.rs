//! Clusters with the image of a server, and the program that is pointed at them.

#![allow(dead_code, reason = "every test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on ends")]

use std::time::{Duration, Instant};

use harmony_io::Io;
use harmony_k8s::nats::NATS_IMAGE;
use harmony_local::nats_server::{Search, install};
use harmony_test::{Finished, SiteProgram};
use harmony_testbed::{AuditTrail, Census, Clusters, Image, Kubectl, Mark, available};
use serde_json::Value as Json;

/// The namespace of the servers.
pub(crate) const NAMESPACE: &str = "nats";

pub(crate) struct World {
    pub(crate) clusters: Clusters,
    pub(crate) program: SiteProgram,
    begun: Instant,
}

impl World {
    /// As many clusters as there are names, and the program at `binary`; `None` if this machine cannot have them.
    pub(crate) async fn start(test: &str, names: &[&str], binary: &str) -> Option<Self> {
        let begun = Instant::now();
        let mut clusters = available(test, tokio::task::block_in_place(|| Clusters::start(names)))?;
        let server = install(&Io::real(), &Search::from_environment(), &|_| ()).await.unwrap();
        // As the runtime calls the image that is the default.
        let image =
            Image::new(&format!("docker.io/library/{NATS_IMAGE}"), &["/nats-server"]).with_program("/nats-server", &server.path);
        let mut program = SiteProgram::new(binary).with_variable("KUBECONFIG", clusters.kubeconfig());
        for cluster in clusters.iter_mut() {
            cluster.load_image(&image).unwrap();
            let variable = format!("{}_NODES", cluster.name().to_uppercase());
            program = program.with_variable(&variable, cluster.node_address().unwrap().to_string());
        }
        let program = match clusters.machine_address() {
            Some(address) => program.with_variable("THIS_MACHINE", address.to_string()),
            None => program,
        };
        println!("{} clusters are ready after {:.1?}", names.len(), begun.elapsed());
        Some(Self { clusters, program, begun })
    }

    /// Runs the program to its end, without keeping clients from working meanwhile.
    pub(crate) fn run(&self, arguments: &[&str], code: i32) -> Finished {
        let begun = Instant::now();
        let finished = tokio::task::block_in_place(|| self.program.expect(arguments, code));
        println!("{}: {code} after {:.1?}", arguments.first().unwrap(), begun.elapsed());
        finished
    }

    pub(crate) fn kubectl(&self, cluster: &str) -> Kubectl {
        self.clusters.iter().find(|known| known.name() == cluster).unwrap().kubectl()
    }

    /// What is in a cluster.
    pub(crate) fn census(&self, cluster: &str) -> Census {
        Census::of(self.clusters.iter().find(|known| known.name() == cluster).unwrap().objects().unwrap())
    }

    /// The state of every audit log.
    pub(crate) fn marks(&self) -> Vec<Mark> {
        self.clusters.iter().map(|cluster| cluster.audit().unwrap().mark().unwrap()).collect()
    }

    /// What the program has asked each cluster since then.
    pub(crate) fn asked_since(&self, marks: &[Mark]) -> Vec<(String, AuditTrail)> {
        let clusters = self.clusters.iter().zip(marks);
        clusters
            .map(|(cluster, mark)| {
                let trail = cluster.audit().unwrap().since(*mark).unwrap();
                let ours = trail.0.into_iter().filter(|event| event.user.username == "testbed-administrator");
                (cluster.name().to_owned(), AuditTrail(ours.collect()))
            })
            .collect()
    }

    /// Prints what stands behind the claims: each API server's version, and how it calls the first write and the last of the program.
    pub(crate) fn print_evidence(&self, marks: &[Mark]) {
        for (name, asked) in self.asked_since(marks) {
            let version: Json = serde_json::from_str(&self.kubectl(&name).run(&["get", "--raw", "/version"]).unwrap()).unwrap();
            let writes = asked.mutating();
            let id = |event: Option<&harmony_testbed::AuditEvent>| event.map_or_else(String::new, |event| event.id.clone());
            println!(
                "{name}: Kubernetes {}, {} writes, audit IDs {} to {}",
                version["gitVersion"].as_str().unwrap(),
                writes.len(),
                id(writes.0.first()),
                id(writes.0.last())
            );
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        println!("the whole test took {:.1?}", self.begun.elapsed());
    }
}

/// Looks again for a while until `found` has something.
pub(crate) async fn eventually<T>(what: &str, limit: Duration, mut found: impl AsyncFnMut() -> Result<T, String>) -> T {
    let begun = Instant::now();
    loop {
        match found().await {
            Ok(found) => return found,
            Err(why) => assert!(begun.elapsed() < limit, "waited {limit:?} for {what}: {why}"),
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
