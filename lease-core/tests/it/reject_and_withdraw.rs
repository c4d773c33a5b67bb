//! Rejecting and withdrawing (rule 4.5), changing title and description (rule 4.14), available actions.

use chrono::{DateTime, Utc};
use lease_core::Error;
use lease_core::decision::Decision;
use lease_core::lifecycle::{
    AmendmentDraft, AvailableAction, TradeChanges, TradeSnapshot, TradeText, amend, proposal_actions, reject, trade_actions,
    withdraw,
};
use lease_core::model::ProposalState;
use lease_core::permission::Actor;
use lease_core::policy::{LatePayments, Policy};
use lease_core::text::Search;
use serde_json::json;

use crate::support::*;

type Answer = fn(&TradeSnapshot, &Actor, DateTime<Utc>) -> Result<Decision<TradeChanges>, Error>;

/// Rule 4.5: the owner rejects a proposal by another customer.
#[test]
fn the_owner_rejects_anothers_proposal() {
    let changes = reject(&Scene::sale().proposed_by(BUYER).0, &customer(OWNER), now()).unwrap();
    assert_eq!(changes.decided, Some((id(1), ProposalState::Rejected { at: now() })));
    assert_eq!(names(&changes.events), ["proposal.rejected"]);
    assert_eq!((changes.state.clone(), changes.close_others), (None, None));
}

/// Rule 4.5: the author withdraws a proposal.
#[test]
fn an_author_withdraws_their_own_proposal() {
    for author in [OWNER, BUYER] {
        let changes = withdraw(&Scene::sale().proposed_by(author).0, &customer(author), now()).unwrap();
        assert_eq!(changes.decided, Some((id(1), ProposalState::Withdrawn { at: now() })));
        assert_eq!(names(&changes.events), ["proposal.withdrawn"]);
        assert_eq!((changes.state.clone(), changes.close_others), (None, None));
    }
}

/// Rule 4.5, chapter 2: nobody else rejects or withdraws.
#[test]
fn rejecting_and_withdrawing_are_for_the_right_one() {
    let owners = Scene::sale().proposed_by(OWNER);
    let buyers = Scene::sale().proposed_by(BUYER);
    let cases: [(Answer, &Scene, Actor, &str); 14] = [
        (reject, &owners, customer(OWNER), "permission_denied"),
        (reject, &owners, customer(BUYER), "permission_denied"),
        (reject, &buyers, customer(BUYER), "permission_denied"),
        (reject, &buyers, customer(THIRD), "not_found"),
        (reject, &buyers, staff(), "permission_denied"),
        (reject, &buyers, superuser(), "permission_denied"),
        (reject, &buyers, Actor::Anonymous, "not_authenticated"),
        (withdraw, &buyers, customer(OWNER), "permission_denied"),
        (withdraw, &owners, customer(BUYER), "permission_denied"),
        (withdraw, &buyers, customer(THIRD), "not_found"),
        (withdraw, &buyers, staff(), "permission_denied"),
        (withdraw, &buyers, superuser(), "permission_denied"),
        (withdraw, &buyers, Actor::Anonymous, "not_authenticated"),
        (withdraw, &buyers, customer(BUYER), "ok"),
    ];
    for (act, scene, actor, expected) in cases {
        assert_eq!(code(act(&scene.0, &actor, now())), expected, "{actor:?}");
    }
}

/// Rule 4.5: first the trade is checked, then the time, then the state; on both sides of the instant.
#[test]
fn a_decided_or_expired_proposal_is_neither_rejected_nor_withdrawn() {
    let scene = Scene::sale().proposed_by(BUYER);
    let rejected = ProposalState::Rejected { at: at(-9) };
    let cases = [
        (scene.clone().expiring(now() + tick()), "ok"),
        (scene.clone().expiring(now()), "proposal_expired"),
        (scene.clone().decided(rejected).expiring(now()), "proposal_not_pending"),
        (scene.clone().decided(ProposalState::Expired { at: at(-9) }), "proposal_expired"),
        (scene.clone().decided(ProposalState::Superseded { at: at(-9) }), "proposal_not_pending"),
        (scene.clone().expiring(now()).agreed(), "trade_not_open"),
        (scene.clone().decided(rejected).cancelled(), "trade_not_open"),
        (scene.completed(), "trade_not_open"),
    ];
    for (scene, expected) in cases {
        assert_eq!(code(reject(&scene.0, &customer(OWNER), now())), expected, "{scene:?}");
        assert_eq!(code(withdraw(&scene.0, &customer(BUYER), now())), expected, "{scene:?}");
    }
}

/// Rule 4.5: a proposal expires without a background process. Rule 4.4: a decided one keeps the time of its decision.
#[test]
fn a_proposal_reads_expired_from_its_instant_on() {
    let mut pending = proposal(BUYER);
    pending.expires_at = Some(now());
    assert_eq!(pending.state_at(now() - tick()), ProposalState::Pending);
    assert_eq!(pending.state_at(now()), ProposalState::Expired { at: now() });
    assert_eq!(pending.state_at(at(9_999)), ProposalState::Expired { at: now() });
    pending.state = ProposalState::Rejected { at: at(-5) };
    assert_eq!(pending.state_at(at(9_999)).decided_at(), Some(at(-5)));
}

