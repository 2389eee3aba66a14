//! The identity: a key in a file of its own, outside the checkout.

use std::path::Path;

use harmony_io::{EntryKind, Io, Mode};

use super::cipher::Key;
use super::error::KeyError;
use super::waiting::wait_for_lock;
use crate::value::{SecretValue, SecretWriter};

/// The first line; the second is the key in base64, as `HARMONY_SECRET_KEY` takes it.
const FORMAT: &[u8] = b"harmony-identity/v1\n";

/// A key, and whether its file had to be made.
pub(crate) enum Identity {
    Found(Key),
    Made(Key),
}

pub(crate) fn find_identity(io: &Io, path: &Path) -> Result<Option<Key>, KeyError> {
    let Some(entry) = io.find_entry(path)? else { return Ok(None) };
    if entry.kind != EntryKind::File || entry.mode != Some(Mode::Private) {
        return Err(KeyError::IdentityNotPrivate { path: path.to_owned() });
    }
    let Some(text) = io.find_file(path)?.map(SecretValue::from) else { return Ok(None) };
    let key = text.expose_bytes().strip_prefix(FORMAT).and_then(|key| Key::find_in(&SecretValue::from(key.to_vec())));
    key.map(Some).ok_or_else(|| KeyError::IdentityMalformed { path: path.to_owned() })
}

pub(crate) async fn ensure_identity(io: &Io, path: &Path) -> Result<Identity, KeyError> {
    if let Some(key) = find_identity(io, path)? {
        return Ok(Identity::Found(key));
    }
    if let Some(directory) = path.parent() {
        io.ensure_directory(directory, Mode::Private)?;
    }
    let locked = |source| KeyError::Locked { path: path.to_owned(), source };
    let _lock = wait_for_lock(io, path).await.map_err(locked)?;
    // Another program may have made it while this one waited; its secrets would be lost with it.
    if let Some(key) = find_identity(io, path)? {
        return Ok(Identity::Found(key));
    }
    let key = Key::generate();
    let mut text = SecretWriter::default();
    text.push(FORMAT);
    text.push(key.to_base64().expose_bytes());
    text.push(b"\n");
    io.write_file(path, text.finish().expose_bytes(), Mode::Private)?;
    Ok(Identity::Made(key))
}
