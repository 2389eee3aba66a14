//! Issuing certificates.

use crate::modules::tls::{Authority, Certificate};
use crate::topology::Hosts;

/// Has certificate authorities of its own, which issue certificates for both sides of mutual TLS. Every place that hosts both kinds does.
#[diagnostic::on_unimplemented(
    message = "topology `{Self}` has no certificate authority",
    note = "implement `UsesSecretStore` for it, or host `Authority` and `Certificate` on it"
)]
pub trait CertificateAuthorities: Hosts<Authority> + Hosts<Certificate> {}

impl<T: Hosts<Authority> + Hosts<Certificate> + ?Sized> CertificateAuthorities for T {}

const _: fn(&dyn CertificateAuthorities) = |_| {};
