//! Cancelling an open or an agreed trade (rule 4.6), and ending agreed days early (rule 4.12).

use lease_core::Error;
use lease_core::decision::Decision;
use lease_core::event::{Audience, IdRef};
use lease_core::lifecycle::{TradeChanges, TradeMove, cancel, end};
use lease_core::model::{Agreement, ProposalState, TradeState};
use lease_core::permission::Actor;
use serde_json::{Value, json};

use crate::support::*;

fn cancelled(scene: &Scene, actor: &Actor, json: Value) -> Result<Decision<TradeChanges>, Error> {
    cancel(&scene.0, actor, &draft(json), now())
}

fn ended(scene: &Scene, actor: &Actor, json: Value) -> Result<Decision<TradeChanges>, Error> {
    end(&scene.0, actor, &draft(json))
}

fn cancelling(reason: &str, agreement: Option<Agreement>) -> TradeMove {
    TradeMove::Cancel { at: now(), reason: reason.into(), agreement }
}

/// A lease that is agreed on proposal 1 for the days from 1 to 9.
fn let_out() -> Scene {
    Scene::lease().proposed_by(OWNER).dated(period(1, 9)).agreed().with_days(period(1, 9))
}

/// Rule 4.6: owner and staff cancel an open trade, with or without a reason. The invoice remains due.
#[test]
fn owner_and_staff_cancel_an_open_trade() {
    let reasons =
        [(json!({}), ""), (json!({"reason": null}), ""), (json!({"reason": " "}), ""), (json!({"reason": " Sold\n"}), "Sold")];
    for actor in [customer(OWNER), staff(), superuser()] {
        for (json, reason) in &reasons {
            let Decision { changes, events } = cancelled(&Scene::lease().billed_to(OWNER), &actor, json.clone()).unwrap();
            assert_eq!(changes.state, Some(cancelling(reason, None)));
            assert_eq!(changes.close_others, Some(now()));
            assert_eq!((changes.invoice, changes.decided), (None, None));
            assert_eq!(names(&events), ["trade.cancelled"]);
        }
    }
}

/// Rule 4.6: staff cancel an agreed trade. Its accepted proposal is rescinded, its days are free, and the vehicle and the invoice
/// stay as they are. What was agreed with whom is kept.
#[test]
fn staff_cancel_an_agreed_trade() {
    for actor in [staff(), superuser()] {
        let scene = let_out().billed_to(OWNER).paid_and_pending("10", "20");
        let Decision { changes, events } = cancelled(&scene, &actor, json!({"reason": " Never paid. "})).unwrap();
        assert_eq!(changes.state, Some(cancelling("Never paid.", Some(Agreement { days: None, ..agreement() }))));
        assert_eq!(changes.decided, Some((id(1), ProposalState::Rescinded { at: now() })));
        assert_eq!((changes.invoice.clone(), changes.transfer), (None, None));
        assert_eq!(names(&events), ["trade.cancelled", "proposal.rescinded"]);
        assert_eq!(events[0].data.known["reason"], "Never paid.");

        let mut after = scene.0;
        after.apply(&changes, lease_core::id::NewIds::default());
        assert_eq!((after.trade.days(), after.trade.is_live()), (None, false));
        assert!(after.trade.has_party(id(BUYER)), "both parties still see the trade");
        assert_eq!(after.proposal.unwrap().proposal.state.decided_at(), Some(now()), "the instant at which it was rescinded");
    }
}

/// Rule 4.6: cancelling an agreed trade requires a reason that is not blank.
#[test]
fn cancelling_an_agreed_trade_requires_a_reason() {
    for reason in [json!({}), json!({"reason": null}), json!({"reason": " \n "}), json!({"reason": 5})] {
        assert_eq!(wrong_fields(cancelled(&let_out(), &staff(), reason)), ["reason"]);
    }
    let too_long = json!({"reason": "x".repeat(4_001)});
    assert_eq!(wrong_fields(cancelled(&Scene::sale(), &customer(OWNER), too_long)), ["reason"]);
}

/// Rule 4.6: nobody cancels a trade that is completed or cancelled, and its owner none that is agreed.
#[test]
fn a_trade_that_is_no_longer_open_is_not_cancelled() {
    let why = json!({"reason": "A mistake"});
    let scene = let_out();
    for scene in [scene.clone().completed(), scene.clone().cancelled(), scene.clone().rescinded()] {
        for actor in [customer(OWNER), staff(), superuser()] {
            assert_eq!(code(cancelled(&scene, &actor, why.clone())), "trade_not_open");
        }
    }
    assert_eq!(code(cancelled(&scene, &customer(OWNER), why)), "trade_not_open");
}

