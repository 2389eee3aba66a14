//! A file that is not as it was written is an error, which says what is wrong with it; never an absent secret.

use std::io::ErrorKind;
use std::sync::Arc;

use harmony_io::{Faults, Injected, Io, Moment, Operation, Point};
use harmony_secret::{EncryptedFileError, MisfitKind, SecretStore};
use serde_json::Value;

use crate::fixtures::{KEY, OTHER_KEY, Place, VALUE, key_refusal, name, refusal, value};

/// A file with two secrets.
async fn written() -> Place {
    let place = Place::new();
    let store = place.keyed();
    store.put(&name("nats/admin"), &value(VALUE)).await.unwrap();
    store.put(&name("nats/user"), &value("another-value")).await.unwrap();
    place
}

fn edit(place: &Place, edit: impl FnOnce(&mut Value)) {
    let mut document = serde_json::from_str(&place.text()).unwrap();
    edit(&mut document);
    place.overwrite(&document.to_string());
}

#[tokio::test]
async fn every_flipped_byte_is_noticed() {
    let place = written().await;
    let text = place.text().into_bytes();
    for position in 0..text.len() - 1 {
        let mut flipped = text.clone();
        flipped[position] ^= 1;
        std::fs::write(place.file(), &flipped).unwrap();
        let found = place.keyed().find(&name("nats/admin")).await;
        assert!(found.is_err(), "byte {position} of {}", String::from_utf8_lossy(&flipped));
    }
}

#[tokio::test]
async fn flipped_entry_is_named() {
    let place = written().await;
    edit(&place, |document| {
        let entry = document["secrets"]["nats/user"].as_str().unwrap().to_owned();
        let last = if entry.starts_with('A') { "B" } else { "A" };
        document["secrets"]["nats/user"] = Value::from(format!("{last}{}", &entry[1..]));
    });
    assert!(
        matches!(refusal(&place.keyed()).await, EncryptedFileError::EntryDamaged { name: damaged, .. } if damaged == name("nats/user"))
    );
}

#[tokio::test]
async fn swapped_entries_are_noticed() {
    let place = written().await;
    edit(&place, |document| {
        let first = document["secrets"]["nats/admin"].take();
        let second = document["secrets"]["nats/user"].take();
        document["secrets"]["nats/admin"] = second;
        document["secrets"]["nats/user"] = first;
    });
    assert!(matches!(refusal(&place.keyed()).await, EncryptedFileError::EntryDamaged { .. }));
}

#[tokio::test]
async fn entry_cut_out_is_noticed() {
    let place = written().await;
    edit(&place, |document| drop(document["secrets"].as_object_mut().unwrap().remove("nats/user")));
    assert!(matches!(refusal(&place.keyed()).await, EncryptedFileError::SealBroken { .. }));
}

#[tokio::test]
async fn entry_put_back_as_it_was_is_noticed() {
    let place = written().await;
    let before: Value = serde_json::from_str(&place.text()).unwrap();
    place.keyed().put(&name("nats/admin"), &value("rotated")).await.unwrap();
    edit(&place, |document| document["secrets"]["nats/admin"] = before["secrets"]["nats/admin"].clone());
    assert!(matches!(refusal(&place.keyed()).await, EncryptedFileError::SealBroken { .. }));
}

#[tokio::test]
async fn merged_file_is_usable_once_sealed_anew() {
    let place = written().await;
    edit(&place, |document| drop(document["secrets"].as_object_mut().unwrap().remove("nats/user")));
    place.keyed().seal_anew().await.unwrap();
    assert_eq!(place.keyed().find(&name("nats/admin")).await.unwrap(), Some(value(VALUE)));
    assert_eq!(place.keyed().names().await.unwrap(), [name("nats/admin")]);
}

#[tokio::test]
async fn damaged_entry_is_not_sealed_anew() {
    let place = written().await;
    edit(&place, |document| document["secrets"]["nats/admin"] = document["secrets"]["nats/user"].clone());
    let before = place.text();
    place.keyed().seal_anew().await.unwrap_err();
    assert_eq!(place.text(), before);
}

