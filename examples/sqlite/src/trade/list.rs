//! Lists of trades and of what hangs on them.

use chrono::{DateTime, Utc};
use lease_core::id::{CustomerId, ProposalId, Stored, TradeId};
use lease_core::lifecycle::TradeSnapshot;
use lease_core::model::{ExternalId, Invoice, Payment, Proposal, ProposalStatus, Refund, Trade};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{
    InvoiceFilter, PaymentFilter, ProposalFilter, RefundFilter, RepositoryError, TradeFilter, TradeKey, TradeLoad,
};

use super::load::snapshot;
use crate::list::{self, Branch, Filters, Walk};
use crate::sql::Db;
use crate::value::{name, ten_thousandths, values};

pub(super) async fn trades(
    db: &mut Db,
    filter: &TradeFilter,
    page: PageRequest,
    now: DateTime<Utc>,
) -> Result<Page<TradeSnapshot>, RepositoryError> {
    let mut filters = Filters::seen_by(filter.visible_to)
        .compare("t.service_id =", filter.service_id)
        .compare("t.vehicle_id =", filter.vehicle_id)
        .compare("t.customer_id =", filter.customer_id)
        .compare("t.counterparty_id =", filter.counterparty_id)
        .compare("t.external_id =", filter.external_id.as_ref().map(ExternalId::as_str))
        .compare("t.offered_mileage <=", filter.mileage_max)
        .compare("t.make_key =", filter.make.as_deref())
        .compare("t.model_key =", filter.model.as_deref())
        .compare("t.offered_year >=", filter.year_min)
        .compare("t.offered_year <=", filter.year_max);
    if filter.is_priced() {
        // A list by price walks the index of the prices, and any other the open trades.
        let plus = if filter.sort.is_by_price() { "" } else { "+" };
        let currency = filter.currency.map(|currency| currency.code().to_owned());
        filters = filters
            .holds("t.status = 'open'", Vec::new())
            .holds(&format!("{plus}t.asking_currency = ?"), values![currency])
            .holds("(t.asking_expires_at is null or t.asking_expires_at > ?)", values![now])
            .compare(&format!("{plus}t.asking_amount >="), filter.price_min.map(ten_thousandths))
            .compare(&format!("{plus}t.asking_amount <="), filter.price_max.map(ten_thousandths));
    }
    if let Some(kind) = filter.kind {
        filters = filters.holds("+t.service_id in (select id from services where kind = ?)", values![name(kind)]);
    }
    let filters = filters.named("t.status", filter.status).search(filter.search.as_ref());
    let branches = if filter.sort.is_by_price() { by_price(filter.visible_to) } else { visible(filter.visible_to) };
    let key = filter.sort.is_by_price().then_some("t.asking_amount");
    let walk = Walk::of(page, key, filter.sort.is_ascending());
    let ids: Vec<TradeId> = list::ids(db, &branches, &filters, walk).await?;
    let found = snapshots(db, ids.into_iter().map(TradeKey::Trade), filter.visible_to, now).await?;
    Ok(Page::of(page, found, |snapshot| filter.sort.place(&snapshot.trade)))
}

const WITH_OWNER: &str = "trades t join customers c on c.id = t.customer_id join users u on u.id = c.user_id";

/// The trades that a customer may see: open ones whose owner is active, and those of which they are the owner, the counterparty or
/// in which they have proposed.
fn visible(viewer: Option<CustomerId>) -> Vec<Branch> {
    let Some(viewer) = viewer else { return Branch::all::<Trade>() };
    vec![
        Branch::new("t.id", &format!("{WITH_OWNER} where t.status = 'open' and u.is_active"), Vec::new()),
        Branch::new("t.id", "trades t where t.customer_id = ?", values![viewer]),
        Branch::new("t.id", "trades t where t.counterparty_id = ?", values![viewer]),
        Branch::new("p.trade_id", "proposals p join trades t on t.id = p.trade_id where p.customer_id = ?", values![viewer]),
    ]
}

/// The same for a list by price, which walks one index of prices and looks at each trade: such a list has open trades only.
fn by_price(viewer: Option<CustomerId>) -> Vec<Branch> {
    let Some(viewer) = viewer else { return Branch::all::<Trade>() };
    let seen = "(u.is_active or t.customer_id = ? or exists \
                (select 1 from proposals p where p.trade_id = t.id and p.customer_id = ?))";
    vec![Branch::new("t.id", &format!("{WITH_OWNER} where {seen}"), values![viewer, viewer])]
}

