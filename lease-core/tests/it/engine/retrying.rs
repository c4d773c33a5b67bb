//! Conflicts, guarantees and claims: the engine loads, decides and commits again, a limited number of times.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use lease_core::engine::Precondition;
use lease_core::lifecycle::{CancellationDraft, OpeningSnapshot};
use lease_core::model::{ProposalState, Role, ServiceKind, TradeState};
use lease_core::page::Page;
use lease_core::permission::Actor;
use lease_core::repository::{Guarantee, MockRepository, RepositoryError};
use lease_core::{Error, LeaseEngine};
use serde_json::json;

use super::*;

fn countered() -> Row {
    Row::new(Scene::sale().proposed_by(BUYER))
}

#[tokio::test(start_paused = true)]
async fn after_a_conflict_the_command_is_decided_again() {
    let row = countered();
    let mut store = MockRepository::new();
    row.loads(&mut store);
    refuse_commits(&mut store, 2, || RepositoryError::Conflict);
    row.commits(&mut store, 1);
    let accepted = engine(store).accept_proposal(&customer(OWNER), id(1)).await.unwrap();
    assert_eq!(accepted.stored.state, ProposalState::Accepted { at: now() });
    assert!(matches!(row.snapshot().trade.state, TradeState::Agreed(_)));
}

#[tokio::test(start_paused = true)]
async fn endless_conflicts_end_as_unavailable_after_a_bounded_number_of_attempts() {
    let refusals: [fn() -> RepositoryError; 3] = [
        || RepositoryError::Conflict,
        || RepositoryError::Taken(Guarantee::AcceptedProposal),
        || RepositoryError::Taken(Guarantee::Actor),
    ];
    for refusal in refusals {
        let tries = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&tries);
        let mut store = MockRepository::new();
        countered().loads(&mut store);
        store.expect_load_account().returning(|_| Ok(Some(account_snapshot(OWNER, Role::Customer))));
        store.expect_commit().returning(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Err(refusal())
        });
        assert_eq!(code(engine(store).accept_proposal(&customer(OWNER), id(1)).await), "unavailable");
        assert!((3..=100).contains(&tries.load(Ordering::Relaxed)), "{tries:?} tries");
    }
}

