//! Making proposals (rules 4.2, 4.3, 4.11), and the invoice that the first one issues (rule 5.2).

use chrono::Duration;
use lease_core::decision::Decision;
use lease_core::input::NamedIn;
use lease_core::invoicing::ServiceFee;
use lease_core::lifecycle::{ProposalDraft, propose};
use lease_core::model::{BillTo, InvoiceOn, ProposalState, ServiceKind};
use lease_core::money::{Currency, Money};
use lease_core::permission::Actor;
use lease_core::policy::Policy;
use serde_json::{Value, json};

use crate::support::*;

fn dated() -> Value {
    json!({"amount": "250.00", "start_date": "2026-04-01", "end_date": "2026-05-01"})
}

fn undated() -> Value {
    json!({"amount": "250.00"})
}

/// Rule 4.2: the kind of the service decides which dates a proposal has; they may be in the past.
#[test]
fn dates_follow_the_kind_of_the_service() {
    let both = json!({"amount": 1, "start_date": "2020-01-31", "end_date": "2020-02-29"});
    let start = json!({"amount": 1, "start_date": "2026-04-01"});
    let end = json!({"amount": 1, "end_date": "2026-04-01"});
    let neither = json!({"amount": 1});
    let cases: [(ServiceKind, &Value, &[&str]); 12] = [
        (ServiceKind::Lease, &both, &[]),
        (ServiceKind::Lease, &start, &["end_date"]),
        (ServiceKind::Lease, &end, &["start_date"]),
        (ServiceKind::Lease, &neither, &["end_date", "start_date"]),
        (ServiceKind::Sell, &both, &["end_date", "start_date"]),
        (ServiceKind::Sell, &start, &["start_date"]),
        (ServiceKind::Sell, &end, &["end_date"]),
        (ServiceKind::Sell, &neither, &[]),
        (ServiceKind::Custom, &both, &[]),
        (ServiceKind::Custom, &start, &["end_date"]),
        (ServiceKind::Custom, &end, &["start_date"]),
        (ServiceKind::Custom, &neither, &[]),
    ];
    for (kind, json, wrong) in cases {
        let response = Scene::under(kind).propose(&customer(OWNER), json.clone());
        if wrong.is_empty() {
            assert!(response.is_ok(), "{kind} {json}: {response:?}");
        } else {
            assert_eq!(wrong_fields(response), wrong, "{kind} {json}");
        }
    }
}

/// Rule 4.2: the end is after the start.
#[test]
fn the_end_is_after_the_start() {
    for (end, is_good) in [("2026-03-31", false), ("2026-04-01", false), ("2026-04-02", true)] {
        let json = json!({"amount": 1, "start_date": "2026-04-01", "end_date": end});
        let response = Scene::lease().propose(&customer(OWNER), json);
        assert_eq!(response.is_ok(), is_good, "{end}");
    }
}

/// Rule 1.3: a currency beside the amount is that of the service.
#[test]
fn a_proposal_in_another_currency_is_refused() {
    for currency in [json!("EUR"), json!("usd"), json!("XQQ"), json!(""), json!(1)] {
        let response = Scene::sale().propose(&customer(OWNER), json!({"amount": 1, "currency": currency}));
        assert_eq!(wrong_fields(response), ["currency"], "{currency}");
    }
    for currency in [json!("USD"), json!(" USD "), json!(null)] {
        let response = Scene::sale().propose(&customer(OWNER), json!({"amount": "49.000", "currency": currency}));
        assert_eq!(response.unwrap().changes.new_proposal.unwrap().amount.to_string(), "49.00 USD", "{currency}");
    }
}

