//! JetStream is not taken away from under what it holds.

use async_nats::jetstream;
use harmony::engine::plan::Allowances;
use harmony::modules::nats::score::{AccountWish, CredentialsScore, JetstreamScore, NatsScore};
use harmony::{EngineError, Scores};

use crate::fixture::{Machine, Place, account, changes, one};

fn without_jetstream(account: AccountWish) -> Scores<Place> {
    Scores::default().with(NatsScore::new("nats")).with(CredentialsScore::on("nats").with_account(account))
}

#[tokio::test(flavor = "multi_thread")]
async fn jetstream_off_is_refused_while_streams_hold_something_and_named() {
    let Some((machine, server)) = Machine::with_one_server("jetstream::off").await else { return };
    let provisioner = async_nats::ConnectOptions::with_nkey(server.seed("app/user/harmony-provisioner").await)
        .custom_inbox_prefix("_INBOX_harmony-provisioner")
        .require_tls(true)
        .add_root_certificates(server.file("trust.pem"));
    let client = provisioner.connect(format!("tls://127.0.0.1:{}", server.port())).await.unwrap();
    let context = jetstream::new(client);
    let wish = jetstream::stream::Config { name: "BY_HAND".into(), subjects: vec!["app.hand".into()], ..Default::default() };
    context.create_stream(wish).await.unwrap();
    let app = async_nats::ConnectOptions::with_nkey(server.seed("app/user/app").await)
        .custom_inbox_prefix("_INBOX_app")
        .require_tls(true)
        .add_root_certificates(server.file("trust.pem"));
    let app = app.connect(format!("tls://127.0.0.1:{}", server.port())).await.unwrap();
    app.publish("app.hand", "kept".into()).await.unwrap();
    app.flush().await.unwrap();
    let mut stream = context.get_stream("BY_HAND").await.unwrap();
    while stream.info().await.unwrap().state.messages == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }

    let process = server.process();
    let refused = machine.attempt(machine.topology(), &without_jetstream(account())).await;
    let Err(EngineError::Refused { steps }) = refused else { panic!("{refused:#?}") };
    let losses: Vec<String> = steps.iter().filter_map(|step| Some(step.loss.as_ref()?.what.clone())).collect();
    assert!(losses.iter().any(|loss| loss.contains("stream BY_HAND of account APP (1 messages)")), "{losses:?}");
    assert_eq!((server.process(), stream.info().await.unwrap().state.messages), (process, 1), "nothing was touched");
    assert!(!machine.plan(machine.topology(), &one(JetstreamScore::on("nats"), account())).await.is_pending());

    // Whoever says so loses it, and is told nothing else.
    let losses = steps.iter().map(|step| step.address.to_string()).collect();
    let place = machine.place(machine.topology()).await;
    let maestro = machine.maestro().with_allowances(Allowances { losses, ..Allowances::default() });
    let scores = without_jetstream(account());
    let outcome = maestro.prepare(&harmony::Inventory::empty(), &place, &scores).await.unwrap().apply().await.unwrap();
    assert!(outcome.is_complete(), "{outcome:#?}");
    assert!(server.state().await.jetstream.is_none());
    assert_eq!(changes(&machine.plan(machine.topology(), &scores).await), Vec::<String>::new());
}
