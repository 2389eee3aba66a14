//! Whole clusters, whose pods run.

use std::env;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::audit::{AuditLevel, AuditLog};
use crate::authority::write;
use crate::child::Keeper;
use crate::control_plane::{ControlPlane, make_directory, say};
use crate::error::TestbedError;
use crate::given::{GivenCluster, given_clusters};
use crate::image::Image;
use crate::kubectl::Kubectl;
use crate::layout::{Layout, Nodes};
use crate::network::Network;
use crate::node::{Node, load_image, own_places};
use crate::programs::{NodePrograms, Programs};
use crate::requirements::ensure_requirements;
use crate::room::Room;
use crate::waiting::{Look, wait_for};

/// Four seconds on two idle cores.
const NODE_LIMIT: Duration = Duration::from_secs(120);
const API_PORT: u16 = 6443;
const ETCD: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 2379);
const ETCD_PEERS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 2380);

/// A cluster of one node whose pods run. Dropped, or when this process ends in whatever way, it is gone without a trace.
#[derive(Debug)]
pub struct Cluster {
    name: String,
    housing: Housing,
}

/// Several clusters that reach each other by the addresses of their nodes, and only so, as over the internet.
#[derive(Debug)]
pub struct Clusters {
    clusters: Vec<Cluster>,
    kubeconfig: PathBuf,
    network: Option<Arc<Network>>,
}

/// Where a cluster comes from.
#[derive(Debug)]
enum Housing {
    Own(Box<OwnCluster>),
    Given(GivenCluster),
}

/// What we started. Everything runs in the room, so that is what ends first.
#[derive(Debug)]
struct OwnCluster {
    room: Room,
    node: Node,
    plane: ControlPlane,
    network: Arc<Network>,
}

impl Cluster {
    /// Starts one; see [`Clusters::start`].
    ///
    /// # Errors
    /// As [`Clusters::start`].
    pub fn start(name: &str) -> Result<Self, TestbedError> {
        let mut clusters = Clusters::start(&[name])?.clusters;
        Ok(clusters.remove(0))
    }

    /// What it was asked for as.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the context in [`Self::kubeconfig`].
    #[must_use]
    pub fn context(&self) -> &str {
        match &self.housing {
            Housing::Own(own) => &own.plane.layout().context,
            Housing::Given(given) => given.context(),
        }
    }

