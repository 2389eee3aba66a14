//! The rules that a system must keep.

use crate::error::ArrangeError;
use crate::origin::Origin;

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident $id:literal: $sentence:literal,)*) => {
        /// A rule that a system must keep; a program that breaks one is refused before anything is looked at. NATS itself finds few of
        /// these when it checks a configuration: most would show only at run time, on some servers.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = $sentence] $rule,)*
        }

        impl Rule {
            /// All rules.
            pub const ALL: [Self; [$($id),*].len()] = [$(Self::$rule),*];

            /// Its name in messages and documentation.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self {
                    $(Self::$rule => $id,)*
                }
            }

            /// What must hold, as a sentence.
            #[must_use]
            pub fn sentence(self) -> &'static str {
                match self {
                    $(Self::$rule => $sentence,)*
                }
            }
        }
    };
}

rules! {
    ValidName "valid-name": "Every name has the characters and the length that NATS takes everywhere.",
    ReservedName "reserved-name": "Names that Harmony or NATS uses for itself are not used for anything else.",
    DeclaredSystem "declared-system": "Exactly one Score declares a system; others contribute to it.",
    OneWord "one-word": "What several Scores say of one thing does not contradict.",
    ServerCount "server-count": "A cluster has at least one server.",
    OddCluster "odd-cluster": "A single cluster with JetStream has an odd number of servers.",
    SeveralSites "several-sites": "A supercluster has at least two sites.",
    SiteOnce "site-once": "A site is named once.",
    ClusterNamesDiffer "cluster-names-differ": "Clusters that gateways join have different names.",
    TwoSiteQuorum "two-site-quorum": "Two sites with JetStream are accepted only knowingly: the loss of one stops changes on both.",
    SiteHoldsQuorum "site-holds-quorum": "No site holds so many of JetStream's servers that its loss stops changes on the others.",
    HubSites "hub-sites": "A hub needs at least three sites.",
    TaggedServer "tagged-server": "A tag is well formed and is put on a server that there is.",
    UniqueTagOnServers "unique-tag-on-servers": "A unique tag's prefix is found on every server.",
    UniqueTagValues "unique-tag-values": "A cluster has as many values of the unique tag as its streams have copies.",
    DomainName "domain-name": "A JetStream domain is a name without dots, wildcards and white space.",
    LimitAboveZero "limit-above-zero": "A limit that is given is above zero: NATS reads zero as no limit.",
    JetstreamDeclared "jetstream-declared": "Buckets, streams and limits for them need JetStream on the system.",
    AccountDeclared "account-declared": "A bucket or stream is in an account that some Score declares.",
    SystemAccountHoldsNothing "system-account-holds-nothing": "The system account has no JetStream, no data and no users but Harmony's own.",
    UserOnce "user-once": "The name of a user with a password is used in one account only.",
    GrantOnDeclared "grant-on-declared": "A grant is on a bucket or stream that is declared in the user's account.",
    GrantSubject "grant-subject": "A granted subject belongs to the application, not to the server.",
    KeyPrefix "key-prefix": "A prefix of keys is made of what keys are made of, without wildcards and without a dot at an end.",
    StreamSubjects "stream-subjects": "A stream keeps at least one subject, and only subjects of the application.",
    SubjectsDisjoint "subjects-disjoint": "No two streams of an account keep the same subject.",
    HistoryLength "history-length": "A bucket keeps 1 to 64 values of a key.",
    DuplicateWindow "duplicate-window": "A stream does not remember message ids for longer than it keeps messages.",
    ReplicasInOneCluster "replicas-in-one-cluster": "All copies are in one cluster, each on a server of its own.",
    AcrossSitesNeedsSites "across-sites-needs-sites": "Copies across sites need a supercluster.",
    AcrossSitesNeedsHub "across-sites-needs-hub": "Copies across sites need the hub: gateways carry none.",
    HomeSite "home-site": "A bucket or stream names its home site exactly when its copies are on one site of several.",
    LimitsFit "limits-fit": "What buckets and streams reserve fits into their account and onto the servers.",
    ServerNamesDiffer "server-names-differ": "No two servers of a system have one name.",
    GatewayNamedAsCluster "gateway-named-as-cluster": "A server's gateway has the name of its cluster.",
    GatewayNeedsCluster "gateway-needs-cluster": "A server with a gateway is in a cluster, if need be of one.",
    ClusterNeedsRoutes "cluster-needs-routes": "A server with JetStream in a cluster has a route, if need be to itself.",
    UrlParses "url-parses": "Every route and gateway address is one that can be dialled.",
    SystemAccountListed "system-account-listed": "The system account is one of the server's accounts.",
    DebugNeedsMonitoring "debug-needs-monitoring": "A server that logs for debugging has monitoring open, on this machine only.",
    LameDuck "lame-duck": "A server's lame duck mode lasts at least 30 seconds.",
}

impl Rule {
    /// Refuses `what` the Scores say at `said_at`, with `advice`.
    #[must_use]
    pub(crate) fn refuse(self, what: impl Into<String>, said_at: &[&Origin], advice: &str) -> ArrangeError {
        let mut said_at: Vec<Origin> = said_at.iter().copied().cloned().collect();
        said_at.sort();
        said_at.dedup();
        ArrangeError::refused(what, said_at, format!("{advice}; rule `{}`: {}", self.id(), self.sentence().trim_end_matches('.')))
    }
}
