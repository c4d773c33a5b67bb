//! A client that hangs up in the middle of a command, at each of its awaits. Either all of the command is written or nothing, and
//! the connection can be used as before.
//!
//! If a future that has begun a transaction of `sqlx` is dropped, its connection can remain inside the transaction (sqlx 0.9.0). So
//! the store uses none of them. A commit is one statement; where it is a transaction, because of a pooler or a hook, the store's
//! own connection rolls back when it is dropped.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use lease_core::LeaseEngine;
use lease_core::account::{PasswordParams, Token, TokenHash};
use lease_core::clock::ManualClock;
use lease_core::engine::RequestContext;
use lease_core::gateway::SandboxGateway;
use lease_core::id::Stored;
use lease_core::input::UpdateMode;
use lease_core::permission::Actor;
use lease_core::repository::{Claim, ClaimState, IdempotencyRepository as _, KeyHash, NewClaim, SavedResponse};
use lease_store_postgres::{Pooler, PostgresOptions, PostgresRepository};
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor as _};

use crate::engine::{Numbers, draft, id, instant};
use crate::hooks::{JOURNAL, Journal};
use crate::query_plans::{AS_IF_LARGE, assert_rows_are_found_by_an_index};
use crate::support::activity::Activity;
use crate::support::{TestDatabase, WORLD, options};

/// Rows that the commands need besides the prepared world.
const MORE: &str = "insert into tokens (hash, user_id, name, epoch, created_at, expires_at)
    values (decode(repeat('07', 32), 'hex'), 1, 'machine', 0, '2026-01-01', '2026-01-09'), (decode(repeat('08', 32), 'hex'), 1, '', 0, '2026-01-01', '2026-01-01');
    insert into contacts (lead_id, label, name, email, phone, address_line1, address_line2, city, state, postal_code,
        country, created_at) values (1, '', 'Lea', 'lea@example.com', '', '', '', '', '', '', '', '2026-01-01');
    insert into services (name, kind, invoice_on, bill_to, fee_amount, fee_currency, payment_due_days, description, is_active,
        is_used) values ('Free', 'sell', 'acceptance', 'owner', 0, 'USD', 14, '', true, true);
    insert into vehicles (customer_id, vin, make, model, year, color, license_plate, description, created_at, make_key,
        model_key, search_text) values
        (1, 'WVWZZZ1JZXW000002', 'VW', 'Golf', 1999, '', '', '', '2026-01-01', 'vw', 'golf', ''),
        (1, 'WVWZZZ1JZXW000003', 'VW', 'Golf', 1999, '', '', '', '2026-01-01', 'vw', 'golf', '');
    -- Trade 3 is a lease without a proposal; trade 4 is a sale without a fee, with one.
    insert into trades (vehicle_id, vehicle_make, vehicle_model, vehicle_year, offered_make, offered_model, offered_color, offered_license_plate, offered_description, service_id, service_kind, customer_id, title,
        description, status, created_at, search_text) values
        (4, 'vw', 'golf', 1999, '', '', '', '', '', 1, 'lease', 1, '', '', 'open', '2026-01-01', ''),
        (5, 'vw', 'golf', 1999, '', '', '', '', '', 3, 'sell', 1, '', '', 'open', '2026-01-01', '');
    insert into trade_parties (customer_id, trade_id) values (1, 3), (1, 4);
    insert into proposals (trade_id, trade_owner_id, customer_id, amount, currency, message, status, created_at, is_public)
        values (4, 1, 1, 300, 'USD', '', 'pending', '2026-01-01', true);";

/// The claim under which each command is run.
const CLAIM: Claim = Claim { key: KeyHash([1; 32]), holder: [7; 16] };

/// A token that belongs to [`owner`].
const TOKEN: TokenHash = TokenHash([7; 32]);

/// The token as it is stored.
fn token() -> Stored<Token> {
    let (created_at, expires_at) = (instant("2026-01-01T00:00:00Z"), instant("2026-01-09T00:00:00Z"));
    let value = Token { hash: TOKEN, user_id: id(1), name: "machine".into(), epoch: 0, created_at, expires_at };
    Stored { id: id(1), value }
}

