//! The values that infrastructure is described with: names, quantities with their units, endpoints, digests.
//!
//! Each is valid because it exists: the only way in is `parse` (or a constructor that cannot fail), and it serialises as its text.
//! It deliberately does no input or output and knows no product.

mod digest;
mod endpoint;
mod name;
mod quantity;
mod text;

pub use digest::Digest;
pub use endpoint::{HostName, HostPort, Port};
pub use name::{
    AccountName, BucketName, ClusterName, NameError, Namespace, NonBlank, PlaceName, ServerName, SiteName, StreamName,
    SystemName, UserName,
};
pub use quantity::{ByteSize, Cpus, QuantityError, TimeSpan};
