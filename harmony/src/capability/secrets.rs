//! Keeping secrets.

use crate::modules::secret::{GeneratedSecret, PasswordHash};
use crate::topology::Hosts;

/// Keeps secrets that are made once: passwords, NKeys, hashes. Every place that hosts both kinds does.
#[diagnostic::on_unimplemented(
    message = "topology `{Self}` keeps no secrets",
    note = "implement `UsesSecretStore` for it, or host `GeneratedSecret` and `PasswordHash` on it"
)]
pub trait KeepsSecrets: Hosts<GeneratedSecret> + Hosts<PasswordHash> {}

impl<T: Hosts<GeneratedSecret> + Hosts<PasswordHash> + ?Sized> KeepsSecrets for T {}

const _: fn(&dyn KeepsSecrets) = |_| {};
