use chrono::{DateTime, Utc};
use lease_core::id::{CreditCardId, CustomerId, InvoiceId, PaymentId, ServiceId, Stored, TradeId, VehicleId};
use lease_core::lifecycle::TradeSnapshot;
use lease_core::model::{ExternalId, Invoice, Payment, ProposalStatus, Refund};
use lease_core::money::Currency;
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{InvoiceFilter, PaymentFilter, ProposalFilter, RefundFilter, RepositoryError, TradeFilter};

use super::snapshot::Parts;
use crate::database::Database;
use crate::list::{self, Branch, Filters, Order, Shape};

const TRADES: &str = "trades t";
const PROPOSALS: &str = "proposals t";

/// The time when a pending proposal ends, written as in its index, so that Postgres knows how many have expired.
pub(super) const END: &str = "case when t.status = 'pending' then coalesce(t.expires_at, 'infinity') end";

/// The due date of an open invoice, written as in its index.
const DUE: &str = "case when t.status = 'open' then t.due_date end";

pub(super) async fn trades(
    database: &Database,
    filter: &TradeFilter,
    page: PageRequest,
    now: DateTime<Utc>,
) -> Result<Page<TradeSnapshot>, RepositoryError> {
    let conditions = |query: &mut Filters<'_>| {
        if filter.is_priced() {
            push_prices(query, filter, now);
        }
        query.name("t.status", filter.status.map(Into::into));
        query.compare_anew("t.offered_mileage <=", filter.mileage_max);
        query.compare("t.service_id =", filter.service_id.map(ServiceId::get));
        query.compare("t.vehicle_id =", filter.vehicle_id.map(VehicleId::get));
        query.compare("t.customer_id =", filter.customer_id.map(CustomerId::get));
        query.compare("t.counterparty_id =", filter.counterparty_id.map(CustomerId::get));
        query.name("t.service_kind", filter.kind.map(Into::into));
        query.compare("t.vehicle_make =", filter.make.as_deref());
        query.compare("t.vehicle_model =", filter.model.as_deref());
        query.between("t.vehicle_year", filter.year_min, filter.year_max);
        query.compare("t.external_id =", filter.external_id.as_ref().map(ExternalId::as_str));
        query.search(filter.search.as_ref());
    };
    let viewer = list::viewer(filter.visible_to, filter.customer_id);
    let parts = Parts { viewer: filter.visible_to, ..Parts::default() };
    let shape = Shape {
        table: "trades",
        alias: "t",
        columns: &|query| parts.push_columns(query),
        joins: Some(&|query| parts.push_joins(query, false)),
        read: &|fields| Ok(parts.read(fields)?.value),
        place: &|snapshot: &TradeSnapshot| filter.sort.place(&snapshot.trade),
    };
    let branches = if filter.is_priced() { vec![Branch::of(ASKING, "a.trade_id", IS_ASKED)] } else { trade_branches(viewer) };
    let order = Order { is_ascending: filter.sort.is_ascending(), key: filter.sort.is_by_price().then_some(BY_PRICE) };
    list::page_in(database, &shape, &branches, conditions, page, order).await
}

/// The trades on offer for which something is asked, and the proposal that asks it.
const ASKING: &str = "proposals a join trades t on t.id = a.trade_id join customers owner on owner.id = t.customer_id";
const IS_ASKED: &str = "a.is_public and a.status = 'pending' and t.status = 'open'";
/// The price that is asked: in [`ASKING`], and in a snapshot.
const BY_PRICE: (&str, &str) = ("a.amount", "ask.amount");

/// Adds what the filter wants of the proposal that asks. It is seen by all while its owner is active, and then by those who take part
/// in the trade.
fn push_prices(query: &mut Filters<'_>, filter: &TradeFilter, now: DateTime<Utc>) {
    query.compare("a.currency =", Some(filter.currency.as_ref().map(Currency::code)));
    // A list by price is bounded by its index; for any other the best index depends on the prices.
    if filter.sort.is_by_price() {
        query.compare("a.amount >=", filter.price_min);
        query.compare("a.amount <=", filter.price_max);
    } else {
        query.compare_anew("a.amount >=", filter.price_min);
        query.compare_anew("a.amount <=", filter.price_max);
    }
    query.compare("coalesce(a.expires_at, 'infinity') >", Some(now));
    if let Some(viewer) = filter.visible_to {
        let takes_part = "select from trade_parties p where p.trade_id = t.id and p.customer_id =";
        query.either_found("owner.is_active", takes_part, viewer.get());
    }
}

