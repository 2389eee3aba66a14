//! A later edition of the same program, which also has a bucket on one site only. It is run in this process, with the same state.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::collections::BTreeMap;

use harmony::Inventory;
use harmony::modules::nats::assets::Replicas;
use harmony::modules::nats::score::{KvBucketScore, Replication};
use harmony_cli::{Invocation, Streams, Variables, interrupts, run_with};
use harmony_io::Io;
use harmony_local::LocalTopology;
use harmony_test::{Captured, Finished, SiteProgram};

/// The address of the bucket that lives in the east only.
pub(crate) const LOCAL_BUCKET: &str = "laptop/nats/bucket/HARMONY/EAST";

/// Runs it to its end, which has to be this exit code.
pub(crate) async fn run_with_local_bucket(program: &SiteProgram, arguments: &[&str], code: i32) -> Finished {
    let local = KvBucketScore::on("nats", "HARMONY", "EAST").with_replication(Replication::Local(Replicas::ONE)).at_site("east");
    let scores = nats_supercluster_local::scores().with(local);
    let (output, messages) = (Captured::default(), Captured::default());
    let (_interrupter, interrupts) = interrupts();
    let invocation = Invocation {
        program: "nats_supercluster_local".to_owned(),
        arguments: arguments.iter().map(Into::into).collect(),
        variables: Variables::Given(variables(program)),
        streams: Streams::without_terminal(output.clone(), messages.clone()),
        width: None,
        interrupts,
        io: Io::real(),
    };
    let place = LocalTopology::new("laptop").with_nats(harmony_nats::client());
    let exit = run_with(invocation, Inventory::empty(), place, scores).await;
    let finished = Finished { code: exit.code().into(), stdout: output.text(), stderr: messages.text() };
    assert_eq!(finished.code, code, "{arguments:?}\n{}", finished.output());
    finished
}

/// Those of the other edition.
fn variables(program: &SiteProgram) -> BTreeMap<String, String> {
    let state = program.state();
    let directory = state.parent().unwrap_or(&state).display().to_string();
    let variables = [("HARMONY_STATE_DIR", directory), ("XDG_CONFIG_HOME", program.config().display().to_string())];
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
