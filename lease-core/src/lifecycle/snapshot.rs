use crate::id::Stored;
use crate::lifecycle::{InvoiceChange, NewIds, TradeChanges, TradeMove};
use crate::model::{CreditCard, Invoice, InvoiceState, Payment, Period, Proposal, ProposalState, Service, Trade, TradeState};
use crate::money::Money;

/// What decisions about a trade read: the trade, and of all that hangs on it just the bounded part that matters.
#[derive(Clone, Debug, PartialEq)]
pub struct TradeSnapshot {
    /// The trade.
    pub trade: Stored<Trade>,
    /// The service it runs under, as it is now.
    pub service: Stored<Service>,
    /// Its invoice, where one was issued.
    pub invoice: Option<Stored<Invoice>>,
    /// Whether a proposal was ever made in it.
    pub has_proposals: bool,
    /// The proposal that is asked about.
    pub proposal: Option<ProposalView>,
    /// The payment that is asked about, and its card.
    pub payment: Option<(Stored<Payment>, Stored<CreditCard>)>,
    /// The card that is asked about, deleted or not.
    pub card: Option<Stored<CreditCard>>,
    /// How the customer who asks stands to the trade; the default where no customer asks.
    pub viewer: ViewerHistory,
}

/// The proposal that is asked about, with what accepting it depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposalView {
    /// The proposal.
    pub proposal: Stored<Proposal>,
    /// Whether its author's user is active.
    pub author_is_active: bool,
    /// An agreed period of the same vehicle, in whichever other trade, that shares a day with this proposal's period; where
    /// it has none, one that ends after today (the load's `now`, in UTC).
    pub agreed_period_in_the_way: Option<Period>,
}

/// How a customer stands to a trade.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ViewerHistory {
    /// How many proposals they made in it.
    pub proposals_made: u32,
    /// Their stored-pending proposal, expired or not; there is at most one.
    pub pending: Option<Stored<Proposal>>,
}

impl ViewerHistory {
    /// Whether they ever made one, whatever became of it.
    pub(crate) const fn has_proposed(&self) -> bool {
        self.proposals_made > 0
    }
}

impl TradeSnapshot {
    /// Applies changes, and the ids that their commit gave: what a load after the commit returns.
    ///
    /// The new proposal or payment becomes the one that is asked about.
    pub fn apply(&mut self, changes: &TradeChanges, ids: NewIds) {
        if let Some(text) = &changes.text {
            self.trade.value.title.clone_from(&text.title);
            self.trade.value.description.clone_from(&text.description);
        }
        self.apply_to_proposals(changes, ids);
        self.apply_to_invoice(changes, ids);
        if let (Some((payment, _)), Some((id, state))) = (&mut self.payment, &changes.settled)
            && payment.id == *id
        {
            payment.value.state = state.clone();
        }
        if let Some(to) = changes.state {
            self.trade.value.state = match to {
                TradeMove::Agree(agreement) => TradeState::Agreed(agreement),
                TradeMove::Complete(agreement, completed_at) => TradeState::Completed { agreement, completed_at },
                TradeMove::Cancel(cancelled_at) => TradeState::Cancelled { cancelled_at },
            };
        }
    }

    fn apply_to_proposals(&mut self, changes: &TradeChanges, ids: NewIds) {
        let viewed = self.proposal.iter_mut().map(|view| &mut view.proposal);
        for proposal in viewed.chain(self.viewer.pending.iter_mut()) {
            match (changes.decided, changes.close_others) {
                (Some((id, state)), _) if id == proposal.id => proposal.value.state = state,
                (_, Some(now)) => {
                    proposal.value.state = match proposal.value.state_at(now) {
                        ProposalState::Pending => ProposalState::Closed { at: now },
                        ended => ended,
                    };
                }
                _ => {}
            }
        }
        if self.viewer.pending.as_ref().is_some_and(|own| own.state != ProposalState::Pending) {
            self.viewer.pending = None;
        }
        if let (Some(new), Some(id)) = (&changes.new_proposal, ids.proposal) {
            let proposal = Stored { id, value: new.clone() };
            self.has_proposals = true;
            self.viewer.proposals_made += 1;
            self.viewer.pending = Some(proposal.clone());
            // Its author has just acted, and nothing was agreed since.
            self.proposal = Some(ProposalView { proposal, author_is_active: true, agreed_period_in_the_way: None });
        }
    }

    fn apply_to_invoice(&mut self, changes: &TradeChanges, ids: NewIds) {
        if let (Some(new), Some(id)) = (&changes.new_invoice, ids.invoice)
            && let Some(proposal_id) = new.proposal_id.or(ids.proposal)
        {
            self.trade.value.invoice_id = Some(id);
            let invoice = Invoice {
                trade_id: self.trade.id,
                proposal_id,
                customer_id: new.customer_id,
                amount: new.amount,
                paid: Money::zero(new.amount.currency()),
                pending: Money::zero(new.amount.currency()),
                state: InvoiceState::Open,
                issued_at: new.issued_at,
                due_date: new.due_date,
            };
            self.invoice = Some(Stored { id, value: invoice });
        }
        if let (Some(invoice), Some(InvoiceChange { id, paid, pending, state })) = (&mut self.invoice, &changes.invoice)
            && invoice.id == *id
        {
            invoice.value.paid = *paid;
            invoice.value.pending = *pending;
            invoice.value.state = state.clone();
        }
        if let (Some(new), Some(id), Some(card)) = (&changes.new_payment, ids.payment, &self.card) {
            self.payment = Some((Stored { id, value: new.clone() }, card.clone()));
        }
    }
}
