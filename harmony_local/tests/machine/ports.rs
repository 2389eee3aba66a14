//! Ports are moved on where they are taken, kept where they are not, and listened on where the program says.

use std::net::{Ipv4Addr, TcpListener};

use harmony::modules::nats::score::JetstreamScore;

use crate::certificate::presented;
use crate::fixture::{Machine, account, changes, is_free, listening, one};

fn take(port: u16) -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_moved_on_when_it_is_chosen_and_kept_from_then_on() {
    let Some((machine, server)) = Machine::with_one_server("ports::taken").await else { return };
    let scores = one(JetstreamScore::on("nats"), account());
    let preferred = server.port();
    machine.destroy().await;
    let other = take(preferred);
    machine.said();
    machine.apply(machine.topology(), &scores).await;
    let moved = server.port();
    assert_ne!(moved, preferred);
    let said = machine.said();
    assert!(said.iter().any(|event| event.contains(&format!("{preferred} is taken, using {moved}"))), "{said:#?}");
    drop(other);
    assert!(is_free(preferred));
    assert_eq!(machine.apply(machine.topology(), &scores).await.writes, 0);
    server.kill().await;
    machine.apply(machine.topology(), &scores).await;
    assert_eq!(server.port(), moved, "a server that was away comes back where clients know it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_port_that_another_took_while_the_server_was_away_is_shown_and_moved() {
    let Some((machine, server)) = Machine::with_one_server("ports::lost").await else { return };
    let scores = one(JetstreamScore::on("nats"), account());
    let kept = server.port();
    server.kill().await;
    let other = take(kept);
    let shown = changes(&machine.plan(machine.topology(), &scores).await);
    assert!(shown.contains(&"update laptop/nats/nats-1/client-port /holder".to_owned()), "{shown:#?}");
    machine.apply(machine.topology(), &scores).await;
    assert_ne!(server.port(), kept);
    assert!(listening(server.process().unwrap()).iter().any(|address| address.port() == server.port()));
    assert_eq!(other.local_addr().unwrap().port(), kept, "the other one was left alone");
    assert!(!machine.plan(machine.topology(), &scores).await.is_pending());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_place_listens_on_and_is_dialled_by_is_in_the_configuration_and_the_certificate() {
    let Some(machine) = Machine::new("ports::address").await else { return };
    let scores = one(JetstreamScore::on("nats"), account());
    let topology = machine.topology().with_listen_address("127.0.0.2".parse().unwrap());
    let topology = topology.with_advertised_host("127.0.0.2".parse().unwrap());
    machine.apply(topology, &scores).await;
    let server = machine.server("nats-1");
    let (config, port) = (server.config(), server.port());
    assert!(config.lines().any(|line| line == "host: \"127.0.0.2\""), "{config}");
    assert!(config.lines().any(|line| line == format!("client_advertise: \"127.0.0.2:{port}\"")), "{config}");
    assert_eq!(listening(server.process().unwrap()), [([127, 0, 0, 2], port).into()].into());
    assert!(is_free(port), "on 127.0.0.1 nobody listens");
    // A client that knows the server by this address trusts it.
    presented(&server, "127.0.0.2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_dialled_by_a_name_has_it_in_the_certificate() {
    let Some(machine) = Machine::new("ports::advertise").await else { return };
    let scores = one(JetstreamScore::on("nats"), account());
    machine.apply(machine.topology().with_advertised_host("localhost".parse().unwrap()), &scores).await;
    let server = machine.server("nats-1");
    let (config, port) = (server.config(), server.port());
    assert!(config.lines().any(|line| line == "host: \"127.0.0.1\""), "{config}");
    assert!(config.lines().any(|line| line == format!("client_advertise: \"localhost:{port}\"")), "{config}");
    presented(&server, "localhost");
    presented(&server, "127.0.0.1");
}
