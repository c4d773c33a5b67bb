//! What each decision says has happened. Rules 8.1 to 8.4.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use lease_core::account::{
    AccountSnapshot, CheckedUpdate, PasswordHash, Presented, RegistrationDraft, Session, TokenHash, TokenUse, UserDraft,
    check_registration, check_update, create_token, deactivate, log_in, revoke_token, revoke_tokens,
};
use lease_core::catalog::{
    ServiceDraft, TakenBy, VehicleDraft, create_service, create_vehicle, deactivate_service, standard_services, update_service,
    update_vehicle,
};
use lease_core::directory::{
    convert_lead, create_contact, create_lead, delete_contact, delete_lead, update_contact, update_lead,
};
use lease_core::event::{Audience, Event, EventActor, EventType, IdRef, NewRow, SubjectKind};
use lease_core::gateway::{CardToken, RefundOutcome};
use lease_core::id::{NewIds, ProposalId, Versioned};
use lease_core::input::UpdateMode;
use lease_core::invoicing::{
    ServiceFee, VoidDraft, begin_refund, move_due_date, record_overdue, settle_payment, settle_refund, void, write_off,
};
use lease_core::lifecycle::{AmendmentDraft, CancellationDraft, TradeChanges, accept, amend, cancel, expire};
use lease_core::model::{InvoiceState, PaymentState, ProposalState, RefundState, Role, ServiceKind};
use lease_core::permission::Actor;
use lease_core::policy::Policy;
use lease_core::wallet::{CardDraft, Wallet, check_card, delete_card, store_card, update_card};
use serde_json::{Value, json};
use strum::VariantArray;

use crate::support::*;

const PATCH: UpdateMode = UpdateMode::Partial;

/// The ids that a commit gives out.
fn given() -> NewIds {
    NewIds {
        user: Some(id(101)),
        token: Some(id(112)),
        customer: Some(id(102)),
        credit_card: Some(id(103)),
        vehicle: Some(id(106)),
        service: Some(id(107)),
        trade: Some(id(108)),
        proposal: Some(id(109)),
        invoice: Some(id(110)),
        payment: Some(id(111)),
        refund: Some(id(113)),
        ..NewIds::default()
    }
}

/// The data and the changes of an event, as they are stored.
fn facts(event: &Event) -> (Value, Value) {
    let record = event.record(&customer(OWNER), now(), Some("request-7"), &given());
    (record.data.into(), record.changes.into())
}

#[track_caller]
fn only(events: &[Event]) -> &Event {
    assert_eq!(events.len(), 1, "{events:?}");
    &events[0]
}

fn time(at: DateTime<Utc>) -> Value {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true).into()
}

/// Rule 8.3: the kind of the subject is what stands before the dot.
#[test]
fn the_name_of_a_type_begins_with_the_kind_of_its_subject() {
    let mut names = BTreeSet::new();
    for event_type in EventType::VARIANTS {
        let name = <&str>::from(*event_type);
        assert_eq!(name.split_once('.').unwrap().0, <&str>::from(event_type.subject_kind()));
        assert_eq!(name.parse::<EventType>().unwrap(), *event_type);
        assert!(names.insert(name), "{name} is there twice");
    }
    let documented = include_str!("../../docs/rules/events.md");
    for kind in SubjectKind::VARIANTS {
        let of_kind = EventType::VARIANTS.iter().filter(|event_type| event_type.subject_kind() == *kind);
        let row: Vec<String> =
            of_kind.map(|event_type| format!("`{}`", event_type.to_string().split_once('.').unwrap().1)).collect();
        let row = format!("| `{kind}` | {} |", row.join(" "));
        assert!(documented.contains(&row), "rule 8.3 has no row\n{row}");
    }
}

