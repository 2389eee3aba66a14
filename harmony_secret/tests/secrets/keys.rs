//! Where keys come from, and what is made when.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use harmony_io::Io;
use harmony_secret::{EncryptedFile, EncryptedFileError, KeyError, KeySource, Removal, SecretNotice, SecretStore};
use tokio::task::JoinSet;

use crate::fixtures::{
    KEY, OTHER_KEY, Place, VALUE, assert_hidden, environment, everything_said, key_refusal, name, refusal, value,
};

const PHRASE: (&str, &str) = ("HARMONY_SECRET_PASSPHRASE", "a long passphrase");

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn reading_an_absent_file_makes_nothing_and_needs_no_key() {
    let place = Place::new();
    let store = place.store(&[]);
    assert_eq!(store.find(&name("nats/admin")).await.unwrap(), None);
    assert_eq!(store.names().await.unwrap(), []);
    assert_eq!(store.remove(&name("nats/admin")).await.unwrap(), Removal::WasAbsent);
    assert_eq!(store.take_notices(), []);
    assert_eq!(place.everything(), [""; 0]);
}

#[tokio::test]
async fn first_write_makes_an_identity_and_says_so_once() {
    let place = Place::new();
    let store = place.store(&[]);
    store.put(&name("nats/admin"), &value(VALUE)).await.unwrap();
    store.put(&name("nats/user"), &value(VALUE)).await.unwrap();
    let notices = store.take_notices();
    assert_eq!(notices, [SecretNotice::IdentityMade { path: place.identity() }]);
    assert!(notices[0].to_string().contains(&place.identity().display().to_string()));
    assert_eq!(store.take_notices(), []);
    assert_eq!((mode(&place.identity()), mode(place.identity().parent().unwrap()), mode(&place.file())), (0o600, 0o700, 0o600));

    let again = place.store(&[]);
    assert_eq!(again.find(&name("nats/admin")).await.unwrap(), Some(value(VALUE)));
    assert_eq!(again.take_notices(), []);
}

