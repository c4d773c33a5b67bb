//! Trades and their proposals, invoices, payments and refunds.

mod commit;
mod list;
mod load;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::id::{CustomerId, InvoiceId, PaymentId, ProposalId, RefundId, ServiceId, Stored, VehicleId, Versioned};
use lease_core::lifecycle::{OpeningSnapshot, TradeSnapshot};
use lease_core::model::{ChargeKey, Invoice, Payment, PaymentStatus, Refund, RefundKey, RefundStatus, Service};
use lease_core::money::Currency;
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{
    Counted, InvoiceFilter, PaymentFilter, ProposalFilter, RefundFilter, RepositoryError, TradeFilter, TradeLoad,
    TradeRepository, UnderWay, WeeklyTotal,
};
use sqlx::sqlite::SqliteRow;

use crate::SqliteRepository;
use crate::sql::{Db, Fields, sql};
use crate::table::{find, find_versioned};
use crate::value::{FromColumn, ToColumn, Value, amount_of, name, values};
use crate::vehicle;

pub(crate) use commit::{change, open};

#[async_trait]
impl TradeRepository for SqliteRepository {
    async fn load_opening(
        &self,
        vehicle: Option<VehicleId>,
        service: Option<ServiceId>,
        viewer: Option<CustomerId>,
        now: DateTime<Utc>,
    ) -> Result<OpeningSnapshot, RepositoryError> {
        let mut db = self.reading().await?;
        let mut opening = OpeningSnapshot::default();
        if let Some(id) = vehicle {
            opening.vehicle = vehicle::snapshot(&mut db, id, viewer, now).await?;
        }
        if let Some(id) = service {
            opening.service = find_versioned::<Service>(&mut db, id).await?;
        }
        Ok(opening)
    }

    async fn load_trade(&self, load: &TradeLoad) -> Result<Option<Versioned<TradeSnapshot>>, RepositoryError> {
        load::snapshot(&mut *self.reading().await?, load).await
    }

