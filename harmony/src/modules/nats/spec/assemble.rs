//! From what Scores contribute to one system.

use harmony_types::SystemName;

use super::accounts::{Holdings, completed, declared};
use super::agree::unique;
use super::fragment::NatsFragment;
use super::holdings::{Ground, buckets, proof_buckets, streams};
use super::jetstream::{JetstreamSettings, settings};
use super::layout::{Declaration, Layout, lay_out};
use super::limits::check_limits;
use super::names::name;
use super::notes::notes;
use super::rule::Rule;
use super::system::SystemSpec;
use crate::error::ArrangeError;
use crate::modules::nats::score::{AccountWish, CredentialsScore, JetstreamScore, KvBucketScore, StreamScore};
use crate::origin::Origin;
use crate::stage::Contribution;

/// Puts together what all Scores say of the system `text`, in an order that does not matter, and checks every [`Rule`] that does not
/// need a place: the same word twice is one word, and a contradiction is refused with both lines.
///
/// # Errors
/// [`ArrangeError::Refused`], whose hint names the rule.
pub fn assemble(text: &str, fragments: Vec<Contribution<NatsFragment>>) -> Result<SystemSpec, ArrangeError> {
    let said = Said::sorted(fragments);
    let (declaration, origin) = said.declaration(text)?;
    let system: SystemName = name(text, &[&origin])?;
    let jetstream = settings(&said.jetstream)?;
    let layout = lay_out(&system, &declaration, jetstream.is_some(), &origin)?;
    check_unique_tag(&layout, jetstream.as_ref(), &said.jetstream)?;
    let declared = declared(&said.credentials)?;
    let ground = Ground { system: &system, clusters: &layout.clusters, jetstream: jetstream.as_ref(), accounts: &declared };
    let mut buckets = buckets(&said.buckets(text)?, &ground)?;
    let streams = streams(&said.streams(text)?, &ground)?;
    check_limits(&buckets, &streams, &ground)?;
    if jetstream.is_none() {
        check_no_limits(&said.credentials)?;
    }
    buckets.extend(proof_buckets(&buckets)?);
    buckets.sort_by(|one, other| one.bucket.identity.cmp(&other.bucket.identity));
    let holdings = Holdings { buckets: &buckets, streams: &streams };
    let accounts = completed(declared, holdings, jetstream.is_some(), &origin)?;
    let Layout { sites, clusters } = layout;
    let mut spec = SystemSpec { name: system, origin, sites, clusters, jetstream, accounts, buckets, streams, notes: Vec::new() };
    spec.notes = notes(&spec);
    Ok(spec)
}

/// What is said, by kind; sorted, so that the order of the Scores cannot show.
#[derive(Default)]
struct Said {
    declarations: Vec<Contribution<Declaration>>,
    jetstream: Vec<Contribution<JetstreamScore>>,
    credentials: Vec<Contribution<CredentialsScore>>,
    buckets: Vec<Contribution<KvBucketScore>>,
    streams: Vec<Contribution<StreamScore>>,
}

impl Said {
    fn sorted(mut fragments: Vec<Contribution<NatsFragment>>) -> Self {
        // Two fragments of one line, from a Score that plays others, differ in what they say.
        fragments.sort_by_cached_key(|each| (each.origin.clone(), format!("{:?}", each.fragment)));
        let mut said = Self::default();
        for Contribution { origin, fragment } in fragments {
            match fragment {
                NatsFragment::Cluster(score) => {
                    said.declarations.push(Contribution { origin, fragment: Declaration::Cluster(score) });
                }
                NatsFragment::Supercluster(mut score) => {
                    score.sites.sort();
                    said.declarations.push(Contribution { origin, fragment: Declaration::Supercluster(score) });
                }
                NatsFragment::Jetstream(fragment) => said.jetstream.push(Contribution { origin, fragment }),
                NatsFragment::Credentials(fragment) => said.credentials.push(Contribution { origin, fragment }),
                NatsFragment::Bucket(fragment) => said.buckets.push(Contribution { origin, fragment }),
                NatsFragment::Stream(mut fragment) => {
                    fragment.subjects.sort();
                    fragment.subjects.dedup();
                    said.streams.push(Contribution { origin, fragment });
                }
            }
        }
        said
    }