pub(super) async fn proposals(
    db: &mut Db,
    filter: &ProposalFilter,
    page: PageRequest,
    now: DateTime<Utc>,
) -> Result<Page<TradeSnapshot>, RepositoryError> {
    let filters = Filters::seen_by(filter.visible_to)
        .compare("t.trade_id =", filter.trade_id)
        .compare("t.customer_id =", filter.customer_id);
    let mut branches = visible_proposals(filter.visible_to);
    let filters = match filter.status {
        status @ Some(ProposalStatus::Pending) => {
            filters.named("t.status", status).holds("(t.expires_at is null or t.expires_at > ?)", values![now])
        }
        Some(ProposalStatus::Expired) => {
            branches = branches.into_iter().flat_map(|branch| expired(branch, filters.plus(), now)).collect();
            filters
        }
        status => filters.named("t.status", status),
    };
    let walk = Walk::of(page, None, false);
    let ids: Vec<ProposalId> = list::ids(db, &branches, &filters, walk).await?;
    let found = snapshots(db, ids.into_iter().map(TradeKey::Proposal), filter.visible_to, now).await?;
    Ok(Page::of(page, found, |snapshot| snapshot.proposal.as_ref().map_or(0, |view| view.proposal.id.get())))
}

/// Of these proposals, those that are stored as expired, and the pending ones that have expired.
fn expired(branch: Branch, plus: &str, now: DateTime<Utc>) -> [Branch; 2] {
    let pending = format!("{plus}t.status = 'pending' and +t.expires_at <= ?");
    let pending = branch.clone().and(&pending, values![now]);
    [branch.and(&format!("{plus}t.status = 'expired'"), Vec::new()), pending]
}

/// The proposals that a customer may see: their own, all in their own trades, the owner's in open trades whose owner is active, and
/// the owner's in trades in which they take part.
fn visible_proposals(viewer: Option<CustomerId>) -> Vec<Branch> {
    let Some(viewer) = viewer else { return Branch::all::<Proposal>() };
    let public = "proposals t join customers c on c.id = t.customer_id join users u on u.id = c.user_id \
                  where t.is_public = 1 and u.is_active";
    let own_part =
        "proposals p join proposals t on t.trade_id = p.trade_id and t.customer_id = t.owner_id where p.customer_id = ?";
    let other_part = "trades o join proposals t on t.trade_id = o.id and t.customer_id = t.owner_id where o.counterparty_id = ?";
    vec![
        Branch::new("t.id", "proposals t where t.customer_id = ?", values![viewer]),
        Branch::new("t.id", "proposals t where t.owner_id = ?", values![viewer]),
        Branch::new("t.id", public, Vec::new()),
        Branch::new("t.id", own_part, values![viewer]),
        Branch::new("t.id", other_part, values![viewer]),
    ]
}

/// The snapshots of the rows of a page.
async fn snapshots(
    db: &mut Db,
    keys: impl Iterator<Item = TradeKey>,
    viewer: Option<CustomerId>,
    now: DateTime<Utc>,
) -> Result<Vec<TradeSnapshot>, RepositoryError> {
    let mut snapshots = Vec::new();
    for key in keys {
        let load = TradeLoad { key, viewer, with_pending: false, card: None, now };
        snapshots.extend(snapshot(db, &load).await?.map(|found| found.value));
    }
    Ok(snapshots)
}

pub(super) async fn invoices(
    db: &mut Db,
    filter: &InvoiceFilter,
    page: PageRequest,
    now: DateTime<Utc>,
) -> Result<Page<Stored<Invoice>>, RepositoryError> {
    let filters = Filters::default()
        .compare("t.customer_id =", filter.visible_to)
        .compare("t.customer_id =", filter.customer_id)
        .compare("t.trade_id =", filter.trade_id)
        .named("t.status", filter.status);
    let today = now.date_naive();
    let filters = match filter.overdue {
        Some(true) => filters.holds("t.status = 'open' and t.due_date < ?", values![today]),
        Some(false) => filters.holds("(t.status <> 'open' or t.due_date >= ?)", values![today]),
        None => filters,
    };
    list::page(db, &Branch::all::<Invoice>(), filters, page).await
}

pub(super) async fn payments(
    db: &mut Db,
    filter: &PaymentFilter,
    page: PageRequest,
) -> Result<Page<Stored<Payment>>, RepositoryError> {
    let filters = Filters::default()
        .compare("t.customer_id =", filter.visible_to)
        .compare("t.customer_id =", filter.customer_id)
        .compare("t.invoice_id =", filter.invoice_id)
        .compare("t.credit_card_id =", filter.credit_card_id)
        .named("t.status", filter.status);
    list::page(db, &Branch::all::<Payment>(), filters, page).await
}

pub(super) async fn refunds(
    db: &mut Db,
    filter: &RefundFilter,
    page: PageRequest,
) -> Result<Page<Stored<Refund>>, RepositoryError> {
    let filters = Filters::default()
        .compare("t.customer_id =", filter.visible_to)
        .compare("t.customer_id =", filter.customer_id)
        .compare("t.payment_id =", filter.payment_id)
        .compare("t.invoice_id =", filter.invoice_id)
        .named("t.status", filter.status);
    list::page(db, &Branch::all::<Refund>(), filters, page).await
}
