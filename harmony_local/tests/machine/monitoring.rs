//! What asks for no credential is closed, unless the program says otherwise, and then open to this machine only.

use std::net::SocketAddr;

use harmony::modules::nats::score::JetstreamScore;
use harmony::modules::nats::spec::LogLevel;

use crate::fixture::{Machine, Server, account, listening, one};

/// Where a server listens, and whether its configuration says anything of monitoring, and of its log.
fn seen(server: &Server) -> (Vec<SocketAddr>, Option<String>, bool) {
    let config = server.config();
    let monitoring = config.lines().find(|line| line.starts_with("http") || line.starts_with("monitor"));
    let addresses = listening(server.process().unwrap()).into_iter();
    let others = addresses.filter(|address| address.port() != server.port()).collect();
    (others, monitoring.map(str::to_owned), config.contains("debug") || config.contains("trace"))
}

#[tokio::test(flavor = "multi_thread")]
async fn monitoring_is_closed_until_it_is_asked_for_and_then_on_loopback_alone() {
    let Some((machine, server)) = Machine::with_one_server("monitoring::closed").await else { return };
    let scores = one(JetstreamScore::on("nats"), account());
    let client: SocketAddr = ([127, 0, 0, 1], server.port()).into();
    assert_eq!(listening(server.process().unwrap()), [client].into());
    assert_eq!(seen(&server), (vec![], None, false));

    machine.apply(machine.topology().with_monitoring(), &scores).await;
    let (others, monitoring, is_loud) = seen(&server);
    let [address] = others[..] else { panic!("{others:?}") };
    assert_eq!(address.ip().to_string(), "127.0.0.1");
    assert_eq!(monitoring, Some(format!("http: \"{address}\"")));
    assert!(!is_loud, "to be looked at does not mean to say more");

    machine.apply(machine.topology(), &scores).await;
    assert_eq!(seen(&server), (vec![], None, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_debugs_may_look_too() {
    let Some(machine) = Machine::new("monitoring::debug").await else { return };
    let scores = one(JetstreamScore::on("nats"), account());
    machine.apply(machine.topology().with_log(LogLevel::Debug), &scores).await;
    let server = machine.server("nats-1");
    let (others, monitoring, is_loud) = seen(&server);
    let [address] = others[..] else { panic!("{others:?}") };
    assert_eq!(address.ip().to_string(), "127.0.0.1");
    assert_eq!(monitoring, Some(format!("http: \"{address}\"")));
    assert!(is_loud);
    assert!(std::fs::read_to_string(server.file("nats-server.log")).unwrap().contains("[DBG]"));
}
