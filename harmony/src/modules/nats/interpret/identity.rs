//! Who is who: the authorities of the sites, and what users prove who they are with.

use std::collections::BTreeMap;

use harmony_secret::SecretName;
use harmony_types::{NonBlank, SiteName};

use super::places::Places;
use crate::capability::Nats;
use crate::error::ArrangeError;
use crate::modules::nats::access::Credential;
use crate::modules::nats::built::{FormerCredential, UserKey, UserSecret};
use crate::modules::nats::rotation::{self, Login, NEXT_LOGIN, RotationStep, Slot, State};
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
    let drawing = Drawing { user, base: &base, home };
    let subject = rotation::subject(spec.name().as_str(), user.account.as_str(), user.name.as_str());
    let step = stage.step_of(rotation::ROTATE, &subject).and_then(RotationStep::find);
    match step.and_then(|step| step.state(user.authentication)) {
        Some(state) => drawing.rotating(&state, stage),
        None => {
            let own = drawing.slot(Slot::Own, None, stage)?;
            let (credential, proofs) = (drawing.credential(&own, Login::Own), vec![drawing.proof(&own, Login::Own)]);
            Ok(UserSecret { credential, proofs, works: None, refused: None })
        }
    }
}

/// What one user proves who it is with.
struct Drawing<'a> {
    user: &'a UserSpec,
    /// Under which name its secrets are kept.
    base: &'a str,
    home: &'a dyn Nats,
}

/// A secret, and what servers check it by: a public key, or a hash.
struct Drawn {
    secret: Text,
    check: Text,
}

impl Drawing<'_> {
    /// What there is at a step of a rotation. Before the hand-out the previous secret follows the user's own, afterwards that follows
    /// the new one: so each value is kept under another name before it is replaced.
    fn rotating(&self, state: &State, stage: &mut Stage<'_>) -> Result<UserSecret, ArrangeError> {
        let next = self.slot(Slot::Next, None, stage)?;
        let own = self.slot(Slot::Own, state.is_handed_out.then(|| next.secret.clone()), stage)?;
        let previous = self.slot(Slot::Previous, (!state.is_handed_out).then(|| own.secret.clone()), stage)?;
        if state.login == Login::Next {
            let name = secret_name(&format!("{}/login", self.base))?;
            let login = GeneratedSecret::new(name, Recipe::Password).copying(Text::from(self.login(Login::Next)));
            stage.add(self.home, "login", &login)?;
        }
        let drawn = |slot| match slot {
            Slot::Own => &own,
            Slot::Previous => &previous,
            Slot::Next => &next,
        };
        let refused = |(slot, login)| FormerCredential {
            credential: self.credential(drawn(slot), login),
            known_as: self.known_as(drawn(slot), login, state),
        };
        Ok(UserSecret {
            credential: self.credential(&own, state.login),
            proofs: state.accepted.iter().map(|(slot, login)| self.proof(drawn(*slot), *login)).collect(),
            works: state.works.map(|(slot, login)| self.credential(drawn(slot), login)),
            refused: state.refused.map(refused),
        })
    }

    fn slot(&self, slot: Slot, copy_of: Option<Text>, stage: &mut Stage<'_>) -> Result<Drawn, ArrangeError> {
        let (kind, recipe) = match self.user.authentication {
            Authentication::Nkey => ("nkey", Recipe::UserNkey),
            Authentication::Password => ("password", Recipe::Password),
        };
        let name = match slot {
            Slot::Own => kind.to_owned(),
            Slot::Previous => format!("{kind}-previous"),
            Slot::Next => format!("{kind}-next"),
        };
        let secret = GeneratedSecret { copy_of, ..GeneratedSecret::new(secret_name(&format!("{}/{name}", self.base))?, recipe) };
        let kept = stage.add(self.home, &name, &secret)?;
        let secret = kept.get(&GeneratedSecret::VALUE);
        if self.user.authentication == Authentication::Nkey {
            return Ok(Drawn { secret, check: kept.get(&GeneratedSecret::PUBLIC) });
        }
        let name = format!("{name}-hash");
        let hash = PasswordHash {
            name: secret_name(&format!("{}/{name}", self.base))?,
            password: secret.clone(),
            cost: PasswordHash::COST,
        };
        let check = stage.add(self.home, &name, &hash)?.get(&PasswordHash::HASH);
        Ok(Drawn { secret, check })
    }

    fn login(&self, login: Login) -> String {
        match login {
            Login::Own => self.user.name.to_string(),
            Login::Next => format!("{}{NEXT_LOGIN}", self.user.name),
        }
    }

    fn credential(&self, drawn: &Drawn, login: Login) -> Credential {
        match self.user.authentication {
            Authentication::Nkey => Credential::Nkey { seed: drawn.secret.clone() },
            Authentication::Password => {
                Credential::Password { user: Text::from(self.login(login)), password: drawn.secret.clone() }
            }
        }
    }

    fn proof(&self, drawn: &Drawn, login: Login) -> UserProof {
        match self.user.authentication {
            Authentication::Nkey => UserProof::Nkey(drawn.check.clone()),
            Authentication::Password => UserProof::Password { user: self.login(login), hash: drawn.check.clone() },
        }
    }

    /// What servers call those who connect with it, unless others are called so too.
    fn known_as(&self, drawn: &Drawn, login: Login, state: &State) -> Option<Text> {
        match self.user.authentication {
            Authentication::Nkey => Some(drawn.check.clone()),
            Authentication::Password if state.accepted.iter().any(|(_, other)| *other == login) => None,
            Authentication::Password => Some(Text::from(self.login(login))),
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
