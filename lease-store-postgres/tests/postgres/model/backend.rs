//! An engine on one of the stores, with deterministic dependencies: the same requests get the same responses on both sides.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, Days, Duration, Utc};
use lease_core::account::{PasswordParams, TokenText};
use lease_core::clock::{Clock as _, ManualClock};
use lease_core::engine::RequestContext;
use lease_core::gateway::{
    CardDetails, Charge, ChargeOutcome, GatewayError, GatewayInfo, PayerOutcome, PaymentGateway, RefundOutcome, RefundRequest,
    SandboxGateway, Tokenization,
};
use lease_core::id::{CustomerId, Entity, Id as _, PaymentId, Stored};
use lease_core::input::UpdateMode;
use lease_core::invariants::Books;
use lease_core::invoicing::PaymentCancellationDraft;
use lease_core::model::ServiceKind;
use lease_core::money::{Currency, Money};
use lease_core::page::{Page, PageRequest};
use lease_core::permission::Actor;
use lease_core::repository::{
    CardFilter, ClaimState, ContactFilter, CustomerFilter, InvoiceFilter, KeyHash, LeadFilter, PaymentFilter, ProposalFilter,
    RefundFilter, Repository, RepositoryError, SavedResponse, ServiceFilter, TradeFilter, TradeKey, TradeLoad, UserFilter,
    VehicleFilter,
};
use lease_core::{Error, LeaseEngine};
use serde_json::{Value, json};

use super::lists::list;
use super::step::{Act, REFUSED_CARD, Row, Step, Table, Terms, Who};
use crate::engine::{Numbers, draft, id, instant};

/// The complete response: the result, or the error with its wrong fields.
pub(super) type Answer = Result<String, String>;

/// The users after the [`prelude`](super::prelude): a superuser and a customer.
const ROOT: i64 = 1;
const STAFF: i64 = 2;
const SOMEBODY: i64 = 3;

pub(super) struct Backend {
    store: Arc<dyn Repository>,
    engine: LeaseEngine,
    clock: Arc<ManualClock>,
    tokens: Vec<TokenText>,
}

impl Backend {
    pub(super) fn on(store: Arc<dyn Repository>) -> Self {
        let clock = Arc::new(ManualClock::at(start()));
        let engine = LeaseEngine::builder(Arc::clone(&store), Arc::new(MoodyGateway::default()))
            .clock(clock.clone())
            .randomness(Arc::new(Numbers::default()))
            .password_params(PasswordParams { memory_kib: 8, iterations: 1 })
            .build()
            .unwrap();
        Self { store, engine, clock, tokens: Vec::new() }
    }

    /// Creates a superuser and the standard services; the [`prelude`](super::prelude) creates the rest.
    pub(super) async fn set_up(&self) {
        let fee = |amount| Money::parse(amount, Currency::USD).unwrap();
        assert!(self.engine.ensure_standard_services(fee("50"), fee("100")).await.unwrap());
        let (_, is_new) = self.engine.ensure_superuser("root", "root@example.com", "violet-harbor-93".into()).await.unwrap();
        assert!(is_new);
    }

    pub(super) async fn books(&self) -> Books {
        Books::read(&*self.store).await.unwrap()
    }

    /// Carries out a step, under its idempotency key if it has one.
    pub(super) async fn run(&mut self, step: &Step) -> Answer {
        let actor = self.actor(step).await;
        let Some(key) = step.key else { return self.act(&self.engine.clone(), &actor.into(), &step.act).await };
        let (claim, state) = self.engine.claim(KeyHash([key; 32]), [key; 32]).await.unwrap();
        if state != ClaimState::Claimed {
            return Ok(format!("{state:?}"));
        }
        let response = self.act(&self.engine.clone(), &RequestContext::new(actor).with_claim(Some(claim)), &step.act).await;
        match &response {
            // One response is lost, but the row that it was about can still be named.
            Ok(_) if key == 0 => {}
            Ok(text) => self.engine.save_response(&claim, &SavedResponse(text.clone().into_bytes())).await.unwrap(),
            Err(_) => self.engine.release_claim(&claim).await.unwrap(),
        }
        response
    }

