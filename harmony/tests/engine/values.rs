//! Values known later: their form, their functions, and what filling them in keeps.

use std::collections::BTreeSet;

use harmony::engine::difference::differences;
use harmony::resource::Shown;
use harmony::text;
use harmony::value::{Later, Reference, Syntax, Text, Value, plain, references, resolve, sensitive_paths};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn output(name: &str, sensitive: bool) -> Text {
    Value::Later(Later::Output(Reference { of: "p/a".parse().unwrap(), output: name.to_owned(), sensitive }))
}

fn filled(text: &Text, value: &str) -> Json {
    resolve(&serde_json::to_value(text).unwrap(), &|_| Some(json!(value))).json.into_owned()
}

#[test]
fn a_known_value_is_bare_and_a_later_one_is_marked() {
    assert_eq!(serde_json::to_value(Text::from("x")).unwrap(), json!("x"));
    let json = serde_json::to_value(output("port", false)).unwrap();
    assert_eq!(json, json!({"$later": "p/a#port"}));
    for value in [Text::from("x"), output("port", true), text!["a", output("b", false).base64(), "c"], output("x", true).digest()]
    {
        assert_eq!(serde_json::from_value::<Text>(serde_json::to_value(&value).unwrap()).unwrap(), value);
    }
}

#[test]
fn neighbouring_literals_are_one_and_a_text_in_a_text_is_flat() {
    assert_eq!(text!["a", "b", String::new(), "c"], Text::from("abc"));
    let inner = text!["x", output("o", false), "y"];
    let Value::Later(Later::Text(parts)) = text!["a", &inner, "b"] else { panic!() };
    assert_eq!(parts.len(), 3);
    assert_eq!(filled(&text!["a", inner, "b"], "-"), "ax-yb");
    assert_eq!(text![output("o", false).base64()], output("o", false).base64());
    let text = serde_json::to_value(text![output("port", false)]).unwrap();
    let number = resolve(&text, &|_| Some(json!(4222)));
    assert_eq!(*number.json, "4222", "a number in a text is a text");
    assert_eq!(text![Value::Known(4222_u16)], Text::from("4222"));
}

#[test]
fn functions_of_a_later_value_are_those_of_a_known_one() {
    for syntax in [Syntax::NatsConf, Syntax::GoJson, Syntax::UrlUserInfo, Syntax::Shell] {
        assert_eq!(filled(&output("o", false).quoted(syntax), "a\"b"), syntax.quote("a\"b"));
    }
    let Value::Known(known) = Text::from("x").base64() else { panic!() };
    assert_eq!((filled(&output("o", false).base64(), "x"), known.as_str()), (json!(known), "eA=="));
    let Value::Known(known) = Text::from("x").digest() else { panic!() };
    assert_eq!(filled(&output("o", true).digest(), "x"), json!(known));
}

#[test]
fn a_secret_makes_everything_it_is_in_secret_except_a_digest() {
    let json = serde_json::to_value(json!({
        "a": text!["p = ", output("s", true).quoted(Syntax::NatsConf)],
        "b": [output("s", true).base64(), output("o", false)],
        "c": output("s", true).digest(),
    }));
    let json = json.unwrap();
    assert_eq!(sensitive_paths(&json), ["/a", "/b/0"]);
    let resolved = resolve(&json, &|_| Some(json!("v")));
    assert_eq!(resolved.json["a"], json!({"$secret": "p = \"v\""}));
    assert_eq!(plain(&resolved.json)["b"], json!(["dg==", "v"]));
}

#[test]
fn everything_that_is_missing_is_named() {
    let json = serde_json::to_value(text![output("one", false), output("two", false)]).unwrap();
    let resolved = resolve(&json, &|reference| (reference.output == "one").then(|| json!("1")));
    assert_eq!(resolved.unknown.iter().map(|reference| reference.output.as_str()).collect::<Vec<_>>(), ["two"]);
    assert_eq!(*resolved.json, json, "what is not known stays as it is");
}

#[test]
fn no_debug_text_shows_a_secret() {
    let secret: Text = serde_json::from_value(json!({"$secret": "hush"})).unwrap();
    assert_eq!(format!("{secret:?}"), "(sensitive)");
    let error = serde_json::from_value::<Value<u16>>(json!({"$secret": "hush"})).unwrap_err();
    assert!(!error.to_string().contains("hush"), "{error}");
}

