use crate::catalog::VehicleSnapshot;
use crate::id::{NewIds, Stored, Versioned};
use crate::model::{CreditCard, Invoice, Payment, Period, Proposal, ProposalState, Refund, Service, Trade};
use crate::trade::TradeChanges;

/// The snapshot that opening a trade reads. Each part may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpeningSnapshot {
    /// The vehicle.
    pub vehicle: Option<Versioned<VehicleSnapshot>>,
    /// The service.
    pub service: Option<Versioned<Stored<Service>>>,
}

/// The snapshot that a decision about a trade reads: the trade, and a bounded selection of the rows that belong to it.
#[derive(Clone, Debug, PartialEq)]
pub struct TradeSnapshot {
    /// The trade.
    pub trade: Stored<Trade>,
    /// Whether the user of its owner is active.
    pub owner_is_active: bool,
    /// The service under which it is offered, as it is now.
    pub service: Stored<Service>,
    /// Its invoice, if one was issued.
    pub invoice: Option<Stored<Invoice>>,
    /// Whether any proposal was ever made in it.
    pub has_proposals: bool,
    /// The proposal that the decision is about.
    pub proposal: Option<ProposalView>,
    /// The payment that the decision is about, and its card.
    pub payment: Option<(Stored<Payment>, Stored<CreditCard>)>,
    /// The refund that the decision is about; `payment` is then the one that it refunds.
    pub refund: Option<Stored<Refund>>,
    /// The card that the request names, deleted or not.
    pub card: Option<Stored<CreditCard>>,
    /// The proposals that the viewer has made in the trade; the default if the viewer is not a customer.
    pub viewer: ViewerHistory,
}

/// A proposal, with the data that its acceptance depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposalView {
    /// The proposal.
    pub proposal: Stored<Proposal>,
    /// Whether the user of its author is active.
    pub author_is_active: bool,
    /// An agreed period of the same vehicle, in any other trade, that shares a day with this proposal's period. If the proposal
    /// has no period: an agreed period that ends after today (the load's `now`, in UTC).
    pub agreed_period_in_the_way: Option<Period>,
}

/// The proposals that a customer has made in a trade.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ViewerHistory {
    /// The number of proposals that they have made in it.
    pub proposals_made: u32,
    /// Their proposal that is stored as pending, expired or not; there is at most one.
    pub pending: Option<Stored<Proposal>>,
}

impl ViewerHistory {
    /// Whether they have ever made a proposal, whatever its state is now.
    pub(crate) const fn has_proposed(&self) -> bool {
        self.proposals_made > 0
    }
}

impl TradeSnapshot {
    /// Applies changes, with the ids that their commit assigned. The result is what a load after the commit returns.
    ///
    /// A new proposal, payment or refund becomes the snapshot's own.
    pub fn apply(&mut self, changes: &TradeChanges, ids: NewIds) {
        self.apply_to_proposals(changes, ids);
        self.apply_to_invoice(changes, ids);
        self.apply_to_payment(changes, ids);
        changes.apply_to_trade(&mut self.trade.value, ids);
    }

    fn apply_to_proposals(&mut self, changes: &TradeChanges, ids: NewIds) {
        let viewed = self.proposal.iter_mut().map(|view| &mut view.proposal);
        for proposal in viewed.chain(self.viewer.pending.iter_mut()) {
            proposal.value.state = changes.state_of_proposal(proposal.id, proposal);
        }
        if self.viewer.pending.as_ref().is_some_and(|own| own.state != ProposalState::Pending) {
            self.viewer.pending = None;
        }
        if let (Some(new), Some(id)) = (&changes.new_proposal, ids.proposal) {
            let proposal = Stored { id, value: new.clone() };
            self.has_proposals = true;
            self.viewer.proposals_made += 1;
            self.viewer.pending = Some(proposal.clone());
            // The author has just acted, so is active, and nothing has been agreed since.
            self.proposal = Some(ProposalView { proposal, author_is_active: true, agreed_period_in_the_way: None });
        }
    }

    fn apply_to_invoice(&mut self, changes: &TradeChanges, ids: NewIds) {
        if let (Some(new), Some(id)) = (&changes.new_invoice, ids.invoice)
            && let Some(value) = new.clone().into_invoice(self.trade.id, ids.proposal)
        {
            self.invoice = Some(Stored { id, value });
        }
        if let (Some(invoice), Some(change)) = (&mut self.invoice, &changes.invoice)
            && invoice.id == change.id
        {
            change.apply(&mut invoice.value);
        }
    }

    fn apply_to_payment(&mut self, changes: &TradeChanges, ids: NewIds) {
        if let (Some((payment, _)), Some(change)) = (&mut self.payment, &changes.payment)
            && payment.id == change.id
        {
            change.apply(&mut payment.value);
        }
        if let (Some(refund), Some(change)) = (&mut self.refund, &changes.refund)
            && refund.id == change.id
        {
            change.apply(&mut refund.value);
        }
        if let (Some(new), Some(id)) = (&changes.new_refund, ids.refund) {
            self.refund = Some(Stored { id, value: new.clone() });
        }
        if let (Some(new), Some(id), Some(card)) = (&changes.new_payment, ids.payment, &self.card) {
            self.payment = Some((Stored { id, value: new.clone() }, card.clone()));
        }
    }
}
