//! Each rule of the guide, on a dump that has a case of it.

use lease_core::id::{CustomerId, Entity, Id, Stored};
use lease_core::model::{CardBrand, InvoiceState, ProposalState, TradeState, VehicleIdentity};
use lease_django::{Fate, Mapped, Table};
use serde_json::json;

use crate::sources::{imported, terms};
use crate::whole::{CARD_NUMBER, HASHES, IN_THE_CLEAR, token};

fn find<T: Entity>(rows: &[Stored<T>], id: i64) -> &T {
    &rows.iter().find(|row| row.id.get() == id).unwrap_or_else(|| panic!("{id} is not taken")).value
}

fn is_taken<T: Entity>(rows: &[Stored<T>], id: i64) -> bool {
    rows.iter().any(|row| row.id.get() == id)
}

#[tokio::test]
async fn each_row_that_is_not_taken_is_named_with_the_reason() {
    let Mapped { report, import } = imported("dropped").await;
    assert_eq!(import.books().violations(), Vec::<String>::new());
    let none = "no payment was made with it, and its number is not taken";
    let cards: Vec<_> = (2..=110).collect();
    for (table, reason, ids) in [
        (Table::Tokens, "its user is not taken", &[888_888][..]),
        (Table::Tokens, "it is not 40 hexadecimal characters", &[1001]),
        (Table::Customers, "it has no user, or one that is not taken", &[2001, 2002]),
        (Table::Customers, "its user has an earlier one", &[2003]),
        (Table::Customers, "its user administers", &[2004]),
        (Table::Cards, none, &cards),
        (Table::Leads, "it has no name", &[1001]),
        (Table::Contacts, "it belongs to no customer and no lead that is taken", &[1002, 1004]),
        (Table::Contacts, "it has neither an e-mail address nor a phone number", &[1003]),
        (Table::Vehicles, "its customer is not taken", &[1001]),
        (Table::Trades, "its vehicle or its service is not taken", &[2011]),
        (Table::Trades, "its vehicle was sold or agreed on in an earlier one", &[2009, 2010]),
        (Table::Proposals, "its trade is not taken", &[2009, 2999]),
        (Table::Proposals, "its author is not taken", &[2612]),
        (Table::Proposals, "its amount is not above 0", &[2712]),
        (Table::Invoices, "nothing was proposed or accepted for which it could be", &[2003]),
        (Table::Invoices, "its trade has another one", &[2004]),
        (Table::Invoices, "it is billed to another than the owner of the vehicle", &[2015]),
        (Table::Invoices, "its amount is not above 0", &[2016]),
        (Table::Invoices, "its trade is not taken", &[2999]),
        (Table::Payments, "its invoice is not taken", &[2003, 2999]),
        (Table::Payments, "its invoice was paid already", &[2114]),
        (Table::Payments, "its card is another's than the customer's who is billed", &[2017]),
        (Table::Payments, "its amount is not above 0", &[2117]),
        (Table::Payments, "there is no such card", &[2217]),
    ] {
        assert_eq!(report.ids(table, Fate::Dropped, reason), ids, "{table}: {reason}");
    }
    let without_id = report.notes.iter().filter(|note| note.id.is_none()).map(|note| (note.table, &*note.reason));
    let expected = [(Table::Leads, "an earlier row has its id, 1"), (Table::Leads, "its id is no positive number")];
    assert_eq!(without_id.collect::<Vec<_>>(), expected);
    let dropped: usize = report.counts.values().map(|counts| counts.dropped).sum();
    assert_eq!(dropped, 109 + 31, "{report}");
}