/// The decision, not the retry, takes the earlier change into account.
#[tokio::test(start_paused = true)]
async fn the_loser_of_a_race_gets_the_error_of_the_new_state() {
    let (open, agreed) = (countered(), Row::new(Scene::sale().proposed_by(BUYER).agreed()));
    let mut store = MockRepository::new();
    store.expect_load_trade().times(1).returning(move |_| Ok(Some(first(open.snapshot()))));
    refuse_commits(&mut store, 1, || RepositoryError::Conflict);
    agreed.loads(&mut store);
    assert_eq!(code(engine(store).accept_proposal(&customer(OWNER), id(1)).await), "trade_not_open");
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_not_asked_again() {
    let row = countered();
    let mut store = MockRepository::new();
    row.loads(&mut store);
    refuse_commits(&mut store, 1, unavailable);
    let error = engine(store).accept_proposal(&customer(OWNER), id(1)).await.unwrap_err();
    assert_eq!((error.code(), &*error.to_string()), ("unavailable", "The service is unavailable at the moment."));
}

#[tokio::test]
async fn a_failure_of_the_store_reveals_no_details() {
    let mut store = MockRepository::new();
    store.expect_load_trade().returning(|_| Err(RepositoryError::Internal("relation \"trade\" does not exist".into())));
    let error = engine(store).accept_proposal(&customer(OWNER), id(1)).await.unwrap_err();
    assert_eq!((error.code(), &*error.to_string()), ("internal_error", "An internal error occurred."));
}

/// I7: a refused command is not committed. The mock expects no commit, so one would fail the test.
#[tokio::test]
async fn a_refused_command_is_never_committed() {
    let mut store = MockRepository::new();
    Row::new(Scene::sale().proposed_by(BUYER).expiring(now())).loads(&mut store);
    let engine = engine(store);
    assert_eq!(code(engine.accept_proposal(&customer(OWNER), id(1)).await), "proposal_expired");
    assert_eq!(code(engine.reject_proposal(&customer(OWNER), id(1)).await), "proposal_expired");
    assert_eq!(code(engine.withdraw_proposal(&customer(THIRD), id(1)).await), "not_found");
    assert_eq!(code(engine.cancel_trade(&customer(BUYER), id(1), &CancellationDraft::default()).await), "permission_denied");
    assert_eq!(code(engine.propose(&customer(OWNER), id(1), &draft(json!({}))).await), "validation_error");
}

/// Rule 6.7: the claim is part of the commit; a lost claim ends the command at once.
#[tokio::test]
async fn a_claim_that_was_lost_is_not_tried_again() {
    let row = countered();
    let mut store = MockRepository::new();
    row.loads(&mut store);
    store.expect_commit().times(1).returning(|commit| {
        assert_eq!(commit.envelope.claim, Some(CLAIM));
        Err(RepositoryError::Taken(Guarantee::Claim))
    });
    assert_eq!(code(engine(store).accept_proposal(claimed(customer(OWNER)), id(1)).await), "idempotency_key_in_use");
}

#[tokio::test]
async fn a_command_without_a_claim_commits_without_one() {
    let row = countered();
    let mut store = MockRepository::new();
    row.loads(&mut store);
    let written = row.clone();
    store.expect_commit().times(1).returning(move |commit| {
        assert_eq!((trade_change(commit).id.get(), commit.envelope.claim), (1, None));
        written.commit(commit)
    });
    assert_eq!(code(engine(store).withdraw_proposal(&customer(BUYER), id(1)).await), "ok");
}

/// Rule 4.1: a vehicle has at most one open trade, also if two are opened at once.
#[tokio::test(start_paused = true)]
async fn opening_a_trade_after_another_one_was_opened_is_refused() {
    let offer = |is_live: bool| {
        let mut vehicle = vehicle_snapshot();
        vehicle.value.live_trade = is_live.then(open_trade);
        OpeningSnapshot { vehicle: Some(vehicle), service: Some(stored_service(ServiceKind::Lease)) }
    };
    let mut store = MockRepository::new();
    store.expect_load_opening().times(1).returning(move |_, _, _, _| Ok(offer(false)));
    store.expect_load_opening().times(1).returning(move |_, _, _, _| Ok(offer(true)));
    refuse_commits(&mut store, 1, || RepositoryError::Taken(Guarantee::LiveTradeOfVehicle));
    let draft = draft(json!({"vehicle_id": 1, "service_id": 1}));
    assert_eq!(code(engine(store).open_trade(&customer(OWNER), &draft).await), "vehicle_in_trade");
}

/// Rule 5.1: if several servers start at once, one of them creates the services.
#[tokio::test(start_paused = true)]
async fn services_that_another_server_created_first_are_left_as_they_are() {
    let mut store = MockRepository::new();
    for found in [Vec::new(), vec![stored_service(ServiceKind::Lease).value]] {
        let page = Page { items: found, next: None, previous: None };
        store.expect_list_services().times(1).returning(move |_, _| Ok(page.clone()));
    }
    refuse_commits(&mut store, 1, || RepositoryError::Taken(Guarantee::FirstServices));
    assert!(!engine(store).ensure_standard_services(usd("49"), usd("199")).await.unwrap());
}

/// Rule 6.2: a VIN is unique, also if two vehicles are created at once.
#[tokio::test(start_paused = true)]
async fn a_vin_lost_in_a_race_is_a_wrong_field() {
    let mut store = MockRepository::new();
    store.expect_find_vehicle().times(1).returning(|_| Ok(None));
    store.expect_find_vehicle().times(1).returning(|_| Ok(Some(id(9))));
    refuse_commits(&mut store, 1, || RepositoryError::Taken(Guarantee::VehicleIdentity));
    assert_eq!(wrong_fields(engine(store).create_vehicle(&customer(OWNER), &a_vehicle()).await), ["vin"]);
}

/// Rule 4.1, chapter 2: a visible vehicle of another customer is forbidden, whatever else is missing from the body.
#[tokio::test]
async fn anothers_vehicle_is_forbidden_before_a_missing_service_is_wrong() {
    let mut store = MockRepository::new();
    store.expect_load_opening().returning(|_, _, _, _| {
        let mut vehicle = vehicle_snapshot();
        vehicle.value.live_trade = Some(open_trade());
        Ok(OpeningSnapshot { vehicle: Some(vehicle), service: None })
    });
    store.expect_load_vehicle().returning(|_, _, _| {
        let mut vehicle = vehicle_snapshot();
        vehicle.value.live_trade = Some(open_trade());
        Ok(Some(vehicle))
    });
    let response = engine(store).open_trade(&customer(BUYER), &draft(json!({"vehicle_id": 1}))).await;
    assert_eq!(code(response), "permission_denied");
}

/// Chapter 2: a missing right is reported before the store is asked. The mock expects no call, so one would fail the test.
#[tokio::test]
async fn an_actor_without_the_right_never_reaches_the_store() {
    let engine = engine(MockRepository::new());
    for (actor, expected) in [(Actor::Anonymous, "not_authenticated"), (customer(OWNER), "permission_denied")] {
        assert_eq!(code(engine.create_lead(&actor, &draft(json!({}))).await), expected);
        assert_eq!(code(engine.get_lead(&actor, id(1)).await), expected);
        assert_eq!(code(engine.delete_lead(&actor, id(1)).await), expected);
        assert_eq!(code(engine.create_user(&actor, &draft(json!({}))).await), expected);
        assert_eq!(code(engine.create_service(&actor, &draft(json!({}))).await), expected);
    }
    for (actor, expected) in [(Actor::Anonymous, "not_authenticated"), (staff(), "permission_denied")] {
        assert_eq!(code(engine.open_trade(&actor, &draft(json!({"vehicle_id": 1, "service_id": 1}))).await), expected);
        assert_eq!(code(engine.create_vehicle(&actor, &draft(json!({}))).await), expected);
        assert_eq!(code(engine.create_card(&actor, &draft(json!({}))).await), expected);
        assert_eq!(code(engine.pay_invoice(&actor, id(1), &draft(json!({}))).await), expected);
        assert_eq!(code(engine.create_payment(&actor, &draft(json!({}))).await), expected);
    }
    assert_eq!(code(engine.accept_proposal(&Actor::Anonymous, id(1)).await), "not_authenticated");
    assert_eq!(code(engine.get_trade(&Actor::Anonymous, id(1)).await), "not_authenticated");
    assert_eq!(code(engine.logout_everywhere(&Actor::Anonymous).await), "not_authenticated");
}

/// Rule 2.2: a hidden row that a body names is a wrong field.
#[tokio::test]
async fn a_trade_or_invoice_in_a_body_that_is_not_there_is_a_wrong_field() {
    let mut store = MockRepository::new();
    store.expect_load_trade().returning(|_| Ok(None));
    let engine = engine(store);
    let proposal = draft(json!({"trade_id": 9, "amount": 0}));
    assert_eq!(wrong_fields(engine.create_proposal(&customer(BUYER), &proposal).await), ["amount", "trade_id"]);
    let payment = draft(json!({"invoice_id": 9, "amount": 0}));
    assert_eq!(wrong_fields(engine.create_payment(&customer(BUYER), &payment).await), ["amount", "credit_card_id", "invoice_id"]);
    assert_eq!(code(engine.get_trade(&customer(BUYER), id(9)).await), "not_found");
}

/// Without randomness, every command that needs it fails.
#[tokio::test]
async fn without_randomness_a_command_is_an_internal_error() {
    #[derive(Debug)]
    struct NoRandomness;
    impl Randomness for NoRandomness {
        fn fill(&self, _: &mut [u8]) -> Result<(), RandomnessError> {
            Err(RandomnessError)
        }
    }
    let builder = LeaseEngine::builder(Arc::new(MockRepository::new()), Arc::new(a_gateway())).randomness(Arc::new(NoRandomness));
    let engine = builder.password_params(PasswordParams { memory_kib: 64, iterations: 1 }).build().unwrap();
    let response = engine.pay_invoice(&customer(OWNER), id(1), &draft(json!({"credit_card_id": 1}))).await;
    assert!(matches!(response, Err(Error::Internal(_))), "{response:?}");
}

/// Rule 6.9: what the client has seen is compared at each attempt, and nothing is written once it is gone.
#[tokio::test(start_paused = true)]
async fn a_precondition_is_asked_at_each_attempt() {
    for (holds, commits, expected) in [(3, 3, "ok"), (2, 2, "precondition_failed"), (0, 0, "precondition_failed")] {
        let row = countered();
        let mut store = MockRepository::new();
        row.loads(&mut store);
        refuse_commits(&mut store, commits.min(2), || RepositoryError::Conflict);
        row.commits(&mut store, usize::from(expected == "ok"));
        let asked = Arc::new(AtomicU32::new(0));
        let precondition = Precondition::new({
            let asked = Arc::clone(&asked);
            move || {
                let holds = asked.fetch_add(1, Ordering::Relaxed) < holds;
                async move { Ok(holds) }
            }
        });
        let context = RequestContext::new(customer(OWNER)).with_precondition(Some(precondition));
        assert_eq!(code(engine(store).accept_proposal(context, id(1)).await), expected);
        assert_eq!(asked.load(Ordering::Relaxed), 3.min(holds + 1));
    }
}
