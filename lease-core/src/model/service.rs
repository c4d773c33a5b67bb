use chrono::{Days, NaiveDate};

use crate::clock::last_instant;
use crate::id::{Entity, ServiceId};
use crate::money::Money;

/// A service that the company sells, and how it is billed. Billing depends on `invoice_on` and `bill_to`, never on the name.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Service {
    /// The name of the service.
    pub name: String,
    /// The kind of service: lease, sale or custom.
    pub kind: ServiceKind,
    /// When a trade under it is invoiced.
    pub invoice_on: InvoiceOn,
    /// The party that is billed.
    pub bill_to: BillTo,
    /// The amount: the fee, unless a [`FeePolicy`](crate::invoicing::FeePolicy) says another. If it is zero, no invoice is issued.
    pub fee: Money,
    /// Days from issue to due date, 0 to 365.
    pub payment_due_days: u16,
    /// Anything else.
    pub description: String,
    /// Whether new trades may be opened under it.
    pub is_active: bool,
    /// Whether a trade was ever opened under it: `kind`, `invoice_on`, `bill_to` and the currency are fixed from then on.
    pub is_used: bool,
}

impl Entity for Service {
    type Id = ServiceId;
}

impl Service {
    /// The due date of an invoice issued on this day, or the last day of the calendar if that is earlier.
    #[must_use]
    pub fn due_date(&self, issued_on: NaiveDate) -> NaiveDate {
        let last = last_instant().date_naive();
        issued_on.checked_add_days(Days::new(self.payment_due_days.into())).map_or(last, |due| due.min(last))
    }
}

/// The kind of a service. It decides which terms are negotiated and whether the vehicle changes hands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum ServiceKind {
    /// Offering a vehicle for lease: proposals have dates, and the first proposal is invoiced.
    Lease,
    /// Mediating a sale: the acceptance is invoiced, and the vehicle passes to the buyer.
    Sell,
    /// Any other service.
    Custom,
}

impl ServiceKind {
    /// The moment of invoicing that this kind prescribes; `None` for a custom service, which may choose.
    #[must_use]
    pub const fn fixed_invoice_on(self) -> Option<InvoiceOn> {
        match self {
            Self::Lease => Some(InvoiceOn::FirstProposal),
            Self::Sell => Some(InvoiceOn::Acceptance),
            Self::Custom => None,
        }
    }
}

/// The moment at which a trade is invoiced.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum InvoiceOn {
    /// With the first proposal of the trade.
    FirstProposal,
    /// With the acceptance of a proposal.
    Acceptance,
}

/// The party that is billed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum BillTo {
    /// The vehicle's owner.
    Owner,
    /// The other party to the agreement; possible only if the invoice is issued on acceptance.
    Counterparty,
}