/// The trades that a customer may see: open ones whose owner is active, and those in which they take part.
fn trade_branches(viewer: Option<i64>) -> Vec<Branch> {
    let Some(viewer) = viewer else { return vec![Branch::all(TRADES)] };
    vec![
        Branch::of("trades t join customers owner on owner.id = t.customer_id and owner.is_active", "t.id", "t.status = 'open'"),
        Branch::of_id("trade_parties p join trades t on t.id = p.trade_id", "p.trade_id", "p.customer_id = ", viewer),
    ]
}

pub(super) async fn proposals(
    database: &Database,
    filter: &ProposalFilter,
    page: PageRequest,
    now: DateTime<Utc>,
) -> Result<Page<TradeSnapshot>, RepositoryError> {
    let conditions = |query: &mut Filters<'_>| {
        query.compare("t.trade_id =", filter.trade_id.map(TradeId::get));
        query.compare("t.customer_id =", filter.customer_id.map(CustomerId::get));
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
    let parts = Parts { viewer: filter.visible_to, proposal_on: Some(now.date_naive()), ..Parts::default() };
    let shape = Shape {
        table: "proposals",
        alias: "p",
        columns: &|query| parts.push_columns(query),
        joins: Some(&|query| {
            query.push(" join trades t on t.id = p.trade_id");
            parts.push_joins(query, false);
        }),
        read: &|fields| Ok(parts.read(fields)?.value),
        place: &|snapshot: &TradeSnapshot| snapshot.proposal.as_ref().map_or(0, |view| view.proposal.id.get()).into(),
    };
    list::page_of(database, &shape, &proposal_branches(viewer), conditions, page).await
}

/// The proposals that a customer may see: all in their own trades, their own, the owner's in open trades whose owner
/// is active, and the owner's in trades in which they take part. (The last are read trade by trade, so the cost grows with the number of trades in which the
/// customer takes part.)
fn proposal_branches(viewer: Option<i64>) -> Vec<Branch> {
    let Some(viewer) = viewer else { return vec![Branch::all(PROPOSALS)] };
    vec![
        Branch::of_id(PROPOSALS, "t.id", "t.trade_owner_id = ", viewer),
        Branch::of_id(PROPOSALS, "t.id", "t.customer_id = ", viewer),
        Branch::of("proposals t join customers owner on owner.id = t.trade_owner_id and owner.is_active", "t.id", "t.is_public"),
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
        query.compare("t.customer_id =", filter.visible_to.map(CustomerId::get));
        query.name("t.status", filter.status.map(Into::into));
        match filter.overdue {
            Some(true) => query.compare_anew(&format!("t.status = 'open' and {DUE} <"), today),
            Some(false) => query.compare(&format!("coalesce({DUE}, 'infinity') >="), today),
            None => {}
        }
        query.compare("t.trade_id =", filter.trade_id.map(TradeId::get));
        query.compare("t.customer_id =", filter.customer_id.map(CustomerId::get));
    };
    list::page(database, &[Branch::all("invoices t")], conditions, page).await
}

pub(super) async fn payments(
    database: &Database,
    filter: &PaymentFilter,
    page: PageRequest,
) -> Result<Page<Stored<Payment>>, RepositoryError> {
    let conditions = |query: &mut Filters<'_>| {
        query.compare("t.customer_id =", filter.visible_to.map(CustomerId::get));
        query.compare("t.invoice_id =", filter.invoice_id.map(InvoiceId::get));
        query.name("t.status", filter.status.map(Into::into));
        query.compare("t.customer_id =", filter.customer_id.map(CustomerId::get));
        query.compare("t.credit_card_id =", filter.credit_card_id.map(CreditCardId::get));
    };
    list::page(database, &[Branch::all("payments t")], conditions, page).await
}

pub(super) async fn refunds(
    database: &Database,
    filter: &RefundFilter,
    page: PageRequest,
) -> Result<Page<Stored<Refund>>, RepositoryError> {
    let conditions = |query: &mut Filters<'_>| {
        query.compare("t.customer_id =", filter.visible_to.map(CustomerId::get));
        query.compare("t.payment_id =", filter.payment_id.map(PaymentId::get));
        query.compare("t.invoice_id =", filter.invoice_id.map(InvoiceId::get));
        query.compare("t.customer_id =", filter.customer_id.map(CustomerId::get));
        query.name("t.status", filter.status.map(Into::into));
    };
    list::page(database, &[Branch::all("refunds t")], conditions, page).await
}
