use std::collections::BTreeSet;

use harmony_types::{ByteSize, HostName, Port, TimeSpan};

use super::programs::{account, assembled, bucket, cluster_of, main_job, user, with};
use crate::error::ArrangeError;
use crate::modules::nats::assets::Replicas;
use crate::modules::nats::score::{
    AccountWish, Authentication, CredentialsScore, Grant, Hub, JetstreamScore, KvBucketScore, NatsScore, NatsSuperclusterScore,
    Replication, StreamScore, UserWish,
};
use crate::modules::nats::spec::{
    AccountBlock, ClientListener, ClusterBlock, GatewayBlock, JetstreamBlock, JetstreamSettings, LogLevel, Monitoring,
    NatsFragment, RemoteGateway, Route, Rule, ServerSpec, check_servers,
};
use crate::origin::Origin;
use crate::value::{Text, Value};

fn port(number: u16) -> Value<Port> {
    Value::Known(Port::new(number).unwrap())
}

/// A server that keeps every rule.
fn server(name: &str) -> ServerSpec {
    ServerSpec {
        name: name.parse().unwrap(),
        tags: Vec::new(),
        client: ClientListener { listen: HostName::loopback(), port: port(4222), advertise: None, tls: None },
        cluster: Some(ClusterBlock {
            name: "nats-east".parse().unwrap(),
            listen: HostName::loopback(),
            port: port(6222),
            advertise: None,
            user: "cluster".to_owned(),
            password: Text::from("secret-of-the-cluster"),
            routes: vec![Route { host: Text::from("127.0.0.1"), port: port(6222) }],
            tls: None,
        }),
        gateway: Some(GatewayBlock {
            name: "nats-east".parse().unwrap(),
            listen: HostName::loopback(),
            port: port(7222),
            advertise: None,
            remotes: vec![RemoteGateway { name: "nats-west".parse().unwrap(), urls: vec![Text::from("nats://127.0.0.1:7223")] }],
            tls: None,
        }),
        jetstream: Some(JetstreamBlock { store_dir: Text::from("/store"), settings: JetstreamSettings::default() }),
        accounts: vec![AccountBlock { name: "SYS".parse().unwrap(), jetstream: None, users: Vec::new() }],
        system_account: "SYS".parse().unwrap(),
        monitoring: Monitoring::Closed,
        log: LogLevel::Normal,
        log_file: None,
        max_payload: None,
        max_connections: None,
        ping_interval: None,
        lame_duck: None,
    }
}

fn refused(servers: &[ServerSpec]) -> ArrangeError {
    let origin = Origin::new("score", "main.rs", 1);
    check_servers(servers, &origin).unwrap_err()
}

fn broken_server(change: impl FnOnce(&mut ServerSpec)) -> ArrangeError {
    let mut server = server("nats-1");
    change(&mut server);
    refused(&[server])
}

fn sites(servers: &[(&str, u8)]) -> NatsSuperclusterScore {
    servers.iter().fold(NatsSuperclusterScore::new("nats"), |score, (site, count)| score.with_site(site, *count))
}

fn only(declaration: impl Into<NatsFragment>) -> ArrangeError {
    assembled(with(vec![declaration.into()], [JetstreamScore::on("nats").into()])).unwrap_err()
}

fn in_cluster(fragment: impl Into<NatsFragment>) -> ArrangeError {
    assembled(with(cluster_of(3), [fragment.into()])).unwrap_err()
}

fn on_sites(score: NatsSuperclusterScore, bucket: KvBucketScore) -> ArrangeError {
    assembled(with(cluster_of(1).split_off(1), [score.into(), bucket.into()])).unwrap_err()
}

fn stream(subject: &str) -> StreamScore {
    StreamScore::on("nats", "HARMONY", "ORDERS").with_subject(subject)
}