/// Rule 4.2: the currency of a proposal is that of the service.
#[test]
fn a_proposal_is_pending_and_in_the_services_currency() {
    let yen = Money::parse("5000", Currency::parse("JPY").unwrap()).unwrap();
    let scene = Scene::sale().fee(yen);
    let json = json!({"amount": 120_000, "message": " Hi\tthere ", "expires_at": "2026-03-03T13:00:00+01:00", "currency": "JPY"});
    let Decision { changes, events } = scene.propose(&customer(OWNER), json).unwrap();
    let proposal = changes.new_proposal.unwrap();
    assert_eq!(proposal.amount.to_string(), "120000 JPY");
    assert_eq!((proposal.trade_id, proposal.customer_id), (id(1), id(OWNER)));
    assert_eq!((proposal.state, proposal.created_at), (ProposalState::Pending, now()));
    assert_eq!((&*proposal.message, proposal.expires_at), ("Hi\tthere", Some(instant("2026-03-03T12:00:00Z"))));
    assert_eq!(names(&events), ["proposal.made"]);
}

/// Rule 4.2, chapter 1: an amount is above zero and has no more digits than its currency.
#[test]
fn the_amount_is_above_zero_and_exact() {
    let wrong = [
        json!(0),
        json!("0.00"),
        json!(-1),
        json!("-0"),
        json!("1.005"),
        json!(0.001),
        json!("1e2"),
        json!("NaN"),
        json!("Infinity"),
        json!("1000000000000"),
        json!("9".repeat(60)),
        json!(1e300),
        json!(true),
        json!([1]),
        json!(null),
        json!(""),
        json!("1,000"),
    ];
    for amount in wrong {
        let response = Scene::sale().propose(&customer(OWNER), json!({"amount": amount}));
        assert_eq!(wrong_fields(response), ["amount"], "{amount}");
    }
    for (amount, expected) in [(json!("0.01"), "0.01"), (json!(0.1), "0.1"), (json!(" 5 "), "5"), (json!(1e2), "100")] {
        let changes = Scene::sale().propose(&customer(OWNER), json!({"amount": amount})).unwrap().changes;
        assert_eq!(changes.new_proposal.unwrap().amount, usd(expected));
    }
}

/// Rule 4.3: the owner makes the first proposal.
#[test]
fn the_first_proposal_is_the_owners() {
    let scene = Scene::sale();
    assert_eq!(code(scene.propose(&customer(BUYER), undated())), "owner_proposal_required");
    assert_eq!(code(scene.propose(&customer(OWNER), undated())), "ok");
    let later = Scene::sale().proposed_by(OWNER);
    assert_eq!(code(later.propose(&customer(BUYER), undated())), "ok");
    assert_eq!(code(later.propose(&customer(OWNER), undated())), "ok");
}

/// Rule 4.3: a customer has at most one pending proposal in a trade.
#[test]
fn a_new_proposal_supersedes_the_authors_earlier_one() {
    let scene = Scene::sale().viewer_has_pending(BUYER, None);
    let changes = scene.propose(&customer(BUYER), undated()).unwrap();
    assert_eq!(changes.decided, Some((id(9), ProposalState::Superseded { at: now() })));
    assert_eq!(names(&changes.events), ["proposal.superseded", "proposal.made"]);
    assert_eq!(changes.close_others, None);
    assert_eq!(changes.state, None);
}

/// Rule 4.5: a proposal expires exactly at its instant.
#[test]
fn an_earlier_one_that_expired_stays_expired() {
    let expired = ProposalState::Expired { at: now() };
    let superseded = ProposalState::Superseded { at: now() };
    for (expires_at, state) in [(now(), expired), (now() + tick(), superseded)] {
        let scene = Scene::sale().viewer_has_pending(BUYER, Some(expires_at));
        let changes = scene.propose(&customer(BUYER), undated()).unwrap();
        assert_eq!(changes.decided, Some((id(9), state)), "{expires_at}");
    }
}

/// Rules 4.3, 4.5: a new proposal does not supersede an expired one.
#[test]
fn an_expired_proposal_is_not_reported_as_superseded() {
    let scene = Scene::sale().viewer_has_pending(BUYER, Some(now()));
    let changes = scene.propose(&customer(BUYER), undated()).unwrap();
    assert_eq!(names(&changes.events), ["proposal.expired", "proposal.made"]);
}

