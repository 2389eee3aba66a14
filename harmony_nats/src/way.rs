//! Where servers are dialled that this machine does not reach by their own names.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use harmony::modules::nats::client::{Lead, WayToServers};
use harmony::provider::{Failure, ProviderError};
use harmony::run::Run;
use url::Url;

/// The ways that a client was given. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Ways(Arc<RwLock<Vec<Arc<dyn WayToServers>>>>);

/// Where a server is dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialled {
    /// The URL to dial.
    pub(crate) url: String,
    /// The name that its certificate has to be for, if the URL says another.
    pub(crate) name: Option<String>,
}

impl Ways {
    pub(crate) fn take(&self, way: Arc<dyn WayToServers>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(way);
    }

    /// Where the server of this URL is dialled: as it says, unless a way leads there; that of its place, if it says one.
    ///
    /// # Errors
    /// [`ProviderError::Unreachable`] if a way should lead there and does not; what a way fails with.
    pub(crate) async fn find(&self, run: &Run, server: &str) -> Result<Dialled, ProviderError> {
        let ways = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (bare, place) = server.split_once('#').map_or((server, None), |(bare, place)| (bare, Some(place)));
        let as_it_says = Dialled { url: bare.to_owned(), name: None };
        let Some((url, host, port)) = parts(bare).filter(|_| !ways.is_empty()) else { return Ok(as_it_says) };
        let ways = ways.into_iter().filter(|way| place.is_none_or(|place| way.place().as_str() == place));
        let mut nowhere = None;
        for way in ways {
            match way.lead_to(run, &host, port).await? {
                Lead::To(address) => return Ok(Dialled { url: at(url, address), name: Some(host) }),
                Lead::Nowhere(why) => nowhere = Some(why),
                Lead::Elsewhere => {}
            }
        }
        match nowhere {
            Some(why) => Err(ProviderError::Unreachable(Failure::new(format!("failed to find a way to {server}"), why))),
            None => Ok(as_it_says),
        }
    }
}

fn parts(server: &str) -> Option<(Url, String, u16)> {
    let url = Url::parse(server).ok()?;
    let host = url.host_str()?.to_owned();
    let port = url.port()?;
    Some((url, host, port))
}

fn at(url: Url, address: SocketAddr) -> String {
    format!("{}://{address}", url.scheme())
}
