//! What has no field of its own, as an object under `django`.

use lease_core::model::{self, Annotations};
use serde_json::{Map, Value};

use crate::text;

/// The most bytes of an object as JSON, with room for the name above it.
const MAX_BYTES: usize = 8 * 1_024 - 64;
/// The most characters of a text in it.
const MAX_TEXT: usize = 1_000;

/// An object that is filled as far as there is room.
#[derive(Default)]
pub(super) struct Metadata {
    object: Map<String, Value>,
    /// Whether something was left out.
    pub(super) is_full: bool,
}

impl Metadata {
    pub(super) fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.object.insert(name.to_owned(), value.into());
        if Value::from(self.object.clone()).to_string().len() > MAX_BYTES {
            self.object.remove(name);
            self.is_full = true;
        }
    }

    /// Puts a text, unless it is empty.
    pub(super) fn put_text(&mut self, name: &str, text: Option<&str>) {
        let cleaned = text::free(text, MAX_TEXT);
        if !cleaned.text.is_empty() {
            self.put(name, cleaned.text);
        }
    }

    /// Puts a number, if there is one.
    pub(super) fn put_number(&mut self, name: &str, number: Option<i64>) {
        if let Some(number) = number {
            self.put(name, number);
        }
    }

    /// The object, if there is anything in it.
    pub(super) fn object(self) -> Option<Map<String, Value>> {
        (!self.object.is_empty()).then_some(self.object)
    }

    /// What is kept with an object of the engine.
    pub(super) fn annotations(self) -> Annotations {
        let metadata = self.object().map(|object| Map::from_iter([("django".to_owned(), object.into())]));
        Annotations { metadata: metadata.map(model::Metadata::from_stored).unwrap_or_default(), ..Annotations::default() }
    }
}