/// Chapter 2: only the owner and staff cancel a trade.
#[test]
fn others_do_not_cancel() {
    let scene = Scene::sale();
    let cases = [
        (scene.clone(), customer(BUYER), "permission_denied"),
        (scene.clone(), Actor::Anonymous, "not_authenticated"),
        (scene.clone().agreed(), customer(BUYER), "permission_denied"),
        (scene.clone().rescinded(), customer(BUYER), "permission_denied"),
        (scene.agreed(), customer(THIRD), "not_found"),
    ];
    for (scene, actor, expected) in cases {
        assert_eq!(code(cancelled(&scene, &actor, json!({"reason": "Mine"}))), expected, "{actor:?} {scene:?}");
    }
}

/// Rule 4.12: staff end the days of an agreed or a completed trade early; the proposal keeps what was agreed.
#[test]
fn staff_end_days_early() {
    for (end_date, days) in [("2026-03-10", (1, 8)), ("2026-03-04", (1, 2)), ("2026-03-03", (1, 1))] {
        assert_eq!(date(end_date), day(days.1));
        for scene in [let_out(), let_out().completed().with_days(period(1, 9))] {
            let json = json!({"end_date": end_date, "reason": " Returned. "});
            let Decision { changes, events } = ended(&scene, &staff(), json).unwrap();
            assert_eq!((changes.decided, changes.close_others), (None, None));
            assert_eq!(names(&events), ["trade.ended"]);
            assert_eq!(events[0].data.known["reason"], "Returned.");
            assert_eq!(events[0].audience, Audience::Customers(vec![IdRef::Known(OWNER), IdRef::Known(BUYER)]));
            assert_eq!(
                events[0].changes.known,
                *json!({"end_date": {"from": "2026-03-11", "to": end_date}}).as_object().unwrap()
            );

            let mut after = scene.0.clone();
            after.apply(&changes, lease_core::id::NewIds::default());
            let left = after.trade.days().unwrap();
            assert_eq!((left.start(), left.end()), (day(1), date(end_date)));
            assert_eq!(std::mem::discriminant(&after.trade.state), std::mem::discriminant(&scene.0.trade.state));
            assert_eq!(after.proposal.unwrap().proposal.period, Some(period(1, 9)));
        }
    }
}

/// Rule 4.12: the new end lies from the first day on and before the present end; a reason is required.
#[test]
fn an_end_outside_of_the_days_is_a_wrong_field() {
    let cases = [
        (json!({"end_date": "2026-03-11", "reason": "Returned"}), vec!["end_date"]),
        (json!({"end_date": "2026-03-02", "reason": "Returned"}), vec!["end_date"]),
        (json!({"end_date": "2027-03-02", "reason": " "}), vec!["end_date", "reason"]),
        (json!({"end_date": "2026-02-30", "reason": "Returned"}), vec!["end_date"]),
        (json!({"end_date": "2026-03-05"}), vec!["reason"]),
        (json!({}), vec!["end_date", "reason"]),
    ];
    for (json, wrong) in cases {
        assert_eq!(wrong_fields(ended(&let_out(), &staff(), json.clone())), wrong, "{json}");
    }
    assert_eq!(wrong_fields(ended(&Scene::sale(), &staff(), json!({"end_date": "2026-03-05"}))), ["reason"], "before the state");
}

/// Rule 4.12: where there is nothing to end, the response says so.
#[test]
fn a_trade_without_days_has_nothing_to_end() {
    let empty = period(1, 9).ended(day(1)).unwrap();
    let scenes = [
        Scene::lease(),
        Scene::sale().agreed(),
        Scene::sale().completed(),
        let_out().rescinded(),
        let_out().cancelled(),
        let_out().with_days(empty),
    ];
    for scene in scenes {
        let json = json!({"end_date": "2026-03-03", "reason": "Returned"});
        assert_eq!(code(ended(&scene, &staff(), json)), "trade_has_no_days", "{scene:?}");
    }
}

/// Chapter 2: customers end no days.
#[test]
fn customers_do_not_end_days() {
    let json = json!({"end_date": "2026-03-05", "reason": "Returned"});
    for (actor, expected) in
        [(customer(OWNER), "permission_denied"), (customer(BUYER), "permission_denied"), (customer(THIRD), "not_found")]
    {
        assert_eq!(code(ended(&let_out(), &actor, json.clone())), expected);
    }
    assert_eq!(code(ended(&let_out(), &Actor::Anonymous, json)), "not_authenticated");
}

/// Rule 4.12: days that were ended on their first day are nobody's.
#[test]
fn empty_days_overlap_nothing() {
    let empty = period(1, 9).ended(day(1)).unwrap();
    assert!(empty.is_empty());
    for other in [period(0, 2), period(1, 2), period(0, 1), empty] {
        assert!(!empty.overlaps(other) && !other.overlaps(empty), "{other:?}");
    }
    assert!(matches!(let_out().0.trade.state, TradeState::Agreed(_)));
}
