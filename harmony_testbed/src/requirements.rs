//! What a machine must have for real nodes.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::TestbedError;

/// Programs of real nodes, with the Debian package of each.
const PROGRAMS: [(&str, &str); 8] = [
    ("containerd", "containerd"),
    ("ctr", "containerd"),
    ("runc", "runc"),
    ("iptables", "iptables"),
    ("conntrack", "conntrack"),
    ("ip", "iproute2"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
];
/// Where distributions put the plugins that connect pods to networks.
const NETWORK_PLUGIN_DIRECTORIES: [&str; 3] = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];
/// The plugins that are used, in one package on Debian.
const NETWORK_PLUGINS: [&str; 3] = ["ptp", "host-local", "loopback"];
const NETWORK_PLUGINS_PACKAGE: &str = "containernetworking-plugins";
/// They are not in everybody's `PATH`.
const SYSTEM_DIRECTORIES: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// What real nodes need and this machine lacks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MissingRequirements {
    /// Whether this process does not run as root.
    pub root: bool,
    /// Packages, by their names in Debian; sorted, each once.
    pub packages: Vec<&'static str>,
}

/// What [`Cluster`](crate::Cluster) needs and is not here; `None` if nothing is missing.
#[must_use]
pub fn find_missing_requirements() -> Option<MissingRequirements> {
    let mut packages: Vec<_> = PROGRAMS.iter().filter(|(program, _)| !is_program(program)).map(|(_, package)| *package).collect();
    if network_plugin_directory().is_none() {
        packages.push(NETWORK_PLUGINS_PACKAGE);
    }
    packages.sort_unstable();
    packages.dedup();
    let missing = MissingRequirements { root: !is_root(), packages };
    (missing != MissingRequirements::default()).then_some(missing)
}

/// # Errors
/// [`TestbedError::Lacking`] if something is missing.
pub(crate) fn ensure_requirements() -> Result<(), TestbedError> {
    let Some(missing) = find_missing_requirements() else { return Ok(()) };
    let root = missing.root.then_some("root, as which real nodes run").into_iter().map(str::to_owned);
    let packages = (!missing.packages.is_empty()).then(|| format!("the packages {}", missing.packages.join(", ")));
    let what: Vec<String> = root.chain(packages).collect();
    Err(TestbedError::Lacking {
        what: what.join(" and "),
        hint: "run `cargo xtask test` as root, which installs packages on Debian, or name a kubeconfig in `HARMONY_TEST_KUBECONFIG`",
    })
}

/// `PATH` with the directories of system programs behind it.
pub(crate) fn search_path() -> std::ffi::OsString {
    let own = env::var_os("PATH").unwrap_or_default();
    let directories = env::split_paths(&own).chain(SYSTEM_DIRECTORIES.iter().map(PathBuf::from));
    env::join_paths(directories).unwrap_or(own)
}

/// The directory that holds all plugins.
pub(crate) fn network_plugin_directory() -> Option<&'static str> {
    let holds_all = |directory: &&str| NETWORK_PLUGINS.iter().all(|plugin| Path::new(directory).join(plugin).exists());
    NETWORK_PLUGIN_DIRECTORIES.into_iter().find(|directory| holds_all(directory))
}

fn is_program(name: &str) -> bool {
    env::split_paths(&search_path()).any(|directory| directory.join(name).is_file())
}

/// A process's own directory belongs to its effective user.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