#[tokio::test]
async fn users_keep_what_they_can() {
    let Mapped { report, import } = imported("users").await;
    let user = |id| find(&import.users, id);
    assert_eq!((user(1).username.as_str(), user(1001).username.as_str()), ("user1", "USER1-1001"));
    assert_eq!((user(2).email_or_empty(), &user(1002).email), ("user2@example.com", &None));
    let kept = import.users[111].annotations.metadata.as_object();
    assert_eq!(json!(kept), json!({"django": {"email": "User2@Example.com"}}));
    assert_eq!((user(1005).username.as_str(), user(1006).username.as_str()), ("not a name", "user-1006"));
    assert_eq!((&user(50).email, user(1008).username.as_str()), (&None, "user50@example.com"));
    assert_eq!((user(1003).role.to_string(), user(1004).role.to_string()), ("superuser".to_owned(), "staff".to_owned()));
    assert_eq!(user(1).password.expose(), HASHES[0]);
    let without: Vec<_> = report.without_password.iter().map(|id| id.get()).collect();
    assert_eq!(without, (101..=110).chain([1006, 1008]).collect::<Vec<_>>());
    let added = report.ids(Table::Customers, Fate::Added, "a user who does not administer had none");
    assert_eq!(added, [2005], "after all ids that Django gave");
    assert_eq!(find(&import.customers, 2005).user_id.get(), 1007);
    let first = find(&import.tokens, 1);
    assert_eq!(first.hash, token(1).parse::<lease_core::account::TokenText>().unwrap().hash());
    assert_eq!(first.expires_at, terms().now + terms().token_ttl);
}

#[tokio::test]
async fn nothing_secret_is_taken_or_said() {
    let Mapped { report, import } = imported("secrets").await;
    let said =
        format!("{report} {report:?} {import:?} {:?}", import.cards.iter().map(|card| card.token.expose()).collect::<Vec<_>>());
    for secret in [CARD_NUMBER, "987", IN_THE_CLEAR, &token(1), "TOO-SHORT", HASHES[0], HASHES[5]] {
        assert!(!said.contains(secret), "{secret}");
    }
    let card = find(&import.cards, 1);
    assert_eq!((card.brand, card.last4.as_str(), card.deleted_at), (CardBrand::Visa, "4242", Some(terms().now)));
    assert!(import.users.iter().all(|user| !user.password.expose().contains(IN_THE_CLEAR)));
}

#[tokio::test]
async fn vehicles_services_leads_and_contacts_fit() {
    let import = imported("things").await.import;
    let vehicle = |id| find(&import.vehicles, id);
    assert_eq!((vehicle(1002).make.as_str(), vehicle(1003).year), ("Liebherr", 2004));
    assert_eq!(vehicle(1).identity, None::<VehicleIdentity>);
    let metadata = &import.vehicles[0].annotations.metadata.as_object()["django"];
    assert_eq!((&metadata["category"], &metadata["machine_year"]), (&json!("Van/Minivan"), &json!(2004)));
    let services: Vec<_> = import
        .services
        .iter()
        .map(|service| (service.kind.to_string(), service.fee.to_string(), service.is_active, service.is_used))
        .collect();
    let expected = [("lease", "49.99 USD", true, true), ("sell", "199.00 USD", true, true), ("custom", "0.30 USD", true, false)];
    let expected = expected.into_iter().chain([("lease", "0.00 USD", false, false)]);
    assert_eq!(
        services,
        expected.map(|(kind, fee, active, used)| (kind.to_owned(), fee.to_owned(), active, used)).collect::<Vec<_>>()
    );
    assert_eq!(find(&import.leads, 1).notes, "Date of birth: 1974-05-31");
    let both = find(&import.contacts, 1001);
    assert_eq!((both.owner.customer().map(CustomerId::get), both.label.len()), (Some(201), 150));
}

