use std::collections::BTreeSet;
use std::ops::Bound;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::id::{CustomerId, InvoiceId, PaymentId, ProposalId, ServiceId, Stored, TradeId, VehicleId, Versioned};
use lease_core::lifecycle::OpeningSnapshot;
use lease_core::lifecycle::{ProposalView, TradeSnapshot, ViewerHistory};
use lease_core::model::{CreditCard, Invoice, Payment, Trade};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{
    InvoiceFilter, PaymentFilter, ProposalFilter, RepositoryError, TradeFilter, TradeKey, TradeLoad, TradeRepository,
};

use crate::MemoryRepository;
use crate::state::{Invoices, Payments, Proposals, Row, State};

#[async_trait]
impl TradeRepository for MemoryRepository {
    async fn load_opening(
        &self,
        vehicle: Option<VehicleId>,
        service: Option<ServiceId>,
        viewer: Option<CustomerId>,
        now: DateTime<Utc>,
    ) -> Result<OpeningSnapshot, RepositoryError> {
        Ok(self.state.read(|state| OpeningSnapshot {
            vehicle: vehicle.and_then(|id| state.vehicle_snapshot(id, viewer, now)),
            service: service.and_then(|id| state.services.versioned(id)),
        }))
    }

    async fn load_trade(&self, load: &TradeLoad) -> Result<Option<Versioned<TradeSnapshot>>, RepositoryError> {
        self.state.read(|state| state.trade_snapshot(load))
    }

