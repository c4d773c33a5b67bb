//! The engine with mocks: conflicts, failures and races that no real store produces on demand.

mod accounts;
mod actor_checks;
mod claims;
mod envelopes;
mod gateway;
mod guard;
mod maintenance;
mod payments;
mod refunds;
mod retrying;
mod subscriptions;
mod test_clock;
mod waiting_payments;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use lease_core::LeaseEngine;
use lease_core::account::PasswordParams;
use lease_core::catalog::VehicleDraft;
use lease_core::clock::ManualClock;
use lease_core::engine::RequestContext;
use lease_core::gateway::{GatewayInfo, MockPaymentGateway, PaymentGateway};
use lease_core::id::{NewIds, Versioned};
use lease_core::lifecycle::{TradeChange, TradeSnapshot};
use lease_core::permission::Actor;
use lease_core::policy::Policy;
use lease_core::random::{Randomness, RandomnessError};
use lease_core::repository::{Change, Claim, Commit, KeyHash, MockRepository, RepositoryError, UnderWay};
use serde_json::json;

use crate::support::*;

/// Returns only zeros, so that tokens and charge keys are known.
#[derive(Debug)]
struct Zeros;

impl Randomness for Zeros {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomnessError> {
        buffer.fill(0);
        Ok(())
    }
}

/// An engine with this store, at [`now`], with cheap password hashes and a gateway that expects no calls.
fn engine(store: MockRepository) -> LeaseEngine {
    engine_with(store, a_gateway())
}

/// A gateway that takes card numbers and expects no other question.
fn a_gateway() -> MockPaymentGateway {
    a_gateway_that(true)
}

fn a_gateway_that(takes_card_numbers: bool) -> MockPaymentGateway {
    let mut gateway = MockPaymentGateway::new();
    gateway.expect_info().returning(move || GatewayInfo {
        kind: "mock",
        publishable_key: None,
        is_sandbox: false,
        takes_card_numbers,
    });
    gateway
}

/// Makes the store know of no declines.
fn never_declined(store: &mut MockRepository) {
    store.expect_declines().returning(|_, _, _| Ok(Vec::new()));
}

/// Makes the store list payment 1 as pending, and no refund.
fn lists_pending(store: &mut MockRepository) {
    store.expect_payments_under_way().returning(|state, _, _, _| {
        assert_eq!(state, UnderWay::Pending);
        Ok(vec![id(1)])
    });
    store.expect_pending_refunds().returning(|_, _, _| Ok(Vec::new()));
}

fn engine_with(store: MockRepository, gateway: impl PaymentGateway) -> LeaseEngine {
    with_policy(store, gateway, Policy::default())
}

fn with_policy(store: MockRepository, gateway: impl PaymentGateway, policy: Policy) -> LeaseEngine {
    let builder = LeaseEngine::builder(Arc::new(store), Arc::new(gateway))
        .policy(policy)
        .clock(Arc::new(ManualClock::at(now())))
        .randomness(Arc::new(Zeros))
        .password_params(PasswordParams { memory_kib: 64, iterations: 1 })
        .hashing_concurrency(NonZeroUsize::MIN);
    builder.build().unwrap()
}

fn unavailable() -> RepositoryError {
    RepositoryError::Unavailable("connection refused by postgres://u:pw@db".into())
}

const CLAIM: Claim = Claim { key: KeyHash([1; 32]), holder: [2; 16] };

/// A command by this actor under [`CLAIM`].
fn claimed(actor: Actor) -> RequestContext {
    RequestContext::new(actor).with_claim(Some(CLAIM))
}

/// Makes the next commits fail with this error.
fn refuse_commits(store: &mut MockRepository, times: usize, error: impl Fn() -> RepositoryError + Send + 'static) {
    store.expect_commit().times(times).returning(move |_| Err(error()));
}

/// A vehicle with [`VIN`].
fn a_vehicle() -> VehicleDraft {
    draft(json!({"vin": VIN, "make": "Skoda", "model": "Octavia", "year": 2020}))
}

/// The change to a trade in this commit.
fn trade_change(commit: &Commit) -> &TradeChange {
    match &commit.change {
        Change::Trade(change) => change,
        other => panic!("a change to a trade was expected, not {other:?}"),
    }
}

/// One stored trade. It handles all loads and commits that a test does not script.
#[derive(Clone, Debug)]
struct Row(Arc<Mutex<Versioned<TradeSnapshot>>>);

impl Row {
    fn new(scene: Scene) -> Self {
        Self(Arc::new(Mutex::new(first(scene.0))))
    }

    fn snapshot(&self) -> TradeSnapshot {
        self.0.lock().unwrap().value.clone()
    }

    /// Makes every load return the present trade.
    fn loads(&self, store: &mut MockRepository) {
        let row = self.clone();
        store.expect_load_trade().returning(move |_| Ok(Some(row.0.lock().unwrap().clone())));
        never_declined(store);
    }

    /// Makes the next commits succeed if their version is that of the row.
    fn commits(&self, store: &mut MockRepository, times: usize) {
        let row = self.clone();
        store.expect_commit().times(times).returning(move |commit| row.commit(commit));
    }

    fn commit(&self, commit: &Commit) -> Result<NewIds, RepositoryError> {
        let TradeChange { expected, changes, .. } = trade_change(commit);
        let mut row = self.0.lock().unwrap();
        if row.version != *expected {
            return Err(RepositoryError::Conflict);
        }
        let ids = NewIds {
            proposal: changes.new_proposal.as_ref().map(|_| id(5)),
            invoice: changes.new_invoice.as_ref().map(|_| id(6)),
            payment: changes.new_payment.as_ref().map(|_| id(7)),
            refund: changes.new_refund.as_ref().map(|_| id(8)),
            ..NewIds::default()
        };
        row.value.apply(changes, ids);
        row.version = expected.next();
        Ok(ids)
    }
}
