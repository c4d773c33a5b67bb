//! Notices by mail, and when mails are sent: rules 9.3 to 9.5.

use chrono::TimeDelta;
use lease_core::event::{EventActor, EventRecord, EventType};
use lease_core::id::{CustomerId, Stored};
use lease_core::mail::{
    MailError, Notice, NoticeTo, address, after_try, ask_for_password_reset, ask_for_verification, greeted_as, notices,
    present_facts, told_at, trade_to_read,
};
use lease_core::model::{
    Account, InvoiceState, LinkHash, LinkPurpose, Mail, MailKind, MailLink, MailRecipient, MailState, NoticeSettings,
    RefundState, Role,
};
use lease_core::permission::Actor;
use lease_core::policy::Policy;
use lease_core::repository::TradeKey;
use serde_json::{Map, Value, json};
use strum::VariantArray as _;

use crate::support::*;

fn happened(event_type: EventType, data: Value, changes: Value) -> Stored<EventRecord> {
    let map = |json| match json {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    let record = EventRecord {
        event_type,
        occurred_at: now(),
        actor: EventActor::System,
        request_id: None,
        subject_id: Some(5),
        trade_id: Some(id(1)),
        data: map(data),
        changes: map(changes),
    };
    stored(77, record)
}

fn by(actor: &Actor, mut event: Stored<EventRecord>) -> Stored<EventRecord> {
    event.value.actor = actor.into();
    event
}

fn told(event: &Stored<EventRecord>, scene: &Scene) -> Vec<Notice> {
    notices(event, Some(&scene.0), &Policy::default(), now())
}

fn to_customer(number: i64) -> MailRecipient {
    MailRecipient::Customer(id::<CustomerId>(number))
}

fn proposal_event(event_type: EventType, author: i64) -> Stored<EventRecord> {
    happened(event_type, json!({"customer_id": author}), json!({}))
}

/// Rule 9.5: a bid is told to the owner; the owner's proposal to all who take part, but not to the owner.
#[test]
fn a_proposal_is_told_to_the_other_side() {
    let of = |author| {
        let [notice] = <[Notice; 1]>::try_from(told(
            &proposal_event(EventType::ProposalMade, author),
            &Scene::lease().proposed_by(author).dated(period(30, 60)),
        ))
        .unwrap();
        assert_eq!((notice.mail.kind, notice.mail.event_id), (MailKind::ProposalMade, Some(id(77))));
        assert_eq!(notice.mail.state, MailState::Pending { next_attempt_at: now() });
        notice
    };
    let bid = of(BUYER);
    assert_eq!((bid.to, bid.mail.recipient), (NoticeTo::Recipient, to_customer(OWNER)));
    let facts = json!({
        "trade_id": 1, "trade_title": "A trade", "vehicle": "2020 Skoda Octavia", "proposal_id": 1, "kind": "lease",
        "amount": "250.00", "currency": "USD", "by_owner": false,
        "start_date": period(30, 60).start().to_string(), "end_date": period(30, 60).end().to_string(),
    });
    assert_eq!(Value::from(bid.mail.facts), facts);
    let offer = of(OWNER);
    assert_eq!(
        (offer.to, &offer.mail.facts["by_owner"]),
        (NoticeTo::EarlierProposers { trade: id(1), proposal: id(1), owner: id(OWNER) }, &json!(true))
    );
}

/// Rule 9.5: the author of a proposal learns what became of it, unless they did it themselves.
#[test]
fn an_author_learns_what_others_do_with_the_proposal() {
    let scene = Scene::sale().proposed_by(BUYER);
    for (event_type, kind) in [
        (EventType::ProposalAccepted, MailKind::ProposalAccepted),
        (EventType::ProposalRejected, MailKind::ProposalRejected),
        (EventType::ProposalClosed, MailKind::ProposalClosed),
    ] {
        let event = proposal_event(event_type, BUYER);
        let found = told(&by(&customer(OWNER), event.clone()), &scene);
        assert_eq!(found.iter().map(|notice| notice.mail.kind).collect::<Vec<_>>(), [kind]);
        assert_eq!(found[0].mail.recipient, to_customer(BUYER));
        assert_eq!(told(&by(&customer(BUYER), event.clone()), &scene), []);
        assert_eq!(trade_to_read(&event), Some(TradeKey::Proposal(id(5))));
    }
}

/// Rule 9.5: an invoice is told when it is issued, three days before it is due, and when it is overdue.
#[test]
fn an_invoice_is_told_three_times() {
    let scene = Scene::lease().billed_to(OWNER);
    let issued = told(&happened(EventType::InvoiceIssued, json!({"due_date": day(14).to_string()}), json!({})), &scene);
    let mails: Vec<_> = issued.iter().map(|notice| (notice.mail.kind, notice.mail.state)).collect();
    let soon = day(11).and_time(chrono::NaiveTime::MIN).and_utc();
    let pending = |next_attempt_at| MailState::Pending { next_attempt_at };
    assert_eq!(mails, [(MailKind::InvoiceIssued, pending(now())), (MailKind::InvoiceDueSoon, pending(soon))]);
    assert!(issued.iter().all(|notice| notice.mail.recipient == to_customer(OWNER)));
    assert_eq!(issued[0].mail.facts["number"], "INV-00000001");
    assert_eq!(issued[0].mail.facts["due_date"], day(14).to_string());
    assert_eq!(issued[0].mail.facts["amount_due"], "100.00");

    let overdue = told(&happened(EventType::InvoiceOverdue, json!({}), json!({})), &scene);
    assert_eq!(overdue.iter().map(|notice| notice.mail.kind).collect::<Vec<_>>(), [MailKind::InvoiceOverdue]);
}

/// Rule 9.5: another due date is told three days before that, and one that comes sooner is not told again.
#[test]
fn another_due_date_is_told_again() {
    let moved_to = |days| {
        let change = json!({"due_date": {"from": "2026-01-01", "to": day(days).to_string()}});
        happened(EventType::InvoiceUpdated, json!({}), change)
    };
    let due_in = |moved: u64, days| {
        let mut scene = Scene::lease().billed_to(OWNER);
        scene.0.invoice.as_mut().unwrap().value.due_date = day(days);
        told(&moved_to(moved), &scene).into_iter().map(|notice| notice.mail.kind).collect::<Vec<_>>()
    };
    assert_eq!(due_in(4, 4), [MailKind::InvoiceDueSoon]);
    assert_eq!(due_in(3, 3), []);
    assert_eq!(due_in(4, 20), [], "it was moved again, which has an event of its own");
    let moved = moved_to(4);
    let paid = happened(EventType::InvoiceUpdated, json!({}), json!({"amount_paid": {"from": "0.00", "to": "1.00"}}));
    assert_eq!((trade_to_read(&paid), trade_to_read(&moved)), (None, Some(TradeKey::Invoice(id(5)))));
}

/// Rule 9.5: the payer learns of payments and refunds.
#[test]
fn a_payer_learns_of_payments_and_refunds() {
    let mut scene = Scene::lease().billed_to(OWNER);
    scene.0.payment = Some((stored(1, payment(OWNER, "100.00")), stored(1, card(OWNER))));
    scene.0.refund =
        Some(stored(2, lease_core::model::Refund { state: RefundState::Succeeded { at: now() }, ..refund(OWNER, "40.00") }));
    for (event_type, kind, amount) in [
        (EventType::PaymentSucceeded, MailKind::PaymentReceived, "100.00"),
        (EventType::PaymentFailed, MailKind::PaymentFailed, "100.00"),
        (EventType::RefundSucceeded, MailKind::PaymentRefunded, "40.00"),
    ] {
        let event = happened(event_type, json!({"failure_code": "card_declined"}), json!({}));
        let [notice] = <[Notice; 1]>::try_from(told(&event, &scene)).unwrap();
        assert_eq!((notice.mail.kind, &notice.mail.facts["amount"]), (kind, &json!(amount)));
        assert_eq!(notice.mail.recipient, to_customer(OWNER));
    }
}

/// Rules 9.3 and 9.4: a new password is told to its user, and a new address to the old one, without all of the new one.
#[test]
fn a_user_learns_of_a_new_password_and_a_new_address() {
    let told = |event_type, changes, policy: &Policy| {
        let found = notices(&happened(event_type, json!({}), changes), None, policy, now());
        found.into_iter().map(|notice| (notice.mail.kind, notice.mail.recipient, notice.mail.facts)).collect::<Vec<_>>()
    };
    let (default, strict) = (Policy::default(), Policy::default().with_require_verified_email(true));
    let user = MailRecipient::User(id(5));
    let changed = told(EventType::UserPasswordChanged, json!({"password": {"from": null, "to": null}}), &default);
    assert_eq!(changed, [(MailKind::PasswordChanged, user.clone(), Map::new())]);

    let address = json!({"email": {"from": "old@example.com", "to": "new@example.org"}});
    let notice = (
        MailKind::EmailChanged,
        MailRecipient::UserAt(id(5), "old@example.com".into()),
        Map::from_iter([("new_email_hint".to_owned(), json!("n…@example.org"))]),
    );
    let link = (MailKind::EmailVerification, user, Map::new());
    assert_eq!(told(EventType::UserUpdated, address.clone(), &default), std::slice::from_ref(&notice));
    assert_eq!(told(EventType::UserUpdated, address, &strict), [notice, link.clone()]);
    assert_eq!(told(EventType::UserUpdated, json!({"first_name": {"from": "A", "to": "B"}}), &strict), []);
    assert_eq!(told(EventType::UserRegistered, json!({}), &strict), [link]);
    assert_eq!(told(EventType::UserRegistered, json!({}), &default), []);
}

fn mail(kind: MailKind, recipient: MailRecipient) -> Stored<Mail> {
    stored(1, Mail::new(kind, recipient, now()))
}

fn reaches(mail: &Stored<Mail>, account: &Account) -> bool {
    address(mail, account, None, now()).is_some()
}

/// Rule 9.5: each kind of notice can be switched off, but not those about the security of the account. Nobody who was deactivated gets
/// any.
#[test]
fn notices_are_switched_off_by_kind() {
    for kind in MailKind::VARIANTS {
        let at = if *kind == MailKind::InvoiceOverdue { at(4 * 86_400) } else { now() };
        let name = kind.to_string();
        let recipient = match kind {
            MailKind::PasswordReset => MailRecipient::Address("user-1@example.com".into()),
            _ => to_customer(OWNER),
        };
        let mut mail = mail(*kind, recipient);
        mail.facts.insert("due_date".into(), json!(day(3).to_string()));
        let mut invoice = invoice(OWNER);
        invoice.due_date = day(3);
        let reaches = |account: &Account| address(&mail, account, Some(&invoice), at).is_some();
        let mut account = account(OWNER, Role::Customer);
        assert!(reaches(&account), "{name}");
        account.user.value.notices = NoticeSettings { proposals: false, invoices: true, payments: true };
        assert_eq!(reaches(&account), !name.starts_with("proposal"), "{name}");
        account.user.value.notices = NoticeSettings { proposals: true, invoices: false, payments: true };
        assert_eq!(reaches(&account), !name.starts_with("invoice"), "{name}");
        account.user.value.notices = NoticeSettings { proposals: true, invoices: true, payments: false };
        assert_eq!(reaches(&account), !name.starts_with("payment"), "{name}");
        account.user.value.notices = NoticeSettings::default();
        account.user.value.is_active = false;
        assert!(!reaches(&account), "{name}");
    }
}

/// Rules 9.3 and 9.4: a mail goes to the address that a user has when it is sent, or to none if the reason is gone.
#[test]
fn a_mail_goes_to_the_present_address() {
    let account = account(OWNER, Role::Customer);
    let to = |kind, recipient| address(&mail(kind, recipient), &account, None, now());
    let present = Some("user-1@example.com".to_owned());
    assert_eq!(to(MailKind::PasswordChanged, MailRecipient::User(user_id(OWNER))), present);
    let old = MailRecipient::UserAt(user_id(OWNER), "old@example.com".into());
    assert_eq!(to(MailKind::EmailChanged, old.clone()), Some("old@example.com".into()));
    assert_eq!(to(MailKind::EmailVerification, old), None);
    assert_eq!(to(MailKind::PasswordReset, MailRecipient::Address("USER-1@example.COM".into())), present);
    assert_eq!(to(MailKind::PasswordReset, MailRecipient::Address("user-1".into())), None, "the user name is no address");
    let verified = {
        let mut account = account.clone();
        account.user.value.email_verified_at = Some(now());
        account
    };
    assert!(!reaches(&mail(MailKind::EmailVerification, MailRecipient::User(user_id(OWNER))), &verified));
}

/// Rule 9.3: a link to set a password is not sent once it would have run out, nor to a mailbox that has several that are good.
#[test]
fn a_mailbox_is_not_flooded_with_links() {
    let mut account = account(OWNER, Role::Customer);
    let asked = mail(MailKind::PasswordReset, MailRecipient::Address("user-1@example.com".into()));
    let at = |seconds| address(&asked, &account, None, now() + TimeDelta::seconds(seconds)).is_some();
    assert_eq!([at(3_599), at(3_600)], [true, false]);
    let link = |mail| {
        let (purpose, hash) = (LinkPurpose::PasswordReset, LinkHash([1; 32]));
        MailLink { purpose, hash, mail: id(mail), expires_at: at_seconds(60) }
    };
    account.user.value.links = (2..=5).map(link).collect();
    assert!(reaches(&asked, &account));
    account.user.value.links = (2..=6).map(link).collect();
    assert!(!reaches(&asked, &account));
    account.user.value.links = (1..=5).map(link).collect();
    assert!(reaches(&asked, &account), "the tries to send this mail itself do not count");
}

/// Rule 9.5: a mail greets nobody by what could be read as an address.
#[test]
fn a_name_that_leads_elsewhere_greets_nobody() {
    let named = |first_name: &str| {
        let mut account = account(OWNER, Role::Customer);
        account.user.value.first_name = first_name.into();
        greeted_as(&account.user)
    };
    assert_eq!(named("Ada"), "Ada Lovelace");
    for name in ["www.evil.example", "https://evil", "ada@evil", "evil.example/win"] {
        assert_eq!(named(name), "", "{name}");
    }
}

fn at_seconds(seconds: i64) -> chrono::DateTime<chrono::Utc> {
    at(seconds)
}

/// Rule 9.5: that an invoice is due soon is not told if it was paid, its due date was moved, or the day has passed.
#[test]
fn an_invoice_is_due_soon_only_while_it_is() {
    let mut notice = mail(MailKind::InvoiceDueSoon, to_customer(OWNER));
    notice.facts.insert("due_date".into(), json!(day(14).to_string()));
    let account = account(OWNER, Role::Customer);
    let open = invoice(OWNER);
    let told = |invoice: Option<&_>, at| address(&notice, &account, invoice, at).is_some();
    let (soon, over) = (at(11 * 86_400), open.due_until());
    assert_eq!([told(Some(&open), soon), told(Some(&open), over), told(None, soon)], [true, false, false]);
    let mut paid = open.clone();
    paid.state = InvoiceState::Paid { at: now() };
    assert!(!told(Some(&paid), soon));
    let mut moved = open;
    moved.due_date = day(20);
    assert!(!told(Some(&moved), soon));
}

/// Rule 9.5: that an invoice is overdue is not told once it is paid; a reminder says what is due when it comes, and is of that day.
#[test]
fn what_a_mail_says_of_an_invoice_is_true_when_it_comes() {
    let account = account(OWNER, Role::Customer);
    let mut invoice = invoice(OWNER);
    let late = invoice.due_until();
    let overdue = mail(MailKind::InvoiceOverdue, to_customer(OWNER));
    assert!(address(&overdue, &account, Some(&invoice), late).is_some());
    invoice.paid = usd("40.00");
    assert_eq!(present_facts(&overdue, Some(&invoice))["amount_due"], "60.00");
    invoice.state = InvoiceState::Paid { at: now() };
    assert_eq!(address(&overdue, &account, Some(&invoice), late), None);
    let reminder = mail(MailKind::InvoiceDueSoon, to_customer(OWNER));
    assert_eq!(told_at(&reminder, Some(&invoice)), day(11).and_time(chrono::NaiveTime::MIN).and_utc());
}

/// A mail that the server cannot take now is sent later, for three days; one that it refuses is not.
#[test]
fn a_mail_is_sent_later_or_given_up() {
    let later = || Err(MailError::Later("away".into()));
    let mut at = now();
    for tries in 0..8 {
        match after_try(tries, &later(), at) {
            MailState::Pending { next_attempt_at } => {
                assert!(next_attempt_at > at);
                at = next_attempt_at;
            }
            other => panic!("{other:?} after {tries} tries"),
        }
    }
    assert!(at - now() > TimeDelta::days(2) && at - now() < TimeDelta::days(4));
    assert_eq!(after_try(8, &later(), at), MailState::Failed);
    assert_eq!(after_try(0, &Err(MailError::Refused("550".into())), at), MailState::Failed);
    assert_eq!(after_try(0, &Ok(()), at), MailState::Sent);
}

/// Rule 9.3: whoever asks for a new password learns nothing: the same is queued whether or not there is such a user.
#[test]
fn asking_for_a_new_password_looks_nobody_up() {
    let asked = |json| ask_for_password_reset(&draft(json), now());
    let mail = asked(json!({"email": " Ada@Example.com "})).unwrap().changes;
    assert_eq!((mail.kind, mail.recipient), (MailKind::PasswordReset, MailRecipient::Address("Ada@Example.com".into())));
    for wrong in [json!({}), json!({"email": "ada"}), json!({"email": null})] {
        assert_eq!(wrong_fields(asked(wrong)), ["email"]);
    }
}

/// Rule 9.4: a link to confirm an address goes to the address as it is, unless it is confirmed.
#[test]
fn a_user_asks_for_a_link_to_the_own_address() {
    let mut account = account(OWNER, Role::Customer);
    let mail = ask_for_verification(&account, &customer(OWNER), now()).unwrap().unwrap().changes;
    assert_eq!(mail.recipient, MailRecipient::UserAt(user_id(OWNER), "user-1@example.com".into()));
    assert_eq!(code(ask_for_verification(&account, &customer(BUYER), now())), "not_found");
    assert_eq!(code(ask_for_verification(&account, &Actor::Anonymous, now())), "not_authenticated");
    account.user.value.email_verified_at = Some(now());
    assert_eq!(ask_for_verification(&account, &customer(OWNER), now()).unwrap(), None);
}
