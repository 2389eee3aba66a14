//! Asking for a secret.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use harmony_secret::{
    AnswerKind, EnvironmentStore, MemoryStore, Need, NoTerminal, Prompt, PromptError, Question, Secret, SecretError,
    SecretManager, SecretStore, SecretValue, WayToProvide,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fixtures::{VALUE, assert_hidden, environment, everything_said, name, value};

#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(rename_all = "lowercase")]
enum Mechanism {
    Plain,
    Token,
}

/// Documented variants have another schema.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
#[serde(rename_all = "lowercase")]
enum Level {
    /// Reads.
    Reader,
    /// Writes.
    Writer,
}

#[derive(Secret, Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
struct Account {
    /// Who logs in.
    user: String,
    password: String,
    port: u16,
    ratio: Option<f64>,
    encrypted: bool,
    mechanism: Mechanism,
    level: Option<Level>,
    comment: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
}

/// Answers as it was told, and remembers the questions.
#[derive(Default)]
struct Script {
    answers: BTreeMap<&'static str, &'static str>,
    asked: Mutex<Vec<Question>>,
}

impl Prompt for Script {
    fn ask(&self, question: &Question) -> Result<SecretValue, PromptError> {
        self.asked.lock().unwrap().push(question.clone());
        Ok(value(self.answers.get(question.field.as_str()).copied().unwrap_or_default()))
    }
}

fn script(changes: &[(&'static str, &'static str)]) -> Script {
    let mut answers = BTreeMap::from([
        ("user", "admin"),
        ("password", " \"with blanks\\ "),
        ("port", "4222"),
        ("encrypted", "yes"),
        ("mechanism", "token"),
        ("level", "writer"),
        ("tags", r#"["a", "b"]"#),
    ]);
    answers.extend(changes.iter().copied());
    Script { answers, asked: Mutex::default() }
}

#[tokio::test]
async fn every_field_is_asked_for_and_the_answers_are_kept() {
    let secrets = SecretManager::new(vec![Arc::new(MemoryStore::new())]);
    let script = script(&[]);
    let account: Account = secrets.get_or_prompt(&script).await.unwrap();
    let expected = Account {
        user: "admin".to_owned(),
        password: " \"with blanks\\ ".to_owned(),
        port: 4222,
        ratio: None,
        encrypted: true,
        mechanism: Mechanism::Token,
        level: Some(Level::Writer),
        comment: None,
        tags: vec!["a".to_owned(), "b".to_owned()],
    };
    assert_eq!(account, expected);
    assert_eq!(secrets.get::<Account>().await.unwrap(), expected);
    assert_eq!(secrets.get_or_prompt::<Account>(&NoTerminal).await.unwrap(), expected);

    let choice = |words: [&str; 2]| AnswerKind::Choice(words.map(str::to_owned).to_vec());
    let asked = script.asked.into_inner().unwrap();
    let asked: Vec<_> = asked.into_iter().map(|question| (question.field, question.kind, question.need)).collect();
    let expected = [
        ("comment", AnswerKind::Text, Need::Optional),
        ("encrypted", AnswerKind::Decision, Need::Required),
        ("level", choice(["reader", "writer"]), Need::Optional),
        ("mechanism", choice(["plain", "token"]), Need::Required),
        ("password", AnswerKind::Text, Need::Required),
        ("port", AnswerKind::Integer, Need::Required),
        ("ratio", AnswerKind::Number, Need::Optional),
        ("tags", AnswerKind::Json, Need::Optional),
        ("user", AnswerKind::Text, Need::Required),
    ];
    assert_eq!(asked, expected.map(|(field, kind, need)| (field.to_owned(), kind, need)));
}

#[tokio::test]
async fn questions_carry_the_doc_comments() {
    let script = script(&[]);
    SecretManager::new(vec![Arc::new(MemoryStore::new())]).get_or_prompt::<Account>(&script).await.unwrap();
    let asked = script.asked.into_inner().unwrap();
    let user = asked.iter().find(|question| question.field == "user").unwrap();
    assert_eq!(user.description.as_deref(), Some("Who logs in."));
    assert_eq!(user.secret, name("account"));
}

#[tokio::test]
async fn unusable_answers_are_refused_and_nothing_is_kept() {
    for (field, answer) in [
        ("port", VALUE),
        ("port", "1.5"),
        ("password", ""),
        ("encrypted", VALUE),
        ("mechanism", VALUE),
        ("ratio", VALUE),
        ("tags", VALUE),
    ] {
        let memory = Arc::new(MemoryStore::new());
        let secrets = SecretManager::new(vec![memory.clone()]);
        let error = secrets.get_or_prompt::<Account>(&script(&[(field, answer)])).await.unwrap_err();
        let SecretError::NotAnswered { source: PromptError::Unfit(unfit), .. } = &error else { panic!("{error}") };
        assert_eq!(unfit.field, field);
        assert_hidden(&everything_said(&error), &[VALUE]);
        assert_eq!(memory.names().await.unwrap(), []);
    }
}

#[tokio::test]
async fn answers_that_the_type_refuses_are_not_kept() {
    let memory = Arc::new(MemoryStore::new());
    let secrets = SecretManager::new(vec![memory.clone()]);
    let error = secrets.get_or_prompt::<Account>(&script(&[("port", "70000")])).await.unwrap_err();
    assert!(matches!(&error, SecretError::Unfit { origin, .. } if origin == "the answers"));
    assert_eq!(memory.names().await.unwrap(), []);
}

#[tokio::test]
async fn without_a_terminal_the_hint_says_every_way() {
    let environment = EnvironmentStore::new(environment(&[]));
    let secrets = SecretManager::new(vec![Arc::new(environment.clone()), Arc::new(MemoryStore::new())]);
    let error = secrets.get_or_prompt::<Account>(&NoTerminal).await.unwrap_err();
    let SecretError::Missing(missing) = &error else { panic!("{error}") };
    assert_eq!(
        missing.ways,
        [
            WayToProvide::Variable("HARMONY_SECRET_ACCOUNT".to_owned()),
            WayToProvide::Store("memory".to_owned()),
            WayToProvide::Terminal
        ]
    );

    // Where nothing can be kept, answering in a terminal is no way, and nobody is asked.
    let script = script(&[]);
    let read_only = SecretManager::new(vec![Arc::new(environment)]);
    let SecretError::Missing(missing) = read_only.get_or_prompt::<Account>(&script).await.unwrap_err() else { panic!() };
    assert_eq!(missing.ways, [WayToProvide::Variable("HARMONY_SECRET_ACCOUNT".to_owned())]);
    assert!(script.asked.into_inner().unwrap().is_empty());
}