/// Rule 8.2: an event says who did what, to what, in which request.
#[test]
fn a_record_has_the_actor_the_request_and_the_ids_of_the_commit() {
    let events =
        Scene::lease().propose(&customer(OWNER), json!({"amount": "450", "start_date": "2026-04-01", "end_date": "2026-05-01"}));
    let events = events.unwrap().events;
    assert_eq!(names(&events), ["proposal.made", "invoice.issued"]);
    let made = events[0].record(&customer(OWNER), now(), Some("request-7"), &given());
    assert_eq!(made.actor, EventActor::User { user_id: user_id(OWNER), customer_id: Some(id(OWNER)), is_staff: false });
    assert_eq!((made.occurred_at, made.request_id.as_deref()), (now(), Some("request-7")));
    assert_eq!((made.subject_id, made.trade_id), (Some(109), Some(id(1))));
    let (data, changes) = facts(&events[0]);
    let expected = json!({"proposal_id": 109, "trade_id": 1, "customer_id": OWNER, "amount": "450.00", "currency": "USD",
        "start_date": "2026-04-01", "end_date": "2026-05-01", "expires_at": null, "status": "pending"});
    assert_eq!((data, changes), (expected, json!({})));
    let (data, _) = facts(&events[1]);
    let expected = json!({"invoice_id": 110, "trade_id": 1, "proposal_id": 109, "customer_id": OWNER, "amount": "100.00",
        "currency": "USD", "due_date": day(14).to_string(), "status": "open"});
    assert_eq!(data, expected);
    assert_eq!((&events[0].audience, &events[1].audience), (&Audience::Members, &Audience::Customers(vec![IdRef::Known(OWNER)])));
    for (actor, recorded) in [
        (staff(), EventActor::User { user_id: staff().user().unwrap(), customer_id: None, is_staff: true }),
        (Actor::System, EventActor::System),
        (Actor::Gateway, EventActor::Gateway),
        (Actor::Anonymous, EventActor::Anonymous),
    ] {
        assert_eq!(events[0].record(&actor, now(), None, &given()).actor, recorded);
    }
}

/// Rules 8.1, 8.4: an agreement says what becomes of the trade, and its price only to the two parties.
#[test]
fn an_acceptance_says_what_became_of_the_trade() {
    let decision = accept(&Scene::sale().proposed_by(BUYER).0, &customer(OWNER), &ServiceFee, now()).unwrap();
    assert_eq!(names(&decision.events), ["proposal.accepted", "trade.agreed", "invoice.issued"]);
    let [accepted, agreed, _] = &decision.events[..] else { panic!("{:?}", decision.events) };
    assert_eq!(accepted.audience, Audience::Customers(vec![IdRef::Known(OWNER), IdRef::Known(BUYER)]));
    let (data, changes) = facts(accepted);
    assert_eq!((&data["amount"], &data["status"]), (&json!("250.00"), &json!("accepted")));
    assert_eq!(
        changes,
        json!({"status": {"from": "pending", "to": "accepted"}, "decided_at": {"from": null, "to": time(now())}})
    );
    assert_eq!(agreed.audience, Audience::Members);
    let (data, changes) = facts(agreed);
    let expected = json!({"trade_id": 1, "vehicle_id": 1, "service_id": 1, "customer_id": OWNER, "counterparty_id": BUYER,
        "proposal_id": 1, "status": "agreed"});
    assert_eq!(data, expected, "no terms");
    let expected = json!({"status": {"from": "open", "to": "agreed"}, "counterparty_id": {"from": null, "to": BUYER},
        "accepted_proposal_id": {"from": null, "to": 1}, "agreed_at": {"from": null, "to": time(now())},
        "invoice_id": {"from": null, "to": 110}});
    assert_eq!(changes, expected);
}

/// Rule 8.1: each step of a sale without a fee has its event, though all come at once.
#[test]
fn a_sale_without_a_fee_completes_with_all_its_events() {
    let decision = accept(&Scene::sale().fee(usd("0")).proposed_by(OWNER).0, &customer(BUYER), &ServiceFee, now()).unwrap();
    assert_eq!(names(&decision.events), ["proposal.accepted", "trade.agreed", "trade.completed", "vehicle.transferred"]);
    let (_, changes) = facts(&decision.events[2]);
    let expected = json!({"status": {"from": "agreed", "to": "completed"}, "completed_at": {"from": null, "to": time(now())}});
    assert_eq!(changes, expected);
    let moved = &decision.events[3];
    assert_eq!(moved.audience, Audience::Customers(vec![IdRef::Known(OWNER), IdRef::Known(BUYER)]));
    let expected =
        (json!({"vehicle_id": 1, "trade_id": 1, "customer_id": BUYER}), json!({"customer_id": {"from": OWNER, "to": BUYER}}));
    assert_eq!(facts(moved), expected);
    assert_eq!(decision.events[0].audience, Audience::Members, "everybody in the trade sees the owner's proposals");
}

