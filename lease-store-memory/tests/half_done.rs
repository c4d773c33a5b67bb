//! A store that is half done passes the themes of its half: no theme of the suite needs a step that comes after
//! its own in the guide, `lease_core::repository`.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::account::{AccountSnapshot, Token};
use lease_core::catalog::VehicleSnapshot;
use lease_core::event::{ConsumerName, EventRecord, Viewer};
use lease_core::id::{
    ContactId, CustomerId, EventId, InvoiceId, LeadId, MailId, NewIds, PaymentId, ProposalId, RefundId, ServiceId, Stored,
    TradeId, UserId, VehicleId, Versioned, WebhookDeliveryId, WebhookEndpointId,
};
use lease_core::lifecycle::{OpeningSnapshot, TradeChanges, TradeSnapshot};
use lease_core::model::{
    Account, ChargeKey, Contact, CreditCard, Customer, Invoice, Lead, LoginName, Mail, MailState, Payment, Refund, RefundKey,
    Service, Vehicle, VehicleIdentity, WebhookDelivery, WebhookEndpoint,
};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{
    AccountRepository, CardFilter, CardRepository, Change, Claim, ClaimState, ClaimedDelivery, Commit, ContactFilter,
    CustomerFilter, DirectoryRepository, EventFilter, EventRepository, IdempotencyRepository, InvoiceFilter, LeadFilter,
    MailRepository, Named, NewClaim, PaymentFilter, ProposalFilter, RecordedAttempt, RefundFilter, Repository, RepositoryError,
    SavedResponse, ServiceFilter, ServiceRepository, TokenFilter, TokenKey, TradeFilter, TradeKey, TradeLoad, TradeRepository,
    UnderWay, UserFilter, VehicleFilter, VehicleRepository, WalletKey, WebhookDeliveryFilter, WebhookEndpointFilter,
    WebhookRepository, WeeklyTotal, Words,
};
use lease_core::wallet::Wallet;
use lease_store_memory::MemoryRepository;

/// The steps of the guide, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Accounts,
    Vehicles,
    Services,
    Opening,
    Proposals,
    Cards,
    Billing,
    Directory,
    Claims,
    Events,
    Webhooks,
    Mails,
}

/// A store of which the steps up to this one are done.
#[derive(Debug)]
struct HalfDone {
    done: Step,
    store: MemoryRepository,
}

impl HalfDone {
    /// Succeeds if this step is done.
    fn require(&self, step: Step) -> Result<(), RepositoryError> {
        if step <= self.done { Ok(()) } else { Err(RepositoryError::Internal("not written yet".into())) }
    }
}

/// The step in which loading this is written.
fn step_of_load(load: &TradeLoad) -> Step {
    match load.key {
        TradeKey::Invoice(_) | TradeKey::Payment(_) | TradeKey::Refund(_) => Step::Billing,
        _ if load.card.is_some() => Step::Cards,
        TradeKey::Proposal(_) => Step::Proposals,
        TradeKey::Trade(_) => Step::Opening,
    }
}

/// The step in which writing this is written.
fn step_of_change(change: &Change) -> Step {
    match change {
        Change::NewAccount(_)
        | Change::Account(_)
        | Change::Login(_)
        | Change::RevokeToken(_)
        | Change::CreateToken(_)
        | Change::Customer(_) => Step::Accounts,
        Change::Vehicle(_) => Step::Vehicles,
        Change::Service(_) | Change::FirstServices(_) => Step::Services,
        Change::OpenTrade(_) => Step::Opening,
        Change::Trade(change) => step_of_trade_changes(&change.changes),
        Change::Wallet(_) | Change::RefusedCard(_) => Step::Cards,
        Change::Contact(_) | Change::Lead(_) => Step::Directory,
        Change::WebhookEndpoint(_) | Change::WebhookDelivery(_) => Step::Webhooks,
        Change::Mail(_) => Step::Mails,
    }
}

fn step_of_trade_changes(changes: &TradeChanges) -> Step {
    let bills = changes.new_invoice.is_some() || changes.invoice.is_some();
    let pays = changes.new_payment.is_some() || changes.payment.is_some();
    let refunds = changes.new_refund.is_some() || changes.refund.is_some();
    if bills || pays || refunds { Step::Billing } else { Step::Proposals }
}

/// Passes each call on to the store, if its step is done.
macro_rules! steps {
    ($($trait:ident {$($step:expr => $method:ident($($arg:ident: $type:ty),*) -> $result:ty;)+})+) => {$(
        #[async_trait]
        impl $trait for HalfDone {$(
            async fn $method(&self, $($arg: $type),*) -> Result<$result, RepositoryError> {
                self.require($step)?;
                self.store.$method($($arg),*).await
            }
        )+}
    )+};
}

