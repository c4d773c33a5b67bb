use chrono::{DateTime, NaiveDate, Utc};

use crate::id::{CustomerId, InvoiceId, NewIds, PaymentId, ProposalId, RefundId, Stored, TradeId, Version};
use crate::model::{
    Agreement, Annotations, Asking, Invoice, InvoiceState, Payment, PaymentState, Proposal, ProposalState, Refund, RefundState,
    Trade, TradeState, VehicleTransfer,
};
use crate::money::Money;
use crate::text::search_text;

/// A trade to be opened. Its service must still be active when the trade is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    /// The trade.
    pub trade: Trade,
    /// The vehicle's version that the decision was made on; it increases by one.
    pub vehicle_version: Version,
    /// Set if the service is used for the first time: the store sets its `is_used`, if the service is still at this version.
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

/// The changes that a decision makes to a trade and to the rows that belong to it. A store writes the fields in this order;
/// `None` means no change. Two conditions outside the trade must still hold, or the commit is a conflict: `active_party` is
/// active, and the card of `new_payment` is not deleted.
///
/// The struct is exhaustive on purpose: a store that destructures it compiles only if it handles every field.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct TradeChanges {
    /// A condition, which is not written: the user of this customer must be active.
    pub active_party: Option<CustomerId>,
    /// The new title and description of the trade.
    pub text: Option<TradeText>,
    /// What the company keeps with the trade from now on.
    pub annotations: Option<Annotations>,
    /// An existing proposal and its new state.
    pub decided: Option<(ProposalId, ProposalState)>,
    /// Every other proposal of the trade that is stored as pending ends at this instant: as [`Expired`](ProposalState::Expired)
    /// at its `expires_at` if that has passed, otherwise as [`Closed`](ProposalState::Closed). This includes rows that were not
    /// loaded; the trade's version makes that safe. The store adds the [event](Self::closing_event) of each of them, in the order
    /// of their ids, to those of the envelope.
    pub close_others: Option<DateTime<Utc>>,
    /// A new proposal.
    pub new_proposal: Option<Proposal>,
    /// A new invoice.
    pub new_invoice: Option<NewInvoice>,
    /// The change to the trade's invoice.
    pub invoice: Option<InvoiceChange>,
    /// A new payment of the trade's invoice, with a card that is not deleted.
    pub new_payment: Option<Payment>,
    /// The change to an existing payment of the trade's invoice.
    pub payment: Option<PaymentChange>,
    /// A new refund of a payment of the trade's invoice.
    pub new_refund: Option<Refund>,
    /// The change to an existing refund of such a payment.
    pub refund: Option<RefundChange>,
    /// The new state of the trade.
    pub state: Option<TradeMove>,
    /// The transfer of the vehicle, whose version increases by one.
    pub transfer: Option<VehicleTransfer>,
}

/// The new title and description of a trade.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TradeText {
    /// The title.
    pub title: String,
    /// The description.
    pub description: String,
}

impl TradeText {
    /// The new value of [`Trade::search_text`](crate::model::Trade::search_text).
    #[must_use]
    pub fn search_text(&self) -> String {
        search_text(&[&self.title, &self.description])
    }
}

/// An invoice to be issued.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct NewInvoice {
    /// The proposal on which it is issued; `None` means the new proposal in the same changes.
    pub proposal_id: Option<ProposalId>,
    /// The customer who is billed.
    pub customer_id: CustomerId,
    /// The fee, as of `issued_at`.
    pub amount: Money,
    /// When it is issued.
    pub issued_at: DateTime<Utc>,
    /// The last day on which it can be paid on time.
    pub due_date: NaiveDate,
}

impl NewInvoice {
    /// The invoice as it is stored. `new_proposal` is the id of the proposal that the same changes create.
    ///
    /// `None` if there is no proposal at all; no decision leads to that.
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
            refunded: Money::zero(currency),
            state: InvoiceState::Open,
            issued_at: self.issued_at,
            due_date: self.due_date,
            overdue_at: None,
        })
    }
}

/// A change to an invoice. Its amount and the customer who is billed never change (I2).
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct InvoiceChange {
    /// The invoice.
    pub id: InvoiceId,
    /// The new sum of the payments that succeeded.
    pub paid: Money,
    /// The new sum of the payments under way.
    pub pending: Money,
    /// The new sum of the refunds that succeeded.
    pub refunded: Money,
    /// The new state.
    pub state: InvoiceState,
    /// The new due date.
    pub due_date: NaiveDate,
    /// The instant at which it fell overdue, as recorded from now on.
    pub overdue_at: Option<DateTime<Utc>>,
}

impl InvoiceChange {
    /// The change that leaves the invoice as it is.
    pub(crate) fn of(invoice: &Stored<Invoice>) -> Self {
        let Invoice { paid, pending, refunded, ref state, due_date, overdue_at, .. } = invoice.value;
        Self { id: invoice.id, paid, pending, refunded, state: state.clone(), due_date, overdue_at }
    }

