//! The same sequence of commands gets the same responses from the memory store and from Postgres: values with their ids, errors
//! with their fields, lists with their pages. The memory store is the model: it is small, and passes the same conformance suite.
//!
//! `PROPTEST_CASES` sets the number of sequences; `PROPTEST_RNG_SEED` repeats those of a run that failed.

mod backend;
mod lists;
mod step;

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use lease_store_memory::MemoryRepository;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{RngSeed, TestRunner};
use serde_json::json;

use crate::support::TestDatabase;
use backend::{Answer, Backend};
use step::{Act, Step, Table, Who, steps};

/// The default number of sequences in a run.
const CASES: u32 = 10;

#[test]
fn memory_and_postgres_give_the_same_results() {
    let mut config = ProptestConfig { max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().hash_one(CASES),
    };
    config.rng_seed = RngSeed::Fixed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = TestRunner::new(config).run(&steps(40..90), |steps| runtime.block_on(assert_same_results(&steps)));
    if let Err(failure) = outcome {
        panic!("{failure}\nPROPTEST_RNG_SEED={seed} runs it again");
    }
}

async fn assert_same_results(steps: &[Step]) -> Result<(), TestCaseError> {
    let database = TestDatabase::create().await;
    let store = database.connect().await;
    let mut memory = Backend::on(Arc::new(MemoryRepository::default()));
    let mut postgres = Backend::on(Arc::new(store.clone()));
    let outcome = compare(&mut memory, &mut postgres, steps).await;
    store.close().await;
    database.drop().await;
    outcome
}

async fn compare(memory: &mut Backend, postgres: &mut Backend, steps: &[Step]) -> Result<(), TestCaseError> {
    memory.set_up().await;
    postgres.set_up().await;
    for (number, step) in prelude().iter().chain(steps).enumerate() {
        let (expected, response) = (memory.run(step).await, postgres.run(step).await);
        prop_assert_eq!(response, expected, "step {}: {:?}", number, step);
    }
    let books = postgres.books().await;
    prop_assert_eq!(books.violations(), Vec::<String>::new());
    prop_assert_eq!(books, memory.books().await);
    Ok(())
}

/// Creates staff, four customers with a vehicle and a card each, and services other than the standard ones.
fn prelude() -> Vec<Step> {
    let by = |user, act| Step { who: Who::User(user), key: None, act };
    let person = |name: &str| {
        json!({"username": name, "email": format!("{name}@example.com"), "first_name": "Ada", "last_name": "Byron",
            "password": "violet-harbor-93", "password2": "violet-harbor-93"})
    };
    let custom = |on: &str, to: &str| json!({"name": "Custom", "kind": "custom", "invoice_on": on, "bill_to": to, "amount": "75", "currency": "USD"});
    let mut staff = person("staff");
    staff["is_staff"] = true.into();
    let mut steps = vec![
        by(1, Act::Create(Table::User, staff)),
        by(2, Act::Create(Table::Service, custom("first_proposal", "owner"))),
        by(2, Act::Create(Table::Service, custom("acceptance", "counterparty"))),
        by(2, Act::Create(Table::Service, json!({"name": "Free", "kind": "lease", "amount": "0", "currency": "USD"}))),
        by(2, Act::Create(Table::Lead, json!({"first_name": "Grace"}))),
        by(2, Act::Create(Table::Contact, json!({"lead_id": 1, "email": "grace@example.com"}))),
    ];
    // The card of the third one asks its payer, and what that of the fourth one paid is not refunded.
    let cards = ["4242424242424242", "4242424242424242", "4000002500003155", "4000000000005126"];
    for (number, card) in (0..).zip(cards) {
        let user = number + 3;
        steps.push(by(0, Act::Register(person(&format!("ada{number}")))));
        let vehicle = json!({"vin": format!("1HGCM82633A9{number:05}"), "make": "Honda", "model": "Accord", "year": 2020});
        steps.push(by(user, Act::Create(Table::Vehicle, vehicle)));
        let card = json!({"number": card, "exp_month": 12, "exp_year": 2099, "holder_name": "Ada"});
        steps.push(by(user, Act::Create(Table::Card, card)));
    }
    steps
}

/// The sequences are useful only if they meet many different refusals.
#[test]
fn the_sequences_meet_many_refusals() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::deterministic();
    let mut codes = BTreeMap::<String, usize>::new();
    for _ in 0..160 {
        let mut backend = Backend::on(Arc::new(MemoryRepository::default()));
        runtime.block_on(async {
            backend.set_up().await;
            for step in prelude() {
                assert!(backend.run(&step).await.is_ok(), "{step:?}");
            }
            for step in steps(150..151).new_tree(&mut runner).unwrap().current() {
                *codes.entry(code(&backend.run(&step).await)).or_default() += 1;
            }
        });
    }
    let met = [
        "ok",
        "card_declined",
        "customer_in_use",
        "invalid_credentials",
        "invoice_has_payments",
        "invoice_not_open",
        "lead_converted",
        "not_authenticated",
        "not_found",
        "owner_proposal_required",
        "payment_not_refundable",
        "payment_pending",
        "payment_refunded",
        "payment_settled",
        "permission_denied",
        "proposal_expired",
        "proposal_not_pending",
        "refund_failed",
        "service_in_use",
        "trade_not_open",
        "validation_error",
        "vehicle_in_trade",
        "vehicle_in_use",
    ];
    let missed: Vec<_> = met.iter().filter(|code| !codes.contains_key(**code)).collect();
    assert!(missed.is_empty(), "{missed:?} were never met: {codes:?}");
}

fn code(response: &Answer) -> String {
    match response {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.split(':').next().unwrap_or_default().to_owned(),
    }
}
