//! A place that has no certificate authorities, for what needs them.

use harmony::capability::CertificateAuthorities;
use harmony::topology::{Providers, Site, Topology};
use harmony_types::PlaceName;

struct Moon;

impl Topology for Moon {
    fn name(&self) -> &PlaceName {
        unreachable!()
    }

    fn site(&self) -> &Site {
        unreachable!()
    }

    fn register(&self, _: &mut Providers) {}
}

fn arrange(_: &impl CertificateAuthorities) {}

fn main() {
    arrange(&Moon);
}
