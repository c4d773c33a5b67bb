use std::collections::BTreeMap;

use crate::event::EventType;
use crate::invariants::Books;
use crate::model::{Invoice, InvoiceState, PaymentState, ProposalState, RefundState, TradeState};
use crate::repository::{EventFilter, Repository, RepositoryError};

/// The number of events that are read at once.
const AT_ONCE: u32 = 1_000;

/// The types of events that tell how far a trade, a proposal, an invoice, a payment or a refund is: each happens to one at most once.
const STEPS: &[EventType] = &[
    EventType::TradeOpened,
    EventType::TradeAgreed,
    EventType::TradeCompleted,
    EventType::TradeCancelled,
    EventType::ProposalMade,
    EventType::ProposalSuperseded,
    EventType::ProposalWithdrawn,
    EventType::ProposalRejected,
    EventType::ProposalAccepted,
    EventType::ProposalClosed,
    EventType::ProposalExpired,
    EventType::ProposalRescinded,
    EventType::InvoiceIssued,
    EventType::InvoicePaid,
    EventType::InvoiceVoided,
    EventType::InvoiceWrittenOff,
    EventType::InvoiceOverdue,
    EventType::PaymentBegun,
    EventType::PaymentRequiresAction,
    EventType::PaymentSucceeded,
    EventType::PaymentFailed,
    EventType::PaymentCancelled,
    EventType::RefundBegun,
    EventType::RefundSucceeded,
    EventType::RefundFailed,
];

/// How often each step was taken by each object, as the events say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steps {
    counts: BTreeMap<(EventType, i64), u32>,
    /// Whether the oldest events were cleared.
    were_cleared: bool,
}

impl Steps {
    /// Reads all events of a store.
    pub(super) async fn read(store: &dyn Repository) -> Result<Self, RepositoryError> {
        let filter = EventFilter { types: STEPS.to_vec(), ..EventFilter::default() };
        let (mut steps, mut last) = (Self::default(), None);
        loop {
            let events = store.events_after(last, AT_ONCE, &filter).await?;
            let Some(newest) = events.last() else {
                steps.were_cleared = store.cleared_events().await?.is_some();
                return Ok(steps);
            };
            last = Some(newest.id);
            for event in events {
                if let Some(subject) = event.subject_id {
                    *steps.counts.entry((event.event_type, subject)).or_default() += 1;
                }
            }
        }
    }

    /// I9: the object has taken these steps, in this order, once each, and no others of its kind. Where events were cleared, the
    /// first steps may be missing.
    fn broken(&self, id: i64, taken: &[EventType]) -> Vec<String> {
        let Some(kind) = taken.first().map(|step| step.subject_kind()) else { return Vec::new() };
        let of_kind = STEPS.iter().filter(|step| step.subject_kind() == kind);
        let count = |step: &EventType| self.counts.get(&(*step, id)).copied().unwrap_or_default();
        let missing = if self.were_cleared { taken.iter().take_while(|step| count(step) == 0).count() } else { 0 };
        let (cleared, _) = taken.split_at(missing);
        // An invoice whose due date was moved may fall overdue again.
        let is_right = |step: &EventType| match (count(step), u32::from(taken.contains(step))) {
            (recorded, expected) if *step == EventType::InvoiceOverdue => recorded >= expected,
            // Not every payment that is settled had to wait for its payer.
            (recorded, expected) if *step == EventType::PaymentRequiresAction => (expected..=1).contains(&recorded),
            (recorded, expected) => recorded == expected,
        };
        let wrong = of_kind.filter(|step| !is_right(step) && !cleared.contains(step));
        wrong.map(|step| format!("I9: {step} of {id} was recorded {} times", count(step))).collect()
    }
}

