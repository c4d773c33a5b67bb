//! The examples of operations, each of which is written once, where the field of a body is defined.

use serde_json::{Map, Value, json};

/// Offers the examples of a body for a choice where there are several, under the names in the operation's `x-examples`.
pub(super) fn offer(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    let items = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
    for operation in items.flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        let Some(Value::Array(names)) = operation.remove("x-examples") else { continue };
        let Some(body) = operation.get_mut("requestBody") else { continue };
        let examples = schema(body).map(|name| schemas[name]["examples"].clone()).unwrap_or_default();
        let pairs = (1..).zip(names.iter().zip(examples.as_array().into_iter().flatten()));
        let offer = |(number, (summary, value)): (u32, (&Value, &Value))| {
            (number.to_string(), json!({ "summary": summary, "value": value }))
        };
        body["content"]["application/json"]["examples"] = pairs.map(offer).collect();
    }
}

/// Gives the fields of responses that have no example that of the body which sets them.
pub(super) fn repeat(document: &mut Value) {
    let pairs: Vec<(String, String)> = operations(document).filter_map(body_and_response).collect();
    for (body, response) in pairs {
        let Value::Object(example) = document["components"]["schemas"][body]["examples"][0].clone() else { continue };
        for (field, value) in example {
            let property = document.pointer_mut(&format!("/components/schemas/{response}/properties/{field}"));
            if let Some(property) = property.and_then(Value::as_object_mut)
                && property.contains_key("type")
            {
                property.entry("example").or_insert(value);
            }
        }
    }
}

fn operations(document: &Value) -> impl Iterator<Item = &Value> {
    document["paths"].as_object().into_iter().flat_map(Map::values).filter_map(Value::as_object).flat_map(Map::values)
}

/// The names of the schemas of an operation's body and of its response about what was made or changed.
fn body_and_response(operation: &Value) -> Option<(String, String)> {
    let responses = &operation["responses"];
    Some((schema(&operation["requestBody"])?, schema(&responses["201"]).or_else(|| schema(&responses["200"]))?))
}

fn schema(of: &Value) -> Option<String> {
    let reference = of.pointer("/content/application~1json/schema/$ref")?.as_str()?;
    reference.strip_prefix("#/components/schemas/").map(str::to_owned)
}
