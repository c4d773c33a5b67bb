use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use crate::id::{CreditCardId, CustomerId, Entity};

/// A stored credit card: the details that may be shown, and the gateway's token for it. The number is never stored.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CreditCard {
    /// The customer that the card belongs to.
    pub customer_id: CustomerId,
    /// The card's brand.
    pub brand: CardBrand,
    /// The last four digits of the number.
    pub last4: String,
    /// The month at the end of which it expires, 1 to 12.
    pub exp_month: u32,
    /// The year in which it expires.
    pub exp_year: i32,
    /// The name on the card.
    pub holder_name: String,
    /// Whether this is the customer's default card; each customer has at most one.
    pub is_default: bool,
    /// The token by which the gateway charges the card.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub token: CardToken,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
    /// When it was deleted, if it was. A deleted card is no longer listed, but it is kept for its payments.
    pub deleted_at: Option<DateTime<Utc>>,
}

impl Entity for CreditCard {
    type Id = CreditCardId;
}

impl CreditCard {
    /// Whether payments may be made with it on this day: it is not deleted, and its month of expiry has not ended (rule 5.4).
    #[must_use]
    pub fn is_usable(&self, today: NaiveDate) -> bool {
        self.deleted_at.is_none() && !is_card_expired(self.exp_month, self.exp_year, today)
    }
}

/// Whether a card with this month and year of expiry has expired: a card is valid through the last day of that month.
pub(crate) fn is_card_expired(exp_month: u32, exp_year: i32, today: NaiveDate) -> bool {
    (exp_year, exp_month) < (today.year(), today.month())
}

/// The brand of a card: the scheme under which it was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum CardBrand {
    /// Visa, including Visa Electron.
    Visa,
    /// Mastercard.
    Mastercard,
    /// American Express.
    Amex,
    /// Diners Club.
    Diners,
    /// Discover.
    Discover,
    /// JCB.
    Jcb,
    /// China `UnionPay`.
    Unionpay,
    /// Maestro.
    Maestro,
    /// Mir.
    Mir,
    /// A valid card number of any other scheme.
    Unknown,
}

/// A provider's token for a card. Whoever holds it can charge, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct CardToken(String);

impl CardToken {
    /// Wraps a provider's token.
    #[must_use]
    pub fn new(token: String) -> Self {
        Self(token)
    }

    /// The token, to be stored or sent to the provider.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CardToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardToken(…)")
    }
}
