//! Forms: what a browser has sent, and the fields that it shows.

use std::collections::BTreeMap;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use lease_core::ErrorKind;
use serde_json::{Map, Value};

use super::description::{Input, Takes};
use super::kinds;
use super::page;
use super::session::is_own_site;
use super::visit::Visit;
use super::words::{choice, label, plain};
use crate::extract::received_body;
use crate::problem::{HttpError, Problem};

/// What every form of a session contains.
pub(super) const CSRF: &str = "_csrf";
/// The idempotency key of a form.
pub(super) const ONCE: &str = "_once";
/// The tag of the object that a form shows.
pub(super) const TAG: &str = "_tag";

/// The fields that a form has sent.
#[derive(Clone, Default)]
pub(super) struct Posted(Vec<(String, String)>);

impl Posted {
    /// The fields of the body.
    ///
    /// # Errors
    /// 413 if the body is too long; 415 if it is no form.
    pub(super) fn read(request: &Request) -> Result<Self, Problem> {
        let body = received_body(request.extensions())?;
        let kind = request.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !body.is_empty() && !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(Problem::new(HttpError::UnsupportedMediaType));
        }
        let pairs = form_urlencoded::parse(&body).map(|(name, value)| (name.into_owned(), value.into_owned()));
        Ok(Self(pairs.collect()))
    }

    /// The fields of a form of this visitor, from a page of the console.
    ///
    /// # Errors
    /// The page that says why it is refused: it comes from another site, or belongs to another session.
    pub(super) fn of(visit: &Visit, request: &Request) -> Result<Self, Box<Response>> {
        let posted = Self::read(request).map_err(|problem| Box::new(problem.into_response()))?;
        if is_own_site(request.headers()) && visit.is_own_form(posted.text(CSRF)) {
            return Ok(posted);
        }
        let sentences =
            "The form is too old, or comes from elsewhere. Nothing was changed. Open the page again, and send it from there.";
        let mut response = page::message(visit, StatusCode::FORBIDDEN, "This form is not valid", sentences);
        response.extensions_mut().insert(crate::problem::ErrorCode::from(ErrorKind::PermissionDenied));
        Err(Box::new(response))
    }

    /// The text of a field, without the white space around it.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value.as_str())
    }

    /// The body for the API: every input that differs from `present`, the object that the form has shown.
    pub(super) fn body(&self, inputs: &[Input], present: Option<&Value>) -> Map<String, Value> {
        let changed =
            |input: &&Input| present.is_none_or(|object| self.text(&input.name).trim() != present_text(input, object).trim());
        let given = inputs.iter().filter(changed).filter_map(|input| {
            let value = value(input, self.text(&input.name), present.is_some())?;
            Some((input.name.clone(), value))
        });
        given.collect()
    }
}

/// The value of an input for the API, from what was written into it; none if it is left out.
fn value(input: &Input, text: &str, is_change: bool) -> Option<Value> {
    let trimmed = text.trim();
    match input.takes {
        Takes::Flag => Some(Value::Bool(trimmed == "true")),
        Takes::Words => Some(trimmed.split([',', '\n', ' ', '\r']).filter(|word| !word.is_empty()).collect()),
        Takes::Password if text.is_empty() && is_change => None,
        Takes::Password | Takes::Line | Takes::Lines | Takes::Email => Some(Value::String(text.to_owned())),
        _ if trimmed.is_empty() && !input.is_required => is_change.then_some(Value::Null),
        Takes::Number => Some(trimmed.parse::<i64>().map_or_else(|_| Value::String(trimmed.to_owned()), Value::from)),
        Takes::Amount | Takes::Date | Takes::Instant | Takes::Choice(_) => Some(Value::String(trimmed.to_owned())),
    }
}

/// The text of an input for an object as it is.
fn present_text(input: &Input, object: &Value) -> String {
    match (&input.takes, &object[&input.name]) {
        (Takes::Flag, value) => if *value == true { "true" } else { "" }.to_owned(),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Number(number)) => number.to_string(),
        (_, Value::Array(words)) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

/// An input as a form shows it.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) text: String,
    pub(super) is_required: bool,
    pub(super) errors: Vec<String>,
    pub(super) control: Control,
}

/// The element of an input.
#[derive(Clone, Debug)]
pub(super) enum Control {
    /// One line of this type, and of this kind of keyboard.
    Line { kind: &'static str, mode: &'static str },
    /// Several lines.
    Lines,
    /// A box to tick.
    Box,
    /// One of these, each with its words.
    Choice(Vec<(String, String)>),
}

impl Field {
    /// The field for an input with this text.
    pub(super) fn new(input: &Input, text: String, errors: &BTreeMap<String, Vec<String>>) -> Self {
        let line = |kind, mode| Control::Line { kind, mode };
        let control = match &input.takes {
            Takes::Line => line("text", ""),
            Takes::Lines | Takes::Words => Control::Lines,
            Takes::Password => line("password", ""),
            Takes::Email => line("email", ""),
            Takes::Number => line("text", "numeric"),
            Takes::Amount => line("text", "decimal"),
            Takes::Date => line("date", ""),
            Takes::Instant => line("datetime-local", ""),
            Takes::Flag => Control::Box,
            Takes::Choice(words) => {
                let none = (!input.is_required || text.is_empty()).then(|| (String::new(), "–".to_owned()));
                Control::Choice(none.into_iter().chain(words.iter().map(|word| (word.clone(), choice(word)))).collect())
            }
        };
        Self {
            name: input.name.clone(),
            label: label(&input.name),
            hint: hint(input),
            text,
            is_required: input.is_required,
            errors: errors.get(&input.name).cloned().unwrap_or_default(),
            control,
        }
    }

    /// The field of a filter: it is never required, and a flag may be left open.
    pub(super) fn filter(input: &Input, text: String, errors: &BTreeMap<String, Vec<String>>) -> Self {
        let mut field = Self::new(&Input { is_required: false, ..input.clone() }, text, errors);
        field.control = match field.control {
            Control::Box => Control::Choice(
                [("", "Any"), ("true", "Yes"), ("false", "No")].map(|(value, words)| (value.to_owned(), words.to_owned())).into(),
            ),
            Control::Choice(mut words) => {
                if let Some(none) = words.first_mut() {
                    "Any".clone_into(&mut none.1);
                }
                Control::Choice(words)
            }
            Control::Lines => Control::Line { kind: "text", mode: "" },
            control @ Control::Line { .. } => control,
        };
        field
    }

    /// What a screen reader reads with the field.
    pub(super) fn described_by(&self) -> String {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        let error = (!self.errors.is_empty()).then(|| format!("{}-error", self.name));
        [error, hint].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// What helps to fill in an input.
fn hint(input: &Input) -> String {
    let description = plain(&input.description);
    if kinds::referred_by(&input.name).is_some() {
        return format!("{description} Give its number, which stands above its page.");
    }
    description
}

/// The fields of a form: with what was sent, or else with what the object has.
pub(super) fn fields(
    inputs: &[Input],
    posted: Option<&Posted>,
    present: Option<&Value>,
    errors: &BTreeMap<String, Vec<String>>,
) -> Vec<Field> {
    let field = |input: &Input| {
        let text = match (posted, present) {
            _ if input.takes == Takes::Password => String::new(),
            (Some(posted), _) => posted.text(&input.name).to_owned(),
            (None, Some(object)) => present_text(input, object),
            (None, None) => if input.name == "is_active" { "true" } else { "" }.to_owned(),
        };
        Field::new(input, text, errors)
    };
    inputs.iter().map(field).collect()
}
