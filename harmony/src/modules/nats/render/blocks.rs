//! From the model of a server to the tree of its configuration. Sizes are whole numbers of bytes: what units the server takes differs
//! from key to key.

use std::net::IpAddr;

use harmony_types::{ByteSize, HostName, Port, TimeSpan};

use super::tree::{Conf, Entry};
use crate::modules::nats::score::{RequestChecking, SyncPolicy};
use crate::modules::nats::spec::{
    AccountBlock, AccountLimits, ClusterBlock, GatewayBlock, JetstreamBlock, LogLevel, Monitoring, Route, ServerSpec, TlsFiles,
    UserBlock, UserProof,
};
use crate::text;
use crate::value::{Syntax, Text, Value};

/// The name of the file beside the main one that holds what only the servers of one cluster may know.
pub const ROUTES_FILE: &str = "routes.conf";

/// How long a handshake between servers may take, in seconds: the server's default of 2 is too short across sites, and for a machine
/// that is still starting.
const HANDSHAKE_SECONDS: u32 = 5;

/// All entries of a server's configuration.
pub(super) fn server(spec: &ServerSpec) -> Vec<Entry> {
    let client = &spec.client;
    let mut entries = vec![Entry::Of("server_name", Conf::text(spec.name.as_str()))];
    if !spec.tags.is_empty() {
        entries.push(Entry::Of("server_tags", texts(&spec.tags)));
    }
    entries.push(Entry::Of("host", Conf::text(client.listen.as_str())));
    entries.push(Entry::Of("port", port(&client.port)));
    entries.extend(client.advertise.clone().map(|advertise| Entry::Of("client_advertise", Conf::Text(advertise))));
    entries.extend(client.tls.as_ref().map(|files| Entry::Of("tls", tls(files, Verify::ServerOnly))));
    entries.extend(operation(spec));
    entries.push(Entry::Of("system_account", Conf::text(spec.system_account.as_str())));
    let accounts = spec.accounts.iter().map(|block| Entry::Named(block.name.to_string(), account(block)));
    entries.push(Entry::Of("accounts", Conf::Map(accounts.collect())));
    entries.extend(spec.jetstream.as_ref().map(|block| Entry::Of("jetstream", jetstream(block))));
    entries.extend(spec.cluster.as_ref().map(|block| Entry::Of("cluster", cluster(block))));
    entries.extend(spec.gateway.as_ref().map(|block| Entry::Of("gateway", gateway(block))));
    entries
}

fn operation(spec: &ServerSpec) -> Vec<Entry> {
    let mut entries = Vec::new();
    if let Monitoring::Loopback(port) = &spec.monitoring {
        entries.push(Entry::Of("http", Conf::Text(text![HostName::loopback().as_str(), ":", port])));
    }
    entries.extend(spec.log_file.clone().map(|path| Entry::Of("log_file", Conf::Text(path))));
    if spec.log != LogLevel::Normal {
        entries.push(Entry::Of("debug", Conf::Boolean(true)));
    }
    if spec.log == LogLevel::Trace {
        entries.push(Entry::Of("trace", Conf::Boolean(true)));
    }
    entries.extend(size("max_payload", spec.max_payload));
    entries.extend(count("max_connections", spec.max_connections));
    entries.extend(span("ping_interval", spec.ping_interval));
    entries.extend(span("lame_duck_duration", spec.lame_duck));
    entries
}

fn account(block: &AccountBlock) -> Conf {
    let mut entries: Vec<Entry> = block.jetstream.iter().map(|limits| Entry::Of("jetstream", account_limits(limits))).collect();
    entries.push(Entry::Of("users", Conf::List(block.users.iter().map(user).collect())));
    Conf::Map(entries)
}

fn account_limits(limits: &AccountLimits) -> Conf {
    let given = [
        size("max_mem", limits.max_memory),
        size("max_file", limits.max_file),
        count("max_streams", limits.max_streams),
        count("max_consumers", limits.max_consumers),
    ];
    let given: Vec<Entry> = given.into_iter().flatten().collect();
    if given.is_empty() { Conf::Boolean(true) } else { Conf::Map(given) }
}

fn user(block: &UserBlock) -> Conf {
    let mut entries = match &block.proof {
        UserProof::Nkey(key) => {
            vec![Entry::Comment(block.name.to_string()), Entry::Of("nkey", Conf::Text(key.clone()))]
        }
        UserProof::Password { user, hash } => {
            vec![Entry::Of("user", Conf::text(user.as_str())), Entry::Of("password", Conf::Text(hash.clone()))]
        }
    };
    let allow = |subjects: &[String]| Conf::Map(vec![Entry::Of("allow", texts(subjects))]);
    entries.push(Entry::Of(
        "permissions",
        Conf::Map(vec![
            Entry::Of("publish", allow(&block.permissions.publish)),
            Entry::Of("subscribe", allow(&block.permissions.subscribe)),
        ]),
    ));
    Conf::Map(entries)
}