/// Rules 4.5, 8.1: what `close_others` ends is closed, or had expired by itself.
#[test]
fn a_proposal_that_is_closed_has_an_event_unless_it_was_decided() {
    let changes = TradeChanges {
        decided: Some((id(1), ProposalState::Accepted { at: now() })),
        close_others: Some(now()),
        ..TradeChanges::default()
    };
    let event = |number, author, state, expires_at| {
        let row = lease_core::model::Proposal { state, expires_at, ..proposal(author) };
        changes.closing_event(id(OWNER), id::<ProposalId>(number), &row)
    };
    let pending = ProposalState::Pending;
    let closed = event(2, BUYER, pending, None).unwrap();
    assert_eq!((closed.event_type, closed.occurred_at, closed.actor), (EventType::ProposalClosed, None, None));
    assert_eq!(closed.audience, Audience::Customers(vec![IdRef::Known(OWNER), IdRef::Known(BUYER)]));
    let (data, _) = facts(&closed);
    assert_eq!(data, json!({"proposal_id": 2, "trade_id": 1, "customer_id": BUYER, "status": "closed"}));
    let expired = event(2, OWNER, pending, Some(at(-5))).unwrap();
    assert_eq!((expired.event_type, expired.occurred_at), (EventType::ProposalExpired, Some(at(-5))));
    assert_eq!((expired.actor, expired.audience), (Some(EventActor::System), Audience::Members));
    assert_eq!(event(1, BUYER, pending, None), None, "the decided one");
    assert_eq!(event(2, BUYER, ProposalState::Withdrawn { at: now() }, None), None);
    assert_eq!(TradeChanges::default().closing_event(id(OWNER), id(2), &proposal(BUYER)), None);
}

/// Rule 8.1: cancelling, amending, paying and voiding.
#[test]
fn the_other_changes_to_a_trade_have_their_events() {
    let (data, changes) = facts(only(&cancel(&Scene::sale().0, &staff(), &CancellationDraft::default(), now()).unwrap().events));
    assert_eq!((&data["status"], &data["reason"]), (&json!("cancelled"), &json!("")));
    let expected = json!({"status": {"from": "open", "to": "cancelled"}, "cancelled_at": {"from": null, "to": time(now())}});
    assert_eq!(changes, expected);

    let amended = |json| amend(&Scene::sale().0, &customer(OWNER), &draft::<AmendmentDraft>(json), None).unwrap().events;
    let (_, changes) = facts(only(&amended(json!({"title": "New"}))));
    assert_eq!(changes, json!({"title": {"from": "A trade", "to": "New"}}));
    assert_eq!(amended(json!({"title": "A trade"})), [], "nothing changed");

    let billed = Scene::lease().billed_to(OWNER);
    let begun = billed.clone().with_card(card(OWNER)).pay(&customer(OWNER), &json!("30")).unwrap();
    let (data, _) = facts(only(&begun.events));
    let expected = json!({"payment_id": 111, "trade_id": 1, "invoice_id": 1, "credit_card_id": 1, "customer_id": OWNER,
        "amount": "30.00", "currency": "USD", "status": "pending"});
    assert_eq!(data, expected);

    let part = billed.clone().paid_and_pending("10", "40").with_payment("40", PaymentState::Pending);
    let declined = declined("insufficient_funds");
    let failed = settle_payment(&part.0, &declined, now()).unwrap().unwrap();
    let (data, changes) = facts(only(&failed.events));
    assert_eq!((&data["status"], &data["failure_code"]), (&json!("failed"), &json!("insufficient_funds")));
    assert_eq!(changes["status"], json!({"from": "pending", "to": "failed"}));
    let paid = settle_payment(&part.0, &charged(), now()).unwrap().unwrap();
    assert_eq!(names(&paid.events), ["payment.succeeded", "invoice.updated"]);
    let expected = json!({"amount_paid": {"from": "10.00", "to": "50.00"}, "amount_due": {"from": "90.00", "to": "50.00"}});
    assert_eq!(facts(&paid.events[1]).1, expected);

    let waits = settle_payment(&part.0, &asks_payer(), now()).unwrap().unwrap();
    let (data, changes) = facts(only(&waits.events));
    assert_eq!((&data["status"], data.get("next_action")), (&json!("requires_action"), None));
    let expected =
        json!({"status": {"from": "pending", "to": "requires_action"}, "gateway_reference": {"from": null, "to": "ch_1"}});
    assert_eq!(changes, expected);
    let waiting = billed.clone().paid_and_pending("10", "40").with_payment("40", PaymentState::RequiresAction(next_action()));
    let cancelled = settle_payment(&waiting.0, &given_up(), now()).unwrap().unwrap();
    let (data, changes) = facts(only(&cancelled.events));
    assert_eq!((&data["status"], &changes["settled_at"]["to"]), (&json!("cancelled"), &time(now())));

    let voided = void(&billed.agreed().0, &staff(), &draft::<VoidDraft>(json!({"reason": "A mistake."})), now()).unwrap();
    assert_eq!(names(&voided.events), ["invoice.voided", "trade.completed"]);
    assert_eq!(facts(&voided.events[0]).0["reason"], "A mistake.");
}

