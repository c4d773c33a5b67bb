//! Texts that are checked once, when they are parsed: how they are parsed, displayed and serialized.

use std::fmt;
use std::str::FromStr;

use super::{ChassisNumber, Email, ExternalId, Username, Vin};
use crate::input::Invalid;

macro_rules! texts {
    ($($name:ident),+ $(,)?) => {$(
        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::by_name::parsed(deserializer)
            }
        }
    )+};
}

texts!(ChassisNumber, Email, ExternalId, Username, Vin);