/// The context of this actor under the claim.
fn by(actor: Actor) -> RequestContext {
    RequestContext::new(actor).with_claim(Some(CLAIM))
}

/// Declares a test for each command.
macro_rules! all_or_nothing {
    ($($name:ident: |$engine:ident| $command:expr;)+) => {$(
        #[tokio::test]
        async fn $name() {
            cut_at_every_await(options(), None, |$engine| async move { $command.await.unwrap(); }).await;
        }
    )+};
}

// Accounts and cards.
all_or_nothing! {
    registering: |engine| engine.register(by(Actor::Anonymous), &draft(&person("ada")));
    making_a_user: |engine| engine.create_user(by(root()), &draft(&person("ada")));
    changing_a_user: |engine| engine.update_user(by(owner()), id(1), &draft(&json!({"email": "new@example.com",
        "password": "amber-meadow-17"})), UpdateMode::Partial, Some(TOKEN));
    making_staff_a_customer: |engine| engine.update_user(by(root()), id(3), &draft(&json!({"is_staff": false})),
        UpdateMode::Partial, None);
    deactivating_a_user: |engine| engine.deactivate_user(by(staff()), id(2));
    making_a_token: |engine| engine.repeat_registration(id(1));
    logging_out: |engine| engine.logout(by(owner()), &token());
    creating_a_token: |engine| engine.create_token(by(owner()), TOKEN, &draft(&json!({"name": "Backup"})));
    revoking_a_token: |engine| engine.revoke_token(by(owner()), id(1));
    logging_out_everywhere: |engine| engine.logout_everywhere(by(owner()));
    forgetting_what_expired: |engine| engine.purge_expired();
    changing_a_profile: |engine| engine.update_customer(by(owner()), id(1), &draft(&json!({"job": "Pilot"})));
    storing_a_card: |engine| engine.create_card(by(owner()), &draft(&json!({"number": "4242424242424242", "exp_month": 12,
        "exp_year": 2099, "holder_name": "Ada", "is_default": true})));
    making_a_card_the_default: |engine| engine.update_card(by(owner()), id(2), &draft(&json!({"is_default": true})),
        UpdateMode::Partial);
    deleting_the_default_card: |engine| engine.delete_card(by(owner()), id(1));
}

// The directory, vehicles and services.
all_or_nothing! {
    making_a_contact: |engine| engine.create_contact(by(owner()), &draft(&json!({"email": "ada@example.com"})));
    changing_a_contact: |engine| engine.update_contact(by(staff()), id(1), &draft(&json!({"name": "Ada"})), UpdateMode::Partial);
    deleting_a_contact: |engine| engine.delete_contact(by(staff()), id(1));
    making_a_lead: |engine| engine.create_lead(by(staff()), &draft(&json!({"first_name": "Ada"})));
    changing_a_lead: |engine| engine.update_lead(by(staff()), id(1), &draft(&json!({"status": "lost"})), UpdateMode::Partial);
    converting_a_lead: |engine| engine.convert_lead(by(staff()), id(1), &draft(&json!({"customer_id": 1})));
    deleting_a_lead: |engine| engine.delete_lead(by(staff()), id(1));
    making_a_vehicle: |engine| engine.create_vehicle(by(owner()), &draft(&json!({"vin": "1HGCM82633A000001", "make": "Honda",
        "model": "Accord", "year": 2020})));
    changing_a_vehicle: |engine| engine.update_vehicle(by(owner()), id(3), &draft(&json!({"make": "Audi"})), UpdateMode::Partial);
    deleting_a_vehicle: |engine| engine.delete_vehicle(by(owner()), id(3));
    making_a_service: |engine| engine.create_service(by(staff()), &draft(&json!({"name": "Sell", "kind": "sell",
        "amount": "1", "currency": "USD"})));
    changing_a_service: |engine| engine.update_service(by(staff()), id(1), &draft(&json!({"amount": "51"})), UpdateMode::Partial);
}