fn jetstream(block: &JetstreamBlock) -> Conf {
    let settings = &block.settings;
    let sync = match settings.sync {
        SyncPolicy::Always => Conf::text("always"),
        SyncPolicy::Every(span) => Conf::Text(Text::Known(span.to_string())),
    };
    let mut entries = vec![Entry::Of("store_dir", Conf::Text(block.store_dir.clone()))];
    entries.extend(size("max_memory_store", settings.max_memory));
    entries.extend(size("max_file_store", settings.max_file));
    entries.extend(settings.domain.clone().map(|domain| Entry::Of("domain", Conf::text(domain))));
    entries.push(Entry::Of("sync_interval", sync));
    entries.push(Entry::Of("strict", Conf::Boolean(settings.strict == RequestChecking::Strict)));
    entries.extend(settings.unique_tag.clone().map(|tag| Entry::Of("unique_tag", Conf::text(tag))));
    entries.extend(count("max_buffered_msgs", settings.max_buffered_messages));
    entries.extend(size("max_buffered_size", settings.max_buffered_size));
    entries.extend(count("request_queue_limit", settings.request_queue_limit));
    Conf::Map(entries)
}

fn cluster(block: &ClusterBlock) -> Conf {
    let mut entries = vec![
        Entry::Of("name", Conf::text(block.name.as_str())),
        Entry::Of("host", Conf::text(block.listen.as_str())),
        Entry::Of("port", port(&block.port)),
    ];
    entries.extend(block.advertise.clone().map(|advertise| Entry::Of("advertise", Conf::Text(advertise))));
    entries.extend([
        Entry::Comment("Addresses that servers find out by themselves are often not reachable for the others.".to_owned()),
        Entry::Of("no_advertise", Conf::Boolean(true)),
        Entry::Comment("One connection to each server: pools of them come and go on slow links.".to_owned()),
        Entry::Of("pool_size", Conf::number(-1)),
    ]);
    entries.extend(block.tls.as_ref().map(|files| Entry::Of("tls", tls(files, Verify::BothSides))));
    let authorization = Conf::Map(vec![
        Entry::Of("user", Conf::text(block.user.as_str())),
        Entry::Of("password", Conf::Text(block.password.clone())),
        Entry::Of("timeout", Conf::number(HANDSHAKE_SECONDS)),
    ]);
    let routes = block.routes.iter().map(|route| Conf::Text(route_url(block, route)));
    let secret = vec![Entry::Of("authorization", authorization), Entry::Of("routes", Conf::List(routes.collect()))];
    entries.push(Entry::Included { file: ROUTES_FILE, entries: secret });
    Conf::Map(entries)
}

fn route_url(block: &ClusterBlock, route: &Route) -> Text {
    let user = Syntax::UrlUserInfo.quote(&block.user);
    let password = block.password.clone().quoted(Syntax::UrlUserInfo);
    text!["nats-route://", user, ":", password, "@", bracketed(&route.host), ":", &route.port]
}

/// A host as it stands in a URL: an IPv6 address has brackets there.
fn bracketed(host: &Text) -> Text {
    match host.get().ok().and_then(|host| host.parse::<IpAddr>().ok()) {
        Some(IpAddr::V6(address)) => Text::Known(format!("[{address}]")),
        _ => host.clone(),
    }
}

fn gateway(block: &GatewayBlock) -> Conf {
    let mut entries = vec![
        Entry::Of("name", Conf::text(block.name.as_str())),
        Entry::Of("host", Conf::text(block.listen.as_str())),
        Entry::Of("port", port(&block.port)),
    ];
    entries.extend(block.advertise.clone().map(|advertise| Entry::Of("advertise", Conf::Text(advertise))));
    entries.push(Entry::Of("reject_unknown_cluster", Conf::Boolean(true)));
    entries.extend(block.tls.as_ref().map(|files| Entry::Of("tls", tls(files, Verify::BothSides))));
    let remotes = block.remotes.iter().map(|remote| {
        Conf::Map(vec![
            Entry::Of("name", Conf::text(remote.name.as_str())),
            Entry::Of("urls", Conf::List(remote.urls.iter().cloned().map(Conf::Text).collect())),
        ])
    });
    entries.push(Entry::Of("gateways", Conf::List(remotes.collect())));
    Conf::Map(entries)
}

/// Whose certificate is checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verify {
    /// The server's, by the client.
    ServerOnly,
    /// Both, by each other.
    BothSides,
}

fn tls(files: &TlsFiles, verify: Verify) -> Conf {
    let mut entries = vec![
        Entry::Of("cert_file", Conf::Text(files.certificate.clone())),
        Entry::Of("key_file", Conf::Text(files.key.clone())),
        Entry::Of("ca_file", Conf::Text(files.authority.clone())),
    ];
    if verify == Verify::BothSides {
        entries.push(Entry::Of("verify", Conf::Boolean(true)));
    }
    entries.push(Entry::Of("timeout", Conf::number(HANDSHAKE_SECONDS)));
    Conf::Map(entries)
}

fn port(port: &Value<Port>) -> Conf {
    Conf::Integer(text![port])
}

fn texts(texts: &[String]) -> Conf {
    Conf::List(texts.iter().map(|text| Conf::text(text.as_str())).collect())
}

fn size(key: &'static str, size: Option<ByteSize>) -> Option<Entry> {
    size.map(|size| Entry::Of(key, Conf::number(size.as_bytes())))
}

fn count(key: &'static str, count: Option<u64>) -> Option<Entry> {
    count.map(|count| Entry::Of(key, Conf::number(count)))
}

fn span(key: &'static str, span: Option<TimeSpan>) -> Option<Entry> {
    span.map(|span| Entry::Of(key, Conf::Text(Text::Known(span.to_string()))))
}
