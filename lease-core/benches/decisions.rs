//! The cost of each decision, on the snapshot of a busy trade. The target is at most two microseconds for a decision.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark fails by stopping")]

#[path = "../tests/it/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests use all of it")]
mod support;

use std::fmt::Debug;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use lease_core::Error;
use lease_core::account::{Presented, check_update, session};
use lease_core::catalog::{TakenBy, create_vehicle, update_service, update_vehicle};
use lease_core::directory::create_contact;
use lease_core::gateway::ChargeOutcome;
use lease_core::id::NewIds;
use lease_core::input::{NamedIn, UpdateMode};
use lease_core::invoicing::{ServiceFee, begin_payment, settle_payment, void};
use lease_core::lifecycle::{
    CancellationDraft, OpeningSnapshot, accept, amend, cancel, open, proposal_actions, propose, reject, trade_actions, withdraw,
};
use lease_core::model::{PaymentState, Role, ServiceKind};
use lease_core::policy::Policy;
use serde_json::json;
use support::{
    BUYER, OWNER, Scene, VIN, account, account_snapshot, at, card, customer, draft, free, id, key, now, period, staff, stored,
    stored_service, token, vehicle_snapshot,
};

/// Measures a decision that must succeed: one that is refused early would look fast.
fn decide<T: Debug>(criterion: &mut Criterion, name: &str, mut decision: impl FnMut() -> Result<T, Error>) {
    if let Err(error) = decision() {
        panic!("{name}: {error:?}");
    }
    criterion.bench_function(&format!("decide/{name}"), |bencher| bencher.iter(|| black_box(decision())));
}

/// A lease with an invoice, a counter-proposal that is asked about, and one of the asker's own that is pending.
fn busy_lease() -> Scene {
    let mut scene = Scene::lease().proposed_by(BUYER).dated(period(30, 60)).expiring(at(3_600)).billed_to(OWNER);
    scene = scene.with_card(card(OWNER)).viewer_has_pending(OWNER, Some(at(3_600))).viewer_made(7);
    scene
}

fn lifecycle(criterion: &mut Criterion) {
    let (owner, buyer) = (customer(OWNER), customer(BUYER));
    let offer = OpeningSnapshot { vehicle: Some(vehicle_snapshot()), service: Some(stored_service(ServiceKind::Lease)) };
    let opening = draft(json!({"vehicle_id": 1, "service_id": 1, "title": "Octavia, one owner", "description": "As new."}));
    decide(criterion, "open", || open(black_box(&offer), &owner, &opening, None, now()));

    let terms =
        draft(json!({"amount": "250.00", "start_date": "2026-04-01", "end_date": "2027-04-01", "message": "From April on?",
        "expires_at": "2026-03-09T12:00:00Z"}));
    let (empty, busy) = (Scene::lease().0, busy_lease().0);
    let policy = Policy::default();
    let propose = |trade| propose(Some(black_box(trade)), NamedIn::Path, &owner, &terms, &policy, &ServiceFee, now());
    decide(criterion, "propose_first_and_invoice", || propose(&empty));
    decide(criterion, "propose_and_supersede", || propose(&busy));
    decide(criterion, "accept_lease", || accept(black_box(&busy), &owner, &ServiceFee, now()));
    let sale = Scene::sale().proposed_by(OWNER).0;
    decide(criterion, "accept_sale_and_invoice", || accept(black_box(&sale), &buyer, &ServiceFee, now()));
    decide(criterion, "reject", || reject(black_box(&busy), &owner, now()));
    decide(criterion, "withdraw", || withdraw(black_box(&busy), &buyer, now()));
    decide(criterion, "cancel", || cancel(black_box(&busy), &staff(), &CancellationDraft::default(), now()));
    let words = draft(json!({"title": "Octavia, two owners"}));
    decide(criterion, "amend", || amend(black_box(&busy), &owner, &words, None));
    decide(criterion, "trade_actions", || Ok(trade_actions(black_box(&busy), &owner, &policy, now())));
    decide(criterion, "proposal_actions", || Ok(proposal_actions(black_box(&busy), &owner, now())));

    let changes = accept(&sale, &buyer, &ServiceFee, now()).unwrap();
    let ids = NewIds { invoice: Some(id(1)), ..NewIds::default() };
    decide(criterion, "clone_and_apply", || {
        let mut snapshot = black_box(&sale).clone();
        snapshot.apply(&changes, ids);
        Ok(snapshot)
    });
}

fn invoicing(criterion: &mut Criterion) {
    let policy = Policy::default();
    let busy = busy_lease().0;
    let part = draft(json!({"credit_card_id": 1, "amount": "40.00"}));
    decide(criterion, "begin_payment", || {
        begin_payment(Some(black_box(&busy)), NamedIn::Path, &customer(OWNER), &part, &policy, key(), now())
    });
    let sale = Scene::sale().billed_to(OWNER).paid_and_pending("60", "40").agreed().with_payment("40", PaymentState::Pending).0;
    let outcome = ChargeOutcome::Succeeded { reference: "ch_1".into() };
    decide(criterion, "settle_payment_and_complete", || settle_payment(black_box(&sale), &outcome, now()));
    let why = draft(json!({"reason": "A mistake of ours."}));
    decide(criterion, "void", || void(black_box(&busy), &staff(), &why, now()));
}

fn the_rest(criterion: &mut Criterion) {
    let owner = customer(OWNER);
    let vehicle = vehicle_snapshot();
    let new = draft(json!({"vin": VIN, "make": "Skoda", "model": "Octavia", "year": 2020, "mileage": 12_000, "color": "red"}));
    decide(criterion, "create_vehicle", || create_vehicle(&owner, black_box(&new), TakenBy::default(), now()));
    decide(criterion, "update_vehicle", || {
        update_vehicle(black_box(&vehicle), &owner, &new, UpdateMode::Full, TakenBy::default(), now())
    });
    let service = stored_service(ServiceKind::Lease);
    let fee = draft(json!({"amount": "59.00"}));
    decide(criterion, "update_service", || update_service(black_box(&service), &staff(), &fee, UpdateMode::Partial));
    let contact = draft(json!({"label": "home", "name": "Ada", "email": "ada@example.com", "city": "London"}));
    decide(criterion, "create_contact", || create_contact(&owner, black_box(&contact), true, now()));
    let row = account_snapshot(OWNER, Role::Customer);
    let name = draft(json!({"first_name": "Augusta"}));
    decide(criterion, "update_user", || {
        check_update(black_box(&row), &owner, &name, UpdateMode::Partial, &free(), Presented::default(), now())
    });
    let policy = Policy::default();
    let token = stored(1, token(OWNER));
    let found = account(OWNER, Role::Customer);
    decide(criterion, "session", || session(Some((token.clone(), found.clone())), &policy, now()));
}

criterion_group!(benches, lifecycle, invoicing, the_rest);
criterion_main!(benches);