#[test]
fn an_object_that_only_looks_like_a_later_value_is_left_alone() {
    for json in [json!({"$later": "tomorrow"}), json!({"$later": {"output": 1}}), json!({"$later": {}, "more": 1})] {
        assert_eq!(resolve(&json, &|_| Some(json!("v"))).json.as_ref(), &json);
        assert!(references(&json).is_empty());
    }
}

/// Reads a double-quoted string as the server's lexer does.
fn read_nats_conf(quoted: &str) -> Option<String> {
    let mut characters = quoted.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut text = String::new();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => text.push(match characters.next()? {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                '"' => '"',
                '\\' => '\\',
                _ => return None,
            }),
            other => text.push(other),
        }
    }
    Some(text)
}

fn read_url(encoded: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            bytes.push(byte);
        } else {
            return None;
        }
    }
    String::from_utf8(bytes).ok()
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![any::<i32>().prop_map(Json::from), "[a-z]{0,3}".prop_map(Json::from), Just(json!(true))];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[a-c~/]{1,2}", inner, 0..4).prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

#[test]
fn a_shell_reads_a_quoted_word_back_as_it_was() {
    for text in ["/a/b-1.nk", "", "with space", "it's", "$(false) `x` \"y\" \\", "a;b&c|d*?~#!", "two\nlines"] {
        let script = format!("printf %s {}", Syntax::Shell.quote(text));
        let read = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(read.stdout).unwrap(), text);
    }
    assert_eq!(Syntax::Shell.quote("/a/b-1.nk"), "/a/b-1.nk", "a plain word stays as it is");
}

proptest! {
    #[test]
    fn a_quoted_text_is_read_back_as_it_was(text in any::<String>()) {
        prop_assert_eq!(read_nats_conf(&Syntax::NatsConf.quote(&text)), Some(text.clone()));
        prop_assert_eq!(serde_json::from_str::<String>(&Syntax::GoJson.quote(&text)).ok(), Some(text.clone()));
        prop_assert_eq!(read_url(&Syntax::UrlUserInfo.quote(&text)), Some(text));
    }

    #[test]
    fn nothing_differs_from_itself(json in any_json()) {
        prop_assert!(differences(&json, Some(&json), &BTreeSet::new()).is_empty());
    }

    #[test]
    fn every_difference_is_real_and_none_is_missed(desired in any_json(), live in any_json()) {
        let changes = differences(&desired, Some(&live), &BTreeSet::new());
        prop_assert_eq!(changes.is_empty(), desired == live);
        for change in changes {
            let at = |json: &Json| json.pointer(&change.path).cloned();
            let shown = |shown: &Shown| if let Shown::Value(value) = shown { Some(value.clone()) } else { None };
            prop_assert_eq!(shown(&change.desired), at(&desired));
            prop_assert_eq!(shown(&change.live), at(&live));
        }
    }

    #[test]
    fn what_is_resolved_holds_no_reference_and_no_difference_to_its_plain_form(json in any_json(), value in any::<String>()) {
        let spec = json!({"free": json, "text": text!["a", output("o", true), "b"], "list": [output("p", false)]});
        let resolved = resolve(&spec, &|_| Some(json!(value)));
        prop_assert!(resolved.unknown.is_empty() && references(&resolved.json).is_empty());
        prop_assert!(differences(&resolved.json, Some(&plain(&resolved.json)), &BTreeSet::new()).is_empty());
    }

    #[test]
    fn a_hidden_field_never_shows(secret in "[A-Z]{12}", live in any_json()) {
        let hidden = BTreeSet::from(["/s".to_owned()]);
        for (desired, live) in [
            (json!({"s": "x"}), json!({"s": {"deep": [secret.clone()]}, "o": live.clone()})),
            (json!({"s": {"deep": "x"}}), json!({"s": secret.clone()})),
            (json!({"s": "x"}), json!([{"s": secret.clone()}])),
            (json!({"s": {"$secret": secret.clone()}, "o": live}), json!({})),
        ] {
            let shown = format!("{:?}", differences(&desired, Some(&live), &hidden));
            prop_assert!(!shown.contains(&secret), "it shows");
        }
    }
}
