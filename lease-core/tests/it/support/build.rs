use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use lease_core::account::{AccountSnapshot, PasswordHash, TakenNames, Token, TokenHash};
use lease_core::catalog::{LiveTrade, VehicleSnapshot};
use lease_core::gateway::{
    CardToken, Charge, ChargeKey, ChargeOutcome, ClientSecret, GatewayInfo, NextAction, PaymentGateway, RefundKey, SandboxGateway,
};
use lease_core::id::{CustomerId, Entity, Id, Stored, UserId, Version, Versioned};
use lease_core::model::{
    Account, Annotations, BillTo, CardBrand, CreditCard, Email, Invoice, InvoiceOn, InvoiceState, LoginName, NoticeSettings,
    Payment, PaymentState, Period, Proposal, ProposalState, Refund, RefundReason, RefundState, Role, Service, ServiceKind, User,
    Username, Vehicle, VehicleIdentity, Vin,
};
use lease_core::money::{Currency, Money};
use lease_core::permission::Actor;

/// The vehicle's owner.
pub(crate) const OWNER: i64 = 1;
/// A customer who trades with the owner.
pub(crate) const BUYER: i64 = 2;
/// Another customer.
pub(crate) const THIRD: i64 = 3;

/// The present instant in most tests: a noon in March, with microseconds.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_772_452_800_123_456).unwrap()
}

/// This many seconds after [`now`]; negative for before it.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    now() + Duration::seconds(seconds)
}

/// The shortest step of time.
pub(crate) fn tick() -> Duration {
    Duration::microseconds(1)
}

/// Parses an instant.
pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Parses a day.
pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The day of [`now`], plus this many days.
pub(crate) fn day(number: u64) -> NaiveDate {
    now().date_naive() + Days::new(number)
}

/// The days from `start` to `end`, counted from today, without the end.
pub(crate) fn period(start: u64, end: u64) -> Period {
    Period::new(day(start), day(end)).unwrap()
}

pub(crate) fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

pub(crate) fn id<I: Id>(number: i64) -> I {
    I::new(number).unwrap()
}

/// The user of customer `n` is `100 + n`, so that confusing the two fails a test.
pub(crate) fn user_id(customer: i64) -> UserId {
    id(100 + customer)
}

/// A gateway that takes card numbers.
pub(crate) fn takes_numbers() -> GatewayInfo {
    SandboxGateway::new().info()
}

pub(crate) fn customer(number: i64) -> Actor {
    Actor::Customer { user: user_id(number), customer: id(number) }
}

pub(crate) fn staff() -> Actor {
    Actor::Staff { user: id(201) }
}

pub(crate) fn superuser() -> Actor {
    Actor::Superuser { user: id(202) }
}

/// A live token of a customer's user.
pub(crate) fn token(of: i64) -> Token {
    Token {
        hash: TokenHash([1; 32]),
        user_id: user_id(of),
        name: "Backup".into(),
        epoch: 7,
        created_at: at(-60),
        expires_at: at(60),
    }
}

pub(crate) fn stored<T: Entity>(number: i64, value: T) -> Stored<T> {
    Stored { id: id(number), value }
}

/// A row at its first version, as a store returns it.
pub(crate) fn first<T>(value: T) -> Versioned<T> {
    Versioned { version: Version::FIRST, value }
}

/// An active user with this role, who has a customer of the same number if the role trades.
pub(crate) fn account(number: i64, role: Role) -> Account {
    let user = User {
        username: Username::parse(&format!("user-{number}")).unwrap(),
        email: Some(Email::parse(&format!("user-{number}@example.com")).unwrap()),
        first_name: "Ada".into(),
        last_name: "Lovelace".into(),
        password: PasswordHash::from_phc("$argon2id$a-hash-that-is-secret".into()),
        is_active: true,
        role,
        date_joined: now(),
        last_login: None,
        token_epoch: 7,
        email_verified_at: None,
        links: Vec::new(),
        notices: NoticeSettings::default(),
        annotations: Annotations::default(),
    };
    let customer_id: Option<CustomerId> = (role == Role::Customer).then(|| id(number));
    Account { user: Stored { id: user_id(number), value: user }, customer_id }
}

/// A user as a decision reads it: it owns nothing, and there are other superusers.
pub(crate) fn account_snapshot(number: i64, role: Role) -> Versioned<AccountSnapshot> {
    first(AccountSnapshot { account: account(number, role), customer_in_use: false, another_active_superuser: true })
}

/// No name is taken.
pub(crate) fn free() -> TakenNames {
    TakenNames::default()
}

/// These login names are taken.
pub(crate) fn logins(taken: impl IntoIterator<Item = (LoginName, UserId)>) -> TakenNames {
    TakenNames { logins: taken.into_iter().collect(), ..free() }
}

pub(crate) const VIN: &str = "WVWZZZ1JZXW000001";