impl Books {
    /// I9: each trade, proposal, invoice, payment and refund has exactly the events that led to its state. Not checked where the events
    /// were not read.
    pub(super) fn unrecorded(&self) -> Vec<String> {
        let Some(steps) = &self.steps else { return Vec::new() };
        let trades = self.trades.iter().map(|row| (row.id.get(), trade_steps(&row.state)));
        let proposals = self.proposals.iter().map(|row| (row.id.get(), proposal_steps(row.state)));
        let invoices = self.invoices.iter().map(|row| (row.id.get(), invoice_steps(row)));
        let payments = self.payments.iter().map(|row| (row.id.get(), payment_steps(&row.state)));
        let refunds = self.refunds.iter().map(|row| (row.id.get(), refund_steps(&row.state)));
        let all = trades.chain(proposals).chain(invoices).chain(payments).chain(refunds);
        all.flat_map(|(id, taken)| steps.broken(id, &taken)).collect()
    }
}

fn trade_steps(state: &TradeState) -> Vec<EventType> {
    use EventType::{TradeAgreed, TradeCancelled, TradeCompleted, TradeOpened};
    match state {
        TradeState::Open => vec![TradeOpened],
        TradeState::Agreed(_) => vec![TradeOpened, TradeAgreed],
        TradeState::Completed { .. } => vec![TradeOpened, TradeAgreed, TradeCompleted],
        TradeState::Cancelled { agreement: None, .. } => vec![TradeOpened, TradeCancelled],
        TradeState::Cancelled { agreement: Some(_), .. } => vec![TradeOpened, TradeAgreed, TradeCancelled],
    }
}

fn proposal_steps(state: ProposalState) -> Vec<EventType> {
    use EventType::{
        ProposalAccepted, ProposalClosed, ProposalExpired, ProposalMade, ProposalRejected, ProposalRescinded, ProposalSuperseded,
        ProposalWithdrawn,
    };
    match state {
        ProposalState::Pending => vec![ProposalMade],
        ProposalState::Accepted { .. } => vec![ProposalMade, ProposalAccepted],
        ProposalState::Rejected { .. } => vec![ProposalMade, ProposalRejected],
        ProposalState::Withdrawn { .. } => vec![ProposalMade, ProposalWithdrawn],
        ProposalState::Superseded { .. } => vec![ProposalMade, ProposalSuperseded],
        ProposalState::Closed { .. } => vec![ProposalMade, ProposalClosed],
        ProposalState::Expired { .. } => vec![ProposalMade, ProposalExpired],
        ProposalState::Rescinded { .. } => vec![ProposalMade, ProposalAccepted, ProposalRescinded],
    }
}

fn invoice_steps(invoice: &Invoice) -> Vec<EventType> {
    let last = match invoice.state {
        InvoiceState::Open => None,
        InvoiceState::Paid { .. } => Some(EventType::InvoicePaid),
        InvoiceState::Void { .. } => Some(EventType::InvoiceVoided),
        InvoiceState::WrittenOff { .. } => Some(EventType::InvoiceWrittenOff),
    };
    let overdue = invoice.overdue_at.map(|_| EventType::InvoiceOverdue);
    std::iter::once(EventType::InvoiceIssued).chain(overdue).chain(last).collect()
}

fn payment_steps(state: &PaymentState) -> Vec<EventType> {
    let last = match state {
        PaymentState::Pending => None,
        PaymentState::RequiresAction(_) => Some(EventType::PaymentRequiresAction),
        PaymentState::Succeeded { .. } => Some(EventType::PaymentSucceeded),
        PaymentState::Failed { .. } => Some(EventType::PaymentFailed),
        PaymentState::Cancelled { .. } => Some(EventType::PaymentCancelled),
    };
    std::iter::once(EventType::PaymentBegun).chain(last).collect()
}

fn refund_steps(state: &RefundState) -> Vec<EventType> {
    let last = match state {
        RefundState::Pending => None,
        RefundState::Succeeded { .. } => Some(EventType::RefundSucceeded),
        RefundState::Failed { .. } => Some(EventType::RefundFailed),
    };
    std::iter::once(EventType::RefundBegun).chain(last).collect()
}
