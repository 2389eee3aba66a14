//! The files and arguments of a node's parts.

use std::path::Path;

use serde_json::{Value, json};

use crate::authority::{Authority, write};
use crate::error::TestbedError;
use crate::layout::Layout;
use crate::node::{PAUSE_IMAGE, RUNTIME_SOCKET};
use crate::requirements::network_plugin_directory;

/// Pods get their addresses from here, the same in every cluster: they are never seen outside.
const POD_RANGE: &str = "10.244.0.0/24";
/// The user of the node in the API.
const NODE_USER: &str = "system:node:";

impl Layout {
    /// The node's name in the API.
    pub(crate) fn node_name(&self) -> String {
        format!("{}-node", self.context)
    }

    pub(crate) fn scheduler_arguments(&self) -> Vec<String> {
        vec![
            format!("--kubeconfig={}", self.file("scheduler.kubeconfig")),
            "--leader-elect=false".into(),
            "--secure-port=0".into(),
            "--profiling=false".into(),
        ]
    }

    pub(crate) fn kubelet_arguments(&self) -> Vec<String> {
        vec![
            format!("--config={}", self.file("kubelet.json")),
            format!("--kubeconfig={}", self.file("kubelet.kubeconfig")),
            format!("--root-dir={}", self.file("kubelet")),
            format!("--cert-dir={}", self.file("kubelet-pki")),
            format!("--hostname-override={}", self.node_name()),
            format!("--node-ip={}", self.api.ip()),
        ]
    }
}

/// Writes what the parts of a node read.
pub(crate) fn write_node_files(layout: &Layout, authority: &Authority, group: &str) -> Result<(), TestbedError> {
    let path = |name: &str| layout.directory.join(name);
    let (node, address) = (layout.node_name(), layout.api.ip());
    authority.server(&node, &[&node], &[address])?.write(&layout.directory, "node")?;
    for (name, user, groups) in [
        ("scheduler", "system:kube-scheduler", [].as_slice()),
        ("proxy", "system:kube-proxy", &[]),
        // Reading all services and slices is all that it does.
        ("names", "testbed-names", &["system:masters"]),
        ("kubelet", &format!("{NODE_USER}{node}"), &["system:nodes"]),
    ] {
        layout.write_kubeconfig(&path(&format!("{name}.kubeconfig")), authority, user, groups)?;
    }
    write(&path("kubelet.json"), &kubelet_configuration(layout, group).to_string())?;
    write(&path("proxy.json"), &proxy_configuration(layout).to_string())?;
    write(&path("containerd.toml"), &render_runtime_configuration(layout))?;
    write(&path("Corefile"), &render_names_configuration(layout))?;
    let networks = path("networks");
    std::fs::create_dir_all(&networks).map_err(TestbedError::file("create", &networks))?;
    write(&networks.join("10-pods.conflist"), &network_configuration(&layout.directory).to_string())
}

/// <https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/>
fn kubelet_configuration(layout: &Layout, group: &str) -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "x509": {"clientCAFile": layout.file("ca.crt")},
            "webhook": {"enabled": false},
            "anonymous": {"enabled": false},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "tlsCertFile": layout.file("node.crt"),
        "tlsPrivateKeyFile": layout.file("node.key"),
        "address": layout.api.ip(),
        "clusterDomain": "cluster.local",
        "clusterDNS": [layout.api.ip()],
        "resolvConf": "/dev/null",
        "containerRuntimeEndpoint": format!("unix://{RUNTIME_SOCKET}"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{group}"),
        // 1.34 still runs on the first version of control groups, and on machines that swap.
        "failCgroupV1": false,
        "failSwapOn": false,
        // Below 0 is what only some roots may.
        "oomScoreAdj": 0,
        "enforceNodeAllocatable": ["none"],
        // The machine is somebody's own, and may be full.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {"memory.available": "1Mi", "nodefs.available": "0%", "imagefs.available": "0%", "nodefs.inodesFree": "0%"},
        "volumePluginDir": layout.file("volume-plugins"),
        "podLogsDir": layout.file("pods"),
        "registerNode": true,
        "nodeStatusUpdateFrequency": "2s",
        "nodeLeaseDurationSeconds": 8,
        "syncFrequency": "5s",
        "configMapAndSecretChangeDetectionStrategy": "Watch",
        "shutdownGracePeriod": "0s",
    })
}

/// <https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/>
fn proxy_configuration(layout: &Layout) -> Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": layout.file("proxy.kubeconfig")},
        "hostnameOverride": layout.node_name(),
        "clusterCIDR": POD_RANGE,
        "iptables": {"minSyncPeriod": "100ms"},
        // These belong to the whole machine and cannot be set in a namespace.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    })
}

/// <https://github.com/containerd/containerd/blob/release/1.6/docs/cri/config.md>
fn render_runtime_configuration(layout: &Layout) -> String {
    let plugins = network_plugin_directory().unwrap_or_default();
    let (root, networks) = (layout.file("containerd"), layout.file("networks"));
    // Copies are made instead of overlays, which cannot lie on one another: this machine's own file system may be one.
    format!(
        r#"version = 2
root = "{root}"
state = "/run/containerd"
oom_score = 0
[grpc]
  address = "{RUNTIME_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{networks}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
"#
    )
}

/// Each pod hangs on the node by a pair of its own, so that everything between pods is routed and services work between any two.
fn network_configuration(directory: &Path) -> Value {
    json!({
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [{
            "type": "ptp",
            "ipMasq": true,
            "ipam": {
                "type": "host-local",
                "dataDir": directory.join("addresses"),
                "ranges": [[{"subnet": POD_RANGE}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }],
    })
}

/// Names of services; there is nobody to ask for others.
fn render_names_configuration(layout: &Layout) -> String {
    let (address, kubeconfig, context) = (layout.api.ip(), layout.file("names.kubeconfig"), &layout.context);
    format!(
        "cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {{\n    bind {address}\n    errors\n    \
         kubernetes cluster.local in-addr.arpa ip6.arpa {{\n        kubeconfig {kubeconfig} {context}\n        ttl 1\n    }}\n}}\n\
         .:53 {{\n    bind {address}\n    errors\n    template ANY ANY . {{\n        rcode NXDOMAIN\n    }}\n}}\n"
    )
}