    /// A file by which a client reaches the API server as somebody who may do everything; one context, which is the current one.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        match &self.housing {
            Housing::Own(own) => own.plane.kubeconfig(),
            Housing::Given(given) => given.kubeconfig(),
        }
    }

    /// `kubectl` for it.
    #[must_use]
    pub fn kubectl(&self) -> Kubectl {
        match &self.housing {
            Housing::Own(own) => own.plane.kubectl(),
            Housing::Given(given) => given.kubectl(),
        }
    }

    /// The address of its node, at which NodePorts are reached from this machine and from other clusters.
    ///
    /// # Errors
    /// [`TestbedError`] if the API server does not say it.
    pub fn node_address(&self) -> Result<IpAddr, TestbedError> {
        match &self.housing {
            Housing::Own(own) => Ok(own.plane.layout().api.ip()),
            Housing::Given(given) => given.node_address(),
        }
    }

    /// The control plane, its audit log and what can be done to it.
    ///
    /// # Errors
    /// [`TestbedError::NotOurs`] if the cluster was given.
    pub fn control_plane(&mut self) -> Result<&mut ControlPlane, TestbedError> {
        self.own().map(|own| &mut own.plane)
    }

    /// Every object that the API server holds; see [`ControlPlane::objects`].
    ///
    /// # Errors
    /// [`TestbedError::NotOurs`] if the cluster was given; [`TestbedError`] if its API server does not answer.
    pub fn objects(&self) -> Result<Vec<serde_json::Value>, TestbedError> {
        match &self.housing {
            Housing::Own(own) => own.plane.objects(),
            Housing::Given(given) => Err(TestbedError::NotOurs { context: given.context().to_owned() }),
        }
    }

    /// What the API server was asked; `None` if the cluster was given.
    #[must_use]
    pub fn audit(&self) -> Option<AuditLog> {
        match &self.housing {
            Housing::Own(own) => Some(own.plane.audit()),
            Housing::Given(_) => None,
        }
    }

    /// This machine as the cluster's pods reach it; `None` if the cluster was given.
    #[must_use]
    pub fn machine_address(&self) -> Option<IpAddr> {
        match &self.housing {
            Housing::Own(own) => Some(own.network.machine_address()),
            Housing::Given(_) => None,
        }
    }

    /// Gives the node an image, which containers then run by its name.
    ///
    /// # Errors
    /// [`TestbedError::NotOurs`] if the cluster was given; [`TestbedError`] if the image cannot be made or is refused.
    pub fn load_image(&mut self, image: &Image) -> Result<(), TestbedError> {
        let own = self.own()?;
        load_image(&own.room, &own.plane.layout().directory, image)
    }

    /// Kills the kubelet (SIGKILL). Pods go on; the node is `NotReady` 16 s later.
    ///
    /// # Errors
    /// [`TestbedError::NotOurs`] if the cluster was given.
    pub fn kill_kubelet(&mut self) -> Result<(), TestbedError> {
        self.own()?.node.kill_kubelet();
        Ok(())
    }

    /// Starts the kubelet, if it does not run, and returns when the node is ready.
    ///
    /// # Errors
    /// [`TestbedError::NotOurs`] if the cluster was given; [`TestbedError`] if it does not come up.
    pub fn start_kubelet(&mut self) -> Result<(), TestbedError> {
        let own = self.own()?;
        own.node.start_kubelet(&own.room, own.plane.layout())?;
        own.wait_until_ready()
    }

    fn own(&mut self) -> Result<&mut OwnCluster, TestbedError> {
        match &mut self.housing {
            Housing::Own(own) => Ok(own),
            Housing::Given(given) => Err(TestbedError::NotOurs { context: given.context().to_owned() }),
        }
    }
}

impl Clusters {
    /// Builds what has to be built, and starts clusters with these names, which are ready when this returns; 10 s for one on two idle cores.
    ///
    /// If `HARMONY_TEST_KUBECONFIG` names a kubeconfig, nothing is started: the clusters are those of its contexts, by name if there are
    /// such, else in their order. Images have to be known to them already.
    ///
    /// # Errors
    /// [`TestbedError::Lacking`] if this machine cannot have them (root is needed, and the packages that
    /// [`find_missing_requirements`](crate::find_missing_requirements) names); [`TestbedError`] if they do not come up.
    pub fn start(names: &[&str]) -> Result<Self, TestbedError> {
        if let Some(given) = given_clusters(names)? {
            let of_name = |(name, given): (&&str, _)| Cluster { name: (*name).to_owned(), housing: Housing::Given(given) };
            let (kubeconfig, given) = given;
            return Ok(Self { clusters: names.iter().zip(given).map(of_name).collect(), kubeconfig, network: None });
        }
        ensure_requirements()?;
        let (programs, node) = (Programs::ensure(&say)?, NodePrograms::ensure(&say)?);
        let network = Arc::new(Network::open(&programs.kubernetes)?);
        let started: Vec<_> = thread::scope(|scope| {
            let start = |(number, name)| {
                let (network, programs, node) = (&network, &programs, &node);
                scope.spawn(move || OwnCluster::start(name, number, network, programs, node))
            };
            let threads: Vec<_> = (0..).zip(names.iter().copied()).map(start).collect();
            threads.into_iter().map(thread::ScopedJoinHandle::join).collect()
        });
        let clusters = names.iter().zip(started).map(|(name, started)| {
            let own = started.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok(Cluster { name: (*name).to_owned(), housing: Housing::Own(Box::new(own)) })
        });
        let clusters = clusters.collect::<Result<Vec<_>, TestbedError>>()?;
        let kubeconfig = network.directory().join("kubeconfig");
        write_joint_kubeconfig(&programs, &clusters, &kubeconfig)?;
        Ok(Self { clusters, kubeconfig, network: Some(network) })
    }

    /// The cluster that was asked for as `name`.
    #[must_use]
    pub fn find(&mut self, name: &str) -> Option<&mut Cluster> {
        self.clusters.iter_mut().find(|cluster| cluster.name == name)
    }

