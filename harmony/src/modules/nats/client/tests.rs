use super::*;

/// A server with such copies of streams: how many there are of each, and the last message of its own.
fn server(streams: &[(&str, usize, u64)]) -> ServerState {
    let copy = |(stream, copies, last_sequence): &(&str, usize, u64)| StreamCopy {
        account: "APP".parse().unwrap(),
        stream: stream.parse().unwrap(),
        messages: *last_sequence,
        last_sequence: *last_sequence,
        copies: *copies,
        settled: true,
    };
    let streams = streams.iter().map(copy).collect();
    ServerState {
        server: "nats-1".parse().unwrap(),
        id: "NA".to_owned(),
        version: "2.15.1".to_owned(),
        cluster: Some("nats".parse().unwrap()),
        started: String::new(),
        configured: String::new(),
        config_digest: String::new(),
        unhealthy: None,
        jetstream: Some(JetstreamState { meta_leader: Some("nats-2".parse().unwrap()), meta_size: 3, streams }),
    }
}

#[test]
fn a_server_that_lacks_what_it_had_is_not_settled_however_well_it_says_it_is() {
    let before = server(&[("orders", 3, 10), ("events", 3, 7)]);
    let same = "stream events of account APP does not reach message 7 again yet";
    for (now, why) in [
        (server(&[]), Some("stream orders of account APP does not reach message 10 again yet")),
        (server(&[("orders", 3, 10)]), Some(same)),
        (server(&[("orders", 3, 12), ("events", 3, 6)]), Some(same)),
        (server(&[("orders", 3, 10), ("events", 3, 7)]), None),
    ] {
        assert_eq!(now.unsettled(), None, "it says nothing of it itself");
        assert_eq!(now.unsettled_since(&before).as_deref(), why);
    }
}

#[test]
fn what_nobody_else_has_and_what_it_is_not_to_have_is_not_waited_for() {
    assert_eq!(server(&[]).unsettled_since(&server(&[("orders", 1, 10)])), None);
    let off = ServerState { jetstream: None, ..server(&[]) };
    assert_eq!(off.unsettled_since(&server(&[("orders", 3, 10)])), None);
}

#[test]
fn what_a_server_says_of_itself_comes_first() {
    let ill = ServerState { unhealthy: Some("it recovers".to_owned()), ..server(&[]) };
    assert_eq!(ill.unsettled_since(&server(&[("orders", 3, 10)])).as_deref(), Some("it recovers"));
}
