//! What is left of a testbed: nothing.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use harmony_testbed::{Cluster, ControlPlane, Programs, available};

/// The processes that name `directory` in their command lines.
fn processes_of(directory: &Path) -> Vec<String> {
    let name = directory.as_os_str().as_encoded_bytes();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines
        .filter(|line| line.windows(name.len()).any(|window| window == name))
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .collect()
}

fn volumes_outside() -> usize {
    fs::read_dir("/tmp/hostpath_pv").map(Iterator::count).unwrap_or_default()
}

#[test]
fn nothing_is_left_of_a_control_plane_that_was_dropped() {
    let Some(plane) = available("nothing_is_left_of_a_control_plane_that_was_dropped", ControlPlane::start()) else { return };
    let directory = plane.kubeconfig().parent().unwrap().to_owned();
    assert_eq!(processes_of(&directory).len(), 4, "etcd, API server, controller manager, keeper");
    let before = volumes_outside();
    let claim = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, \
                  spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}";
    plane.kubectl().run_with_input(&["apply", "-f", "-"], claim).unwrap();
    plane.kubectl().run(&["wait", "pvc/data", "--for=jsonpath={.status.phase}=Bound", "--timeout=60s"]).unwrap();
    drop(plane);
    assert_eq!(processes_of(&directory), [""; 0]);
    assert!(!directory.exists());
    assert_eq!(volumes_outside(), before);
}

/// Everything of a testbed that outlives processes: directories, control groups, interfaces.
fn things() -> BTreeSet<PathBuf> {
    let groups = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().map(|hierarchy| hierarchy.path());
    let places = groups.chain(["/sys/fs/cgroup", "/sys/class/net", "/var/tmp"].map(PathBuf::from));
    let inside = places.flat_map(|place| fs::read_dir(place).into_iter().flatten().flatten());
    inside.map(|entry| entry.path()).filter(|path| path.to_string_lossy().contains("/harmony-")).collect()
}

/// The kernel gives no number twice.
fn index_of_interface(address: IpAddr) -> Option<String> {
    let IpAddr::V4(address) = address else { return None };
    fs::read_to_string(format!("/sys/class/net/harmony-{}/ifindex", address.octets()[2])).ok()
}

#[test]
fn nothing_is_left_when_the_owner_is_killed() {
    if available("nothing_is_left_when_the_owner_is_killed", Programs::ensure(&|_| ())).is_some() {
        kill_owner("1", 4);
    }
}

#[test]
fn nothing_is_left_of_clusters_when_the_owner_is_killed() {
    // A cluster of its own, for whether the machine can have one shows only then; and it has to go as well.
    let started = Cluster::start("dropped");
    let Some(cluster) = available("nothing_is_left_of_clusters_when_the_owner_is_killed", started) else { return };
    let Some(directory) = cluster.kubeconfig().parent().map(Path::to_owned) else { return };
    let name = directory.file_name().unwrap().to_string_lossy().into_owned();
    let address = cluster.machine_address().unwrap();
    let interface = index_of_interface(address).unwrap();
    drop(cluster);
    assert_ne!(index_of_interface(address), Some(interface), "another one may have the address by now");
    assert_eq!(processes_of(&directory), [""; 0]);
    assert!(!things().iter().any(|thing| thing.to_string_lossy().contains(&name)), "{:?}", things());
    kill_owner("2", 9);
}

/// Kills who holds a testbed of this level, of which at least so many processes name the directory, and waits for their end.
fn kill_owner(level: &str, least: usize) {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_testbed"))
        .args(["hold", "--level", level])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(owner.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let kubeconfig = PathBuf::from(line.trim());
    let directory = kubeconfig.parent().unwrap();
    let processes = processes_of(directory);
    assert!(processes.len() >= least, "{line}: {processes:#?}");
    let name = directory.file_name().unwrap().to_string_lossy().into_owned();
    let things_of = || things().into_iter().filter(|thing| thing.to_string_lossy().contains(&name)).collect::<Vec<_>>();
    assert!(!things_of().is_empty());
    owner.kill().unwrap();
    owner.wait().unwrap();
    let begun = Instant::now();
    let is_left = || !things_of().is_empty() || !processes_of(directory).is_empty();
    while is_left() && begun.elapsed() < Duration::from_secs(30) {
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(processes_of(directory), [""; 0]);
    assert_eq!(things_of(), Vec::<PathBuf>::new());
}
