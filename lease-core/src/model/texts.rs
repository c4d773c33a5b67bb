//! Texts that are checked once, when they are parsed: how they are parsed and displayed.

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
    )+};
}

texts!(ChassisNumber, Email, ExternalId, Username, Vin);
