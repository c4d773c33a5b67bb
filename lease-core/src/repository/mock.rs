//! The mock. mockall cannot derive one for a trait with supertraits, so every signature is repeated here.

use super::{
    AccountRepository, CardFilter, CardRepository, Claim, ClaimState, ClaimedDelivery, Commit, ContactFilter, CustomerFilter,
    DirectoryRepository, EventFilter, EventRepository, IdempotencyRepository, InvoiceFilter, LeadFilter, MailRepository, Named,
    NewClaim, PaymentFilter, ProposalFilter, RecordedAttempt, RefundFilter, Repository, RepositoryError, SavedResponse,
    ServiceFilter, ServiceRepository, TokenFilter, TokenKey, TradeFilter, TradeLoad, TradeRepository, UnderWay, UserFilter,
    VehicleFilter, VehicleRepository, WalletKey, WebhookDeliveryFilter, WebhookEndpointFilter, WebhookRepository, WeeklyTotal,
    Words,
};
use crate::account::{AccountSnapshot, Token};
use crate::catalog::VehicleSnapshot;
use crate::event::{ConsumerName, EventRecord, Viewer};
use crate::id::{
    ContactId, CustomerId, EventId, InvoiceId, LeadId, MailId, NewIds, PaymentId, ProposalId, RefundId, ServiceId, Stored,
    TradeId, UserId, VehicleId, Versioned, WebhookDeliveryId, WebhookEndpointId,
};
use crate::lifecycle::{OpeningSnapshot, TradeSnapshot};
use crate::model::{
    Account, ChargeKey, Contact, CreditCard, Customer, Invoice, Lead, LoginName, Mail, MailState, Payment, Refund, RefundKey,
    Service, Vehicle, VehicleIdentity, WebhookDelivery, WebhookEndpoint,
};
use crate::page::{Page, PageRequest};
use crate::wallet::Wallet;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

