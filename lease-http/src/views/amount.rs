use std::borrow::Cow;
use std::fmt;

use lease_core::money::Money;
use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::schema::text;

/// An amount, with exactly the digits of its currency. In JSON it is a string, so that no reader makes a double of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount(Decimal);

impl Amount {
    /// The number.
    #[must_use]
    pub const fn decimal(self) -> Decimal {
        self.0
    }
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self(money.amount())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Written out rather than left to `Decimal`, whose form in JSON depends on the features that an app chooses.
impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'_, str>>::deserialize(deserializer)?;
        // Keeps the zeros at the end.
        Decimal::from_str_exact(&text).map(Self).map_err(D::Error::custom)
    }
}

impl PartialSchema for Amount {
    fn schema() -> RefOr<Schema> {
        text(20, r"^[0-9]{1,12}(\.[0-9]{1,4})?$")
            .description(Some("An exact decimal, with the number of digits that its currency has."))
            .examples([json!("199.99")])
            .into()
    }
}

impl ToSchema for Amount {}
