//! A node: container runtime, kubelet and proxy, with scheduler and names beside them.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::authority::{Authority, write};
use crate::child::{Launch, Running};
use crate::error::TestbedError;
use crate::image::Image;
use crate::layout::Layout;
use crate::node_files::write_node_files;
use crate::programs::{NodePrograms, Programs};
use crate::room::Room;
use crate::waiting::{Look, wait_for};

/// What the runtime listens on; `/run` is the room's own.
pub(crate) const RUNTIME_SOCKET: &str = "/run/containerd/containerd.sock";
/// What holds the namespaces of every pod.
pub(crate) const PAUSE_IMAGE: &str = "harmony.test/pause:1";
/// Directories of the machine that components write into whatever they are told: the room has its own.
const OWN_DIRECTORIES: [(&str, &str); 4] = [("tmp", "/tmp"), ("run", "/run"), ("lib", "/var/lib"), ("log", "/var/log")];
/// Where programs read whom they ask for names, resolv.conf(5).
const NAMES: &str = "/etc/resolv.conf";
const RUNTIME_LIMIT: Duration = Duration::from_secs(60);

/// The parts of one node, all in one room.
#[derive(Debug)]
pub(crate) struct Node {
    kubelet: Option<Running>,
    runtime: Running,
    others: Vec<Running>,
}

/// What the room shows in place of what the machine has there: directories of its own, made in `directory`; and the programs, which may
/// themselves be where those are.
pub(crate) fn own_places(
    directory: &Path,
    programs: &Programs,
    node: &NodePrograms,
    address: IpAddr,
) -> Result<Vec<(PathBuf, PathBuf)>, TestbedError> {
    let mut places = Vec::new();
    for (program, name) in [(&programs.kubernetes, "kubernetes"), (&node.coredns, "coredns")] {
        let seen = directory.join(name);
        write(&seen, "")?;
        places.push((program.clone(), seen));
    }
    for (name, target) in OWN_DIRECTORIES {
        let own = directory.join("own").join(name);
        fs::create_dir_all(&own).map_err(TestbedError::file("create", &own))?;
        // As /tmp is everywhere; the others are reached by the room's own processes alone.
        fs::set_permissions(&own, fs::Permissions::from_mode(0o1777)).map_err(TestbedError::file("open", &own))?;
        places.push((own, target.into()));
    }
    places.extend(own_names(directory, address)?);
    Ok(places)
}

/// The room asks its own server of names, which knows at once what it does not know: else each pull of an image that is not there would wait
/// for one that cannot be reached.
fn own_names(directory: &Path, address: IpAddr) -> Result<Option<(PathBuf, PathBuf)>, TestbedError> {
    let configuration = format!("nameserver {address}\n");
    // Some systems have a link there, to a file in `/run`.
    let Ok(target) = fs::canonicalize(NAMES) else { return Ok(None) };
    let own = match target.strip_prefix("/run") {
        Ok(below) => directory.join("own/run").join(below),
        Err(_) => directory.join("resolv.conf"),
    };
    let parent = own.parent().unwrap_or(directory);
    fs::create_dir_all(parent).map_err(TestbedError::file("create", parent))?;
    write(&own, &configuration)?;
    Ok((!target.starts_with("/run")).then_some((own, target)))
}

impl Node {
    /// Starts everything in `room`, in which the API server answers already. The kubelet keeps what it runs in the control group `group`.
    pub(crate) fn start(
        room: &Room,
        layout: &Layout,
        authority: &Authority,
        programs: &NodePrograms,
        group: &str,
    ) -> Result<Self, TestbedError> {
        write_node_files(layout, authority, group)?;
        let directory = &layout.directory;
        let start = |launch: Launch| launch.inside(room.entrance()).start();
        let kubernetes = |component, arguments: Vec<String>| {
            start(Launch::component(&directory.join("kubernetes"), component, arguments, directory))
        };
        let runtime = [format!("--config={}", layout.file("containerd.toml"))];
        let runtime = start(Launch::program(Path::new("containerd"), "containerd", runtime, directory))?;
        let names = [format!("-conf={}", layout.file("Corefile"))];
        let others = vec![
            start(Launch::program(&directory.join("coredns"), "coredns", names, directory))?,
            kubernetes("kube-scheduler", layout.scheduler_arguments())?,
            kubernetes("kube-proxy", vec![format!("--config={}", layout.file("proxy.json"))])?,
        ];
        let mut node = Self { kubelet: None, runtime, others };
        node.wait_for_runtime(room)?;
        let pause = Image::new(PAUSE_IMAGE, &["/pod", "pause"]).with_program("/pod", &programs.pod);
        load_image(room, directory, &pause)?;
        node.start_kubelet(room, layout)?;
        Ok(node)
    }

    /// Kills the kubelet (SIGKILL); its pods go on.
    pub(crate) fn kill_kubelet(&mut self) {
        self.kubelet = None;
    }

    /// Starts the kubelet, if it does not run.
    pub(crate) fn start_kubelet(&mut self, room: &Room, layout: &Layout) -> Result<(), TestbedError> {
        if self.kubelet.is_some() {
            return Ok(());
        }
        let arguments = layout.kubelet_arguments();
        let launch = Launch::component(&layout.directory.join("kubernetes"), "kubelet", arguments, &layout.directory);
        self.kubelet = Some(launch.inside(room.entrance()).start()?);
        Ok(())
    }

    /// # Errors
    /// [`TestbedError::Ended`] if a part has ended by itself.
    pub(crate) fn ensure_alive(&mut self) -> Result<(), TestbedError> {
        let parts = self.others.iter_mut().chain([&mut self.runtime]).chain(&mut self.kubelet);
        parts.into_iter().try_for_each(Running::ensure_alive)
    }

    fn wait_for_runtime(&mut self, room: &Room) -> Result<(), TestbedError> {
        wait_for("the container runtime", RUNTIME_LIMIT, || {
            self.runtime.ensure_alive()?;
            Ok(match room.run("ctr", &["--address", RUNTIME_SOCKET, "version"]) {
                Ok(_) => Look::Done(()),
                Err(error) => Look::NotYet(error.to_string()),
            })
        })
    }
}

/// Gives the node's runtime an image.
pub(crate) fn load_image(room: &Room, directory: &Path, image: &Image) -> Result<(), TestbedError> {
    let archive = directory.join("image.tar");
    image.write(&archive)?;
    let import = ["--address", RUNTIME_SOCKET, "--namespace", "k8s.io", "images", "import"].map(AsRef::as_ref);
    room.run("ctr", &[import.as_slice(), &[archive.as_os_str()]].concat())?;
    fs::remove_file(&archive).map_err(TestbedError::file("remove", &archive))
}
