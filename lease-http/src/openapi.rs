//! The OpenAPI document (rule 6.8): the descriptions that are beside the handlers, and everything that all operations of a kind
//! have in common. The errors of an operation are named by their codes, and their statuses come from [`problem`](crate::problem),
//! so the document agrees with the responses.
//!
//! Clients are generated from the document. Each schema has a name, so that it becomes one type, and everything that generators
//! cannot read is in extensions: `x-rules` of an operation are the rules between the fields of its body, each of them a schema,
//! and `x-codes` of a response are the codes that its problem can have.

mod examples;

use std::collections::{BTreeMap, BTreeSet};

use lease_core::id::{PaymentId, RefundId};
use lease_core::model::Role;
use lease_core::openapi::EventTypePattern;
use lease_core::repository::TradeSort;
use lease_core::{ErrorKind, Refusal};
use serde_json::{Map, Value, json};
use utoipa::PartialSchema as _;
use utoipa::openapi::{OpenApi, Paths};

use crate::endpoints::X_IDEMPOTENCY_KEY;
use crate::etag;
use crate::idempotency::MAX_KEY_CHARS;
use crate::problem::ErrorCode::{self, Engine, Http};
use crate::problem::{HttpError, Problem, Refused};

/// The methods under which a path has operations.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The complete document, from the descriptions of the router's handlers. With a guard, acts may be refused with other codes than
/// those of the engine.
pub(crate) fn complete(described: &OpenApi, has_guard: bool) -> Result<Value, serde_json::Error> {
    let mut document = serde_json::to_value(described)?;
    document["openapi"] = json!("3.1.0");
    document["info"] = json!({
        "title": "Lease",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Customers offer their own vehicles for lease or sale, and others shop around.\n\n\
            Authenticate with `Authorization: Bearer <token>`; registering, logging in and creating a token return one. Every POST \
            accepts an `Idempotency-Key`. Errors are `application/problem+json` (RFC 9457) with a stable `code`. Every path is also \
            accepted with a trailing slash.",
        "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
    });
    // Relative to the document, and so below the same prefix.
    document["servers"] = json!([{ "url": "..", "description": "The server that this document comes from." }]);
    document["security"] = json!([{ "token": [] }]);
    document["tags"] = tags(&document);
    complete_operations(&mut document["paths"], &described.paths);
    let components = &mut document["components"];
    let schemas = &mut components["schemas"];
    schemas["Problem"] = problem_schema(has_guard);
    schemas["Role"] = serde_json::to_value(Role::schema())?;
    schemas["TradeSort"] = serde_json::to_value(TradeSort::schema())?;
    schemas["EventTypePattern"] = serde_json::to_value(EventTypePattern::schema())?;
    raise_descriptions(schemas);
    components["responses"] = ErrorCode::all().map(|code| (code.code().to_owned(), error_response(&[code]))).collect();
    components["securitySchemes"] = json!({ "token": {
        "type": "http", "scheme": "bearer",
        "description": "The 40 hexadecimal characters that registering, logging in or creating a token returned. `Token` is accepted \
            in place of `Bearer`.",
    }});
    examples::offer(&mut document);
    examples::repeat(&mut document);
    Ok(document)
}

fn tags(document: &Value) -> Value {
    let operations = document["paths"].as_object().into_iter().flat_map(Map::values).filter_map(Value::as_object);
    let names = operations.flat_map(Map::values).filter_map(|operation| operation["tags"][0].as_str());
    let names: BTreeSet<&str> = names.collect();
    names.into_iter().map(|name| json!({ "name": name })).collect()
}

fn complete_operations(paths: &mut Value, described: &Paths) {
    for (path, item) in paths.as_object_mut().into_iter().flatten() {
        let is_changeable = described.get_path_item(path).is_some_and(etag::is_changeable);
        for method in METHODS {
            let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) else { continue };
            let ignores_key = operation.remove(X_IDEMPOTENCY_KEY) == Some(json!("ignored"));
            add_parameters(path, method, operation, ignores_key);
            if is_changeable {
                add_tags(method, operation);
            }
            add_errors(path, method, operation, ignores_key);
            add_location(operation);
            deprecate(operation);
            name_optional_body(operation);
        }
    }
}

