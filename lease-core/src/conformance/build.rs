//! Values with sensible defaults, all created at one fixed instant: a case states only what matters to it.

use chrono::{DateTime, Days, Duration, NaiveDate, Utc};

use crate::account::NewAccount;
use crate::account::{PasswordHash, Token, TokenHash};
use crate::gateway::{CardToken, ChargeKey, RefundKey};
use crate::id::{
    CreditCardId, CustomerId, Id, InvoiceId, MailId, PaymentId, ServiceId, TradeId, UserId, VehicleId, Version, WebhookEndpointId,
};
use crate::lifecycle::{NewInvoice, Opening, PaymentChange, TradeChanges, TradeMove, TradeText};
use crate::model::{
    Annotations, BillTo, CardBrand, ChassisNumber, Contact, ContactOwner, CreditCard, DeliveryAttempt, DeliveryState, Email,
    EndpointState, InvoiceOn, Lead, LeadState, LinkHash, LinkPurpose, Mail, MailKind, MailLink, MailRecipient, MailState,
    NoticeSettings, OfferedVehicle, Payment, PaymentState, Period, Profile, Proposal, ProposalState, Refund, RefundReason,
    RefundState, Role, Service, ServiceKind, Trade, TradeState, User, Username, Vehicle, VehicleIdentity, Vin, WebhookDelivery,
    WebhookEndpoint, WebhookMessage, WebhookSecret,
};
use crate::money::{Currency, Money};
use crate::repository::{Claim, KeyHash, NewClaim};

/// The instant at which everything is created: noon, and a few microseconds, which a store has to keep.
pub(super) fn base() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_772_452_800_123_456).unwrap()
}

/// The instant this many seconds after [`base`], or before it.
pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    base() + Duration::seconds(seconds)
}

/// The smallest step of time that a store keeps.
pub(super) fn tick() -> Duration {
    Duration::microseconds(1)
}

/// The day of [`base`], or this many days after it.
pub(super) fn day(number: u64) -> NaiveDate {
    base().date_naive() + Days::new(number)
}

/// The days from `start` up to but not including `end`, counted from [`base`].
pub(super) fn period(start: u64, end: u64) -> Period {
    Period::new(day(start), day(end)).unwrap()
}

/// An amount in US dollars.
pub(super) fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

/// An id that no row has.
pub(super) fn nobody<I: Id>() -> I {
    I::new(i64::MAX / 2).unwrap()
}

pub(super) fn user(number: u32, role: Role) -> User {
    User {
        username: Username::parse(&format!("user-{number}")).unwrap(),
        email: Some(Email::parse(&format!("user-{number}@example.com")).unwrap()),
        first_name: "Ada".into(),
        last_name: "Lovelace".into(),
        password: PasswordHash::from_phc("$argon2id$one".into()),
        is_active: true,
        role,
        date_joined: base(),
        last_login: None,
        token_epoch: 0,
        email_verified_at: Some(base()),
        links: vec![MailLink {
            purpose: LinkPurpose::PasswordReset,
            hash: LinkHash([7; 32]),
            mail: MailId::new(9).unwrap(),
            expires_at: base(),
        }],
        notices: NoticeSettings { proposals: false, invoices: true, payments: false },
        annotations: Annotations::default(),
    }
}

/// A user to be created: with a profile if it trades, and without a token.
pub(super) fn new_user(user: User) -> NewAccount {
    let profile = (user.role == Role::Customer).then(Profile::default);
    NewAccount { user, profile, token: None, only_first_superuser: false }
}

pub(super) fn token_hash(number: u8) -> TokenHash {
    TokenHash([number; 32])
}

pub(super) fn token(user_id: UserId, number: u8) -> Token {
    Token {
        hash: token_hash(number),
        user_id,
        name: format!("Backup {number}"),
        epoch: 0,
        created_at: base() + tick(),
        expires_at: at(3_600),
    }
}

