//! A run that fails at any point is healed by the next one.

use std::io::ErrorKind;
use std::sync::Arc;

use harmony_io::{Faults, Injected, Io, Point};
use harmony_test::{FakePlace, FakeSite, FileOnDisk};

use crate::programs::program;

/// Fails at one numbered point.
struct FailAt(u64);

impl Faults for FailAt {
    fn at(&self, point: Point<'_>) -> Injected {
        if point.number == self.0 { Injected::Fail(ErrorKind::StorageFull) } else { Injected::Nothing }
    }
}

fn files(site: &FakeSite, names: &'static [(&'static str, &'static str)]) -> harmony::Scores<FakePlace> {
    let directory = site.directory().to_owned();
    program(move |place, stage| {
        let mut gates = Vec::new();
        for (name, contents) in names {
            let file = FileOnDisk { path: directory.join(name), contents: (*contents).into() };
            gates = vec![stage.after(&gates, |stage| stage.add(place, name, &file))?.address().clone()];
        }
        Ok(())
    })
}

const BEFORE: &[(&str, &str)] = &[("changed", "1"), ("gone", "1")];
const AFTER: &[(&str, &str)] = &[("changed", "2"), ("new", "2")];

/// A site with `BEFORE` applied, on which `AFTER` is applied through `io`; how many points were passed.
async fn play_through(io: Io) -> (FakeSite, bool) {
    let site = FakeSite::new();
    site.apply(&files(&site, BEFORE)).await.unwrap();
    let site = site.reopened(io);
    let went_well = site.apply(&files(&site, AFTER)).await.is_ok_and(|outcome| outcome.failures.is_empty());
    (site, went_well)
}

fn contents(site: &FakeSite) -> Vec<(String, String)> {
    let name = |path: &std::path::Path| path.strip_prefix(site.directory()).unwrap().display().to_string();
    let files = site.files().into_iter().filter(|(path, _)| !path.starts_with(&site.site.state));
    files.map(|(path, (contents, _))| (name(&path), String::from_utf8(contents).unwrap())).collect()
}

#[tokio::test]
async fn a_run_that_fails_at_any_point_is_healed_by_the_next() {
    let io = Io::real();
    let (site, went_well) = play_through(io.clone()).await;
    assert!(went_well);
    let expected = contents(&site);
    assert_eq!(expected, [("changed".to_owned(), "2".to_owned()), ("new".to_owned(), "2".to_owned())]);
    assert!(io.points() > 40, "too few points to be a test: {}", io.points());
    for number in 1..=io.points() {
        let (site, went_well) = play_through(Io::with_faults(Arc::new(FailAt(number)))).await;
        let site = site.reopened(Io::real());
        let outcome = site.apply(&files(&site, AFTER)).await.unwrap_or_else(|error| panic!("point {number}: {error}"));
        assert!(outcome.failures.is_empty(), "point {number} (went well: {went_well}): {:?}", outcome.failures);
        assert_eq!(contents(&site), expected, "point {number}");
        let before = site.files();
        let outcome = site.apply(&files(&site, AFTER)).await.unwrap();
        assert_eq!((outcome.writes, site.files()), (0, before), "point {number}");
        assert!(!site.site.state.join("ledger.journal").exists(), "point {number}");
        assert!(site.destroy().await.unwrap().failures.is_empty(), "point {number}");
        assert!(contents(&site).is_empty(), "point {number} left an orphan: {:?}", contents(&site));
    }
}