/// Rules 5.7, 8.1, 8.4: a refund and its outcome, which staff and the payer see; its invoice says what was refunded.
#[test]
fn refunds_have_their_events() {
    let why = draft(json!({"reason": "duplicate", "amount": "30", "note": "Paid twice."}));
    let begun = begin_refund(&Scene::lease().with_refunded("0", "0").0, &staff(), &why, refund_key(), now()).unwrap();
    let (data, changes) = facts(only(&begun.events));
    let expected = json!({"refund_id": 113, "payment_id": 1, "trade_id": 1, "invoice_id": 1, "customer_id": OWNER,
        "amount": "30.00", "currency": "USD", "reason": "duplicate", "status": "pending"});
    assert_eq!((data, changes), (expected, json!({})));
    assert_eq!(only(&begun.events).audience, Audience::Customers(vec![IdRef::Known(OWNER)]));

    let pending = Scene::lease().with_refund("10", "30", RefundState::Pending);
    let settle = |outcome| settle_refund(&pending.0, &outcome, now()).unwrap().unwrap().events;
    let succeeded = settle(RefundOutcome::Succeeded { reference: "re_1".into() });
    assert_eq!(names(&succeeded), ["refund.succeeded", "invoice.updated"]);
    let expected = json!({"status": {"from": "pending", "to": "succeeded"}, "settled_at": {"from": null, "to": time(now())},
        "gateway_reference": {"from": null, "to": "re_1"}, "credit_note_number": {"from": null, "to": "CN-00000001"}});
    assert_eq!(facts(&succeeded[0]).1, expected);
    // Of the invoice, whose event says that it is paid still, only this changes.
    assert_eq!(facts(&succeeded[1]).1, json!({"amount_refunded": {"from": "10.00", "to": "40.00"}}));
    assert_eq!(facts(&succeeded[1]).0["status"], "paid");
    let failed = settle(RefundOutcome::Failed { failure_code: "lost_card".into(), reference: None });
    let (data, changes) = facts(only(&failed));
    assert_eq!((&data["status"], &data["failure_code"]), (&json!("failed"), &json!("lost_card")));
    assert_eq!((&changes["failure_code"]["to"], changes.get("credit_note_number")), (&json!("lost_card"), None));
}

/// Rule 8.8: a proposal expires once, by the system, at its own instant.
#[test]
fn a_proposal_that_has_expired_is_recorded_once() {
    let scene = Scene::sale().proposed_by(BUYER).expiring(at(-5));
    assert_eq!(expire(&scene.0, at(-5) - tick()), None, "not yet");
    assert_eq!(expire(&Scene::sale().proposed_by(BUYER).0, at(999)), None, "it never expires");
    for now in [at(-5), now()] {
        let expired = expire(&scene.0, now).unwrap();
        let to = ProposalState::Expired { at: at(-5) };
        assert_eq!(expired.changes, TradeChanges { decided: Some((id(1), to)), ..TradeChanges::default() });
        let event = only(&expired.events);
        assert_eq!((event.event_type, event.occurred_at), (EventType::ProposalExpired, Some(at(-5))));
        assert_eq!(event.actor, Some(EventActor::System));
        let (_, changes) = facts(event);
        let expected = json!({"status": {"from": "pending", "to": "expired"}, "decided_at": {"from": null, "to": time(at(-5))}});
        assert_eq!(changes, expected);
        assert_eq!(expire(&scene.clone().decided(to).0, now), None, "it is recorded");
    }
    assert_eq!(expire(&scene.clone().decided(ProposalState::Withdrawn { at: at(-9) }).0, now()), None);
    assert_eq!(expire(&Scene::sale().0, now()), None, "there is no proposal");
}

/// Rule 8.8: an invoice falls overdue once, by the system, at the midnight after its due date.
#[test]
fn an_invoice_that_fell_overdue_is_recorded_once() {
    let midnight = day(15).and_hms_opt(0, 0, 0).unwrap().and_utc();
    let mut scene = Scene::lease().billed_to(OWNER).paid_and_pending("30", "20");
    assert_eq!(record_overdue(&scene.0, midnight - tick()), None, "not yet");
    let overdue = record_overdue(&scene.0, midnight).unwrap();
    assert_eq!(record_overdue(&scene.0, midnight + tick()).unwrap(), overdue, "the same, whenever it is recorded");
    let event = only(&overdue.events);
    assert_eq!((event.event_type, event.occurred_at), (EventType::InvoiceOverdue, Some(midnight)));
    assert_eq!((event.actor, &event.audience), (Some(EventActor::System), &Audience::Customers(vec![IdRef::Known(OWNER)])));
    let (data, changes) = facts(event);
    let expected = json!({"invoice_id": 1, "trade_id": 1, "proposal_id": 1, "customer_id": OWNER, "amount": "100.00",
        "currency": "USD", "amount_due": "70.00", "due_date": day(14).to_string(), "status": "open"});
    assert_eq!((data, changes), (expected, json!({"is_overdue": {"from": false, "to": true}})));

    let before = scene.invoice().clone();
    scene.0.apply(&overdue.changes, NewIds::default());
    assert_eq!(scene.invoice().overdue_at, Some(midnight));
    assert_eq!(lease_core::model::Invoice { overdue_at: None, ..scene.invoice().value.clone() }, before.value);
    assert_eq!(record_overdue(&scene.0, midnight), None, "it is recorded");
    assert_eq!(record_overdue(&Scene::lease().billed_to(OWNER).voided().0, midnight), None);
    assert_eq!(record_overdue(&Scene::lease().billed_to(OWNER).paid_and_pending("100", "0").0, midnight), None);
    assert_eq!(record_overdue(&Scene::lease().0, midnight), None, "there is no invoice");
}

