//! A control plane on loopback addresses: etcd, API server and controller manager.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rand::Rng;
use serde_json::json;

use crate::api::Api;
use crate::audit::{AuditLevel, AuditLog};
use crate::authority::Authority;
use crate::census::all_objects;
use crate::child::{Keeper, Launch, Running};
use crate::error::TestbedError;
use crate::kubectl::Kubectl;
use crate::layout::{ADMINISTRATOR, Layout, Nodes};
use crate::programs::Programs;
use crate::room::Room;
use crate::waiting::{Look, wait_for};

/// Four seconds on two idle cores; a machine that builds beside it takes much longer.
const START_LIMIT: Duration = Duration::from_secs(120);
/// Nobody asks for it: there are no pods that would.
const ADVERTISED: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 255, 254));
/// The ports that are tried. Those above are what the kernel gives to connections that others open.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// How a control plane is started.
#[derive(Debug, Clone, Copy, Default)]
#[must_use]
pub struct ControlPlaneOptions {
    audit_level: AuditLevel,
}

/// A running control plane. Dropped, or when this process ends in whatever way, it is gone without a trace.
///
/// There is no node: pods are stored and admitted, and never run. What the controller manager does is real: garbage collection, emptying
/// of namespaces, endpoints, quotas, and volumes for claims (the default class `hostpath` binds at once).
#[derive(Debug)]
pub struct ControlPlane {
    // They end in this order.
    controllers: Option<Running>,
    api_server: Option<Running>,
    etcd: Option<Running>,
    _keeper: Keeper,
    programs: Programs,
    authority: Authority,
    layout: Layout,
    api: Api,
    /// How the room is entered in which the components run; this machine itself, if there is none.
    entrance: Option<[String; 4]>,
}

impl ControlPlaneOptions {
    /// Writes this much of each request. Default: [`AuditLevel::Metadata`].
    pub fn with_audit_level(mut self, level: AuditLevel) -> Self {
        self.audit_level = level;
        self
    }

    /// Starts it; see [`ControlPlane::start`].
    ///
    /// # Errors
    /// As [`ControlPlane::start`].
    pub fn start(self) -> Result<ControlPlane, TestbedError> {
        ControlPlane::start_with(self)
    }
}

impl ControlPlane {
    /// Builds what has to be built ([`Programs::ensure`]), and starts a control plane, which is ready when this returns. Several stand side
    /// by side. This blocks, for 4 s on two idle cores.
    ///
    /// # Errors
    /// [`TestbedError`]; [`Lacking`](TestbedError::Lacking) if this machine cannot build it.
    pub fn start() -> Result<Self, TestbedError> {
        ControlPlaneOptions::default().start()
    }

