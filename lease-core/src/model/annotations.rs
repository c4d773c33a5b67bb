use serde_json::{Map, Value};

use super::limits::{MAX_METADATA_BYTES, MAX_METADATA_DEPTH, MAX_METADATA_KEY, MAX_METADATA_KEYS};
use crate::input::Invalid;
use crate::text;

/// What the company that runs the platform, or the app that embeds the engine, keeps with an object for itself. Customers neither see
/// nor set it over the API, and no rule depends on it, except that an external id is unique.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Annotations {
    /// What the object is called in another system; no two objects of a kind have the same.
    pub external_id: Option<ExternalId>,
    /// Anything else.
    pub metadata: Metadata,
}

/// What an object is called in another system: one line of 1 to 255 characters. Capitals and small letters differ.
///
/// ```
/// # use lease_core::model::ExternalId;
/// assert_eq!(ExternalId::parse(" auth0|5f7c8ec7 ")?.as_str(), "auth0|5f7c8ec7");
/// # Ok::<(), lease_core::input::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExternalId(String);

impl ExternalId {
    /// Parses an id, after trimming it.
    ///
    /// # Errors
    /// [`Invalid`]: what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        text::external_id(text).map(Self)
    }

    /// The id that is stored in a row. It was parsed once; what is stored is never judged by the rules for input again.
    #[must_use]
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A JSON object: at most 50 keys of at most 40 characters, five levels and 8 KiB. A whole number that was written with a fraction or
/// an exponent is the same number without.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "Map<String, Value>"))]
pub struct Metadata(Map<String, Value>);

impl Metadata {
    /// Checks an object.
    ///
    /// # Errors
    /// [`Invalid`]: what is wrong with it.
    pub fn parse(object: &Map<String, Value>) -> Result<Self, Invalid> {
        if object.len() > MAX_METADATA_KEYS {
            return Err(Invalid::MetadataKeys { max: MAX_METADATA_KEYS });
        }
        let object = plain_object(object, 1)?;
        if Value::Object(object.clone()).to_string().len() > MAX_METADATA_BYTES {
            return Err(Invalid::MetadataBytes { max: MAX_METADATA_BYTES });
        }
        Ok(Self(object))
    }

    /// The object that is stored in a row. It was checked once; what is stored is never judged by the rules for input again.
    #[must_use]
    pub const fn from_stored(object: Map<String, Value>) -> Self {
        Self(object)
    }

    /// The object.
    #[must_use]
    pub const fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The object.
    #[must_use]
    pub fn into_object(self) -> Map<String, Value> {
        self.0
    }
}

impl TryFrom<Map<String, Value>> for Metadata {
    type Error = Invalid;

    fn try_from(object: Map<String, Value>) -> Result<Self, Invalid> {
        Self::parse(&object)
    }
}

/// The object as it is stored, at this level.
fn plain_object(object: &Map<String, Value>, level: usize) -> Result<Map<String, Value>, Invalid> {
    check_level(level)?;
    object.iter().map(|(key, value)| Ok((checked_key(key)?, plain(value, level)?))).collect()
}

fn check_level(level: usize) -> Result<(), Invalid> {
    if level > MAX_METADATA_DEPTH { Err(Invalid::MetadataDepth { max: MAX_METADATA_DEPTH }) } else { Ok(()) }
}

fn checked_key(key: &str) -> Result<String, Invalid> {
    if key.chars().count() > MAX_METADATA_KEY {
        return Err(Invalid::MetadataKey { max: MAX_METADATA_KEY });
    }
    checked_text(key)
}

/// A store may not be able to keep NUL.
fn checked_text(text: &str) -> Result<String, Invalid> {
    if text.contains('\0') { Err(Invalid::MetadataNul) } else { Ok(text.to_owned()) }
}

/// The value as it is stored, in an object of this level.
fn plain(value: &Value, level: usize) -> Result<Value, Invalid> {
    Ok(match value {
        Value::Number(number) if number.is_f64() => number.as_f64().and_then(whole).unwrap_or_else(|| value.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(text) => checked_text(text)?.into(),
        Value::Array(items) => {
            check_level(level + 1)?;
            items.iter().map(|item| plain(item, level + 1)).collect::<Result<_, _>>()?
        }
        Value::Object(object) => plain_object(object, level + 1)?.into(),
    })
}

/// The integer that a double is exactly, if there is one of 64 bits. One store keeps `1e2`, another makes it 100.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it has no fraction, and is in the range")]
fn whole(double: f64) -> Option<Value> {
    /// 2⁶³.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    match double {
        _ if double.fract() != 0.0 => None,
        _ if double.abs() < BEYOND => Some((double as i64).into()),
        _ if (BEYOND..2.0 * BEYOND).contains(&double) => Some((double as u64).into()),
        _ => None,
    }
}
