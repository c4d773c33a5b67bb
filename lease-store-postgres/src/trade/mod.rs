//! Trades with their proposals, invoice and payments.

mod commit;
mod list;
mod load;
mod open;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::id::{CustomerId, PaymentId, ServiceId, Stored, TradeId, VehicleId, Version, Versioned};
use lease_core::lifecycle::{NewIds, Opening, TradeChanges, TradeSnapshot};
use lease_core::model::{Invoice, Payment, Proposal, Trade};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{
    Claim, InvoiceFilter, OpeningSnapshot, PaymentFilter, ProposalFilter, RepositoryError, TradeFilter, TradeKey, TradeLoad,
    TradeRepository,
};

use crate::PostgresRepository;

#[async_trait]
impl TradeRepository for PostgresRepository {
    async fn load_opening(
        &self,
        vehicle: VehicleId,
        service: ServiceId,
        viewer: Option<CustomerId>,
    ) -> Result<OpeningSnapshot, RepositoryError> {
        open::load(&self.database, vehicle, service, viewer).await
    }

    async fn open_trade(&self, opening: &Opening, claim: Option<Claim>) -> Result<TradeId, RepositoryError> {
        open::commit(&self.database, opening, claim).await
    }

    async fn load_trade(&self, load: &TradeLoad) -> Result<Option<Versioned<TradeSnapshot>>, RepositoryError> {
        load::one(&self.database, load).await
    }

    async fn load_trades(
        &self,
        keys: &[TradeKey],
        viewer: Option<CustomerId>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Option<TradeSnapshot>>, RepositoryError> {
        load::many(&self.database, keys, viewer, now).await
    }

    async fn commit_trade(
        &self,
        id: TradeId,
        expected: Version,
        changes: &TradeChanges,
        claim: Option<Claim>,
    ) -> Result<NewIds, RepositoryError> {
        commit::trade(&self.database, id, expected, changes, claim).await
    }

    async fn list_trades(&self, filter: &TradeFilter, page: PageRequest) -> Result<Page<Stored<Trade>>, RepositoryError> {
        list::trades(&self.database, filter, page).await
    }

    async fn list_proposals(
        &self,
        filter: &ProposalFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<Stored<Proposal>>, RepositoryError> {
        list::proposals(&self.database, filter, page, now).await
    }

    async fn list_invoices(
        &self,
        filter: &InvoiceFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<Stored<Invoice>>, RepositoryError> {
        list::invoices(&self.database, filter, page, now).await
    }

    async fn list_payments(&self, filter: &PaymentFilter, page: PageRequest) -> Result<Page<Stored<Payment>>, RepositoryError> {
        list::payments(&self.database, filter, page).await
    }

    async fn pending_payments(
        &self,
        before: DateTime<Utc>,
        after: Option<PaymentId>,
        limit: u32,
    ) -> Result<Vec<PaymentId>, RepositoryError> {
        load::pending_payments(&self.database, before, after, limit).await
    }
}
