use chrono::{DateTime, Utc};

use crate::id::{CustomerId, InvoiceId, PaymentId, ProposalId, TradeId, Version};
use crate::model::{
    Agreement, Invoice, InvoiceState, Payment, PaymentState, Proposal, ProposalState, Trade, TradeState, VehicleTransfer,
};
use crate::money::Money;
use crate::text::search_text;

/// A trade to be opened. Its service must still be active when it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    /// The trade.
    pub trade: Trade,
    /// The vehicle's version that was decided on; it moves on by one.
    pub vehicle_version: Version,
    /// The service is used for the first time: set its `is_used`, if it is still at this version.
    pub first_use_of_service: Option<Version>,
}

/// A change to a trade that was read at `expected`.
#[derive(Clone, Debug, PartialEq)]
pub struct TradeChange {
    /// The trade.
    pub id: TradeId,
    /// The version that the decision was made on.
    pub expected: Version,
    /// The changes.
    pub changes: TradeChanges,
}

/// The changes that a decision makes to a trade and to what hangs on it. A store writes the fields in this order; a field that is
/// `None` stays as it is. Two things beside the trade must still hold, or the commit is a conflict: `active_party` is active, and
/// the card of `new_payment` is not deleted.
///
/// The struct is exhaustive on purpose: a store that takes it apart does not compile until it handles every field.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct TradeChanges {
    /// Not written: the user of this customer must be active.
    pub active_party: Option<CustomerId>,
    /// New words on the trade.
    pub text: Option<TradeText>,
    /// A proposal that is there gets a state.
    pub decided: Option<(ProposalId, ProposalState)>,
    /// Every other stored-pending proposal of the trade ends now: as [`Expired`](ProposalState::Expired) at its
    /// `expires_at` where that has come, else as [`Closed`](ProposalState::Closed). It spans rows that were not loaded; the
    /// trade's version makes that safe.
    pub close_others: Option<DateTime<Utc>>,
    /// A new proposal.
    pub new_proposal: Option<Proposal>,
    /// A new invoice.
    pub new_invoice: Option<NewInvoice>,
    /// The trade's invoice changes.
    pub invoice: Option<InvoiceChange>,
    /// A new payment of the trade's invoice, with a card that is not deleted.
    pub new_payment: Option<Payment>,
    /// A payment that is there gets a state.
    pub settled: Option<(PaymentId, PaymentState)>,
    /// The trade gets a state.
    pub state: Option<TradeMove>,
    /// The vehicle changes hands; its version moves on by one.
    pub transfer: Option<VehicleTransfer>,
}

/// New words on a trade.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TradeText {
    /// The title.
    pub title: String,
    /// The description.
    pub description: String,
}

impl TradeText {
    /// What [`Trade::search_text`](crate::model::Trade::search_text) is from now on.
    #[must_use]
    pub fn search_text(&self) -> String {
        search_text(&[&self.title, &self.description])
    }
}

/// An invoice to be issued.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct NewInvoice {
    /// The proposal that brought it about; `None`: the new proposal of the same changes.
    pub proposal_id: Option<ProposalId>,
    /// Who is billed.
    pub customer_id: CustomerId,
    /// The fee, as of `issued_at`.
    pub amount: Money,
    /// When it is issued.
    pub issued_at: DateTime<Utc>,
    /// The last day to pay in time.
    pub due_date: chrono::NaiveDate,
}

impl NewInvoice {
    /// The invoice as it is stored. `new_proposal` is the proposal that the same changes make.
    ///
    /// `None` where there is no proposal at all, which no decision comes to.
    #[must_use]
    pub fn into_invoice(self, trade_id: TradeId, new_proposal: Option<ProposalId>) -> Option<Invoice> {
        let currency = self.amount.currency();
        Some(Invoice {
            trade_id,
            proposal_id: self.proposal_id.or(new_proposal)?,
            customer_id: self.customer_id,
            amount: self.amount,
            paid: Money::zero(currency),
            pending: Money::zero(currency),
            state: InvoiceState::Open,
            issued_at: self.issued_at,
            due_date: self.due_date,
        })
    }
}

/// What changes on an invoice: never its amount, nor whom it bills (I2).
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct InvoiceChange {
    /// The invoice.
    pub id: InvoiceId,
    /// What succeeded payments add up to from here on.
    pub paid: Money,
    /// What pending payments add up to from here on.
    pub pending: Money,
    /// How far it is from here on.
    pub state: InvoiceState,
}

impl InvoiceChange {
    /// Writes the change on the invoice.
    pub fn apply(&self, invoice: &mut Invoice) {
        invoice.paid = self.paid;
        invoice.pending = self.pending;
        invoice.state.clone_from(&self.state);
    }
}

/// The state that a trade moves to. It replaces the whole state: nothing of the one before stays, not even an agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TradeMove {
    /// It is agreed.
    Agree(Agreement),
    /// It is agreed and nothing is owed.
    Complete(Agreement, DateTime<Utc>),
    /// It is called off.
    Cancel(DateTime<Utc>),
}

impl From<TradeMove> for TradeState {
    fn from(to: TradeMove) -> Self {
        match to {
            TradeMove::Agree(agreement) => Self::Agreed(agreement),
            TradeMove::Complete(agreement, completed_at) => Self::Completed { agreement, completed_at },
            TradeMove::Cancel(cancelled_at) => Self::Cancelled { cancelled_at },
        }
    }
}

impl TradeChanges {
    /// Writes what changes on the trade itself. `invoice` is the one that the commit issues, where it issues one.
    pub fn apply_to_trade(&self, trade: &mut Trade, invoice: Option<InvoiceId>) {
        if let Some(text) = &self.text {
            trade.title.clone_from(&text.title);
            trade.description.clone_from(&text.description);
        }
        if let Some(to) = self.state {
            trade.state = to.into();
        }
        trade.invoice_id = invoice.or(trade.invoice_id);
    }

    /// The state of a proposal of the trade after the changes. `id` and `proposal` are of one that was there before.
    #[must_use]
    pub fn state_of_proposal(&self, id: ProposalId, proposal: &Proposal) -> ProposalState {
        match (self.decided, self.close_others) {
            (Some((decided, state)), _) if decided == id => state,
            (_, Some(now)) => match proposal.state_at(now) {
                ProposalState::Pending => ProposalState::Closed { at: now },
                ended => ended,
            },
            _ => proposal.state,
        }
    }
}
