//! The way to pods.

use std::time::Duration;

use harmony::modules::nats::client::{Lead, WayToServers};
use harmony::provider::ProviderError;
use harmony::run::Run;
use harmony_io::Io;
use harmony_testbed::{ControlPlane, available};

use crate::fixture::Program;

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_is_not_there_is_named_and_other_hosts_are_left_alone() {
    let test = "a_pod_that_is_not_there_is_named_and_other_hosts_are_left_alone";
    let Some(mut plane) = available(test, ControlPlane::start()) else { return };
    let tunnels = Program::new("tunnels", &plane.kubeconfig()).await.place.tunnels();
    let run = || Run::alone(Io::real(), Duration::from_secs(10));
    assert_eq!(tunnels.lead_to(&run(), "127.0.0.1", 4222).await.unwrap(), Lead::Elsewhere);
    assert_eq!(tunnels.lead_to(&run(), "nats.example.org", 4222).await.unwrap(), Lead::Elsewhere);
    assert_eq!(
        tunnels.lead_to(&run(), "east-1-0.nats.messaging.svc", 4222).await.unwrap(),
        Lead::Nowhere("cluster cluster has no pod east-1-0 in namespace messaging".to_owned())
    );
    plane.kill_api_server();
    let lost = tunnels.lead_to(&run(), "east-1-0.nats.messaging.svc", 4222).await.unwrap_err();
    assert!(matches!(lost, ProviderError::Unreachable(_)), "{lost:?}");
}
