//! A credential works on every server, in its own account.

use async_trait::async_trait;
use futures::future::try_join_all;
use harmony::modules::nats::access::NatsAccess;
use harmony::modules::nats::proof::{CredentialWorks, SiteAccess};
use harmony::proof::{Evidence, Prover};
use harmony::provider::{Failure, ProviderError};
use harmony::run::Run;
use serde::Deserialize;

use crate::client::NatsConnections;
use crate::connect::connect;
use crate::system::Answer;

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
        let servers: u32 = try_join_all(proof.sites.iter().map(|site| try_site(run, proof, site))).await?.iter().sum();
        if servers == 0 {
            return Err(ProviderError::refused(
                format!("failed to prove user {}", proof.user),
                "there is no server to try it on",
            ));
        }
        let (user, account, sites) = (&proof.user, &proof.account, proof.sites.len());
        let how = format!("user {user} connected to each of {servers} servers on {sites} sites; each says account {account}");
        Ok(Evidence { checks: servers, how, measured: Vec::new() })
    }
}

/// How many servers of a site take the credential, if all do.
async fn try_site(run: &Run, proof: &CredentialWorks, site: &SiteAccess) -> Result<u32, ProviderError> {
    let mut servers = 0;
    for server in &site.access.servers {
        let access = NatsAccess { servers: vec![server.clone()], ..site.access.clone() };
        try_server(run, proof, &access).await.map_err(|error| on_site(error, site))?;
        servers += 1;
    }
    Ok(servers)
}

async fn try_server(run: &Run, proof: &CredentialWorks, access: &NatsAccess) -> Result<(), ProviderError> {
    let connection = connect(run, access).await?;
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

/// The same error, naming the site.
pub(super) fn on_site(error: ProviderError, site: &SiteAccess) -> ProviderError {
    let named = |failure: Failure| Failure { what: format!("on site {}: {}", site.site, failure.what), ..failure };
    match error {
        ProviderError::Refused(failure) => ProviderError::Refused(named(failure)),
        ProviderError::Conflict(failure) => ProviderError::Conflict(named(failure)),
        ProviderError::Unreachable(failure) => ProviderError::Unreachable(named(failure)),
        ProviderError::RetryLater(failure) => ProviderError::RetryLater(named(failure)),
        ProviderError::NotPermitted(failure) => ProviderError::NotPermitted(named(failure)),
        other => other,
    }
}
