use chrono::{DateTime, NaiveDate, Utc};

use crate::id::{CustomerId, Entity, InvoiceId, ProposalId, TradeId};
use crate::money::{Money, MoneyError};

/// The company's claim for its fee: at most one a trade (I1). Amount and currency never change (I2).
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Invoice {
    /// The trade it is for.
    pub trade_id: TradeId,
    /// The proposal that brought it about: the first, or the accepted one.
    pub proposal_id: ProposalId,
    /// Who is billed.
    pub customer_id: CustomerId,
    /// The fee.
    pub amount: Money,
    /// What succeeded payments add up to (I3).
    pub paid: Money,
    /// What pending payments add up to: taken off what may be paid meanwhile (rule 5.5).
    pub pending: Money,
    /// How far it is.
    pub state: InvoiceState,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// The last day to pay it in time.
    pub due_date: NaiveDate,
}

impl Entity for Invoice {
    type Id = InvoiceId;
}

impl InvoiceId {
    /// The number on the invoice: `INV-` and the id with at least eight digits.
    #[must_use]
    pub fn number(self) -> String {
        format!("INV-{:08}", self.get())
    }
}

impl Invoice {
    /// What is still due, pending payments included; nothing once void.
    ///
    /// # Errors
    /// [`MoneyError`] where a store returned an invoice that was paid beyond its amount.
    pub fn due(&self) -> Result<Money, MoneyError> {
        match self.state {
            InvoiceState::Void { .. } => Ok(Money::zero(self.amount.currency())),
            InvoiceState::Open | InvoiceState::Paid { .. } => self.amount.minus(self.paid),
        }
    }

    /// What may be paid now: what is due, less what is pending.
    ///
    /// # Errors
    /// As [`Invoice::due`].
    pub fn payable(&self) -> Result<Money, MoneyError> {
        self.due()?.minus(self.pending)
    }

    /// Whether it waits for money.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, InvoiceState::Open)
    }

    /// Whether it is open after its due date, in UTC days.
    #[must_use]
    pub fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        self.is_open() && now.date_naive() > self.due_date
    }
}

/// How far an invoice is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(InvoiceStatus),
    doc = "The names of an invoice's states.",
    derive(Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
pub enum InvoiceState {
    /// Waits for money.
    Open,
    /// Paid in full.
    Paid {
        /// When the last of it came in.
        at: DateTime<Utc>,
    },
    /// Called off by the company.
    Void {
        /// When.
        at: DateTime<Utc>,
        /// Why.
        reason: String,
    },
}
