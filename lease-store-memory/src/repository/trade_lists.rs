use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use lease_core::id::{CustomerId, ServiceId, Stored, TradeId};
use lease_core::model::{Invoice, InvoiceStatus, Payment, Proposal, ProposalStatus, Refund, Trade, TradeStatus};
use lease_core::page::{Cursor, Page, PageRequest};
use lease_core::repository::{InvoiceFilter, PaymentFilter, ProposalFilter, RefundFilter, TradeFilter};

use crate::index::{Kind, Term};
use crate::state::{
    Annotated as _, Row, State, called, expiring, invoice_status, make, mileages, model, payment_status, proposal_status,
    public_proposals, refund_status, service_kind, trade_status, years,
};
use crate::walk::{Direction, Query};

impl State {
    pub(super) fn list_trades(&self, filter: &TradeFilter, page: PageRequest, now: DateTime<Utc>) -> Page<Stored<Trade>> {
        let mut query = Query::default()
            .and(filter.status.map(trade_status))
            .and(filter.service_id.map(|id| Term::id(Kind::Service, id)))
            .and(filter.vehicle_id.map(|id| Term::id(Kind::Vehicle, id)))
            .and(filter.customer_id.map(|id| Term::id(Kind::Customer, id)))
            .and(filter.counterparty_id.map(|id| Term::id(Kind::Counterparty, id)))
            .and(filter.make.as_deref().map(make))
            .and(filter.model.as_deref().map(model))
            .and_years(filter.year_min, filter.year_max)
            .and(filter.external_id.as_ref().map(called))
            .and_search(filter.search.as_ref());
        if let Some(kind) = filter.kind {
            // There are few services with many trades each, so the kind is looked up in the services.
            let services = self.services.index.rows(service_kind(kind));
            query = query.and_any(services.map(|id: ServiceId| Term::id(Kind::Service, id)));
        }
        if let Some(viewer) = filter.visible_to {
            let parts = [Kind::Customer, Kind::Counterparty, Kind::Proposer].map(|part| Term::id(part, viewer));
            query = query.and_any(parts.into_iter().chain([trade_status(TradeStatus::Open)]));
        }
        if filter.is_priced() {
            query = query.and(Some(trade_status(TradeStatus::Open)));
        }
        if let Some(max) = filter.mileage_max {
            query = query.and_within([mileages(max)]);
        }
        let keep = |id, row: &Row<Trade>| {
            !filter.visible_to.is_some_and(|viewer| self.hides_trade(id, &row.value, viewer))
                && filter.wants_price_of(&row.value, now)
                && filter.mileage_max.is_none_or(|max| row.value.offered.mileage.is_some_and(|mileage| mileage <= max))
                && row.value.is_called(filter.external_id.as_ref())
                && is_of_model(&row.value, filter)
                && filter.search.as_ref().is_none_or(|search| search.matches(&row.value.search_text()))
        };
        if filter.sort.is_by_price() {
            self.trades_by_price(filter, query, page, keep)
        } else {
            self.trades.rows.list(query, page, keep)
        }
    }

    /// A page of the trades that `query` finds and `keep` confirms, by price.
    fn trades_by_price(
        &self,
        filter: &TradeFilter,
        query: Query,
        page: PageRequest,
        keep: impl Fn(TradeId, &Row<Trade>) -> bool,
    ) -> Page<Stored<Trade>> {
        let direction = if filter.sort.is_ascending() == page.is_backward() { Direction::Down } else { Direction::Up };
        let start = page.cursor().map(Cursor::place).and_then(|place| Some((place.price?.amount, place.id)));
        let is_found = query.test(&self.trades.rows.index);
        let found = self.trades.by_price(filter, direction, start).filter(|id| is_found(*id));
        let rows = found.filter_map(|id| Some((id, self.trades.rows.get(id)?))).filter(|(id, row)| keep(*id, row));
        let rows = rows.take(page.fetch()).map(|(id, row)| Stored { id, value: row.value.clone() });
        Page::of(page, rows.collect(), |trade| filter.sort.place(trade))
    }

    /// Whether an open trade is hidden from those who do not take part in it, since its owner is inactive.
    fn hides_trade(&self, id: TradeId, trade: &Trade, viewer: CustomerId) -> bool {
        trade.is_open()
            && !self.accounts.is_active(trade.customer_id)
            && trade.customer_id != viewer
            && self.proposals.author(id, viewer).is_none()
    }

