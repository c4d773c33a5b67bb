//! The document (spec 6.8): what stands beside the handlers, and what follows for every operation from its kind. The errors of
//! an operation are named by code; their statuses come from [`problem`](crate::problem), so document and answers agree.

use std::collections::{BTreeMap, BTreeSet};

use lease_core::{ErrorKind, Refusal};
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use crate::endpoints::X_IDEMPOTENCY_KEY;
use crate::problem::ErrorCode::{self, Engine, Http};
use crate::problem::{HttpError, Problem};

/// The methods under which a path has operations.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The whole document, of what the router was told about its handlers.
pub(crate) fn complete(described: &OpenApi) -> Result<Value, serde_json::Error> {
    let mut document = serde_json::to_value(described)?;
    document["openapi"] = json!("3.1.0");
    document["info"] = json!({
        "title": "Lease",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Customers offer their own vehicles for lease or sale, and others shop around.\n\n\
            Authenticate with `Authorization: Token <token>`, as registering and logging in hand one out. Every POST takes an \
            `Idempotency-Key`. Errors are `application/problem+json` (RFC 9457) with a stable `code`. Every path is also taken \
            with a slash at its end.",
        "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
    });
    document["servers"] = json!([{ "url": "/" }]);
    document["security"] = json!([{ "token": [] }]);
    document["tags"] = tags(&document);
    let partial = complete_operations(&mut document["paths"]);
    let components = &mut document["components"];
    add_partial_schemas(&mut components["schemas"], &partial);
    components["schemas"]["Problem"] = problem_schema();
    components["securitySchemes"] = json!({ "token": {
        "type": "apiKey", "in": "header", "name": "Authorization",
        "description": "`Token <token>`, with the 40 hexadecimal characters that registering or logging in gave; `Bearer` is \
            taken too.",
    }});
    Ok(document)
}

fn tags(document: &Value) -> Value {
    let operations = document["paths"].as_object().into_iter().flat_map(Map::values).filter_map(Value::as_object);
    let names = operations.flat_map(Map::values).filter_map(|operation| operation["tags"][0].as_str());
    let names: BTreeSet<&str> = names.collect();
    names.into_iter().map(|name| json!({ "name": name })).collect()
}

/// Completes each operation; the response is the names of the schemas of which a `PATCH` takes any part.
fn complete_operations(paths: &mut Value) -> BTreeSet<String> {
    let mut partial = BTreeSet::new();
    for (path, item) in paths.as_object_mut().into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) else { continue };
            let ignores_key = operation.remove(X_IDEMPOTENCY_KEY) == Some(json!("ignored"));
            add_parameters(path, method, operation, ignores_key);
            add_errors(path, method, operation, ignores_key);
            add_rules(operation);
            if method == "patch"
                && let Some(schema) = body_schema(operation)
            {
                let name = schema.as_str().and_then(|schema| schema.rsplit('/').next()).unwrap_or_default().to_owned();
                *schema = json!(format!("#/components/schemas/{name}Patch"));
                partial.insert(name);
            }
        }
    }
    partial
}

/// What a body has to keep beside the kinds of its fields stands beside the handler in `x-rules`.
fn add_rules(operation: &mut Map<String, Value>) {
    let Some(Value::Array(rules)) = operation.remove("x-rules") else { return };
    if let Some(schema) = operation.get_mut("requestBody").and_then(|body| body.pointer_mut("/content/application~1json/schema"))
    {
        let all = [vec![schema.take()], rules].concat();
        *schema = json!({ "allOf": all });
    }
}

fn body_schema(operation: &mut Map<String, Value>) -> Option<&mut Value> {
    operation.get_mut("requestBody")?.pointer_mut("/content/application~1json/schema/$ref")
}

fn add_parameters(path: &str, method: &str, operation: &mut Map<String, Value>, ignores_key: bool) {
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    let Some(parameters) = parameters.as_array_mut() else { return };
    if path.contains("{id}") {
        parameters
            .insert(0, json!({ "name": "id", "in": "path", "required": true, "schema": { "$ref": "#/components/schemas/Id" } }));
    }
    if method == "post" {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": if ignores_key {
                "Taken as with every POST; but logging out again is about the token that is used then."
            } else {
                "The same key, with the same path and body, gives the first response again for 24 hours and does nothing."
            },
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": r#"^(?!""$)[!-~]([\t -~]*[!-~])?$"# },
            "example": "5f0c8f0e-6f0b-4f6a-9a51-3c1f4a6f2d11",
        }));
    }
}

