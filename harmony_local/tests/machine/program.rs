//! A nats-server program that will not do is refused before anything is arranged.

use harmony::provider::ProviderError;
use harmony::topology::Survey;

use crate::fixture::Machine;

async fn refused(machine: &Machine, script: &str) -> (String, String) {
    let topology = machine.topology().with_nats_server(machine.script(script));
    match topology.survey(&machine.site).await {
        Err(ProviderError::Refused(failure)) => (failure.to_string(), failure.hint.unwrap()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_version_that_is_too_old_is_named_beside_the_one_that_is_needed() {
    let Some(machine) = Machine::new("program::too_old").await else { return };
    let (error, hint) = refused(&machine, "#!/bin/sh\necho 'nats-server: v2.9.0'").await;
    assert!(error.contains("is nats-server 2.9.0, and at least 2.12.3 is needed"), "{error}");
    assert!(hint.contains("HARMONY_NATS_SERVER"), "{hint}");
    assert!(!machine.site.state.exists(), "nothing was made");
}

#[tokio::test]
async fn a_program_that_is_no_nats_server_is_refused_with_what_it_said() {
    let Some(machine) = Machine::new("program::other").await else { return };
    let (error, _) = refused(&machine, "#!/bin/sh\necho 'nats-server: v2.x'").await;
    assert!(error.contains("is not a nats-server: asked for its version it said `nats-server: v2.x`"), "{error}");
    let (error, _) = refused(&machine, "#!/bin/sh\necho 'wrong usage' >&2; exit 2").await;
    assert!(error.contains("it said `wrong usage`"), "{error}");
}
