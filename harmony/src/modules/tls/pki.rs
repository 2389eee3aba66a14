//! Authorities and certificates kept in the stores of a site program.

use std::sync::Arc;

use async_trait::async_trait;
use harmony_secret::{SecretManager, SecretName, SecretValue};
use harmony_types::HostName;

use super::authority::{Authority, IssuedOutputs};
use super::certificate::{Certificate, SubjectName};
use super::x509::{self, X509Error};
use crate::explain::chain;
use crate::provider::{Failure, Known, Live, Observation, Provider, ProviderError};
use crate::run::Run;
use crate::value::{Text, Unresolved, Value};

/// The provider of authorities and certificates over the stores of a [`SecretManager`].
#[derive(Clone)]
pub struct StoredPki {
    secrets: SecretManager,
}

impl StoredPki {
    /// A provider over these stores.
    #[must_use]
    pub fn new(secrets: &SecretManager) -> Arc<Self> {
        Arc::new(Self { secrets: secrets.clone() })
    }

    async fn find(&self, name: &SecretName) -> Result<Option<IssuedOutputs>, ProviderError> {
        let Some(value) = self.secrets.find(name).await? else { return Ok(None) };
        // The words of the reader are left out: they could hold a part of the key.
        let issued = serde_json::from_slice(value.expose_bytes()).map_err(|_| unreadable(name))?;
        Ok(Some(issued))
    }

    async fn keep(&self, run: &Run, name: &SecretName, issued: &IssuedOutputs) -> Result<(), ProviderError> {
        let text = serde_json::to_string(issued).map_err(|_| unreadable(name))?;
        self.secrets.put(name, &SecretValue::from(text)).await?;
        for notice in self.secrets.take_notices() {
            run.remark(notice.to_string());
        }
        Ok(())
    }
}

fn unreadable(name: &SecretName) -> ProviderError {
    let failure = Failure::new(format!("the secret {name} is not a certificate with its key"), "");
    ProviderError::Refused(failure.with_hint("remove it from the secret store to have it made anew"))
}

fn failed(name: &SecretName, error: &X509Error) -> ProviderError {
    ProviderError::refused(format!("failed to issue {name}"), chain(error))
}

/// As a certificate has them, each once: some are known only when others are.
fn sorted(names: &[SubjectName]) -> Result<Vec<HostName>, Unresolved> {
    let mut names = names.iter().map(|name| name.get().cloned()).collect::<Result<Vec<_>, _>>()?;
    names.sort();
    names.dedup();
    Ok(names)
}

/// What stands for an issuer that has been checked.
fn checked() -> Text {
    Text::from("(the wanted authority)")
}

#[async_trait]
impl Provider<Authority> for StoredPki {
    async fn observe(&self, _: &Run, (): &(), wanted: &[Known<Authority>]) -> Result<Vec<Observation<Authority>>, ProviderError> {
        let mut found = Vec::with_capacity(wanted.len());
        for Known { identity, .. } in wanted {
            found.push(match self.find(identity).await? {
                None => Observation::Absent,
                Some(issued) => {
                    let facts = x509::read(&issued.certificate).map_err(|_| unreadable(identity))?;
                    let subject = facts.subject.ok_or_else(|| unreadable(identity))?;
                    Observation::there(Authority { name: identity.clone(), subject }, issued)
                }
            });
        }
        Ok(found)
    }

    async fn apply(
        &self,
        run: &Run,
        (): &(),
        desired: &Authority,
        _: Option<&Live<Authority>>,
    ) -> Result<IssuedOutputs, ProviderError> {
        let issued = x509::make_authority(&desired.subject).map_err(|error| failed(&desired.name, &error))?;
        self.keep(run, &desired.name, &issued).await?;
        Ok(issued)
    }

    async fn delete(&self, _: &Run, (): &(), name: &SecretName) -> Result<(), ProviderError> {
        self.secrets.remove(name).await?;
        Ok(())
    }
}

#[async_trait]
impl Provider<Certificate> for StoredPki {
    async fn observe(
        &self,
        _: &Run,
        (): &(),
        wanted: &[Known<Certificate>],
    ) -> Result<Vec<Observation<Certificate>>, ProviderError> {
        let mut found = Vec::with_capacity(wanted.len());
        for Known { identity, .. } in wanted {
            found.push(match self.find(identity).await? {
                None => Observation::Absent,
                Some(issued) => {
                    let facts = x509::read(&issued.certificate).map_err(|_| unreadable(identity))?;
                    let state = Certificate {
                        name: identity.clone(),
                        subject: facts.subject.ok_or_else(|| unreadable(identity))?,
                        names: facts.names.into_iter().map(Value::Known).collect(),
                        // Who issued it is found out by the preview, which knows who should have.
                        issuer: checked(),
                        issuer_key: checked(),
                        expires_soon: facts.expires_soon,
                    };
                    Observation::there(state, issued)
                }
            });
        }
        Ok(found)
    }

    async fn preview(
        &self,
        _: &Run,
        (): &(),
        desired: &Certificate,
        live: Option<&Live<Certificate>>,
    ) -> Result<Certificate, ProviderError> {
        let names = match sorted(&desired.names) {
            Ok(names) => names.into_iter().map(Value::Known).collect(),
            Err(Unresolved) => desired.names.clone(),
        };
        let preview = Certificate { names, ..desired.clone() };
        match (desired.issuer.get(), live) {
            (Ok(issuer), Some(live)) if x509::is_issued_by(&live.outputs.certificate, issuer) => {
                Ok(Certificate { issuer: checked(), issuer_key: checked(), ..preview })
            }
            _ => Ok(preview),
        }
    }

    async fn apply(
        &self,
        run: &Run,
        (): &(),
        desired: &Certificate,
        _: Option<&Live<Certificate>>,
    ) -> Result<IssuedOutputs, ProviderError> {
        let (names, issuer, key) = (sorted(&desired.names)?, desired.issuer.get()?, desired.issuer_key.get()?);
        let issued = x509::issue(&desired.subject, &names, issuer, key).map_err(|error| failed(&desired.name, &error))?;
        self.keep(run, &desired.name, &issued).await?;
        Ok(issued)
    }

    async fn delete(&self, _: &Run, (): &(), name: &SecretName) -> Result<(), ProviderError> {
        self.secrets.remove(name).await?;
        Ok(())
    }
}