/// Rules 5.3, 8.8: a due date that moves into the future takes the mark back, so that the invoice may fall overdue again.
#[test]
fn a_moved_due_date_takes_the_mark_back_if_it_is_overdue_no_longer() {
    let midnight = day(15).and_hms_opt(0, 0, 0).unwrap().and_utc();
    let billed = Scene::lease().billed_to(OWNER);
    let moved = |scene: &Scene, to: u64| {
        move_due_date(&scene.0, &staff(), &draft(json!({"due_date": day(to).to_string()})), midnight).unwrap()
    };
    let mut later = billed.clone();
    let decision = moved(&later, 15);
    assert_eq!(names(&decision.events), ["invoice.overdue", "invoice.updated"]);
    let expected = json!({"is_overdue": {"from": true, "to": false},
        "due_date": {"from": day(14).to_string(), "to": day(15).to_string()}});
    assert_eq!(facts(&decision.events[1]).1, expected);
    later.0.apply(&decision.changes, NewIds::default());
    assert_eq!(later.invoice().overdue_at, None);
    assert_eq!(record_overdue(&later.0, midnight), None);
    let again = record_overdue(&later.0, day(16).and_hms_opt(0, 0, 0).unwrap().and_utc()).unwrap();
    assert_eq!(names(&again.events), ["invoice.overdue"]);

    let earlier = moved(&billed, 13);
    assert_eq!(names(&earlier.events), ["invoice.overdue", "invoice.updated"]);
    assert_eq!(earlier.invoice.as_ref().unwrap().overdue_at, Some(midnight), "it stays overdue");
}

/// Rule 8.8: whoever touches an overdue invoice first records that it is overdue, unless that is recorded.
#[test]
fn an_act_on_an_overdue_invoice_comes_after_its_falling_overdue() {
    let midnight = day(15).and_hms_opt(0, 0, 0).unwrap().and_utc();
    let billed = Scene::lease().billed_to(OWNER);
    let paying = billed.clone().with_card(card(OWNER));
    let pending = billed.clone().paid_and_pending("60", "40").with_payment("40", PaymentState::Pending);
    let reason = draft::<VoidDraft>(json!({"reason": "A mistake."}));
    let declined = declined("expired_card");
    let acts = |at: DateTime<Utc>, marked: bool| {
        let of = |scene: &Scene| {
            let mut scene = scene.clone();
            scene.0.invoice.as_mut().unwrap().value.overdue_at = marked.then_some(midnight);
            scene
        };
        [
            of(&paying).pay_under(&Policy::default(), &customer(OWNER), &json!("30"), at).unwrap(),
            settle_payment(&of(&pending).0, &declined, at).unwrap().unwrap(),
            settle_payment(&of(&pending).0, &charged(), at).unwrap().unwrap(),
            void(&of(&billed).0, &staff(), &reason, at).unwrap(),
            write_off(&of(&billed).0, &staff(), &draft(json!({"reason": "Hopeless."})), at).unwrap(),
        ]
    };
    let own: [&[&str]; 5] = [
        &["payment.begun"],
        &["payment.failed"],
        &["payment.succeeded", "invoice.paid"],
        &["invoice.voided"],
        &["invoice.written_off"],
    ];
    for (decision, expected) in acts(midnight - tick(), false).iter().zip(own) {
        assert_eq!((names(&decision.events), decision.invoice.as_ref().unwrap().overdue_at), (expected.to_vec(), None));
    }
    for (decision, expected) in acts(midnight, true).iter().zip(own) {
        assert_eq!((names(&decision.events), decision.invoice.as_ref().unwrap().overdue_at), (expected.to_vec(), Some(midnight)));
    }
    for (decision, expected) in acts(midnight, false).iter().zip(own) {
        assert_eq!(names(&decision.events), [&["invoice.overdue"], expected].concat());
        assert_eq!(decision.events[0].occurred_at, Some(midnight));
        assert_eq!(decision.invoice.as_ref().unwrap().overdue_at, Some(midnight));
        let closing = decision.events.iter().find(|event| {
            decision.invoice.as_ref().unwrap().state != InvoiceState::Open
                && event.event_type.subject_kind() == SubjectKind::Invoice
                && event.event_type != EventType::InvoiceOverdue
        });
        if let Some(closing) = closing {
            assert_eq!(facts(closing).1["is_overdue"], json!({"from": true, "to": false}));
        }
    }
}

