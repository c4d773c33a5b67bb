//! Unusual times: summer time, leap days, and the ends of months, years and the calendar. The two sides of each deadline are
//! tested with its rule, and for lists by the conformance suite.

use chrono::{DateTime, NaiveDate, Utc};
use lease_core::account::{ProfileDraft, update_profile};
use lease_core::clock::{Clock, ManualClock, last_instant};
use lease_core::invoicing::ServiceFee;
use lease_core::lifecycle::{accept, reject, withdraw};
use lease_core::model::{Annotations, BillTo, CreditCard, Customer, InvoiceOn, Period, Profile, Proposal};
use lease_core::policy::{LatePayments, Policy};
use serde_json::json;

use crate::support::*;

fn days(start: &str, end: &str) -> Option<Period> {
    Period::new(date(start), date(end))
}

/// The result of proposing terms that expire at this instant, at [`now`].
fn expiring(text: &str) -> Result<Option<DateTime<Utc>>, Vec<&'static str>> {
    let response = Scene::sale().propose(&customer(OWNER), json!({"amount": 1, "expires_at": text}));
    match response {
        Ok(decision) => Ok(decision.changes.new_proposal.unwrap().expires_at),
        wrong => Err(wrong_fields(wrong)),
    }
}

/// Chapter 1: an instant needs only an offset. An hour that a clock skips or shows twice is unambiguous.
#[test]
fn summer_time_has_no_effect() {
    for (text, utc) in [
        // 02:30 does not exist on this day in Berlin, but with its offset it is an instant.
        ("2026-03-29T02:30:00+02:00", "2026-03-29T00:30:00Z"),
        ("2026-03-29T02:30:00+01:00", "2026-03-29T01:30:00Z"),
        // On this day it exists twice.
        ("2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00Z"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00Z"),
        ("2026-12-31T23:30:00-01:00", "2027-01-01T00:30:00Z"),
    ] {
        assert_eq!(expiring(text), Ok(Some(instant(utc))), "{text}");
    }
}

/// Rule 4.5: instants are cut to microseconds before they are checked.
#[test]
fn less_than_a_microsecond_after_now_is_now() {
    assert_eq!(now(), instant("2026-03-02T12:00:00.123456Z"));
    for (text, expected) in [
        ("2026-03-02T12:00:00.1234559Z", Err(vec!["expires_at"])),
        ("2026-03-02T12:00:00.123456999Z", Err(vec!["expires_at"])),
        ("2026-03-02T12:00:00.1234570001Z", Ok(Some(now() + tick()))),
    ] {
        assert_eq!(expiring(text), expected, "{text}");
    }
}

/// Chapter 1: years have four digits.
#[test]
fn the_calendar_ends_with_the_year_9999() {
    assert_eq!(expiring("9999-12-31T23:59:59.9999999Z"), Ok(Some(last_instant())));
    assert_eq!(expiring("9999-12-31T00:00:00+14:00"), Ok(Some(instant("9999-12-30T10:00:00Z"))));
    for beyond in ["10000-01-01T00:00:00Z", "+10000-01-01T00:00:00Z", "9999-12-31T23:59:59-00:01", "-0001-01-01T00:00:00Z"] {
        assert_eq!(expiring(beyond), Err(vec!["expires_at"]), "{beyond}");
    }
    assert_eq!(last_instant().to_rfc3339(), "9999-12-31T23:59:59.999999+00:00");
}

/// Rule 5.2: an invoice that is due on the last day of the calendar is never late.
#[test]
fn on_the_last_day_everything_still_works() {
    let scene = Scene::sale().proposed_by(OWNER);
    let invoice = accept(&scene.0, &customer(BUYER), &ServiceFee, last_instant()).unwrap().changes.new_invoice.unwrap();
    assert_eq!((invoice.issued_at, invoice.due_date), (last_instant(), date("9999-12-31")));
    let refuse = Policy::default().with_late_payments(LatePayments::Reject);
    let mut scene = Scene::lease().billed_to(OWNER).with_card(CreditCard { exp_year: 9999, ..card(OWNER) });
    scene.0.invoice.as_mut().unwrap().value.due_date = date("9999-12-31");
    assert_eq!(code(scene.pay_under(&refuse, &customer(OWNER), &json!(null), last_instant())), "ok");
}

/// Rule 4.5: the last microsecond of a proposal and the first one after it, for everybody who may decide.
#[test]
fn a_proposal_ends_at_its_instant_for_everybody() {
    for text in ["2028-02-29T00:00:00Z", "2026-03-29T01:00:00Z", "2027-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"] {
        let end = instant(text);
        let (offered, countered) =
            (Scene::sale().proposed_by(OWNER).expiring(end).0, Scene::sale().proposed_by(BUYER).expiring(end).0);
        let (owner, buyer) = (customer(OWNER), customer(BUYER));
        for (at, expected) in [(end - tick(), "ok"), (end, "proposal_expired"), (end + tick(), "proposal_expired")] {
            assert_eq!(code(accept(&offered, &buyer, &ServiceFee, at)), expected, "{at}");
            assert_eq!(code(accept(&countered, &owner, &ServiceFee, at)), expected, "{at}");
            assert_eq!(code(reject(&countered, &owner, at)), expected, "{at}");
            assert_eq!(code(withdraw(&offered, &owner, at)), expected, "{at}");
        }
    }
}

/// Rules 5.2, 5.4: an invoice is payable in time until the end of its due date, also on a leap day and at the end of a month or
/// year.
#[test]
fn a_due_day_lasts_to_its_midnight() {
    for due in ["2028-02-29", "2027-02-28", "2026-04-30", "2026-12-31", "2026-03-29"] {
        let mut scene = Scene::lease().billed_to(OWNER).with_card(card(OWNER));
        scene.0.invoice.as_mut().unwrap().value.due_date = date(due);
        let midnight = (date(due) + chrono::Days::new(1)).and_hms_opt(0, 0, 0).unwrap().and_utc();
        for (at, is_late) in [(midnight - tick(), false), (midnight, true), (midnight + tick(), true)] {
            assert_eq!(scene.invoice().is_overdue(at), is_late, "{at}");
            assert_eq!(scene.invoice().due_until() <= at, is_late, "{at}");
            let begun = scene.pay_under(&Policy::default(), &customer(OWNER), &json!(null), at).unwrap().changes;
            assert_eq!(begun.new_payment.unwrap().is_late, is_late, "{at}");
        }
    }
}

/// Rule 5.4: a card is valid until the last microsecond of its month, however long that is.
#[test]
fn a_card_is_valid_through_the_last_day_of_its_month() {
    for (year, month, midnight) in
        [(2028, 2, "2028-03-01"), (2027, 2, "2027-03-01"), (2026, 4, "2026-05-01"), (2026, 12, "2027-01-01")]
    {
        let card = CreditCard { exp_year: year, exp_month: month, ..card(OWNER) };
        let midnight = date(midnight).and_hms_opt(0, 0, 0).unwrap().and_utc();
        assert!(card.is_usable((midnight - tick()).date_naive()), "{midnight}");
        assert!(!card.is_usable(midnight.date_naive()), "{midnight}");
    }
    assert!(CreditCard { exp_year: 9999, ..card(OWNER) }.is_usable(last_instant().date_naive()));
}

/// Rule 4.10: the end is not included, also on a leap day.
#[test]
fn days_that_touch_do_not_overlap() {
    let leap = days("2028-02-01", "2028-02-29").unwrap();
    assert!(!leap.overlaps(days("2028-02-29", "2028-03-01").unwrap()), "the 29th is the next one's");
    assert!(leap.overlaps(days("2028-02-28", "2028-02-29").unwrap()));
    assert!(!days("2026-12-01", "2027-01-01").unwrap().overlaps(days("2027-01-01", "2027-01-02").unwrap()));
    assert_eq!(days("2028-02-29", "2028-02-29"), None, "no day at all");
    assert!(days("0001-01-01", "9999-12-31").unwrap().overlaps(leap));
    let terms = |start: &str, end: &str| {
        let scene = Scene::custom(InvoiceOn::Acceptance, BillTo::Owner);
        scene
            .propose(&customer(OWNER), json!({"amount": 1, "start_date": start, "end_date": end}))
            .map(|decision| decision.changes.new_proposal)
    };
    let made = terms("2028-02-29", "2028-03-01").unwrap();
    assert_eq!(made.and_then(|proposal: Proposal| proposal.period), days("2028-02-29", "2028-03-01"));
    assert_eq!(wrong_fields(terms("2027-02-29", "2027-03-01")), ["start_date"], "no leap year");
    assert_eq!(wrong_fields(terms("2027-02-01", "10000-01-01")), ["end_date"]);
}

/// Rule 6.1: the day before, of and after a birth, at both ends of a day.
#[test]
fn a_date_of_birth_lies_before_today() {
    let row = first(stored(
        OWNER,
        Customer { user_id: user_id(OWNER), profile: Profile::default(), created_at: now(), annotations: Annotations::default() },
    ));
    let is_taken = |born: &str, today: NaiveDate| {
        update_profile(&row, &customer(OWNER), &draft::<ProfileDraft>(json!({"dob": born})), None, today).is_ok()
    };
    let midnight = instant("2028-03-01T00:00:00Z");
    assert!(!is_taken("2028-02-29", (midnight - tick()).date_naive()), "today");
    assert!(is_taken("2028-02-29", midnight.date_naive()), "yesterday");
    assert!(!is_taken("2028-03-02", midnight.date_naive()), "tomorrow");
    assert!(is_taken("0001-01-01", midnight.date_naive()));
}

/// The clock for tests returns only instants that every backend can store, and stops at the end of the calendar.
#[test]
fn a_manual_clock_shows_microseconds() {
    let clock = ManualClock::at(instant("2026-03-29T00:59:59.9999999Z"));
    assert_eq!(clock.now(), instant("2026-03-29T00:59:59.999999Z"));
    clock.advance(tick());
    assert_eq!(clock.now(), instant("2026-03-29T01:00:00Z"), "no hour is skipped");
    clock.set(instant("2028-02-28T12:00:00.0000019Z"));
    clock.advance(chrono::Duration::days(1));
    assert_eq!(clock.now(), instant("2028-02-29T12:00:00.000001Z"));
    clock.set(last_instant());
    clock.advance(chrono::Duration::MAX);
    assert_eq!(clock.now(), last_instant());
}
