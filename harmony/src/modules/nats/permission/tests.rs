use harmony_types::{BucketName, UserName};

use super::{Right, api_calls, permissions};
use crate::modules::nats::score::KvAccess;
use crate::modules::nats::spec::{matches, overlap};

const ACCESSES: [KvAccess; 4] = [KvAccess::Read, KvAccess::ReadWrite, KvAccess::WriteOnly, KvAccess::Owner];

fn user() -> UserName {
    "agent".parse().unwrap()
}

fn bucket(name: &str) -> BucketName {
    name.parse().unwrap()
}

fn kv(access: KvAccess) -> Right {
    Right::Kv { bucket: bucket("HARMONY"), access, below: None }
}

#[test]
fn the_derived_subjects_allow_exactly_what_the_table_says() {
    for access in ACCESSES {
        let publish = permissions(&user(), &[kv(access)]).publish;
        for call in api_calls(&user(), &bucket("HARMONY"), &bucket("OTHER")) {
            let derived = publish.iter().any(|pattern| matches(pattern, &call.subject));
            assert_eq!(derived, call.allowed.contains(&access), "{access:?}: {} by {}", call.what, call.subject);
        }
    }
}

#[test]
fn a_user_hears_its_own_inboxes_and_nothing_else() {
    for access in ACCESSES {
        assert_eq!(permissions(&user(), &[kv(access)]).subscribe, ["_INBOX_agent.>"]);
    }
}

#[test]
fn a_reader_needs_these_subjects() {
    insta::assert_snapshot!(permissions(&user(), &[kv(KvAccess::Read)]).publish.join("\n"));
}

#[test]
fn a_consumer_acknowledges_in_both_forms() {
    let right = Right::StreamConsume { stream: "ORDERS".parse().unwrap(), durable: "billing".parse().unwrap() };
    insta::assert_snapshot!(permissions(&user(), &[right]).publish.join("\n"));
}

#[test]
fn no_derived_subject_reaches_a_stream_beside_the_granted_one() {
    let rights = ACCESSES.map(kv).to_vec();
    let publish = permissions(&user(), &rights).publish;
    for call in api_calls(&user(), &bucket("OTHER"), &bucket("THIRD")) {
        let is_about_a_bucket = call.subject.contains("OTHER") || call.subject.contains("THIRD");
        let hit = publish.iter().find(|pattern| overlap(pattern, &call.subject));
        assert!(!is_about_a_bucket || hit.is_none(), "{} by {hit:?}", call.subject);
    }
}

#[test]
fn wildcards_cover_and_overlap_as_in_nats() {
    for (pattern, subject, covered) in [
        ("a.b", "a.b", true),
        ("a.*", "a.b", true),
        ("a.>", "a.b.c", true),
        ("a.>", "a", false),
        ("a.*", "a.b.c", false),
        ("a.*", "a.>", false),
        ("a.b", "a.*", false),
        ("*.b", "a.b", true),
    ] {
        assert_eq!(matches(pattern, subject), covered, "{pattern} {subject}");
    }
    for (one, other, overlapping) in [
        ("a.>", "a.b", true),
        ("*.b", "a.*", true),
        ("a.b", "a.c", false),
        ("a", "a.>", false),
        (">", "a.b.c", true),
        ("a.*.c", "a.b.*", true),
    ] {
        assert_eq!(overlap(one, other), overlapping, "{one} {other}");
        assert_eq!(overlap(other, one), overlapping, "{other} {one}");
    }
}
