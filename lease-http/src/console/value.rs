//! How the fields of objects are shown.

use std::collections::HashMap;

use askama::Template;
use chrono::NaiveDate;
use serde_json::Value;

use super::kinds::{self, Kind, joined};
use super::words::{event_type, grouped, label, sentence, shortened, tone};

/// The characters that a table shows of a text; the page of the object has all of them.
const MOST_IN_A_TABLE: usize = 200;
/// A text of more characters than this takes the whole width of a page.
const WIDE: usize = 120;
/// What is told of an event beside its changes, in this order.
const FACTS: [&str; 10] =
    ["name", "brand", "last4", "amount", "start_date", "end_date", "due_date", "reason", "failure_code", "tokens"];
/// The order in which the tries of a delivery are read.
const TRY: [&str; 5] = ["at", "status", "milliseconds", "error", "response"];

/// A value as it is shown.
#[derive(Clone, Debug, Template)]
#[template(path = "console/value.html")]
pub(super) enum Shown {
    /// There is none.
    Nothing,
    /// Words of the console.
    Words(String),
    /// A text of any number of lines that somebody wrote, in whatever direction it is read.
    Text(String),
    /// A number or an amount, which stands on the right.
    Figure(String),
    /// A state, in words and colour.
    State { words: String, tone: &'static str },
    /// A link to another object.
    Link { href: String, words: String },
    /// A day, or an instant in UTC to the minute.
    Moment { machine: String, day: String, time: String },
    /// Several fields.
    Fields(Vec<(String, Self)>),
    /// What changed, from what to what. Where there is no former value, it is told without a change.
    Changes(Vec<(String, Option<Self>, Self)>),
    /// Several objects, each with the same fields; and whether a column stands on the right.
    Rows { head: Vec<(String, bool)>, rows: Vec<Vec<Self>> },
}

impl Shown {
    /// Whether it stands on the right of its column.
    pub(super) const fn is_figure(&self) -> bool {
        matches!(self, Self::Figure(_))
    }

    /// Whether there is none.
    pub(super) const fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// Whether it takes the whole width of a page.
    pub(super) fn is_wide(&self) -> bool {
        matches!(self, Self::Text(text) if text.contains('\n') || text.chars().nth(WIDE).is_some())
    }

    /// The same, with so many characters of a text at the most.
    fn shortened(self, most: usize) -> Self {
        match self {
            Self::Text(text) => Self::Text(shortened(&text, most)),
            Self::Link { href, words } => Self::Link { href, words: shortened(&words, most) },
            Self::Changes(changes) => {
                let change = |(label, from, to): (_, Option<Self>, Self)| {
                    (label, from.map(|from| from.shortened(most / 2)), to.shortened(most / 2))
                };
                Self::Changes(changes.into_iter().map(change).collect())
            }
            other => other,
        }
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
            ("event_types", types) => event_types(types),
            (_, Value::Null) | ("available_actions", _) => Shown::Nothing,
            ("metadata", Value::Object(metadata)) => kept(metadata),
            ("changes", Value::Object(changes)) => self.changes(changes, &object["data"]["currency"]),
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
            ("type", Value::String(kind)) => Shown::Words(event_type(kind)),
            ("kind" | "invoice_on" | "bill_to" | "reason" | "failure_code" | "brand" | "tokens", Value::String(word))
                if is_word(word) =>
            {
                Shown::Words(sentence(word))
            }
            (_, Value::String(amount)) if field.starts_with("amount") => {
                Shown::Figure(joined(&[&grouped(amount), kinds::text(object, "currency")]))
            }
            (_, value) => self.value(field, value),
        }
    }

    /// A field of an object in a table: a long text is cut, and the changes of an event are followed by what else is to be told of it.
    pub(super) fn cell(self, object: &Value, field: &str) -> Shown {
        let shown = if field == "changes" { self.changes_and_facts(object) } else { self.field(object, field) };
        shown.shortened(MOST_IN_A_TABLE)
    }

