//! What the tests are about: one directory, environments, and a search for values that show.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};
use harmony_io::Io;
use harmony_secret::{
    EncryptedFile, EncryptedFileError, Environment, KeyError, SecretError, SecretName, SecretStore, SecretValue,
};
use tempfile::TempDir;

/// The bytes 0 to 31.
pub(crate) const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const OTHER_KEY: &str = "/wECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const VALUE: &str = "correct-horse-battery-staple-0123456789";

pub(crate) fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

pub(crate) fn value(text: &str) -> SecretValue {
    SecretValue::from(text.to_owned())
}

pub(crate) fn environment(variables: &[(&str, &str)]) -> Environment {
    let variables: Vec<(String, String)> =
        variables.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Environment::new(move |wanted| variables.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.clone()))
}

/// A directory with a home and a checkout.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.path().join("checkout/secrets.json")
    }

    pub(crate) fn identity(&self) -> PathBuf {
        self.path().join("home/.config/harmony/identity")
    }

    /// The store with these variables and the home.
    pub(crate) fn store(&self, variables: &[(&str, &str)]) -> EncryptedFile {
        self.store_through(Io::real(), variables)
    }

    pub(crate) fn store_through(&self, io: Io, variables: &[(&str, &str)]) -> EncryptedFile {
        let home = self.path().join("home").display().to_string();
        EncryptedFile::new(self.file(), io, environment(&[variables, &[("HOME", home.as_str())]].concat()))
    }

    pub(crate) fn keyed(&self) -> EncryptedFile {
        self.store(&[("HARMONY_SECRET_KEY", KEY)])
    }

    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(self.file()).unwrap()
    }

    pub(crate) fn overwrite(&self, text: &str) {
        std::fs::create_dir_all(self.file().parent().unwrap()).unwrap();
        std::fs::write(self.file(), text).unwrap();
    }

    /// Everything in the directory, sorted.
    pub(crate) fn everything(&self) -> Vec<String> {
        let mut found = Vec::new();
        list(self.path(), self.path(), &mut found);
        found.sort();
        found
    }
}

fn list(root: &Path, directory: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        found.push(path.strip_prefix(root).unwrap().display().to_string());
        if path.is_dir() {
            list(root, &path, found);
        }
    }
}

/// The error of looking for `nats/admin`; finding it, or finding it absent, is the failure of the test.
pub(crate) async fn refusal(store: &dyn SecretStore) -> EncryptedFileError {
    let SecretError::EncryptedFile(by_names) = store.names().await.unwrap_err() else { panic!("another error") };
    let SecretError::EncryptedFile(by_find) = store.find(&name("nats/admin")).await.unwrap_err() else { panic!("another error") };
    let SecretError::EncryptedFile(by_put) = store.put(&name("new"), &value("new")).await.unwrap_err() else {
        panic!("another error")
    };
    assert_eq!((by_names.to_string(), by_put.to_string()), (by_find.to_string(), by_find.to_string()));
    assert_hidden(&everything_said(&by_find), &[VALUE, KEY, OTHER_KEY]);
    by_find
}

pub(crate) async fn key_refusal(store: &dyn SecretStore) -> KeyError {
    match refusal(store).await {
        EncryptedFileError::Key(error) => error,
        other => panic!("not an error of a key: {other}"),
    }
}

/// `Display`, `Debug` and the causes of an error.
pub(crate) fn everything_said(error: &dyn Error) -> String {
    let mut said = format!("{error:?}");
    let mut cause = Some(error);
    while let Some(error) = cause {
        said.push_str(&format!("\n{error}"));
        cause = error.source();
    }
    said
}

/// Fails if one of the values shows in the text: as it is, in hexadecimal, or in base64 at any offset.
pub(crate) fn assert_hidden(text: &str, values: &[&str]) {
    for value in values {
        for shape in shapes(value.as_bytes()) {
            assert!(!text.contains(&shape), "`{shape}` shows in: {text}");
        }
    }
}

fn shapes(value: &[u8]) -> Vec<String> {
    let mut shapes = vec![String::from_utf8_lossy(value).into_owned(), HEXLOWER.encode(value), HEXUPPER.encode(value)];
    for skipped in 0..3.min(value.len()) {
        let whole = &value[skipped..value.len() - (value.len() - skipped) % 3];
        shapes.extend([BASE64.encode(whole), BASE64URL.encode(whole)]);
    }
    shapes.retain(|shape| !shape.is_empty());
    shapes
}

#[test]
fn search_for_shown_values_finds_them() {
    let value = "hunter2-hunter2";
    for shown in [value.to_owned(), HEXLOWER.encode(value.as_bytes()), BASE64.encode(format!("xy{value}").as_bytes())] {
        assert!(std::panic::catch_unwind(|| assert_hidden(&format!("a {shown} b"), &[value])).is_err(), "{shown}");
    }
}

pub(crate) fn shared(store: impl SecretStore + 'static) -> Arc<dyn SecretStore> {
    Arc::new(store)
}
