//! The steps of a sequence, and the strategies that generate them. Rows are named by their distance from the newest, so that most
//! names refer to rows that exist.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// A command or query of one of the users.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) who: Who,
    /// The idempotency key of the step.
    pub(super) key: Option<u8>,
    pub(super) act: Act,
}

/// The user who acts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who {
    /// An anonymous caller.
    Anonymous,
    /// The user of this number.
    User(i64),
    /// The user who has the right: the owner of the vehicle, of the trade or of the proposal's trade, the billed customer, or an
    /// administrator.
    Owner,
}

/// A row: 0 is the newest of its table, 1 the one before it.
pub(super) type Row = i64;

/// The tables whose rows are created, read, changed and deleted in the same way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Table {
    User,
    Customer,
    Card,
    Contact,
    Lead,
    Vehicle,
    Service,
    Trade,
    Proposal,
    Invoice,
    Payment,
    Refund,
}

const TABLES: [Table; 12] = [
    Table::User,
    Table::Customer,
    Table::Card,
    Table::Contact,
    Table::Lead,
    Table::Vehicle,
    Table::Service,
    Table::Trade,
    Table::Proposal,
    Table::Invoice,
    Table::Payment,
    Table::Refund,
];

/// A command, with the body of its request.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Register(Value),
    Login(Value),
    Authenticate(Row),
    Logout(Row),
    LogoutEverywhere,
    /// Creates a token with the session of this one.
    CreateToken(Row, Value),
    RevokeToken(i64),
    ListTokens(u8),
    Create(Table, Value),
    Get(Table, Row),
    Update(Table, Row, Value),
    Delete(Table, Row),
    Convert(Row, i64),
    Open(Row, i64),
    Propose(Row, Terms),
    Accept(Row),
    Reject(Row),
    Withdraw(Row),
    Cancel(Row),
    /// Staff cancel an agreed trade.
    Rescind(Row),
    /// Ends the days of a trade this many days after the first day of all.
    End(Row, u64),
    /// Pays an invoice, in part or in full, with this card or with the newest card of the billed customer.
    Pay(Row, Option<i64>, Option<u32>),
    /// The payer of a payment that waits for them confirms it, or does not.
    PlayPayer(Row, bool),
    CancelPayment(Row),
    /// Refunds a payment, in part or in full.
    Refund(Row, Option<u32>),
    Void(Row),
    WriteOff(Row),
    /// Moves a due date to this many days after the first day of all.
    MoveDueDate(Row, u64),
    SettlePending,
    PurgeExpired,
    RecordWhatTimeBrought,
    List(Table, Conditions, u8),
    Wait(i64),
}

/// The terms of a proposal.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) amount: u32,
    /// The first day and the number of days.
    pub(super) days: (u64, u64),
    /// Whether the dates contradict the kind of the service: given where it has none, or left out where it requires them.
    pub(super) is_odd: bool,
    pub(super) expires_in_hours: Option<i64>,
}

/// The conditions of a filter; each list uses those that it has.
#[derive(Clone, Debug)]
pub(super) struct Conditions {
    pub(super) first: Option<i64>,
    pub(super) second: Option<i64>,
    pub(super) third: Option<i64>,
    pub(super) choice: Option<usize>,
    pub(super) flag: Option<bool>,
    pub(super) years: (Option<i32>, Option<i32>),
    pub(super) word: Option<&'static str>,
}

/// The number of a card that the gateway refuses.
pub(super) const REFUSED_CARD: &str = "4000000000000127";

/// Words that occur in names and texts, and parts of them.
const WORDS: [&str; 6] = ["honda", "acc", "ada", "a", "civic fast", "nobody"];

pub(super) fn steps(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    vec(step(), length)
}

fn step() -> impl Strategy<Value = Step> {
    (who(), weighted(0.15, 0..4_u8), act()).prop_map(|(who, key, act)| Step { who, key, act })
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![2 => (1..8_i64).prop_map(Who::User), 3 => (3..7_i64).prop_map(Who::User), 10 => Just(Who::Owner), 1 => Just(Who::Anonymous)]
}

fn row() -> impl Strategy<Value = Row> {
    prop_oneof![4 => Just(0), 3 => 1..3_i64, 2 => 3..9_i64]
}

/// An id, which may not exist.
fn id() -> impl Strategy<Value = i64> {
    1..8_i64
}

