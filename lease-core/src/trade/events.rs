//! The events of a trade, its proposals, its invoice and its payments.

use chrono::{DateTime, Utc};

use crate::event::{Audience, Event, EventActor, EventType, IdRef, NewRow};
use crate::id::{CustomerId, InvoiceId, ProposalId, Stored};
use crate::model::{
    Agreement, Invoice, InvoiceState, InvoiceStatus, Payment, PaymentState, PaymentStatus, Period, Proposal, ProposalState,
    ProposalStatus, Refund, RefundState, RefundStatus, Trade, TradeState, TradeStatus, VehicleTransfer,
};
use crate::trade::{NewInvoice, TradeChanges};

/// An event about a trade that becomes `after`.
pub(crate) fn trade_event(event_type: EventType, id: impl Into<IdRef>, after: &Trade) -> Event {
    let id = id.into();
    Event { trade: Some(id), ..Event::new(event_type, id, Audience::Members) }
        .id("vehicle_id", after.vehicle_id)
        .id("service_id", after.service_id)
        .id("customer_id", after.customer_id)
        .fact("status", <&str>::from(TradeStatus::from(&after.state)))
}

/// An event about a trade that moves from one state to another.
pub(crate) fn trade_moved(event_type: EventType, trade: &Stored<Trade>, from: &TradeState, to: TradeState) -> Event {
    let [before, after] = [from.clone(), to].map(|state| Trade { state, ..trade.value.clone() });
    let event = trade_event(event_type, trade.id, &after).changing(&before, &after);
    match after.agreement() {
        Some(agreement) => event.id("counterparty_id", agreement.counterparty_id).id("proposal_id", agreement.proposal_id),
        None => event,
    }
}

/// The agreement of a trade. `is_invoiced` says whether an invoice is issued on it. The terms are in the events of the proposal,
/// which not all members may see.
pub(crate) fn trade_agreed(trade: &Stored<Trade>, agreement: Agreement, is_invoiced: bool) -> Event {
    let mut event = trade_moved(EventType::TradeAgreed, trade, &trade.state, TradeState::Agreed(agreement));
    if is_invoiced {
        event.changes.add_new("invoice_id", NewRow::Invoice);
    }
    event
}

/// The early end of a trade's days, which both parties may see.
pub(crate) fn trade_ended(trade: &Stored<Trade>, agreement: Agreement, from: Period, to: Period) -> Event {
    let audience = Audience::both(trade.customer_id, agreement.counterparty_id);
    Event { audience, ..trade_event(EventType::TradeEnded, trade.id, trade) }
        .id("counterparty_id", agreement.counterparty_id)
        .id("proposal_id", agreement.proposal_id)
        .period(Some(to))
        .change("end_date", from.end().to_string(), to.end().to_string())
}

/// The transfer of a trade's vehicle, which both owners may see.
pub(crate) fn vehicle_transferred(trade: &Stored<Trade>, transfer: &VehicleTransfer) -> Event {
    Event::new(EventType::VehicleTransferred, transfer.vehicle_id, Audience::both(transfer.from, transfer.to))
        .in_trade(trade.id)
        .id("customer_id", transfer.to)
        .change("customer_id", transfer.from.get(), transfer.to.get())
}

/// A new proposal in a trade of this owner.
pub(crate) fn proposal_made(owner: CustomerId, proposal: &Proposal) -> Event {
    proposal_event(EventType::ProposalMade, NewRow::Proposal, owner, proposal)
        .price(proposal.amount)
        .period(proposal.period)
        .optional_instant("expires_at", proposal.expires_at)
        .fact("status", status(proposal.state))
}

