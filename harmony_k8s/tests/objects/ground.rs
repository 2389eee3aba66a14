//! A control plane that tests share, each with a user and a namespace of its own.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use harmony_testbed::{AuditLevel, AuditTrail, ControlPlane, ControlPlaneOptions, Kubectl, Mark, available};

use crate::fixture::Program;

/// What a test has of the shared control plane.
pub(crate) struct Ground {
    pub(crate) plane: &'static ControlPlane,
    /// Its user, by which the audit log tells its requests from those of the other tests, and its namespace.
    pub(crate) name: &'static str,
}

/// Started by the first test that needs it; it ends with this process.
static SHARED: Mutex<Option<&'static ControlPlane>> = Mutex::new(None);

impl Ground {
    /// For the test called `test`; `None` if this machine cannot have a control plane. The name (an RFC 1123 label) is given to one test only. Who
    /// kills servers starts a control plane of its own.
    pub(crate) fn find(test: &str, name: &'static str) -> Option<Self> {
        let plane = shared(test)?;
        plane.kubectl().run(&["create", "namespace", name]).unwrap();
        Some(Self { plane, name })
    }

    /// As the test's own user, who may do everything.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.plane.kubeconfig_of(self.name, &["system:masters"]).unwrap()
    }

    /// A site program of this name.
    pub(crate) async fn program(&self, name: &str) -> Program {
        Program::new(name, &self.kubeconfig()).await
    }

    /// As somebody else, who is in the test's namespace.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.kubectl().run(&[&["-n", self.name], arguments].concat()).unwrap()
    }

    /// As somebody else.
    pub(crate) fn kubectl(&self) -> Kubectl {
        self.plane.kubectl()
    }

    pub(crate) fn mark(&self) -> Mark {
        self.plane.audit().mark().unwrap()
    }

    /// What the test's programs asked since `mark`.
    pub(crate) fn asked(&self, mark: Mark) -> AuditTrail {
        self.plane.audit().since(mark).unwrap().of_user(self.name)
    }
}

fn shared(test: &str) -> Option<&'static ControlPlane> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if shared.is_none() {
        let started = ControlPlaneOptions::default().with_audit_level(AuditLevel::RequestResponse).start();
        *shared = available(test, started).map(|plane| &*Box::leak(Box::new(plane)));
    }
    *shared
}
