use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::gateway::{ChargeKey, RefundKey};
use lease_core::id::{
    CustomerId, Id, InvoiceId, PaymentId, ProposalId, RefundId, ServiceId, Stored, TradeId, VehicleId, Versioned,
};
use lease_core::lifecycle::OpeningSnapshot;
use lease_core::lifecycle::{ProposalView, TradeSnapshot, ViewerHistory};
use lease_core::model::{CreditCard, Invoice, Payment, PaymentState, Refund, Trade};
use lease_core::money::Money;
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{
    Counted, InvoiceFilter, PaymentFilter, ProposalFilter, RefundFilter, RepositoryError, TradeFilter, TradeKey, TradeLoad,
    TradeRepository, UnderWay, WeeklyTotal,
};
use rust_decimal::Decimal;

use crate::MemoryRepository;
use crate::state::{Invoices, Payments, Proposals, Refunds, Row, State};

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

    async fn find_refund(&self, id: RefundId) -> Result<Option<Stored<Refund>>, RepositoryError> {
        Ok(self.state.read(|state| state.refunds.rows.stored(id)))
    }

    async fn list_refunds(&self, filter: &RefundFilter, page: PageRequest) -> Result<Page<Stored<Refund>>, RepositoryError> {
        Ok(self.state.read(|state| state.list_refunds(filter, page)))
    }

    async fn find_charge_key(&self, key: &ChargeKey) -> Result<Option<PaymentId>, RepositoryError> {
        Ok(self.state.read(|state| state.payments.charge_keys.get(key).copied()))
    }

    async fn find_refund_key(&self, key: &RefundKey) -> Result<Option<RefundId>, RepositoryError> {
        Ok(self.state.read(|state| state.refunds.keys.get(key).copied()))
    }

    async fn declines(
        &self,
        customer: CustomerId,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DateTime<Utc>>, RepositoryError> {
        Ok(self.state.read(|state| {
            let payments = state.payments.declines.get(&customer).into_iter().flatten().map(|(begun, _)| *begun);
            let cards = state.cards.refused.get(&customer).into_iter().flatten().copied();
            let mut declines: Vec<_> = payments.chain(cards).filter(|at| *at > since).collect();
            declines.sort_unstable_by(|one, other| other.cmp(one));
            declines.truncate(limit as usize);
            declines
        }))
    }

    async fn payments_under_way(
        &self,
        state: UnderWay,
        before: DateTime<Utc>,
        after: Option<PaymentId>,
        limit: u32,
    ) -> Result<Vec<PaymentId>, RepositoryError> {
        Ok(self.state.read(|all| {
            let Payments { rows, pending, waiting, .. } = &all.payments;
            let begun = match state {
                UnderWay::Pending => pending,
                UnderWay::RequiresAction => waiting,
            };
            let last = after.and_then(|id| Some((rows.get(id)?.value.created_at, id)));
            first(begun, last, |at| at < before, limit)
        }))
    }

    async fn pending_refunds(
        &self,
        before: DateTime<Utc>,
        after: Option<RefundId>,
        limit: u32,
    ) -> Result<Vec<RefundId>, RepositoryError> {
        Ok(self.state.read(|state| {
            let Refunds { rows, pending, .. } = &state.refunds;
            let last = after.and_then(|id| Some((rows.get(id)?.value.created_at, id)));
            first(pending, last, |at| at < before, limit)
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
            first(expiring, last, |at| at <= now, limit)
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
            first(due, last, |day| day < now.date_naive(), limit)
        }))
    }

    async fn weekly_totals(&self, since: DateTime<Utc>) -> Result<Vec<WeeklyTotal>, RepositoryError> {
        Ok(self.state.read(|state| {
            let is_recent = |made: &DateTime<Utc>| *made >= since;
            let trades = state.trades.rows.newest().map(|trade| trade.created_at).take_while(is_recent);
            let invoices = state.invoices.rows.newest().take_while(|invoice| is_recent(&invoice.issued_at));
            let payments = state.payments.rows.newest().take_while(|payment| is_recent(&payment.created_at));
            let paid = payments.filter(|payment| matches!(payment.state, PaymentState::Succeeded { .. }));
            let made = trades
                .map(|at| (Counted::Trades, at, None))
                .chain(invoices.map(|invoice| (Counted::Invoices, invoice.issued_at, Some(invoice.amount))))
                .chain(paid.map(|payment| (Counted::Payments, payment.created_at, Some(payment.amount))));
            by_week(made, since)
        }))
    }
}

/// What was made, counted and added up by week.
fn by_week(made: impl Iterator<Item = (Counted, DateTime<Utc>, Option<Money>)>, since: DateTime<Utc>) -> Vec<WeeklyTotal> {
    let mut totals = BTreeMap::new();
    for (counted, at, money) in made {
        let week = u32::try_from((at - since).num_weeks()).unwrap_or(u32::MAX);
        let currency = money.map(Money::currency);
        let none = WeeklyTotal { counted, week, count: 0, currency, amount: Decimal::ZERO };
        let total = totals.entry((counted, week, currency.map(|code| code.to_string()))).or_insert(none);
        total.count += 1;
        total.amount = total.amount.saturating_add(money.map_or(Decimal::ZERO, Money::amount));
    }
    totals.into_values().collect()
}

/// The first rows whose time has come, in the order of their times: at most `limit`, and only those after `last`.
fn first<T: Ord + Copy, I: Id>(
    times: &BTreeSet<(T, I)>,
    last: Option<(T, I)>,
    has_come: impl Fn(T) -> bool,
    limit: u32,
) -> Vec<I> {
    let others = times.range((last.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded));
    others.take_while(|(time, _)| has_come(*time)).take(limit as usize).map(|(_, id)| *id).collect()
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
        let refund = match load.key {
            TradeKey::Refund(refund) => self.refunds.rows.stored(refund),
            _ => None,
        };
        let payment = match (load.key, &refund) {
            (TradeKey::Payment(payment), _) => Some(self.payment_and_card(payment)?),
            (_, Some(refund)) => Some(self.payment_and_card(refund.payment_id)?),
            _ => None,
        };
        let snapshot = TradeSnapshot {
            owner_is_active: self.accounts.is_active(trade.customer_id),
            service,
            invoice: trade.invoice_id.and_then(|invoice| self.invoices.rows.stored(invoice)),
            has_proposals: !self.proposals.authors(id).is_empty(),
            proposal,
            payment,
            refund,
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
            TradeKey::Refund(id) => self.invoices.rows.get(self.refunds.rows.get(id)?.value.invoice_id)?.value.trade_id,
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