fn registered() -> Vec<Event> {
    let json = json!({"username": "eve", "email": "eve@example.com", "first_name": "Eve", "last_name": "M",
        "password": "plum-Tractor-94-west", "password2": "plum-Tractor-94-west"});
    let registrant = check_registration(&draft::<RegistrationDraft>(json), &free(), now().date_naive()).unwrap();
    let hash = PasswordHash::from_phc("a-hash-that-is-secret".into());
    registrant.into_new_account(hash, Some((TokenHash([7; 32]), at(60))), now()).events
}

fn updated(json: Value, role: Role, actor: &Actor) -> CheckedUpdate {
    let row: Versioned<AccountSnapshot> = account_snapshot(OWNER, role);
    check_update(&row, actor, &draft::<UserDraft>(json), PATCH, &free(), Presented::default(), now()).unwrap()
}

/// Rule 8.1: users and their tokens.
#[test]
fn accounts_have_their_events() {
    let events = registered();
    assert_eq!(names(&events), ["user.registered", "token.created"]);
    assert_eq!(
        facts(&events[0]).0,
        json!({"user_id": 101, "customer_id": 102, "is_active": true, "is_staff": false, "is_superuser": false})
    );
    assert_eq!((&events[0].audience, &events[1].audience), (&Audience::User(NewRow::User.into()), &events[0].audience));
    assert_eq!(events[1].subject, Some(NewRow::Token.into()));
    let of_token = |user: i64, name| json!({"token_id": 112, "user_id": user, "name": name, "expires_at": time(at(60))});
    assert_eq!(facts(&events[1]).0, of_token(101, "registration"));

    let renamed = updated(json!({"first_name": "New"}), Role::Customer, &customer(OWNER)).into_decision(None);
    let (data, changes) = facts(only(&renamed.events));
    assert_eq!(data, json!({"user_id": user_id(OWNER).get(), "customer_id": OWNER}));
    assert_eq!(changes.as_object().unwrap().keys().collect::<Vec<_>>(), ["first_name"]);
    assert_eq!(updated(json!({}), Role::Customer, &customer(OWNER)).into_decision(None).events, [], "nothing changed");

    let promoted = updated(json!({"is_staff": true}), Role::Customer, &superuser()).into_decision(None);
    let (_, changes) = facts(only(&promoted.events));
    assert_eq!(changes, json!({"is_staff": {"from": false, "to": true}, "customer_id": {"from": OWNER, "to": null}}));
    let demoted = updated(json!({"is_staff": false}), Role::Staff, &superuser()).into_decision(None);
    let (_, changes) = facts(only(&demoted.events));
    assert_eq!(changes, json!({"is_staff": {"from": true, "to": false}, "customer_id": {"from": null, "to": 102}}));

    let closed = deactivate(&account_snapshot(OWNER, Role::Customer), &staff(), now()).unwrap();
    assert_eq!(names(&closed.events), ["user.deactivated", "token.revoked"]);
    assert_eq!(facts(&closed.events[0]).1, json!({"is_active": {"from": true, "to": false}}));
    let all = revoke_tokens(&account_snapshot(OWNER, Role::Customer), &customer(OWNER), now()).unwrap();
    assert_eq!(facts(only(&all.events)).0, json!({"user_id": user_id(OWNER).get(), "tokens": "all"}));
    assert_eq!(only(&all.events).subject, None, "several have no id");
    let one = revoke_token(&stored(5, token(OWNER)), &customer(OWNER)).unwrap();
    let expected = json!({"token_id": 5, "user_id": user_id(OWNER).get(), "name": "Backup", "tokens": "one"});
    assert_eq!((facts(only(&one.events)).0, only(&one.events).subject), (expected, Some(IdRef::Known(5))));

    let login = log_in(&account(OWNER, Role::Customer), TokenHash([7; 32]), TokenUse::Api, at(60), None, now());
    assert_eq!(names(&login.events), ["user.logged_in", "token.created"]);
    let by_the_user = EventActor::User { user_id: user_id(OWNER), customer_id: Some(id(OWNER)), is_staff: false };
    assert!(login.events.iter().all(|event| event.actor == Some(by_the_user)));
    assert_eq!(facts(&login.events[0]).1["last_login"]["to"], time(now()));
    assert_eq!(facts(&login.events[1]).0, of_token(user_id(OWNER).get(), "login"));

    let session = Session { actor: customer(OWNER), token: stored(5, token(OWNER)) };
    let asked = draft(json!({"name": "Backup"}));
    let ttl = chrono::Duration::seconds(60);
    let created = create_token(&session, &customer(OWNER), &asked, TokenHash([7; 32]), ttl, now()).unwrap();
    assert_eq!(facts(only(&created.events)).0, of_token(user_id(OWNER).get(), "Backup"));
    assert_eq!(only(&created.events).subject, Some(NewRow::Token.into()));
}

