use std::fmt;

use lease_core::money::{Money, check_amount, parse_decimal};
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

/// The most digits after the point that a currency has.
const MOST_DIGITS: u32 = 4;

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
        let text = String::deserialize(deserializer)?;
        let mut amount = parse_decimal(&text).and_then(check_amount).map_err(D::Error::custom)?;
        // The zeros at the end belong to its form.
        let digits = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        amount.rescale(u32::try_from(digits).unwrap_or(MOST_DIGITS).min(MOST_DIGITS));
        Ok(Self(amount))
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