/// The decision about a proposal in a trade of this owner. It is the system's act, at an instant of its own, if the proposal had
/// expired; `None` if it stays pending.
pub(crate) fn proposal_decided(owner: CustomerId, id: ProposalId, proposal: &Proposal, to: ProposalState) -> Option<Event> {
    let event_type = match to {
        ProposalState::Pending => return None,
        ProposalState::Accepted { .. } => EventType::ProposalAccepted,
        ProposalState::Rejected { .. } => EventType::ProposalRejected,
        ProposalState::Withdrawn { .. } => EventType::ProposalWithdrawn,
        ProposalState::Superseded { .. } => EventType::ProposalSuperseded,
        ProposalState::Closed { .. } => EventType::ProposalClosed,
        ProposalState::Expired { .. } => EventType::ProposalExpired,
        ProposalState::Rescinded { .. } => EventType::ProposalRescinded,
    };
    let event = proposal_event(event_type, id, owner, proposal).fact("status", status(to)).changing(&proposal.state, &to);
    Some(match to {
        ProposalState::Accepted { .. } => event.price(proposal.amount).period(proposal.period),
        ProposalState::Expired { at } => Event { occurred_at: Some(at), actor: Some(EventActor::System), ..event },
        _ => event,
    })
}

fn proposal_event(event_type: EventType, id: impl Into<IdRef>, owner: CustomerId, proposal: &Proposal) -> Event {
    Event::new(event_type, id, Audience::of_proposal(owner, proposal.customer_id))
        .in_trade(proposal.trade_id)
        .id("customer_id", proposal.customer_id)
}

fn status(state: ProposalState) -> &'static str {
    ProposalStatus::from(state).into()
}

impl TradeChanges {
    /// What [`close_others`](Self::close_others) does to a proposal that is stored as pending in a trade of this owner:
    /// `proposal.closed`, or `proposal.expired`. `None` for any other proposal.
    #[must_use]
    pub fn closing_event(&self, owner: CustomerId, id: ProposalId, proposal: &Proposal) -> Option<Event> {
        let is_decided = self.decided.is_some_and(|(decided, _)| decided == id);
        if is_decided || self.close_others.is_none() || proposal.state != ProposalState::Pending {
            return None;
        }
        proposal_decided(owner, id, proposal, self.state_of_proposal(id, proposal))
    }
}

/// A new invoice of a trade.
pub(crate) fn invoice_issued(trade: &Stored<Trade>, new: &NewInvoice) -> Event {
    let proposal = new.proposal_id.map_or(IdRef::New(NewRow::Proposal), IdRef::from);
    Event::new(EventType::InvoiceIssued, NewRow::Invoice, Audience::customer(new.customer_id))
        .in_trade(trade.id)
        .id("proposal_id", proposal)
        .id("customer_id", new.customer_id)
        .price(new.amount)
        .fact("due_date", new.due_date.to_string())
        .fact("status", <&str>::from(InvoiceStatus::Open))
}

/// The change of an invoice: paid, void, written off, or only other fields, such as what was refunded of a paid one.
pub(crate) fn invoice_changed(invoice: &Stored<Invoice>, after: &Invoice) -> Option<Event> {
    let event_type = match after.state {
        _ if after.state == invoice.state => EventType::InvoiceUpdated,
        InvoiceState::Open => EventType::InvoiceUpdated,
        InvoiceState::Paid { .. } => EventType::InvoicePaid,
        InvoiceState::Void { .. } => EventType::InvoiceVoided,
        InvoiceState::WrittenOff { .. } => EventType::InvoiceWrittenOff,
    };
    let event = invoice_event(event_type, invoice.id, after).changing(&invoice.value, after).if_changed()?;
    Some(match &after.state {
        InvoiceState::Void { reason, .. } | InvoiceState::WrittenOff { reason, .. } => event.fact("reason", reason.as_str()),
        InvoiceState::Open | InvoiceState::Paid { .. } => event,
    })
}

/// An invoice that fell overdue becomes `after`: the system's act, at that instant.
pub(crate) fn invoice_overdue(invoice: &Stored<Invoice>, after: &Invoice) -> Event {
    let event = invoice_event(EventType::InvoiceOverdue, invoice.id, after)
        .optional_amount("amount_due", after.due().ok())
        .fact("due_date", after.due_date.to_string())
        .changing(&invoice.value, after);
    Event { occurred_at: after.overdue_at, actor: Some(EventActor::System), ..event }
}

