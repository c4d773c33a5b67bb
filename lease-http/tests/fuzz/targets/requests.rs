//! Sequences of arbitrary requests, by any caller, to the router with a store in memory. Every response is described in the
//! document and none is a 5xx, and the invariants hold at the end, whatever was sent.

use std::sync::LazyLock;

use arbitrary::{Arbitrary, Result, Unstructured};
use axum::body::Body;
use axum::http::Request;
use lease_core::invariants::Books;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use serde_json::{Map, Value, json};

use super::field_values::{FieldValue, likely};
use super::{block_on, many};
use crate::support::{World, check_response, document, resolved};

/// A request. Numbers are taken modulo the number of choices.
#[derive(Clone, Debug, Arbitrary)]
struct Asked {
    operation: u8,
    who: Who,
    id: Id,
    query: Vec<(u8, Parameter)>,
    body: Sent,
    key: Option<u8>,
}

#[derive(Clone, Debug, Arbitrary)]
enum Who {
    Owner,
    Buyer,
    Person(u8),
    Nobody,
    /// An `Authorization` header with these characters.
    Header(String),
}

#[derive(Clone, Debug, Arbitrary)]
enum Id {
    Small(u8),
    Number(i64),
    Bytes(Vec<u8>),
}

#[derive(Clone, Debug, Arbitrary)]
enum Parameter {
    Likely(u8),
    Bytes(Vec<u8>),
    /// A header with another name.
    Unknown(Vec<u8>),
}

#[derive(Clone, Debug, Arbitrary)]
enum Sent {
    /// A body with every field of the endpoint's schema, most with a value that fits.
    Whole(u8, Vec<(u8, FieldValue)>),
    Some(Vec<(u8, FieldValue)>),
    Bytes(Vec<u8>),
    Nothing,
}

/// The input of an endpoint, according to the document.
struct Operation {
    method: String,
    path: String,
    parameters: Vec<String>,
    fields: Vec<String>,
}

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let mut operations = Vec::new();
    for (path, methods) in document()["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let in_query = parameters.filter(|parameter| parameter["in"] == "query");
            operations.push(Operation {
                method: method.to_ascii_uppercase(),
                path: path.clone(),
                parameters: in_query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect(),
                fields: fields_of(&operation["requestBody"]["content"]["application/json"]["schema"]),
            });
        }
    }
    assert!(operations.iter().any(|operation| operation.fields.iter().any(|field| field == "vin")), "bodies have fields");
    operations
});

/// The names of the fields of a schema, also if it refers to another one.
fn fields_of(schema: &'static Value) -> Vec<String> {
    resolved(schema)["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn one_of<T>(rows: &[T], number: u8) -> Option<&T> {
    rows.get(usize::from(number).checked_rem(rows.len())?)
}

impl Asked {
    fn request(&self, world: &World) -> Request<Body> {
        let operation = one_of(&OPERATIONS, self.operation).unwrap();
        let mut request = Request::builder().method(operation.method.as_str()).uri(self.uri(operation));
        let authorization = match &self.who {
            Who::Owner => Some(format!("Token {}", world.owner.token)),
            Who::Buyer => Some(format!("Bearer {}", world.buyer.token)),
            Who::Person(number) => {
                one_of(&[&world.staff, &world.root, &world.stranger], *number).map(|person| format!("Token {}", person.token))
            }
            Who::Nobody => None,
            Who::Header(text) => Some(text.chars().filter(|character| !character.is_control()).collect()),
        };
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization.as_bytes());
        }
        if let Some(key) = self.key {
            request = request.header("idempotency-key", format!("key-{}", key % 4));
        }
        match self.body.bytes(operation) {
            Some(bytes) => request.header("content-type", "application/json").body(Body::from(bytes)),
            None => request.body(Body::empty()),
        }
        .unwrap()
    }

    fn uri(&self, operation: &Operation) -> String {
        let encoded = |bytes: &[u8]| percent_encode(bytes, NON_ALPHANUMERIC).to_string();
        let id = match &self.id {
            Id::Small(number) => (number % 8).to_string(),
            Id::Number(number) => number.to_string(),
            Id::Bytes(bytes) => encoded(bytes),
        };
        let mut uri = operation.path.replace("{id}", &id);
        for (separator, (name, value)) in std::iter::once('?').chain(std::iter::repeat('&')).zip(&self.query) {
            let Some(name) = one_of(&operation.parameters, *name) else { break };
            let pair = match value {
                Parameter::Likely(number) => {
                    let value = likely(name, *number);
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    format!("{name}={}", encoded(text.as_bytes()))
                }
                Parameter::Bytes(bytes) => format!("{name}={}", encoded(bytes)),
                Parameter::Unknown(bytes) => encoded(bytes),
            };
            uri.push(separator);
            uri.push_str(&pair);
        }
        uri
    }
}

impl Sent {
    fn bytes(&self, operation: &Operation) -> Option<Vec<u8>> {
        let mut body = Map::new();
        let given = match self {
            Self::Nothing => return None,
            Self::Bytes(bytes) => return Some(bytes.clone()),
            Self::Whole(number, given) => {
                body.extend(operation.fields.iter().map(|field| (field.clone(), likely(field, *number))));
                given
            }
            Self::Some(given) => given,
        };
        for (field, value) in given {
            if let Some(field) = one_of(&operation.fields, *field) {
                body.insert(field.clone(), value.value(field));
            }
        }
        Some(json!(body).to_string().into_bytes())
    }
}

/// Rule 6.6: every response is described and none is a 5xx. I1 to I6 hold at the end.
pub(super) fn no_request_gets_a_5xx(input: &mut Unstructured) -> Result<()> {
    let asked: Vec<Asked> = many(input, 24)?;
    block_on(async {
        let world = World::new().await;
        for asked in asked {
            let request = asked.request(&world);
            let (method, path) = (request.method().to_string(), request.uri().to_string());
            let response = world.app.send(request).await;
            assert!(response.status.as_u16() < 500, "{method} {path}: {} of {asked:?}", response.text);
            check_response(&method, &path, &response);
        }
        let books = Books::read(&*world.store).await.unwrap();
        assert_eq!(books.violations(), Vec::<String>::new());
    });
    Ok(())
}
