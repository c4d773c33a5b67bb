//! A client that hangs up in the middle of a write, at each of its awaits: all of it is there or nothing, and the
//! connection is as good as new.

use std::pin::pin;
use std::task::Poll;

use chrono::{DateTime, TimeZone as _, Utc};
use lease_core::account::{PasswordHash, TokenHash};
use lease_core::id::{CustomerId, ProposalId, TradeId, Version};
use lease_core::lifecycle::{NewInvoice, TradeChanges};
use lease_core::model::{Email, Profile, Proposal, ProposalState, Role, User, Username};
use lease_core::money::{Currency, Money};
use lease_core::repository::{
    AccountRepository as _, Claim, ClaimState, IdempotencyRepository as _, KeyHash, NewClaim, NewUser, Repository as _,
    RepositoryError, TradeRepository as _,
};
use lease_store_postgres::{PostgresOptions, PostgresRepository};
use sqlx::Executor as _;

use crate::support::{TestDatabase, WORLD};

/// Polls `future` at most `polls` times, then drops it: what a server does where the client hangs up.
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

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 3, 0, 0, 0).unwrap()
}

/// A store with one connection, so that the next statement runs on the one that was hung up on.
async fn one_connection(database: &TestDatabase) -> PostgresRepository {
    let options = PostgresOptions::default().with_max_connections(1);
    PostgresRepository::connect(&database.url(), options).await.unwrap()
}

/// No transaction was left open on the connection, as another one sees it.
async fn assert_clean(store: &PostgresRepository, database: &TestDatabase) {
    store.ping().await.unwrap();
    let mut watcher = database.connection().await;
    let open = sqlx::query_scalar::<_, i64>(
        "select count(*) from pg_stat_activity \
         where datname = current_database() and pid <> pg_backend_pid() and state like 'idle in transaction%'",
    );
    assert_eq!(open.fetch_one(&mut watcher).await.unwrap(), 0, "the connection is still in a transaction");
}

async fn count(store: &PostgresRepository, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(store.pool()).await.unwrap()
}

fn new_user(number: usize) -> NewUser {
    let user = User {
        username: Username::parse(&format!("user{number}")).unwrap(),
        email: Email::parse(&format!("user{number}@example.com")).unwrap(),
        first_name: String::new(),
        last_name: String::new(),
        password: PasswordHash::from_phc("hash".to_owned()),
        is_active: true,
        role: Role::Customer,
        date_joined: now(),
        last_login: None,
        token_epoch: 0,
    };
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&(number as u64).to_be_bytes());
    NewUser { user, profile: Some(Profile::default()), token: Some((TokenHash(hash), now())) }
}

fn claim(number: usize) -> Claim {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&(number as u64).to_be_bytes());
    Claim { key: KeyHash(key), holder: [7; 16] }
}

#[tokio::test]
async fn registering_is_all_or_nothing_at_every_await() {
    let database = TestDatabase::create().await;
    let mut completed = false;
    let mut polls = 1;
    while !completed {
        // A new pool each time, so that connecting's awaits are among them.
        let store = one_connection(&database).await;
        let claim = claim(polls);
        let new = NewClaim { claim, fingerprint: [1; 32], held_until: now(), expires_at: now() + chrono::Days::new(1) };
        assert_eq!(store.claim(&new, now() - chrono::Days::new(1)).await.unwrap(), ClaimState::Claimed);
        completed = cut(store.create_account(&new_user(polls), Some(claim)), polls).await.is_some();
        assert_clean(&store, &database).await;
        let users = count(&store, "select count(*) from users").await;
        assert_eq!(count(&store, "select count(*) from login_names").await, users * 2);
        assert_eq!(count(&store, "select count(*) from customers").await, users);
        assert_eq!(count(&store, "select count(*) from tokens").await, users);
        assert_eq!(count(&store, "select count(*) from idempotency_records where has_effect").await, users);
        // The connection still serves: the same act, not done before, can be done now.
        match store.create_account(&new_user(polls), Some(claim)).await {
            Ok(_) => assert!(!completed),
            Err(RepositoryError::Taken(_)) => {}
            Err(error) => panic!("{error}"),
        }
        store.pool().close().await;
        polls += 1;
    }
    assert!(polls > 2, "nothing was cut");
    database.drop().await;
}

fn counter_proposal() -> TradeChanges {
    let trade_id = TradeId::new(1).unwrap();
    let proposal = Proposal {
        trade_id,
        customer_id: CustomerId::new(2).unwrap(),
        amount: Money::parse("275", Currency::USD).unwrap(),
        period: None,
        message: String::new(),
        expires_at: None,
        created_at: now(),
        state: ProposalState::Pending,
    };
    let invoice = NewInvoice {
        proposal_id: None,
        customer_id: CustomerId::new(1).unwrap(),
        amount: Money::parse("50", Currency::USD).unwrap(),
        issued_at: now(),
        due_date: now().date_naive(),
    };
    TradeChanges {
        decided: Some((ProposalId::new(2).unwrap(), ProposalState::Superseded { at: now() })),
        new_proposal: Some(proposal),
        new_invoice: Some(invoice),
        ..TradeChanges::default()
    }
}

#[tokio::test]
async fn proposing_is_all_or_nothing_at_every_await() {
    let changes = counter_proposal();
    let mut completed = false;
    let mut polls = 1;
    while !completed {
        let database = TestDatabase::create().await;
        database.connection().await.execute(WORLD).await.unwrap();
        let store = one_connection(&database).await;
        let commit = store.commit_trade(TradeId::new(1).unwrap(), Version::FIRST, &changes, None);
        completed = cut(commit, polls).await.is_some();
        assert_clean(&store, &database).await;
        let moved = count(&store, "select version - 1 from trades where id = 1").await;
        assert!(moved == 0 || moved == 1);
        assert!(moved == 1 || !completed);
        assert_eq!(count(&store, "select count(*) from proposals where id = 2 and status = 'superseded'").await, moved);
        assert_eq!(count(&store, "select count(*) from proposals where id > 4").await, moved);
        assert_eq!(count(&store, "select count(*) from invoices where trade_id = 1").await, moved);
        store.pool().close().await;
        database.drop().await;
        polls += 1;
    }
    assert!(polls > 2, "nothing was cut");
}