pub(super) fn credit_card(customer_id: CustomerId) -> CreditCard {
    CreditCard {
        customer_id,
        brand: CardBrand::Visa,
        last4: "4242".into(),
        exp_month: 12,
        exp_year: 2030,
        holder_name: "Ada Lovelace".into(),
        is_default: false,
        token: CardToken::new("tok_1".into()),
        created_at: base(),
        deleted_at: None,
    }
}

pub(super) fn contact(owner: ContactOwner) -> Contact {
    Contact {
        owner,
        label: "home".into(),
        name: "Ada Lovelace".into(),
        email: "ada@example.com".into(),
        phone: String::new(),
        address_line1: String::new(),
        address_line2: String::new(),
        city: String::new(),
        state: String::new(),
        postal_code: String::new(),
        country: String::new(),
        created_at: base(),
    }
}

pub(super) fn lead() -> Lead {
    Lead {
        first_name: "Grace".into(),
        last_name: "Hopper".into(),
        email: "grace@example.com".into(),
        phone: String::new(),
        company: String::new(),
        source: String::new(),
        state: LeadState::New,
        notes: String::new(),
        created_at: base(),
    }
}

pub(super) fn vin(number: u32) -> Vin {
    Vin::parse(&format!("WVW{number:014}")).unwrap()
}

pub(super) fn chassis(number: u32) -> ChassisNumber {
    ChassisNumber::parse(&format!("GJ7-{number:06}")).unwrap()
}

pub(super) fn vehicle(customer_id: CustomerId, number: u32) -> Vehicle {
    Vehicle {
        customer_id,
        identity: Some(VehicleIdentity::Vin(vin(number))),
        make: "Skoda".into(),
        model: "Octavia".into(),
        year: 2020,
        color: String::new(),
        mileage: None,
        license_plate: String::new(),
        description: String::new(),
        created_at: base(),
        annotations: Annotations::default(),
    }
}

pub(super) fn service(kind: ServiceKind) -> Service {
    Service {
        name: "A service".into(),
        kind,
        invoice_on: kind.fixed_invoice_on().unwrap_or(InvoiceOn::Acceptance),
        bill_to: BillTo::Owner,
        fee: usd("100.00"),
        payment_due_days: 14,
        description: String::new(),
        is_active: true,
        is_used: false,
    }
}

pub(super) fn trade(vehicle_id: VehicleId, service_id: ServiceId, customer_id: CustomerId) -> Trade {
    Trade {
        vehicle_id,
        service_id,
        customer_id,
        title: "A trade".into(),
        description: String::new(),
        state: TradeState::Open,
        offered: OfferedVehicle::from(&vehicle(customer_id, 1)),
        asking: None,
        invoice_id: None,
        created_at: base(),
        annotations: Annotations::default(),
    }
}

pub(super) fn opening(trade: Trade, vehicle_version: Version) -> Opening {
    Opening { trade, vehicle_version, first_use_of_service: None }
}

/// A pending proposal without dates, which never expires.
pub(super) fn proposal(trade_id: TradeId, customer_id: CustomerId) -> Proposal {
    Proposal {
        trade_id,
        customer_id,
        amount: usd("250.00"),
        period: None,
        message: String::new(),
        expires_at: None,
        created_at: base(),
        state: ProposalState::Pending,
    }
}

/// An invoice for 100.00 for the new proposal in the same changes.
pub(super) fn new_invoice(customer_id: CustomerId) -> NewInvoice {
    NewInvoice { proposal_id: None, customer_id, amount: usd("100.00"), issued_at: base(), due_date: day(14) }
}

/// A pending payment of 10.00.
pub(super) fn payment(invoice_id: InvoiceId, credit_card_id: CreditCardId, customer_id: CustomerId, key: &str) -> Payment {
    Payment {
        invoice_id,
        credit_card_id,
        customer_id,
        amount: usd("10.00"),
        refunded: usd("0.00"),
        refunding: usd("0.00"),
        state: PaymentState::Pending,
        is_late: false,
        charge_key: ChargeKey::new(key.into()),
        gateway_reference: None,
        created_at: base(),
    }
}

