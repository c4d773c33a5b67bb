//! A store of which nothing is written yet: copy this file, and follow the guide, `lease_core::repository`.

#![expect(unused_variables, reason = "what is not written yet reads nothing; take this line away at the end")]

use lease_core::account::{AccountSnapshot, Token};
use lease_core::async_trait;
use lease_core::catalog::VehicleSnapshot;
use lease_core::chrono::{DateTime, Utc};
use lease_core::event::{ConsumerName, EventRecord, Viewer};
use lease_core::id::{
    ContactId, CustomerId, EventId, InvoiceId, LeadId, MailId, NewIds, PaymentId, ProposalId, RefundId, ServiceId, Stored,
    TradeId, UserId, VehicleId, Versioned, WebhookDeliveryId, WebhookEndpointId,
};
use lease_core::lifecycle::{OpeningSnapshot, TradeSnapshot};
use lease_core::model::{
    Account, ChargeKey, Contact, CreditCard, Customer, Invoice, Lead, LoginName, Mail, MailState, Payment, Refund, RefundKey,
    Service, Vehicle, VehicleIdentity, WebhookDelivery, WebhookEndpoint,
};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{
    AccountRepository, CardFilter, CardRepository, Change, Claim, ClaimState, ClaimedDelivery, Commit, ContactFilter,
    CustomerFilter, DirectoryRepository, EventFilter, EventRepository, IdempotencyRepository, InvoiceFilter, LeadFilter,
    MailRepository, Named, NewClaim, PaymentFilter, ProposalFilter, RecordedAttempt, RefundFilter, Repository, RepositoryError,
    SavedResponse, ServiceFilter, ServiceRepository, TokenFilter, TokenKey, TradeFilter, TradeLoad, TradeRepository, UnderWay,
    UserFilter, VehicleFilter, VehicleRepository, WalletKey, WebhookDeliveryFilter, WebhookEndpointFilter, WebhookRepository,
    WeeklyTotal, Words,
};
use lease_core::wallet::Wallet;

/// The store.
#[derive(Debug)]
pub struct MyStore;

/// The answer of what is not written yet.
fn not_written_yet<T>(what: &str) -> Result<T, RepositoryError> {
    Err(RepositoryError::Internal(format!("{what} is not written yet").into()))
}

#[async_trait]
impl Repository for MyStore {
    async fn commit(&self, commit: &Commit) -> Result<NewIds, RepositoryError> {
        let Commit { envelope, change } = commit;
        // All that follows is one transaction.
        if envelope.claim.is_some() {
            return not_written_yet("Envelope::claim"); // step 9
        }
        // Here the actor of the envelope is checked, from step 1 on.
        let ids = match change {
            // Step 1.
            Change::NewAccount(new) => not_written_yet("Change::NewAccount")?,
            Change::Account(change) => not_written_yet("Change::Account")?,
            Change::Customer(change) => not_written_yet("Change::Customer")?,
            Change::Login(login) => not_written_yet("Change::Login")?,
            Change::CreateToken(token) => not_written_yet("Change::CreateToken")?,
            Change::RevokeToken(revocation) => not_written_yet("Change::RevokeToken")?,
            // Step 2.
            Change::Vehicle(change) => not_written_yet("Change::Vehicle")?,
            // Step 3.
            Change::Service(change) => not_written_yet("Change::Service")?,
            Change::FirstServices(services) => not_written_yet("Change::FirstServices")?,
            // Step 4.
            Change::OpenTrade(opening) => not_written_yet("Change::OpenTrade")?,
            // Steps 5 and 7.
            Change::Trade(change) => not_written_yet("Change::Trade")?,
            // Step 6.
            Change::Wallet(change) => not_written_yet("Change::Wallet")?,
            Change::RefusedCard(refused) => not_written_yet("Change::RefusedCard")?,
            // Step 8.
            Change::Contact(change) => not_written_yet("Change::Contact")?,
            Change::Lead(change) => not_written_yet("Change::Lead")?,
            // Step 11.
            Change::WebhookEndpoint(change) => not_written_yet("Change::WebhookEndpoint")?,
            Change::WebhookDelivery(change) => not_written_yet("Change::WebhookDelivery")?,
            // Step 12.
            Change::Mail(mail) => not_written_yet("Change::Mail")?,
        };
        // Here the events of the envelope are stored, from step 10 on. Every commit has some: until then they are passed over.
        Ok(ids)
    }

    async fn ping(&self) -> Result<(), RepositoryError> {
        not_written_yet("Repository::ping")
    }
}