fn act() -> impl Strategy<Value = Act> {
    let table = || select(&TABLES[..]);
    let terms = (1..900_u32, (0..20_u64, 1..15_u64), prop::bool::weighted(0.1), weighted(0.2, 1..40_i64));
    let terms = terms.prop_map(|(amount, days, is_odd, expires_in_hours)| Terms { amount, days, is_odd, expires_in_hours });
    let amount = weighted(0.5, prop_oneof![1..3_000_u32, 3_000..12_000_u32]);
    let minutes = prop_oneof![3 => 1..3_000_i64, 1 => 3_000..60_000_i64];
    prop_oneof![
        2 => user().prop_map(Act::Register),
        2 => login().prop_map(Act::Login),
        2 => row().prop_map(Act::Authenticate),
        1 => row().prop_map(Act::Logout),
        1 => Just(Act::LogoutEverywhere),
        2 => (row(), token()).prop_map(|(row, body)| Act::CreateToken(row, body)),
        1 => id().prop_map(Act::RevokeToken),
        1 => (1..6_u8).prop_map(Act::ListTokens),
        8 => creation().prop_map(|(table, body)| Act::Create(table, body)),
        10 => (table(), row()).prop_map(|(table, row)| Act::Get(table, row)),
        8 => (change(), row()).prop_map(|((table, body), row)| Act::Update(table, row, body)),
        3 => (table(), row()).prop_map(|(table, row)| Act::Delete(table, row)),
        2 => (row(), id()).prop_map(|(lead, customer)| Act::Convert(lead, customer)),
        10 => (row(), id()).prop_map(|(vehicle, service)| Act::Open(vehicle, service)),
        14 => (row(), terms).prop_map(|(trade, terms)| Act::Propose(trade, terms)),
        10 => row().prop_map(Act::Accept),
        2 => row().prop_map(Act::Reject),
        2 => row().prop_map(Act::Withdraw),
        2 => row().prop_map(Act::Cancel),
        1 => row().prop_map(Act::Rescind),
        1 => (row(), 0..20_u64).prop_map(|(trade, day)| Act::End(trade, day)),
        10 => (row(), weighted(0.2, id()), amount).prop_map(|(invoice, card, cents)| Act::Pay(invoice, card, cents)),
        4 => (row(), any::<bool>()).prop_map(|(payment, confirms)| Act::PlayPayer(payment, confirms)),
        2 => row().prop_map(Act::CancelPayment),
        10 => (row(), weighted(0.6, 1..30_u32)).prop_map(|(payment, part)| Act::Refund(payment, part)),
        2 => row().prop_map(Act::Void),
        1 => row().prop_map(Act::WriteOff),
        1 => (row(), 0..40_u64).prop_map(|(invoice, day)| Act::MoveDueDate(invoice, day)),
        4 => Just(Act::SettlePending),
        1 => Just(Act::PurgeExpired),
        2 => Just(Act::RecordWhatTimeBrought),
        20 => (table(), conditions(), 1..6_u8).prop_map(|(table, conditions, limit)| Act::List(table, conditions, limit)),
        3 => minutes.prop_map(Act::Wait),
    ]
}

fn conditions() -> impl Strategy<Value = Conditions> {
    let years = (weighted(0.2, 1999..2023_i32), weighted(0.2, 2000..2026_i32));
    (
        weighted(0.2, id()),
        weighted(0.2, id()),
        weighted(0.1, id()),
        weighted(0.3, 0..8_usize),
        weighted(0.2, any::<bool>()),
        years,
        weighted(0.2, select(&WORDS[..])),
    )
        .prop_map(|(first, second, third, choice, flag, years, word)| Conditions {
            first,
            second,
            third,
            choice,
            flag,
            years,
            word,
        })
}

/// The body of a request that creates a row.
fn creation() -> impl Strategy<Value = (Table, Value)> {
    prop_oneof![
        2 => user().prop_map(|body| (Table::User, body)),
        3 => card().prop_map(|body| (Table::Card, body)),
        2 => contact().prop_map(|body| (Table::Contact, body)),
        3 => lead().prop_map(|body| (Table::Lead, body)),
        5 => vehicle().prop_map(|body| (Table::Vehicle, body)),
        2 => service().prop_map(|body| (Table::Service, body)),
    ]
}

/// The body of a request that changes a row: some of the fields with which rows are created.
fn change() -> impl Strategy<Value = (Table, Value)> {
    let words = select(&["", "Sold as seen", "ada"][..]).prop_map(|title| json!({"title": title, "description": title}));
    let profile = (select(&["", "Pilot"][..]), select(&["1985-12-10", "2999-01-01"][..]))
        .prop_map(|(job, dob)| json!({"job": job, "dob": dob, "notes": job}));
    let body = prop_oneof![
        6 => creation(),
        1 => words.prop_map(|body| (Table::Trade, body)),
        1 => profile.prop_map(|body| (Table::Customer, body)),
    ];
    (body, any::<u16>()).prop_map(|((table, body), fields)| (table, some_of(body, fields)))
}

