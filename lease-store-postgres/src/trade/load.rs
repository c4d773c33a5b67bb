use chrono::{DateTime, Utc};
use lease_core::gateway::{ChargeKey, RefundKey};
use lease_core::id::{CustomerId, Id, InvoiceId, PaymentId, ProposalId, RefundId, Versioned};
use lease_core::lifecycle::TradeSnapshot;
use lease_core::model::{Payment, PaymentStatus, Refund, RefundStatus};
use lease_core::repository::{RepositoryError, TradeKey, TradeLoad, UnderWay};
use sqlx::QueryBuilder;
use sqlx::postgres::Postgres;

use super::list::END;
use super::snapshot::Parts;
use crate::database::Database;
use crate::row::{Fields, Table as _};

pub(super) async fn trade(database: &Database, load: &TradeLoad) -> Result<Option<Versioned<TradeSnapshot>>, RepositoryError> {
    let parts = parts(load);
    let statement = || {
        let mut query = QueryBuilder::new("select ");
        parts.push_columns(&mut query);
        push_key(&mut query, load.key, &parts);
        query
    };
    let found = database.read_one(statement).await?;
    found.map(|row| parts.read(&mut Fields::of(&row))).transpose()
}

/// The parts that a decision about this key reads.
fn parts(load: &TradeLoad) -> Parts {
    let parts = Parts { viewer: load.viewer, with_pending: load.with_pending, card: load.card, ..Parts::default() };
    match load.key {
        TradeKey::Proposal(_) => Parts { proposal_on: Some(load.now.date_naive()), ..parts },
        TradeKey::Payment(_) => Parts { with_payment: true, ..parts },
        TradeKey::Refund(_) => Parts { with_payment: true, with_refund: true, ..parts },
        TradeKey::Trade(_) | TradeKey::Invoice(_) => parts,
    }
}

/// Adds the row by which the trade is found, and the joins from there.
fn push_key(query: &mut QueryBuilder<Postgres>, key: TradeKey, parts: &Parts) {
    let (from, has_invoice, condition, id) = match key {
        TradeKey::Trade(id) => (" from trades t", false, " where t.id = ", id.get()),
        TradeKey::Proposal(id) => (" from proposals p join trades t on t.id = p.trade_id", false, " where p.id = ", id.get()),
        TradeKey::Invoice(id) => (" from invoices i join trades t on t.id = i.trade_id", true, " where i.id = ", id.get()),
        TradeKey::Payment(id) => (
            " from payments y join invoices i on i.id = y.invoice_id join trades t on t.id = i.trade_id",
            true,
            " where y.id = ",
            id.get(),
        ),
        TradeKey::Refund(id) => (
            " from refunds r join payments y on y.id = r.payment_id join invoices i on i.id = y.invoice_id \
             join trades t on t.id = i.trade_id",
            true,
            " where r.id = ",
            id.get(),
        ),
    };
    query.push(from);
    parts.push_joins(query, has_invoice);
    query.push(condition).push_bind(id);
}

pub(super) async fn charge_key(database: &Database, key: &ChargeKey) -> Result<Option<PaymentId>, RepositoryError> {
    with_key(database, "payments where charge_key = ", key.as_str()).await
}

pub(super) async fn refund_key(database: &Database, key: &RefundKey) -> Result<Option<RefundId>, RepositoryError> {
    with_key(database, "refunds where refund_key = ", key.as_str()).await
}

/// The id of the row of a table that has this key.
async fn with_key<I: Id>(database: &Database, table_and_column: &str, key: &str) -> Result<Option<I>, RepositoryError> {
    let statement = || {
        let mut query = QueryBuilder::new("select id from ");
        query.push(table_and_column).push_bind(key.to_owned());
        query
    };
    database.read_one(statement).await?.map(|row| Fields::of(&row).id()).transpose()
}

pub(super) async fn payments_under_way(
    database: &Database,
    state: UnderWay,
    before: DateTime<Utc>,
    after: Option<PaymentId>,
    limit: u32,
) -> Result<Vec<PaymentId>, RepositoryError> {
    let status = match state {
        UnderWay::Pending => PaymentStatus::Pending,
        UnderWay::RequiresAction => PaymentStatus::RequiresAction,
    };
    oldest(database, Payment::NAME, status.into(), before, after, limit).await
}

