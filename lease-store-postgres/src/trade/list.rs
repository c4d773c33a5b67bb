use chrono::{DateTime, Utc};
use lease_core::id::{Id, Stored};
use lease_core::model::{Invoice, Payment, Proposal, ProposalStatus, Trade};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{InvoiceFilter, PaymentFilter, ProposalFilter, RepositoryError, TradeFilter};

use crate::list::{self, Branch, Filters, Table};
use crate::row::{InvoiceRow, PaymentRow, ProposalRow, TradeRow};
use crate::statement::Database;

const TRADES: Table = Table {
    from: "trades t",
    columns: "t.id, t.vehicle_id, t.service_id, t.customer_id, t.title, t.description, t.status, t.counterparty_id, \
              t.accepted_proposal_id, t.created_at, t.agreed_at, t.completed_at, t.cancelled_at, \
              (select i.id from invoices i where i.trade_id = t.id) as invoice_id",
};

const PROPOSALS: Table = Table {
    from: "proposals t",
    columns: "t.id, t.trade_id, t.customer_id, t.amount, t.currency, t.start_date, t.end_date, t.message, t.status, \
              t.expires_at, t.created_at, t.decided_at",
};

const INVOICES: Table = Table {
    from: "invoices t",
    columns: "t.id, t.trade_id, t.proposal_id, t.customer_id, t.amount, t.currency, t.paid, t.pending, t.status, t.issued_at, \
              t.due_date, t.paid_at, t.voided_at, t.void_reason",
};

const PAYMENTS: Table = Table {
    from: "payments t",
    columns: "t.id, t.invoice_id, t.credit_card_id, t.customer_id, t.amount, t.currency, t.status, t.failure_code, \
              t.gateway_reference, t.is_late, t.charge_key, t.created_at",
};

/// The time when a pending proposal ends, written as in its index, so that Postgres knows how many have expired.
const END: &str = "case when t.status = 'pending' then coalesce(t.expires_at, 'infinity') end";

/// The due date of an open invoice, written as in its index.
const DUE: &str = "case when t.status = 'open' then t.due_date end";

pub(super) async fn trades(
    database: &Database,
    filter: &TradeFilter,
    page: PageRequest,
) -> Result<Page<Stored<Trade>>, RepositoryError> {
    let conditions = |query: &mut Filters<'_>| {
        query.name("t.status", filter.status.map(Into::into));
        query.compare("t.service_id =", filter.service_id.map(Id::get));
        query.compare("t.vehicle_id =", filter.vehicle_id.map(Id::get));
        query.compare("t.customer_id =", filter.customer_id.map(Id::get));
        query.compare("t.counterparty_id =", filter.counterparty_id.map(Id::get));
        query.name("t.service_kind", filter.kind.map(Into::into));
        query.compare("t.vehicle_make =", filter.make.as_deref());
        query.compare("t.vehicle_model =", filter.model.as_deref());
        query.between("t.vehicle_year", filter.year_min, filter.year_max);
        query.search(filter.search.as_ref());
    };
    let viewer = list::viewer(filter.visible_to, filter.customer_id);
    list::page::<TradeRow>(database, &TRADES, &trade_branches(viewer), conditions, page).await
}

/// The trades that a customer may see: open ones, and those in which they take part.
fn trade_branches(viewer: Option<i64>) -> Vec<Branch> {
    let Some(viewer) = viewer else { return vec![Branch::all(&TRADES)] };
    vec![
        Branch::of(TRADES.from, "t.id", "t.status = 'open'"),
        Branch::of_id("trade_parties p join trades t on t.id = p.trade_id", "p.trade_id", "p.customer_id = ", viewer),
    ]
}

pub(super) async fn proposals(
    database: &Database,
    filter: &ProposalFilter,
    page: PageRequest,
    now: DateTime<Utc>,
) -> Result<Page<Stored<Proposal>>, RepositoryError> {
    let conditions = |query: &mut Filters<'_>| {
        query.compare("t.trade_id =", filter.trade_id.map(Id::get));
        query.compare("t.customer_id =", filter.customer_id.map(Id::get));
        match filter.status {
            Some(status @ ProposalStatus::Pending) => {
                query.name("t.status", Some(status.into()));
                query.compare_anew(&format!("{END} >"), Some(now));
            }
            Some(ProposalStatus::Expired) => query.either_anew("t.status = 'expired'", &format!("{END} <="), now),
            status => query.name("t.status", status.map(Into::into)),
        }
    };
    let viewer = list::viewer(filter.visible_to, filter.customer_id);
    list::page::<ProposalRow>(database, &PROPOSALS, &proposal_branches(viewer), conditions, page).await
}

/// The proposals that a customer may see: all in their own trades, their own, the owner's in open trades, and the owner's in
/// trades in which they take part. (The last are read trade by trade, so the cost grows with the number of trades in which the
/// customer takes part.)
fn proposal_branches(viewer: Option<i64>) -> Vec<Branch> {
    let Some(viewer) = viewer else { return vec![Branch::all(&PROPOSALS)] };
    vec![
        Branch::of_id(PROPOSALS.from, "t.id", "t.trade_owner_id = ", viewer),
        Branch::of_id(PROPOSALS.from, "t.id", "t.customer_id = ", viewer),
        Branch::of(PROPOSALS.from, "t.id", "t.is_public"),
        Branch::of_id(
            "trade_parties p join proposals t on t.trade_id = p.trade_id",
            "t.id",
            "t.customer_id = t.trade_owner_id and p.customer_id = ",
            viewer,
        ),
    ]
}

pub(super) async fn invoices(
    database: &Database,
    filter: &InvoiceFilter,
    page: PageRequest,
    now: DateTime<Utc>,
) -> Result<Page<Stored<Invoice>>, RepositoryError> {
    let today = Some(now.date_naive());
    let conditions = |query: &mut Filters<'_>| {
        query.compare("t.customer_id =", filter.visible_to.map(Id::get));
        query.name("t.status", filter.status.map(Into::into));
        match filter.overdue {
            Some(true) => query.compare_anew(&format!("t.status = 'open' and {DUE} <"), today),
            Some(false) => query.compare(&format!("coalesce({DUE}, 'infinity') >="), today),
            None => {}
        }
        query.compare("t.trade_id =", filter.trade_id.map(Id::get));
        query.compare("t.customer_id =", filter.customer_id.map(Id::get));
    };
    list::page::<InvoiceRow>(database, &INVOICES, &[Branch::all(&INVOICES)], conditions, page).await
}

pub(super) async fn payments(
    database: &Database,
    filter: &PaymentFilter,
    page: PageRequest,
) -> Result<Page<Stored<Payment>>, RepositoryError> {
    let conditions = |query: &mut Filters<'_>| {
        query.compare("t.customer_id =", filter.visible_to.map(Id::get));
        query.compare("t.invoice_id =", filter.invoice_id.map(Id::get));
        query.name("t.status", filter.status.map(Into::into));
        query.compare("t.customer_id =", filter.customer_id.map(Id::get));
        query.compare("t.credit_card_id =", filter.credit_card_id.map(Id::get));
    };
    list::page::<PaymentRow>(database, &PAYMENTS, &[Branch::all(&PAYMENTS)], conditions, page).await
}