#[tokio::test]
async fn trades_and_proposals_follow_the_rules() {
    let Mapped { report, import } = imported("trades").await;
    let trade = |id| find(&import.trades, id);
    let proposal = |id| find(&import.proposals, id).state;
    let reason = |id| match &trade(id).state {
        TradeState::Cancelled { reason, .. } => reason.clone(),
        other => panic!("{other:?}"),
    };
    assert!(matches!(proposal(1), ProposalState::Pending) && trade(1).asking.is_some() && trade(1).is_open());
    // Undated terms of a lease are closed, with a note.
    assert_eq!(proposal(2001), ProposalState::Closed { at: terms().now });
    let details = &trade(2001).annotations.metadata.as_object()["django"];
    let note = "Closed by the import: it has no days.";
    assert_eq!(
        details["proposal_2001"],
        json!({
            "down_payment": "5070.6", "total_days_to_pay": 1021, "pay_frequency": "weekly", "note": note,
            "amount": "for the whole lease, not for a month",
        })
    );
    // A sale that is complete passes the vehicle on.
    assert!(matches!(trade(2002).state, TradeState::Completed { .. }));
    assert_eq!((trade(2002).customer_id.get(), find(&import.vehicles, 2002).customer_id.get()), (201, 202));
    assert_eq!(reason(2003), "Accepted in Django without an accepted proposal.");
    assert!(matches!(proposal(2003), ProposalState::Closed { .. }));
    // The first of two accepted proposals counts.
    assert!(matches!((proposal(2004), proposal(2104)), (ProposalState::Accepted { .. }, ProposalState::Closed { .. })));
    assert_eq!(trade(2004).agreement().unwrap().counterparty_id.get(), 202);
    assert_eq!(reason(2005), "Accepted in Django without an accepted proposal.");
    // An accepted proposal counts in an open trade. Of two open trades of a vehicle, the first is cancelled.
    assert!(matches!(trade(2006).state, TradeState::Agreed(_)));
    assert_eq!(reason(2019), "The vehicle is in a later trade.");
    assert!(matches!(proposal(2019), ProposalState::Closed { .. }) && trade(2119).is_open());
    assert_eq!((reason(2007), reason(2008)), ("Cancelled in Django.".to_owned(), "Of an unknown status in Django.".to_owned()));
    assert!(matches!(proposal(2007), ProposalState::Rescinded { .. }) && trade(2007).agreement().is_some());
    let states = [2012, 2112, 2212, 2312, 2412, 2512, 2812, 2912]
        .map(|id| lease_core::model::ProposalStatus::from(proposal(id)).to_string());
    assert_eq!(states, ["superseded", "pending", "rejected", "closed", "withdrawn", "closed", "pending", "withdrawn"]);
    assert_eq!(find(&import.proposals, 2812).amount.to_string(), "100.01 USD");
    assert_eq!(report.rounded.count, 2, "this one, and the cost of a service");
    assert!(!is_taken(&import.trades, 2010) && !is_taken(&import.proposals, 2999));
}

#[tokio::test]
async fn money_adds_up() {
    let Mapped { report, import } = imported("money").await;
    let invoice = |id| find(&import.invoices, id);
    assert!(invoice(2001).overdue_at.is_some() && invoice(2001).is_open());
    assert!(matches!(invoice(2002).state, InvoiceState::Paid { .. }));
    assert!(is_taken(&import.invoices, 2104) && !is_taken(&import.invoices, 2004));
    assert!(matches!(&invoice(2013).state, InvoiceState::WrittenOff { .. }));
    assert!(matches!(find(&import.trades, 2013).state, TradeState::Completed { .. }));
    assert_eq!(find(&import.payments, 2014).amount.to_string(), "49.99 USD");
    assert!(invoice(2017).is_open() && invoice(2017).paid.to_string() == "10.10 USD");
    assert!(matches!(invoice(2018).state, InvoiceState::Paid { .. }));
    let sums =
        [report.invoices, report.payments].map(|sum| [sum.there, sum.here, sum.less].map(|sum| sum.normalize().to_string()));
    assert_eq!(sums, [["1344.93", "846.95", "497.98"], ["563.09", "508.08", "55.01"]].map(|sums| sums.map(str::to_owned)));
}