    async fn list_trades(
        &self,
        filter: &TradeFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<TradeSnapshot>, RepositoryError> {
        list::trades(&mut *self.reading().await?, filter, page, now).await
    }

    async fn list_proposals(
        &self,
        filter: &ProposalFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<TradeSnapshot>, RepositoryError> {
        list::proposals(&mut *self.reading().await?, filter, page, now).await
    }

    async fn find_invoice(&self, id: InvoiceId) -> Result<Option<Stored<Invoice>>, RepositoryError> {
        find(&mut *self.reading().await?, id).await
    }

    async fn find_payment(&self, id: PaymentId) -> Result<Option<Stored<Payment>>, RepositoryError> {
        find(&mut *self.reading().await?, id).await
    }

    async fn find_refund(&self, id: RefundId) -> Result<Option<Stored<Refund>>, RepositoryError> {
        find(&mut *self.reading().await?, id).await
    }

    async fn list_invoices(
        &self,
        filter: &InvoiceFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<Stored<Invoice>>, RepositoryError> {
        list::invoices(&mut *self.reading().await?, filter, page, now).await
    }

    async fn list_payments(&self, filter: &PaymentFilter, page: PageRequest) -> Result<Page<Stored<Payment>>, RepositoryError> {
        list::payments(&mut *self.reading().await?, filter, page).await
    }

    async fn list_refunds(&self, filter: &RefundFilter, page: PageRequest) -> Result<Page<Stored<Refund>>, RepositoryError> {
        list::refunds(&mut *self.reading().await?, filter, page).await
    }

    async fn find_charge_key(&self, key: &ChargeKey) -> Result<Option<PaymentId>, RepositoryError> {
        let find = sql("select id from payments where charge_key = ?", values![key.as_str()]);
        find.value(&mut *self.reading().await?).await
    }

    async fn find_refund_key(&self, key: &RefundKey) -> Result<Option<RefundId>, RepositoryError> {
        let find = sql("select id from refunds where refund_key = ?", values![key.as_str()]);
        find.value(&mut *self.reading().await?).await
    }

    async fn payments_under_way(
        &self,
        state: UnderWay,
        before: DateTime<Utc>,
        after: Option<PaymentId>,
        limit: u32,
    ) -> Result<Vec<PaymentId>, RepositoryError> {
        let status = match state {
            UnderWay::Pending => PaymentStatus::Pending,
            UnderWay::RequiresAction => PaymentStatus::RequiresAction,
        };
        let begun = values![name(status), before];
        self.first("payments", "created_at", ("status = ? and created_at < ?", begun), after, limit).await
    }

    async fn pending_refunds(
        &self,
        before: DateTime<Utc>,
        after: Option<RefundId>,
        limit: u32,
    ) -> Result<Vec<RefundId>, RepositoryError> {
        let begun = values![name(RefundStatus::Pending), before];
        self.first("refunds", "created_at", ("status = ? and created_at < ?", begun), after, limit).await
    }

    async fn declines(
        &self,
        customer: CustomerId,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DateTime<Utc>>, RepositoryError> {
        let declines = "select created_at from payments where status = 'failed' and customer_id = ?1 and created_at > ?2 \
                        union all select refused_at from card_refusals where customer_id = ?1 and refused_at > ?2 \
                        order by 1 desc limit ?3";
        sql(declines, values![customer, since, limit]).column(&mut *self.reading().await?).await
    }

    async fn expired_proposals(
        &self,
        now: DateTime<Utc>,
        after: Option<ProposalId>,
        limit: u32,
    ) -> Result<Vec<ProposalId>, RepositoryError> {
        let expired = ("status = 'pending' and expires_at <= ?", values![now]);
        self.first("proposals", "expires_at", expired, after, limit).await
    }

    async fn overdue_invoices(
        &self,
        now: DateTime<Utc>,
        after: Option<InvoiceId>,
        limit: u32,
    ) -> Result<Vec<InvoiceId>, RepositoryError> {
        let overdue = ("status = 'open' and overdue_at is null and due_date < ?", values![now.date_naive()]);
        self.first("invoices", "due_date", overdue, after, limit).await
    }

    async fn weekly_totals(&self, since: DateTime<Utc>) -> Result<Vec<WeeklyTotal>, RepositoryError> {
        weekly_totals(&mut *self.reading().await?, since).await
    }
}

impl SqliteRepository {
    /// The first rows that a condition finds, in the order of a column: at most `limit`, and only those behind the row `after`, which
    /// the condition may no longer find.
    async fn first<I: ToColumn + FromColumn>(
        &self,
        table: &str,
        order: &str,
        (condition, mut values): (&str, Vec<Value>),
        after: Option<I>,
        limit: u32,
    ) -> Result<Vec<I>, RepositoryError> {
        let behind = after.is_some().then(|| format!(" and ({order}, id) > ((select {order} from {table} where id = ?), ?)"));
        values.extend(after.into_iter().flat_map(|after| values![after, after]));
        values.extend(values![limit]);
        let behind = behind.unwrap_or_default();
        let text = format!("select id from {table} where {condition}{behind} order by {order}, id limit ?");
        sql(text, values).column(&mut *self.reading().await?).await
    }
}

/// What is counted, and where it is found: the amount and the currency, the table, when a row was made, and which rows count.
const COUNTED: [(Counted, &str, &str, &str, &str); 3] = [
    (Counted::Trades, "0 as amount, null as currency", "trades", "created_at", "true"),
    (Counted::Invoices, "amount, currency", "invoices", "issued_at", "true"),
    (Counted::Payments, "amount, currency", "payments", "created_at", "status = 'succeeded'"),
];

async fn weekly_totals(db: &mut Db, since: DateTime<Utc>) -> Result<Vec<WeeklyTotal>, RepositoryError> {
    let mut totals = Vec::new();
    for (counted, amount, table, made, counts) in COUNTED {
        // The whole units and the rest are added up apart, so that no sum is too large for an integer.
        let statement = format!(
            "select (made - ?1) / 604800000000, currency, count(*), sum(amount / 10000), sum(amount % 10000) \
             from (select {made} as made, {amount} from {table} where {made} >= ?1 and {counts}) group by 1, 2 order by 1, 2"
        );
        for row in sql(statement, values![since]).rows(db).await? {
            totals.push(weekly_total(counted, &row)?);
        }
    }
    Ok(totals)
}

fn weekly_total(counted: Counted, row: &SqliteRow) -> Result<WeeklyTotal, RepositoryError> {
    let mut fields = Fields::of(row, "weekly totals");
    let (week, code): (_, Option<String>) = (fields.get()?, fields.get()?);
    let (count, whole, rest): (i64, i64, i64) = (fields.get()?, fields.get()?, fields.get()?);
    let currency = code.map(|code| fields.some(Currency::from_stored(&code))).transpose()?;
    // With the digits of the currency, like every other amount.
    let mut amount = (rust_decimal::Decimal::from(whole) + amount_of(rest)).normalize();
    amount.rescale(amount.scale().max(currency.map_or(0, Currency::digits)));
    Ok(WeeklyTotal { counted, week, count: count.unsigned_abs(), currency, amount })
}