    /// A file by which a client reaches the API server as somebody who may do everything; one context, called `testbed`.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.layout.kubeconfig()
    }

    /// The user of [`Self::kubeconfig`], by which the audit log tells its requests from those of the components.
    #[must_use]
    pub fn administrator(&self) -> &'static str {
        ADMINISTRATOR
    }

    /// A kubeconfig for `user` with `groups`, who may do what the roles that are bound to them allow.
    ///
    /// # Errors
    /// [`TestbedError::Certificate`] or [`TestbedError::File`] if it cannot be made.
    pub fn kubeconfig_of(&self, user: &str, groups: &[&str]) -> Result<PathBuf, TestbedError> {
        let path = self.layout.directory.join(format!("kubeconfig-{user}"));
        self.layout.write_kubeconfig(&path, &self.authority, user, groups)?;
        Ok(path)
    }

    /// Where the API server listens: `https://ADDRESS:PORT`. It stays the same when the server is started again.
    #[must_use]
    pub fn url(&self) -> String {
        self.layout.url()
    }

    /// What the API server was asked.
    #[must_use]
    pub fn audit(&self) -> AuditLog {
        AuditLog::new(&self.layout.directory.join("audit.log"))
    }

    /// Every object that the API server holds, as it is, each with its kind, in the version that the API prefers. What several groups serve, such as events, is there
    /// once for each.
    ///
    /// # Errors
    /// [`TestbedError`] if it does not answer.
    pub fn objects(&self) -> Result<Vec<serde_json::Value>, TestbedError> {
        all_objects(&self.api)
    }

    /// `kubectl` as the administrator.
    #[must_use]
    pub fn kubectl(&self) -> Kubectl {
        Kubectl::new(&self.programs, &self.kubeconfig(), &self.layout.directory)
    }

    /// Kills the API server (SIGKILL). What it had answered is kept; what it was doing may have happened or not.
    pub fn kill_api_server(&mut self) {
        self.api_server = None;
    }

    /// Starts the API server with the same data at the same address, if it does not run, and returns when it is ready.
    ///
    /// # Errors
    /// [`TestbedError`] if it does not come up.
    pub fn start_api_server(&mut self) -> Result<(), TestbedError> {
        if self.api_server.is_none() {
            self.api_server = Some(self.launch("kube-apiserver", self.layout.api_server_arguments()).start()?);
        }
        self.wait_until("the API server is ready", |plane| plane.api.get("/readyz"))
    }

    fn start_with(options: ControlPlaneOptions) -> Result<Self, TestbedError> {
        let programs = Programs::ensure(&say)?;
        let layout = loopback_layout()?;
        let keeper = Keeper::start(&programs.kubernetes, &layout.directory, &[])?;
        Self::start_at(layout, keeper, programs, options.audit_level, None)
    }

    /// Starts it where `layout` says, on this machine itself or in `room`.
    pub(crate) fn start_at(
        layout: Layout,
        keeper: Keeper,
        programs: Programs,
        audit_level: AuditLevel,
        room: Option<&Room>,
    ) -> Result<Self, TestbedError> {
        let authority = Authority::new(&layout.context)?;
        layout.write_files(&authority, audit_level)?;
        layout.write_kubeconfig(&layout.kubeconfig(), &authority, ADMINISTRATOR, &["system:masters"])?;
        let api = Api::new(&layout.url(), authority.certificate(), &authority.client("testbed", &["system:masters"])?);
        let entrance = room.map(Room::entrance);
        let mut plane =
            Self { controllers: None, api_server: None, etcd: None, _keeper: keeper, programs, authority, layout, api, entrance };
        plane.etcd = Some(plane.launch("etcd", plane.layout.etcd_arguments()).start()?);
        plane.start_api_server()?;
        plane.controllers = Some(plane.start_controllers()?);
        plane.api.create("/apis/storage.k8s.io/v1/storageclasses", &default_storage_class())?;
        plane.wait_until("the first service account is there", |plane| {
            plane.api.get("/api/v1/namespaces/default/serviceaccounts/default")
        })?;
        Ok(plane)
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Asks the API server for `path`.
    pub(crate) fn get(&self, path: &str) -> Result<serde_json::Value, TestbedError> {
        self.api.get(path)
    }

    fn launch(&self, component: &'static str, arguments: Vec<String>) -> Launch {
        let directory = &self.layout.directory;
        match &self.entrance {
            None => Launch::component(&self.programs.kubernetes, component, arguments, directory),
            Some(entrance) => Launch::component(&directory.join("kubernetes"), component, arguments, directory).inside(entrance),
        }
    }

    /// It makes volumes in /tmp; where the kernel lets us, in a /tmp of its own.
    fn start_controllers(&self) -> Result<Running, TestbedError> {
        let launch = self.launch("kube-controller-manager", self.layout.controllers_arguments());
        let launch = launch
            .with_variable("HARMONY_TESTBED_OPEN_VOLUMES", "yes")
            .with_variable("HARMONY_TESTBED_GROW_VOLUMES", self.layout.directory.join("volumes.kubeconfig"));
        if self.entrance.is_some() {
            return launch.start();
        }
        let wrapper = [["--mount"].as_slice(), &["--user", "--map-root-user", "--mount"]].into_iter().find(|arguments| {
            let tried = Command::new("unshare").args(*arguments).arg("true").stderr(Stdio::null()).status();
            tried.is_ok_and(|status| status.success())
        });
        let Some(arguments) = wrapper else { return launch.start() };
        let volumes = self.layout.directory.join("volumes");
        fs::create_dir(&volumes).map_err(TestbedError::file("create", &volumes))?;
        launch.through("unshare", arguments).with_variable("HARMONY_TESTBED_TMP", volumes).start()
    }

    /// Asks until the answer is a good one; ends early if a component has.
    fn wait_until(
        &mut self,
        what: &str,
        ask: impl Fn(&Self) -> Result<serde_json::Value, TestbedError>,
    ) -> Result<(), TestbedError> {
        wait_for(what, START_LIMIT, || {
            for component in [&mut self.etcd, &mut self.api_server, &mut self.controllers].into_iter().flatten() {
                component.ensure_alive()?;
            }
            Ok(match ask(self) {
                Ok(_) => Look::Done(()),
                Err(error) => Look::NotYet(error.to_string()),
            })
        })
    }
}

/// Tells whoever runs the tests what takes long.
#[allow(clippy::print_stderr, reason = "a test reports to whoever runs it")]
pub(crate) fn say(sentence: &str) {
    eprintln!("testbed: {sentence}");
}

/// A directory of its own, and free ports of a loopback address that hardly anybody else has.
fn loopback_layout() -> Result<Layout, TestbedError> {
    let directory = make_directory()?;
    let mut random = rand::thread_rng();
    let address = IpAddr::V4(Ipv4Addr::new(127, random.gen_range(64..=127), random.r#gen(), random.gen_range(1..=254)));
    let port = || free_port(address).map_err(TestbedError::file("find ports for", &directory));
    let (api, etcd, etcd_peers) = (port()?, port()?, port()?);
    Ok(Layout { context: "testbed".to_owned(), api, etcd, etcd_peers, advertised: ADVERTISED, nodes: Nodes::None, directory })
}

/// Not in `/tmp`: some components see another one there.
pub(crate) fn make_directory() -> Result<PathBuf, TestbedError> {
    let parent = Path::new("/var/tmp");
    let private = fs::Permissions::from_mode(0o700);
    let made = tempfile::Builder::new().prefix("harmony-testbed-").permissions(private).tempdir_in(parent);
    Ok(made.map_err(TestbedError::file("create a directory in", parent))?.keep())
}

fn free_port(address: IpAddr) -> std::io::Result<SocketAddr> {
    let mut random = rand::thread_rng();
    let mut tries = (0..100).map(|_| TcpListener::bind((address, random.gen_range(PORTS))).and_then(|free| free.local_addr()));
    tries.find(Result::is_ok).unwrap_or_else(|| Err(std::io::ErrorKind::AddrInUse.into()))
}

/// The class that claims get which name none. The controller manager's own provisioner makes their volumes.
fn default_storage_class() -> serde_json::Value {
    json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "hostpath", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "kubernetes.io/host-path",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
        "allowVolumeExpansion": true,
    })
}
