//! Checks every response against the document: its path and status are described, its body matches the schema given there, and a
//! client that reads it into the view of that name and writes it again has every byte of it.

use std::collections::HashMap;
use std::sync::LazyLock;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

use super::views::through;
use crate::app::ApiResponse;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(lease_http::document_with_test_clock()).unwrap());
static BODIES: LazyLock<Bodies> = LazyLock::new(Bodies::of_document);

/// The document.
pub(crate) fn document() -> &'static Value {
    &DOCUMENT
}

/// Validators for the bodies in the document, by the place of their schema.
struct Bodies {
    schemas: Schemas,
    places: HashMap<String, SchemaIndex>,
}

const PROBLEM: &str = "/components/schemas/Problem";

impl Bodies {
    fn of_document() -> Self {
        let mut compiler = Compiler::new();
        compiler.enable_format_assertions();
        compiler.add_resource("openapi.json", document().clone()).unwrap();
        let mut bodies = Self { schemas: Schemas::new(), places: HashMap::new() };
        for place in answers().into_iter().chain([PROBLEM.to_owned()]) {
            let escaped = place.replace('{', "%7B").replace('}', "%7D").replace(' ', "%20");
            let schema = compiler.compile(&format!("openapi.json#{escaped}"), &mut bodies.schemas).unwrap();
            bodies.places.insert(place, schema);
        }
        bodies
    }

    /// The error of a body that should match the schema at this place.
    fn check(&self, place: &str, body: &Value) -> Result<(), String> {
        let schema = self.places.get(place).ok_or_else(|| format!("the document has no {place}"))?;
        self.schemas.validate(body, *schema).map_err(|error| error.to_string())
    }
}

/// The places of the schemas of all responses except errors, which are all a [`PROBLEM`].
fn answers() -> Vec<String> {
    let entries = |value: &'static Value| value.as_object().into_iter().flatten();
    let mut places = Vec::new();
    for (path, operations) in entries(&document()["paths"]) {
        for (method, operation) in entries(operations) {
            for (status, response) in entries(&operation["responses"]) {
                if status.starts_with(['4', '5']) {
                    continue;
                }
                for (content_type, _) in entries(response.get("content").unwrap_or(&Value::Null)) {
                    places.push(answer(path, method, status, content_type));
                }
            }
        }
    }
    places
}

fn answer(path: &str, method: &str, status: &str, content_type: &str) -> String {
    let [path, content_type] = [path, content_type].map(|text| text.replace('~', "~0").replace('/', "~1"));
    format!("/paths/{path}/{method}/responses/{status}/content/{content_type}/schema")
}

/// Panics unless the document describes such a response.
pub(crate) fn check(method: &str, path: &str, answer: &ApiResponse) {
    let status = answer.status.as_u16();
    let content_type = answer.header("content-type");
    if status >= 400 {
        assert_eq!(content_type, "application/problem+json", "{method} {path}: {}", answer.text);
        let body = answer.json();
        assert_eq!(BODIES.check(PROBLEM, &body), Ok(()), "{method} {path}: {body}");
        assert_eq!(body["status"], status);
        let read: lease_http::views::Problem = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(json!(read), body);
    }
    let Some(template) = template(path) else { return };
    let method = method.to_ascii_lowercase();
    let Some(operation) = document()["paths"][&template].get(&method) else { return };
    let response = operation["responses"].get(status.to_string());
    let response = response.unwrap_or_else(|| panic!("{method} {template} does not say that {status} may come: {}", answer.text));
    if status >= 400 {
        let codes = resolved(response)["x-codes"].as_array().unwrap();
        assert!(codes.contains(&answer.json()["code"]), "{method} {template}: {codes:?}, not {}", answer.text);
        return;
    }
    if status == 201 {
        let place = answer.header("location");
        let id = place.rsplit('/').next().and_then(|id| id.parse::<i64>().ok());
        let body = answer.json();
        let made = body.get("id").or_else(|| body.get("user_id")).and_then(Value::as_i64);
        assert!(id.is_some() && id == made && self::template(place).is_some(), "{method} {path}: made {made:?}, at {place}");
    }
    if response.get("content").is_none() {
        assert_eq!(answer.text, "", "{method} {path} has no body");
        return;
    }
    let body = if content_type.contains("json") { answer.json() } else { json!(answer.text) };
    let place = self::answer(&template, &method, &status.to_string(), content_type);
    assert_eq!(BODIES.check(&place, &body), Ok(()), "{method} {path} {status}: {}", answer.text);
    // The others are for operators.
    if template.starts_with("/api/")
        && let Some(schema) = document().pointer(&place).and_then(named)
    {
        let rewrite = through(schema).unwrap_or_else(|| panic!("{schema} is no view"));
        assert_eq!(rewrite(&answer.text).unwrap(), answer.text, "{method} {path}, read as {schema} and written again");
    }
}

/// The name of the schema to which this one refers.
pub(crate) fn named(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

/// The part of the document at this place, or the one to which it refers.
pub(crate) fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => document().pointer(pointer).unwrap(),
        None => value,
    }
}

/// The path template in the document that matches the path of a request.
fn template(path: &str) -> Option<String> {
    let path = path.split('?').next()?.trim_end_matches('/');
    let paths = document()["paths"].as_object()?;
    if paths.contains_key(path) {
        return Some(path.to_owned());
    }
    let matches = |template: &str| {
        let (ours, theirs): (Vec<_>, Vec<_>) = (path.split('/').collect(), template.split('/').collect());
        ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(our, their)| our == their || *their == "{id}")
    };
    paths.keys().find(|template| matches(template)).cloned()
}