// Trades.
all_or_nothing! {
    opening_a_trade: |engine| engine.open_trade(by(owner()), &draft(&json!({"vehicle_id": 3, "service_id": 2})));
    amending_a_trade: |engine| engine.amend_trade(by(owner()), id(1), &draft(&json!({"title": "As new"})));
    proposing_anew: |engine| engine.propose(by(buyer()), id(1), &draft(&json!({"amount": "275", "start_date": "2026-02-01",
        "end_date": "2026-03-01"})));
    proposing_first_and_so_being_billed: |engine| engine.propose(by(owner()), id(3), &draft(&json!({"amount": "275",
        "start_date": "2026-02-01", "end_date": "2026-03-01"})));
    accepting: |engine| engine.accept_proposal(by(buyer()), id(1));
    accepting_and_so_buying: |engine| engine.accept_proposal(by(buyer()), id(5));
    rejecting: |engine| engine.reject_proposal(by(owner()), id(2));
    withdrawing: |engine| engine.withdraw_proposal(by(buyer()), id(2));
    cancelling: |engine| engine.cancel_trade(by(owner()), id(1), &draft(&json!({"reason": "sold"})));
    cancelling_what_was_agreed: |engine| engine.cancel_trade(by(staff()), id(2), &draft(&json!({"reason": "never paid"})));
    ending_days_early: |engine| engine.end_trade(by(staff()), id(2), &draft(&json!({"end_date": "2026-03-01", "reason": "returned"})));
    moving_a_due_date: |engine| engine.move_due_date(by(staff()), id(1), &draft(&json!({"due_date": "2026-03-01"})));
    writing_off_and_so_completing: |engine| engine.write_off_invoice(by(staff()), id(1), &draft(&json!({"reason": "hopeless"})));
    voiding_and_so_completing: |engine| engine.void_invoice(by(staff()), id(1), &draft(&json!({"reason": "a mistake"})));
}

/// Behind a pooler, a statement is a transaction of three.
#[tokio::test]
async fn accepting_behind_a_pooler() {
    cut_at_every_await(options().with_pooler(Pooler::Transaction), None, |engine| async move {
        engine.accept_proposal(by(buyer()), id(1)).await.unwrap();
    })
    .await;
}

// Idempotency records.
all_or_nothing! {
    claiming_a_key: |engine| engine.claim(KeyHash([2; 32]), [2; 32]);
    saving_an_answer: |engine| engine.save_response(&CLAIM, &SavedResponse(vec![1, 2, 3]));
    releasing_a_key: |engine| engine.release_claim(&CLAIM);
}

/// The lead, and the row that an application writes for it.
#[tokio::test]
async fn making_a_lead_with_a_hook() {
    let command = |engine: LeaseEngine| async move {
        engine.create_lead(by(staff()), &draft(&json!({"first_name": "Ada"}))).await.unwrap();
    };
    cut_at_every_await(options(), Some(Arc::new(Journal::default())), command).await;
}

/// Runs the command once to see its effect, and then again and again, dropped one await later each time.
async fn cut_at_every_await<F: Future<Output = ()>>(
    options: PostgresOptions,
    hook: Option<Arc<Journal>>,
    command: impl Fn(LeaseEngine) -> F,
) {
    let hooked = |store: PostgresRepository| match &hook {
        Some(hook) => store.with_commit_hook(Arc::clone(hook) as _),
        None => store,
    };
    let keeps_statements = options.pooler == Pooler::None;
    // One connection, so that the next statement uses that of the interrupted one. It has yet to connect.
    let options = options.with_max_connections(1);
    let one_connection =
        |database: &TestDatabase| hooked(PostgresRepository::connect_lazy(&database.url(), options.clone()).unwrap());
    let database = world().await;
    let store = one_connection(&database);
    let before = picture(&database).await;
    store.connection().await.unwrap().execute(AS_IF_LARGE).await.unwrap();
    command(engine(&store)).await;
    if keeps_statements {
        assert_rows_are_found_by_an_index(&store).await;
    }
    let whole = picture(&database).await;
    assert_ne!(whole, before, "the command changes something");
    store.close().await;
    database.drop().await;

    let mut database = world().await;
    let (mut polls, mut unconnected, mut running, mut rounds) = (0, 0, 0, 1);
    loop {
        polls += 1;
        // A new pool each time, so that the awaits of connecting are included.
        let store = one_connection(&database);
        let completed = cut(command(engine(&store)), polls).await.is_some();
        let count = store.connection_count();
        if !completed {
            unconnected += usize::from(count.open == 0);
            running += count.open - count.idle;
        }
        assert_clean(&store, &database).await;
        let left = picture(&database).await;
        store.close().await;
        assert!(left == before || left == whole, "the command is half written");
        assert!(left == whole || !completed, "the command was answered but nothing is written");
        // A transaction that was rolled back may have used up ids.
        if left == whole || hook.is_some() || !keeps_statements {
            database.drop().await;
            database = world().await;
        }
        if completed && unconnected > 0 && running > 0 {
            break;
        }
        // Responses that were there at once left nothing to interrupt, so the command runs once more.
        if completed {
            assert!(rounds < 20, "interrupted {unconnected} times without a connection and {running} times on one");
            (polls, rounds) = (0, rounds + 1);
        }
    }
    database.drop().await;
}

