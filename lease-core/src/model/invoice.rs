use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

use crate::id::{CustomerId, Entity, InvoiceId, ProposalId, TradeId};
use crate::money::{Money, MoneyError};

/// The company's bill for its fee. A trade has at most one invoice (I1); its amount and currency never change (I2).
#[derive(Clone, Debug, PartialEq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Invoice {
    /// The trade it is for.
    pub trade_id: TradeId,
    /// The proposal on which it was issued: the trade's first, or the accepted one.
    pub proposal_id: ProposalId,
    /// The customer who is billed.
    pub customer_id: CustomerId,
    /// The fee.
    pub amount: Money,
    /// The sum of the payments that succeeded (I3).
    pub paid: Money,
    /// The sum of the payments under way. Until they are settled, that much less may be paid (rule 5.5).
    pub pending: Money,
    /// The sum of the refunds that succeeded (I8). The invoice stays paid.
    pub refunded: Money,
    /// The state of the invoice.
    pub state: InvoiceState,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// The last day on which it can be paid on time.
    pub due_date: NaiveDate,
    /// The instant at which it fell overdue, once that is recorded (rule 8.8).
    pub overdue_at: Option<DateTime<Utc>>,
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
    /// The amount that is still due. Pending payments do not reduce it. Nothing is due on an invoice that is void or written off.
    ///
    /// # Errors
    /// [`MoneyError`] if a store returned an invoice on which more than its amount was paid.
    pub fn due(&self) -> Result<Money, MoneyError> {
        match self.state {
            InvoiceState::Void { .. } | InvoiceState::WrittenOff { .. } => Ok(Money::zero(self.amount.currency())),
            InvoiceState::Open | InvoiceState::Paid { .. } => self.amount.minus(self.paid),
        }
    }

    /// The amount that may be paid now: the amount due, less pending payments.
    ///
    /// # Errors
    /// As [`Invoice::due`].
    pub fn payable(&self) -> Result<Money, MoneyError> {
        self.due()?.minus(self.pending)
    }

    /// Whether it is open: neither paid in full, nor void, nor written off.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, InvoiceState::Open)
    }

    /// Whether it is still open after its due date; days are in UTC.
    #[must_use]
    pub fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        self.is_open() && now.date_naive() > self.due_date
    }

    /// The instant from which on it is overdue if it is still open: the midnight after the due date, in UTC.
    #[must_use]
    pub fn due_until(&self) -> DateTime<Utc> {
        let day_after = self.due_date.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
        day_after.and_time(NaiveTime::MIN).and_utc()
    }
}

/// The state of an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(InvoiceStatus),
    doc = "The names of an invoice's states.",
    derive(Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "status", rename_all = "snake_case"))]
pub enum InvoiceState {
    /// Not yet paid in full.
    Open,
    /// Paid in full.
    Paid {
        /// When the last payment succeeded.
        at: DateTime<Utc>,
    },
    /// Voided by the company.
    Void {
        /// When it was voided.
        at: DateTime<Utc>,
        /// Why it was voided.
        reason: String,
    },
    /// Given up by the company, whatever was paid of it.
    WrittenOff {
        /// When it was written off.
        at: DateTime<Utc>,
        /// Why it was written off.
        reason: String,
    },
}

impl InvoiceState {
    /// When it was paid in full, if it was.
    #[must_use]
    pub const fn paid_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Paid { at } => Some(*at),
            Self::Open | Self::Void { .. } | Self::WrittenOff { .. } => None,
        }
    }

    /// When and why it was voided, if it was.
    #[must_use]
    pub const fn voided(&self) -> Option<(DateTime<Utc>, &str)> {
        match self {
            Self::Void { at, reason } => Some((*at, reason.as_str())),
            Self::Open | Self::Paid { .. } | Self::WrittenOff { .. } => None,
        }
    }

    /// When and why it was written off, if it was.
    #[must_use]
    pub const fn written_off(&self) -> Option<(DateTime<Utc>, &str)> {
        match self {
            Self::WrittenOff { at, reason } => Some((*at, reason.as_str())),
            Self::Open | Self::Paid { .. } | Self::Void { .. } => None,
        }
    }
}