/// A program that breaks the rule. A new rule does not compile until it has one.
fn broken(rule: Rule) -> ArrangeError {
    match rule {
        Rule::ServerNamesDiffer
        | Rule::GatewayNamedAsCluster
        | Rule::GatewayNeedsCluster
        | Rule::ClusterNeedsRoutes
        | Rule::UrlParses
        | Rule::SystemAccountListed
        | Rule::DebugNeedsMonitoring
        | Rule::LameDuck => broken_in_server(rule),
        Rule::ValidName => in_cluster(KvBucketScore::on("nats", "HARMONY", "a.b")),
        Rule::ReservedName => in_cluster(StreamScore::on("nats", "HARMONY", "KV_HARMONY").with_subject("a")),
        Rule::DeclaredSystem => assembled(with(cluster_of(3), [NatsScore::new("nats").into()])).unwrap_err(),
        Rule::OneWord => assembled(with(
            cluster_of(3),
            [1, 2].map(|size| JetstreamScore::on("nats").with_max_file(ByteSize::gib(size)).into()),
        ))
        .unwrap_err(),
        Rule::ServerCount
        | Rule::OddCluster
        | Rule::SeveralSites
        | Rule::SiteOnce
        | Rule::ClusterNamesDiffer
        | Rule::TwoSiteQuorum
        | Rule::SiteHoldsQuorum
        | Rule::HubSites
        | Rule::TaggedServer => broken_layout(rule),
        Rule::UniqueTagOnServers => in_cluster(JetstreamScore::on("nats").with_unique_tag("az:")),
        Rule::UniqueTagValues => assembled(vec![
            sites(&[("east", 3), ("west", 3), ("north", 3)]).into(),
            JetstreamScore::on("nats").with_unique_tag("site:").into(),
            account(AccountWish::new("HARMONY")),
            bucket().at_site("east").into(),
        ])
        .unwrap_err(),
        Rule::DomainName => in_cluster(JetstreamScore::on("nats").with_domain("a.b")),
        Rule::LimitAboveZero => in_cluster(JetstreamScore::on("nats").with_max_file(ByteSize::bytes(0))),
        Rule::JetstreamDeclared => {
            assembled(vec![NatsScore::new("nats").into(), account(AccountWish::new("HARMONY")), bucket().into()]).unwrap_err()
        }
        Rule::AccountDeclared => in_cluster(KvBucketScore::on("nats", "OTHER", "HARMONY")),
        Rule::SystemAccountHoldsNothing => in_cluster(KvBucketScore::on("nats", "SYS", "HARMONY")),
        Rule::UserOnce => in_cluster(same_password_user()),
        Rule::GrantOnDeclared => in_cluster(user(UserWish::new("agent").with_grant(Grant::kv("OTHER").read()))),
        Rule::GrantSubject => in_cluster(user(UserWish::new("agent").with_grant(Grant::publish("$JS.API.STREAM.>")))),
        Rule::KeyPrefix => assembled(with(
            cluster_of(3),
            [bucket().into(), user(UserWish::new("agent").with_grant(Grant::kv("HARMONY").below("a.>").read_write()))],
        ))
        .unwrap_err(),
        Rule::StreamSubjects
        | Rule::SubjectsDisjoint
        | Rule::HistoryLength
        | Rule::DuplicateWindow
        | Rule::ReplicasInOneCluster
        | Rule::AcrossSitesNeedsSites
        | Rule::AcrossSitesNeedsHub
        | Rule::HomeSite
        | Rule::LimitsFit => broken_holding(rule),
    }
}

fn broken_layout(rule: Rule) -> ArrangeError {
    match rule {
        Rule::ServerCount => only(NatsScore::new("nats").with_servers(0)),
        Rule::OddCluster => only(NatsScore::new("nats").with_servers(2)),
        Rule::SeveralSites => only(sites(&[("east", 3)])),
        Rule::SiteOnce => only(sites(&[("east", 1), ("west", 1), ("east", 1)])),
        Rule::ClusterNamesDiffer => only(sites(&[("east", 1), ("west", 1), ("hub", 1)])),
        Rule::TwoSiteQuorum => only(sites(&[("east", 3), ("west", 3)])),
        Rule::SiteHoldsQuorum => only(sites(&[("east", 5), ("west", 1), ("north", 1)])),
        Rule::HubSites => only(sites(&[("east", 1), ("west", 1)]).with_hub(Hub::Across)),
        Rule::TaggedServer => only(NatsScore::new("nats").with_tag(2, "az:a")),
        other => panic!("{other:?} is no rule of layouts"),
    }
}

fn broken_holding(rule: Rule) -> ArrangeError {
    match rule {
        Rule::StreamSubjects => in_cluster(stream("$KV.HARMONY.>")),
        Rule::SubjectsDisjoint => assembled(with(
            cluster_of(3),
            [stream("orders.>").into(), StreamScore::on("nats", "HARMONY", "NEW").with_subject("orders.*.new").into()],
        ))
        .unwrap_err(),
        Rule::HistoryLength => in_cluster(bucket().with_history(65)),
        Rule::DuplicateWindow => {
            in_cluster(stream("a").with_max_age(TimeSpan::minutes(1)).with_duplicate_window(TimeSpan::minutes(2)))
        }
        Rule::ReplicasInOneCluster => in_cluster(bucket().with_replication(Replication::Local(Replicas::FIVE))),
        Rule::AcrossSitesNeedsSites => in_cluster(bucket().with_replication(Replication::AcrossSites)),
        Rule::AcrossSitesNeedsHub => on_sites(
            sites(&[("east", 1), ("west", 1), ("north", 1)]).with_hub(Hub::None),
            bucket().with_replication(Replication::AcrossSites),
        ),
        Rule::HomeSite => on_sites(sites(&[("east", 1), ("west", 1), ("north", 1)]), bucket().at_site("south")),
        Rule::LimitsFit => assembled(with(
            cluster_of(3),
            [
                account(AccountWish::new("HARMONY").with_max_file(ByteSize::mib(100))),
                bucket().with_max_size(ByteSize::mib(64)).into(),
            ],
        ))
        .unwrap_err(),
        other => panic!("{other:?} is no rule of buckets and streams"),
    }
}

