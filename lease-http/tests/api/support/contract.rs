//! Holds every answer against the document: its path and status are described, and its body is of the schema that stands there.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::app::Answer;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(lease_http::document()).unwrap());
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// The document.
pub(crate) fn document() -> &'static Value {
    &DOCUMENT
}

/// What is wrong with a value that should be of the schema at this pointer into the document.
pub(crate) fn holds(pointer: &str, value: &Value) -> Result<(), String> {
    let validator = VALIDATORS.lock().unwrap().get(pointer).cloned();
    let validator = validator.unwrap_or_else(|| {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": format!("#{}", pointer.replace('{', "%7B").replace('}', "%7D").replace(' ', "%20")),
            "components": document()["components"],
            "paths": document()["paths"],
        });
        let made = Arc::new(jsonschema::options().should_validate_formats(true).build(&schema).unwrap());
        VALIDATORS.lock().unwrap().insert(pointer.to_owned(), Arc::clone(&made));
        made
    });
    let errors: Vec<String> = validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
}

/// Passes where the document says that such an answer may come.
pub(crate) fn check(method: &str, path: &str, answer: &Answer) {
    let status = answer.status.as_u16();
    let content_type = answer.header("content-type");
    if status >= 400 {
        assert_eq!(content_type, "application/problem+json", "{method} {path}: {}", answer.text);
        let body = answer.json();
        assert_eq!(holds("/components/schemas/Problem", &body), Ok(()), "{method} {path}: {body}");
        assert_eq!(body["status"], status);
    }
    let Some(template) = template(path) else { return };
    let Some(operation) = document()["paths"][&template].get(method.to_ascii_lowercase()) else { return };
    let response = operation["responses"].get(status.to_string());
    let response = response.unwrap_or_else(|| panic!("{method} {template} does not say that {status} may come: {}", answer.text));
    if response.get("content").is_none() {
        assert_eq!(answer.text, "", "{method} {path} answers nothing");
        return;
    }
    let body = if content_type.contains("json") { answer.json() } else { json!(answer.text) };
    let escaped = |text: &str| text.replace('~', "~0").replace('/', "~1");
    let method = method.to_ascii_lowercase();
    let (template, content_type) = (escaped(&template), escaped(content_type));
    let pointer = format!("/paths/{template}/{method}/responses/{status}/content/{content_type}/schema");
    assert_eq!(holds(&pointer, &body), Ok(()), "{method} {path} {status}: {}", answer.text);
}

/// The path of the document that a request's path is one of.
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