#[tokio::test]
async fn file_cut_short_anywhere_is_noticed() {
    let place = written().await;
    let text = place.text();
    // The last byte is the line end.
    for length in 0..text.len() - 1 {
        place.overwrite(&text[..length]);
        let error = refusal(&place.keyed()).await;
        assert!(matches!(error, EncryptedFileError::Malformed { source, .. } if source.kind == MisfitKind::End), "{length}");
    }
}

#[tokio::test]
async fn newer_format_is_refused_by_its_name() {
    let place = written().await;
    place.overwrite(r#"{"format": "harmony-secrets/v2", "something": "new"}"#);
    let error = refusal(&place.keyed()).await;
    assert!(matches!(&error, EncryptedFileError::OtherFormat { format, .. } if format == "harmony-secrets/v2"));
    assert!(error.to_string().ends_with("has the format `harmony-secrets/v2`, this version reads `harmony-secrets/v1`"));
}

#[tokio::test]
async fn another_file_is_refused() {
    for text in ["", "{}", "nats/admin: plain", r#"{"format": "lock"}"#, "<<<<<<< ours\n{}", r#"{"format":"harmony-secrets/v1"}"#]
    {
        let place = Place::new();
        place.overwrite(text);
        assert!(matches!(refusal(&place.keyed()).await, EncryptedFileError::Malformed { .. }), "{text}");
    }
}

#[tokio::test]
async fn wrong_key_is_told_from_damage() {
    let place = written().await;
    let error = refusal(&place.store(&[("HARMONY_SECRET_KEY", OTHER_KEY)])).await;
    let EncryptedFileError::WrongKey { key, tried, .. } = &error else { panic!("{error}") };
    assert_eq!(Value::from(key.to_string()), serde_json::from_str::<Value>(&place.text()).unwrap()["key"]["id"]);
    assert_eq!(tried, "`HARMONY_SECRET_KEY`");
    assert!(error.hint().unwrap().contains("HARMONY_SECRET_KEY"));
}

#[tokio::test]
async fn excessive_costs_are_refused() {
    let place = Place::new();
    let with_passphrase = || place.store(&[("HARMONY_SECRET_PASSPHRASE", "phrase")]);
    with_passphrase().put(&name("nats/admin"), &value(VALUE)).await.unwrap();
    edit(&place, |document| document["key"]["argon2id"]["memory_kib"] = Value::from(u32::MAX));
    assert!(matches!(key_refusal(&with_passphrase()).await, harmony_secret::KeyError::CostsRefused { .. }));
}

#[tokio::test]
async fn directory_or_file_in_the_way_is_not_an_absent_secret() {
    let place = Place::new();
    std::fs::create_dir_all(place.file()).unwrap();
    assert!(matches!(refusal(&place.keyed()).await, EncryptedFileError::Io(_)));

    let place = Place::new();
    std::fs::write(place.file().parent().unwrap(), "").unwrap();
    assert!(matches!(refusal(&place.keyed()).await, EncryptedFileError::Io(_)));
}

struct NotPermitted;

impl Faults for NotPermitted {
    fn at(&self, point: Point<'_>) -> Injected {
        match (point.operation, point.moment) {
            (Operation::Read, Moment::Before) => Injected::Fail(ErrorKind::PermissionDenied),
            _ => Injected::Nothing,
        }
    }
}

#[tokio::test]
async fn unreadable_directory_is_not_an_absent_secret() {
    let place = Place::new();
    let store = place.store_through(Io::with_faults(Arc::new(NotPermitted)), &[("HARMONY_SECRET_KEY", KEY)]);
    assert!(matches!(refusal(&store).await, EncryptedFileError::Io(error) if error.source.kind() == ErrorKind::PermissionDenied));
    assert_eq!(place.everything(), [""; 0]);
}