    /// All of them, in the order in which they were asked for.
    pub fn iter(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters.iter()
    }

    /// All of them, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Cluster> {
        self.clusters.iter_mut()
    }

    /// A file with a context for each; the first one is the current one.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// This machine as the clusters' pods reach it; `None` if they were given.
    #[must_use]
    pub fn machine_address(&self) -> Option<IpAddr> {
        self.network.as_ref().map(|network| network.machine_address())
    }
}

impl OwnCluster {
    fn start(
        name: &str,
        number: u8,
        network: &Arc<Network>,
        programs: &Programs,
        node_programs: &NodePrograms,
    ) -> Result<Self, TestbedError> {
        let directory = make_directory()?;
        let group = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let keeper = Keeper::start(&programs.kubernetes, &directory, &[&group])?;
        make_control_groups(&group)?;
        let address = network.cluster_address(number);
        let places = own_places(&directory, programs, node_programs, address)?;
        let room = Room::open(&programs.kubernetes, &directory, &places)?;
        network.join(number, &room)?;
        let layout = Layout {
            directory,
            context: name.to_owned(),
            api: SocketAddr::new(address, API_PORT),
            etcd: ETCD,
            etcd_peers: ETCD_PEERS,
            advertised: address,
            nodes: Nodes::Real,
        };
        let plane = ControlPlane::start_at(layout, keeper, programs.clone(), AuditLevel::Metadata, Some(&room))?;
        let node = Node::start(&room, plane.layout(), plane.authority(), node_programs, &group)?;
        let mut own = Self { room, node, plane, network: Arc::clone(network) };
        own.wait_until_ready()?;
        Ok(own)
    }

    fn wait_until_ready(&mut self) -> Result<(), TestbedError> {
        let path = format!("/api/v1/nodes/{}", self.plane.layout().node_name());
        wait_for("a ready node", NODE_LIMIT, || {
            self.node.ensure_alive()?;
            let node = match self.plane.get(&path) {
                Ok(node) => node,
                Err(error) => return Ok(Look::NotYet(error.to_string())),
            };
            let conditions = node["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
            let ready = conditions.iter().find(|condition| condition["type"] == "Ready");
            Ok(match ready {
                Some(condition) if condition["status"] == "True" => Look::Done(()),
                Some(condition) => Look::NotYet(condition["message"].to_string()),
                None => Look::NotYet("the node has no conditions".to_owned()),
            })
        })
    }
}

/// Writes a kubeconfig with the contexts of all.
fn write_joint_kubeconfig(programs: &Programs, clusters: &[Cluster], path: &Path) -> Result<(), TestbedError> {
    let all: Vec<PathBuf> = clusters.iter().map(Cluster::kubeconfig).collect();
    // A list of files, as PATH is one of directories; none of them has a colon in its name.
    let joint = env::join_paths(all).unwrap_or_default();
    let home = path.parent().unwrap_or(path);
    let flat = Kubectl::new(programs, Path::new(&joint), home).run(&["config", "view", "--flatten"])?;
    write(path, &flat)
}

/// One in the second version of control groups, one for each controller in the first.
fn make_control_groups(name: &str) -> Result<(), TestbedError> {
    let root = Path::new("/sys/fs/cgroup");
    if root.join("cgroup.controllers").exists() {
        // Those that are there already are no error, and what is not allowed shows when the kubelet needs it.
        let _ = fs::write(root.join("cgroup.subtree_control"), "+cpu +memory +pids +io +cpuset");
        return make_control_group(&root.join(name));
    }
    let hierarchies = fs::read_dir(root).map_err(TestbedError::file("list", root))?.flatten().map(|entry| entry.path());
    // Links such as `cpu,cpuacct` lead to one that is listed too.
    let hierarchies = hierarchies.filter(|path| path.is_dir() && !path.is_symlink());
    hierarchies.into_iter().try_for_each(|hierarchy| make_control_group(&hierarchy.join(name)))
}

fn make_control_group(path: &Path) -> Result<(), TestbedError> {
    fs::create_dir_all(path).map_err(TestbedError::file("create", path))
}