/// Rule 4.14: the owner changes title and description while the trade is open.
#[test]
fn the_owner_changes_the_title_and_description_while_the_trade_is_open() {
    let words = |json| {
        let Decision { changes, events } = amend(&Scene::sale().0, &customer(OWNER), &draft(json), None).unwrap();
        assert!(names(&events).iter().all(|name| *name == "trade.amended"), "{events:?}");
        changes.text.unwrap()
    };
    let text = |title: &str, description: &str| TradeText { title: title.into(), description: description.into() };
    assert_eq!(words(json!({"title": " New "})), text("New", "Words"));
    assert_eq!(words(json!({"description": null})), text("A trade", ""));
    assert_eq!(words(json!({"status": "cancelled"})), text("A trade", "Words"));

    let mut found_by = Scene::sale().0.trade.value;
    (found_by.title, found_by.description) = ("Blue van".into(), "With a bed".into());
    assert_eq!(text("Blue van", "With a bed").search_text(), found_by.search_text());
    assert!(Search::new("van bed").matches(&found_by.search_text()));
}

/// Rule 4.14, chapter 2: nobody else changes them, and nobody in another state.
#[test]
fn only_the_owner_of_an_open_trade_changes_its_title_and_description() {
    let new: AmendmentDraft = draft(json!({"title": "New"}));
    let scene = Scene::sale();
    let cases = [
        (scene.clone(), Actor::Anonymous, "not_authenticated"),
        (scene.clone(), customer(BUYER), "permission_denied"),
        (scene.clone(), staff(), "permission_denied"),
        (scene.clone(), superuser(), "permission_denied"),
        (scene.clone().agreed(), customer(THIRD), "not_found"),
        (scene.clone().agreed(), customer(OWNER), "trade_not_open"),
        (scene.clone().cancelled(), customer(OWNER), "trade_not_open"),
        (scene.completed(), customer(OWNER), "trade_not_open"),
    ];
    for (scene, actor, expected) in cases {
        assert_eq!(code(amend(&scene.0, &actor, &new, None)), expected, "{actor:?}");
    }
    let wrong =
        amend(&Scene::sale().0, &customer(OWNER), &draft(json!({"title": "a\nb", "description": "x".repeat(4_001)})), None);
    assert_eq!(wrong_fields(wrong), ["description", "title"]);
}

/// The available actions are exactly those that the decisions would carry out.
#[test]
fn available_actions_of_a_trade_are_what_the_decisions_allow() {
    use AvailableAction::{Cancel, End, MoveDueDate, Pay, Propose, Void, WriteOff};
    let policy = Policy::default();
    let offers = |scene: &Scene, actor: &Actor, expected: &[AvailableAction]| {
        assert_eq!(trade_actions(&scene.0, actor, &policy, now()), expected, "{actor:?} {scene:?}");
    };
    let billed = Scene::lease().billed_to(OWNER);
    offers(&billed, &customer(OWNER), &[Propose, Cancel, Pay]);
    offers(&billed, &customer(BUYER), &[Propose]);
    offers(&billed, &staff(), &[Cancel, Void, WriteOff, MoveDueDate]);
    offers(&billed.clone().paid_and_pending("10", "0").cancelled(), &staff(), &[WriteOff, MoveDueDate]);
    offers(&billed.clone().paid_and_pending("10", "10").agreed(), &staff(), &[Cancel, MoveDueDate]);
    offers(&billed, &Actor::Anonymous, &[]);
    offers(&billed.clone().cancelled(), &customer(OWNER), &[Pay]);
    offers(&billed.clone().cancelled(), &customer(THIRD), &[]);
    offers(&billed.clone().paid_and_pending("0", "100"), &customer(OWNER), &[Propose, Cancel]);
    let let_out = billed.clone().paid_and_pending("100", "0").completed().with_days(period(1, 9));
    offers(&let_out, &staff(), &[End]);
    offers(&let_out, &customer(OWNER), &[]);
    offers(&billed.clone().agreed(), &customer(OWNER), &[Pay]);
    offers(&billed.clone().viewer_made(100), &customer(BUYER), &[]);
    offers(&Scene::sale(), &customer(BUYER), &[]);
    let late = Policy::default().with_late_payments(LatePayments::Reject);
    assert_eq!(trade_actions(&billed.cancelled().0, &customer(OWNER), &late, at(30 * 86_400)), []);
}

/// The same for a proposal.
#[test]
fn available_actions_of_a_proposal_are_what_the_decisions_allow() {
    use AvailableAction::{Accept, Reject, Withdraw};
    let offers = |scene: &Scene, actor: &Actor, expected: &[AvailableAction]| {
        assert_eq!(proposal_actions(&scene.0, actor, now()), expected, "{actor:?} {scene:?}");
    };
    let countered = Scene::sale().proposed_by(BUYER);
    offers(&countered, &customer(OWNER), &[Accept, Reject]);
    offers(&countered, &customer(BUYER), &[Withdraw]);
    offers(&countered, &staff(), &[]);
    offers(&countered.expiring(now()), &customer(OWNER), &[]);
    offers(&Scene::sale().proposed_by(OWNER), &customer(BUYER), &[Accept]);
    offers(&Scene::sale().proposed_by(OWNER), &customer(OWNER), &[Withdraw]);
}
