use lease_core::id::{NewIds, TradeId};
use lease_core::lifecycle::{Opening, TradeChange, TradeChanges, TradeMove};
use lease_core::model::{ProposalState, Trade};
use lease_core::repository::{Guarantee, RepositoryError};

use super::require;
use crate::index::{Kind, Term};
use crate::state::{State, external_terms, trade_terms, word_terms};

impl State {
    pub(super) fn check_opening(&self, opening: &Opening) -> Result<NewIds, RepositoryError> {
        let trade = &opening.trade;
        self.vehicles.rows.expect(trade.vehicle_id, opening.vehicle_version)?;
        let service = self.services.require(trade.service_id)?;
        require(service.value.is_active)?;
        opening.first_use_of_service.map_or(Ok(()), |version| service.expect(version))?;
        self.accounts.customers.require(trade.customer_id)?;
        if trade.is_live() && self.trades.live_of(trade.vehicle_id).is_some() {
            return Err(RepositoryError::Taken(Guarantee::LiveTradeOfVehicle));
        }
        let id = self.trades.rows.next_id()?;
        self.trades.rows.external_id_free(id, &trade.annotations)?;
        Ok(NewIds { trade: Some(id), ..NewIds::default() })
    }

    pub(super) fn open(&mut self, opening: &Opening, ids: NewIds) {
        let trade = &opening.trade;
        let Some(id) = ids.trade else { return };
        self.trades.set_live(trade.vehicle_id, id, trade.is_live());
        self.trades.rows.insert(id, trade.clone(), trade_terms(trade));
        self.vehicles.opened(trade.vehicle_id, trade.customer_id);
        if opening.first_use_of_service.is_some()
            && let Some(service) = self.services.get_mut(trade.service_id)
        {
            service.value.is_used = true;
            service.bump();
        }
    }

    /// The ids of the rows that the changes create, if nothing prevents them.
    pub(super) fn check_trade(&self, change: &TradeChange) -> Result<NewIds, RepositoryError> {
        let TradeChange { id, expected, ref changes } = *change;
        let trade = &self.trades.rows.expect(id, expected)?.value;
        require(changes.active_party.is_none_or(|party| self.accounts.is_active(party)))?;
        changes.annotations.as_ref().map_or(Ok(()), |annotations| self.trades.rows.external_id_free(id, annotations))?;
        self.check_proposals(id, trade, changes)?;
        let ids = NewIds {
            proposal: changes.new_proposal.as_ref().map(|_| self.proposals.rows.next_id()).transpose()?,
            invoice: changes.new_invoice.as_ref().map(|_| self.invoices.rows.next_id()).transpose()?,
            payment: changes.new_payment.as_ref().map(|_| self.payments.rows.next_id()).transpose()?,
            refund: changes.new_refund.as_ref().map(|_| self.refunds.rows.next_id()).transpose()?,
            ..NewIds::default()
        };
        self.check_invoice(trade, changes, ids)?;
        let goes_live = matches!(changes.state, Some(TradeMove::Agree(_)));
        if goes_live && self.trades.live_of(trade.vehicle_id).is_some_and(|other| other != id) {
            return Err(RepositoryError::Taken(Guarantee::LiveTradeOfVehicle));
        }
        if let Some(transfer) = &changes.transfer {
            let vehicle = self.vehicles.rows.require(transfer.vehicle_id)?;
            require(vehicle.value.customer_id == transfer.from)?;
            self.accounts.customers.require(transfer.to)?;
        }
        Ok(ids)
    }

    fn check_proposals(&self, id: TradeId, trade: &Trade, changes: &TradeChanges) -> Result<(), RepositoryError> {
        if let Some((proposal_id, state)) = changes.decided {
            let proposal = &self.proposals.rows.require(proposal_id)?.value;
            require(proposal.trade_id == id)?;
            if matches!(state, ProposalState::Accepted { .. }) && self.proposals.another_accepted(id, proposal_id) {
                return Err(RepositoryError::Taken(Guarantee::AcceptedProposal));
            }
        }
        let days = changes.state.as_ref().and_then(|to| to.agreement()?.days).filter(|days| !days.is_empty());
        if days.is_some_and(|days| self.trades.is_taken(trade.vehicle_id, id, days)) {
            return Err(RepositoryError::Taken(Guarantee::AgreedPeriods));
        }
        if let Some(new) = &changes.new_proposal {
            require(new.trade_id == id)?;
            self.accounts.customers.require(new.customer_id)?;
            let is_decided = |pending| changes.decided.is_some_and(|(decided, _)| decided == pending);
            let pending = self.proposals.author(id, new.customer_id).and_then(|author| author.pending);
            if changes.close_others.is_none() && pending.is_some_and(|pending| !is_decided(pending)) {
                return Err(RepositoryError::Taken(Guarantee::PendingProposal));
            }
        }
        Ok(())
    }

