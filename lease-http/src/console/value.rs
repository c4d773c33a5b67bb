//! How the fields of objects are shown.

use std::collections::HashMap;

use askama::Template;
use chrono::NaiveDate;
use serde_json::Value;

use super::kinds::{self, Kind, joined};
use super::words::{label, sentence, tone};

/// A value as it is shown.
#[derive(Clone, Debug, Template)]
#[template(path = "console/value.html")]
pub(super) enum Shown {
    /// There is none.
    Nothing,
    /// Text of any number of lines.
    Text(String),
    /// A number or an amount, which stands on the right.
    Figure(String),
    /// A state, in words and colour.
    State { words: String, tone: &'static str },
    /// A link to another object.
    Link { href: String, words: String },
    /// A day, or an instant in UTC to the minute.
    Moment { machine: String, words: String },
    /// Several fields.
    Fields(Vec<(String, Self)>),
    /// What changed, from what to what.
    Changes(Vec<(String, Self, Self)>),
    /// Several objects, each with the same fields.
    Rows { head: Vec<String>, rows: Vec<Vec<Self>> },
}

impl Shown {
    /// Whether it stands on the right of its column.
    pub(super) const fn is_figure(&self) -> bool {
        matches!(self, Self::Figure(_))
    }
}

/// Where values are shown, and what the objects that they refer to are called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Showing<'a> {
    pub(super) root: &'a str,
    pub(super) names: &'a Names,
}

/// What objects are called.
#[derive(Debug, Default)]
pub(super) struct Names(pub(super) HashMap<(&'static str, i64), String>);

impl Showing<'_> {
    /// A field of an object.
    pub(super) fn field(self, object: &Value, field: &str) -> Shown {
        let value = &object[field];
        match (field, value) {
            (_, Value::Null) | ("available_actions", _) => Shown::Nothing,
            ("changes", Value::Object(changes)) => self.changes(changes),
            ("actor", actor) => self.actor(actor),
            ("subject", subject) => self.subject(subject),
            ("asking", asking) if !asking["amount"].is_null() => self.field(asking, "amount"),
            ("status", _) if object["is_overdue"] == true => {
                Shown::State { words: format!("{}, overdue", sentence(kinds::text(object, "status"))), tone: "bad" }
            }
            ("status" | "disabled_reason", Value::String(state)) => Shown::State { words: sentence(state), tone: tone(state) },
            ("is_overdue", Value::Bool(true)) => Shown::State { words: "Overdue".to_owned(), tone: "bad" },
            ("is_active", Value::Bool(is_active)) => {
                let (words, tone) = if *is_active { ("Yes", "good") } else { ("No", "past") };
                Shown::State { words: words.to_owned(), tone }
            }
            ("kind" | "invoice_on" | "bill_to" | "reason" | "failure_code", Value::String(word)) if is_word(word) => {
                Shown::Text(sentence(word))
            }
            (_, Value::String(amount)) if field.starts_with("amount") => {
                Shown::Figure(joined(&[amount, kinds::text(object, "currency")]))
            }
            (_, value) => self.value(field, value),
        }
    }

    /// A value by its form.
    fn value(self, field: &str, value: &Value) -> Shown {
        match value {
            Value::Null => Shown::Nothing,
            Value::Bool(flag) => Shown::Text(if *flag { "Yes" } else { "No" }.to_owned()),
            Value::Number(number) => match (kinds::referred_by(field), number.as_i64()) {
                (Some(kind), Some(id)) => self.link(kind, id),
                _ => Shown::Figure(number.to_string()),
            },
            Value::String(text) if text.is_empty() => Shown::Nothing,
            Value::String(text) => moment(text).unwrap_or_else(|| Shown::Text(text.clone())),
            Value::Array(items) => self.items(items),
            Value::Object(fields) => {
                // What stands for an object of a kind has the order of its fields.
                let known = kinds::by_subject(field).map_or(&[][..], |kind| kind.fields);
                let mut names: Vec<&str> = fields.keys().map(String::as_str).collect();
                names.sort_by_key(|name| known.iter().position(|other| other == name).unwrap_or(known.len()));
                Shown::Fields(names.into_iter().map(|name| (label(name), self.field(value, name))).collect())
            }
        }
    }

    fn items(self, items: &[Value]) -> Shown {
        if items.is_empty() {
            return Shown::Nothing;
        }
        if let Some(names) = items[0].as_object().map(|first| first.keys().cloned().collect::<Vec<_>>()) {
            let rows = items.iter().map(|item| names.iter().map(|name| self.value(name, &item[name])).collect());
            return Shown::Rows { head: names.iter().map(|name| label(name)).collect(), rows: rows.collect() };
        }
        Shown::Text(items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
    }

    /// A link to an object, with what it is called.
    pub(super) fn link(self, kind: &Kind, id: i64) -> Shown {
        let words = self.names.0.get(&(kind.path, id)).filter(|name| !name.is_empty());
        let words = words.cloned().unwrap_or_else(|| format!("{} {id}", kind.one));
        Shown::Link { href: format!("{}{}/{id}", self.root, kind.path), words }
    }

    fn changes(self, changes: &serde_json::Map<String, Value>) -> Shown {
        let change = |(name, change): (&String, &Value)| {
            let side = |side: &str| self.field(&serde_json::json!({ name: change[side] }), name);
            (label(name), side("from"), side("to"))
        };
        if changes.is_empty() { Shown::Nothing } else { Shown::Changes(changes.iter().map(change).collect()) }
    }

    /// Who acted.
    fn actor(self, actor: &Value) -> Shown {
        match actor["user_id"].as_i64() {
            Some(user) => self.link(&kinds::USERS, user),
            None => Shown::Text(sentence(actor["kind"].as_str().unwrap_or_default())),
        }
    }

    /// What an event is about.
    fn subject(self, subject: &Value) -> Shown {
        let (word, id) = (subject["kind"].as_str().unwrap_or_default(), subject["id"].as_i64());
        match (kinds::by_subject(word), id) {
            (Some(kind), Some(id)) => self.link(kind, id),
            (None, Some(id)) => Shown::Text(format!("{} {id}", sentence(word))),
            (_, None) => Shown::Text(sentence(word)),
        }
    }
}

/// Whether this is a word of the API, and not a text that somebody wrote.
fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// A day, or an instant to the minute, as the API writes them.
fn moment(text: &str) -> Option<Shown> {
    let (day, time) = text.split_once('T').unwrap_or((text, ""));
    day.parse::<NaiveDate>().ok().filter(|_| day.len() == 10)?;
    let words = match time {
        "" => day.to_owned(),
        time => format!("{day} {}", time.strip_suffix('Z')?.get(..5)?),
    };
    Some(Shown::Moment { machine: text.to_owned(), words })
}