    /// A value by its form.
    fn value(self, field: &str, value: &Value) -> Shown {
        match value {
            Value::Null => Shown::Nothing,
            Value::Bool(flag) => Shown::Words(if *flag { "Yes" } else { "No" }.to_owned()),
            Value::Number(number) => match (kinds::referred_by(field), number.as_i64()) {
                (Some(kind), Some(id)) => self.link(kind, id),
                _ if field.ends_with("year") => Shown::Figure(number.to_string()),
                _ => Shown::Figure(grouped(&number.to_string())),
            },
            Value::String(text) if text.is_empty() => Shown::Nothing,
            Value::String(text) => moment(text).unwrap_or_else(|| Shown::Text(text.clone())),
            Value::Array(items) => self.items(items),
            Value::Object(fields) => {
                // What stands for an object of a kind has the order of its fields.
                let known = kinds::by_subject(field).map_or(&[][..], |kind| kind.fields);
                let mut names: Vec<&str> = fields.keys().map(String::as_str).collect();
                names.sort_by_key(|name| place(known, name));
                let fields = names.into_iter().map(|name| (label(name), self.field(value, name)));
                Shown::Fields(fields.filter(|(_, shown)| known.is_empty() || !shown.is_nothing()).collect())
            }
        }
    }

    fn items(self, items: &[Value]) -> Shown {
        if items.is_empty() {
            return Shown::Nothing;
        }
        if let Some(first) = items[0].as_object() {
            let mut names: Vec<&str> = first.keys().map(String::as_str).collect();
            names.sort_by_key(|name| place(&TRY, name));
            let row = |item: &Value| names.iter().map(|name| self.value(name, &item[*name])).collect::<Vec<_>>();
            let rows: Vec<_> = items.iter().map(row).collect();
            let is_figure = |column: usize| rows.iter().any(|row| row[column].is_figure());
            let head = names.iter().enumerate().map(|(column, name)| (label(name), is_figure(column))).collect();
            return Shown::Rows { head, rows };
        }
        Shown::Text(items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
    }

    /// A link to an object, with what it is called.
    pub(super) fn link(self, kind: &Kind, id: i64) -> Shown {
        let words = self.names.0.get(&(kind.path, id)).filter(|name| !name.is_empty());
        let words = words.cloned().unwrap_or_else(|| format!("{} {id}", kind.one));
        Shown::Link { href: format!("{}{}/{id}", self.root, kind.path), words }
    }

    /// What changed; amounts are in this currency.
    fn changes(self, changes: &serde_json::Map<String, Value>, currency: &Value) -> Shown {
        let change = |(name, change): (&String, &Value)| {
            let mut side = serde_json::json!({ "currency": currency });
            let [from, to] = ["from", "to"].map(|of| {
                side[name] = change[of].clone();
                self.field(&side, name)
            });
            (label(name), Some(from), to)
        };
        if changes.is_empty() { Shown::Nothing } else { Shown::Changes(changes.iter().map(change).collect()) }
    }

    /// What an event changed, and what else is to be told of it.
    fn changes_and_facts(self, event: &Value) -> Shown {
        let changed = event["changes"].as_object();
        let is_told = |fact: &str| {
            let ending = format!("_{fact}");
            changed.is_some_and(|changed| changed.keys().any(|name| name == fact || name.ends_with(&ending)))
        };
        let facts = FACTS.iter().filter(|fact| !is_told(fact)).map(|fact| (label(fact), None, self.field(&event["data"], fact)));
        let facts = facts.filter(|(_, _, shown)| !shown.is_nothing());
        let mut told = match self.field(event, "changes") {
            Shown::Changes(told) => told,
            _ => Vec::new(),
        };
        told.extend(facts);
        if told.is_empty() { Shown::Nothing } else { Shown::Changes(told) }
    }

    /// Who acted.
    fn actor(self, actor: &Value) -> Shown {
        match actor["user_id"].as_i64() {
            Some(user) => self.link(&kinds::USERS, user),
            None => Shown::Words(sentence(actor["kind"].as_str().unwrap_or_default())),
        }
    }

    /// What an event is about.
    fn subject(self, subject: &Value) -> Shown {
        let (word, id) = (subject["kind"].as_str().unwrap_or_default(), subject["id"].as_i64());
        match (kinds::by_subject(word), id) {
            (Some(kind), Some(id)) => self.link(kind, id),
            (None, Some(id)) => Shown::Words(format!("{} {id}", sentence(word))),
            (_, None) => Shown::Words(sentence(word)),
        }
    }
}

/// The place of a name among those that are known; the others come last.
fn place(known: &[&str], name: &str) -> usize {
    known.iter().position(|other| *other == name).unwrap_or(known.len())
}

/// The types of events that an endpoint is sent.
fn event_types(types: &Value) -> Shown {
    let words: Vec<String> = types.as_array().into_iter().flatten().filter_map(Value::as_str).map(event_type).collect();
    Shown::Words(if words.is_empty() { "All events".to_owned() } else { words.join(", ") })
}

/// What the company keeps with an object, under its own names.
fn kept(metadata: &serde_json::Map<String, Value>) -> Shown {
    let words = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields = metadata.iter().map(|(name, value)| (name.clone(), Shown::Text(words(value))));
    if metadata.is_empty() { Shown::Nothing } else { Shown::Fields(fields.collect()) }
}

/// Whether this is a word of the API, and not a text that somebody wrote.
fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// A day, or an instant to the minute, as the API writes them.
fn moment(text: &str) -> Option<Shown> {
    let (day, time) = text.split_once('T').unwrap_or((text, ""));
    day.parse::<NaiveDate>().ok().filter(|_| day.len() == 10)?;
    let time = if time.is_empty() { "" } else { time.strip_suffix('Z')?.get(..5)? };
    Some(Shown::Moment { machine: text.to_owned(), day: day.to_owned(), time: time.to_owned() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A field in a table, as its page is written.
    fn cell(object: &Value, field: &str) -> String {
        Showing { root: "./", names: &Names::default() }.cell(object, field).render().unwrap()
    }

    #[test]
    fn the_changes_of_an_event_are_followed_by_what_else_is_to_be_told() {
        let begun = json!({"changes": {}, "data": {"amount": "1234.50", "currency": "USD", "status": "pending"}});
        assert_eq!(cell(&begun, "changes"), "<ul class=\"changes\"><li><b>Amount</b> 1,234.50 USD</li></ul>");
        let ended = json!({"changes": {"end_date": {"from": "2026-05-02", "to": "2026-04-01"}},
            "data": {"end_date": "2026-04-01", "reason": "The car is sold."}});
        let shown = cell(&ended, "changes");
        assert_eq!(shown.matches("<b>End date</b>").count(), 1, "{shown}");
        assert!(shown.ends_with("<li><b>Reason</b> <bdi>The car is sold.</bdi></li></ul>"), "{shown}");
        let void = json!({"changes": {"void_reason": {"from": null, "to": "A mistake."}}, "data": {"reason": "A mistake."}});
        assert_eq!(cell(&void, "changes").matches("A mistake.").count(), 1);
        assert_eq!(cell(&json!({"changes": {}, "data": {"status": "open"}}), "changes"), "<span class=\"none\">–</span>");
    }

    #[test]
    fn long_texts_are_cut_in_tables_alone() {
        let notes = json!({"notes": "ä".repeat(4_000)});
        assert_eq!(cell(&notes, "notes").chars().filter(|character| *character == 'ä').count(), 200);
        let event = json!({"changes": {"notes": {"from": "ä".repeat(4_000), "to": "ä".repeat(4_000)}}, "data": {}});
        assert_eq!(cell(&event, "changes").matches('ä').count(), 200);
        let whole = Showing { root: "./", names: &Names::default() }.field(&notes, "notes");
        assert!(whole.is_wide() && whole.render().unwrap().matches('ä').count() == 4_000);
    }

    #[test]
    fn values_are_shown_for_people() {
        let object = json!({"amount": "5471.00", "currency": "USD", "year": 2020, "mileage": 120_000, "event_types": null,
            "brand": "visa", "type": "token.created", "title": "سيارة"});
        let cases = [
            ("amount", "5,471.00 USD"),
            ("year", "2020"),
            ("mileage", "120,000"),
            ("event_types", "All events"),
            ("brand", "Visa"),
            ("type", "Token created"),
            ("title", "<bdi>سيارة</bdi>"),
        ];
        for (field, words) in cases {
            assert_eq!(cell(&object, field), words);
        }
        let types = json!({"event_types": ["invoice.*", "trade.agreed"]});
        assert_eq!(cell(&types, "event_types"), "All about invoice, Trade agreed");
    }

    #[test]
    fn the_tries_of_a_delivery_are_read_in_the_order_of_their_story() {
        let tries = json!({"tries": [{"at": "2026-03-01T12:00:00Z", "error": null, "milliseconds": 12, "response": "OK", "status": 200}]});
        let shown = Showing { root: "./", names: &Names::default() }.field(&tries, "tries");
        let Shown::Rows { head, .. } = shown else { panic!("{shown:?}") };
        let labels = ["At", "Status", "Milliseconds", "Error", "Response"];
        assert_eq!(head.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>(), labels);
        assert_eq!(head.iter().map(|(_, is_figure)| *is_figure).collect::<Vec<_>>(), [false, true, true, false, false]);
    }
}
