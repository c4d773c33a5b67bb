//! Rules of an app's own, as the engine asks for them (rule 4.15).

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Utc};
use lease_core::guard::{Guard, GuardedAct};
use lease_core::lifecycle::{AvailableAction, OpeningSnapshot};
use lease_core::model::ServiceKind;
use lease_core::repository::Repository;
use lease_core::{Error, OwnRefusal, RefusalCode};

use super::*;

const NOT_TODAY: RefusalCode = RefusalCode::new("not_today").unwrap();

/// Refuses what its function says, and counts how often it was asked.
#[derive(Debug)]
struct Refuses(fn(&Actor, &GuardedAct<'_>, DateTime<Utc>) -> bool, AtomicU32);

impl Guard for Refuses {
    fn check(&self, actor: &Actor, act: &GuardedAct<'_>, now: DateTime<Utc>) -> Result<(), OwnRefusal> {
        self.1.fetch_add(1, Ordering::Relaxed);
        if (self.0)(actor, act, now) { Err(OwnRefusal::new(NOT_TODAY, "Not today.")) } else { Ok(()) }
    }
}

type Which = fn(&Actor, &GuardedAct<'_>, DateTime<Utc>) -> bool;

/// An engine with this store and a guard that refuses this, and the guard.
fn guarded(store: impl Repository, which: Which) -> (LeaseEngine, Arc<Refuses>) {
    let guard = Arc::new(Refuses(which, AtomicU32::new(0)));
    let builder = LeaseEngine::builder(Arc::new(store), Arc::new(a_gateway()))
        .guard(Arc::clone(&guard) as _)
        .clock(Arc::new(ManualClock::at(now())));
    (builder.build().unwrap(), guard)
}

/// The acts that a guard is asked about.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Asked {
    Open,
    Propose,
    Accept,
    Pay,
}

/// A sale that the buyer bids in, and a lease that the owner is billed for; each act with one of them is allowed. Nothing is ever
/// committed, so a test that lets one through fails.
async fn act(asked: Asked, which: Which) -> Result<(), Error> {
    let mut store = MockRepository::new();
    never_declined(&mut store);
    store.expect_load_opening().returning(|_, _, _, _| {
        Ok(OpeningSnapshot { vehicle: Some(vehicle_snapshot()), service: Some(stored_service(ServiceKind::Sell)) })
    });
    store.expect_load_trade().returning(move |_| {
        let scene = match asked {
            Asked::Pay => Scene::lease().billed_to(OWNER).with_card(card(OWNER)),
            _ => Scene::sale().proposed_by(BUYER),
        };
        Ok(Some(first(scene.0)))
    });
    store.expect_commit().returning(|_| Err(RepositoryError::Unavailable("it was let through".into())));
    let (engine, _) = guarded(store, which);
    let owner = customer(OWNER);
    match asked {
        Asked::Open => engine.open_trade(owner, &draft(json!({"vehicle_id": 1, "service_id": 1}))).await.map(drop),
        Asked::Propose => engine.propose(owner, id(1), &draft(json!({"amount": 300}))).await.map(drop),
        Asked::Accept => engine.accept_proposal(owner, id(1)).await.map(drop),
        Asked::Pay => engine.pay_invoice(owner, id(1), &draft(json!({"credit_card_id": 1, "amount": 40}))).await.map(drop),
    }
}

/// Rule 4.15: each guarded act is refused with the app's own code and message, and nothing is written.
#[tokio::test]
async fn a_guard_refuses_with_its_own_code_and_message() {
    for asked in [Asked::Open, Asked::Propose, Asked::Accept, Asked::Pay] {
        let refused = act(asked, |_, _, _| true).await.unwrap_err();
        assert_eq!((refused.code(), refused.to_string()), ("not_today", "Not today.".to_owned()), "{asked:?}");
        assert!(matches!(refused, Error::RefusedByGuard(why) if why.code() == NOT_TODAY), "{asked:?}");
        let passed = act(asked, |_, _, _| false).await.unwrap_err();
        assert_eq!(passed.code(), "unavailable", "{asked:?} reaches the store");
    }
}

/// Rule 4.15: a guard sees who acts, when, and what the act is about.
#[tokio::test]
async fn a_guard_sees_what_the_act_is_about() {
    let table: [(Asked, Which); 4] = [
        (Asked::Open, |_, act, _| {
            matches!(act, GuardedAct::Open { trade, vehicle, service }
                if vehicle.year == 2020 && service.kind == ServiceKind::Sell && trade.vehicle_id == vehicle.id)
        }),
        (Asked::Propose, |_, act, _| {
            matches!(act, GuardedAct::Propose { trade, service, proposal: Some(proposal) }
                if trade.offered.year == 2020 && service.kind == ServiceKind::Sell && proposal.amount == usd("300"))
        }),
        (Asked::Accept, |_, act, _| {
            matches!(act, GuardedAct::Accept { trade, service, proposal }
                if trade.is_open() && service.kind == ServiceKind::Sell && proposal.customer_id == id(BUYER))
        }),
        (Asked::Pay, |_, act, _| {
            matches!(act, GuardedAct::Pay { trade, service, invoice, payment: Some(payment) }
                if trade.id == id(1) && service.kind == ServiceKind::Lease
                    && invoice.pending == usd("0") && payment.amount == usd("40"))
        }),
    ];
    for (asked, sees) in table {
        assert_eq!(code(act(asked, sees).await), "not_today", "{asked:?}");
        let is_the_owner_now: Which = |actor, _, at| *actor == customer(OWNER) && at == now();
        assert_eq!(code(act(asked, is_the_owner_now).await), "not_today", "{asked:?}");
    }
}

/// Rule 4.15: a guard can only refuse: it is not asked about what the engine's own rules refuse.
#[tokio::test]
async fn a_guard_is_not_asked_about_what_the_rules_refuse() {
    let mut store = MockRepository::new();
    never_declined(&mut store);
    store.expect_load_opening().returning(|_, _, _, _| Ok(OpeningSnapshot::default()));
    store.expect_load_trade().returning(|_| Ok(Some(first(Scene::sale().proposed_by(OWNER).cancelled().0))));
    let (engine, guard) = guarded(store, |_, _, _| true);
    let owner = customer(OWNER);
    assert_eq!(code(engine.open_trade(owner, &draft(json!({"vehicle_id": 1, "service_id": 1}))).await), "validation_error");
    assert_eq!(code(engine.propose(owner, id(1), &draft(json!({"amount": 300}))).await), "trade_not_open");
    assert_eq!(code(engine.propose(owner, id(1), &draft(json!({"amount": -1}))).await), "validation_error");
    assert_eq!(code(engine.accept_proposal(customer(BUYER), id(1)).await), "trade_not_open");
    assert_eq!(code(engine.pay_invoice(owner, id(1), &draft(json!({"credit_card_id": 1}))).await), "not_found");
    assert_eq!(guard.1.load(Ordering::Relaxed), 0);
}

/// Rule 4.15: a guard is asked about the trade as it is when the act is written, whatever came first.
#[tokio::test]
async fn a_guard_holds_under_races() {
    let mut store = MockRepository::new();
    let mut loads = 0;
    store.expect_load_trade().returning(move |_| {
        loads += 1;
        let mut scene = Scene::sale().proposed_by(BUYER);
        if loads > 1 {
            scene.0.trade.value.offered.year = 1980;
        }
        Ok(Some(first(scene.0)))
    });
    refuse_commits(&mut store, 1, || RepositoryError::Conflict);
    let is_old: Which = |_, act, _| matches!(act, GuardedAct::Accept { trade, .. } if trade.offered.year < 2000);
    let (engine, guard) = guarded(store, is_old);
    assert_eq!(code(engine.accept_proposal(customer(OWNER), id(1)).await), "not_today");
    assert_eq!(guard.1.load(Ordering::Relaxed), 2);
}

/// Rules 4.14, 4.15: the available actions do not promise what a guard refuses. What would be proposed or paid is not known then.
#[tokio::test]
async fn available_actions_leave_out_what_a_guard_refuses() {
    use AvailableAction::{Accept, Cancel, Pay, Propose, Reject};
    let table: [(Which, &[AvailableAction], &[AvailableAction]); 5] = [
        (|_, _, _| false, &[Propose, Cancel, Pay], &[Accept, Reject]),
        (|_, _, _| true, &[Cancel], &[Reject]),
        (|_, act, _| matches!(act, GuardedAct::Propose { proposal: None, .. }), &[Cancel, Pay], &[Accept, Reject]),
        (|_, act, _| matches!(act, GuardedAct::Pay { payment: None, .. }), &[Propose, Cancel], &[Accept, Reject]),
        (|_, act, _| matches!(act, GuardedAct::Accept { .. }), &[Propose, Cancel, Pay], &[Reject]),
    ];
    for (number, (which, of_trade, of_proposal)) in table.into_iter().enumerate() {
        let mut store = MockRepository::new();
        let row = Scene::lease().proposed_by(BUYER).billed_to(OWNER);
        store.expect_load_trade().returning(move |_| Ok(Some(first(row.clone().0))));
        let (engine, _) = guarded(store, which);
        let trade = engine.get_trade(&customer(OWNER), id(1)).await.unwrap();
        let proposal = engine.get_proposal(&customer(OWNER), id(1)).await.unwrap();
        assert_eq!((&*trade.available_actions, &*proposal.available_actions), (of_trade, of_proposal), "{number}");
    }
}

/// Rule 4.15: codes have a form that programs can rely on.
#[test]
fn a_code_of_an_app_is_a_short_word_in_snake_case() {
    const LONGEST: &str = "a123456789_123456789_123456789_123456789_123456789_123456789_123";
    for good in ["a", "vehicle_too_old", "x9_", LONGEST] {
        assert_eq!(RefusalCode::new(good).map(RefusalCode::as_str), Some(good));
    }
    let too_long: &'static str = format!("{LONGEST}4").leak();
    for bad in ["", "_a", "9a", "A", "too old", "too-old", "zu_älter", "a\n", too_long] {
        assert_eq!(RefusalCode::new(bad), None, "{bad:?}");
    }
}