/// A pending refund of 4.00 of a payment.
pub(super) fn refund(payment_id: PaymentId, invoice_id: InvoiceId, customer_id: CustomerId, key: &str) -> Refund {
    Refund {
        payment_id,
        invoice_id,
        customer_id,
        amount: usd("4.00"),
        reason: RefundReason::Other,
        note: String::new(),
        state: RefundState::Pending,
        refund_key: RefundKey::new(key.into()),
        gateway_reference: None,
        created_at: base(),
    }
}

/// An endpoint that is told of every event.
pub(super) fn endpoint() -> WebhookEndpoint {
    WebhookEndpoint {
        url: "https://example.com/hooks".into(),
        description: String::new(),
        event_types: Vec::new(),
        state: EndpointState::Active,
        secret: webhook_secret(1),
        previous: Vec::new(),
        created_at: base(),
    }
}

pub(super) fn webhook_secret(number: u8) -> WebhookSecret {
    WebhookSecret::from_stored(format!("whsec_{number:042}+/="))
}

/// A test of an endpoint, due at once.
pub(super) fn delivery(endpoint_id: WebhookEndpointId) -> WebhookDelivery {
    WebhookDelivery {
        endpoint_id,
        message: WebhookMessage::Test,
        state: DeliveryState::Pending { next_attempt_at: base() },
        tries: 0,
        attempts: Vec::new(),
        created_at: base(),
    }
}

/// A try that began at this instant, and that the other side answered with an error.
pub(super) fn attempt(at: DateTime<Utc>) -> DeliveryAttempt {
    DeliveryAttempt { at, status: Some(500), milliseconds: 120, response: "Sorry".into(), error: None }
}

/// A mail that was not made from an event, due at once.
pub(super) fn mail(recipient: MailRecipient) -> Mail {
    Mail {
        kind: MailKind::ProposalMade,
        recipient,
        event_id: None,
        facts: serde_json::Map::new(),
        state: MailState::Pending { next_attempt_at: base() },
        tries: 0,
        created_at: base(),
    }
}

/// The payment moves to this state.
pub(super) fn moved(id: PaymentId, state: PaymentState) -> PaymentChange {
    let gateway_reference = (state != PaymentState::Pending).then(|| format!("re_{id}"));
    PaymentChange { id, state, gateway_reference, refunded: usd("0.00"), refunding: usd("0.00") }
}

/// The card was charged.
pub(super) fn succeeded() -> PaymentState {
    PaymentState::Succeeded { at: at(8) }
}

/// The card was declined.
pub(super) fn declined() -> PaymentState {
    PaymentState::Failed { at: at(8), failure_code: "card_declined".into() }
}

/// Changes that only give the trade a new title.
pub(super) fn retitled(title: &str) -> TradeChanges {
    TradeChanges { text: Some(TradeText { title: title.into(), description: title.into() }), ..TradeChanges::default() }
}

/// Changes that create this proposal.
pub(super) fn proposed(proposal: Proposal) -> TradeChanges {
    TradeChanges { new_proposal: Some(proposal), ..TradeChanges::default() }
}

/// Cancels a trade that was not agreed.
pub(super) fn cancelled(at: DateTime<Utc>) -> TradeMove {
    TradeMove::Cancel { at, reason: "No longer needed".into(), agreement: None }
}

/// Changes that begin this payment.
pub(super) fn paying(payment: Payment) -> TradeChanges {
    TradeChanges { new_payment: Some(payment), ..TradeChanges::default() }
}

/// The claim of `holder` on `key`.
pub(super) const fn claim(key: u8, holder: u8) -> Claim {
    Claim { key: KeyHash([key; 32]), holder: [holder; 16] }
}

/// A new claim that is held for a minute and expires after a day.
pub(super) fn new_claim(key: u8, holder: u8) -> NewClaim {
    NewClaim { claim: claim(key, holder), fingerprint: [holder; 32], held_until: at(60), expires_at: at(86_400) }
}
