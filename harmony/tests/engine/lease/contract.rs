//! The stores of this crate keep what every store of a lease does.

use std::sync::Arc;

use harmony::lease::{FileLeaseStore, MemoryLeaseStore};
use harmony_io::Io;
use harmony_test::assert_keeps_the_contract_of_leases;
use tempfile::TempDir;

#[tokio::test]
async fn a_lease_in_memory_keeps_the_contract() {
    assert_keeps_the_contract_of_leases(Arc::new(MemoryLeaseStore::default())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lease_in_a_directory_keeps_the_contract() {
    let directory = TempDir::new().unwrap();
    assert_keeps_the_contract_of_leases(Arc::new(FileLeaseStore::new(Io::real(), directory.path().join("lease")))).await;
}
