use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::RepositoryError;
use crate::id::{
    CreditCardId, CustomerId, InvoiceId, PaymentId, ProposalId, RefundId, ServiceId, Stored, TradeId, VehicleId, Versioned,
};
use crate::lifecycle::{OpeningSnapshot, TradeSnapshot};
use crate::model::{
    Asking, ChargeKey, ExternalId, Invoice, InvoiceStatus, Payment, PaymentStatus, ProposalStatus, Refund, RefundKey,
    RefundStatus, ServiceKind, Trade, TradeStatus,
};
use crate::money::Currency;
use crate::page::{Cursor, Page, PageRequest, Place, PriceKey};
use crate::text::Search;

/// Trades with their proposals, invoices and payments. A change to any of these increases the trade's version.
#[async_trait]
pub trait TradeRepository {
    /// The snapshot that opening a trade reads; `viewer` is the customer who asks, `now` the present instant.
    async fn load_opening(
        &self,
        vehicle: Option<VehicleId>,
        service: Option<ServiceId>,
        viewer: Option<CustomerId>,
        now: DateTime<Utc>,
    ) -> Result<OpeningSnapshot, RepositoryError>;

    /// The snapshot that a decision about a trade reads; `None` if nothing has the key.
    async fn load_trade(&self, load: &TradeLoad) -> Result<Option<Versioned<TradeSnapshot>>, RepositoryError>;