#[tokio::test]
async fn identity_is_for_every_file_of_its_owner() {
    let place = Place::new();
    place.store(&[]).put(&name("nats/admin"), &value(VALUE)).await.unwrap();
    std::fs::remove_file(place.file()).unwrap();
    let store = place.store(&[]);
    store.put(&name("nats/admin"), &value(VALUE)).await.unwrap();
    assert_eq!(store.take_notices(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_first_writes_of_several_files_make_one_identity() {
    let place = Place::new();
    let home = place.path().join("home").display().to_string();
    let files = (0..8).map(|number| place.path().join(format!("{number}.json")));
    let store = |file| EncryptedFile::new(file, Io::real(), environment(&[("HOME", &home)]));
    let mut writers = JoinSet::new();
    for file in files.clone() {
        let store = store(file);
        writers.spawn(async move {
            store.put(&name("token"), &value(VALUE)).await.unwrap();
            store.take_notices().len()
        });
    }
    assert_eq!(writers.join_all().await.into_iter().sum::<usize>(), 1);
    for file in files {
        assert_eq!(store(file).find(&name("token")).await.unwrap(), Some(value(VALUE)));
    }
}

#[tokio::test]
async fn key_of_the_identity_is_what_the_variable_takes() {
    let place = Place::new();
    place.store(&[]).put(&name("nats/admin"), &value(VALUE)).await.unwrap();
    let identity = std::fs::read_to_string(place.identity()).unwrap();
    std::fs::remove_file(place.identity()).unwrap();
    let store = place.store(&[("HARMONY_SECRET_KEY", identity.lines().nth(1).unwrap())]);
    assert_eq!(store.find(&name("nats/admin")).await.unwrap(), Some(value(VALUE)));
}

#[tokio::test]
async fn file_without_a_key_names_the_three_ways() {
    let place = Place::new();
    place.keyed().put(&name("nats/admin"), &value(VALUE)).await.unwrap();
    let before = place.everything();
    let error = refusal(&place.store(&[])).await;
    assert!(matches!(error, EncryptedFileError::NoKey { .. }));
    let hint = error.hint().unwrap();
    for way in ["HARMONY_SECRET_KEY", "HARMONY_SECRET_PASSPHRASE", &place.identity().display().to_string()] {
        assert!(hint.contains(way), "{hint}");
    }
    assert_eq!(place.everything(), before, "a failed read or write makes nothing");
}

#[tokio::test]
async fn identity_that_others_can_read_is_refused() {
    let place = Place::new();
    place.store(&[]).put(&name("nats/admin"), &value(VALUE)).await.unwrap();
    for bits in [0o644, 0o640, 0o660, 0o604] {
        std::fs::set_permissions(place.identity(), PermissionsExt::from_mode(bits)).unwrap();
        let error = key_refusal(&place.store(&[])).await;
        assert!(matches!(error, KeyError::IdentityNotPrivate { .. }), "{bits:o}");
        assert!(error.hint().unwrap().contains(&format!("chmod 600 {}", place.identity().display())));
    }
}

#[tokio::test]
async fn damaged_identity_is_refused_and_kept() {
    let place = Place::new();
    place.store(&[]).put(&name("nats/admin"), &value(VALUE)).await.unwrap();
    let identity = std::fs::read_to_string(place.identity()).unwrap();
    let key = identity.lines().nth(1).unwrap();
    for damaged in [String::new(), format!("harmony-identity/v2\n{key}\n"), identity[..40].to_owned()] {
        std::fs::write(place.identity(), &damaged).unwrap();
        let error = key_refusal(&place.store(&[])).await;
        assert!(matches!(error, KeyError::IdentityMalformed { .. }));
        assert_hidden(&everything_said(&error), &[key]);
        std::fs::rename(place.file(), place.path().join("aside")).unwrap();
        place.store(&[]).put(&name("new"), &value("new")).await.unwrap_err();
        std::fs::rename(place.path().join("aside"), place.file()).unwrap();
        assert_eq!(std::fs::read_to_string(place.identity()).unwrap(), damaged);
    }
}

#[tokio::test]
async fn passphrase_opens_what_it_closed() {
    let place = Place::new();
    place.store(&[PHRASE]).put(&name("nats/admin"), &value(VALUE)).await.unwrap();
    assert!(!place.identity().exists());
    assert_hidden(&place.text(), &[PHRASE.1, VALUE]);
    assert_eq!(place.store(&[PHRASE]).find(&name("nats/admin")).await.unwrap(), Some(value(VALUE)));

    let error = refusal(&place.store(&[("HARMONY_SECRET_PASSPHRASE", "another passphrase")])).await;
    assert!(matches!(error, EncryptedFileError::WrongKey { .. }));
    assert_hidden(&everything_said(&error), &["another passphrase"]);
    assert!(error.hint().unwrap().contains("HARMONY_SECRET_PASSPHRASE"));
}

#[tokio::test]
async fn passphrase_is_derived_once_for_many_reads_and_writes() {
    let place = Place::new();
    place.store(&[PHRASE]).put(&name("nats/admin"), &value(VALUE)).await.unwrap();
    let store = place.store(&[PHRASE]);
    let started = Instant::now();
    store.find(&name("nats/admin")).await.unwrap();
    let first = started.elapsed();
    let started = Instant::now();
    for number in 0..50 {
        store.put(&name(&format!("nats/user-{number}")), &value(VALUE)).await.unwrap();
        store.find(&name("nats/admin")).await.unwrap();
    }
    assert!(started.elapsed() < 20 * first.max(Duration::from_millis(20)), "{:?}, the first took {first:?}", started.elapsed());
}

#[tokio::test]
async fn sources_are_tried_in_their_order() {
    let place = Place::new();
    place.store(&[("HARMONY_SECRET_KEY", KEY), PHRASE]).put(&name("nats/admin"), &value(VALUE)).await.unwrap();
    assert_eq!(place.keyed().find(&name("nats/admin")).await.unwrap(), Some(value(VALUE)));

    // A key of another file does not keep the right one from being found.
    let identity = Place::new();
    identity.store(&[]).put(&name("nats/admin"), &value(VALUE)).await.unwrap();
    let both = identity.store(&[("HARMONY_SECRET_KEY", OTHER_KEY)]);
    assert_eq!(both.find(&name("nats/admin")).await.unwrap(), Some(value(VALUE)));
}

#[tokio::test]
async fn malformed_key_variable_is_not_passed_over() {
    let place = Place::new();
    place.store(&[]).put(&name("nats/admin"), &value(VALUE)).await.unwrap();
    for malformed in ["AAECAw==", "not base64, but as secret as a key", &KEY[1..]] {
        let error = key_refusal(&place.store(&[("HARMONY_SECRET_KEY", malformed)])).await;
        assert!(matches!(error, KeyError::KeyVariableMalformed));
        assert_hidden(&everything_said(&error), &[malformed]);
    }
}

#[tokio::test]
async fn variable_set_to_nothing_counts_as_not_set() {
    let place = Place::new();
    let store = place.store(&[("HARMONY_SECRET_KEY", ""), ("HARMONY_SECRET_PASSPHRASE", "")]);
    store.put(&name("nats/admin"), &value(VALUE)).await.unwrap();
    assert!(place.identity().exists());
}

#[test]
fn identity_is_in_the_configuration_directory() {
    let usual = |variables: &[(&str, &str)]| KeySource::usual(&environment(variables)).split_off(2);
    let identity = |path: &str| vec![KeySource::Identity(path.into())];
    assert_eq!(usual(&[("HOME", "/people/ana"), ("XDG_CONFIG_HOME", "/etc/ana")]), identity("/etc/ana/harmony/identity"));
    assert_eq!(usual(&[("HOME", "/people/ana"), ("XDG_CONFIG_HOME", "")]), identity("/people/ana/.config/harmony/identity"));
    assert_eq!(
        usual(&[("HOME", "/people/ana"), ("XDG_CONFIG_HOME", "relative")]),
        identity("/people/ana/.config/harmony/identity")
    );
    assert_eq!(usual(&[]), []);
}

#[tokio::test]
async fn new_file_without_any_source_of_keys_is_refused() {
    let place = Place::new();
    let store = EncryptedFile::new(place.file(), Io::real(), environment(&[]));
    let error = store.put(&name("nats/admin"), &value(VALUE)).await.unwrap_err();
    assert!(error.hint().unwrap().contains("set `HOME`"), "{error}");
    assert!(!place.file().exists());
}