/// Rule 8.1: cards, and those that begin or stop to be the default because of another one.
#[test]
fn cards_have_their_events() {
    let asked: CardDraft = draft(
        json!({"number": "4242424242424242", "cvc": "731", "exp_month": 12, "exp_year": 2030, "holder_name": "Ada", "is_default": true}),
    );
    let checked = check_card(&customer(OWNER), &asked, &takes_numbers(), now().date_naive()).unwrap();
    let wallet = |card, newest_other, default_other| first(Wallet { customer_id: id(OWNER), card, newest_other, default_other });
    let token = CardToken::new("tok_that_is_secret".into());
    let events =
        store_card(&wallet(None, Some(id(2)), Some(id(2))), &checked.tokenized(token), checked.wants_default, now()).events;
    assert_eq!(names(&events), ["credit_card.added", "credit_card.updated"]);
    let expected = json!({"credit_card_id": 103, "customer_id": OWNER, "brand": "visa", "last4": "4242", "is_default": true});
    assert_eq!(facts(&events[0]).0, expected);
    let replaced = facts(&events[1]);
    assert_eq!(replaced.0["credit_card_id"], 2);
    assert_eq!(replaced.1, json!({"is_default": {"from": true, "to": false}}));

    let own = wallet(Some(stored(1, card(OWNER))), None, None);
    let update = |json| update_card(&own, &customer(OWNER), &draft(json), PATCH, now().date_naive()).unwrap().events;
    assert_eq!(facts(only(&update(json!({"holder_name": "Eve"})))).1["holder_name"]["to"], "Eve");
    assert_eq!(update(json!({})), [], "nothing changed");
    let default = lease_core::model::CreditCard { is_default: true, ..card(OWNER) };
    let events = delete_card(&wallet(Some(stored(1, default)), Some(id(2)), None), &customer(OWNER), now()).unwrap().events;
    assert_eq!(names(&events), ["credit_card.deleted", "credit_card.updated"]);
    assert_eq!(facts(&events[1]).1, json!({"is_default": {"from": false, "to": true}}));
}

/// Rule 8.1: vehicles and services.
#[test]
fn vehicles_and_services_have_their_events() {
    let json = json!({"vin": "1HGCM82633A004352", "make": "Honda", "model": "Accord", "year": 2003});
    let created = create_vehicle(&customer(OWNER), &draft::<VehicleDraft>(json), TakenBy::default(), now()).unwrap();
    assert_eq!(facts(only(&created.events)).0, json!({"vehicle_id": 106, "customer_id": OWNER}));
    let update =
        |json| update_vehicle(&vehicle_snapshot(), &staff(), &draft(json), PATCH, TakenBy::default(), now()).unwrap().events;
    assert_eq!(facts(only(&update(json!({"mileage": 7})))).1, json!({"mileage": {"from": 10_000, "to": 7}}));
    assert_eq!(update(json!({})), [], "nothing changed");

    let first_two = standard_services(usd("49"), usd("199")).events;
    let ids: Vec<_> = first_two.iter().map(|event| facts(event).0["service_id"].clone()).collect();
    assert_eq!((ids, &first_two[0].audience), (vec![json!(107), json!(108)], &Audience::Staff));
    let new = json!({"name": "Rent", "kind": "lease", "amount": "49.00", "currency": "USD"});
    let created = create_service(&staff(), &draft::<ServiceDraft>(new)).unwrap();
    assert_eq!(facts(only(&created.events)).0, json!({"service_id": 107, "kind": "lease", "amount": "49.00", "currency": "USD"}));
    let both = json!({"name": "Let", "is_active": false});
    let service = stored_service(ServiceKind::Lease);
    let events = update_service(&service, &staff(), &draft(both), PATCH).unwrap().events;
    assert_eq!(names(&events), ["service.updated", "service.deactivated"]);
    assert_eq!(facts(&events[0]).1.as_object().unwrap().keys().collect::<Vec<_>>(), ["name"]);
    assert_eq!(facts(&events[1]).1, json!({"is_active": {"from": true, "to": false}}));
    assert_eq!(names(&deactivate_service(&service, &staff()).unwrap().events), ["service.deactivated"]);
    let mut gone = service;
    gone.value.value.is_active = false;
    assert_eq!(deactivate_service(&gone, &staff()).unwrap().events, [], "nothing changed");
}

