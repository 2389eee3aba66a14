//! Files that earlier versions wrote stay readable.

use harmony_io::Io;
use harmony_secret::{EncryptedFile, SecretStore};

use crate::fixtures::{KEY, environment, name, value};

fn golden(file: &str, variable: &'static str, secret: &'static str) -> EncryptedFile {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    EncryptedFile::new(path, Io::real(), environment(&[(variable, secret)]))
}

async fn reads_as_ever(store: EncryptedFile) {
    assert_eq!(store.names().await.unwrap(), [name("nats-east/admin"), name("token")]);
    let admin = value(r#"{"user":"admin","password":"hunter2"}"#);
    assert_eq!(store.find(&name("nats-east/admin")).await.unwrap(), Some(admin));
    assert_eq!(store.find(&name("token")).await.unwrap(), Some(value("golden")));
}

#[tokio::test]
async fn first_format_stays_readable() {
    reads_as_ever(golden("secrets-v1.json", "HARMONY_SECRET_KEY", KEY)).await;
    reads_as_ever(golden("secrets-v1-passphrase.json", "HARMONY_SECRET_PASSPHRASE", "a golden passphrase")).await;
}
