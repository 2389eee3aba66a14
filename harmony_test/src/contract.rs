//! What every store of a lease keeps, whatever it is.

use std::sync::Arc;
use std::time::Duration;

use harmony::lease::{LeaseRecord, LeaseStore, Stored, Version, WallTime};
use harmony::provider::ProviderError;

fn record(holder: Option<&str>, number: u64) -> LeaseRecord {
    let (taken, renewed) = (WallTime(1_795_463_655), WallTime(1_795_463_660));
    LeaseRecord { holder: holder.map(str::to_owned), duration: Duration::from_secs(30), number, taken, renewed }
}

/// Ends the test if `store`, in which nothing was ever written, does not do what [`LeaseStore`] says.
pub async fn assert_keeps_the_contract_of_leases(store: Arc<dyn LeaseStore>) {
    assert!(!store.name().is_empty());
    assert_eq!(store.find().await.unwrap(), None);
    let first = says_what_was_written(store.as_ref()).await;
    let last = lets_nobody_write_over_another_state(store.as_ref(), first).await;
    lets_one_of_many_win(store, last).await;
}

async fn says_what_was_written(store: &dyn LeaseStore) -> Version {
    let first = store.swap(None, &record(Some("a run"), 1)).await.unwrap();
    assert_eq!(store.find().await.unwrap(), Some(Stored { version: first.clone(), record: record(Some("a run"), 1) }));
    // A renewal within one second says the same, and is a sign of life all the same.
    let renewed = store.swap(Some(&first), &record(Some("a run"), 1)).await.unwrap();
    assert_ne!(renewed, first);
    // What was given back keeps its number.
    let given_back = store.swap(Some(&renewed), &record(None, 1)).await.unwrap();
    assert_eq!(store.find().await.unwrap(), Some(Stored { version: given_back.clone(), record: record(None, 1) }));
    // Who watches never waits too short a time, however finely the store can say it.
    let fine = LeaseRecord { duration: Duration::from_millis(2500), ..record(Some("a run"), 2) };
    let version = store.swap(Some(&given_back), &fine).await.unwrap();
    let found = store.find().await.unwrap().unwrap().record.duration;
    assert!(found >= fine.duration && found <= Duration::from_secs(3), "{found:?}");
    version
}

async fn lets_nobody_write_over_another_state(store: &dyn LeaseStore, old: Version) -> Version {
    let new = store.swap(Some(&old), &record(Some("a newer run"), 3)).await.unwrap();
    for expected in [None, Some(&old)] {
        let error = store.swap(expected, &record(Some("an older run"), 99)).await.unwrap_err();
        assert!(matches!(error, ProviderError::Conflict(_)), "{error:?}");
    }
    assert_eq!(store.find().await.unwrap(), Some(Stored { version: new.clone(), record: record(Some("a newer run"), 3) }));
    new
}

async fn lets_one_of_many_win(store: Arc<dyn LeaseStore>, last: Version) {
    let tries: Vec<_> = (0..8)
        .map(|number| {
            let (store, last) = (Arc::clone(&store), last.clone());
            tokio::spawn(async move { store.swap(Some(&last), &record(Some(&format!("run {number}")), 100 + number)).await })
        })
        .collect();
    let mut won = Vec::new();
    for tried in tries {
        match tried.await.unwrap() {
            Ok(version) => won.push(version),
            Err(error) => assert!(matches!(error, ProviderError::Conflict(_)), "{error:?}"),
        }
    }
    assert_eq!(won.len(), 1);
    assert_eq!(store.find().await.unwrap().unwrap().version, won[0]);
}
