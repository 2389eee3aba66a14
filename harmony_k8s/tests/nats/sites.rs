//! Systems whose sites are clusters and machines: how each server is dialled by which other, and what cannot be.

use harmony::ArrangeError;
use harmony::arrangement::Arrangement;
use harmony::engine::plan::Change;
use harmony::modules::nats::score::{
    AccountWish, CredentialsScore, Grant, JetstreamScore, KvBucketScore, NatsScore, NatsSuperclusterScore, UserWish,
};
use harmony::provider::ProviderError;
use harmony::stage::Stage;
use harmony::topology::{Sites, SitesFacts, SitesPlace, Survey};
use harmony::value;
use harmony::{Inventory, Scores};
use harmony_k8s::nats::Exposure;
use harmony_k8s::{K8sAnywhereTopology, WithNats};
use harmony_local::LocalTopology;
use harmony_testbed::{ControlPlane, available};
use serde_json::{Value as Json, json};

use crate::fixture::site;

type Cluster = K8sAnywhereTopology<WithNats>;

fn cluster(name: &str, exposure: Exposure) -> Cluster {
    let cluster = K8sAnywhereTopology::from_context(name, "none").with_namespace("messaging");
    cluster.with_nats(harmony_nats::client()).with_nats_exposure(exposure)
}

fn ports(host: &str) -> Exposure {
    Exposure::NodePort { host: host.parse().unwrap() }
}

/// Nobody has looked at them: their facts are said.
fn looked_at(sites: Sites) -> Result<SitesPlace, ProviderError> {
    let cluster = json!({ "version": "v1.34.4", "distribution": "vanilla" });
    let version = harmony_local::nats_server::pinned_version();
    let machine = json!({ "nats_server": { "pinned": { "version": version } } });
    let facts: SitesFacts =
        serde_json::from_value(json!({ "east": cluster, "north": cluster, "west": cluster, "office": machine })).unwrap();
    sites.with_facts(&site().0, facts)
}

fn three(east: Exposure, north: Exposure, west: Exposure) -> SitesPlace {
    let sites = Sites::new("sites", harmony_nats::client()).with_site("east", cluster("first", east));
    looked_at(sites.with_site("north", cluster("second", north)).with_site("west", cluster("third", west))).unwrap()
}

fn system(sites: [&str; 3]) -> Scores<SitesPlace> {
    let app = UserWish::new("app").with_grant(Grant::kv("settings").read_write());
    let [first, second, third] = sites;
    let supercluster = NatsSuperclusterScore::new("nats").with_site(first, 2).with_site(second, 1).with_site(third, 1);
    Scores::default()
        .with(supercluster)
        .with(JetstreamScore::on("nats"))
        .with(CredentialsScore::on("nats").with_account(AccountWish::new("APP").with_user(app)))
        .with(KvBucketScore::on("nats", "APP", "settings"))
}

const CLUSTERS: [&str; 3] = ["east", "north", "west"];

fn arranged(place: &SitesPlace, scores: &Scores<SitesPlace>) -> Result<Arrangement, ArrangeError> {
    Stage::play_all(scores, &Inventory::empty(), place).map(|(arrangement, _)| arrangement)
}

/// A resource's spec, with its address in place of what it will give.
fn spec(arrangement: &Arrangement, address: &str) -> Json {
    let node = arrangement.nodes.get(&address.parse().unwrap());
    let resource =
        node.and_then(|node| node.resource()).unwrap_or_else(|| panic!("no {address} in {:#?}", arrangement.nodes.keys()));
    value::plain(&value::resolve(&resource.spec, &|given| Some(json!(format!("<{}#{}>", given.of, given.output)))).json)
}

