//! Trades and their proposals, invoices, payments and refunds.

pub(crate) mod commit;
mod list;
mod load;
pub(crate) mod open;
mod snapshot;
mod totals;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::gateway::{ChargeKey, RefundKey};
use lease_core::id::{CustomerId, InvoiceId, PaymentId, ProposalId, RefundId, ServiceId, Stored, VehicleId, Versioned};
use lease_core::lifecycle::{OpeningSnapshot, TradeSnapshot};
use lease_core::model::{Invoice, Payment, Refund};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{
    InvoiceFilter, PaymentFilter, ProposalFilter, RefundFilter, RepositoryError, TradeFilter, TradeLoad, TradeRepository,
    UnderWay, WeeklyTotal,
};

use crate::PostgresRepository;

#[async_trait]
impl TradeRepository for PostgresRepository {
    async fn load_opening(
        &self,
        vehicle: Option<VehicleId>,
        service: Option<ServiceId>,
        viewer: Option<CustomerId>,
        now: DateTime<Utc>,
    ) -> Result<OpeningSnapshot, RepositoryError> {
        open::load(&self.trading, vehicle, service, viewer, now).await
    }

    async fn load_trade(&self, load: &TradeLoad) -> Result<Option<Versioned<TradeSnapshot>>, RepositoryError> {
        load::trade(&self.trading, load).await
    }

    async fn list_trades(
        &self,
        filter: &TradeFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<TradeSnapshot>, RepositoryError> {
        list::trades(&self.trading, filter, page, now).await
    }

    async fn list_proposals(
        &self,
        filter: &ProposalFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<TradeSnapshot>, RepositoryError> {
        list::proposals(&self.trading, filter, page, now).await
    }

    async fn list_invoices(
        &self,
        filter: &InvoiceFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<Stored<Invoice>>, RepositoryError> {
        list::invoices(&self.trading, filter, page, now).await
    }

    async fn list_payments(&self, filter: &PaymentFilter, page: PageRequest) -> Result<Page<Stored<Payment>>, RepositoryError> {
        list::payments(&self.trading, filter, page).await
    }

    async fn find_invoice(&self, id: InvoiceId) -> Result<Option<Stored<Invoice>>, RepositoryError> {
        self.trading.find(id).await
    }

    async fn find_payment(&self, id: PaymentId) -> Result<Option<Stored<Payment>>, RepositoryError> {
        self.trading.find(id).await
    }

    async fn list_refunds(&self, filter: &RefundFilter, page: PageRequest) -> Result<Page<Stored<Refund>>, RepositoryError> {
        list::refunds(&self.trading, filter, page).await
    }

    async fn find_refund(&self, id: RefundId) -> Result<Option<Stored<Refund>>, RepositoryError> {
        self.trading.find(id).await
    }

    async fn find_charge_key(&self, key: &ChargeKey) -> Result<Option<PaymentId>, RepositoryError> {
        load::charge_key(&self.trading, key).await
    }

    async fn find_refund_key(&self, key: &RefundKey) -> Result<Option<RefundId>, RepositoryError> {
        load::refund_key(&self.trading, key).await
    }

    async fn payments_under_way(
        &self,
        state: UnderWay,
        before: DateTime<Utc>,
        after: Option<PaymentId>,
        limit: u32,
    ) -> Result<Vec<PaymentId>, RepositoryError> {
        load::payments_under_way(&self.trading, state, before, after, limit).await
    }

    async fn pending_refunds(
        &self,
        before: DateTime<Utc>,
        after: Option<RefundId>,
        limit: u32,
    ) -> Result<Vec<RefundId>, RepositoryError> {
        load::pending_refunds(&self.trading, before, after, limit).await
    }

    async fn declines(
        &self,
        customer: CustomerId,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DateTime<Utc>>, RepositoryError> {
        load::declines(&self.trading, customer, since, limit).await
    }

    async fn expired_proposals(
        &self,
        now: DateTime<Utc>,
        after: Option<ProposalId>,
        limit: u32,
    ) -> Result<Vec<ProposalId>, RepositoryError> {
        load::expired_proposals(&self.trading, now, after, limit).await
    }

    async fn overdue_invoices(
        &self,
        now: DateTime<Utc>,
        after: Option<InvoiceId>,
        limit: u32,
    ) -> Result<Vec<InvoiceId>, RepositoryError> {
        load::overdue_invoices(&self.trading, now, after, limit).await
    }

    async fn weekly_totals(&self, since: DateTime<Utc>) -> Result<Vec<WeeklyTotal>, RepositoryError> {
        totals::weekly(&self.trading, since).await
    }
}