pub(crate) fn vehicle(owner: i64) -> Vehicle {
    Vehicle {
        customer_id: id(owner),
        identity: Some(VehicleIdentity::Vin(Vin::parse(VIN).unwrap())),
        make: "Skoda".into(),
        model: "Octavia".into(),
        year: 2020,
        color: "red".into(),
        mileage: Some(10_000),
        license_plate: String::new(),
        description: String::new(),
        created_at: at(-60),
        annotations: Annotations::default(),
    }
}

/// An open trade of a vehicle, without a bid.
pub(crate) fn open_trade() -> LiveTrade {
    LiveTrade { id: id(1), version: Version::FIRST, is_open: true, owner_is_active: true, has_bid: false }
}

/// The owner's vehicle, which was never traded.
pub(crate) fn vehicle_snapshot() -> Versioned<VehicleSnapshot> {
    first(VehicleSnapshot { vehicle: stored(1, vehicle(OWNER)), live_trade: None, was_traded: false, viewer_is_party: false })
}

/// An active service that no trade uses yet, with a fee of 100.00.
pub(crate) fn service(kind: ServiceKind) -> Service {
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

pub(crate) fn stored_service(kind: ServiceKind) -> Versioned<Stored<Service>> {
    first(stored(1, service(kind)))
}

/// A pending proposal over 250.00 without dates or expiry.
pub(crate) fn proposal(author: i64) -> Proposal {
    Proposal {
        trade_id: id(1),
        customer_id: id(author),
        amount: usd("250.00"),
        period: None,
        message: String::new(),
        expires_at: None,
        created_at: at(-60),
        state: ProposalState::Pending,
    }
}

/// An open invoice over 100.00, issued today.
pub(crate) fn invoice(billed: i64) -> Invoice {
    Invoice {
        trade_id: id(1),
        proposal_id: id(1),
        customer_id: id(billed),
        amount: usd("100.00"),
        paid: usd("0"),
        pending: usd("0"),
        refunded: usd("0"),
        state: InvoiceState::Open,
        issued_at: now(),
        due_date: day(14),
        overdue_at: None,
    }
}

pub(crate) fn card(holder: i64) -> CreditCard {
    CreditCard {
        customer_id: id(holder),
        brand: CardBrand::Visa,
        last4: "4242".into(),
        exp_month: 12,
        exp_year: 2030,
        holder_name: "Ada Lovelace".into(),
        is_default: true,
        token: CardToken::new("tok_that_is_secret".into()),
        created_at: now(),
        deleted_at: None,
    }
}

pub(crate) fn key() -> ChargeKey {
    ChargeKey::new("key-1".into())
}

/// A pending payment of invoice 1 with card 1.
pub(crate) fn payment(payer: i64, amount: &str) -> Payment {
    Payment {
        invoice_id: id(1),
        credit_card_id: id(1),
        customer_id: id(payer),
        amount: usd(amount),
        refunded: usd("0"),
        refunding: usd("0"),
        state: PaymentState::Pending,
        is_late: false,
        charge_key: key(),
        gateway_reference: None,
        created_at: now(),
    }
}

/// The charge of a payment of invoice 1 by [`OWNER`], begun now.
pub(crate) fn charge(amount: &str, card: CardToken) -> Charge {
    Charge {
        key: key(),
        reference: None,
        card,
        amount: usd(amount),
        payment: id(1),
        invoice: id(1),
        customer: id(OWNER),
        begun_at: now(),
    }
}

/// What a payer must do, with a secret of theirs.
pub(crate) fn next_action() -> NextAction {
    NextAction {
        kind: "confirm".into(),
        url: Some("https://bank.example/3ds".into()),
        client_secret: Some(ClientSecret::new("cs_that_is_secret".into())),
    }
}

/// The gateway charged the card.
pub(crate) fn charged() -> ChargeOutcome {
    ChargeOutcome::Succeeded { reference: "ch_1".into() }
}

pub(crate) fn declined(failure_code: &str) -> ChargeOutcome {
    ChargeOutcome::Declined { failure_code: failure_code.into(), reference: Some("ch_2".into()) }
}

/// The payer must act first.
pub(crate) fn asks_payer() -> ChargeOutcome {
    ChargeOutcome::ActionRequired { reference: "ch_1".into(), next_action: next_action() }
}

/// The gateway gave the charge up.
pub(crate) fn given_up() -> ChargeOutcome {
    ChargeOutcome::Cancelled { reference: "ch_1".into() }
}

pub(crate) fn refund_key() -> RefundKey {
    RefundKey::new("refund-key-1".into())
}

/// A pending refund of payment 1.
pub(crate) fn refund(payer: i64, amount: &str) -> Refund {
    Refund {
        payment_id: id(1),
        invoice_id: id(1),
        customer_id: id(payer),
        amount: usd(amount),
        reason: RefundReason::RequestedByCustomer,
        note: String::new(),
        state: RefundState::Pending,
        refund_key: refund_key(),
        gateway_reference: None,
        created_at: now(),
    }
}