    /// Lists trades, each with what the actions on it depend on: the snapshot that [`load_trade`](Self::load_trade) returns for
    /// the trade and the customer of `visible_to`.
    async fn list_trades(
        &self,
        filter: &TradeFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<TradeSnapshot>, RepositoryError>;

    /// Lists proposals, each in the snapshot that [`load_trade`](Self::load_trade) returns for the proposal and the customer of
    /// `visible_to`.
    async fn list_proposals(
        &self,
        filter: &ProposalFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<TradeSnapshot>, RepositoryError>;

    /// One invoice.
    async fn find_invoice(&self, id: InvoiceId) -> Result<Option<Stored<Invoice>>, RepositoryError>;

    /// One payment.
    async fn find_payment(&self, id: PaymentId) -> Result<Option<Stored<Payment>>, RepositoryError>;

    /// Lists invoices.
    async fn list_invoices(
        &self,
        filter: &InvoiceFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<Stored<Invoice>>, RepositoryError>;

    /// Lists payments.
    async fn list_payments(&self, filter: &PaymentFilter, page: PageRequest) -> Result<Page<Stored<Payment>>, RepositoryError>;

    /// One refund.
    async fn find_refund(&self, id: RefundId) -> Result<Option<Stored<Refund>>, RepositoryError>;

    /// Lists refunds.
    async fn list_refunds(&self, filter: &RefundFilter, page: PageRequest) -> Result<Page<Stored<Refund>>, RepositoryError>;

    /// The payment whose charge has this key.
    async fn find_charge_key(&self, key: &ChargeKey) -> Result<Option<PaymentId>, RepositoryError>;

    /// The refund with this key.
    async fn find_refund_key(&self, key: &RefundKey) -> Result<Option<RefundId>, RepositoryError>;

    /// Payments begun before `before` that are still in this state, oldest first: at most `limit` of those that come after the payment
    /// `after`, which may already be settled.
    async fn payments_under_way(
        &self,
        state: UnderWay,
        before: DateTime<Utc>,
        after: Option<PaymentId>,
        limit: u32,
    ) -> Result<Vec<PaymentId>, RepositoryError>;

    /// Refunds begun before `before` that are still pending, oldest first: at most `limit` of those that come after the refund `after`,
    /// which may already be settled.
    async fn pending_refunds(
        &self,
        before: DateTime<Utc>,
        after: Option<RefundId>,
        limit: u32,
    ) -> Result<Vec<RefundId>, RepositoryError>;

    /// When the last failed payments of this customer were begun, and their last cards refused, newest first: at most `limit` of those
    /// after `since`.
    async fn declines(
        &self,
        customer: CustomerId,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DateTime<Utc>>, RepositoryError>;

    /// Proposals that are stored as pending and have expired at `now`, in the order in which they expired: at most `limit` of those
    /// that come after the proposal `after`, which may already be recorded as expired.
    async fn expired_proposals(
        &self,
        now: DateTime<Utc>,
        after: Option<ProposalId>,
        limit: u32,
    ) -> Result<Vec<ProposalId>, RepositoryError>;

    /// Open invoices that are overdue at `now` without a record of it ([`overdue_at`](Invoice::overdue_at)), in the order of their
    /// due dates: at most `limit` of those that come after the invoice `after`, which may already have its record.
    async fn overdue_invoices(
        &self,
        now: DateTime<Utc>,
        after: Option<InvoiceId>,
        limit: u32,
    ) -> Result<Vec<InvoiceId>, RepositoryError>;

    /// What was opened, invoiced and paid in each week from `since` on, in the order of the kinds, the weeks and the currencies. A week
    /// in which there was nothing is left out.
    async fn weekly_totals(&self, since: DateTime<Utc>) -> Result<Vec<WeeklyTotal>, RepositoryError>;
}

/// What happened in a week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeeklyTotal {
    /// What is counted.
    pub counted: Counted,
    /// The number of weeks after the first one.
    pub week: u32,
    /// How many there were.
    pub count: u64,
    /// The currency; none for what has no amount.
    pub currency: Option<Currency>,
    /// What they add up to, in this currency.
    pub amount: Decimal,
}

/// What is counted by week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::VariantArray)]
pub enum Counted {
    /// Trades, when they were opened.
    Trades,
    /// Invoices, when they were issued, in one currency.
    Invoices,
    /// Payments that succeeded, when they were begun, in one currency.
    Payments,
}

/// The trade to load, and the customer for whom it is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeLoad {
    /// The key by which the trade is found.
    pub key: TradeKey,
    /// The customer on whose behalf the trade is loaded.
    pub viewer: Option<CustomerId>,
    /// Whether the viewer's pending proposal is loaded too, which a new one would replace.
    pub with_pending: bool,
    /// A card to load with the trade, deleted or not.
    pub card: Option<CreditCardId>,
    /// The present instant.
    pub now: DateTime<Utc>,
}

/// The key by which a trade is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TradeKey {
    /// Its own id.
    Trade(TradeId),
    /// One of its proposals, which becomes the snapshot's `proposal`.
    Proposal(ProposalId),
    /// Its invoice.
    Invoice(InvoiceId),
    /// A payment of its invoice, which becomes the snapshot's `payment`.
    Payment(PaymentId),
    /// A refund, which becomes the snapshot's `refund`, and its payment the `payment`.
    Refund(RefundId),
}

/// The filter for a list of trades; every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TradeFilter {
    /// Only trades that this customer may see: open trades whose owner is active, trades of which they are the owner or the counterparty, and trades in
    /// which they have made a proposal ([`can_view_trade`](crate::permission::can_view_trade)).
    pub visible_to: Option<CustomerId>,
    /// With this status.
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
    /// With a vehicle that is offered with this odometer reading or a lower one.
    pub mileage_max: Option<i64>,
    /// With an asking price in this currency. A filter and an order by price without a currency find nothing.
    pub currency: Option<Currency>,
    /// With this asking price or a higher one.
    pub price_min: Option<Decimal>,
    /// With this asking price or a lower one.
    pub price_max: Option<Decimal>,
    /// The order of the list.
    pub sort: TradeSort,
    /// With a vehicle of this make, given as a comparison key.
    pub make: Option<String>,
    /// With a vehicle of this model, given as a comparison key.
    pub model: Option<String>,
    /// With a vehicle of this model year or later.
    pub year_min: Option<i32>,
    /// With a vehicle of this model year or earlier.
    pub year_max: Option<i32>,
    /// With this external id; at most one has it.
    pub external_id: Option<ExternalId>,
    /// Matching [`Trade::search_text`](crate::model::Trade::search_text).
    pub search: Option<Search>,
}

impl TradeFilter {
    /// Whether only trades with an asking price are listed ([`Trade::asking_at`]).
    #[must_use]
    pub const fn is_priced(&self) -> bool {
        self.compares_prices() || self.currency.is_some()
    }

    /// Whether prices are compared, for which there must be one currency.
    pub(crate) const fn compares_prices(&self) -> bool {
        self.price_min.is_some() || self.price_max.is_some() || !matches!(self.sort, TradeSort::Newest)
    }