    fn check_invoice(&self, trade: &Trade, changes: &TradeChanges, ids: NewIds) -> Result<(), RepositoryError> {
        if let Some(new) = &changes.new_invoice {
            if trade.invoice_id.is_some() {
                return Err(RepositoryError::Taken(Guarantee::InvoiceOfTrade));
            }
            require(new.proposal_id.or(ids.proposal).is_some())?;
            self.accounts.customers.require(new.customer_id)?;
        }
        let invoice = trade.invoice_id.or(ids.invoice);
        if let Some(change) = &changes.invoice {
            require(invoice == Some(change.id))?;
        }
        if let Some(new) = &changes.new_payment {
            require(invoice == Some(new.invoice_id))?;
            require(self.cards.rows.require(new.credit_card_id)?.value.deleted_at.is_none())?;
            if self.payments.charge_keys.contains_key(&new.charge_key) {
                return Err(RepositoryError::Taken(Guarantee::ChargeKey));
            }
        }
        if let Some(change) = &changes.payment {
            require(invoice == Some(self.payments.rows.require(change.id)?.value.invoice_id))?;
        }
        if let Some(new) = &changes.new_refund {
            require(invoice == Some(self.payments.rows.require(new.payment_id)?.value.invoice_id))?;
            if self.refunds.keys.contains_key(&new.refund_key) {
                return Err(RepositoryError::Taken(Guarantee::RefundKey));
            }
        }
        if let Some(change) = &changes.refund {
            require(invoice == Some(self.refunds.rows.require(change.id)?.value.invoice_id))?;
        }
        Ok(())
    }

    /// Writes the changes field by field, in order.
    pub(super) fn change_trade(&mut self, TradeChange { id, changes, .. }: &TradeChange, ids: NewIds) {
        let id = *id;
        let Some(row) = self.trades.rows.get_mut(id) else { return };
        row.bump();
        let before = row.value.clone();
        let old_words = changes.text.as_ref().map(|_| word_terms(&row.value));
        changes.apply_to_trade(&mut row.value, ids);
        if let Some(old) = old_words {
            let new = word_terms(&row.value);
            self.trades.rows.retag(id, &old, &new);
        }
        if let Some(row) = self.trades.rows.get(id).filter(|_| changes.annotations.is_some()) {
            let new = external_terms(&row.value);
            self.trades.rows.retag(id, &external_terms(&before), &new);
        }
        self.trades.moved(id, &before);
        self.trades.asked(id, &before);
        self.change_proposals(id, changes, ids);
        self.change_invoice(id, changes, ids);
        self.change_payments(changes, ids);
        self.narrow_visibility(id, changes, before.is_open());
        if let Some(transfer) = &changes.transfer {
            let pairs = self.trades.parties_of(transfer.vehicle_id);
            self.vehicles.transfer(transfer.vehicle_id, transfer.to, &pairs);
        }
    }

    fn change_proposals(&mut self, id: TradeId, changes: &TradeChanges, ids: NewIds) {
        let Some(owner) = self.trades.rows.get(id).map(|row| row.value.customer_id) else { return };
        if let Some((proposal, state)) = changes.decided {
            self.proposals.set_state(proposal, state);
        }
        if changes.close_others.is_some() {
            for other in self.proposals.pending_in(id) {
                if let Some(state) = self.proposals.rows.get(other).map(|row| changes.state_of_proposal(other, &row.value)) {
                    self.proposals.set_state(other, state);
                }
            }
        }
        if let (Some(new), Some(new_id)) = (&changes.new_proposal, ids.proposal) {
            self.proposals.insert(new_id, new.clone(), owner);
            if new.customer_id != owner && self.proposals.author(id, new.customer_id).is_some_and(|author| author.made == 1) {
                self.trades.rows.index.insert(Term::id(Kind::Proposer, new.customer_id), id);
            }
        }
    }

    fn change_invoice(&mut self, id: TradeId, changes: &TradeChanges, ids: NewIds) {
        if let (Some(new), Some(invoice_id)) = (&changes.new_invoice, ids.invoice)
            && let Some(invoice) = new.clone().into_invoice(id, ids.proposal)
        {
            self.invoices.insert(invoice_id, invoice);
        }
        if let Some(change) = &changes.invoice {
            self.invoices.change(change);
        }
    }

    fn change_payments(&mut self, changes: &TradeChanges, ids: NewIds) {
        if let (Some(new), Some(id)) = (&changes.new_payment, ids.payment) {
            self.payments.insert(id, new.clone());
        }
        if let Some(change) = &changes.payment {
            self.payments.change(change);
        }
        if let (Some(new), Some(id)) = (&changes.new_refund, ids.refund) {
            self.refunds.insert(id, new.clone());
        }
        if let Some(change) = &changes.refund {
            self.refunds.change(change);
        }
    }

    /// Fewer customers may see a trade once it is no longer open.
    fn narrow_visibility(&mut self, id: TradeId, changes: &TradeChanges, was_open: bool) {
        let Some(trade) = self.trades.rows.get(id).map(|row| &row.value) else { return };
        let counterparty = trade.agreement().map(|agreement| agreement.counterparty_id);
        if was_open && !trade.is_open() {
            self.vehicles.closed(trade.vehicle_id, counterparty);
        }
        if !trade.is_open() && (was_open || changes.new_proposal.is_some()) {
            self.proposals.narrow(id, trade.customer_id, counterparty);
        }
    }
}
