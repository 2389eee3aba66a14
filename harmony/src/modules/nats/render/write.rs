//! A server's configuration as files and digests.

use super::blocks::server;
use super::reload::is_reloadable;
use super::tree::{Conf, Entry, digest, lines};
use crate::modules::nats::spec::ServerSpec;
use crate::text;
use crate::value::Text;

/// A server's configuration, as files and digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedConf {
    /// The main file. It holds no secret.
    pub main: Text,
    /// The file [`ROUTES_FILE`](super::ROUTES_FILE), in the main file's directory: the cluster's password, and the routes that need it. A secret.
    pub routes: Option<Text>,
    /// The digest `sha256:…` that the server names as its `config_digest` once it uses these files.
    pub digest: Text,
    /// The digest of only what a running server does not take over: as long as it stays, a reload is enough.
    pub startup: Text,
}

/// The configuration of `spec` in the server's own language.
#[must_use]
pub fn conf(spec: &ServerSpec) -> RenderedConf {
    let entries = server(spec);
    let routes = included(&entries).map(|entries| {
        let header = format!("# Secret: what the servers of {}'s cluster prove themselves to each other with.\n", spec.name);
        file(&header, entries)
    });
    let header = format!("# NATS server {}. Written by Harmony, which replaces what is changed here.\n", spec.name);
    let main = file(&header, &entries);
    let conf = Conf::Map(entries);
    let startup = conf.only(&mut Vec::new(), &|path| {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        !is_reloadable(&path)
    });
    RenderedConf { main, routes, digest: digest(&conf), startup: digest(&startup) }
}

fn file(header: &str, entries: &[Entry]) -> Text {
    let mut parts = Vec::new();
    lines(entries, 0, &mut parts);
    text![header, Text::concatenated(parts)]
}

fn included(entries: &[Entry]) -> Option<&[Entry]> {
    entries.iter().find_map(|entry| match entry {
        Entry::Included { entries, .. } => Some(entries.as_slice()),
        Entry::Of(_, Conf::Map(entries)) | Entry::Named(_, Conf::Map(entries)) => included(entries),
        _ => None,
    })
}
