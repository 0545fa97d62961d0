//! What the daemon answers: records, or why there are none.

use std::fmt::{self, Display};

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// The answer to one request, and all of its line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It is done, and this is to be told.
    Ok(Page),
    /// It was not carried out, unless the message says otherwise.
    Error {
        /// What kind of error it is, for programs.
        kind: ErrorKind,
        /// A sentence for a person.
        message: String,
    },
}

/// What is told at once.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Page {
    /// In order.
    pub records: Vec<Record>,
    /// Asking again with this as `after` brings the rest; nothing when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Why a request was not carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The request is none that this daemon knows.
    Usage,
    /// Who asks is not the operator.
    NotAllowed,
    /// The rules, or the state of things, forbid it.
    Refused,
    /// It may be asked for again: the daemon is busy, stops, or cannot write.
    Retry,
}

/// Names and what they stand for, in an order that people read.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Record(Vec<(String, Value)>);

impl Answer {
    /// An error with its sentence.
    pub(crate) fn error(kind: ErrorKind, message: impl Display) -> Self {
        Self::Error { kind, message: message.to_string() }
    }

    /// The answer as its line.
    pub(crate) fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("numbers, texts and lists are JSON");
        line.push(b'\n');
        line
    }
}

impl Page {
    /// One record.
    pub(crate) fn of(record: Record) -> Self {
        Self { records: vec![record], next: None }
    }
}

impl Record {
    /// The same with one more name.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// What it says, in its order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// What a name stands for.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields().find(|(known, _value)| *known == name).map(|(_name, value)| value)
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

/// Keeps the order of the names, which a map of `serde_json` does not.
struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Record(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_line_and_keeps_the_order_of_its_names() {
        let record = Record::default().with("name", "zoë\nx").with("id", 7).with("admin", true);
        let answer = Answer::Ok(Page { records: vec![record], next: Some("7".to_owned()) });
        let line = answer.line();
        let text = r#"{"ok":{"records":[{"name":"zoë\nx","id":7,"admin":true}],"next":"7"}}"#;
        assert_eq!(String::from_utf8(line.clone()).unwrap(), format!("{text}\n"));
        assert_eq!(serde_json::from_slice::<Answer>(&line).unwrap(), answer);
        let refused = Answer::error(ErrorKind::NotAllowed, "no");
        let text = r#"{"error":{"kind":"not-allowed","message":"no"}}"#;
        assert_eq!(String::from_utf8(refused.line()).unwrap(), format!("{text}\n"));
    }
}
