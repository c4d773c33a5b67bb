use chrono::{Days, NaiveDate};

use crate::clock::last_instant;
use crate::id::{Entity, ServiceId};
use crate::money::Money;

/// What the company sells, and the rules by which it bills it. The rules read `invoice_on` and `bill_to`, never the name.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// What it is called.
    pub name: String,
    /// Lease, sale or another.
    pub kind: ServiceKind,
    /// When a trade under it is invoiced.
    pub invoice_on: InvoiceOn,
    /// Who is billed.
    pub bill_to: BillTo,
    /// The fee; zero is no invoice.
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
    /// The last day to pay an invoice issued on this day, or the last day there is.
    #[must_use]
    pub fn due_date(&self, issued_on: NaiveDate) -> NaiveDate {
        let last = last_instant().date_naive();
        issued_on.checked_add_days(Days::new(self.payment_due_days.into())).map_or(last, |due| due.min(last))
    }
}

/// What kind of service it is: it decides what terms look like and whether the vehicle changes hands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum ServiceKind {
    /// Exposure for a lease: terms are dated, the fee falls due on the first proposal.
    Lease,
    /// Mediation of a sale: the fee falls due on acceptance, and the vehicle passes to the buyer.
    Sell,
    /// Another service.
    Custom,
}

impl ServiceKind {
    /// The moment of invoicing that this kind means; a custom service chooses.
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
    /// The other party of the agreement; only where the invoice comes with the acceptance.
    Counterparty,
}