    pub(super) fn list_proposals(
        &self,
        filter: &ProposalFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Page<Stored<Proposal>> {
        let mut query = Query::default()
            .and(filter.trade_id.map(|id| Term::id(Kind::Trade, id)))
            .and(filter.customer_id.map(|id| Term::id(Kind::Customer, id)));
        if let Some(status) = filter.status {
            query = query.and_within(reads(status, now));
        }
        if let Some(viewer) = filter.visible_to {
            let ties = [Kind::Customer, Kind::TradeOwner, Kind::Audience].map(|tie| Term::id(tie, viewer));
            query = query.and_any(ties.into_iter().chain([public_proposals()]));
        }
        let status_at = |proposal: &Proposal| ProposalStatus::from(proposal.state_at(now));
        let is_hidden = |proposal: &Proposal, viewer| {
            let trade = self.trades.rows.get(proposal.trade_id);
            trade.is_some_and(|trade| self.hides_trade(proposal.trade_id, &trade.value, viewer))
        };
        self.proposals.rows.list(query, page, |_, row| {
            filter.status.is_none_or(|status| status_at(&row.value) == status)
                && !filter.visible_to.is_some_and(|viewer| is_hidden(&row.value, viewer))
        })
    }

    pub(super) fn list_invoices(&self, filter: &InvoiceFilter, page: PageRequest, now: DateTime<Utc>) -> Page<Stored<Invoice>> {
        let billed_to = |id| Term::id(Kind::Customer, id);
        let mut query = Query::default()
            .and(filter.visible_to.map(billed_to))
            .and(filter.customer_id.map(billed_to))
            .and(filter.status.map(invoice_status));
        if let Some(trade) = filter.trade_id {
            query = query.and_row(self.trades.rows.get(trade).and_then(|row| row.value.invoice_id));
        }
        let today = now.date_naive();
        query = match filter.overdue {
            Some(true) => query.and_within([expiring(None, today.pred_opt())]),
            Some(false) => {
                let settled = [InvoiceStatus::Paid, InvoiceStatus::Void, InvoiceStatus::WrittenOff]
                    .map(|status| invoice_status(status).exactly());
                query.and_within([expiring(Some(today), None)].into_iter().chain(settled))
            }
            None => query,
        };
        self.invoices.rows.list(query, page, |_, row| filter.overdue.is_none_or(|overdue| row.value.is_overdue(now) == overdue))
    }

    pub(super) fn list_payments(&self, filter: &PaymentFilter, page: PageRequest) -> Page<Stored<Payment>> {
        let payer = |id| Term::id(Kind::Customer, id);
        let query = Query::default()
            .and(filter.visible_to.map(payer))
            .and(filter.customer_id.map(payer))
            .and(filter.invoice_id.map(|id| Term::id(Kind::Invoice, id)))
            .and(filter.credit_card_id.map(|id| Term::id(Kind::Card, id)))
            .and(filter.status.map(payment_status));
        self.payments.rows.list(query, page, |_, _| true)
    }

    pub(super) fn list_refunds(&self, filter: &RefundFilter, page: PageRequest) -> Page<Stored<Refund>> {
        let payer = |id| Term::id(Kind::Customer, id);
        let query = Query::default()
            .and(filter.visible_to.map(payer))
            .and(filter.customer_id.map(payer))
            .and(filter.payment_id.map(|id| Term::id(Kind::Payment, id)))
            .and(filter.invoice_id.map(|id| Term::id(Kind::Invoice, id)))
            .and(filter.status.map(refund_status));
        self.refunds.rows.list(query, page, |_, _| true)
    }
}

/// Whether a trade offers the requested make and model. Terms of names are hashes, so only this check is exact.
fn is_of_model(trade: &Trade, filter: &TradeFilter) -> bool {
    filter.make.as_ref().is_none_or(|make| trade.offered.make_key() == *make)
        && filter.model.as_ref().is_none_or(|model| trade.offered.model_key() == *model)
}

/// The terms of proposals that may have this status at an instant. On the day on which they expire, each proposal has to be
/// checked.
fn reads(status: ProposalStatus, now: DateTime<Utc>) -> Vec<RangeInclusive<Term>> {
    let today = Some(now.date_naive());
    let stored = proposal_status(status).exactly();
    match status {
        ProposalStatus::Pending => vec![stored, expiring(today, None)],
        ProposalStatus::Expired => vec![stored, expiring(None, today)],
        _ => vec![stored],
    }
}

impl Query {
    /// Restricts these to the rows with a model year from the first to the last, if either is given.
    pub(super) fn and_years(self, min: Option<i32>, max: Option<i32>) -> Self {
        if min.is_none() && max.is_none() { self } else { self.and_within([years(min, max)]) }
    }
}