/// Rules 6.4, 8.1, 8.4: a contact is its customer's; a lead, and what is of a lead, is the company's alone.
#[test]
fn contacts_and_leads_have_their_events() {
    let phone = || draft(json!({"phone": "1", "customer_id": OWNER}));
    let created = create_contact(&staff(), &phone(), true, now()).unwrap();
    assert_eq!(facts(only(&created.events)).0, json!({"contact_id": null, "customer_id": OWNER, "lead_id": null}));
    let contact = first(stored(1, created.changes.value().unwrap().clone()));
    let moved = update_contact(&contact, &staff(), &draft(json!({"lead_id": 5})), PATCH, true).unwrap();
    let event = only(&moved.events);
    assert_eq!(facts(event).0, json!({"contact_id": 1, "customer_id": null, "lead_id": 5}));
    assert_eq!(facts(event).1, json!({"customer_id": {"from": OWNER, "to": null}, "lead_id": {"from": null, "to": 5}}));
    assert_eq!(event.audience, Audience::Customers(vec![IdRef::Known(OWNER)]), "whose it was");
    let of_lead = first(stored(1, moved.changes.value().unwrap().clone()));
    let deleted = delete_contact(&of_lead, &staff()).unwrap();
    assert_eq!((names(&deleted.events), &deleted.events[0].audience), (vec!["contact.deleted"], &Audience::Staff));

    let created = create_lead(&staff(), &draft(json!({"company": "ACME"})), now()).unwrap();
    assert_eq!(facts(only(&created.events)).0, json!({"lead_id": null, "customer_id": null, "status": "new"}));
    let lead = first(stored(1, created.changes.lead.value().unwrap().clone()));
    let updated = update_lead(&lead, &staff(), &draft(json!({"status": "lost"})), PATCH).unwrap();
    assert_eq!(facts(only(&updated.events)).1, json!({"status": {"from": "new", "to": "lost"}}));
    let converted = convert_lead(&lead, &staff(), &draft(json!({"customer_id": OWNER})), true).unwrap();
    let (data, changes) = facts(only(&converted.events));
    assert_eq!(data, json!({"lead_id": 1, "customer_id": OWNER, "status": "converted"}));
    assert_eq!(changes["customer_id"], json!({"from": null, "to": OWNER}));
    assert_eq!(names(&delete_lead(&lead, &staff()).unwrap().events), ["lead.deleted"]);
}

/// Rules 3.7, 5.6, 8.2: a changed secret is null on both sides, and nothing else of it is in an event.
#[test]
fn events_show_no_secret() {
    let password = "plum-Tractor-94-west";
    let hash = PasswordHash::from_phc("another-hash-that-is-secret".into());
    let changed = updated(json!({"password": password}), Role::Customer, &customer(OWNER)).into_decision(Some(hash));
    assert_eq!(names(&changed.events), ["user.password_changed", "token.revoked"]);
    assert_eq!(facts(&changed.events[0]).1, json!({"password": {"from": null, "to": null}}));
    let asked: CardDraft =
        draft(json!({"number": "4242424242424242", "cvc": "731", "exp_month": 12, "exp_year": 2030, "holder_name": "Ada"}));
    let checked = check_card(&customer(OWNER), &asked, &takes_numbers(), now().date_naive()).unwrap();
    let wallet = first(Wallet { customer_id: id(OWNER), card: None, newest_other: None, default_other: None });
    let added =
        store_card(&wallet, &checked.tokenized(CardToken::new("tok_that_is_secret".into())), checked.wants_default, now());
    let login = log_in(&account(OWNER, Role::Customer), TokenHash([0xAB; 32]), TokenUse::Api, at(60), None, now());
    let secrets = [password, "that-is-secret", "that_is_secret", "4242424242424242", "731", "abab", "171, 171"];
    for event in registered().iter().chain(&changed.events).chain(&added.events).chain(&login.events) {
        let record = event.record(&customer(OWNER), now(), None, &given());
        let text = format!("{event:?} {} {}", Value::from(record.data), Value::from(record.changes));
        for secret in secrets {
            assert!(!text.contains(secret), "{text} shows {secret}");
        }
    }
}
