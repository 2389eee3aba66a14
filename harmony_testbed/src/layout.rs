//! Where the parts of one control plane are, and what each of them is told.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::audit::AuditLevel;
use crate::authority::{Authority, write, write_token_key};
use crate::error::TestbedError;
use crate::kubeconfig::render_kubeconfig;

/// The user of the administrator's kubeconfig.
pub(crate) const ADMINISTRATOR: &str = "testbed-administrator";
/// Services get their addresses from here.
const SERVICE_RANGE: &str = "10.96.0.0/16";
/// The first address of [`SERVICE_RANGE`] is the API server's.
const API_SERVICE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 96, 0, 1));

/// Whether there are nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nodes {
    /// Pods are stored and never run.
    None,
    /// Pods run, and reach the API server by its service.
    Real,
}

/// Addresses and files of one control plane.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// Holds everything, and is its owner's alone.
    pub(crate) directory: PathBuf,
    /// The name of the context in kubeconfigs.
    pub(crate) context: String,
    pub(crate) api: SocketAddr,
    pub(crate) etcd: SocketAddr,
    pub(crate) etcd_peers: SocketAddr,
    /// What pods reach the API server by. A loopback address is refused.
    pub(crate) advertised: IpAddr,
    pub(crate) nodes: Nodes,
}

impl Layout {
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.api)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.directory.join("kubeconfig")
    }

    /// Writes a kubeconfig for `user` with `groups` to `path`.
    pub(crate) fn write_kubeconfig(
        &self,
        path: &Path,
        authority: &Authority,
        user: &str,
        groups: &[&str],
    ) -> Result<(), TestbedError> {
        let identity = authority.client(user, groups)?;
        write(path, &render_kubeconfig(&self.context, &self.url(), authority.certificate(), user, &identity))
    }

    /// Writes every file that the components read.
    pub(crate) fn write_files(&self, authority: &Authority, audit_level: AuditLevel) -> Result<(), TestbedError> {
        let path = |name: &str| self.directory.join(name);
        write(&path("ca.crt"), authority.certificate())?;
        write(&path("ca.key"), authority.key())?;
        write_token_key(&self.directory, "tokens")?;
        let names =
            ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost"];
        authority
            .server("kube-apiserver", &names, &[self.api.ip(), self.advertised, API_SERVICE])?
            .write(&self.directory, "api")?;
        authority.client("kube-apiserver-kubelet-client", &["system:masters"])?.write(&self.directory, "api-to-kubelet")?;
        write(&path("audit-policy.yaml"), &audit_level.render_policy())?;
        let controllers = path("controller-manager.kubeconfig");
        self.write_kubeconfig(&controllers, authority, "system:kube-controller-manager", &[])?;
        self.write_kubeconfig(&path("volumes.kubeconfig"), authority, "testbed-volumes", &["system:masters"])
    }

    pub(crate) fn etcd_arguments(&self) -> Vec<String> {
        let (clients, peers) = (format!("http://{}", self.etcd), format!("http://{}", self.etcd_peers));
        vec![
            format!("--data-dir={}", self.file("etcd")),
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster=default={peers}"),
            // What a process has written outlives its kill; only the machine's own end would lose it.
            "--unsafe-no-fsync".into(),
            "--log-level=warn".into(),
        ]
    }

    pub(crate) fn api_server_arguments(&self) -> Vec<String> {
        vec![
            format!("--etcd-servers=http://{}", self.etcd),
            format!("--bind-address={}", self.api.ip()),
            format!("--secure-port={}", self.api.port()),
            format!("--advertise-address={}", self.advertised),
            format!("--tls-cert-file={}", self.file("api.crt")),
            format!("--tls-private-key-file={}", self.file("api.key")),
            format!("--client-ca-file={}", self.file("ca.crt")),
            format!("--kubelet-client-certificate={}", self.file("api-to-kubelet.crt")),
            format!("--kubelet-client-key={}", self.file("api-to-kubelet.key")),
            format!("--kubelet-certificate-authority={}", self.file("ca.crt")),
            // Else a node is looked up by its name.
            "--kubelet-preferred-address-types=InternalIP".into(),
            "--service-account-issuer=https://kubernetes.default.svc".into(),
            format!("--service-account-signing-key-file={}", self.file("tokens.key")),
            format!("--service-account-key-file={}", self.file("tokens.pub")),
            format!("--service-cluster-ip-range={SERVICE_RANGE}"),
            "--authorization-mode=Node,RBAC".into(),
            "--enable-admission-plugins=NodeRestriction".into(),
            "--allow-privileged=true".into(),
            format!("--audit-policy-file={}", self.file("audit-policy.yaml")),
            format!("--audit-log-path={}", self.file("audit.log")),
            // In MB: the log is one file, whatever a test does.
            "--audit-log-maxsize=100000".into(),
            // Without pods nobody asks for the service of the API server.
            format!("--endpoint-reconciler-type={}", if self.nodes == Nodes::None { "none" } else { "master-count" }),
            "--profiling=false".into(),
        ]
    }

    pub(crate) fn controllers_arguments(&self) -> Vec<String> {
        vec![
            format!("--kubeconfig={}", self.file("controller-manager.kubeconfig")),
            format!("--service-account-private-key-file={}", self.file("tokens.key")),
            format!("--root-ca-file={}", self.file("ca.crt")),
            format!("--cluster-signing-cert-file={}", self.file("ca.crt")),
            format!("--cluster-signing-key-file={}", self.file("ca.key")),
            // Each controller has the rights of its own role; the controller manager itself has hardly any.
            "--use-service-account-credentials=true".into(),
            "--enable-hostpath-provisioner=true".into(),
            "--leader-elect=false".into(),
            // It needs no port of its own.
            "--secure-port=0".into(),
            // 5000 objects should not wait for the garbage collector's default of 20 requests a second.
            "--kube-api-qps=500".into(),
            "--kube-api-burst=1000".into(),
            // A kubelet that says nothing for so long is lost. Our kubelets say something every two seconds.
            "--node-monitor-grace-period=16s".into(),
            "--node-monitor-period=1s".into(),
            "--profiling=false".into(),
        ]
    }
}
