//! Values that may be known only later: an output of another resource, or a function of one.
//!
//! Entry points: [`Text`] and the [`text!`](crate::text!) macro for a spec's fields, [`Output`] for what a kind offers. A known value
//! serialises bare, a later one as `{"$later": …}`, so a plan can hold both. The functions are a closed set ([`Later`]): what is random
//! or slow is a resource of its own.

mod later;
mod quote;
mod resolve;

pub use later::{IntoParts, Later, Output, Part, Reference, ReferenceError, Text, Unresolved, Value};
pub use quote::Syntax;
pub use resolve::{Resolved, plain, references, resolve, sensitive_paths};
pub(crate) use resolve::{holds_secret, push_key, redirect};