steps! {
    AccountRepository {
        Step::Accounts => find_token(key: TokenKey) -> Option<(Stored<Token>, Account)>;
        Step::Accounts => list_tokens(filter: &TokenFilter, page: PageRequest, now: DateTime<Utc>) -> Page<Stored<Token>>;
        Step::Accounts => find_login(name: &LoginName) -> Option<Account>;
        Step::Accounts => load_account(id: UserId) -> Option<Versioned<AccountSnapshot>>;
        Step::Accounts => taken_names(names: &[LoginName]) -> Vec<(LoginName, UserId)>;
        Step::Accounts => purge_tokens(now: DateTime<Utc>, limit: u32) -> u64;
        Step::Accounts => list_users(filter: &UserFilter, page: PageRequest) -> Page<Account>;
        Step::Accounts => find_customer(id: CustomerId) -> Option<Versioned<Stored<Customer>>>;
        Step::Accounts => list_customers(filter: &CustomerFilter, page: PageRequest) -> Page<Stored<Customer>>;
    }
    CardRepository {
        Step::Cards => load_wallet(key: WalletKey) -> Option<Versioned<Wallet>>;
        Step::Cards => purge_refused_cards(before: DateTime<Utc>, limit: u32) -> u64;
        Step::Cards => list_cards(filter: &CardFilter, page: PageRequest) -> Page<Stored<CreditCard>>;
    }
    DirectoryRepository {
        Step::Directory => find_contact(id: ContactId) -> Option<Versioned<Stored<Contact>>>;
        Step::Directory => list_contacts(filter: &ContactFilter, page: PageRequest) -> Page<Stored<Contact>>;
        Step::Directory => find_lead(id: LeadId) -> Option<Versioned<Stored<Lead>>>;
        Step::Directory => list_leads(filter: &LeadFilter, page: PageRequest) -> Page<Stored<Lead>>;
        Step::Directory => names(of: &[Named]) -> Vec<(Named, Words)>;
    }
    VehicleRepository {
        Step::Vehicles => load_vehicle(id: VehicleId, viewer: Option<CustomerId>, now: DateTime<Utc>) -> Option<Versioned<VehicleSnapshot>>;
        Step::Vehicles => find_vehicle(identity: &VehicleIdentity) -> Option<VehicleId>;
        Step::Vehicles => list_vehicles(filter: &VehicleFilter, page: PageRequest) -> Page<Stored<Vehicle>>;
    }
    ServiceRepository {
        Step::Services => find_service(id: ServiceId) -> Option<Versioned<Stored<Service>>>;
        Step::Services => list_services(filter: &ServiceFilter, page: PageRequest) -> Page<Stored<Service>>;
    }
    TradeRepository {
        Step::Opening => load_opening(vehicle: Option<VehicleId>, service: Option<ServiceId>, viewer: Option<CustomerId>, now: DateTime<Utc>) -> OpeningSnapshot;
        step_of_load(load) => load_trade(load: &TradeLoad) -> Option<Versioned<TradeSnapshot>>;
        Step::Opening => list_trades(filter: &TradeFilter, page: PageRequest, now: DateTime<Utc>) -> Page<TradeSnapshot>;
        Step::Proposals => list_proposals(filter: &ProposalFilter, page: PageRequest, now: DateTime<Utc>) -> Page<TradeSnapshot>;
        Step::Billing => find_invoice(id: InvoiceId) -> Option<Stored<Invoice>>;
        Step::Billing => find_payment(id: PaymentId) -> Option<Stored<Payment>>;
        Step::Billing => list_invoices(filter: &InvoiceFilter, page: PageRequest, now: DateTime<Utc>) -> Page<Stored<Invoice>>;
        Step::Billing => list_payments(filter: &PaymentFilter, page: PageRequest) -> Page<Stored<Payment>>;
        Step::Billing => find_refund(id: RefundId) -> Option<Stored<Refund>>;
        Step::Billing => list_refunds(filter: &RefundFilter, page: PageRequest) -> Page<Stored<Refund>>;
        Step::Billing => find_charge_key(key: &ChargeKey) -> Option<PaymentId>;
        Step::Billing => find_refund_key(key: &RefundKey) -> Option<RefundId>;
        Step::Billing => pending_refunds(before: DateTime<Utc>, after: Option<RefundId>, limit: u32) -> Vec<RefundId>;
        Step::Billing => payments_under_way(state: UnderWay, before: DateTime<Utc>, after: Option<PaymentId>, limit: u32) -> Vec<PaymentId>;
        Step::Billing => declines(customer: CustomerId, since: DateTime<Utc>, limit: u32) -> Vec<DateTime<Utc>>;
        Step::Proposals => expired_proposals(now: DateTime<Utc>, after: Option<ProposalId>, limit: u32) -> Vec<ProposalId>;
        Step::Billing => overdue_invoices(now: DateTime<Utc>, after: Option<InvoiceId>, limit: u32) -> Vec<InvoiceId>;
        Step::Billing => weekly_totals(since: DateTime<Utc>) -> Vec<WeeklyTotal>;
    }
    IdempotencyRepository {
        Step::Claims => claim(new: &NewClaim, now: DateTime<Utc>) -> ClaimState;
        Step::Claims => renew_claim(claim: &Claim, held_until: DateTime<Utc>, expires_at: DateTime<Utc>) -> ();
        Step::Claims => save_response(claim: &Claim, response: &SavedResponse) -> ();
        Step::Claims => release_claim(claim: &Claim) -> ();
        Step::Claims => purge_claims(now: DateTime<Utc>, limit: u32) -> u64;
    }
    EventRepository {
        Step::Events => list_events(filter: &EventFilter, page: PageRequest) -> Page<Stored<EventRecord>>;
        Step::Events => events_after(after: Option<EventId>, limit: u32, filter: &EventFilter) -> Vec<Stored<EventRecord>>;
        Step::Events => last_event() -> Option<EventId>;
        Step::Events => place_events(limit: u32) -> u64;
        Step::Events => clear_events(before: DateTime<Utc>, limit: u32) -> u64;
        Step::Events => cleared_events() -> Option<EventId>;
        Step::Events => find_event(id: EventId, visible_to: Option<Viewer>) -> Option<Stored<EventRecord>>;
        Step::Events => consumer_position(name: &ConsumerName) -> Option<EventId>;
        Step::Events => move_consumer(name: &ConsumerName, to: EventId) -> EventId;
        Step::Events => remove_consumer(name: &ConsumerName) -> bool;
    }
    WebhookRepository {
        Step::Webhooks => find_endpoint(id: WebhookEndpointId) -> Option<Versioned<Stored<WebhookEndpoint>>>;
        Step::Webhooks => list_endpoints(filter: &WebhookEndpointFilter, page: PageRequest) -> Page<Stored<WebhookEndpoint>>;
        Step::Webhooks => find_delivery(id: WebhookDeliveryId) -> Option<Stored<WebhookDelivery>>;
        Step::Webhooks => list_deliveries(filter: &WebhookDeliveryFilter, page: PageRequest) -> Page<Stored<WebhookDelivery>>;
        Step::Webhooks => queue_deliveries(now: DateTime<Utc>, limit: u32) -> u64;
        Step::Webhooks => claim_deliveries(now: DateTime<Utc>, held_until: DateTime<Utc>, per_endpoint: u32, busy: &[(WebhookEndpointId, u32)]) -> Vec<ClaimedDelivery>;
        Step::Webhooks => record_attempts(attempts: &[RecordedAttempt]) -> ();
        Step::Webhooks => first_needed_event() -> Option<EventId>;
        Step::Webhooks => purge_deliveries(before: DateTime<Utc>, limit: u32) -> u64;
    }
    MailRepository {
        Step::Mails => queue_mails(mails: &[Mail]) -> u64;
        Step::Mails => claim_mails(now: DateTime<Utc>, held_until: DateTime<Utc>, limit: u32) -> Vec<Stored<Mail>>;
        Step::Mails => record_mail(id: MailId, held_until: DateTime<Utc>, state: MailState) -> ();
        Step::Mails => purge_mails(before: DateTime<Utc>, limit: u32) -> u64;
        Step::Mails => earlier_proposers(trade: TradeId, before: ProposalId, after: Option<CustomerId>, limit: u32) -> Vec<CustomerId>;
    }
}

