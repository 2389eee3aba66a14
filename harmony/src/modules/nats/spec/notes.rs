//! What users should know and no field says.

use harmony_types::{SiteName, TimeSpan};

use super::system::{SystemSpec, UserRole};
use crate::arrangement::Note;
use crate::modules::nats::permission::escalations;
use crate::modules::nats::score::SyncPolicy;

/// The notes on a system, sorted.
pub(super) fn notes(system: &SystemSpec) -> Vec<Note> {
    let mut notes: Vec<Note> = survivals(system);
    notes.extend(sync(system));
    notes.extend(quorum(system));
    notes.extend(unused_accounts(system));
    for user in system.users().filter(|user| user.role == UserRole::Declared) {
        let about = format!("user {} of account {}", user.name, user.account);
        notes.extend(escalations(&user.rights).into_iter().map(|says| Note { about: about.clone(), says }));
    }
    notes.sort();
    notes
}

fn survivals(system: &SystemSpec) -> Vec<Note> {
    let buckets = system.buckets.iter().filter(|spec| !spec.is_for_proofs).map(|spec| Note {
        about: format!("bucket {} of account {}", spec.bucket.identity.bucket, spec.bucket.identity.account),
        says: spec.survives.clone(),
    });
    let streams = system.streams.iter().map(|spec| Note {
        about: format!("stream {} of account {}", spec.stream.identity.stream, spec.stream.identity.account),
        says: spec.survives.clone(),
    });
    buckets.chain(streams).collect()
}

fn sync(system: &SystemSpec) -> Option<Note> {
    let settings = system.jetstream.as_ref()?;
    let says = match settings.sync {
        SyncPolicy::Always => {
            "every message is written through to the disk before it is acknowledged: a loss of power loses none, \
                               and writes are several times slower than without"
                .to_owned()
        }
        SyncPolicy::Every(span) => {
            let mut says = format!(
                "messages are written through to the disk every {span}: when all machines that hold a stream lose power together, what \
                 was acknowledged since is lost (the crash of a server alone loses nothing)"
            );
            if span >= TimeSpan::minutes(1) {
                says += "; at such lengths even a stream that was made in that time can be gone";
            }
            says
        }
    };
    Some(Note { about: format!("JetStream of {}", system.name), says })
}

/// The sites whose loss stops JetStream's changes everywhere: the program has accepted that.
fn quorum(system: &SystemSpec) -> Vec<Note> {
    let all = system.meta_group();
    let on = |site: &SiteName| system.servers().iter().filter(|server| server.member.site == *site).count();
    let stops = |site: &&SiteName| system.sites.len() > 1 && all - on(site) < all / 2 + 1;
    let sites = if all == 0 { &[] } else { system.sites.as_slice() };
    let note = |site: &SiteName| Note {
        about: format!("site {site} of {}", system.name),
        says:
            "while it is away, no stream or consumer can be created, changed or deleted on any site; what has most of its copies \
               elsewhere is read and written as before"
                .to_owned(),
    };
    sites.iter().filter(stops).map(note).collect()
}

fn unused_accounts(system: &SystemSpec) -> Vec<Note> {
    let unused = |users: &[super::system::UserSpec]| users.iter().all(|user| user.role == UserRole::Provisioner);
    let accounts = system.accounts.iter().filter(|account| unused(&account.users));
    accounts
        .map(|account| Note { about: format!("account {}", account.name), says: "it has no user: nobody can use it".to_owned() })
        .collect()
}
