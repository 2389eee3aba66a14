//! From the JSON schema of a secret to questions, and from the answers to its JSON.

use schemars::Schema;
use serde::de::IgnoredAny;
use serde_json::{Map, Number, Value};

use crate::json;
use crate::name::SecretName;
use crate::prompt::{AnswerError, AnswerKind, Need, Prompt, PromptError, Question};
use crate::value::{SecretValue, SecretWriter};

impl Question {
    /// Whether the answer can be used. Surrounding blanks matter only in a [`Text`](AnswerKind::Text).
    ///
    /// # Errors
    /// [`AnswerError`] if it cannot.
    pub fn check(&self, answer: &SecretValue) -> Result<(), AnswerError> {
        self.value_of(answer).map(|_| ())
    }

    /// The answer as JSON; `None` if it leaves an optional field out.
    fn value_of(&self, answer: &SecretValue) -> Result<Option<SecretValue>, AnswerError> {
        let refuse = || AnswerError { field: self.field.clone(), expected: self.kind.clone() };
        let text = answer.expose_str().map_err(|_| refuse())?;
        if text.is_empty() && self.need == Need::Optional {
            return Ok(None);
        }
        value_of(text, &self.kind).ok_or_else(refuse).map(Some)
    }
}

fn value_of(text: &str, kind: &AnswerKind) -> Option<SecretValue> {
    let bare = text.trim();
    let as_is = |fits: bool| fits.then(|| SecretValue::from(bare.to_owned()));
    match kind {
        AnswerKind::Text if text.is_empty() => None,
        AnswerKind::Text => json::write(text).ok(),
        AnswerKind::Integer => as_is(json::read::<Number>(bare.as_bytes()).is_ok_and(|number| !number.is_f64())),
        AnswerKind::Number => as_is(json::read::<Number>(bare.as_bytes()).is_ok()),
        AnswerKind::Decision => match bare {
            "yes" | "true" => json::write(&true).ok(),
            "no" | "false" => json::write(&false).ok(),
            _ => None,
        },
        AnswerKind::Choice(words) if words.iter().any(|word| word == bare) => json::write(bare).ok(),
        AnswerKind::Choice(_) => None,
        AnswerKind::Json => as_is(json::read::<IgnoredAny>(bare.as_bytes()).is_ok()),
    }
}

/// Asks every question and writes the answers as one JSON object.
pub(crate) fn ask_for_all(questions: &[Question], prompt: &dyn Prompt) -> Result<SecretValue, PromptError> {
    let mut object = SecretWriter::default();
    let mut separator: &[u8] = b"{";
    for question in questions {
        if let Some(value) = question.value_of(&prompt.ask(question)?)? {
            object.push(separator);
            object.push(Value::from(question.field.as_str()).to_string().as_bytes());
            object.push(b":");
            object.push(value.expose_bytes());
            separator = b",";
        }
    }
    object.push(if separator == b"{" { b"{}" } else { b"}" });
    Ok(object.finish())
}

/// One question for each field of the schema, in the order of the fields' names.
pub(crate) fn questions(secret: &SecretName, schema: &Schema) -> Vec<Question> {
    let root = schema.as_object();
    let required = root.and_then(|root| root.get("required")).and_then(Value::as_array);
    properties(schema)
        .map(|(field, property)| Question {
            secret: secret.clone(),
            field: field.clone(),
            description: property.get("description").and_then(Value::as_str).map(str::to_owned),
            kind: kind_of(property, root),
            need: match required {
                Some(names) if names.iter().any(|name| name == field) => Need::Required,
                _ => Need::Optional,
            },
        })
        .collect()
}

/// The names of the fields of the schema, sorted.
pub(crate) fn fields(schema: &Schema) -> Vec<String> {
    properties(schema).map(|(field, _)| field.clone()).collect()
}

fn properties(schema: &Schema) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn kind_of(property: &Value, root: Option<&Map<String, Value>>) -> AnswerKind {
    let property = without_null(property);
    let property = definition(property, root).unwrap_or(property);
    if let Some(words) = words(property) {
        return AnswerKind::Choice(words);
    }
    match type_of(property) {
        Some("string") => AnswerKind::Text,
        Some("integer") => AnswerKind::Integer,
        Some("number") => AnswerKind::Number,
        Some("boolean") => AnswerKind::Decision,
        _ => AnswerKind::Json,
    }
}

/// An optional field of a named type is written as `anyOf` of that type and null.
fn without_null(property: &Value) -> &Value {
    let choices = property.get("anyOf").and_then(Value::as_array);
    choices.and_then(|choices| choices.iter().find(|choice| type_of(choice) != Some("null"))).unwrap_or(property)
}

fn definition<'a>(property: &Value, root: Option<&'a Map<String, Value>>) -> Option<&'a Value> {
    let name = property.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?;
    root?.get("$defs")?.get(name)
}

fn type_of(property: &Value) -> Option<&str> {
    match property.get("type")? {
        Value::String(one) => Some(one),
        Value::Array(several) => several.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => None,
    }
}

/// The words of an enum without fields: `enum`, or `oneOf` constants if its variants have doc comments.
fn words(property: &Value) -> Option<Vec<String>> {
    if let Some(words) = property.get("enum").and_then(Value::as_array) {
        return words.iter().filter(|word| !word.is_null()).map(|word| word.as_str().map(str::to_owned)).collect();
    }
    let variants = property.get("oneOf")?.as_array()?;
    variants.iter().map(|variant| variant.get("const")?.as_str().map(str::to_owned)).collect()
}
