//! Who is who: the authorities of the sites, and what users prove who they are with.

use std::collections::BTreeMap;

use harmony_secret::SecretName;
use harmony_types::{NonBlank, SiteName};

use super::places::Places;
use crate::capability::Nats;
use crate::error::ArrangeError;
use crate::modules::nats::access::Credential;
use crate::modules::nats::built::{UserKey, UserSecret};
use crate::modules::nats::score::Authentication;
use crate::modules::nats::spec::{SystemSpec, UserProof, UserSpec};
use crate::modules::secret::{GeneratedSecret, PasswordHash, Recipe};
use crate::modules::tls::Authority;
use crate::resource::Handle;
use crate::stage::Stage;
use crate::value::{IntoParts, Text};

/// The authorities of a system, one for each site: what one site loses, no other has lost.
pub(super) struct Authorities {
    by_site: BTreeMap<SiteName, Handle<Authority>>,
}

impl Authorities {
    /// The certificates of all of them, one after another: whom every server and client trusts.
    pub(super) fn trust(&self) -> Text {
        let mut parts = Vec::new();
        for authority in self.by_site.values() {
            authority.get(&Authority::CERTIFICATE).into_parts(&mut parts);
        }
        Text::concatenated(parts)
    }

    pub(super) fn of(&self, site: &SiteName) -> Option<&Handle<Authority>> {
        self.by_site.get(site)
    }
}

pub(super) fn arrange_authorities(
    spec: &SystemSpec,
    places: &Places<'_>,
    stage: &mut Stage<'_>,
) -> Result<Authorities, ArrangeError> {
    let mut by_site = BTreeMap::new();
    for site in spec.sites() {
        let authority = Authority {
            name: secret_name(&format!("nats/{}/site/{site}/authority", spec.name()))?,
            subject: non_blank(&format!("{} site {site}", spec.name()))?,
        };
        let handle = stage.within("authority", |stage| stage.add(places.site(site)?, site.as_str(), &authority))?;
        by_site.insert(site.clone(), handle);
    }
    Ok(Authorities { by_site })
}

/// Adds what every user proves who it is with.
pub(super) fn arrange_users(
    spec: &SystemSpec,
    home: &dyn Nats,
    stage: &mut Stage<'_>,
) -> Result<BTreeMap<UserKey, UserSecret>, ArrangeError> {
    let mut users = BTreeMap::new();
    for user in spec.users() {
        let secret = stage.on_behalf(&user.origin, |stage| {
            stage.within(&format!("user/{}/{}", user.account, user.name), |stage| arrange_user(spec, user, home, stage))
        })?;
        users.insert((user.account.clone(), user.name.clone()), secret);
    }
    Ok(users)
}

fn arrange_user(spec: &SystemSpec, user: &UserSpec, home: &dyn Nats, stage: &mut Stage<'_>) -> Result<UserSecret, ArrangeError> {
    let base = user_secret(spec.name().as_str(), user.account.as_str(), user.name.as_str());
    match user.authentication {
        Authentication::Nkey => {
            let secret = GeneratedSecret { name: secret_name(&format!("{base}/nkey"))?, recipe: Recipe::UserNkey };
            let key = stage.add(home, "nkey", &secret)?;
            Ok(UserSecret {
                credential: Credential::Nkey { seed: key.get(&GeneratedSecret::VALUE) },
                proof: UserProof::Nkey(key.get(&GeneratedSecret::PUBLIC)),
            })
        }
        Authentication::Password => {
            let secret = GeneratedSecret { name: secret_name(&format!("{base}/password"))?, recipe: Recipe::Password };
            let password = stage.add(home, "password", &secret)?.get(&GeneratedSecret::VALUE);
            let hash = PasswordHash {
                name: secret_name(&format!("{base}/password-hash"))?,
                password: password.clone(),
                cost: PasswordHash::COST,
            };
            let hash = stage.add(home, "password-hash", &hash)?.get(&PasswordHash::HASH);
            let name = user.name.to_string();
            Ok(UserSecret {
                credential: Credential::Password { user: Text::from(name.as_str()), password },
                proof: UserProof::Password { user: user.name.to_string(), hash },
            })
        }
    }
}

/// Under which name what a user proves who it is with is kept, without its last segment. Names of secrets are in lower case: two users
/// that differ only in case are refused as two claims on one secret.
pub(in crate::modules::nats) fn user_secret(system: &str, account: &str, user: &str) -> String {
    format!("nats/{system}/account/{account}/user/{user}").to_ascii_lowercase()
}

pub(super) fn secret_name(text: &str) -> Result<SecretName, ArrangeError> {
    text.parse().map_err(|error| ArrangeError::refused(format!("{error}"), Vec::new(), "shorten the names it is made of"))
}

pub(super) fn non_blank(text: &str) -> Result<NonBlank, ArrangeError> {
    text.parse().map_err(|error| ArrangeError::refused(format!("{error}"), Vec::new(), "correct the names it is made of"))
}
