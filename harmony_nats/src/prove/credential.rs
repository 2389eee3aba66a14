//! A credential works on every server, in its own account.

use async_trait::async_trait;
use futures::future::join_all;
use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::proof::{CredentialWorks, SiteAccess};
use harmony::proof::{Evidence, Prover};
use harmony::provider::ProviderError;
use harmony::run::Run;
use serde::Deserialize;

use super::by_site::{by_reason, in_brackets, on_site, told_as, worst};
use crate::client::NatsConnections;
use crate::connect::connect_patiently;
use crate::system::Answer;
use crate::way::Ways;

/// What a server says of the user who asks.
#[derive(Debug, Deserialize)]
struct User {
    account: String,
    #[serde(default)]
    account_name: Option<String>,
}

#[async_trait]
impl Prover<CredentialWorks> for NatsConnections {
    async fn prove(&self, run: &Run, proof: &CredentialWorks) -> Result<Evidence, ProviderError> {
        let tried = join_all(proof.sites.iter().map(|site| try_site(run, &self.shared.ways, proof, site))).await;
        let servers: usize = tried.iter().map(|site| site.works + site.failed.len()).sum();
        if servers == 0 {
            return Err(ProviderError::refused(
                format!("failed to prove user {}", proof.user),
                "there is no server to try it on",
            ));
        }
        if let Some(error) = told(proof, servers, tried) {
            return Err(error);
        }
        let (user, account, sites) = (&proof.user, &proof.account, proof.sites.len());
        let how = format!("user {user} connected to each of {servers} servers on {sites} sites; each says account {account}");
        Ok(Evidence { checks: u32::try_from(servers).unwrap_or(u32::MAX), how, measured: Vec::new() })
    }
}

/// What came of trying every server of a site.
struct Tried<'a> {
    site: &'a SiteAccess,
    works: usize,
    /// The servers' URLs and why not.
    failed: Vec<(String, ProviderError)>,
}

async fn try_site<'a>(run: &Run, ways: &Ways, proof: &CredentialWorks, site: &'a SiteAccess) -> Tried<'a> {
    let mut tried = Tried { site, works: 0, failed: Vec::new() };
    for server in &site.access.servers {
        let access = NatsAccess { servers: vec![server.clone()], ..site.access.clone() };
        match try_server(run, ways, proof, &access).await {
            Ok(()) => tried.works += 1,
            Err(error) => tried.failed.push((server.get().map_or_else(|_| "a server".to_owned(), Clone::clone), error)),
        }
    }
    tried
}

async fn try_server(run: &Run, ways: &Ways, proof: &CredentialWorks, access: &NatsAccess) -> Result<(), ProviderError> {
    let connection = connect_patiently(run, ways, access).await?;
    let what = format!("failed to learn the account of {}", connection.whereabouts());
    let answer = connection.ask_for::<Answer<User>>(run, "$SYS.REQ.USER.INFO", Vec::new()).await;
    let answer = answer.map_err(|error| error.failed(what.clone()))?;
    let Some(user) = answer.data else { return Err(ProviderError::refused(what, "the server says nothing")) };
    let account = user.account_name.unwrap_or(user.account);
    if account == proof.account.as_str() {
        return Ok(());
    }
    let what = format!("user {} landed in another account than {}, as {}", proof.user, proof.account, connection.whereabouts());
    Err(ProviderError::refused(what, format!("server {} says: account {account}", answer.server.name)))
}

/// On how many servers it works, and why not on the others; nothing if it works on all.
fn told(proof: &CredentialWorks, servers: usize, tried: Vec<Tried<'_>>) -> Option<ProviderError> {
    let works: usize = tried.iter().map(|site| site.works).sum();
    let alive = tried.iter().filter(|site| site.works > 0).map(|site| site.site.site.as_str()).collect::<Vec<_>>();
    let what = format!("user {} works on {works} of {servers} servers{}", proof.user, in_brackets(&alive));
    let lost = tried.iter().filter(|site| !site.failed.is_empty());
    let why = lost.map(|site| format!("site {}: {}", site.site.site, reasons(site))).collect::<Vec<_>>().join("; ");
    let only = tried.iter().find(|_| servers == 1).map(|site| site.site.clone());
    let worst = worst(tried.into_iter().flat_map(|site| site.failed).map(|(_, error)| error))?;
    Some(match only {
        Some(site) => on_site(worst, &site),
        None => told_as(worst, what, why),
    })
}

fn reasons(site: &Tried<'_>) -> String {
    by_reason(site.failed.iter().map(|(server, error)| {
        let why = match error {
            // Connecting names the server itself.
            ProviderError::Unreachable(failure) => failure.why.replace(&format!("{server}: "), ""),
            error => error.to_string(),
        };
        (why, server.clone())
    }))
}
