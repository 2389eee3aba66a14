//! What a place holds by the secret store of its site program, wherever the place is.
//!
//! Entry point: [`UsesSecretStore`]. It deliberately knows no store: which ones there are is the site program's.

use std::sync::Arc;

use super::{GeneratedSecret, PasswordHash, SecretEntries};
use crate::modules::tls::{Authority, Certificate, StoredPki};
use crate::provider::Provider;
use crate::topology::{Hosts, Providers, Topology};

/// A place whose secrets rest in the secret store of its site program: those that are made once, the authorities, and what these issue. A
/// place that keeps them elsewhere leaves this trait out, and says what it hosts itself.
pub trait UsesSecretStore: Topology {}

macro_rules! hosts {
    ($($kind:ty => $provider:ident),* $(,)?) => {
        $(impl<T: UsesSecretStore> Hosts<$kind> for T {
            fn provider(&self) -> Arc<dyn Provider<$kind>> {
                $provider::new(&self.site().secrets)
            }
        })*

        /// Adds the providers of all that `place` holds by the secret store.
        pub fn register_secrets(place: &impl UsesSecretStore, providers: &mut Providers) {
            $(providers.host::<$kind>(place);)*
        }
    };
}

hosts!(
    GeneratedSecret => SecretEntries,
    PasswordHash => SecretEntries,
    Authority => StoredPki,
    Certificate => StoredPki,
);