pub(super) async fn pending_refunds(
    database: &Database,
    before: DateTime<Utc>,
    after: Option<RefundId>,
    limit: u32,
) -> Result<Vec<RefundId>, RepositoryError> {
    oldest(database, Refund::NAME, RefundStatus::Pending.into(), before, after, limit).await
}

/// The oldest rows with a status that were begun before `before`: at most `limit`, and only those after the row `after`.
async fn oldest<I: Id>(
    database: &Database,
    table: &str,
    status: &str,
    before: DateTime<Utc>,
    after: Option<I>,
    limit: u32,
) -> Result<Vec<I>, RepositoryError> {
    let statement = || {
        let mut query = QueryBuilder::new("select id from ");
        query.push(table).push(" where status = '").push(status).push("' and created_at < ").push_bind(before);
        push_after(&mut query, "created_at, id", &format!("select created_at from {table} where id = "), after);
        query.push(" order by created_at, id limit ").push_bind(i64::from(limit));
        query
    };
    let rows = database.read(statement).await?;
    rows.iter().map(|row| Fields::of(row).id()).collect()
}

/// Adds the condition that rows come after the last one in the order of the columns `key`. `place` selects the place of the last one,
/// which may no longer be among the rows.
fn push_after<I: Id>(query: &mut QueryBuilder<Postgres>, key: &str, place: &str, last: Option<I>) {
    let Some(last) = last.map(Id::get) else { return };
    query.push(" and (").push(key).push(") > (coalesce((").push(place).push_bind(last);
    query.push("), '-infinity'), ").push_bind(last).push(")");
}

pub(super) async fn declines(
    database: &Database,
    customer: CustomerId,
    since: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<DateTime<Utc>>, RepositoryError> {
    let statement = || {
        let mut query = QueryBuilder::new("select declined.at from (");
        for (start, at) in [
            ("(select created_at as at from payments where failure_code is not null", "created_at"),
            (") union all (select refused_at from card_refusals where true", "refused_at"),
        ] {
            query.push(start).push(" and customer_id = ").push_bind(customer.get());
            query.push(" and ").push(at).push(" > ").push_bind(since);
            query.push(" order by ").push(at).push(" desc limit ").push_bind(i64::from(limit));
        }
        query.push(")) as declined order by declined.at desc limit ").push_bind(i64::from(limit));
        query
    };
    let rows = database.read(statement).await?;
    rows.iter().map(|row| Fields::of(row).get()).collect()
}

pub(super) async fn expired_proposals(
    database: &Database,
    now: DateTime<Utc>,
    after: Option<ProposalId>,
    limit: u32,
) -> Result<Vec<ProposalId>, RepositoryError> {
    let statement = || {
        let mut query = QueryBuilder::new("select t.id from proposals t where ");
        query.push(END).push(" <= ").push_bind(now);
        push_after(&mut query, &format!("{END}, t.id"), "select expires_at from proposals where id = ", after);
        query.push(" order by ").push(END).push(", t.id limit ").push_bind(i64::from(limit));
        query
    };
    let rows = database.read(statement).await?;
    rows.iter().map(|row| Fields::of(row).id()).collect()
}

pub(super) async fn overdue_invoices(
    database: &Database,
    now: DateTime<Utc>,
    after: Option<InvoiceId>,
    limit: u32,
) -> Result<Vec<InvoiceId>, RepositoryError> {
    let statement = || {
        let mut query = QueryBuilder::new("select id from invoices where status = 'open' and overdue_at is null and due_date < ");
        query.push_bind(now.date_naive());
        push_after(&mut query, "due_date, id", "select due_date from invoices where id = ", after);
        query.push(" order by due_date, id limit ").push_bind(i64::from(limit));
        query
    };
    let rows = database.read(statement).await?;
    rows.iter().map(|row| Fields::of(row).id()).collect()
}
