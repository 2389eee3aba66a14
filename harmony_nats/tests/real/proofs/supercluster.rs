//! Two clusters, three servers.

use std::time::Duration;

use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::assets::{KvBucket, Nothing, Replicas};
use harmony::modules::nats::client::NatsClient;
use harmony::modules::nats::proof::{CredentialWorks, GatewaysReachEveryCluster, KvReachesEverySite, Member, ServersAgree};
use harmony::proof::Prover;
use harmony::provider::{Observation, Provider, ProviderError};
use harmony_nats::{NatsConnections, client};
use harmony_types::TimeSpan;

use crate::buckets::{apply, bucket, live};
use crate::fixture::{System, name, run, told};

const MEMBERS: [(&str, &str); 4] = [("e1", "east"), ("e2", "east"), ("e3", "east"), ("w1", "west")];

fn agree(system: &System, members: Vec<Member>) -> ServersAgree {
    ServersAgree { system: name("nats"), meta_group: members.len(), members, access: system.access("admin") }
}

fn stranger(cluster: &str) -> Member {
    Member { server: name("x1"), cluster: name(cluster), site: name("x") }
}

async fn fails(nats: &NatsConnections, proof: &ServersAgree) -> String {
    told(&nats.prove(&run().within(Duration::from_millis(700)), proof).await.unwrap_err())
}

/// One test, because such a system takes seconds to start.
#[tokio::test(flavor = "multi_thread")]
async fn a_supercluster_is_proven_piece_by_piece() {
    let Some(mut system) = System::of("a_supercluster_is_proven_piece_by_piece", &MEMBERS, vec![]) else { return };
    let nats = client();
    let evidence = nats.prove(&run(), &agree(&system, system.members())).await.unwrap();
    assert_eq!(evidence.checks, 8, "{evidence:?}");
    assert!(evidence.how.contains("4 servers answer and are healthy; 4 name "), "{evidence:?}");

    servers_that_are_not_there_or_elsewhere_are_seen(&nats, &system).await;
    gateways_are_proven(&nats, &system).await;
    a_bucket_reaches_every_site(&nats, &system).await;
    let credential = CredentialWorks { user: name("app"), account: name("APP"), sites: system.sites("app") };
    assert_eq!(nats.prove(&run(), &credential).await.unwrap().checks, 4);
    what_dies_with_a_server_is_seen(&nats, &mut system).await;
}

async fn servers_that_are_not_there_or_elsewhere_are_seen(nats: &NatsConnections, system: &System) {
    let mut more = system.members();
    more.push(stranger("west"));
    let told = fails(nats, &agree(system, more.clone())).await;
    assert!(told.contains("1 of 5 servers do not answer: x1 of site x"), "{told}");
    let fewer = ServersAgree { meta_group: 3, ..agree(system, system.members()) };
    let told = fails(nats, &fewer).await;
    assert!(told.contains("says that the meta group has 4 of 3 servers"), "{told}");
    let mut moved = system.members();
    moved[0].cluster = name("west");
    let told = fails(nats, &agree(system, moved)).await;
    assert!(told.contains("e1 is in cluster east instead of west"), "{told}");
}

async fn gateways_are_proven(nats: &NatsConnections, system: &System) {
    let proof = GatewaysReachEveryCluster { system: name("nats"), members: system.members(), access: system.access("admin") };
    let evidence = nats.prove(&run(), &proof).await.unwrap();
    assert_eq!(evidence.checks, 8, "{evidence:?}");
    let mut members = system.members();
    members.push(stranger("north"));
    let missing = GatewaysReachEveryCluster { members, ..proof.clone() };
    let error = nats.prove(&run().within(Duration::from_millis(700)), &missing).await.unwrap_err();
    assert!(told(&error).contains("1 of 5 servers do not answer: x1 of site x"), "{}", told(&error));
}

async fn a_bucket_reaches_every_site(nats: &NatsConnections, system: &System) {
    let at = system.access("app");
    let wanted = KvBucket { replicas: Replicas::THREE, cluster: Some(name("east")), ..bucket("PROOF") };
    apply(nats, &at, &wanted).await.unwrap();
    assert_eq!(live(nats, &at, &wanted).await.state, wanted);
    let kv = KvReachesEverySite {
        system: name("nats"),
        bucket: name("PROOF"),
        within: TimeSpan::seconds(5),
        sites: system.sites("app"),
    };
    assert_eq!(nats.prove(&run(), &kv).await.unwrap().checks, 12);
    for at in 0..3 {
        let state = nats.look_at_server(&run(), &system.admin(at)).await.unwrap();
        assert_eq!(state.cluster, Some(name("east")));
        let jetstream = state.jetstream.unwrap();
        assert_eq!((jetstream.meta_size, jetstream.streams.len(), jetstream.streams[0].settled), (4, 1, true));
    }
    let one = KvBucket { replicas: Replicas::ONE, ..wanted.clone() };
    apply(nats, &at, &one).await.unwrap();
    assert_eq!(live(nats, &at, &one).await.state, one);
    let west = KvBucket { cluster: Some(name("west")), ..one };
    apply(nats, &at, &west).await.unwrap();
    assert_eq!(live(nats, &at, &west).await.state, west);
    let error = apply(nats, &at, &KvBucket { cluster: Some(name("west")), ..wanted }).await.unwrap_err();
    assert!(matches!(error, ProviderError::Refused(_)) && told(&error).contains("no suitable peers"), "{}", told(&error));
}

async fn what_dies_with_a_server_is_seen(nats: &NatsConnections, system: &mut System) {
    system.servers[3].kill();
    let told = fails(nats, &agree(system, system.members())).await;
    assert!(told.contains("1 of 4 servers do not answer: w1 of site w1"), "{told}");
    let wanted = KvBucket { cluster: Some(name("west")), ..bucket("PROOF") };
    let found = crate::buckets::observe(nats, &system.access("app"), &wanted).await;
    let Observation::Unreachable(why) = found else { panic!("the dead site's bucket should be unreachable") };
    assert!(why.contains("stream is offline") || why.contains("no answer"), "{why}");
    for at in [1, 2] {
        system.servers[at].kill();
    }
    let at = system.access("app");
    let error = apply_within(nats, &at, Duration::from_secs(1)).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unreachable(_)), "{error:?}");
}

async fn apply_within(nats: &NatsConnections, at: &NatsAccess, limit: Duration) -> Result<Nothing, ProviderError> {
    nats.apply(&run().within(limit), at, &bucket("NEVER"), None).await
}