/// Polls `future` at most `polls` times, then drops it, as a server does when the client hangs up.
async fn cut<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

async fn world() -> TestDatabase {
    let database = TestDatabase::create().await;
    let mut connection = database.connection().await;
    connection.execute(WORLD).await.unwrap();
    connection.execute(MORE).await.unwrap();
    connection.execute(JOURNAL).await.unwrap();
    let store = database.connect().await;
    let now = instant("2026-01-03T00:00:00Z");
    let new = NewClaim { claim: CLAIM, fingerprint: [1; 32], held_until: now, expires_at: now + chrono::Days::new(1) };
    assert_eq!(store.claim(&new, now - chrono::Days::new(1)).await.unwrap(), ClaimState::Claimed);
    store.close().await;
    database
}

/// Returns the same values each time.
fn engine(store: &PostgresRepository) -> LeaseEngine {
    LeaseEngine::builder(Arc::new(store.clone()), Arc::new(SandboxGateway::new()))
        .clock(Arc::new(ManualClock::at(instant("2026-01-03T00:00:00Z"))))
        .randomness(Arc::new(Numbers::default()))
        .password_params(PasswordParams { memory_kib: 8, iterations: 1 })
        .build()
        .unwrap()
}

/// All rows of the database, except for the salted hashes of passwords.
async fn picture(database: &TestDatabase) -> Vec<String> {
    let mut connection = database.connection().await;
    let tables = "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1";
    let tables = sqlx::query_scalar::<_, String>(tables).fetch_all(&mut connection).await.unwrap();
    let mut picture = Vec::new();
    for table in tables {
        let rows = format!("select '{table} ' || (to_jsonb(t) - 'password_hash')::text from {table} t order by 1");
        picture.extend(sqlx::query_scalar::<_, String>(AssertSqlSafe(rows)).fetch_all(&mut connection).await.unwrap());
    }
    picture
}

/// Checks from another connection that the store has the one connection that it may have, outside any transaction.
async fn assert_clean(store: &PostgresRepository, database: &TestDatabase) {
    store.clock().await.unwrap();
    let mut watcher = database.connection().await;
    // Postgres may not have noticed yet that another one was given up while it was made.
    Activity::until(&mut watcher, |now| now.open == 1).await;
    assert_eq!(Activity::now(&mut watcher).await.abandoned, 0, "the connection is still in a transaction");
}

fn person(name: &str) -> serde_json::Value {
    json!({"username": name, "email": format!("{name}@example.com"), "first_name": "Ada", "last_name": "Byron",
        "password": "violet-harbor-93", "password2": "violet-harbor-93"})
}

fn owner() -> Actor {
    Actor::Customer { user: id(1), customer: id(1) }
}

fn buyer() -> Actor {
    Actor::Customer { user: id(2), customer: id(2) }
}

fn staff() -> Actor {
    Actor::Staff { user: id(3) }
}

fn root() -> Actor {
    Actor::Superuser { user: id(4) }
}
