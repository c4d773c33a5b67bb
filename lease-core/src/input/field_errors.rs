use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::Invalid;

/// Why fields are not accepted, by field. An app that serializes it gets the `code`, the `params` and the `message` of each reason; the
/// REST layer answers with the sentences only (rule 6.6).
///
/// ```
/// use lease_core::input::{FieldErrors, Invalid};
/// use serde_json::json;
///
/// let errors = FieldErrors::one("title", Invalid::TooLong { max: 200 });
/// let reason = json!({ "code": "too_long", "params": { "max": 200 }, "message": "At most 200 characters are allowed." });
/// assert_eq!(serde_json::to_value(&errors)?, json!({ "title": [reason] }));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(BTreeMap<&'static str, Vec<Invalid>>);

impl FieldErrors {
    /// The name for reasons that belong to no single field.
    pub const NON_FIELD: &'static str = "non_field_errors";

    /// A single reason on one field.
    #[must_use]
    pub fn one(field: &'static str, reason: impl Into<Invalid>) -> Self {
        let mut errors = Self::default();
        errors.add(field, reason);
        errors
    }

    /// Adds a reason.
    pub fn add(&mut self, field: &'static str, reason: impl Into<Invalid>) {
        self.0.entry(field).or_default().push(reason.into());
    }

    /// Whether every field is accepted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Why a field is not accepted.
    #[must_use]
    pub fn of(&self, field: &str) -> &[Invalid] {
        self.0.get(field).map_or(&[], Vec::as_slice)
    }

    /// Each invalid field, with the reasons.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &[Invalid])> {
        self.0.iter().map(|(field, reasons)| (*field, reasons.as_slice()))
    }

    /// The names of the invalid fields.
    pub fn fields(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Described<'a> {
            #[serde(flatten)]
            reason: &'a Invalid,
            message: String,
        }
        let described = |reason| Described { reason, message: reason.to_string() };
        serializer.collect_map(self.iter().map(|(field, reasons)| (field, reasons.iter().map(described).collect::<Vec<_>>())))
    }
}
