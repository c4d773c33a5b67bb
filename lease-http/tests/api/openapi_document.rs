//! Clients are generated from the document. These are the rules that generators require; `make clients` runs the generators.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::contract::named;
use crate::support::{document, resolved};

/// Every operation with its method and path: `GET /api/trades`.
fn operations() -> impl Iterator<Item = (String, &'static Value)> {
    let paths = document()["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, operations)| {
        let operations = operations.as_object().unwrap().iter();
        operations.map(move |(method, operation)| (format!("{} {path}", method.to_ascii_uppercase()), operation))
    })
}

/// The schemas of all JSON in requests and responses, each with its place in the document.
fn bodies() -> impl Iterator<Item = (String, &'static Value)> {
    operations().flat_map(|(name, operation)| {
        let taken = operation.get("requestBody").into_iter().map(|body| ("takes".to_owned(), body));
        let responses = operation["responses"].as_object().unwrap().iter();
        let answered = responses.map(|(status, response)| (status.clone(), resolved(response)));
        taken.chain(answered).flat_map(move |(what, body)| {
            let content = body["content"].as_object().into_iter().flatten().filter(|(kind, _)| kind.contains("json"));
            content.map(|(_, content)| (format!("{name} {what}"), &content["schema"])).collect::<Vec<_>>()
        })
    })
}

/// A schema that is written inline would become a separate type for each use.
#[test]
fn every_body_refers_to_a_schema_by_its_name() {
    for (place, schema) in bodies().filter(|(place, _)| !place.contains("/api/openapi.json 200")) {
        assert!(named(schema).is_some(), "{place}: {schema}");
    }
}

#[test]
fn every_error_is_the_one_problem() {
    for (name, operation) in operations() {
        for (status, response) in operation["responses"].as_object().unwrap() {
            if status.starts_with(['4', '5']) {
                let response = resolved(response);
                let schema = &response["content"]["application/problem+json"]["schema"];
                assert_eq!(named(schema), Some("Problem"), "{name} {status}");
                assert!(!response["x-codes"].as_array().unwrap().is_empty(), "{name} {status} names its codes");
            }
        }
    }
}

#[test]
fn every_page_refers_to_its_rows_by_their_name() {
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    let pages = schemas.iter().filter(|(_, schema)| schema["properties"].get("results").is_some());
    let mut found = 0;
    for (name, schema) in pages {
        let rows = named(&schema["properties"]["results"]["items"]).unwrap_or_else(|| panic!("{name} writes its rows out"));
        assert_eq!(*name, format!("{rows}Page"));
        found += 1;
    }
    assert_eq!(found, 16, "one page for each table, and for tokens, events, refunds, webhook endpoints and their deliveries");
}

/// No field has an inline object as its type, and null is allowed only beside the single type of a field.
#[test]
fn every_field_is_of_one_kind_that_may_be_null() {
    fn check(place: &str, schema: &Value) {
        assert!(schema["type"] != "object" || place.ends_with("Problem.errors"), "{place} is an object that has no name");
        for composed in ["allOf", "anyOf"] {
            let parts = schema[composed].as_array().into_iter().flatten();
            assert!(parts.into_iter().all(|part| part["type"] != "null"), "{place}: null within {composed}");
        }
        if let Some(either) = schema["oneOf"].as_array() {
            let may_be_null = either.len() == 2 && named(&either[0]).is_some() && either[1]["type"] == "null";
            assert!(may_be_null, "{place}: {schema}");
        }
    }
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            check(&format!("{name}.{field}"), schema);
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &'static Value, found: &mut BTreeSet<&'static str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    references(document(), &mut found);
    let lost: Vec<_> = found.iter().filter(|reference| document().pointer(&reference[1..]).is_none()).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let schemas = document()["components"]["schemas"].as_object().unwrap().keys();
    let unused: Vec<_> = schemas.filter(|name| !found.contains(format!("#/components/schemas/{name}").as_str())).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let ids: Vec<&str> = operations().map(|(name, operation)| operation["operationId"].as_str().expect(&name)).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
}

/// If two operations do the same, one is deprecated and names the other.
#[test]
fn doubled_paths_are_deprecated() {
    let mut deprecated: Vec<String> = operations()
        .filter(|(_, operation)| operation["deprecated"] == true)
        .inspect(|(name, operation)| {
            let description = operation["description"].as_str().unwrap();
            let instead = description.split('`').rev().nth(1).unwrap();
            assert!(operations().any(|(other, operation)| other == instead && operation["deprecated"] != true), "{name}");
        })
        .map(|(name, _)| name)
        .collect();
    deprecated.sort_unstable();
    let expected = ["GET /api/user/{id}", "PATCH /api/user/{id}", "PUT /api/user/{id}"];
    assert_eq!(deprecated, expected);
}

/// The document is two levels below the root of the server, wherever the router is nested.
#[test]
fn the_server_is_where_the_document_comes_from() {
    let servers: Vec<&str> = document()["servers"].as_array().unwrap().iter().map(|one| one["url"].as_str().unwrap()).collect();
    assert_eq!(servers, [".."]);
}

/// The rules between the fields of a body are for validators, and name only fields that the body has.
#[test]
fn rules_are_schemas_of_the_fields_of_a_body() {
    let mut found = 0;
    for (name, operation) in operations().filter(|(_, operation)| operation.get("x-rules").is_some()) {
        let body = resolved(&operation["requestBody"]["content"]["application/json"]["schema"]);
        for case in operation["x-rules"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|rule| rule["anyOf"].as_array().map_or_else(|| vec![rule], |cases| cases.iter().collect()))
        {
            for field in case["properties"].as_object().unwrap().keys() {
                assert!(body["properties"].get(field).is_some(), "{name}: {field}");
            }
        }
        found += 1;
    }
    assert_eq!(found, 8);
}

/// The page `/docs` holds parameters against their patterns, and reads these without the flag for characters beyond 16 bits.
#[test]
fn the_page_of_the_document_can_read_the_patterns_of_parameters() {
    for (name, operation) in operations() {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let pattern = resolved(&parameter["schema"])["pattern"].as_str().unwrap_or_default();
            assert!(pattern.chars().all(|character| character <= '\u{ffff}'), "{name} {}: {pattern}", parameter["name"]);
        }
    }
}
