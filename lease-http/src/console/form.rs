//! Forms: what a browser has sent, and the fields that it shows.

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use lease_core::ErrorKind;
use serde_json::{Map, Value};

use super::Console;
use super::api::Refusal;
use super::description::{Input, Takes};
use super::kinds;
use super::lookup;
use super::page;
use super::place::Place;
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
/// The texts that a form of changes has shown, as JSON: what somebody else has changed meanwhile is told from what the visitor has.
pub(super) const SHOWN: &str = "_shown";

/// The fields that a form has sent.
#[derive(Clone, Default)]
pub(super) struct Posted {
    fields: Vec<(String, String)>,
    shown: BTreeMap<String, String>,
    is_own_site: bool,
}

impl Posted {
    /// The fields of the body.
    ///
    /// # Errors
    /// 413 if the body is too long; 415 if it is no form.
    pub(super) fn read(parts: &Parts) -> Result<Self, Problem> {
        let body = received_body(&parts.extensions)?;
        let kind = parts.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !body.is_empty() && !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(Problem::new(HttpError::UnsupportedMediaType));
        }
        // Browsers end each line of a text with two characters (HTML, constructing the entry list).
        let pairs = form_urlencoded::parse(&body).map(|(name, value)| (name.into_owned(), value.replace("\r\n", "\n")));
        let is_own_site = is_own_site(&parts.headers);
        let mut posted = Self { fields: pairs.collect(), shown: BTreeMap::new(), is_own_site };
        posted.shown = serde_json::from_str(posted.text(SHOWN)).unwrap_or_default();
        Ok(posted)
    }

    /// Succeeds if this is a form of this visitor, from a page of the console.
    ///
    /// # Errors
    /// The page that says why it is refused: it comes from another site, or belongs to another session.
    pub(super) fn require_own(&self, visit: &Visit) -> Result<(), Box<Response>> {
        if self.is_own_site && visit.is_own_form(self.text(CSRF)) {
            return Ok(());
        }
        let sentences =
            "The form is too old, or comes from elsewhere. Nothing was changed. Open the page again, and send it from there.";
        let mut response = page::message(visit, StatusCode::FORBIDDEN, "This form is not valid", sentences);
        response.extensions_mut().insert(crate::problem::ErrorCode::from(ErrorKind::PermissionDenied));
        Err(Box::new(response))
    }

    /// The text of a field.
    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value.as_str())
    }

    /// The fields, to be changed.
    pub(super) fn fields_mut(&mut self) -> &mut [(String, String)] {
        &mut self.fields
    }

    /// Whether a page of this site has sent it, as far as the browser says.
    pub(super) const fn is_own_site(&self) -> bool {
        self.is_own_site
    }

    /// What somebody who has to log in again may send once more: everything but passwords, and what belongs to the session.
    pub(super) fn kept(&self) -> String {
        let kept = self.fields.iter().filter(|(name, _)| name != CSRF && !name.contains("password"));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish()
    }

    /// Whether the visitor has changed what the form had shown.
    fn is_changed(&self, input: &Input) -> bool {
        self.shown.get(&input.name).is_none_or(|shown| shown.trim() != self.text(&input.name).trim())
    }

    /// The body for the API: of a form of changes what the visitor has changed.
    pub(super) fn body(&self, inputs: &[Input], is_change: bool) -> Map<String, Value> {
        let given = inputs.iter().filter(|input| self.is_changed(input)).filter_map(|input| {
            let value = value(input, self.text(&input.name), is_change)?;
            Some((input.name.clone(), value))
        });
        given.collect()
    }
}

impl FromRequestParts<Console> for Posted {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &Console) -> Result<Self, Response> {
        Self::read(parts).map_err(|problem| page::refused(&Place::of_request(parts), &Refusal::of(problem.code())))
    }
}

/// The texts of the inputs for an object as it is, for [`SHOWN`].
pub(super) fn shown(inputs: &[Input], present: &Value) -> String {
    let inputs = inputs.iter().filter(|input| input.takes != Takes::Password);
    let texts: Map<String, Value> = inputs.map(|input| (input.name.clone(), present_text(input, present).into())).collect();
    Value::from(texts).to_string()
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
            Takes::Number if lookup::takes_names(&input.name) => line("text", ""),
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
            errors: errors.get(&input.name).into_iter().flatten().map(|message| plain(message)).collect(),
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
    match kinds::referred_by(&input.name) {
        Some(_) if lookup::takes_names(&input.name) => {
            format!("{description} A number, or a name or e-mail address to search for.")
        }
        Some(_) => format!("{description} Give its number, which stands above its page."),
        None => description,
    }
}

/// The fields of a form: with what the visitor has written, or else with what the object has.
pub(super) fn fields(
    inputs: &[Input],
    posted: Option<&Posted>,
    present: Option<&Value>,
    errors: &BTreeMap<String, Vec<String>>,
) -> Vec<Field> {
    let field = |input: &Input| {
        let present = present.map(|object| present_text(input, object));
        let written = posted.filter(|posted| present.is_none() || posted.is_changed(input));
        let meanwhile = written.and_then(|posted| posted.shown.get(&input.name)).filter(|shown| present.as_ref() != Some(shown));
        let meanwhile = meanwhile.and(present.as_ref()).map(|present| changed_meanwhile(input, present));
        let text = match (written, present) {
            _ if input.takes == Takes::Password => String::new(),
            (Some(posted), _) => posted.text(&input.name).to_owned(),
            (None, Some(present)) => present,
            (None, None) => if input.name == "is_active" { "true" } else { "" }.to_owned(),
        };
        let mut field = Field::new(input, text, errors);
        field.errors.extend(meanwhile);
        field
    };
    inputs.iter().map(field).collect()
}

/// What is said beside a field that somebody else has changed.
fn changed_meanwhile(input: &Input, present: &str) -> String {
    let present = match (&input.takes, present) {
        (Takes::Flag, "") => "No",
        (Takes::Flag, _) => "Yes",
        (_, "") => "nothing",
        (_, present) => present,
    };
    format!("Somebody else has changed this meanwhile, to: {present}")
}
