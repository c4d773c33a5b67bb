use lease_core::id::{InvoiceId, PaymentId, ProposalId, TradeId, Version};
use lease_core::lifecycle::{NewIds, Opening, TradeChanges, TradeMove};
use lease_core::model::{Invoice, InvoiceState, ProposalState, Trade, TradeState};
use lease_core::money::Money;
use lease_core::repository::{Claim, Guarantee, RepositoryError};

use super::require;
use crate::MemoryRepository;
use crate::index::{Kind, Term};
use crate::state::{State, invoice_terms, set_invoice_state, trade_terms, word_terms};

impl State {
    fn check_opening(&self, opening: &Opening) -> Result<TradeId, RepositoryError> {
        let trade = &opening.trade;
        self.vehicles.rows.expect(trade.vehicle_id, opening.vehicle_version)?;
        let service = self.services.require(trade.service_id)?;
        require(service.value.is_active)?;
        opening.first_use_of_service.map_or(Ok(()), |version| service.expect(version))?;
        self.accounts.customers.require(trade.customer_id)?;
        if trade.is_live() && self.trades.live_of(trade.vehicle_id).is_some() {
            return Err(RepositoryError::Taken(Guarantee::LiveTradeOfVehicle));
        }
        self.trades.rows.next_id()
    }

    fn open(&mut self, opening: &Opening, id: TradeId, terms: &[Term]) {
        let trade = &opening.trade;
        self.trades.set_live(trade.vehicle_id, id, trade.is_live());
        self.trades.rows.insert(id, trade.clone(), terms.iter().copied());
        self.vehicles.opened(trade.vehicle_id, trade.customer_id);
        if opening.first_use_of_service.is_some()
            && let Some(service) = self.services.get_mut(trade.service_id)
        {
            service.value.is_used = true;
            service.bump();
        }
    }

    /// The ids of what the changes make, where nothing stands in their way.
    fn check_changes(&self, id: TradeId, expected: Version, changes: &TradeChanges) -> Result<NewIds, RepositoryError> {
        let trade = &self.trades.rows.expect(id, expected)?.value;
        require(changes.active_party.is_none_or(|party| self.accounts.is_active(party)))?;
        self.check_proposals(id, trade, changes)?;
        let ids = NewIds {
            proposal: changes.new_proposal.as_ref().map(|_| self.proposals.rows.next_id()).transpose()?,
            invoice: changes.new_invoice.as_ref().map(|_| self.invoices.next_id()).transpose()?,
            payment: changes.new_payment.as_ref().map(|_| self.payments.rows.next_id()).transpose()?,
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
            if let ProposalState::Accepted { at } = state {
                if self.proposals.another_accepted(id, proposal_id) {
                    return Err(RepositoryError::Taken(Guarantee::AcceptedProposal));
                }
                let in_the_way =
                    |period| self.trades.agreed_in_the_way(trade.vehicle_id, id, Some(period), at.date_naive()).is_some();
                if proposal.period.is_some_and(in_the_way) {
                    return Err(RepositoryError::Taken(Guarantee::AgreedPeriods));
                }
            }
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
            if self.payments.charge_keys.contains(&new.charge_key) {
                return Err(RepositoryError::Taken(Guarantee::ChargeKey));
            }
        }
        if let Some((payment, _)) = &changes.settled {
            require(invoice == Some(self.payments.rows.require(*payment)?.value.invoice_id))?;
        }
        Ok(())
    }

    /// Writes the changes, field by field in their order.
    fn change_trade(&mut self, id: TradeId, changes: &TradeChanges, ids: NewIds) {
        let Some(row) = self.trades.rows.get_mut(id) else { return };
        row.bump();
        let was_open = row.value.is_open();
        self.amend_trade(id, changes);
        self.change_proposals(id, changes, ids);
        self.change_invoice(id, changes, ids);
        self.change_payments(changes, ids);
        self.move_trade(id, changes, was_open);
        if let Some(transfer) = &changes.transfer {
            self.vehicles.transfer(transfer.vehicle_id, transfer.to);
        }
    }

    fn amend_trade(&mut self, id: TradeId, changes: &TradeChanges) {
        let Some(text) = &changes.text else { return };
        let Some(row) = self.trades.rows.get_mut(id) else { return };
        let old = word_terms(&row.value);
        row.value.title.clone_from(&text.title);
        row.value.description.clone_from(&text.description);
        let new = word_terms(&row.value);
        self.trades.rows.retag(id, &old, &new);
    }