fn broken_in_server(rule: Rule) -> ArrangeError {
    match rule {
        Rule::ServerNamesDiffer => refused(&[server("nats-1"), server("nats-1")]),
        Rule::GatewayNamedAsCluster => broken_server(|spec| spec.gateway.as_mut().unwrap().name = "other".parse().unwrap()),
        Rule::GatewayNeedsCluster => broken_server(|spec| spec.cluster = None),
        Rule::ClusterNeedsRoutes => broken_server(|spec| spec.cluster.as_mut().unwrap().routes.clear()),
        Rule::UrlParses => {
            broken_server(|spec| spec.gateway.as_mut().unwrap().remotes[0].urls[0] = Text::from("nats://user:pass@host"))
        }
        Rule::SystemAccountListed => broken_server(|spec| spec.system_account = "OTHER".parse().unwrap()),
        Rule::DebugNeedsMonitoring => broken_server(|spec| spec.log = LogLevel::Debug),
        Rule::LameDuck => broken_server(|spec| spec.lame_duck = Some(TimeSpan::seconds(29))),
        other => panic!("{other:?} is no rule of servers"),
    }
}

fn same_password_user() -> NatsFragment {
    let user = || UserWish::new("agent").with_authentication(Authentication::Password);
    CredentialsScore::on("nats")
        .with_account(AccountWish::new("HARMONY").with_user(user()))
        .with_account(AccountWish::new("OTHER").with_user(user()))
        .into()
}

#[test]
fn every_rule_has_a_bad_input() {
    let mut table = String::new();
    for rule in Rule::ALL {
        let error = broken(rule);
        let hint = error.hint().unwrap();
        assert!(hint.contains(&format!("rule `{}`", rule.id())), "{} is broken, and {error} ({hint}) is said", rule.id());
        table += &format!("{}\n  {error}\n  {hint}\n", rule.id());
    }
    insta::assert_snapshot!("every_rule_has_a_bad_input", table);
}

#[test]
fn every_rule_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.id()).collect();
    assert_eq!(names.len(), Rule::ALL.len());
}

#[test]
fn the_main_job_breaks_no_rule() {
    assert!(assembled(main_job()).is_ok());
    let origin = Origin::new("score", "main.rs", 1);
    assert!(check_servers(&[server("nats-1"), server("nats-2")], &origin).is_ok());
}

#[test]
fn names_and_addresses_are_refused_in_each_place_they_are_written() {
    let refused_by = |error: ArrangeError, rule: Rule| {
        let hint = error.hint().unwrap();
        assert!(hint.contains(&format!("rule `{}`", rule.id())), "{error} ({hint})");
    };
    refused_by(only(sites(&[("East", 1), ("west", 1)])), Rule::ValidName);
    refused_by(in_cluster(account(AccountWish::new("a b"))), Rule::ValidName);
    refused_by(in_cluster(account(AccountWish::new("SYS"))), Rule::SystemAccountHoldsNothing);
    refused_by(in_cluster(user(UserWish::new("harmony-agent"))), Rule::ReservedName);
    refused_by(in_cluster(KvBucketScore::on("nats", "HARMONY", "HARMONY_PROOF")), Rule::ReservedName);
    refused_by(in_cluster(StreamScore::on("nats", "HARMONY", "EMPTY")), Rule::StreamSubjects);
    for subject in [">", "*.a", "a..b", "a.>.b", "a b", "_INBOX.a", "", "a>"] {
        refused_by(in_cluster(stream(subject)), Rule::StreamSubjects);
        refused_by(in_cluster(user(UserWish::new("agent").with_grant(Grant::subscribe(subject)))), Rule::GrantSubject);
    }
    refused_by(broken_server(|spec| spec.cluster.as_mut().unwrap().routes[0].host = Text::from("a b")), Rule::UrlParses);
    refused_by(broken_server(|spec| spec.accounts[0].jetstream = Some(Default::default())), Rule::SystemAccountHoldsNothing);
}

#[test]
fn a_home_site_is_named_exactly_when_there_is_a_choice() {
    let three = || sites(&[("east", 3), ("west", 3), ("north", 3)]);
    for error in [
        in_cluster(bucket().at_site("east")),
        on_sites(three(), bucket().with_replication(Replication::Local(Replicas::THREE))),
        on_sites(three(), bucket().with_replication(Replication::AcrossSites).at_site("east")),
        on_sites(three().with_hub(Hub::None), bucket()),
    ] {
        assert!(error.hint().unwrap().contains("`home-site`"), "{error}");
    }
}

#[test]
fn a_known_quorum_risk_is_accepted() {
    let two = sites(&[("east", 3), ("west", 3)]).accepting_quorum_loss();
    assert!(assembled(vec![two.into(), JetstreamScore::on("nats").into()]).is_ok());
}
