//! Complete lists, read page by page, and from them a dump of everything in a store.

use std::fmt::Debug;

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
    RefundFilter, Repository, RepositoryError, ServiceFilter, TokenFilter, TradeFilter, TradeKey, TradeLoad, UserFilter,
    VehicleFilter, WalletKey, WebhookDeliveryFilter, WebhookEndpointFilter,
};

/// The complete lists of a store.
struct Lists<'a>(&'a dyn Repository);

/// A method for each list, which returns all rows that a filter finds by following the cursors to the end.
macro_rules! lists {
    ($($method:ident($filter:ty $(, $now:ident)?) -> $row:ty $(= $of:expr)?;)+) => {
        impl Lists<'_> {$(
            async fn $method(&self, filter: &$filter $(, $now: DateTime<Utc>)?) -> Result<Vec<$row>, RepositoryError> {
                let mut rows = Vec::new();
                let mut cursor = None;
                loop {
                    let request = PageRequest::new(MAX_LIMIT, cursor).unwrap();
                    let page = self.0.$method(filter, request $(, $now)?).await?;
                    $(let page = page.map($of);)?
                    rows.extend(page.items);
                    cursor = page.next;
                    if cursor.is_none() {
                        return Ok(rows);
                    }
                }
            }
        )+}

        impl World {$(
            pub(super) async fn $method(&self, filter: &$filter $(, $now: DateTime<Utc>)?) -> Vec<$row> {
                Lists(&*self.store).$method(filter $(, $now)?).await.expect(stringify!($method))
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

    /// Every row with its version, one line each, for comparing the states before and after. The lists are in the order of work: a
    /// store that is half done answers the first that it does not have with an error, and the dump ends there.
    pub(super) async fn dump(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Err(error) = self.dump_to(&mut lines).await {
            lines.push(format!("{error:?}"));
        }
        lines
    }

    async fn dump_to(&self, lines: &mut Vec<String>) -> Result<(), RepositoryError> {
        let (store, lists) = (&*self.store, Lists(&*self.store));
        for row in lists.list_users(&UserFilter::default()).await? {
            lines.push(format!("{:?}", store.load_account(row.user.id).await?));
            add(lines, &lists.list_tokens(&TokenFilter { user_id: row.user.id }, base()).await?);
        }
        let customers = lists.list_customers(&CustomerFilter::default()).await?;
        for row in &customers {
            lines.push(format!("{:?}", store.find_customer(row.id).await?));
        }
        for row in lists.list_vehicles(&VehicleFilter::default()).await? {
            lines.push(format!("{:?}", store.load_vehicle(row.id, None, base()).await?));
        }
        for row in lists.list_services(&ServiceFilter::default()).await? {
            lines.push(format!("{:?}", store.find_service(row.id).await?));
        }
        for row in lists.list_trades(&TradeFilter::default(), base()).await? {
            let load = TradeLoad { key: TradeKey::Trade(row.id), viewer: None, with_pending: true, card: None, now: base() };
            lines.push(format!("{:?}", store.load_trade(&load).await?));
        }
        add(lines, &lists.list_proposals(&ProposalFilter::default(), base()).await?);
        for row in &customers {
            lines.push(format!("{:?}", store.load_wallet(WalletKey::Customer(row.id)).await?));
        }
        add(lines, &lists.list_cards(&CardFilter::default()).await?);
        add(lines, &lists.list_payments(&PaymentFilter::default()).await?);
        add(lines, &lists.list_refunds(&RefundFilter::default()).await?);
        for row in lists.list_contacts(&ContactFilter::default()).await? {
            lines.push(format!("{:?}", store.find_contact(row.id).await?));
        }
        for row in lists.list_leads(&LeadFilter::default()).await? {
            lines.push(format!("{:?}", store.find_lead(row.id).await?));
        }
        add(lines, &lists.list_events(&EventFilter::default()).await?);
        for row in lists.list_endpoints(&WebhookEndpointFilter::default()).await? {
            lines.push(format!("{:?}", store.find_endpoint(row.id).await?));
        }
        add(lines, &lists.list_deliveries(&WebhookDeliveryFilter::default()).await?);
        lines.push(format!("{:?}", store.first_needed_event().await?));
        Ok(())
    }
}

fn add(lines: &mut Vec<String>, rows: &[impl Debug]) {
    lines.extend(rows.iter().map(|row| format!("{row:?}")));
}