/// Says that an object that can be changed has a tag, and what may depend on it.
fn add_tags(method: &str, operation: &mut Map<String, Value>) {
    let (name, description) = match method {
        "get" => ("If-None-Match", "Tags that the client has already, or `*`."),
        _ => ("If-Match", "The tag that the object must have, or `*`; otherwise the response is 412, and nothing is changed."),
    };
    if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
        parameters.push(json!({ "name": name, "in": "header", "required": false, "description": description, "schema": { "type": "string" } }));
    }
    let tag = header("The tag of the object as it is now.", &json!({ "type": "string", "pattern": "^\"[0-9a-f]{32}\"$" }));
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    if let Some(object) = responses.get_mut("200") {
        object["headers"]["ETag"] = tag.clone();
    }
    if method == "get" {
        let unchanged = json!({ "description": "The object is as the client has it.", "headers": { "ETag": tag } });
        responses.insert("304".to_owned(), unchanged);
    } else {
        operation.entry("x-codes").or_insert_with(|| json!([])).as_array_mut().into_iter().for_each(|codes| {
            codes.push(json!(ErrorKind::PreconditionFailed.code()));
        });
    }
}

/// Says that the response about something new names its place.
fn add_location(operation: &mut Map<String, Value>) {
    let Some(made) = operation.get_mut("responses").and_then(|responses| responses.get_mut("201")) else { return };
    let schema = json!({ "type": "string", "format": "uri-reference", "pattern": "/api/[a-z-]+/[1-9][0-9]*$" });
    made["headers"]["Location"] = header("The path of the new object.", &schema);
}

/// The schema of a body that may be left out is named as any other; null is not documented.
fn name_optional_body(operation: &mut Map<String, Value>) {
    let schema = operation.get_mut("requestBody").and_then(|body| body.pointer_mut("/content/application~1json/schema"));
    if let Some(schema) = schema
        && let Some(named) = schema.pointer("/oneOf/0").cloned()
    {
        *schema = named;
    }
}

/// Marks an operation as deprecated if its `x-instead` names another one that does the same.
fn deprecate(operation: &mut Map<String, Value>) {
    let Some(Value::String(instead)) = operation.remove("x-instead") else { return };
    let described = operation.get("description").and_then(Value::as_str).map(|text| format!("{text}\n\n")).unwrap_or_default();
    operation.insert("description".to_owned(), json!(format!("{described}Deprecated: use `{instead}` instead.")));
    operation.insert("deprecated".to_owned(), json!(true));
}

/// Moves the description of a field that may be null from its value to the field as a whole.
fn raise_descriptions(schemas: &mut Value) {
    let schemas = schemas.as_object_mut().into_iter().flat_map(Map::values_mut);
    let fields = schemas.filter_map(|schema| schema.get_mut("properties")?.as_object_mut()).flat_map(Map::values_mut);
    for field in fields {
        let of_value = field.pointer_mut("/oneOf/0").and_then(Value::as_object_mut);
        if let Some(description) = of_value.and_then(|value| value.remove("description")) {
            field["description"] = description;
        }
    }
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
                "The key is checked as with every POST, but has no effect: each log-out revokes the token with which it is sent."
            } else {
                "For 24 hours, a request with the same key, path and body gets the first response again and has no other effect."
            },
            "schema": { "type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARS, "pattern": r#"^(?!""$)[!-~]([\t -~]*[!-~])?$"# },
        }));
    }
}