/// Rule 4.11: a customer makes a limited number of proposals in a trade.
#[test]
fn a_customer_makes_at_most_the_allowed_number_of_proposals_in_a_trade() {
    for (made, expected) in [(99, "ok"), (100, "proposal_limit"), (101, "proposal_limit")] {
        let scene = Scene::sale().proposed_by(OWNER).viewer_made(made);
        assert_eq!(code(scene.propose(&customer(BUYER), undated())), expected, "{made}");
    }
    let scene = Scene::sale().proposed_by(OWNER).viewer_made(2);
    let draft = draft::<ProposalDraft>(undated());
    for (max_proposals, expected) in [(3, "ok"), (2, "proposal_limit")] {
        let policy = Policy::default().with_max_proposals(max_proposals);
        assert_eq!(code(propose(Some(&scene.0), NamedIn::Path, &customer(BUYER), &draft, &policy, &ServiceFee, now())), expected);
    }
}

/// Rule 4.11: nobody proposes in a trade whose owner was deactivated; also those who no longer see it are told why. The
/// owner must still be active when the proposal is written.
#[test]
fn nobody_proposes_in_a_trade_of_an_inactive_owner() {
    let scene = Scene::sale().proposed_by(OWNER);
    let changes = scene.propose(&customer(BUYER), undated()).unwrap().changes;
    assert_eq!(changes.active_party, Some(id(OWNER)));
    assert_eq!(scene.propose(&customer(OWNER), undated()).unwrap().changes.active_party, None, "who acts is active");
    let scene = scene.owner_is_inactive();
    assert_eq!(code(scene.propose(&customer(BUYER), undated())), "party_inactive", "hidden only because of that");
    let scene = scene.viewer_made(1);
    assert_eq!(code(scene.propose(&customer(BUYER), undated())), "party_inactive");
    assert_eq!(code(scene.agreed().propose(&customer(BUYER), undated())), "trade_not_open");
}

/// Rule 4.12: a proposal covers a limited number of days.
#[test]
fn the_days_of_a_proposal_are_limited() {
    let over = |days: u64| json!({"amount": 1, "start_date": day(0).to_string(), "end_date": day(days).to_string()});
    for (days, is_good) in [(3_660, true), (3_661, false), (365_000, false)] {
        let response = Scene::lease().propose(&customer(OWNER), over(days));
        if is_good {
            assert_eq!(code(response), "ok");
        } else {
            assert_eq!(wrong_fields(response), ["end_date"], "{days}");
        }
    }
    let draft = draft::<ProposalDraft>(over(31));
    for (max_days, expected) in [(31, "ok"), (30, "validation_error")] {
        let policy = Policy::default().with_max_days(max_days);
        let scene = Scene::lease();
        assert_eq!(code(propose(Some(&scene.0), NamedIn::Path, &customer(OWNER), &draft, &policy, &ServiceFee, now())), expected);
    }
}

/// Rule 4.5: an expiry is in the future.
#[test]
fn an_expiry_lies_in_the_future() {
    for (expires_at, is_good) in [(at(-1), false), (now(), false), (now() + tick(), true), (now() + Duration::days(9_000), true)]
    {
        let json = json!({"amount": 1, "expires_at": expires_at.to_rfc3339()});
        assert_eq!(Scene::sale().propose(&customer(OWNER), json).is_ok(), is_good, "{expires_at}");
    }
}

/// Rules 4.3, 4.6: only an open trade accepts proposals, from the owner as from others.
#[test]
fn a_trade_that_is_not_open_takes_no_proposal() {
    let scene = Scene::sale().proposed_by(OWNER).viewer_made(1);
    for scene in [scene.clone().agreed(), scene.clone().cancelled(), scene.completed()] {
        assert_eq!(code(scene.propose(&customer(OWNER), undated())), "trade_not_open");
        assert_eq!(code(scene.propose(&customer(BUYER), undated())), "trade_not_open");
        assert_eq!(code(scene.clone().viewer_made(0).propose(&customer(THIRD), undated())), "not_found");
    }
}

/// Chapter 2: only customers make proposals.
#[test]
fn only_customers_propose() {
    let scene = Scene::sale();
    assert_eq!(code(scene.propose(&Actor::Anonymous, undated())), "not_authenticated");
    assert_eq!(code(scene.propose(&staff(), undated())), "permission_denied");
    assert_eq!(code(scene.propose(&superuser(), undated())), "permission_denied");
}