    fn declaration(&self, system: &str) -> Result<(Declaration, Origin), ArrangeError> {
        let Some((first, others)) = self.declarations.split_first() else {
            return Err(Rule::DeclaredSystem.refuse(
                format!("no Score declares the NATS system {system}"),
                &self.origins(),
                "add `NatsScore` or `NatsSuperclusterScore`, or correct the name",
            ));
        };
        match others.iter().find(|other| other.fragment != first.fragment) {
            None => Ok((first.fragment.clone(), first.origin.clone())),
            Some(other) => Err(Rule::DeclaredSystem.refuse(
                format!("the NATS system {system} is declared twice, differently"),
                &[&first.origin, &other.origin],
                "keep one declaration, or give one of the systems another name",
            )),
        }
    }

    fn origins(&self) -> Vec<&Origin> {
        let jetstream = self.jetstream.iter().map(|each| &each.origin);
        let credentials = self.credentials.iter().map(|each| &each.origin);
        let buckets = self.buckets.iter().map(|each| &each.origin);
        jetstream.chain(credentials).chain(buckets).chain(self.streams.iter().map(|each| &each.origin)).collect()
    }

    fn buckets(&self, system: &str) -> Result<Vec<Contribution<KvBucketScore>>, ArrangeError> {
        let key = |score: &KvBucketScore| (score.account.clone(), score.bucket.clone());
        unique(self.buckets.clone(), key, |score| format!("bucket {} of account {} in {system}", score.bucket, score.account))
    }

    fn streams(&self, system: &str) -> Result<Vec<Contribution<StreamScore>>, ArrangeError> {
        let key = |score: &StreamScore| (score.account.clone(), score.stream.clone());
        unique(self.streams.clone(), key, |score| format!("stream {} of account {} in {system}", score.stream, score.account))
    }
}

fn check_unique_tag(
    layout: &Layout,
    settings: Option<&JetstreamSettings>,
    said: &[Contribution<JetstreamScore>],
) -> Result<(), ArrangeError> {
    let Some(prefix) = settings.and_then(|settings| settings.unique_tag.as_deref()) else { return Ok(()) };
    let mut servers = layout.clusters.iter().flat_map(|cluster| &cluster.servers);
    let untagged = servers.find(|server| prefix.is_empty() || !server.tags.iter().any(|tag| tag.starts_with(prefix)));
    match untagged {
        None => Ok(()),
        Some(server) => {
            let origins: Vec<&Origin> =
                said.iter().filter(|each| each.fragment.unique_tag.is_some()).map(|each| &each.origin).collect();
            Err(Rule::UniqueTagOnServers.refuse(
                format!("JetStream spreads copies by the tag `{prefix}`, and server {} has no such tag", server.member.server),
                &origins,
                "tag every server by `with_tag`, or leave `with_unique_tag` away",
            ))
        }
    }
}

fn check_no_limits(said: &[Contribution<CredentialsScore>]) -> Result<(), ArrangeError> {
    for each in said {
        let limited = |account: &&AccountWish| {
            account.max_memory.is_some()
                || account.max_file.is_some()
                || account.max_streams.is_some()
                || account.max_consumers.is_some()
        };
        if let Some(account) = each.fragment.accounts.iter().find(limited) {
            return Err(Rule::JetstreamDeclared.refuse(
                format!("account {} has limits for JetStream, which the system does not have", account.name),
                &[&each.origin],
                "add `JetstreamScore::on`, or leave the limits away",
            ));
        }
    }
    Ok(())
}