    async fn act(&mut self, engine: &LeaseEngine, by: &RequestContext, act: &Act) -> Answer {
        match act {
            Act::Register(body) => {
                let registered = engine.register(nobody(by), &draft(body)).await;
                self.tokens.extend(registered.iter().map(|new| new.token.clone()));
                say(registered)
            }
            Act::Login(body) => {
                let logged_in = engine.login(nobody(by), &draft(body)).await;
                self.tokens.extend(logged_in.iter().map(|new| new.token.clone()));
                say(logged_in)
            }
            Act::Authenticate(row) => say(engine.authenticate(&self.token(*row)).await),
            Act::Logout(row) => match engine.authenticate(&self.token(*row)).await {
                Ok(session) => say(engine.logout(RequestContext::new(session.actor).with_claim(by.claim), &session.token).await),
                refused => say(refused),
            },
            Act::LogoutEverywhere => say(engine.logout_everywhere(by).await),
            Act::CreateToken(row, body) => {
                let in_use = self.token(*row);
                let actor = engine.authenticate(&in_use).await.map_or(Actor::Anonymous, |session| session.actor);
                let context = RequestContext::new(actor).with_claim(by.claim);
                let created = engine.create_token(context, in_use.hash(), &draft(body)).await;
                self.tokens.extend(created.iter().map(|new| new.text.clone()));
                say(created)
            }
            Act::RevokeToken(token) => say(engine.revoke_token(by, id(*token)).await),
            Act::ListTokens(limit) => say(engine.list_tokens(&by.actor, PageRequest::new(*limit, None).unwrap()).await),
            Act::Create(table, body) => create(engine, by, *table, body).await,
            Act::Get(table, row) => get(engine, &by.actor, *table, self.row(*table, *row).await).await,
            Act::Update(table, row, body) => update(engine, by, *table, self.row(*table, *row).await, body).await,
            Act::Delete(table, row) => delete(engine, by, *table, self.row(*table, *row).await).await,
            Act::Convert(lead, customer) => {
                let lead = id(self.row(Table::Lead, *lead).await);
                say(engine.convert_lead(by, lead, &draft(&json!({"customer_id": customer}))).await)
            }
            Act::Open(vehicle, service) => {
                let vehicle = self.row(Table::Vehicle, *vehicle).await;
                say(engine.open_trade(by, &draft(&json!({"vehicle_id": vehicle, "service_id": service}))).await)
            }
            Act::Propose(trade, terms) => {
                let trade = self.row(Table::Trade, *trade).await;
                say(engine.propose(by, id(trade), &draft(&self.terms(trade, terms).await)).await)
            }
            Act::Accept(row) => say(engine.accept_proposal(by, id(self.row(Table::Proposal, *row).await)).await),
            Act::Reject(row) => say(engine.reject_proposal(by, id(self.row(Table::Proposal, *row).await)).await),
            Act::Withdraw(row) => say(engine.withdraw_proposal(by, id(self.row(Table::Proposal, *row).await)).await),
            Act::Cancel(row) => {
                let trade = id(self.row(Table::Trade, *row).await);
                say(engine.cancel_trade(by, trade, &draft(&json!({}))).await)
            }
            Act::Rescind(row) => {
                let trade = id(self.row(Table::Trade, *row).await);
                say(engine.cancel_trade(by, trade, &draft(&json!({"reason": "never paid"}))).await)
            }
            Act::End(row, day) => {
                let trade = id(self.row(Table::Trade, *row).await);
                let body = json!({"end_date": start().date_naive() + Days::new(*day), "reason": "returned"});
                say(engine.end_trade(by, trade, &draft(&body)).await)
            }
            Act::Pay(row, card, cents) => self.pay(engine, by, self.row(Table::Invoice, *row).await, *card, *cents).await,
            Act::PlayPayer(row, confirms) => {
                let body = json!({"outcome": if *confirms { "succeed" } else { "fail" }});
                say(engine.act_as_payer(by, self.payment(*row).await, &draft(&body)).await)
            }
            Act::CancelPayment(row) => say(engine.cancel_payment(by, self.payment(*row).await, &no_reason()).await),
            Act::Refund(row, part) => {
                let body = part.map_or_else(|| json!({"reason": "other"}), |part| json!({"reason": "other", "amount": part}));
                say(engine.refund_payment(by, self.payment(*row).await, &draft(&body)).await)
            }
            Act::Void(row) => {
                let invoice = id(self.row(Table::Invoice, *row).await);
                say(engine.void_invoice(by, invoice, &draft(&json!({"reason": "a mistake"}))).await)
            }
            Act::WriteOff(row) => {
                let invoice = id(self.row(Table::Invoice, *row).await);
                say(engine.write_off_invoice(by, invoice, &draft(&json!({"reason": "hopeless"}))).await)
            }
            Act::MoveDueDate(row, day) => {
                let invoice = id(self.row(Table::Invoice, *row).await);
                let body = json!({"due_date": start().date_naive() + Days::new(*day)});
                say(engine.move_due_date(by, invoice, &draft(&body)).await)
            }
            Act::SettlePending => {
                let pending = say(engine.settle_pending(Duration::seconds(-1), 3).await)?;
                say(engine.settle_waiting(3).await).map(|waiting| format!("{pending} {waiting}"))
            }
            Act::PurgeExpired => say(engine.purge_expired().await),
            Act::RecordWhatTimeBrought => {
                let expired = say(engine.expire_proposals(2).await)?;
                say(engine.record_overdue(2).await).map(|overdue| format!("{expired} {overdue}"))
            }
            Act::List(table, conditions, limit) => list(engine, &by.actor, *table, conditions, *limit).await,
            Act::Wait(minutes) => {
                self.clock.advance(Duration::minutes(*minutes));
                Ok(self.clock.now().to_string())
            }
        }
    }

