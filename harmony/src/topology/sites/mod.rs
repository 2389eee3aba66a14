//! Several places under one program, one for each site of a system.
//!
//! Entry point: [`Sites`], to which places of any kind are added: clusters of Kubernetes, machines. Looked at, they are a [`SitesPlace`], which
//! plays what is declared by site on the places of the sites. What belongs to no site it keeps itself: passwords and keys are in the site
//! program's own store, and buckets, accounts and proofs are reached over NATS, so that no place has to be there for the sake of the others.
//! It deliberately runs nothing itself, and knows no kind of place.

mod place;
mod survey;
mod unsurveyed;

pub use place::SitesPlace;
pub use survey::{Sites, SitesFacts};