/// The lines of a server's configuration that say where it is and whom it dials.
fn dialling(arrangement: &Arrangement, place: &str, server: &str) -> String {
    let secret = spec(arrangement, &format!("{place}/nats/{server}/messaging/secret/{server}-server"));
    let file = |name: &str| {
        let bytes = secret.pointer(&format!("/fields/data/{name}")).and_then(Json::as_str).unwrap_or_default();
        String::from_utf8(data_encoding::BASE64.decode(bytes.as_bytes()).unwrap()).unwrap()
    };
    let whole = file("nats.conf") + &file("routes.conf");
    let words = ["client_advertise: ", "advertise: ", "\"tls://", "\"nats-route://"];
    let lines = whole.lines().map(str::trim).filter(|line| words.iter().any(|word| line.starts_with(word)));
    lines
        .map(|line| line.split_once('@').map_or(line.to_owned(), |(_, host)| format!("route {host}")))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn servers_of_other_places_are_dialled_as_they_are_exposed_and_those_of_the_same_by_the_names_of_their_pods() {
    let place = three(ports("192.0.2.1"), ports("nodes.north.example"), Exposure::LoadBalancer { domain: None });
    let arrangement = arranged(&place, &system(CLUSTERS)).unwrap();
    insta::assert_snapshot!("dialled_by_a_server", dialling(&arrangement, "first", "nats-east-1"));
    insta::assert_snapshot!("dialled_by_the_hub", dialling(&arrangement, "third", "nats-west-hub"));
}

#[test]
fn a_certificate_is_for_what_others_dial_and_for_the_names_of_all_servers_of_the_cluster() {
    let domain = Some("west.example".parse().unwrap());
    let place = three(ports("192.0.2.1"), Exposure::LoadBalancer { domain: None }, Exposure::LoadBalancer { domain });
    let arrangement = arranged(&place, &system(CLUSTERS)).unwrap();
    let names = |address: &str| {
        let certificate = spec(&arrangement, &format!("{address}/certificate"));
        let names = certificate["names"].as_array().unwrap().iter().filter_map(Json::as_str).map(str::to_owned);
        names.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!("names_of_the_hub_in_the_east", names("first/nats/nats-east-hub"));
    insta::assert_snapshot!("names_of_a_server_in_the_west", names("third/nats/nats-west-1"));
}

#[test]
fn a_server_has_a_service_for_outside_that_the_network_policy_lets_in() {
    let place = three(ports("192.0.2.1"), ports("192.0.2.2"), Exposure::LoadBalancer { domain: None });
    let arrangement = arranged(&place, &system(CLUSTERS)).unwrap();
    let fields = |address: &str| serde_json::to_string_pretty(&spec(&arrangement, address)["fields"]["spec"]).unwrap();
    insta::assert_snapshot!("service_of_the_hub", fields("first/nats/nats-east-hub/messaging/service/nats-east-hub-exposed"));
    insta::assert_snapshot!("service_by_load_balancer", fields("third/nats/nats-west-1/messaging/service/nats-west-1-exposed"));
    let ingress = |address: &str| spec(&arrangement, address).pointer("/fields/spec/ingress").unwrap().to_string();
    insta::assert_snapshot!(
        ingress("first/messaging/networkpolicy.networking.k8s.io/nats-hub"),
        @r#"[{"ports":[{"port":4222,"protocol":"TCP"},{"port":6222,"protocol":"TCP"},{"port":7222,"protocol":"TCP"}]},{"from":[{"podSelector":{"matchLabels":{"app.kubernetes.io/name":"nats","app.kubernetes.io/part-of":"nats"}}}],"ports":[{"port":6222,"protocol":"TCP"},{"port":7222,"protocol":"TCP"}]}]"#
    );
    let open = |address: &str| spec(&arrangement, address).pointer("/fields/spec/ingress/0").unwrap().to_string();
    assert_eq!(
        open("first/messaging/networkpolicy.networking.k8s.io/nats-east"),
        r#"{"ports":[{"port":4222,"protocol":"TCP"},{"port":7222,"protocol":"TCP"}]}"#,
        "its own servers stand on one place"
    );
}

#[test]
fn every_place_hands_out_credentials_with_its_own_servers_first() {
    let office = LocalTopology::new("laptop").with_nats(harmony_nats::client()).with_listen_address("192.0.2.9".parse().unwrap());
    let sites = Sites::new("sites", harmony_nats::client()).with_site("east", cluster("first", ports("192.0.2.1")));
    let place = looked_at(sites.with_site("north", cluster("second", ports("192.0.2.2"))).with_site("office", office)).unwrap();
    let arrangement = arranged(&place, &system(["east", "north", "office"])).unwrap();
    let urls = |cluster: &str| {
        let secret = spec(&arrangement, &format!("{cluster}/nats/credentials/messaging/secret/nats-app-app"));
        let bytes = data_encoding::BASE64.decode(secret.pointer("/fields/data/url").unwrap().as_str().unwrap().as_bytes());
        String::from_utf8(bytes.unwrap()).unwrap().replace(',', "\n")
    };
    insta::assert_snapshot!("urls_in_the_north", urls("second"));
    let own: Vec<_> = arrangement.nodes.keys().map(ToString::to_string).filter(|name| name.contains("APP-app")).collect();
    assert_eq!(own, ["laptop/nats/credentials/APP-app"]);
    assert!(arrangement.nodes.keys().all(|name| !name.as_str().starts_with("sites/nats/credentials")));
}

#[test]
fn what_nobody_reaches_is_refused_with_what_to_do() {
    let refused = |place: &SitesPlace, sites| match arranged(place, &system(sites)).unwrap_err() {
        ArrangeError::InScore { source, .. } => format!("{source}\n{}", source.advice().unwrap_or_default()),
        other => panic!("{other}"),
    };
    let hidden = three(ports("192.0.2.1"), Exposure::Internal, ports("192.0.2.3"));
    insta::assert_snapshot!(refused(&hidden, CLUSTERS), @r"
    place `second` cannot have server nats-north-hub dialled by sites on other places
    say how its servers are dialled from outside of the cluster, with `.with_nats_exposure(…)`
    ");
    let laptop = LocalTopology::new("laptop").with_nats(harmony_nats::client());
    let sites = Sites::new("sites", harmony_nats::client()).with_site("east", cluster("first", ports("192.0.2.1")));
    let place = looked_at(sites.with_site("north", cluster("second", ports("192.0.2.2"))).with_site("office", laptop)).unwrap();
    insta::assert_snapshot!(refused(&place, ["east", "north", "office"]), @r"
    place `laptop` cannot serve sites on other places, which dial 127.0.0.1 and find themselves
    listen on an address at which they reach this machine, `.with_listen_address(…)`, or say the one that they dial, `.with_advertised_host(…)`
    ");
    insta::assert_snapshot!(refused(&place, ["east", "north", "south"]), @r#"
    place `sites` cannot be site south: no place was given for it
    give it one, `.with_site("south", …)`, or name one of east, north, office
    "#);
    let one =
        Stage::play_all(&Scores::default().with(NatsScore::new("nats")), &Inventory::empty(), &place).map(drop).unwrap_err();
    let ArrangeError::InScore { source: one, .. } = one else { panic!("{one}") };
    insta::assert_snapshot!(format!("{one}\n{}", one.advice().unwrap_or_default()), @r"
    place `sites` cannot run server nats-1 itself: only its sites run servers
    declare the system by site, with `NatsSuperclusterScore` and the sites east, north, office
    ");
}

#[test]
fn places_that_cannot_be_told_apart_are_refused() {
    let refused = |sites: Sites| looked_at(sites).map(drop).unwrap_err().to_string();
    let sites = || Sites::new("sites", harmony_nats::client()).with_site("east", cluster("first", Exposure::Internal));
    let again = |site: &str, name: &str| refused(sites().with_site(site, cluster(name, Exposure::Internal)));
    assert_eq!(again("north", "first"), "the places cannot be used: two places are called first");
    assert_eq!(again("north", "sites"), "the places cannot be used: two places are called sites");
    assert_eq!(again("east", "second"), "the places cannot be used: site east is given twice");
    assert_eq!(again("south", "second"), "the places cannot be used: the facts say nothing of site south");
    assert!(again("no site", "second").contains("`no site` is not a site's name"));
}

#[tokio::test]
async fn all_places_that_cannot_be_looked_at_are_named_at_once() {
    let sites = Sites::new("sites", harmony_nats::client()).with_site("east", cluster("first", Exposure::Internal));
    let missing = |name: &str| K8sAnywhereTopology::from_kubeconfig(name, "/nowhere", "none").with_nats(harmony_nats::client());
    let (site, _directory) = site();
    let error = sites.with_site("north", missing("second")).with_site("west", missing("third")).survey(&site).await.unwrap_err();
    let said = error.to_string();
    assert!(said.contains("site east") && said.contains("site north") && said.contains("site west"), "{said}");
}

#[test]
fn the_state_of_the_program_is_kept_by_the_one_site_that_was_asked_to() {
    let keeps = |name: &str| cluster(name, Exposure::Internal).with_state_in("program");
    let sites = || Sites::new("sites", harmony_nats::client()).with_site("east", cluster("first", Exposure::Internal));
    let (own, _directory) = site();
    let kept = sites().keep_state(own.clone()).unwrap();
    assert!(kept.lease.is_none() && kept.ledger.is_none(), "nobody was asked to");
    let kept = sites().with_site("north", keeps("second")).keep_state(own.clone()).unwrap();
    let (lease, ledger) = (kept.lease.unwrap().store().name(), kept.ledger.unwrap().name());
    assert!(lease.ends_with("in namespace program of cluster second"), "{lease}");
    assert!(ledger.contains("cluster second"), "{ledger}");
    let both = sites().with_site("north", keeps("second")).with_site("west", keeps("third"));
    let error = both.keep_state(own).map(drop).unwrap_err().to_string();
    assert!(
        error.contains("cluster third") && error.contains("exclude each other by") && error.contains("cluster second"),
        "{error}"
    );
}

/// A kubeconfig of an API server that has gone: nobody listens at its address.
fn gone(directory: &std::path::Path) -> std::path::PathBuf {
    let address = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap();
    let cluster = json!([{ "name": "gone", "cluster": { "server": format!("https://{address}") } }]);
    let context = json!([{ "name": "gone", "context": { "cluster": "gone", "user": "gone" } }]);
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "clusters": cluster, "contexts": context, "users": [{ "name": "gone", "user": {} }],
    });
    let path = directory.join("gone");
    std::fs::write(&path, config.to_string()).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_does_not_answer_is_told_apart_from_those_that_do_unless_none_does() {
    let name = "a_cluster_that_does_not_answer_is_told_apart_from_those_that_do_unless_none_does";
    let Some(plane) = available(name, tokio::task::block_in_place(ControlPlane::start)) else { return };
    let (site, directory) = site();
    let clusters = |living: &str| {
        let of = |name: &str| {
            let (path, context) = if name == living { (plane.kubeconfig(), "testbed") } else { (gone(directory.path()), "gone") };
            let cluster = K8sAnywhereTopology::from_kubeconfig(name, path, context).with_namespace("messaging");
            cluster.with_nats(harmony_nats::client()).with_nats_exposure(ports("192.0.2.1"))
        };
        let sites = Sites::new("sites", harmony_nats::client()).with_site("east", of("first"));
        sites.with_site("north", of("second")).with_site("west", of("third"))
    };
    let every_site = clusters("second").survey(&site).await.unwrap_err().to_string();
    assert!(every_site.contains("site east") && every_site.contains("site west"), "who needs all is told: {every_site}");
    let none = clusters("none").survey_what_answers(&site).await.unwrap_err();
    assert!(matches!(none, ProviderError::Unreachable(_)) && none.to_string().contains("onnection refused"), "{none}");

    let sites = clusters("second");
    let facts = sites.survey_what_answers(&site).await.unwrap();
    let place = sites.with_facts(&site, facts).unwrap();
    let plan = harmony::Maestro::new(&site).plan(&Inventory::empty(), &place, &system(CLUSTERS)).await.unwrap();
    let silent: Vec<&str> = plan.silent.iter().map(|silence| silence.place.as_str()).collect();
    assert_eq!(silent, ["first", "third"]);
    let change = |address: &str| &plan.steps.iter().find(|step| step.address.as_str() == address).unwrap().change;
    assert!(matches!(change("third/namespace/messaging"), Change::Unreachable { why } if why.contains("cluster third")));
    assert_eq!(change("second/namespace/messaging"), &Change::Create);
    assert!(plan.waiting.iter().any(|address| address.as_str() == "second/nats/nats-north-1/pod"), "{:?}", plan.waiting);
    let begins: Vec<&str> = plan.beginning().map(|step| step.address.as_str()).collect();
    assert!(begins.contains(&"second/nats/nats-north-1/messaging/service/nats-north-1-exposed"), "{begins:?}");
}