    /// Applies the change to the invoice.
    pub fn apply(&self, invoice: &mut Invoice) {
        invoice.paid = self.paid;
        invoice.pending = self.pending;
        invoice.refunded = self.refunded;
        invoice.state.clone_from(&self.state);
        invoice.due_date = self.due_date;
        invoice.overdue_at = self.overdue_at;
    }

    /// The invoice with the change.
    pub(crate) fn applied_to(&self, invoice: &Invoice) -> Invoice {
        let mut after = invoice.clone();
        self.apply(&mut after);
        after
    }
}

/// A change to a payment. Its amount, payer and card never change (I4).
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct PaymentChange {
    /// The payment.
    pub id: PaymentId,
    /// The new state.
    pub state: PaymentState,
    /// The gateway's reference for the charge, as known from now on.
    pub gateway_reference: Option<String>,
    /// The new sum of the refunds that succeeded.
    pub refunded: Money,
    /// The new sum of the refunds under way.
    pub refunding: Money,
}

impl PaymentChange {
    /// The change that leaves the payment as it is.
    pub(crate) fn of(payment: &Stored<Payment>) -> Self {
        let Payment { ref state, ref gateway_reference, refunded, refunding, .. } = payment.value;
        Self { id: payment.id, state: state.clone(), gateway_reference: gateway_reference.clone(), refunded, refunding }
    }

    /// Applies the change to the payment.
    pub fn apply(&self, payment: &mut Payment) {
        payment.state.clone_from(&self.state);
        payment.gateway_reference.clone_from(&self.gateway_reference);
        payment.refunded = self.refunded;
        payment.refunding = self.refunding;
    }

    /// The payment with the change.
    pub(crate) fn applied_to(&self, payment: &Payment) -> Payment {
        let mut after = payment.clone();
        self.apply(&mut after);
        after
    }
}

/// A change to a refund: its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RefundChange {
    /// The refund.
    pub id: RefundId,
    /// The new state.
    pub state: RefundState,
    /// The gateway's reference for the refund, as known from now on.
    pub gateway_reference: Option<String>,
}

impl RefundChange {
    /// Applies the change to the refund.
    pub fn apply(&self, refund: &mut Refund) {
        refund.state.clone_from(&self.state);
        refund.gateway_reference.clone_from(&self.gateway_reference);
    }

    /// The refund with the change.
    pub(crate) fn applied_to(&self, refund: &Stored<Refund>) -> Stored<Refund> {
        let mut after = refund.clone();
        self.apply(&mut after.value);
        after
    }
}

/// The state that a trade moves to. It replaces the previous state completely, including an agreement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TradeMove {
    /// The trade is agreed.
    Agree(Agreement),
    /// The trade is agreed, and nothing is owed.
    Complete(Agreement, DateTime<Utc>),
    /// The trade is cancelled.
    Cancel {
        /// When it is cancelled.
        at: DateTime<Utc>,
        /// Why it is cancelled, or empty.
        reason: String,
        /// The agreement, without days, if there was one.
        agreement: Option<Agreement>,
    },
}

impl TradeMove {
    /// The agreement of the new state.
    #[must_use]
    pub const fn agreement(&self) -> Option<&Agreement> {
        match self {
            Self::Agree(agreement) | Self::Complete(agreement, _) => Some(agreement),
            Self::Cancel { agreement, .. } => agreement.as_ref(),
        }
    }
}

impl From<TradeMove> for TradeState {
    fn from(to: TradeMove) -> Self {
        match to {
            TradeMove::Agree(agreement) => Self::Agreed(agreement),
            TradeMove::Complete(agreement, completed_at) => Self::Completed { agreement, completed_at },
            TradeMove::Cancel { at, reason, agreement } => Self::Cancelled { cancelled_at: at, reason, agreement },
        }
    }
}

impl TradeChanges {
    /// Applies the changes to the trade itself, with the ids that their commit assigned.
    pub fn apply_to_trade(&self, trade: &mut Trade, ids: NewIds) {
        if let Some(text) = &self.text {
            trade.title.clone_from(&text.title);
            trade.description.clone_from(&text.description);
        }
        if let Some(annotations) = &self.annotations {
            trade.annotations.clone_from(annotations);
        }
        if let Some(to) = &self.state {
            trade.state = to.clone().into();
        }
        trade.asking = self.asking_after(trade, ids);
        trade.invoice_id = self.new_invoice.as_ref().and(ids.invoice).or(trade.invoice_id);
    }

    /// The terms of the owner's pending proposal after the changes.
    fn asking_after(&self, trade: &Trade, ids: NewIds) -> Option<Asking> {
        let new = self.new_proposal.as_ref().filter(|new| new.customer_id == trade.customer_id);
        if let (Some(new), Some(id)) = (new, ids.proposal) {
            return (new.state == ProposalState::Pending).then(|| Asking::of(id, new));
        }
        let is_decided = |asking: &Asking| self.decided.is_some_and(|(id, _)| id == asking.proposal_id);
        trade.asking.filter(|asking| self.close_others.is_none() && !is_decided(asking))
    }

    /// The state that an existing proposal of the trade, given by `id` and `proposal`, has after the changes.
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