/// Adds a response for each status that an error of the operation can have.
fn add_errors(path: &str, method: &str, operation: &mut Map<String, Value>, ignores_key: bool) {
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in codes(path, method, operation, ignores_key) {
        by_status.entry(code.status().as_u16()).or_default().push(code);
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for (status, codes) in by_status {
        let response = match codes[..] {
            [code] => json!({ "$ref": format!("#/components/responses/{}", code.code()) }),
            _ => error_response(&codes),
        };
        responses.insert(status.to_string(), response);
    }
}

/// The codes of the errors that an operation can have: its own, and those of every operation like it.
fn codes(path: &str, method: &str, operation: &mut Map<String, Value>, ignores_key: bool) -> Vec<ErrorCode> {
    let own = operation.remove("x-codes").unwrap_or_default();
    let names = own.as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut codes: Vec<ErrorCode> = names.filter_map(ErrorCode::of_code).collect();
    let mut add = |applies: bool, more: &[ErrorCode]| {
        for code in more {
            if applies && !codes.contains(code) {
                codes.push(*code);
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
            Http(HttpError::RequestTimeout),
            Http(HttpError::PayloadTooLarge),
            Http(HttpError::UnsupportedMediaType),
        ],
    );
    let bad_body = [Http(HttpError::RequestTimeout), Http(HttpError::PayloadTooLarge)];
    add(method == "post", &[&[Engine(ErrorKind::ValidationError)], &bad_body[..]].concat());
    add(method == "post" && !ignores_key, &[in_use, Http(HttpError::IdempotencyKeyReused)]);
    add(method == "post" && !ignores_key && !is_public, &[Engine(ErrorKind::PermissionDenied)]);
    add(method != "get" && !operation.contains_key("security"), &[Engine(ErrorKind::EmailNotVerified)]);
    add(true, &[Engine(ErrorKind::InternalError), Engine(ErrorKind::Unavailable)]);
    codes
}

fn error_response(codes: &[ErrorCode]) -> Value {
    let names: Vec<&str> = codes.iter().map(|code| code.code()).collect();
    let examples: Map<String, Value> =
        codes.iter().map(|code| (code.code().to_owned(), json!({ "value": example(*code) }))).collect();
    let mut response = json!({
        "description": names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        "content": { "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" },
            "examples": examples,
        }},
        "x-codes": names,
    });
    if codes.contains(&Engine(ErrorKind::NotAuthenticated)) {
        let schema = json!({ "type": "string", "const": "Token" });
        response["headers"]["WWW-Authenticate"] = header("How to authenticate.", &schema);
    }
    if codes.contains(&Engine(ErrorKind::Throttled)) || codes.contains(&Engine(ErrorKind::Unavailable)) {
        let schema = json!({ "type": "integer", "minimum": 1 });
        response["headers"]["Retry-After"] = header("The number of seconds until another attempt is accepted.", &schema);
    }
    response
}

fn header(description: &str, schema: &Value) -> Value {
    json!({ "description": description, "required": true, "schema": schema })
}

/// An example of a problem, built by the code that builds the responses.
fn example(code: ErrorCode) -> Value {
    match code {
        Engine(ErrorKind::ValidationError) => Problem::invalid_field("name", "This field is required.").body(),
        Engine(kind @ ErrorKind::CardDeclined) => {
            let failure =
                Refused { failure_code: Some("insufficient_funds".to_owned()), payment_id: PaymentId::new(1), refund_id: None };
            Problem::failed(kind, failure).body()
        }
        Engine(kind @ ErrorKind::RefundFailed) => {
            let failure = Refused {
                failure_code: Some("expired_or_canceled_card".to_owned()),
                payment_id: None,
                refund_id: RefundId::new(1),
            };
            Problem::failed(kind, failure).body()
        }
        code => Problem::new(code).body(),
    }
}

fn problem_schema(has_guard: bool) -> Value {
    let code = if has_guard {
        json!({ "type": "string", "pattern": "^[a-z][a-z0-9_]*$",
            "description": "The stable code of the error for programs. Rules of this platform's own may answer 409 with codes beyond \
                those that an operation names." })
    } else {
        json!({ "type": "string", "description": "The stable code of the error for programs.",
            "enum": ErrorCode::all().map(ErrorCode::code).collect::<Vec<_>>() })
    };
    json!({
        "type": "object",
        "description": "An error (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": { "type": "string", "const": "about:blank" },
            "title": { "type": "string", "description": "The standard name of the status." },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": { "type": "string", "description": "An explanation of the error for people." },
            "code": code,
            "errors": { "type": "object", "description": "The messages for each wrong field or parameter.",
                "additionalProperties": { "type": "array", "items": { "type": "string" }, "minItems": 1 } },
            "failure_code": { "type": "string", "description": "The gateway's reason for refusing the card or the refund.",
                "example": "insufficient_funds" },
            "payment_id": { "$ref": "#/components/schemas/Id" },
            "refund_id": { "$ref": "#/components/schemas/Id" },
        },
        "example": Problem::new(ErrorKind::NotFound).body(),
    })
}
