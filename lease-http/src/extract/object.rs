//! A JSON object whose numbers keep their digits. Read the usual way they are doubles, and an amount of 0.29999999999999999
//! would be 0.30.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Error;
use serde_json::value::RawValue;

/// The fields of an object, as they stand in the body.
pub(super) struct Object<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl Object<'_> {
    /// Reads a draft: a number comes to its [`Field`](lease_core::input::Field) as the bytes of its literal.
    ///
    /// # Errors
    /// Where a field is given twice, or a text has half of a surrogate pair.
    pub(super) fn read<T: DeserializeOwned>(self) -> Result<T, Error> {
        T::deserialize(MapDeserializer::new(self.0.into_iter()))
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(name) = map.next_key::<Name<'de>>()? {
            fields.push((name.0, Value(map.next_value()?)));
        }
        Ok(Object(fields))
    }
}

/// The name of a field; most have no escapes and are not copied.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Clone, Copy)]
struct Value<'a>(&'a RawValue);

impl<'de> IntoDeserializer<'de, Error> for Value<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let text = self.0.get();
        if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return visitor.visit_bytes(text.as_bytes());
        }
        serde_json::Deserializer::from_str(text).deserialize_any(visitor)
    }

    /// What no field asks for is not looked into.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier
    }
}
