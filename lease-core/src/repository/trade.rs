use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::RepositoryError;
use crate::id::{CreditCardId, CustomerId, InvoiceId, PaymentId, ProposalId, ServiceId, Stored, TradeId, VehicleId, Versioned};
use crate::lifecycle::{OpeningSnapshot, TradeSnapshot};
use crate::model::{Invoice, InvoiceStatus, Payment, PaymentStatus, Proposal, ProposalStatus, ServiceKind, Trade, TradeStatus};
use crate::page::{Page, PageRequest};
use crate::text::Search;

/// Trades with their proposals, invoice and payments. All of these move with the trade's version.
#[async_trait]
pub trait TradeRepository {
    /// What opening a trade reads; `viewer` is the customer who asks.
    async fn load_opening(
        &self,
        vehicle: Option<VehicleId>,
        service: Option<ServiceId>,
        viewer: Option<CustomerId>,
    ) -> Result<OpeningSnapshot, RepositoryError>;

    /// What a decision about a trade reads. Trades whose key names nothing are left out.
    async fn load_trade(&self, load: &TradeLoad) -> Result<Option<Versioned<TradeSnapshot>>, RepositoryError>;

    /// [`load_trade`](Self::load_trade) for up to a page of keys at once, without a card: the snapshots in the order of the
    /// keys, `None` for a key that names nothing. One round trip.
    async fn load_trades(
        &self,
        keys: &[TradeKey],
        viewer: Option<CustomerId>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Option<TradeSnapshot>>, RepositoryError>;

    /// Lists trades.
    async fn list_trades(&self, filter: &TradeFilter, page: PageRequest) -> Result<Page<Stored<Trade>>, RepositoryError>;

    /// Lists proposals.
    async fn list_proposals(
        &self,
        filter: &ProposalFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<Stored<Proposal>>, RepositoryError>;

    /// Lists invoices.
    async fn list_invoices(
        &self,
        filter: &InvoiceFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<Stored<Invoice>>, RepositoryError>;

    /// Lists payments.
    async fn list_payments(&self, filter: &PaymentFilter, page: PageRequest) -> Result<Page<Stored<Payment>>, RepositoryError>;

    /// Payments begun before `before` that are still pending, the oldest first: at most `limit` of those that come after the
    /// payment `after`, which may be settled by now.
    async fn pending_payments(
        &self,
        before: DateTime<Utc>,
        after: Option<PaymentId>,
        limit: u32,
    ) -> Result<Vec<PaymentId>, RepositoryError>;
}

/// Which trade to load, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeLoad {
    /// By what it is found.
    pub key: TradeKey,
    /// The customer who asks.
    pub viewer: Option<CustomerId>,
    /// A card that is asked about, deleted or not.
    pub card: Option<CreditCardId>,
    /// The present instant.
    pub now: DateTime<Utc>,
}

/// By what a trade is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TradeKey {
    /// Its own id.
    Trade(TradeId),
    /// A proposal of it, which becomes the snapshot's `proposal`.
    Proposal(ProposalId),
    /// Its invoice.
    Invoice(InvoiceId),
    /// A payment of its invoice, which becomes the snapshot's `payment`.
    Payment(PaymentId),
}

/// Which trades to list; each condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TradeFilter {
    /// Only what this customer may see: open ones, those they are owner or counterparty of, those they made a proposal in
    /// ([`can_view_trade`](crate::permission::can_view_trade)).
    pub visible_to: Option<CustomerId>,
    /// Of this status.
    pub status: Option<TradeStatus>,
    /// Under this service.
    pub service_id: Option<ServiceId>,
    /// Of this vehicle.
    pub vehicle_id: Option<VehicleId>,
    /// Of this owner.
    pub customer_id: Option<CustomerId>,
    /// With this counterparty.
    pub counterparty_id: Option<CustomerId>,
    /// Under a service of this kind.
    pub kind: Option<ServiceKind>,
    /// Of a vehicle of this make, as a comparison key.
    pub make: Option<String>,
    /// Of a vehicle of this model, as a comparison key.
    pub model: Option<String>,
    /// Of a vehicle not before this model year.
    pub year_min: Option<i32>,
    /// Of a vehicle not after this model year.
    pub year_max: Option<i32>,
    /// Matching [`Trade::search_text`].
    pub search: Option<Search>,
}

/// Which proposals to list; each condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProposalFilter {
    /// Only what this customer may see: their own, all in their own trades, the owner's in trades they may see
    /// ([`can_view_proposal`](crate::permission::can_view_proposal)).
    pub visible_to: Option<CustomerId>,
    /// In this trade.
    pub trade_id: Option<TradeId>,
    /// Of this author.
    pub customer_id: Option<CustomerId>,
    /// Reading this at the present instant: [`Proposal::state_at`].
    pub status: Option<ProposalStatus>,
}

/// Which invoices to list; each condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvoiceFilter {
    /// Only those billed to this customer.
    pub visible_to: Option<CustomerId>,
    /// Of this status.
    pub status: Option<InvoiceStatus>,
    /// [Overdue](Invoice::is_overdue) at the present instant, or not.
    pub overdue: Option<bool>,
    /// Of this trade.
    pub trade_id: Option<TradeId>,
    /// Billed to this customer.
    pub customer_id: Option<CustomerId>,
}

/// Which payments to list; each condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentFilter {
    /// Only this customer's.
    pub visible_to: Option<CustomerId>,
    /// Of this invoice.
    pub invoice_id: Option<InvoiceId>,
    /// Of this status.
    pub status: Option<PaymentStatus>,
    /// By this customer.
    pub customer_id: Option<CustomerId>,
    /// With this card.
    pub credit_card_id: Option<CreditCardId>,
}
