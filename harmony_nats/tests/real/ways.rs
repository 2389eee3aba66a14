//! Servers that this machine does not reach by their own names.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::client::{Lead, NatsClient, WayToServers};
use harmony::provider::ProviderError;
use harmony::run::Run;
use harmony::value::Value;
use harmony_nats::client;
use harmony_types::PlaceName;

use crate::fixture::{System, run, told};

const HOST: &str = "east-1.nats.messaging.svc";

/// Leads from one host of a place to a port of this machine, and knows of another one that it is gone.
struct Way {
    place: PlaceName,
    port: u16,
}

fn way(place: &str, port: u16) -> Arc<Way> {
    Arc::new(Way { place: place.parse().unwrap(), port })
}

#[async_trait]
impl WayToServers for Way {
    fn place(&self) -> &PlaceName {
        &self.place
    }

    async fn lead_to(&self, _: &Run, host: &str, _: u16) -> Result<Lead, ProviderError> {
        Ok(match host {
            HOST => Lead::To(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))),
            "west-1.nats.messaging.svc" => Lead::Nowhere("there is no such pod".to_owned()),
            _ => Lead::Elsewhere,
        })
    }
}

fn at(system: &System, host: &str) -> NatsAccess {
    NatsAccess { servers: vec![Value::Known(format!("tls://{host}:4222"))], ..system.admin(0) }
}

fn port(system: &System) -> u16 {
    system.url(0).rsplit(':').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_server_is_dialled_where_a_way_leads_and_has_to_prove_its_own_name() {
    let test = "a_server_is_dialled_where_a_way_leads_and_has_to_prove_its_own_name";
    let Some(system) = System::solo_for_host(test, HOST) else { return };
    let client = client();
    client.clone().take_way(way("east", port(&system)));
    assert_eq!(client.look_at_server(&run(), &at(&system, HOST)).await.unwrap().server.as_str(), "solo");

    let error = client.look_at_server(&run(), &at(&system, "west-1.nats.messaging.svc")).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unreachable(_)) && told(&error).contains("there is no such pod"), "{error:?}");
}

#[tokio::test]
async fn a_certificate_for_where_the_way_leads_is_not_one_for_the_server() {
    let test = "a_certificate_for_where_the_way_leads_is_not_one_for_the_server";
    let Some(system) = System::solo(test, Vec::new()) else { return };
    let client = client();
    client.take_way(way("east", port(&system)));
    let error = client.look_at_server(&run(), &at(&system, HOST)).await.unwrap_err();
    assert!(matches!(error, ProviderError::NotPermitted(_)) && told(&error).contains("invalid peer certificate"), "{error:?}");
    // What no way is for is dialled as it says.
    client.look_at_server(&run(), &system.admin(0)).await.unwrap();
}

#[tokio::test]
async fn of_several_places_that_know_a_host_by_one_name_that_is_asked_which_the_server_is_on() {
    let test = "of_several_places_that_know_a_host_by_one_name_that_is_asked_which_the_server_is_on";
    let Some(system) = System::solo_for_host(test, HOST) else { return };
    let client = client();
    // Nobody listens where the other place leads.
    client.take_way(way("west", 1));
    client.take_way(way("east", port(&system)));
    let on = |place: &str| NatsAccess { servers: vec![Value::Known(format!("tls://{HOST}:4222#{place}"))], ..system.admin(0) };
    assert_eq!(client.look_at_server(&run(), &on("east")).await.unwrap().server.as_str(), "solo");
    let error = client.look_at_server(&run(), &on("west")).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unreachable(_)) && told(&error).contains("refused"), "{error:?}");
}