/// Adds a response for each status that an error of the operation can have.
fn add_errors(path: &str, method: &str, operation: &mut Map<String, Value>, ignores_key: bool) {
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for kind in kinds(path, method, operation, ignores_key) {
        by_status.entry(kind.status().as_u16()).or_default().push(kind);
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for (status, kinds) in by_status {
        responses.insert(status.to_string(), error_response(&kinds));
    }
}

/// The kinds of errors that an operation can have: its own, and those of every operation like it.
fn kinds(path: &str, method: &str, operation: &mut Map<String, Value>, ignores_key: bool) -> Vec<ErrorCode> {
    let own = operation.remove("x-codes").unwrap_or_default();
    let codes = own.as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut kinds: Vec<ErrorCode> = codes.filter_map(ErrorCode::of_code).collect();
    let mut add = |applies: bool, more: &[ErrorCode]| {
        for kind in more {
            if applies && !kinds.contains(kind) {
                kinds.push(*kind);
            }
        }
    };
    let has_query = operation["parameters"].as_array().into_iter().flatten().any(|parameter| parameter["in"] == "query");
    let is_public = operation.get("security") == Some(&json!([{}]));
    let in_use = ErrorCode::from(Refusal::IdempotencyKeyInUse);
    add(!is_public, &[Engine(ErrorKind::NotAuthenticated)]);
    add(path.contains("{id}"), &[Engine(ErrorKind::NotFound)]);
    add(has_query, &[Engine(ErrorKind::ValidationError)]);
    add(
        operation.contains_key("requestBody"),
        &[
            Http(HttpError::ParseError),
            Engine(ErrorKind::ValidationError),
            Http(HttpError::PayloadTooLarge),
            Http(HttpError::UnsupportedMediaType),
        ],
    );
    add(method == "post", &[Engine(ErrorKind::ValidationError), Http(HttpError::PayloadTooLarge)]);
    add(method == "post" && !ignores_key, &[in_use, Http(HttpError::IdempotencyKeyReused)]);
    add(true, &[Engine(ErrorKind::InternalError), Engine(ErrorKind::Unavailable)]);
    kinds
}

fn error_response(kinds: &[ErrorCode]) -> Value {
    let codes: Vec<&str> = kinds.iter().map(|kind| kind.code()).collect();
    let examples: Map<String, Value> =
        kinds.iter().map(|kind| (kind.code().to_owned(), json!({ "value": example(*kind) }))).collect();
    let mut response = json!({
        "description": codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", "),
        "content": { "application/problem+json": {
            "schema": { "allOf": [
                { "$ref": "#/components/schemas/Problem" },
                { "type": "object", "properties": { "code": { "type": "string", "enum": codes } } },
            ]},
            "examples": examples,
        }},
    });
    let header = |description: &str, schema: Value| json!({ "description": description, "required": true, "schema": schema });
    if kinds.contains(&Engine(ErrorKind::NotAuthenticated)) {
        let schema = json!({ "type": "string", "const": "Token" });
        response["headers"]["WWW-Authenticate"] = header("How to authenticate.", schema);
    }
    if kinds.contains(&Http(HttpError::Throttled)) {
        let schema = json!({ "type": "integer", "minimum": 1 });
        response["headers"]["Retry-After"] = header("In how many seconds one more attempt is taken.", schema);
    }
    response
}

/// An example made by the code that makes the answers.
fn example(kind: ErrorCode) -> Value {
    match kind {
        Engine(ErrorKind::ValidationError) => Problem::invalid_field("name", "This field is required.").body(),
        Engine(ErrorKind::CardDeclined) => Problem::declined("insufficient_funds", 1).body(),
        kind => Problem::new(kind).body(),
    }
}

/// What a `PATCH` takes: any of the fields.
fn add_partial_schemas(schemas: &mut Value, names: &BTreeSet<String>) {
    for name in names {
        let mut schema = schemas[name].clone();
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("required");
        }
        schemas[format!("{name}Patch")] = schema;
    }
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "An error (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": { "type": "string", "const": "about:blank" },
            "title": { "type": "string", "description": "The name of the status." },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": { "type": "string", "description": "What went wrong, for people." },
            "code": { "type": "string", "description": "What went wrong, for programs.",
                "enum": ErrorCode::all().map(ErrorCode::code).collect::<Vec<_>>() },
            "errors": { "type": "object", "description": "The messages of each wrong field or parameter.",
                "additionalProperties": { "type": "array", "items": { "type": "string" }, "minItems": 1 } },
            "failure_code": { "type": "string", "description": "Why the card was declined, in the gateway's words." },
            "payment_id": { "$ref": "#/components/schemas/Id" },
        },
        "example": Problem::new(ErrorKind::NotFound).body(),
    })
}