/// Removes each field whose bit is not set.
fn some_of(body: Value, fields: u16) -> Value {
    let Value::Object(body) = body else { return body };
    body.into_iter().enumerate().filter(|(number, _)| fields >> (number % 16) & 1 == 1).map(|(_, field)| field).collect()
}

fn name() -> impl Strategy<Value = String> {
    (0..10_u8).prop_map(|number| format!("ada{number}"))
}

fn user() -> impl Strategy<Value = Value> {
    let flags = (prop::bool::weighted(0.15), prop::bool::weighted(0.1), prop::bool::weighted(0.85));
    (name(), name(), password(), flags).prop_map(|(username, email, password, (is_staff, is_superuser, is_active))| {
        json!({"username": username, "email": format!("{email}@example.com"), "first_name": "Ada", "last_name": "Byron",
            "password": password, "password2": password, "is_staff": is_staff, "is_superuser": is_superuser,
            "is_active": is_active, "job": "Pilot"})
    })
}

fn password() -> impl Strategy<Value = &'static str> {
    select(&["violet-harbor-93", "violet-harbor-93", "amber-meadow-17", "short"][..])
}

fn login() -> impl Strategy<Value = Value> {
    (name(), any::<bool>(), password()).prop_map(|(name, by_email, password)| {
        let name = if by_email { format!("{name}@example.com") } else { name };
        json!({"username": name, "password": password})
    })
}

fn token() -> impl Strategy<Value = Value> {
    (select(&["Backup", "", "Ада"][..]), weighted(0.7, select(&[0, 1, 30, 3_650][..])))
        .prop_map(|(name, days)| json!({"name": name, "expires_in_days": days}))
}

fn card() -> impl Strategy<Value = Value> {
    const NUMBERS: [&str; 9] = [
        "4242424242424242",
        "4000000000000002",
        "4000000000009995",
        "4000002500003155",
        "4000002500003155",
        "4000008400001629",
        "4000000000005126",
        "4242424242424241",
        REFUSED_CARD,
    ];
    let fields = (select(&NUMBERS[..]), 1..13_u8, select(&[2026, 2026, 2099, 2020][..]), any::<bool>());
    fields.prop_map(|(number, month, year, is_default)| {
        json!({"number": number, "exp_month": month, "exp_year": year, "holder_name": "Ada Byron", "is_default": is_default})
    })
}

fn contact() -> impl Strategy<Value = Value> {
    let fields = (weighted(0.5, id()), weighted(0.4, id()), select(&["", "ada@example.com"][..]));
    fields.prop_map(|(customer, lead, email)| {
        json!({"customer_id": customer, "lead_id": lead, "label": "home", "name": "Ada", "email": email, "city": "London"})
    })
}

fn lead() -> impl Strategy<Value = Value> {
    const STATUSES: [&str; 6] = ["new", "contacted", "qualified", "lost", "converted", "none"];
    (select(&["", "Ada", "Grace"][..]), select(&STATUSES[..])).prop_map(|(name, status)| {
        json!({"first_name": name, "company": if name == "Grace" { "Navy" } else { "" }, "status": status, "notes": name})
    })
}

fn vehicle() -> impl Strategy<Value = Value> {
    let fields = (0..40_u8, select(&["Honda", "honda ", "Tesla"][..]), select(&["Accord", "Civic fast"][..]), 1998..2028_i32);
    (fields, weighted(0.5, -1..200_000_i64)).prop_map(|((number, make, model, year), mileage)| {
        json!({"vin": format!("1HGCM82633A{number:06}"), "make": make, "model": model, "year": year, "mileage": mileage})
    })
}

fn service() -> impl Strategy<Value = Value> {
    let on = weighted(0.6, select(&["first_proposal", "acceptance"][..]));
    let fields = (select(&["lease", "sell", "custom"][..]), on, select(&["owner", "owner", "counterparty"][..]));
    let fee = (select(&["0", "50", "49.99", "-1"][..]), select(&["USD", "USD", "USD", "JPY"][..]), 0..40_i64);
    (fields, fee, prop::bool::weighted(0.8)).prop_map(|((kind, on, bill_to), (amount, currency, days), is_active)| {
        json!({"name": kind, "kind": kind, "invoice_on": on, "bill_to": bill_to, "amount": amount, "currency": currency,
            "payment_due_days": days, "is_active": is_active})
    })
}