#[async_trait]
impl Repository for HalfDone {
    async fn commit(&self, commit: &Commit) -> Result<NewIds, RepositoryError> {
        self.require(step_of_change(&commit.change))?;
        if commit.envelope.claim.is_some() {
            self.require(Step::Claims)?;
        }
        let mut commit = commit.clone();
        if self.done < Step::Events {
            commit.envelope.events.clear();
        }
        self.store.commit(&commit).await
    }

    async fn ping(&self) -> Result<(), RepositoryError> {
        self.store.ping().await
    }
}

/// Runs each theme on a store of which the steps up to it are done, and no others.
macro_rules! half_done {
    ($($done:ident: $step:ident, $theme:ident;)+) => {$(
        mod $done {
            use super::*;

            async fn fresh_repository() -> HalfDone {
                HalfDone { done: Step::$step, store: MemoryRepository::default() }
            }

            lease_core::repository_conformance!(fresh_repository, $theme);
        }
    )+};
}

// The last theme, `whole`, needs all: `conformance` runs it.
half_done! {
    step_01: Accounts, accounts;
    step_02: Vehicles, vehicles;
    step_03: Services, services;
    step_04: Opening, opening;
    step_05: Proposals, proposals;
    step_06: Cards, cards;
    step_07: Billing, billing;
    step_08: Directory, directory;
    step_09: Claims, claims;
    step_10: Events, events;
    step_11: Webhooks, webhooks;
    step_12: Mails, mails;
}

#[test]
fn the_themes_are_the_steps_of_the_guide_in_their_order() {
    let guide = include_str!("../../lease-core/docs/backends.md");
    let headings = guide.lines().filter_map(|line| line.strip_prefix("## ")?.split('`').nth(1));
    assert_eq!(headings.collect::<Vec<_>>(), lease_core::conformance::THEMES);
}
