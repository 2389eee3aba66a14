//! Runs that end at each point of the Ledger's requests.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use harmony::lease::MemoryLeaseStore;
use harmony_io::{Faults, Injected, Io, Moment, Operation, Point};
use harmony_test::World;
use harmony_testbed::{ControlPlane, available};

use crate::fixture::{Machine, asked, kept, long_names, things, with_namespace};

/// Ends the run at one of the points of the Ledger's writes, or at none.
#[derive(Default)]
struct Killing {
    at: u64,
    passed: AtomicU64,
    is_dead: AtomicBool,
}

impl Faults for Killing {
    fn at(&self, point: Point<'_>) -> Injected {
        if self.is_dead.load(Ordering::SeqCst) {
            return Injected::Fail(std::io::ErrorKind::BrokenPipe);
        }
        let writes = ["POST", "PUT", "PATCH", "DELETE"].iter().any(|method| point.target.starts_with(method));
        if point.operation == Operation::Request && writes && point.target.contains("/configmaps") {
            let passed = self.passed.fetch_add(1, Ordering::SeqCst) + 1;
            if passed == self.at {
                self.is_dead.store(true, Ordering::SeqCst);
                let when = if point.moment == Moment::Before { "before" } else { "after" };
                panic!("killed {when} {}", point.target);
            }
        }
        Injected::Nothing
    }
}

/// What a life does, by how many things it wants.
#[derive(Debug, Clone, Copy)]
enum Life {
    Apply(usize),
    Destroy,
}

struct Lives {
    plane: ControlPlane,
    lease: MemoryLeaseStore,
    names: Vec<String>,
}

impl Lives {
    /// A life that ends at a point of the Ledger's writes, after which the next one puts everything right; how many points it passed.
    async fn end_at(&self, at: u64, before: usize, life: Life) -> u64 {
        let world = World::default();
        let machine = |killing: Killing| {
            let killing = Arc::new(killing);
            let io = Io::with_faults(killing.clone());
            (Machine::through(io, "one", &self.plane.kubeconfig(), &world).with_lease_in_memory(&self.lease), killing)
        };
        machine(Killing::default()).0.applied(&things(&self.names[..before])).await;
        let (killed, killing) = machine(Killing { at, ..Killing::default() });
        let wanted = match life {
            Life::Apply(count) => self.names[..count].to_vec(),
            Life::Destroy => Vec::new(),
        };
        let scores = things(&wanted);
        let run = async move {
            match life {
                Life::Apply(_) => killed.apply(&scores).await.map(drop),
                Life::Destroy => killed.destroy().await.map(drop),
            }
        };
        // The lease that a killed run would leave behind is given back here: only the Ledger is tried.
        assert_eq!(tokio::spawn(run).await.is_err(), at > 0, "{life:?} at {at}");
        self.put_right(&machine(Killing::default()).0, &world, &wanted, at).await;
        killing.passed.load(Ordering::SeqCst)
    }

    async fn put_right(&self, next: &Machine, world: &World, wanted: &[String], at: u64) {
        let scores = things(wanted);
        let identities = || world.identities().into_iter().collect::<BTreeSet<_>>();
        if wanted.is_empty() {
            next.destroyed().await;
        } else {
            next.applied(&scores).await;
            assert_eq!(identities(), wanted.iter().cloned().collect(), "at {at}");
            let mark = self.plane.audit().mark().unwrap();
            assert_eq!(next.applied(&scores).await, 0, "at {at}");
            let third = asked(&self.plane, mark).mutating();
            assert!(third.is_empty(), "at {at}: {:?}", third.tally());
            next.destroyed().await;
        }
        assert_eq!((identities(), kept(&self.plane)), (BTreeSet::new(), Vec::new()), "at {at}");
    }

    async fn end_at_every_point(&self, before: usize, life: Life) -> u64 {
        let points = self.end_at(0, before, life).await;
        for at in 1..=points {
            self.end_at(at, before, life).await;
        }
        points
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_at_any_write_of_the_ledger_leaves_the_old_or_the_new_one() {
    let name = "a_run_that_is_killed_at_any_write_of_the_ledger_leaves_the_old_or_the_new_one";
    let Some(plane) = available(name, ControlPlane::start().map(with_namespace)) else { return };
    let lives = Lives { plane, lease: MemoryLeaseStore::default(), names: long_names(12) };
    // From one object to one, from one to several, from several to several others, and from several to none.
    let small = lives.end_at_every_point(2, Life::Apply(3)).await;
    let grown = lives.end_at_every_point(2, Life::Apply(12)).await;
    let changed = lives.end_at_every_point(12, Life::Apply(11)).await;
    let gone = lives.end_at_every_point(12, Life::Destroy).await;
    assert!(small >= 4 && grown >= 6 && changed >= 8 && gone >= 6, "{small} {grown} {changed} {gone}");
}