// Step 1.
#[async_trait]
impl AccountRepository for MyStore {
    async fn find_token(&self, key: TokenKey) -> Result<Option<(Stored<Token>, Account)>, RepositoryError> {
        not_written_yet("AccountRepository::find_token")
    }

    async fn list_tokens(
        &self,
        filter: &TokenFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<Stored<Token>>, RepositoryError> {
        not_written_yet("AccountRepository::list_tokens")
    }

    async fn find_login(&self, name: &LoginName) -> Result<Option<Account>, RepositoryError> {
        not_written_yet("AccountRepository::find_login")
    }

    async fn load_account(&self, id: UserId) -> Result<Option<Versioned<AccountSnapshot>>, RepositoryError> {
        not_written_yet("AccountRepository::load_account")
    }

    async fn taken_names(&self, names: &[LoginName]) -> Result<Vec<(LoginName, UserId)>, RepositoryError> {
        not_written_yet("AccountRepository::taken_names")
    }

    async fn purge_tokens(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        not_written_yet("AccountRepository::purge_tokens")
    }

    async fn list_users(&self, filter: &UserFilter, page: PageRequest) -> Result<Page<Account>, RepositoryError> {
        not_written_yet("AccountRepository::list_users")
    }

    async fn find_customer(&self, id: CustomerId) -> Result<Option<Versioned<Stored<Customer>>>, RepositoryError> {
        not_written_yet("AccountRepository::find_customer")
    }

    async fn list_customers(
        &self,
        filter: &CustomerFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<Customer>>, RepositoryError> {
        not_written_yet("AccountRepository::list_customers")
    }
}

// Step 2.
#[async_trait]
impl VehicleRepository for MyStore {
    async fn load_vehicle(
        &self,
        id: VehicleId,
        viewer: Option<CustomerId>,
        now: DateTime<Utc>,
    ) -> Result<Option<Versioned<VehicleSnapshot>>, RepositoryError> {
        not_written_yet("VehicleRepository::load_vehicle")
    }

    async fn find_vehicle(&self, identity: &VehicleIdentity) -> Result<Option<VehicleId>, RepositoryError> {
        not_written_yet("VehicleRepository::find_vehicle")
    }

    async fn list_vehicles(&self, filter: &VehicleFilter, page: PageRequest) -> Result<Page<Stored<Vehicle>>, RepositoryError> {
        not_written_yet("VehicleRepository::list_vehicles")
    }
}

// Step 3.
#[async_trait]
impl ServiceRepository for MyStore {
    async fn find_service(&self, id: ServiceId) -> Result<Option<Versioned<Stored<Service>>>, RepositoryError> {
        not_written_yet("ServiceRepository::find_service")
    }

    async fn list_services(&self, filter: &ServiceFilter, page: PageRequest) -> Result<Page<Stored<Service>>, RepositoryError> {
        not_written_yet("ServiceRepository::list_services")
    }
}

// Steps 4, 5 and 7.
#[async_trait]
impl TradeRepository for MyStore {
    async fn load_opening(
        &self,
        vehicle: Option<VehicleId>,
        service: Option<ServiceId>,
        viewer: Option<CustomerId>,
        now: DateTime<Utc>,
    ) -> Result<OpeningSnapshot, RepositoryError> {
        not_written_yet("TradeRepository::load_opening")
    }

    async fn load_trade(&self, load: &TradeLoad) -> Result<Option<Versioned<TradeSnapshot>>, RepositoryError> {
        not_written_yet("TradeRepository::load_trade")
    }

    async fn list_trades(
        &self,
        filter: &TradeFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<TradeSnapshot>, RepositoryError> {
        not_written_yet("TradeRepository::list_trades")
    }

    async fn list_proposals(
        &self,
        filter: &ProposalFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<TradeSnapshot>, RepositoryError> {
        not_written_yet("TradeRepository::list_proposals")
    }

    async fn find_invoice(&self, id: InvoiceId) -> Result<Option<Stored<Invoice>>, RepositoryError> {
        not_written_yet("TradeRepository::find_invoice")
    }

    async fn find_payment(&self, id: PaymentId) -> Result<Option<Stored<Payment>>, RepositoryError> {
        not_written_yet("TradeRepository::find_payment")
    }

    async fn list_invoices(
        &self,
        filter: &InvoiceFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<Stored<Invoice>>, RepositoryError> {
        not_written_yet("TradeRepository::list_invoices")
    }

    async fn list_payments(&self, filter: &PaymentFilter, page: PageRequest) -> Result<Page<Stored<Payment>>, RepositoryError> {
        not_written_yet("TradeRepository::list_payments")
    }

    async fn find_refund(&self, id: RefundId) -> Result<Option<Stored<Refund>>, RepositoryError> {
        not_written_yet("TradeRepository::find_refund")
    }

    async fn list_refunds(&self, filter: &RefundFilter, page: PageRequest) -> Result<Page<Stored<Refund>>, RepositoryError> {
        not_written_yet("TradeRepository::list_refunds")
    }

    async fn find_charge_key(&self, key: &ChargeKey) -> Result<Option<PaymentId>, RepositoryError> {
        not_written_yet("TradeRepository::find_charge_key")
    }

    async fn find_refund_key(&self, key: &RefundKey) -> Result<Option<RefundId>, RepositoryError> {
        not_written_yet("TradeRepository::find_refund_key")
    }

    async fn payments_under_way(
        &self,
        state: UnderWay,
        before: DateTime<Utc>,
        after: Option<PaymentId>,
        limit: u32,
    ) -> Result<Vec<PaymentId>, RepositoryError> {
        not_written_yet("TradeRepository::payments_under_way")
    }

    async fn pending_refunds(
        &self,
        before: DateTime<Utc>,
        after: Option<RefundId>,
        limit: u32,
    ) -> Result<Vec<RefundId>, RepositoryError> {
        not_written_yet("TradeRepository::pending_refunds")
    }

    async fn declines(
        &self,
        customer: CustomerId,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DateTime<Utc>>, RepositoryError> {
        not_written_yet("TradeRepository::declines")
    }

    async fn expired_proposals(
        &self,
        now: DateTime<Utc>,
        after: Option<ProposalId>,
        limit: u32,
    ) -> Result<Vec<ProposalId>, RepositoryError> {
        not_written_yet("TradeRepository::expired_proposals")
    }

    async fn overdue_invoices(
        &self,
        now: DateTime<Utc>,
        after: Option<InvoiceId>,
        limit: u32,
    ) -> Result<Vec<InvoiceId>, RepositoryError> {
        not_written_yet("TradeRepository::overdue_invoices")
    }

    async fn weekly_totals(&self, since: DateTime<Utc>) -> Result<Vec<WeeklyTotal>, RepositoryError> {
        not_written_yet("TradeRepository::weekly_totals")
    }
}

// Step 6.
#[async_trait]
impl CardRepository for MyStore {
    async fn load_wallet(&self, key: WalletKey) -> Result<Option<Versioned<Wallet>>, RepositoryError> {
        not_written_yet("CardRepository::load_wallet")
    }

    async fn purge_refused_cards(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        not_written_yet("CardRepository::purge_refused_cards")
    }

    async fn list_cards(&self, filter: &CardFilter, page: PageRequest) -> Result<Page<Stored<CreditCard>>, RepositoryError> {
        not_written_yet("CardRepository::list_cards")
    }
}

// Step 8.
#[async_trait]
impl DirectoryRepository for MyStore {
    async fn find_contact(&self, id: ContactId) -> Result<Option<Versioned<Stored<Contact>>>, RepositoryError> {
        not_written_yet("DirectoryRepository::find_contact")
    }

    async fn list_contacts(&self, filter: &ContactFilter, page: PageRequest) -> Result<Page<Stored<Contact>>, RepositoryError> {
        not_written_yet("DirectoryRepository::list_contacts")
    }

    async fn find_lead(&self, id: LeadId) -> Result<Option<Versioned<Stored<Lead>>>, RepositoryError> {
        not_written_yet("DirectoryRepository::find_lead")
    }

    async fn list_leads(&self, filter: &LeadFilter, page: PageRequest) -> Result<Page<Stored<Lead>>, RepositoryError> {
        not_written_yet("DirectoryRepository::list_leads")
    }

    async fn names(&self, of: &[Named]) -> Result<Vec<(Named, Words)>, RepositoryError> {
        not_written_yet("DirectoryRepository::names")
    }
}

// Step 9.
#[async_trait]
impl IdempotencyRepository for MyStore {
    async fn claim(&self, new: &NewClaim, now: DateTime<Utc>) -> Result<ClaimState, RepositoryError> {
        not_written_yet("IdempotencyRepository::claim")
    }

    async fn renew_claim(
        &self,
        claim: &Claim,
        held_until: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        not_written_yet("IdempotencyRepository::renew_claim")
    }

    async fn save_response(&self, claim: &Claim, response: &SavedResponse) -> Result<(), RepositoryError> {
        not_written_yet("IdempotencyRepository::save_response")
    }

    async fn release_claim(&self, claim: &Claim) -> Result<(), RepositoryError> {
        not_written_yet("IdempotencyRepository::release_claim")
    }

    async fn purge_claims(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        not_written_yet("IdempotencyRepository::purge_claims")
    }
}

// Step 10.
#[async_trait]
impl EventRepository for MyStore {
    async fn list_events(&self, filter: &EventFilter, page: PageRequest) -> Result<Page<Stored<EventRecord>>, RepositoryError> {
        not_written_yet("EventRepository::list_events")
    }

    async fn events_after(
        &self,
        after: Option<EventId>,
        limit: u32,
        filter: &EventFilter,
    ) -> Result<Vec<Stored<EventRecord>>, RepositoryError> {
        not_written_yet("EventRepository::events_after")
    }

    async fn last_event(&self) -> Result<Option<EventId>, RepositoryError> {
        not_written_yet("EventRepository::last_event")
    }

    async fn place_events(&self, limit: u32) -> Result<u64, RepositoryError> {
        not_written_yet("EventRepository::place_events")
    }

    async fn clear_events(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        not_written_yet("EventRepository::clear_events")
    }

    async fn cleared_events(&self) -> Result<Option<EventId>, RepositoryError> {
        not_written_yet("EventRepository::cleared_events")
    }

    async fn find_event(&self, id: EventId, visible_to: Option<Viewer>) -> Result<Option<Stored<EventRecord>>, RepositoryError> {
        not_written_yet("EventRepository::find_event")
    }

    async fn consumer_position(&self, name: &ConsumerName) -> Result<Option<EventId>, RepositoryError> {
        not_written_yet("EventRepository::consumer_position")
    }

    async fn move_consumer(&self, name: &ConsumerName, to: EventId) -> Result<EventId, RepositoryError> {
        not_written_yet("EventRepository::move_consumer")
    }

    async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool, RepositoryError> {
        not_written_yet("EventRepository::remove_consumer")
    }
}

// Step 11.
#[async_trait]
impl WebhookRepository for MyStore {
    async fn find_endpoint(&self, id: WebhookEndpointId) -> Result<Option<Versioned<Stored<WebhookEndpoint>>>, RepositoryError> {
        not_written_yet("WebhookRepository::find_endpoint")
    }

    async fn list_endpoints(
        &self,
        filter: &WebhookEndpointFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<WebhookEndpoint>>, RepositoryError> {
        not_written_yet("WebhookRepository::list_endpoints")
    }

    async fn find_delivery(&self, id: WebhookDeliveryId) -> Result<Option<Stored<WebhookDelivery>>, RepositoryError> {
        not_written_yet("WebhookRepository::find_delivery")
    }

    async fn list_deliveries(
        &self,
        filter: &WebhookDeliveryFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<WebhookDelivery>>, RepositoryError> {
        not_written_yet("WebhookRepository::list_deliveries")
    }

    async fn queue_deliveries(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        not_written_yet("WebhookRepository::queue_deliveries")
    }

    async fn claim_deliveries(
        &self,
        now: DateTime<Utc>,
        held_until: DateTime<Utc>,
        per_endpoint: u32,
        busy: &[(WebhookEndpointId, u32)],
    ) -> Result<Vec<ClaimedDelivery>, RepositoryError> {
        not_written_yet("WebhookRepository::claim_deliveries")
    }

    async fn record_attempts(&self, attempts: &[RecordedAttempt]) -> Result<(), RepositoryError> {
        not_written_yet("WebhookRepository::record_attempts")
    }

    async fn first_needed_event(&self) -> Result<Option<EventId>, RepositoryError> {
        not_written_yet("WebhookRepository::first_needed_event")
    }

    async fn purge_deliveries(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        not_written_yet("WebhookRepository::purge_deliveries")
    }
}

// Step 12.
#[async_trait]
impl MailRepository for MyStore {
    async fn queue_mails(&self, mails: &[Mail]) -> Result<u64, RepositoryError> {
        not_written_yet("MailRepository::queue_mails")
    }

    async fn claim_mails(
        &self,
        now: DateTime<Utc>,
        held_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Stored<Mail>>, RepositoryError> {
        not_written_yet("MailRepository::claim_mails")
    }

    async fn record_mail(&self, id: MailId, held_until: DateTime<Utc>, state: MailState) -> Result<(), RepositoryError> {
        not_written_yet("MailRepository::record_mail")
    }

    async fn purge_mails(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        not_written_yet("MailRepository::purge_mails")
    }

    async fn earlier_proposers(
        &self,
        trade: TradeId,
        before: ProposalId,
        after: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<CustomerId>, RepositoryError> {
        not_written_yet("MailRepository::earlier_proposers")
    }
}