fn invoice_event(event_type: EventType, id: InvoiceId, invoice: &Invoice) -> Event {
    Event::new(event_type, id, Audience::customer(invoice.customer_id))
        .in_trade(invoice.trade_id)
        .id("proposal_id", invoice.proposal_id)
        .id("customer_id", invoice.customer_id)
        .price(invoice.amount)
        .fact("status", <&str>::from(InvoiceStatus::from(&invoice.state)))
}

/// A new payment of a trade's invoice.
pub(crate) fn payment_begun(trade: &Stored<Trade>, payment: &Payment) -> Event {
    payment_event(EventType::PaymentBegun, NewRow::Payment, trade, payment)
}

/// A payment that moves to the state of `after`.
pub(crate) fn payment_changed(trade: &Stored<Trade>, payment: &Stored<Payment>, after: &Payment) -> Option<Event> {
    let event_type = match after.state {
        PaymentState::Pending => return None,
        PaymentState::RequiresAction(_) => EventType::PaymentRequiresAction,
        PaymentState::Succeeded { .. } => EventType::PaymentSucceeded,
        PaymentState::Failed { .. } => EventType::PaymentFailed,
        PaymentState::Cancelled { .. } => EventType::PaymentCancelled,
    };
    let event = payment_event(event_type, payment.id, trade, after).changing(&payment.value, after);
    Some(match after.state.failure_code() {
        Some(code) => event.fact("failure_code", code),
        None => event,
    })
}

fn payment_event(event_type: EventType, id: impl Into<IdRef>, trade: &Stored<Trade>, payment: &Payment) -> Event {
    Event::new(event_type, id, Audience::customer(payment.customer_id))
        .in_trade(trade.id)
        .id("invoice_id", payment.invoice_id)
        .id("credit_card_id", payment.credit_card_id)
        .id("customer_id", payment.customer_id)
        .price(payment.amount)
        .fact("status", <&str>::from(PaymentStatus::from(&payment.state)))
}

/// A new refund of a payment.
pub(crate) fn refund_begun(trade: &Stored<Trade>, refund: &Refund) -> Event {
    refund_event(EventType::RefundBegun, NewRow::Refund, trade, refund)
}

/// The outcome of a refund.
pub(crate) fn refund_settled(trade: &Stored<Trade>, refund: &Stored<Refund>, after: &Stored<Refund>) -> Option<Event> {
    let event_type = match after.state {
        RefundState::Pending => return None,
        RefundState::Succeeded { .. } => EventType::RefundSucceeded,
        RefundState::Failed { .. } => EventType::RefundFailed,
    };
    let event = refund_event(event_type, refund.id, trade, after).changing(refund, after);
    Some(match after.state.failure_code() {
        Some(code) => event.fact("failure_code", code),
        None => event,
    })
}

fn refund_event(event_type: EventType, id: impl Into<IdRef>, trade: &Stored<Trade>, refund: &Refund) -> Event {
    Event::new(event_type, id, Audience::customer(refund.customer_id))
        .in_trade(trade.id)
        .id("payment_id", refund.payment_id)
        .id("invoice_id", refund.invoice_id)
        .id("customer_id", refund.customer_id)
        .price(refund.amount)
        .fact("reason", <&str>::from(refund.reason))
        .fact("status", <&str>::from(RefundStatus::from(&refund.state)))
}

/// The completion of a trade that is agreed.
pub(crate) fn trade_completed(trade: &Stored<Trade>, agreement: Agreement, completed_at: DateTime<Utc>) -> Event {
    let to = TradeState::Completed { agreement, completed_at };
    trade_moved(EventType::TradeCompleted, trade, &TradeState::Agreed(agreement), to)
}
