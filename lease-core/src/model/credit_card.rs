use chrono::{DateTime, Datelike, NaiveDate, Utc};

use crate::gateway::CardToken;
use crate::id::{CreditCardId, CustomerId, Entity};

/// A stored means of payment: what may be shown of a card, and the gateway's token for it. Never the number.
#[derive(Clone, Debug, PartialEq)]
pub struct CreditCard {
    /// Whose card it is.
    pub customer_id: CustomerId,
    /// The scheme that issued it.
    pub brand: CardBrand,
    /// The last four digits of the number.
    pub last4: String,
    /// The month it expires at the end of, 1 to 12.
    pub exp_month: u32,
    /// The year it expires in.
    pub exp_year: i32,
    /// The name on it.
    pub holder_name: String,
    /// Whether it is the one to suggest; one a customer.
    pub is_default: bool,
    /// What the gateway charges.
    pub token: CardToken,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
    /// When it was deleted: gone from lists, kept for its payments.
    pub deleted_at: Option<DateTime<Utc>>,
}

impl Entity for CreditCard {
    type Id = CreditCardId;
}

impl CreditCard {
    /// Whether it may pay on this day: neither deleted nor past the last day of its month (rule 5.4).
    #[must_use]
    pub fn is_usable(&self, today: NaiveDate) -> bool {
        self.deleted_at.is_none() && !is_card_expired(self.exp_month, self.exp_year, today)
    }
}

/// Whether a card of this month and year has expired: cards live through the last day of the month.
pub(crate) fn is_card_expired(exp_month: u32, exp_year: i32, today: NaiveDate) -> bool {
    (exp_year, exp_month) < (today.year(), today.month())
}

/// The scheme that issued a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum CardBrand {
    /// Visa, Visa Electron among them.
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
    /// A valid number of a scheme not told apart here.
    Unknown,
}