    /// Whether a trade asks for a price, at this instant, that the filter wants.
    #[must_use]
    pub fn wants_price_of(&self, trade: &Trade, now: DateTime<Utc>) -> bool {
        let is_wanted = |asking: Asking| {
            let (amount, currency) = (asking.amount.amount(), asking.amount.currency());
            self.currency == Some(currency)
                && self.price_min.is_none_or(|min| amount >= min)
                && self.price_max.is_none_or(|max| amount <= max)
        };
        !self.is_priced() || trade.asking_at(now).is_some_and(is_wanted)
    }
}

/// The order of a list of trades.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
pub enum TradeSort {
    /// The newest trade first.
    #[default]
    #[strum(serialize = "newest")]
    Newest,
    /// The lowest asking price first; of trades with the same price the oldest.
    #[strum(serialize = "price")]
    Price,
    /// The reverse of [`Price`](Self::Price).
    #[strum(serialize = "-price")]
    PriceDescending,
}

#[cfg(feature = "openapi")]
crate::openapi::enumerations! {
    TradeSort: "The order of a list of trades.";
}

impl TradeSort {
    /// Whether a list in this order reads upwards from its beginning.
    #[must_use]
    pub const fn is_ascending(self) -> bool {
        matches!(self, Self::Price)
    }

    /// Whether the order is by price.
    #[must_use]
    pub const fn is_by_price(self) -> bool {
        matches!(self, Self::Price | Self::PriceDescending)
    }

    /// The place of a trade in a list in this order.
    #[must_use]
    pub fn place(self, trade: &Stored<Trade>) -> Place {
        let key = |asking: Asking| PriceKey { is_descending: !self.is_ascending(), amount: asking.amount.amount() };
        Place { id: trade.id.get(), price: trade.asking.filter(|_| self.is_by_price()).map(key) }
    }

    /// Whether a cursor was given out by a list in this order.
    pub(crate) fn has_given(self, cursor: Cursor) -> bool {
        match cursor.place().price {
            None => !self.is_by_price(),
            Some(key) => self.is_by_price() && key.is_descending != self.is_ascending(),
        }
    }
}

/// The filter for a list of proposals; every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProposalFilter {
    /// Only proposals that this customer may see: their own, all proposals in trades they own, and the owner's proposals in
    /// trades they may see ([`can_view_proposal`](crate::permission::can_view_proposal)).
    pub visible_to: Option<CustomerId>,
    /// In this trade.
    pub trade_id: Option<TradeId>,
    /// By this author.
    pub customer_id: Option<CustomerId>,
    /// With this status at the present instant: [`Proposal::state_at`](crate::model::Proposal::state_at).
    pub status: Option<ProposalStatus>,
}

/// The filter for a list of invoices; every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvoiceFilter {
    /// Only those billed to this customer.
    pub visible_to: Option<CustomerId>,
    /// With this status.
    pub status: Option<InvoiceStatus>,
    /// [Overdue](Invoice::is_overdue) at the present instant, or not.
    pub overdue: Option<bool>,
    /// Of this trade.
    pub trade_id: Option<TradeId>,
    /// Billed to this customer.
    pub customer_id: Option<CustomerId>,
}

/// The states of a payment that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnderWay {
    /// [`PaymentState::Pending`](crate::model::PaymentState::Pending).
    Pending,
    /// [`PaymentState::RequiresAction`](crate::model::PaymentState::RequiresAction).
    RequiresAction,
}

/// The filter for a list of refunds; every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefundFilter {
    /// Only refunds of payments by this customer.
    pub visible_to: Option<CustomerId>,
    /// Of this payment.
    pub payment_id: Option<PaymentId>,
    /// Of this invoice.
    pub invoice_id: Option<InvoiceId>,
    /// Of a payment by this customer.
    pub customer_id: Option<CustomerId>,
    /// With this status.
    pub status: Option<RefundStatus>,
}

/// The filter for a list of payments; every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentFilter {
    /// Only payments by this customer.
    pub visible_to: Option<CustomerId>,
    /// Of this invoice.
    pub invoice_id: Option<InvoiceId>,
    /// With this status.
    pub status: Option<PaymentStatus>,
    /// By this customer.
    pub customer_id: Option<CustomerId>,
    /// With this card.
    pub credit_card_id: Option<CreditCardId>,
}
