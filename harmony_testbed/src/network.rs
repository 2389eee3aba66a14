//! The network that joins clusters with each other and with this machine, and with nothing else.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use crate::child::Keeper;
use crate::control_plane::make_directory;
use crate::error::TestbedError;
use crate::room::{Room, run};

/// The interface by which each cluster is joined.
const UPLINK: &str = "eth0";
/// Of how many networks one is free.
const NETWORKS: u8 = 250;
/// The last byte of the first cluster's address.
const FIRST_CLUSTER: u8 = 10;

/// `198.18.N.0/24`, from the range that is kept for tests of networks (RFC 2544). This machine has `.1` in it, the clusters `.10` and so on.
///
/// Nothing leads out of it: the clusters have no router, and this machine is not one for them. It lives in a room of its own, so its
/// interfaces are gone with the owner, those on this machine too: they are ends of pairs whose other ends are in the room.
#[derive(Debug)]
pub(crate) struct Network {
    room: Room,
    number: u8,
    directory: PathBuf,
    _keeper: Keeper,
}

impl Network {
    /// The first that is free on this machine.
    pub(crate) fn open(program: &Path) -> Result<Self, TestbedError> {
        let directory = make_directory()?;
        let keeper = Keeper::start(program, &directory, &[])?;
        let room = Room::open(program, &directory, &[])?;
        let number = room_on_this_machine(&room)?;
        for arguments in
            ["link add name joint type bridge", "link set joint up", "link set machine master joint", "link set machine up"]
        {
            room.run("ip", &words(arguments))?;
        }
        let interface = interface_name(number);
        run("ip", &words(&format!("address add {}/24 dev {interface}", machine_address(number))))?;
        run("ip", &words(&format!("link set {interface} up")))?;
        Ok(Self { room, number, directory, _keeper: keeper })
    }

    /// This machine as the clusters see it.
    pub(crate) fn machine_address(&self) -> IpAddr {
        machine_address(self.number)
    }

    /// The address of the cluster with this number, counted from 0.
    pub(crate) fn cluster_address(&self, cluster: u8) -> IpAddr {
        address(self.number, FIRST_CLUSTER + cluster)
    }

    /// Gives the cluster's room its address.
    pub(crate) fn join(&self, cluster: u8, room: &Room) -> Result<(), TestbedError> {
        let (own, other) = (self.room.process(), room.process());
        run("ip", &words(&format!("link add name cluster{cluster} netns {own} type veth peer name {UPLINK} netns {other}")))?;
        self.room.run("ip", &words(&format!("link set cluster{cluster} master joint")))?;
        self.room.run("ip", &words(&format!("link set cluster{cluster} up")))?;
        for arguments in [
            "link set lo up".to_owned(),
            format!("address add {}/24 dev {UPLINK}", self.cluster_address(cluster)),
            format!("link set {UPLINK} up"),
            // Components look for the address by which they would leave.
            format!("route add default dev {UPLINK}"),
        ] {
            room.run("ip", &words(&arguments))?;
        }
        Ok(())
    }

    /// A directory for what concerns all clusters; it goes with the network.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // The kernel removes it with the room, a moment later than that: nobody should find it now.
        let _ = run("ip", &words(&format!("link delete {}", interface_name(self.number))));
    }
}

/// Makes the pair that joins this machine; whoever makes the interface has the network.
fn room_on_this_machine(room: &Room) -> Result<u8, TestbedError> {
    let mut last = None;
    for number in 1..=NETWORKS {
        let interface = interface_name(number);
        let pair = format!("link add name {interface} type veth peer name machine netns {}", room.process());
        match run("ip", &words(&pair)) {
            Ok(_) => return Ok(number),
            Err(error @ TestbedError::Command { .. }) if error.to_string().contains("File exists") => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| TestbedError::Lacking { what: "a free network".to_owned(), hint: "take testbeds down" }))
}

fn interface_name(number: u8) -> String {
    format!("harmony-{number}")
}

fn machine_address(number: u8) -> IpAddr {
    address(number, 1)
}

fn address(network: u8, last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(198, 18, network, last))
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}