    async fn pay(
        &self,
        engine: &LeaseEngine,
        by: &RequestContext,
        invoice: i64,
        card: Option<i64>,
        cents: Option<u32>,
    ) -> Answer {
        let card = match card {
            Some(card) => card,
            None => self.newest_card(invoice).await,
        };
        let mut body = json!({"credit_card_id": card});
        if let Some(cents) = cents {
            body["amount"] = format!("{}.{:02}", cents / 100, cents % 100).into();
        }
        say(engine.pay_invoice(by, id(invoice), &draft(&body)).await)
    }

    async fn actor(&self, step: &Step) -> Actor {
        let user = match step.who {
            Who::Anonymous => return Actor::Anonymous,
            Who::User(number) => number,
            Who::Owner => self.owner(&step.act).await.unwrap_or(SOMEBODY),
        };
        match self.store.load_account(id(user)).await.unwrap() {
            Some(found) if found.account.user.is_active => Actor::of(&found.account),
            _ => Actor::Anonymous,
        }
    }

    /// The newest card of the billed customer.
    async fn newest_card(&self, invoice: i64) -> i64 {
        let billed = self.load(TradeKey::Invoice(id(invoice))).await.and_then(|snapshot| snapshot.invoice);
        let filter = CardFilter { customer_id: billed.map(|invoice| invoice.customer_id), ..CardFilter::default() };
        newest(self.store.list_cards(&filter, PageRequest::new(1, None).unwrap()).await)
    }