/// Rule 5.2: the owner is billed the present fee of the service, due after the days of the service.
#[test]
fn the_first_proposal_under_a_lease_issues_the_invoice() {
    let Decision { changes, events } = Scene::lease().propose(&customer(OWNER), dated()).unwrap();
    let invoice = changes.new_invoice.unwrap();
    assert_eq!((invoice.customer_id, invoice.amount, invoice.proposal_id), (id(OWNER), usd("100.00"), None));
    assert_eq!((invoice.issued_at, invoice.due_date), (now(), day(14)));
    assert_eq!(names(&events), ["proposal.made", "invoice.issued"]);
}

/// Rule 5.2, I1: a trade has at most one invoice.
#[test]
fn no_later_proposal_issues_one() {
    for scene in [Scene::lease().proposed_by(OWNER), Scene::lease().billed_to(OWNER)] {
        for who in [OWNER, BUYER] {
            assert_eq!(scene.propose(&customer(who), dated()).unwrap().new_invoice, None);
        }
    }
}

/// Rules 5.2, 4.9: the service, not its kind, determines the moment of invoicing.
#[test]
fn the_moment_of_invoicing_is_read_from_the_service() {
    let on_proposal = Scene::custom(InvoiceOn::FirstProposal, BillTo::Owner);
    assert!(on_proposal.propose(&customer(OWNER), undated()).unwrap().new_invoice.is_some());
    let on_acceptance = Scene::custom(InvoiceOn::Acceptance, BillTo::Owner);
    assert_eq!(on_acceptance.propose(&customer(OWNER), undated()).unwrap().new_invoice, None);
    assert_eq!(Scene::sale().propose(&customer(OWNER), undated()).unwrap().new_invoice, None);
}

/// Rule 4.8: a fee of zero is not invoiced.
#[test]
fn a_service_without_a_fee_issues_no_invoice() {
    let changes = Scene::lease().fee(usd("0")).propose(&customer(OWNER), dated()).unwrap();
    assert_eq!(changes.new_invoice, None);
    assert_eq!(names(&changes.events), ["proposal.made"]);
}

/// Rule 6.6: all wrong fields are reported at once.
#[test]
fn every_wrong_field_of_a_proposal_is_named_at_once() {
    let json = json!({"amount": "x", "start_date": "2026-05-01", "end_date": "2026-04-01", "message": "\u{0}",
        "expires_at": "2026-03-03T12:00:00"});
    let response = Scene::lease().propose(&customer(OWNER), json);
    assert_eq!(wrong_fields(response), ["amount", "end_date", "expires_at", "message"]);
}

/// Rule 6.6: all wrong fields are reported at once, also of fields that belong together.
#[test]
fn two_dates_that_cannot_be_read_are_both_named() {
    let json = json!({"amount": 1, "start_date": "2026-02-30", "end_date": "soon"});
    assert_eq!(wrong_fields(Scene::lease().propose(&customer(OWNER), json)), ["end_date", "start_date"]);
}

/// Rule 6.6: all wrong fields are reported at once, also missing ones.
#[test]
fn a_missing_end_is_named_beside_a_start_that_cannot_be_read() {
    let json = json!({"amount": 1, "start_date": 5});
    assert_eq!(wrong_fields(Scene::lease().propose(&customer(OWNER), json)), ["end_date", "start_date"]);
}

/// Rule 2.2: a hidden trade that a body names is a wrong field.
#[test]
fn a_trade_in_a_draft_that_is_not_known_is_a_wrong_field() {
    let json = json!({"trade_id": 5, "amount": 0, "start_date": 1, "end_date": "soon", "expires_at": "yesterday"});
    let draft = draft::<ProposalDraft>(json);
    let proposed = |actor: &Actor| propose(None, NamedIn::Draft, actor, &draft, &Policy::default(), &ServiceFee, now());
    assert_eq!(wrong_fields(proposed(&customer(BUYER))), ["amount", "end_date", "expires_at", "start_date", "trade_id"]);
    assert_eq!(code(proposed(&staff())), "permission_denied");
    assert_eq!(code(proposed(&Actor::Anonymous)), "not_authenticated");
}
