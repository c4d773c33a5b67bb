//! Helpers for the tests of every area: values with sensible defaults, a trade in any state, and short forms of results.

mod build;
mod fees;
mod scene;

use std::fmt::Debug;

use lease_core::Error;
use lease_core::event::Event;
use serde_json::Value;

pub(crate) use build::*;
pub(crate) use fees::Fees;
pub(crate) use scene::{Scene, agreement};

/// Reads a draft from JSON, as a handler does.
pub(crate) fn draft<T: serde::de::DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).expect("a draft reads any object")
}

/// The object with these fields added or replaced.
pub(crate) fn with(mut json: Value, fields: Value) -> Value {
    if let (Value::Object(json), Value::Object(fields)) = (&mut json, fields) {
        json.extend(fields);
    }
    json
}

/// The stable code of a result; `ok` if it is not an error.
pub(crate) fn code<T: Debug>(response: Result<T, Error>) -> &'static str {
    response.map_or_else(|error| error.code(), |_| "ok")
}

/// The names of the wrong fields.
pub(crate) fn wrong_fields<T: Debug>(response: Result<T, Error>) -> Vec<&'static str> {
    match response {
        Err(Error::Invalid(errors)) => errors.fields().collect(),
        other => panic!("wrong fields were expected, not {other:?}"),
    }
}

/// The names of the types of events.
pub(crate) fn names(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.event_type.into()).collect()
}
