use std::fmt::{Debug, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::programs::{assembled, bucket, cluster_of, main_job, user, with};
use crate::modules::nats::assets::{Replicas, Storage};
use crate::modules::nats::permission::probes;
use crate::modules::nats::proof::Expectation;
use crate::modules::nats::score::{Grant, Hub, JetstreamScore, NatsScore, NatsSuperclusterScore, Replication, UserWish};
use crate::modules::nats::spec::{ClusterRole, NatsFragment, SystemSpec, UserRole};

#[test]
fn the_main_job_is_nine_servers_in_four_clusters() {
    let system = assembled(main_job()).unwrap();
    let mut table = String::new();
    for cluster in system.clusters() {
        let servers: Vec<_> = cluster.servers.iter().map(|layout| layout.member.server.as_str()).collect();
        writeln!(table, "{} {:?}: {}", cluster.name, cluster.role, servers.join(" ")).unwrap();
    }
    insta::assert_snapshot!(table);
    assert_eq!(system.meta_group(), 9);
    assert_eq!(system.hub().unwrap().role, ClusterRole::Hub);
}

#[test]
fn the_notes_say_what_is_survived_and_what_is_risked() {
    let system = assembled(main_job()).unwrap();
    let notes: Vec<_> = system.notes().iter().map(|note| format!("{}: {}", note.about, note.says)).collect();
    insta::assert_snapshot!(notes.join("\n"));
}

#[test]
fn the_users_are_those_declared_and_harmonys_own() {
    let system = assembled(main_job()).unwrap();
    let mut table = String::new();
    for user in system.users() {
        writeln!(table, "{} {} {:?} {:?}", user.account, user.name, user.role, user.authentication).unwrap();
        writeln!(table, "  publish {}", user.permissions.publish.join(" ")).unwrap();
        writeln!(table, "  subscribe {}", user.permissions.subscribe.join(" ")).unwrap();
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_bucket_is_where_its_survival_says() {
    let mut table = String::new();
    let mut row = |name: &str, system: SystemSpec| {
        let spec = system.buckets().iter().find(|spec| !spec.is_for_proofs).unwrap();
        let cluster = spec.bucket.cluster.as_ref().map_or("(none)", |cluster| cluster.as_str());
        writeln!(table, "{name}: {} in {cluster}: {}", spec.bucket.replicas.count(), spec.survives).unwrap();
        let proof = system.buckets().iter().find(|spec| spec.is_for_proofs).unwrap();
        assert_eq!((&proof.bucket.cluster, proof.bucket.replicas), (&spec.bucket.cluster, spec.bucket.replicas));
    };
    row("one server", assembled(with(cluster_of(1), [bucket().into()])).unwrap());
    row("three servers", assembled(with(cluster_of(3), [bucket().into()])).unwrap());
    let five = bucket().with_replication(Replication::Local(Replicas::FIVE)).with_storage(Storage::Memory);
    row("five copies in memory", assembled(with(cluster_of(5), [five.into()])).unwrap());
    let sites = |hub| {
        let score = NatsSuperclusterScore::new("nats").with_site("east", 3).with_site("west", 3).with_site("north", 3);
        with(cluster_of(1).split_off(1), [score.with_hub(hub).into()])
    };
    row("across sites", assembled(with(sites(Hub::Across), [bucket().into()])).unwrap());
    row("on one site", assembled(with(sites(Hub::None), [bucket().at_site("east").into()])).unwrap());
    insta::assert_snapshot!(table);
}

#[test]
fn the_proof_bucket_comes_on_top_of_the_accounts_limits() {
    let system = assembled(main_job()).unwrap();
    let account = system.accounts().iter().find(|account| account.name.as_str() == "HARMONY").unwrap();
    // 512 MiB for the user, 1 MiB in each of 3 copies for proofs.
    assert_eq!(account.jetstream.as_ref().unwrap().max_file.unwrap().to_string(), "515MiB");
}

#[test]
fn without_jetstream_there_is_nothing_to_provision() {
    let fragments: Vec<NatsFragment> =
        cluster_of(2).into_iter().filter(|fragment| !matches!(fragment, NatsFragment::Jetstream(_))).collect();
    let system = assembled(fragments).unwrap();
    assert!(system.jetstream().is_none() && system.accounts().iter().all(|account| account.jetstream.is_none()));
    assert!(system.users().all(|user| user.role == UserRole::Operator));
}

#[test]
fn each_users_probes_are_few_and_say_both_yes_and_no() {
    let system = assembled(main_job()).unwrap();
    for user in system.users().filter(|user| user.role == UserRole::Declared) {
        let probes = probes(user, &system);
        assert!((15..=40).contains(&probes.len()), "{}: {}", user.name, probes.len());
        for expectation in [Expectation::Allowed, Expectation::Refused] {
            assert!(probes.iter().any(|probe| probe.expect == expectation), "{}: {expectation:?}", user.name);
        }
    }
}

#[test]
fn a_setting_that_nobody_gives_is_left_to_the_server_but_for_safety() {
    let fragments = with(cluster_of(1), [JetstreamScore::on("nats").into()]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&assembled(fragments).unwrap().jetstream()).unwrap());
}

#[test]
fn a_user_of_some_keys_is_proven_to_write_those_and_no_others() {
    let wish = UserWish::new("agent").with_grant(Grant::kv("HARMONY").below("agents.a").read_write());
    let system = assembled(with(cluster_of(3), [bucket().into(), user(wish)])).unwrap();
    let agent = system.users().find(|user| user.name.as_str() == "agent").unwrap();
    let probes = probes(agent, &system);
    let expected = |subject: &str| probes.iter().find(|probe| probe.subject == subject).map(|probe| probe.expect);
    assert_eq!(expected("$KV.HARMONY.agents.a.harmony-probe"), Some(Expectation::Allowed));
    assert_eq!(expected("$KV.HARMONY.harmony-probe"), Some(Expectation::Refused));
    assert_eq!(expected("$JS.API.STREAM.DELETE.KV_HARMONY"), Some(Expectation::Refused));
    assert_eq!(expected("$JS.API.STREAM.DELETE.KV_HARMONY_PROOF"), Some(Expectation::Refused));
    assert_eq!(expected("$SYS.REQ.USER.INFO"), Some(Expectation::Allowed));
}

#[test]
fn an_accepted_quorum_risk_is_still_said() {
    let two = NatsSuperclusterScore::new("nats").with_site("east", 3).with_site("west", 1).accepting_quorum_loss();
    let system = assembled(vec![two.into(), JetstreamScore::on("nats").into()]).unwrap();
    let about: Vec<&str> = system.notes().iter().map(|note| note.about.as_str()).collect();
    assert_eq!(about, ["JetStream of nats", "site east of nats"]);
}

#[test]
fn a_score_reads_back_what_it_writes() {
    fn check<S: Serialize + DeserializeOwned + PartialEq + Debug>(score: &S) {
        let json = serde_json::to_string(score).unwrap();
        assert_eq!(serde_json::from_str::<S>(&json).unwrap(), *score, "{json}");
    }
    for fragment in with(main_job(), [NatsScore::new("nats").with_servers(3).with_tag(2, "az:b").into()]) {
        match fragment {
            NatsFragment::Cluster(score) => check(&score),
            NatsFragment::Supercluster(score) => check(&score),
            NatsFragment::Jetstream(score) => check(&score),
            NatsFragment::Credentials(score) => check(&score),
            NatsFragment::Bucket(score) => check(&score),
            NatsFragment::Stream(score) => check(&score),
        }
    }
}