    async fn list_trades(
        &self,
        filter: &TradeFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<TradeSnapshot>, RepositoryError> {
        self.state.read(|state| {
            let found = state.list_trades(filter, page, now);
            found.try_map(|trade| state.listed(TradeKey::Trade(trade.id), filter.visible_to, now))
        })
    }

    async fn list_proposals(
        &self,
        filter: &ProposalFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<TradeSnapshot>, RepositoryError> {
        self.state.read(|state| {
            let found = state.list_proposals(filter, page, now);
            found.try_map(|proposal| state.listed(TradeKey::Proposal(proposal.id), filter.visible_to, now))
        })
    }

    async fn find_invoice(&self, id: InvoiceId) -> Result<Option<Stored<Invoice>>, RepositoryError> {
        Ok(self.state.read(|state| state.invoices.rows.stored(id)))
    }

    async fn find_payment(&self, id: PaymentId) -> Result<Option<Stored<Payment>>, RepositoryError> {
        Ok(self.state.read(|state| state.payments.rows.stored(id)))
    }

    async fn list_invoices(
        &self,
        filter: &InvoiceFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<Stored<Invoice>>, RepositoryError> {
        Ok(self.state.read(|state| state.list_invoices(filter, page, now)))
    }

    async fn list_payments(&self, filter: &PaymentFilter, page: PageRequest) -> Result<Page<Stored<Payment>>, RepositoryError> {
        Ok(self.state.read(|state| state.list_payments(filter, page)))
    }

    async fn declines(
        &self,
        customer: CustomerId,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DateTime<Utc>>, RepositoryError> {
        Ok(self.state.read(|state| {
            let newest_first = state.payments.declines.get(&customer).into_iter().flat_map(|begun| begun.iter().rev());
            newest_first.map(|(begun, _)| *begun).take_while(|begun| *begun > since).take(limit as usize).collect()
        }))
    }

    async fn pending_payments(
        &self,
        before: DateTime<Utc>,
        after: Option<PaymentId>,
        limit: u32,
    ) -> Result<Vec<PaymentId>, RepositoryError> {
        Ok(self.state.read(|state| {
            let Payments { rows, pending, .. } = &state.payments;
            let last = after.and_then(|id| Some((rows.get(id)?.value.created_at, id)));
            let begun = beyond(pending, last).take_while(|(at, _)| *at < before);
            begun.take(limit as usize).map(|(_, id)| *id).collect()
        }))
    }

    async fn expired_proposals(
        &self,
        now: DateTime<Utc>,
        after: Option<ProposalId>,
        limit: u32,
    ) -> Result<Vec<ProposalId>, RepositoryError> {
        Ok(self.state.read(|state| {
            let Proposals { rows, expiring, .. } = &state.proposals;
            let last = after.and_then(|id| Some((rows.get(id)?.value.expires_at?, id)));
            let expired = beyond(expiring, last).take_while(|(at, _)| *at <= now);
            expired.take(limit as usize).map(|(_, id)| *id).collect()
        }))
    }

    async fn overdue_invoices(
        &self,
        now: DateTime<Utc>,
        after: Option<InvoiceId>,
        limit: u32,
    ) -> Result<Vec<InvoiceId>, RepositoryError> {
        Ok(self.state.read(|state| {
            let Invoices { rows, due } = &state.invoices;
            let last = after.and_then(|id| Some((rows.get(id)?.value.due_date, id)));
            let overdue = beyond(due, last).take_while(|(day, _)| *day < now.date_naive());
            overdue.take(limit as usize).map(|(_, id)| *id).collect()
        }))
    }
}

/// What comes after `last`, or all.
fn beyond<K: Ord>(keys: &BTreeSet<K>, last: Option<K>) -> impl Iterator<Item = &K> {
    keys.range((last.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded))
}

impl State {
    fn trade_snapshot(&self, load: &TradeLoad) -> Result<Option<Versioned<TradeSnapshot>>, RepositoryError> {
        let Some((id, row)) = self.named_trade(load.key) else { return Ok(None) };
        let trade = &row.value;
        let service = self.services.stored(trade.service_id).ok_or_else(|| lost("trade", id.get(), "its service is gone"))?;
        let proposal = match load.key {
            TradeKey::Proposal(proposal) => self.proposal_view(proposal, trade, load.now),
            _ => None,
        };
        let payment = match load.key {
            TradeKey::Payment(payment) => Some(self.payment_and_card(payment)?),
            _ => None,
        };
        let snapshot = TradeSnapshot {
            owner_is_active: self.accounts.is_active(trade.customer_id),
            service,
            invoice: trade.invoice_id.and_then(|invoice| self.invoices.rows.stored(invoice)),
            has_proposals: !self.proposals.authors(id).is_empty(),
            proposal,
            payment,
            card: load.card.and_then(|card| self.cards.rows.stored(card)),
            viewer: load.viewer.map(|viewer| self.viewer_history(id, viewer, load.with_pending)).unwrap_or_default(),
            trade: Stored { id, value: trade.clone() },
        };
        Ok(Some(Versioned { version: row.version, value: snapshot }))
    }

    /// The snapshot of a row of a list.
    fn listed(&self, key: TradeKey, viewer: Option<CustomerId>, now: DateTime<Utc>) -> Result<TradeSnapshot, RepositoryError> {
        let found = self.trade_snapshot(&TradeLoad { key, viewer, with_pending: false, card: None, now })?;
        Ok(found.ok_or_else(|| lost("trade", 0, "it is listed and gone"))?.value)
    }

    fn named_trade(&self, key: TradeKey) -> Option<(TradeId, &Row<Trade>)> {
        let id = match key {
            TradeKey::Trade(id) => id,
            TradeKey::Proposal(id) => self.proposals.rows.get(id)?.value.trade_id,
            TradeKey::Invoice(id) => self.invoices.rows.get(id)?.value.trade_id,
            TradeKey::Payment(id) => self.invoices.rows.get(self.payments.rows.get(id)?.value.invoice_id)?.value.trade_id,
        };
        Some((id, self.trades.rows.get(id)?))
    }

    fn proposal_view(&self, id: ProposalId, trade: &Trade, now: DateTime<Utc>) -> Option<ProposalView> {
        let proposal = self.proposals.rows.stored(id)?;
        Some(ProposalView {
            author_is_active: self.accounts.is_active(proposal.customer_id),
            agreed_period_in_the_way: self.trades.agreed_in_the_way(
                trade.vehicle_id,
                proposal.trade_id,
                proposal.period,
                now.date_naive(),
            ),
            proposal,
        })
    }

    fn payment_and_card(&self, id: PaymentId) -> Result<(Stored<Payment>, Stored<CreditCard>), RepositoryError> {
        let payment = self.payments.rows.stored(id).ok_or_else(|| lost("payment", id.get(), "it is gone"))?;
        let card = self.cards.rows.stored(payment.credit_card_id);
        Ok((payment, card.ok_or_else(|| lost("payment", id.get(), "its card is gone"))?))
    }

    fn viewer_history(&self, trade: TradeId, viewer: CustomerId, with_pending: bool) -> ViewerHistory {
        self.proposals.author(trade, viewer).map_or_else(ViewerHistory::default, |author| ViewerHistory {
            proposals_made: author.made,
            pending: author.pending.filter(|_| with_pending).and_then(|id| self.proposals.rows.stored(id)),
        })
    }
}

fn lost(table: &'static str, id: i64, reason: &str) -> RepositoryError {
    RepositoryError::Corrupt { table, id, reason: reason.to_owned() }
}