    /// The user who has the right: an administrator, or the user of the customer who owns the row.
    async fn owner(&self, act: &Act) -> Option<i64> {
        let customer: CustomerId = match *act {
            Act::Create(Table::User, _) | Act::Update(Table::User, ..) | Act::Delete(Table::User, _) => return Some(ROOT),
            Act::Create(Table::Lead | Table::Service, _)
            | Act::Update(Table::Lead | Table::Service, ..)
            | Act::Delete(Table::Lead | Table::Service, _)
            | Act::Convert(..)
            | Act::Rescind(_)
            | Act::End(..)
            | Act::CancelPayment(_)
            | Act::Refund(..)
            | Act::Void(_)
            | Act::WriteOff(_)
            | Act::MoveDueDate(..) => return Some(STAFF),
            Act::Open(row, _) | Act::Update(Table::Vehicle, row, _) | Act::Delete(Table::Vehicle, row) => {
                let vehicle = self.row(Table::Vehicle, row).await;
                self.store.load_vehicle(id(vehicle), None, DateTime::UNIX_EPOCH).await.unwrap()?.vehicle.customer_id
            }
            Act::Propose(row, _) | Act::Cancel(row) | Act::Update(Table::Trade, row, _) => {
                self.load(TradeKey::Trade(id(self.row(Table::Trade, row).await))).await?.trade.customer_id
            }
            Act::Accept(row) | Act::Reject(row) => {
                let snapshot = self.load(TradeKey::Proposal(id(self.row(Table::Proposal, row).await))).await?;
                let owner = snapshot.trade.customer_id;
                // Another customer has to accept the owner's own proposal.
                if snapshot.proposal?.proposal.customer_id == owner { id(owner.get() % 4 + 1) } else { owner }
            }
            Act::Withdraw(row) => {
                let snapshot = self.load(TradeKey::Proposal(id(self.row(Table::Proposal, row).await))).await?;
                snapshot.proposal?.proposal.customer_id
            }
            Act::Pay(row, ..) => {
                self.load(TradeKey::Invoice(id(self.row(Table::Invoice, row).await))).await?.invoice?.customer_id
            }
            Act::PlayPayer(row, _) => {
                self.load(TradeKey::Payment(id(self.row(Table::Payment, row).await))).await?.payment?.0.customer_id
            }
            _ => return None,
        };
        Some(self.store.find_customer(customer).await.unwrap()?.value.user_id.get())
    }

    async fn load(&self, key: TradeKey) -> Option<lease_core::lifecycle::TradeSnapshot> {
        let load = TradeLoad { key, viewer: None, with_pending: true, card: None, now: self.clock.now() };
        Some(self.store.load_trade(&load).await.unwrap()?.value)
    }

    /// Dates if the kind of the service requires them, or, on request, only if it does not.
    async fn terms(&self, trade: i64, terms: &Terms) -> Value {
        let kind = self.load(TradeKey::Trade(id(trade))).await.map(|snapshot| snapshot.service.kind);
        let is_dated = match kind {
            Some(ServiceKind::Lease) => true,
            Some(ServiceKind::Custom) => terms.amount.is_multiple_of(2),
            Some(ServiceKind::Sell) | None => false,
        };
        let (first, days) = terms.days;
        let day = |number| is_dated.ne(&terms.is_odd).then(|| start().date_naive() + Days::new(number));
        let expires_at = terms.expires_in_hours.map(|hours| self.clock.now() + Duration::hours(hours));
        json!({"amount": terms.amount, "start_date": day(first), "end_date": day(first + days), "expires_at": expires_at})
    }

    fn token(&self, row: Row) -> TokenText {
        let back = usize::try_from(row).unwrap();
        self.tokens.iter().rev().nth(back).cloned().unwrap_or_else(|| TokenText::from_random([7; 20]))
    }

    async fn payment(&self, row: Row) -> PaymentId {
        id(self.row(Table::Payment, row).await)
    }

