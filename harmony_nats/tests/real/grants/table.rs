use std::time::Duration;

use futures::StreamExt;
use harmony::modules::nats::permission::{ApiCall, api_calls};
use serde_json::{Value as Json, json};

use super::{Connected, PROFILES, on_bucket, with_rights};
use crate::fixture::{System, name};

/// The verbs of calls whose effect shows in the state of the buckets.
const CHANGING: [&str; 6] = ["create", "change", "delete", "put", "watch", "end a watch"];
/// How long the server takes at most to do what it may.
const PATIENCE: Duration = Duration::from_secs(5);

/// Calls the API as the user who may do everything.
async fn ask(root: &Connected, verb: &str, body: &Json) -> Json {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = root.client.request(format!("$JS.API.{verb}"), body.into()).await.unwrap();
    serde_json::from_slice(&answer.payload).unwrap()
}

/// Makes what `call` needs so that it has an effect: both buckets, with a value and a watch each; for a call that makes a bucket or a
/// watch, all but that.
async fn prepare(root: &Connected, call: &ApiCall) {
    for bucket in ["B", "OTHER"] {
        let stream = format!("KV_{bucket}");
        ask(root, &format!("STREAM.DELETE.{stream}"), &Json::Null).await;
        if call.what == format!("create bucket {bucket}") {
            continue;
        }
        let config = json!({
            "name": stream, "subjects": [format!("$KV.{bucket}.>")], "max_msgs_per_subject": 2, "storage": "file", "num_replicas": 1,
            "retention": "limits", "discard": "new", "allow_rollup_hdrs": true, "deny_delete": true, "allow_direct": true
        });
        assert!(ask(root, &format!("STREAM.CREATE.{stream}"), &config).await["error"].is_null());
        root.client.request(format!("$KV.{bucket}.harmony-probe"), "value".into()).await.unwrap();
        if !call.what.starts_with("watch") {
            let consumer = json!({ "stream_name": stream, "config": { "name": "probe", "ack_policy": "none" } });
            assert!(ask(root, &format!("CONSUMER.CREATE.{stream}.probe"), &consumer).await["error"].is_null());
        }
    }
}

/// All that a call can change.
async fn state(root: &Connected) -> Vec<Json> {
    let mut state = Vec::new();
    for bucket in ["B", "OTHER"] {
        let mut info = ask(root, &format!("STREAM.INFO.KV_{bucket}"), &Json::Null).await;
        info.as_object_mut().unwrap().remove("ts");
        state.push(info);
        let names = ask(root, &format!("CONSUMER.NAMES.KV_{bucket}"), &Json::Null).await;
        state.push(names["consumers"].clone());
    }
    state
}

/// Sends the call as it is meant, and returns what the server says against it, and the answer.
async fn perform(connected: &mut Connected, call: &ApiCall) -> (Vec<String>, Option<async_nats::Message>) {
    let inbox = connected.client.new_inbox();
    let mut replies = connected.client.subscribe(inbox.clone()).await.unwrap();
    connected.client.publish_with_reply(call.subject.clone(), inbox, call.real_body.clone().into()).await.unwrap();
    let complaints = connected.complaints().await;
    if !complaints.is_empty() || call.subject.starts_with("$JS.FC.") {
        return (complaints, None);
    }
    (complaints, tokio::time::timeout(PATIENCE, replies.next()).await.ok().flatten())
}

fn assert_done(user: &str, call: &ApiCall, answer: Option<&async_nats::Message>) {
    let Some(answer) = answer else {
        assert!(call.subject.starts_with("$JS.FC."), "{user}: {} is not answered", call.what);
        return;
    };
    let said = String::from_utf8_lossy(&answer.payload);
    let status = answer.status.is_none_or(|status| status == async_nats::StatusCode::OK);
    assert!(status && !said.contains("\"error\""), "{user}: {}: {:?} {said}", call.what, answer.status);
}

#[tokio::test]
async fn what_is_granted_is_done_and_everything_else_is_refused() {
    let test = "what_is_granted_is_done_and_everything_else_is_refused";
    let users = PROFILES.map(|(user, access)| with_rights(user, &[on_bucket(access)]));
    let Some(system) = System::solo(test, users.into()) else { return };
    let root = Connected::new(&system, "app").await;
    let (mut done, mut refused, mut effects) = (0, 0, 0);
    for (user, access) in PROFILES {
        let mut connected = Connected::new(&system, user).await;
        for call in api_calls(&name(user), &name("B"), &name("OTHER")) {
            prepare(&root, &call).await;
            let before = state(&root).await;
            let (complaints, answer) = perform(&mut connected, &call).await;
            let has_effect = state(&root).await != before;
            if call.allowed.contains(&access) {
                assert_eq!(complaints, [""; 0], "{user}: {} by {}", call.what, call.subject);
                assert_done(user, &call, answer.as_ref());
                let changes = CHANGING.iter().any(|verb| call.what.starts_with(verb));
                assert_eq!(has_effect, changes, "{user}: {}", call.what);
                done += 1;
                effects += usize::from(has_effect);
            } else {
                let violation = format!("Permissions Violation for Publish to \"{}\"", call.subject);
                assert!(
                    complaints.iter().any(|words| words.eq_ignore_ascii_case(&violation)),
                    "{user}: {}: {complaints:?}",
                    call.what
                );
                assert!(!has_effect, "{user}: {}", call.what);
                refused += 1;
            }
        }
    }
    let calls = api_calls(&name("reader"), &name("B"), &name("OTHER")).len();
    println!("{calls} calls as {} users: {done} done ({effects} with an effect), {refused} refused", PROFILES.len());
    assert_eq!(done + refused, calls * PROFILES.len());
}