    fn change_proposals(&mut self, id: TradeId, changes: &TradeChanges, ids: NewIds) {
        let Some((vehicle, owner)) = self.trades.rows.get(id).map(|row| (row.value.vehicle_id, row.value.customer_id)) else {
            return;
        };
        if let Some((proposal, state)) = changes.decided {
            self.proposals.set_state(proposal, state);
            let period = self.proposals.rows.get(proposal).and_then(|row| row.value.period);
            if let (ProposalState::Accepted { .. }, Some(period)) = (state, period) {
                self.trades.agree(vehicle, id, period);
            }
        }
        if let Some(now) = changes.close_others {
            for other in self.proposals.pending_in(id) {
                let read = self.proposals.rows.get(other).map(|row| row.value.state_at(now));
                let ended = read.filter(|state| *state != ProposalState::Pending).unwrap_or(ProposalState::Closed { at: now });
                self.proposals.set_state(other, ended);
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
            && let Some(proposal_id) = new.proposal_id.or(ids.proposal)
        {
            let nothing = Money::zero(new.amount.currency());
            let invoice = Invoice {
                trade_id: id,
                proposal_id,
                customer_id: new.customer_id,
                amount: new.amount,
                paid: nothing,
                pending: nothing,
                state: InvoiceState::Open,
                issued_at: new.issued_at,
                due_date: new.due_date,
            };
            let terms = invoice_terms(&invoice);
            self.invoices.insert(invoice_id, invoice, terms);
            self.set_invoice_of_trade(id, invoice_id);
        }
        if let Some(change) = &changes.invoice
            && let Some(row) = self.invoices.get_mut(change.id)
        {
            row.value.paid = change.paid;
            row.value.pending = change.pending;
            set_invoice_state(&mut self.invoices, change.id, &change.state);
        }
    }

    fn set_invoice_of_trade(&mut self, id: TradeId, invoice: InvoiceId) {
        if let Some(row) = self.trades.rows.get_mut(id) {
            row.value.invoice_id = Some(invoice);
        }
    }

    fn change_payments(&mut self, changes: &TradeChanges, ids: NewIds) {
        if let (Some(new), Some(id)) = (&changes.new_payment, ids.payment) {
            self.payments.insert(id, new.clone());
        }
        if let Some((id, state)) = &changes.settled {
            self.payments.set_state(*id, state);
        }
    }

    fn move_trade(&mut self, id: TradeId, changes: &TradeChanges, was_open: bool) {
        if let Some(to) = changes.state {
            self.trades.set_state(
                id,
                match to {
                    TradeMove::Agree(agreement) => TradeState::Agreed(agreement),
                    TradeMove::Complete(agreement, completed_at) => TradeState::Completed { agreement, completed_at },
                    TradeMove::Cancel(cancelled_at) => TradeState::Cancelled { cancelled_at },
                },
            );
        }
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

impl MemoryRepository {
    pub(crate) fn write_opening(&self, opening: &Opening, claim: Option<Claim>) -> Result<TradeId, RepositoryError> {
        let (id, _) = self.state.write(
            |state| {
                state.claims.check(claim)?;
                let id = state.check_opening(opening)?;
                let vehicle = state.vehicles.rows.require(opening.trade.vehicle_id)?;
                Ok::<_, RepositoryError>((id, trade_terms(&opening.trade, &vehicle.value)))
            },
            |state, (id, terms)| {
                state.open(opening, *id, terms);
                state.claims.finish(claim, Some(id.get()));
            },
        )?;
        Ok(id)
    }

    pub(crate) fn write_trade(
        &self,
        id: TradeId,
        expected: Version,
        changes: &TradeChanges,
        claim: Option<Claim>,
    ) -> Result<NewIds, RepositoryError> {
        self.state.write(
            |state| {
                state.claims.check(claim)?;
                state.check_changes(id, expected, changes)
            },
            |state, ids| {
                state.change_trade(id, changes, *ids);
                let made = ids.payment.map(PaymentId::get).or(ids.proposal.map(ProposalId::get));
                state.claims.finish(claim, made);
            },
        )
    }
}
