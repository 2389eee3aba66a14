//! When what failed is tried once more: only where the machine can be the reason, and not the program.
//!
//! A retry that is granted too easily hides defects. So only a run that nobody disturbed is excused, only for one of two reasons, and only
//! if the reason can be seen from outside; each retry is counted and told.

use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use harmony_test::Finished;

/// What the machine did to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excuse {
    /// Processes waited for a core for half of the last ten seconds, and a server that is given two seconds to answer did not.
    BusyMachine,
    /// Somebody else listens on a port that was free when it was chosen.
    PortTaken(u16),
}

/// What is panicked with where there is an excuse.
#[derive(Debug)]
pub(crate) struct Excused(pub(crate) String);

/// From this part of the time on in which some process waits for a core, a machine is too busy, in percent.
const BUSY: f64 = 50.0;

impl fmt::Display for Excuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BusyMachine => f.write_str("the machine is busy"),
            Self::PortTaken(port) => write!(f, "somebody else has taken port {port}"),
        }
    }
}

/// What excuses a run that should have ended well, given the `configurations` of the servers of its world.
pub(crate) fn excuse_of(finished: &Finished, configurations: &[String]) -> Option<Excuse> {
    let output = finished.output();
    let is_taken = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_err();
    let is_ours = |port: u16| configurations.iter().any(|configuration| configuration.contains(&port.to_string()));
    match refused_port(&output) {
        Some(port) if is_taken(&port) && !is_ours(port) => Some(Excuse::PortTaken(port)),
        Some(_) => None,
        None if output.contains("no answer within") && is_busy() => Some(Excuse::BusyMachine),
        None => None,
    }
}

/// The port that a server could not listen on: `listen tcp 127.0.0.1:15000: bind: address already in use`.
fn refused_port(output: &str) -> Option<u16> {
    let (before, _) = output.split_once(": bind: address already in use")?;
    before.rsplit(':').next()?.parse().ok()
}

/// What the kernel says of who waits for a core, <https://docs.kernel.org/accounting/psi.html>.
fn is_busy() -> bool {
    let pressure = fs::read_to_string("/proc/pressure/cpu").unwrap_or_default();
    waiting(&pressure).is_some_and(|waiting| waiting >= BUSY)
}

fn waiting(pressure: &str) -> Option<f64> {
    pressure.lines().next()?.strip_prefix("some avg10=")?.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Finished {
        Finished { code: 1, stdout: String::new(), stderr: text.to_owned() }
    }

    #[test]
    fn a_port_is_an_excuse_only_while_somebody_else_has_it() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let words = said(&format!("[FTL] \"listen tcp 127.0.0.1:{port}: bind: address already in use\""));
        assert_eq!(excuse_of(&words, &[]), Some(Excuse::PortTaken(port)));
        assert_eq!(excuse_of(&words, &[format!("port: {port}")]), None, "a server of the same world has it");
        drop(listener);
        assert_eq!(excuse_of(&words, &[]), None, "nobody has it");
    }

    #[test]
    fn the_kernel_says_how_long_somebody_waited() {
        assert_eq!(waiting("some avg10=91.50 avg60=1.0 avg300=2.0 total=5\nfull avg10=0.00"), Some(91.5));
        assert_eq!(waiting(""), None);
    }

    #[test]
    fn other_failures_have_no_excuse() {
        assert_eq!(excuse_of(&said("error: failed to write"), &[]), None);
    }
}