    /// The id of a row by its distance from the newest; an id that no row has if the table is too short.
    async fn row(&self, table: Table, row: Row) -> i64 {
        let one = PageRequest::new(1, None).unwrap();
        let store = &self.store;
        let newest = match table {
            Table::User => {
                let found = store.list_users(&UserFilter::default(), one).await.unwrap().items;
                found.first().map_or(0, |account| account.user.id.get())
            }
            Table::Customer => newest(store.list_customers(&CustomerFilter::default(), one).await),
            Table::Card => newest(store.list_cards(&CardFilter::default(), one).await),
            Table::Contact => newest(store.list_contacts(&ContactFilter::default(), one).await),
            Table::Lead => newest(store.list_leads(&LeadFilter::default(), one).await),
            Table::Vehicle => newest(store.list_vehicles(&VehicleFilter::default(), one).await),
            Table::Service => newest(store.list_services(&ServiceFilter::default(), one).await),
            Table::Trade => newest(
                store.list_trades(&TradeFilter::default(), one, DateTime::UNIX_EPOCH).await.map(|page| page.map(|row| row.trade)),
            ),
            Table::Proposal => newest(
                store
                    .list_proposals(&ProposalFilter::default(), one, start())
                    .await
                    .map(|page| page.map(|row| row.proposal.unwrap().proposal)),
            ),
            Table::Invoice => newest(store.list_invoices(&InvoiceFilter::default(), one, start()).await),
            Table::Payment => newest(store.list_payments(&PaymentFilter::default(), one).await),
            Table::Refund => newest(store.list_refunds(&RefundFilter::default(), one).await),
        };
        newest - row
    }
}

/// The same request from an anonymous caller.
fn nobody(by: &RequestContext) -> RequestContext {
    RequestContext::new(Actor::Anonymous).with_claim(by.claim)
}

async fn create(engine: &LeaseEngine, by: &RequestContext, table: Table, body: &Value) -> Answer {
    match table {
        Table::User => say(engine.create_user(by, &draft(body)).await),
        Table::Card => say(engine.create_card(by, &draft(body)).await),
        Table::Contact => say(engine.create_contact(by, &draft(body)).await),
        Table::Lead => say(engine.create_lead(by, &draft(body)).await),
        Table::Vehicle => say(engine.create_vehicle(by, &draft(body)).await),
        Table::Service => say(engine.create_service(by, &draft(body)).await),
        _ => nothing(),
    }
}

async fn get(engine: &LeaseEngine, actor: &Actor, table: Table, row: i64) -> Answer {
    match table {
        Table::User => say(engine.get_user(actor, id(row)).await),
        Table::Customer => say(engine.get_customer(actor, id(row)).await),
        Table::Card => say(engine.get_card(actor, id(row)).await),
        Table::Contact => say(engine.get_contact(actor, id(row)).await),
        Table::Lead => say(engine.get_lead(actor, id(row)).await),
        Table::Vehicle => say(engine.get_vehicle(actor, id(row)).await),
        Table::Service => say(engine.get_service(actor, id(row)).await),
        Table::Trade => say(engine.get_trade(actor, id(row)).await),
        Table::Proposal => say(engine.get_proposal(actor, id(row)).await),
        Table::Invoice => say(engine.get_invoice(actor, id(row)).await),
        Table::Payment => say(engine.get_payment(actor, id(row)).await),
        Table::Refund => say(engine.get_refund(actor, id(row)).await),
    }
}

async fn update(engine: &LeaseEngine, by: &RequestContext, table: Table, row: i64, body: &Value) -> Answer {
    let part = UpdateMode::Partial;
    match table {
        Table::User => say(engine.update_user(by, id(row), &draft(body), part, None).await),
        Table::Customer => say(engine.update_customer(by, id(row), &draft(body)).await),
        Table::Card => say(engine.update_card(by, id(row), &draft(body), part).await),
        Table::Contact => say(engine.update_contact(by, id(row), &draft(body), part).await),
        Table::Lead => say(engine.update_lead(by, id(row), &draft(body), part).await),
        Table::Vehicle => say(engine.update_vehicle(by, id(row), &draft(body), part).await),
        Table::Service => say(engine.update_service(by, id(row), &draft(body), part).await),
        Table::Trade => say(engine.amend_trade(by, id(row), &draft(body)).await),
        _ => nothing(),
    }
}

