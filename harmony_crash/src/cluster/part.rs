//! The part of an API server that one world has.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use harmony_k8s::K8sAnywhereTopology;
use harmony_testbed::{AuditTrail, Mark};

use super::others::Others;
use super::things::Things;

/// The variables that tell a program which part is its own, and how it is reached.
const LIFE: &str = "HARMONY_CRASH_LIFE";
const KUBECONFIG: &str = "HARMONY_CRASH_KUBECONFIG";
/// What the names of parts begin with.
pub(super) const PARTS: &str = "crash-";
/// What a cluster makes and removes by itself takes a moment: volumes, what a new namespace holds.
const SETTLED: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(300);

/// A part of an API server that is used by one world alone: everything in it bears its name.
pub(crate) struct Part {
    others: Arc<Others>,
    life: String,
}

/// The name of the part that this program's world has.
///
/// # Panics
/// If nobody has said it.
#[must_use]
pub fn life() -> String {
    env::var(LIFE).expect("the name of a part")
}

/// The cluster of this program, as whoever has this part.
///
/// # Panics
/// If nobody has said where it is.
#[must_use]
pub fn place() -> K8sAnywhereTopology {
    let kubeconfig = env::var(KUBECONFIG).expect("a kubeconfig");
    K8sAnywhereTopology::from_kubeconfig("cluster", kubeconfig, "testbed").with_field_owner(&life())
}

impl Part {
    /// One that nobody has had before.
    pub(crate) fn new(others: &Arc<Others>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(100_001);
        Self { others: Arc::clone(others), life: format!("{PARTS}{}", NEXT.fetch_add(1, Ordering::Relaxed)) }
    }

    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let kubeconfig = self.others.plane().kubeconfig().display().to_string();
        vec![(LIFE, self.life.clone()), (KUBECONFIG, kubeconfig)]
    }

    /// What is in it, with names that are the same in every part. What is others' has to be untouched.
    fn things(&self) -> Things {
        let objects = self.others.objects();
        let things = Things::of(&objects, &self.life);
        self.others.expect_untouched_among(&objects);
        things
    }

    /// Waits until what is in it is what is expected; what is there when the time is over.
    pub(crate) fn settled(&self, expected: &Things) -> Things {
        let begun = Instant::now();
        loop {
            let things = self.things();
            if things == *expected || begun.elapsed() >= SETTLED {
                return things;
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// What is in it when the cluster has made and removed what it makes and removes by itself.
    pub(crate) fn undisturbed(&self) -> Things {
        let mut before = self.things();
        let mut since = Instant::now();
        while since.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(BETWEEN_LOOKS);
            let things = self.things();
            if things != before {
                (before, since) = (things, Instant::now());
            }
        }
        before
    }

    /// A place behind everything that was asked until now.
    pub(crate) fn mark(&self) -> Mark {
        self.others.plane().audit().mark().expect("the audit log can be read")
    }

    /// What its program has asked since then that changes something.
    pub(crate) fn writes_since(&self, mark: Mark) -> AuditTrail {
        let plane = self.others.plane();
        let asked = plane.audit().since(mark).expect("the audit log can be read").of_user(plane.administrator()).mutating();
        AuditTrail(asked.0.into_iter().filter(|event| event.uri.contains(&self.life)).collect())
    }
}
