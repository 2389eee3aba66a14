//! Names that Harmony gives, and names that users give.

use std::str::FromStr;

use harmony_types::NameError;

use super::rule::Rule;
use crate::error::ArrangeError;
use crate::origin::Origin;

/// The account of the servers themselves: it never has JetStream.
pub const SYSTEM_ACCOUNT: &str = "SYS";
/// The user of the system account with which Harmony looks after the servers.
pub const OPERATOR: &str = "harmony-operator";
/// The user in every application account with which Harmony makes buckets and streams.
pub const PROVISIONER: &str = "harmony-provisioner";
/// The user with which proofs write, into [`PROOF_BUCKET`] only.
pub const PROVER: &str = "harmony-prover";
/// The bucket that proofs write into.
pub const PROOF_BUCKET: &str = "HARMONY_PROOF";

/// The name that `text` is, or a refusal.
pub(super) fn name<N: FromStr<Err = NameError>>(text: &str, said_at: &[&Origin]) -> Result<N, ArrangeError> {
    text.parse().map_err(|error: NameError| Rule::ValidName.refuse(error.to_string(), said_at, "correct the name"))
}

/// The name of a thing that NATS names by several joined names, `text`.
pub(super) fn joined<N: FromStr<Err = NameError>>(text: &str, said_at: &[&Origin]) -> Result<N, ArrangeError> {
    text.parse().map_err(|error: NameError| {
        Rule::ValidName.refuse(error.to_string(), said_at, "shorten the names of the system and the site that it is made of")
    })
}

/// Refuses a user's name that Harmony keeps for itself.
pub(super) fn free_user(text: &str, said_at: &[&Origin]) -> Result<(), ArrangeError> {
    if text.starts_with("harmony-") {
        let what = format!("`{text}` cannot be a user's name: those beginning with `harmony-` are Harmony's own");
        return Err(Rule::ReservedName.refuse(what, said_at, "give the user another name"));
    }
    Ok(())
}

/// Refuses a bucket's name that Harmony keeps for itself.
pub(super) fn free_bucket(text: &str, said_at: &[&Origin]) -> Result<(), ArrangeError> {
    if text == PROOF_BUCKET {
        let what = format!("`{text}` cannot be declared: Harmony's proofs write into the bucket of this name");
        return Err(Rule::ReservedName.refuse(what, said_at, "give the bucket another name"));
    }
    Ok(())
}

/// Refuses a stream's name that stands for a bucket or an object store.
pub(super) fn free_stream(text: &str, said_at: &[&Origin]) -> Result<(), ArrangeError> {
    if text.starts_with("KV_") || text.starts_with("OBJ_") {
        let what = format!("`{text}` cannot be a stream's name: NATS names the streams of buckets and object stores so");
        return Err(Rule::ReservedName.refuse(what, said_at, "give the stream another name, or declare a bucket"));
    }
    Ok(())
}
