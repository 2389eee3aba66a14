//! What this place needs on the machine: the nats-server program, the ports that were chosen, the servers that were started.

use std::net::SocketAddr;

use harmony::engine::ledger::{Entry, Ledger};
use harmony::resource::Resource;
use harmony::topology::{Check, Fetching, Site};
use harmony_io::Io;
use serde::de::DeserializeOwned;

use crate::kind::{LocalPort, PortIdentity, PortOutputs};
use crate::nats::{NatsServerProcess, ProcessIdentity, find};
use crate::nats_server::{self, Found, Origin, Search};

/// Which nats-server program there is.
pub(crate) async fn nats_server(search: &Search, site: &Site) -> Check {
    const ABOUT: &str = "nats-server";
    match nats_server::find(&site.io, search).await {
        Ok(Found::Installed { path, version, origin }) => {
            let origin = match origin {
                Origin::Explicit => "named by this program or by HARMONY_NATS_SERVER",
                Origin::Path => "found in PATH",
                Origin::Cache => "installed by Harmony",
            };
            Check::good(ABOUT, format!("version {version} at `{}`, {origin}", path.display()))
        }
        Ok(Found::Missing(missing)) if site.fetching == Fetching::Allowed => {
            Check::good(ABOUT, format!("none here: `apply` installs version {}", missing.version))
        }
        Ok(Found::Missing(missing)) => Check::wrong(
            ABOUT,
            format!("none here, and fetching version {} is forbidden (offline)", missing.version),
            format!("install {} or newer in a directory of PATH, or set HARMONY_NATS_SERVER to one", missing.needed),
        ),
        Err(error) => Check::failed(ABOUT, harmony::explain::chain(&error), error.hint()),
    }
}

/// The ports and the servers that the Ledger knows. A Ledger that cannot be read is not this place's to tell.
pub(crate) async fn recorded(site: &Site) -> Vec<Check> {
    let Ok(ledger) = Ledger::of(site).await else { return Vec::new() };
    let made: Vec<&Entry> = ledger.entries().filter(|entry| entry.made).collect();
    let mut checks = ports(&site.io, &made);
    checks.extend(servers(&site.io, &made));
    checks
}

fn ports(io: &Io, made: &[&Entry]) -> Vec<Check> {
    const ABOUT: &str = "ports";
    let chosen: Vec<(PortIdentity, PortOutputs)> = of_kind::<LocalPort>(made)
        .filter_map(|entry| Some((identity(entry)?, serde_json::from_value(entry.kept.clone()?).ok()?)))
        .collect();
    let taken: Vec<Check> = chosen.iter().filter_map(|(identity, kept)| taken(io, identity, kept)).collect();
    match (chosen.len(), taken.is_empty()) {
        (0, _) => Vec::new(),
        (1, true) => vec![Check::good(ABOUT, "the port that was chosen is free, or its own server has it")],
        (several, true) => {
            vec![Check::good(ABOUT, format!("the {several} ports that were chosen are free, or their own servers have them"))]
        }
        (_, false) => taken,
    }
}

/// What is wrong with a port, if something else has it.
fn taken(io: &Io, identity: &PortIdentity, kept: &PortOutputs) -> Option<Check> {
    let about = format!("port {}", kept.port);
    let address = SocketAddr::new(identity.host.address()?, kept.port.number());
    match io.is_address_free(address) {
        Ok(true) => None,
        Ok(false) if find(io, &identity.process).is_ok_and(|found| found.is_some()) => None,
        Ok(false) => Some(Check::wrong(
            about,
            format!("something else listens on {address}, chosen for {identity}"),
            "stop it, or run `apply`, which chooses another port",
        )),
        Err(error) => Some(Check::failed(about, harmony::explain::chain(&error), error.hint().map(str::to_owned))),
    }
}

fn servers(io: &Io, made: &[&Entry]) -> Vec<Check> {
    let recorded: Vec<ProcessIdentity> = of_kind::<NatsServerProcess>(made).filter_map(identity).collect();
    let troubles: Vec<Check> = recorded.iter().filter_map(|server| trouble(io, server)).collect();
    match (recorded.len(), troubles.is_empty()) {
        (0, _) => Vec::new(),
        (1, true) => vec![Check::good("servers", "the server that was started runs")],
        (several, true) => vec![Check::good("servers", format!("the {several} servers that were started run"))],
        (_, false) => troubles,
    }
}

/// Why a server that was started does not work, if it does not.
fn trouble(io: &Io, server: &ProcessIdentity) -> Option<Check> {
    let about = format!("server {server}");
    let found = match find(io, server) {
        Ok(Some(found)) => found,
        Ok(None) => {
            let means = "it was started and does not run any more, or what runs in its place is not ours";
            return Some(Check::wrong(about, means, "run `apply`, which starts it; its log is beside its configuration"));
        }
        Err(error) => return Some(Check::failed(about, error.to_string(), error.hint().map(str::to_owned))),
    };
    let process = found.process();
    match found.is_stopped(io) {
        Ok(true) => Some(Check::wrong(
            about,
            format!("process {process} was stopped (SIGSTOP) and answers nobody"),
            format!("let it go on with `kill -CONT {process}`"),
        )),
        _ => None,
    }
}

fn of_kind<'a, R: Resource>(made: &'a [&'a Entry]) -> impl Iterator<Item = &'a Entry> {
    made.iter().copied().filter(|entry| entry.key.kind == R::KIND)
}

/// What a thing is called, as its kind reads it; nothing, if another version of the program wrote it.
fn identity<I: DeserializeOwned>(entry: &Entry) -> Option<I> {
    serde_json::from_str(&entry.key.identity).ok()
}