async fn delete(engine: &LeaseEngine, by: &RequestContext, table: Table, row: i64) -> Answer {
    match table {
        Table::User => say(engine.deactivate_user(by, id(row)).await),
        Table::Card => say(engine.delete_card(by, id(row)).await),
        Table::Contact => say(engine.delete_contact(by, id(row)).await),
        Table::Lead => say(engine.delete_lead(by, id(row)).await),
        Table::Vehicle => say(engine.delete_vehicle(by, id(row)).await),
        Table::Service => say(engine.deactivate_service(by, id(row)).await),
        _ => nothing(),
    }
}

/// There is no such command.
#[expect(clippy::unnecessary_wraps, reason = "a response is expected here")]
fn nothing() -> Answer {
    Ok(String::new())
}

pub(super) fn say<T: Debug>(response: Result<T, Error>) -> Answer {
    response.map(|value| format!("{value:#?}")).map_err(|error| match &error {
        Error::Invalid(_) | Error::CardDeclined { .. } | Error::RefundFailed(_) => format!("{}: {error:#?}", error.code()),
        _ => error.code().to_owned(),
    })
}

fn start() -> DateTime<Utc> {
    instant("2026-03-02T12:00:00.123456Z")
}

fn no_reason() -> PaymentCancellationDraft {
    PaymentCancellationDraft::default()
}

fn newest<T: Entity>(page: Result<Page<Stored<T>>, RepositoryError>) -> i64 {
    page.unwrap().items.first().map_or(0, |row| row.id.get())
}

/// The sandbox gateway, which sometimes does not respond, either before or after it has done what it was asked, and which refuses
/// some cards.
#[derive(Debug, Default)]
struct MoodyGateway {
    sandbox: SandboxGateway,
    calls: AtomicU64,
}

impl MoodyGateway {
    fn fails(&self, every: u64) -> Result<(), GatewayError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if call.is_multiple_of(every) { Err(GatewayError::new("no response")) } else { Ok(()) }
    }
}

#[async_trait]
impl PaymentGateway for MoodyGateway {
    fn info(&self) -> GatewayInfo {
        self.sandbox.info()
    }

    async fn tokenize(&self, card: &CardDetails) -> Result<Tokenization, GatewayError> {
        if card.number.expose() == REFUSED_CARD {
            return Ok(Tokenization::Refused { failure_code: "incorrect_cvc".to_owned() });
        }
        self.sandbox.tokenize(card).await
    }

    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        self.fails(5)?;
        let outcome = self.sandbox.charge(charge).await?;
        self.fails(3)?;
        Ok(outcome)
    }

    async fn find_charge(&self, charge: &Charge) -> Result<Option<ChargeOutcome>, GatewayError> {
        self.fails(4)?;
        self.sandbox.find_charge(charge).await
    }

    async fn cancel_charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        let outcome = self.sandbox.cancel_charge(charge).await?;
        self.fails(4)?;
        Ok(outcome)
    }

    async fn refund(&self, refund: &RefundRequest) -> Result<RefundOutcome, GatewayError> {
        self.fails(5)?;
        let outcome = self.sandbox.refund(refund).await?;
        self.fails(3)?;
        Ok(outcome)
    }

    async fn find_refund(&self, refund: &RefundRequest) -> Result<Option<RefundOutcome>, GatewayError> {
        self.fails(4)?;
        self.sandbox.find_refund(refund).await
    }

    fn act_as_payer(&self, charge: &Charge, outcome: PayerOutcome) -> Option<ChargeOutcome> {
        self.sandbox.act_as_payer(charge, outcome)
    }
}
