//! Complete lists, read page by page, and from them a dump of everything in a store.

use chrono::{DateTime, Utc};

use super::build::base;
use super::world::World;
use crate::account::Token;
use crate::event::EventRecord;
use crate::id::Stored;
use crate::model::{
    Account, Contact, CreditCard, Customer, Invoice, Lead, Payment, Proposal, Refund, Service, Trade, Vehicle, WebhookDelivery,
    WebhookEndpoint,
};
use crate::page::{MAX_LIMIT, PageRequest};
use crate::repository::{
    CardFilter, ContactFilter, CustomerFilter, EventFilter, InvoiceFilter, LeadFilter, PaymentFilter, ProposalFilter,
    RefundFilter, ServiceFilter, TokenFilter, TradeFilter, TradeKey, UserFilter, VehicleFilter, WalletKey, WebhookDeliveryFilter,
    WebhookEndpointFilter,
};

/// A method for each list, which returns all rows that a filter finds by following the cursors to the end.
macro_rules! lists {
    ($($method:ident($filter:ty $(, $now:ident)?) -> $row:ty $(= $of:expr)?;)+) => {
        impl World {$(
            pub(super) async fn $method(&self, filter: &$filter $(, $now: DateTime<Utc>)?) -> Vec<$row> {
                let mut rows = Vec::new();
                let mut cursor = None;
                loop {
                    let request = PageRequest::new(MAX_LIMIT, cursor).unwrap();
                    let page = self.store.$method(filter, request $(, $now)?).await.unwrap();
                    $(let page = page.map($of);)?
                    rows.extend(page.items);
                    cursor = page.next;
                    if cursor.is_none() {
                        return rows;
                    }
                }
            }
        )+}
    };
}

lists! {
    list_users(UserFilter) -> Account;
    list_tokens(TokenFilter, now) -> Stored<Token>;
    list_customers(CustomerFilter) -> Stored<Customer>;
    list_cards(CardFilter) -> Stored<CreditCard>;
    list_contacts(ContactFilter) -> Stored<Contact>;
    list_leads(LeadFilter) -> Stored<Lead>;
    list_vehicles(VehicleFilter) -> Stored<Vehicle>;
    list_services(ServiceFilter) -> Stored<Service>;
    list_trades(TradeFilter, now) -> Stored<Trade> = |snapshot| snapshot.trade;
    list_proposals(ProposalFilter, now) -> Stored<Proposal> = |snapshot| snapshot.proposal.unwrap().proposal;
    list_invoices(InvoiceFilter, now) -> Stored<Invoice>;
    list_payments(PaymentFilter) -> Stored<Payment>;
    list_refunds(RefundFilter) -> Stored<Refund>;
    list_events(EventFilter) -> Stored<EventRecord>;
    list_endpoints(WebhookEndpointFilter) -> Stored<WebhookEndpoint>;
    list_deliveries(WebhookDeliveryFilter) -> Stored<WebhookDelivery>;
}

impl World {
    pub(super) async fn vehicles(&self) -> Vec<Stored<Vehicle>> {
        self.list_vehicles(&VehicleFilter::default()).await
    }

    pub(super) async fn services(&self) -> Vec<Stored<Service>> {
        self.list_services(&ServiceFilter::default()).await
    }

    pub(super) async fn trades(&self) -> Vec<Stored<Trade>> {
        self.list_trades(&TradeFilter::default(), base()).await
    }

    pub(super) async fn proposals(&self) -> Vec<Stored<Proposal>> {
        self.list_proposals(&ProposalFilter::default(), base()).await
    }

    pub(super) async fn invoices(&self) -> Vec<Stored<Invoice>> {
        self.list_invoices(&InvoiceFilter::default(), base()).await
    }

    pub(super) async fn payments(&self) -> Vec<Stored<Payment>> {
        self.list_payments(&PaymentFilter::default()).await
    }

    /// Every row with its version, one line each, for comparing the states before and after.
    pub(super) async fn dump(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for row in self.list_users(&UserFilter::default()).await {
            lines.push(format!("{:?}", self.store.load_account(row.user.id).await.unwrap()));
            let tokens = self.list_tokens(&TokenFilter { user_id: row.user.id }, base()).await;
            lines.extend(tokens.iter().map(|row| format!("{row:?}")));
        }
        for row in self.list_customers(&CustomerFilter::default()).await {
            lines.push(format!("{:?}", self.store.find_customer(row.id).await.unwrap()));
            lines.push(format!("{:?}", self.store.load_wallet(WalletKey::Customer(row.id)).await.unwrap()));
        }
        for row in self.list_contacts(&ContactFilter::default()).await {
            lines.push(format!("{:?}", self.store.find_contact(row.id).await.unwrap()));
        }
        for row in self.list_leads(&LeadFilter::default()).await {
            lines.push(format!("{:?}", self.store.find_lead(row.id).await.unwrap()));
        }
        for row in self.services().await {
            lines.push(format!("{:?}", self.store.find_service(row.id).await.unwrap()));
        }
        for row in self.vehicles().await {
            lines.push(format!("{:?}", self.load_vehicle(row.id).await));
        }
        for row in self.trades().await {
            lines.push(format!("{:?}", self.load(TradeKey::Trade(row.id)).await));
        }
        lines.extend(self.list_cards(&CardFilter::default()).await.iter().map(|row| format!("{row:?}")));
        lines.extend(self.proposals().await.iter().map(|row| format!("{row:?}")));
        lines.extend(self.payments().await.iter().map(|row| format!("{row:?}")));
        lines.extend(self.list_refunds(&RefundFilter::default()).await.iter().map(|row| format!("{row:?}")));
        lines.extend(self.list_events(&EventFilter::default()).await.iter().map(|row| format!("{row:?}")));
        for row in self.list_endpoints(&WebhookEndpointFilter::default()).await {
            lines.push(format!("{:?}", self.store.find_endpoint(row.id).await.unwrap()));
        }
        lines.extend(self.list_deliveries(&WebhookDeliveryFilter::default()).await.iter().map(|row| format!("{row:?}")));
        lines.push(format!("{:?}", self.store.first_needed_event().await.unwrap()));
        lines
    }
}