mockall::mock! {
    /// A store for tests that define the result of each call.
    #[derive(Debug)]
    pub Repository {}

    #[async_trait]
    impl AccountRepository for Repository {
        async fn find_token(&self, key: TokenKey) -> Result<Option<(Stored<Token>, Account)>, RepositoryError>;
        async fn list_tokens(&self, filter: &TokenFilter, page: PageRequest, now: DateTime<Utc>) -> Result<Page<Stored<Token>>, RepositoryError>;
        async fn find_login(&self, name: &LoginName) -> Result<Option<Account>, RepositoryError>;
        async fn load_account(&self, id: UserId) -> Result<Option<Versioned<AccountSnapshot>>, RepositoryError>;
        async fn taken_names(&self, names: &[LoginName]) -> Result<Vec<(LoginName, UserId)>, RepositoryError>;
        async fn purge_tokens(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError>;
        async fn list_users(&self, filter: &UserFilter, page: PageRequest) -> Result<Page<Account>, RepositoryError>;
        async fn find_customer(&self, id: CustomerId) -> Result<Option<Versioned<Stored<Customer>>>, RepositoryError>;
        async fn list_customers(&self, filter: &CustomerFilter, page: PageRequest) -> Result<Page<Stored<Customer>>, RepositoryError>;
    }

    #[async_trait]
    impl CardRepository for Repository {
        async fn load_wallet(&self, key: WalletKey) -> Result<Option<Versioned<Wallet>>, RepositoryError>;
        async fn purge_refused_cards(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError>;
        async fn list_cards(&self, filter: &CardFilter, page: PageRequest) -> Result<Page<Stored<CreditCard>>, RepositoryError>;
    }

    #[async_trait]
    impl DirectoryRepository for Repository {
        async fn find_contact(&self, id: ContactId) -> Result<Option<Versioned<Stored<Contact>>>, RepositoryError>;
        async fn list_contacts(&self, filter: &ContactFilter, page: PageRequest) -> Result<Page<Stored<Contact>>, RepositoryError>;
        async fn find_lead(&self, id: LeadId) -> Result<Option<Versioned<Stored<Lead>>>, RepositoryError>;
        async fn list_leads(&self, filter: &LeadFilter, page: PageRequest) -> Result<Page<Stored<Lead>>, RepositoryError>;
        async fn names(&self, of: &[Named]) -> Result<Vec<(Named, Words)>, RepositoryError>;
    }

    #[async_trait]
    impl VehicleRepository for Repository {
        async fn load_vehicle(&self, id: VehicleId, viewer: Option<CustomerId>, now: DateTime<Utc>) -> Result<Option<Versioned<VehicleSnapshot>>, RepositoryError>;
        async fn find_vehicle(&self, identity: &VehicleIdentity) -> Result<Option<VehicleId>, RepositoryError>;
        async fn list_vehicles(&self, filter: &VehicleFilter, page: PageRequest) -> Result<Page<Stored<Vehicle>>, RepositoryError>;
    }

    #[async_trait]
    impl ServiceRepository for Repository {
        async fn find_service(&self, id: ServiceId) -> Result<Option<Versioned<Stored<Service>>>, RepositoryError>;
        async fn list_services(&self, filter: &ServiceFilter, page: PageRequest) -> Result<Page<Stored<Service>>, RepositoryError>;
    }

    #[async_trait]
    impl TradeRepository for Repository {
        async fn load_opening(&self, vehicle: Option<VehicleId>, service: Option<ServiceId>, viewer: Option<CustomerId>, now: DateTime<Utc>) -> Result<OpeningSnapshot, RepositoryError>;
        async fn load_trade(&self, load: &TradeLoad) -> Result<Option<Versioned<TradeSnapshot>>, RepositoryError>;
        async fn list_trades(&self, filter: &TradeFilter, page: PageRequest, now: DateTime<Utc>) -> Result<Page<TradeSnapshot>, RepositoryError>;
        async fn list_proposals(
            &self,
            filter: &ProposalFilter,
            page: PageRequest,
            now: DateTime<Utc>,
        ) -> Result<Page<TradeSnapshot>, RepositoryError>;
        async fn find_invoice(&self, id: InvoiceId) -> Result<Option<Stored<Invoice>>, RepositoryError>;
        async fn find_payment(&self, id: PaymentId) -> Result<Option<Stored<Payment>>, RepositoryError>;
        async fn list_invoices(
            &self,
            filter: &InvoiceFilter,
            page: PageRequest,
            now: DateTime<Utc>,
        ) -> Result<Page<Stored<Invoice>>, RepositoryError>;
        async fn list_payments(&self, filter: &PaymentFilter, page: PageRequest) -> Result<Page<Stored<Payment>>, RepositoryError>;
        async fn find_refund(&self, id: RefundId) -> Result<Option<Stored<Refund>>, RepositoryError>;
        async fn list_refunds(&self, filter: &RefundFilter, page: PageRequest) -> Result<Page<Stored<Refund>>, RepositoryError>;
        async fn find_charge_key(&self, key: &ChargeKey) -> Result<Option<PaymentId>, RepositoryError>;
        async fn find_refund_key(&self, key: &RefundKey) -> Result<Option<RefundId>, RepositoryError>;
        async fn pending_refunds(
            &self,
            before: DateTime<Utc>,
            after: Option<RefundId>,
            limit: u32,
        ) -> Result<Vec<RefundId>, RepositoryError>;
        async fn payments_under_way(
            &self,
            state: UnderWay,
            before: DateTime<Utc>,
            after: Option<PaymentId>,
            limit: u32,
        ) -> Result<Vec<PaymentId>, RepositoryError>;
        async fn declines(
            &self,
            customer: CustomerId,
            since: DateTime<Utc>,
            limit: u32,
        ) -> Result<Vec<DateTime<Utc>>, RepositoryError>;
        async fn expired_proposals(
            &self,
            now: DateTime<Utc>,
            after: Option<ProposalId>,
            limit: u32,
        ) -> Result<Vec<ProposalId>, RepositoryError>;
        async fn overdue_invoices(
            &self,
            now: DateTime<Utc>,
            after: Option<InvoiceId>,
            limit: u32,
        ) -> Result<Vec<InvoiceId>, RepositoryError>;
        async fn weekly_totals(&self, since: DateTime<Utc>) -> Result<Vec<WeeklyTotal>, RepositoryError>;
    }

    #[async_trait]
    impl IdempotencyRepository for Repository {
        async fn claim(&self, new: &NewClaim, now: DateTime<Utc>) -> Result<ClaimState, RepositoryError>;
        async fn renew_claim(
            &self,
            claim: &Claim,
            held_until: DateTime<Utc>,
            expires_at: DateTime<Utc>,
        ) -> Result<(), RepositoryError>;
        async fn save_response(&self, claim: &Claim, response: &SavedResponse) -> Result<(), RepositoryError>;
        async fn release_claim(&self, claim: &Claim) -> Result<(), RepositoryError>;
        async fn purge_claims(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError>;
    }

    #[async_trait]
    impl EventRepository for Repository {
        async fn list_events(&self, filter: &EventFilter, page: PageRequest) -> Result<Page<Stored<EventRecord>>, RepositoryError>;
        async fn events_after(
            &self,
            after: Option<EventId>,
            limit: u32,
            filter: &EventFilter,
        ) -> Result<Vec<Stored<EventRecord>>, RepositoryError>;
        async fn last_event(&self) -> Result<Option<EventId>, RepositoryError>;
        async fn place_events(&self, limit: u32) -> Result<u64, RepositoryError>;
        async fn clear_events(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError>;
        async fn cleared_events(&self) -> Result<Option<EventId>, RepositoryError>;
        async fn find_event(&self, id: EventId, visible_to: Option<Viewer>) -> Result<Option<Stored<EventRecord>>, RepositoryError>;
        async fn consumer_position(&self, name: &ConsumerName) -> Result<Option<EventId>, RepositoryError>;
        async fn move_consumer(&self, name: &ConsumerName, to: EventId) -> Result<EventId, RepositoryError>;
        async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool, RepositoryError>;
    }

    #[async_trait]
    impl WebhookRepository for Repository {
        async fn find_endpoint(&self, id: WebhookEndpointId) -> Result<Option<Versioned<Stored<WebhookEndpoint>>>, RepositoryError>;
        async fn list_endpoints(&self, filter: &WebhookEndpointFilter, page: PageRequest) -> Result<Page<Stored<WebhookEndpoint>>, RepositoryError>;
        async fn find_delivery(&self, id: WebhookDeliveryId) -> Result<Option<Stored<WebhookDelivery>>, RepositoryError>;
        async fn list_deliveries(&self, filter: &WebhookDeliveryFilter, page: PageRequest) -> Result<Page<Stored<WebhookDelivery>>, RepositoryError>;
        async fn queue_deliveries(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError>;
        async fn claim_deliveries(
            &self,
            now: DateTime<Utc>,
            held_until: DateTime<Utc>,
            per_endpoint: u32,
            busy: &[(WebhookEndpointId, u32)],
        ) -> Result<Vec<ClaimedDelivery>, RepositoryError>;
        async fn record_attempts(&self, attempts: &[RecordedAttempt]) -> Result<(), RepositoryError>;
        async fn first_needed_event(&self) -> Result<Option<EventId>, RepositoryError>;
        async fn purge_deliveries(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError>;
    }

    #[async_trait]
    impl MailRepository for Repository {
        async fn queue_mails(&self, mails: &[Mail]) -> Result<u64, RepositoryError>;
        async fn claim_mails(&self, now: DateTime<Utc>, held_until: DateTime<Utc>, limit: u32) -> Result<Vec<Stored<Mail>>, RepositoryError>;
        async fn record_mail(&self, id: MailId, held_until: DateTime<Utc>, state: MailState) -> Result<(), RepositoryError>;
        async fn purge_mails(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError>;
        async fn earlier_proposers(&self, trade: TradeId, before: ProposalId, after: Option<CustomerId>, limit: u32) -> Result<Vec<CustomerId>, RepositoryError>;
    }

    #[async_trait]
    impl Repository for Repository {
        async fn commit(&self, commit: &Commit) -> Result<NewIds, RepositoryError>;
        async fn ping(&self) -> Result<(), RepositoryError>;
    }
}
