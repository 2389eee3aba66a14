//! Keeping secrets.

use crate::modules::secret::{GeneratedSecret, PasswordHash};
use crate::topology::Hosts;

/// Keeps secrets that are made once: passwords, NKeys, hashes. Every place that hosts both kinds does.
#[diagnostic::on_unimplemented(
    message = "topology `{Self}` keeps no secrets",
    note = "host `GeneratedSecret` and `PasswordHash` on it with `SecretEntries`"
)]
pub trait KeepsSecrets: Hosts<GeneratedSecret> + Hosts<PasswordHash> {}

impl<T: Hosts<GeneratedSecret> + Hosts<PasswordHash> + ?Sized> KeepsSecrets for T {}

const _: fn(&dyn KeepsSecrets) = |_| {};
