//! The names in the API that its users rely on: the fields of each resource (chapter 1), the statuses, and the responses to
//! commands (chapters 4 and 5). They are written out here, so that a name which changes in the code is noticed.

use serde_json::{Value, json};

use crate::support::setup::{GOOD_CARD, card};
use crate::support::{World, id};

/// Each list, with the fields of its rows.
const FIELDS: [(&str, &str); 14] = [
    (
        "users",
        "id username email first_name last_name is_active is_staff is_superuser date_joined last_login email_verified_at customer_id external_id metadata",
    ),
    ("customers", "id user_id job dob notes created_at external_id metadata"),
    ("credit-cards", "id customer_id brand last4 exp_month exp_year holder_name is_default created_at"),
    (
        "contacts",
        "id customer_id lead_id label name email phone address_line1 address_line2 city state postal_code country created_at",
    ),
    ("leads", "id first_name last_name email phone company source status notes customer_id created_at"),
    (
        "vehicles",
        "id customer_id vin chassis_number make model year color mileage license_plate description created_at external_id metadata",
    ),
    ("services", "id name kind invoice_on bill_to amount currency payment_due_days description is_active"),
    (
        "trades",
        "id vehicle_id service_id customer_id counterparty_id title description status accepted_proposal_id invoice_id \
         start_date end_date cancel_reason vehicle asking created_at agreed_at completed_at cancelled_at available_actions external_id metadata",
    ),
    (
        "proposals",
        "id trade_id customer_id amount currency start_date end_date message status expires_at created_at decided_at \
         available_actions",
    ),
    (
        "invoices",
        "id number trade_id proposal_id customer_id amount amount_paid amount_due amount_refunded currency status is_overdue issued_at due_date \
         paid_at voided_at void_reason written_off_at write_off_reason",
    ),
    (
        "payments",
        "id invoice_id credit_card_id customer_id amount amount_refunded currency status failure_code is_late next_action \
         gateway_reference created_at settled_at available_actions",
    ),
    (
        "refunds",
        "id payment_id invoice_id customer_id amount currency reason note status credit_note_number failure_code \
         gateway_reference created_at settled_at",
    ),
    ("events", "id type occurred_at actor request_id subject trade_id data changes"),
    ("webhook-endpoints", "id url description event_types is_active disabled_reason created_at"),
];

fn fields(thing: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = thing.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Chapter 1, and rule 3.4 for users: a resource has exactly these fields, alone and in a list.
#[tokio::test]
async fn each_resource_has_exactly_its_documented_fields() {
    let world = World::new().await;
    let (_, invoice) = world.agreed_sale(1).await;
    let pays = world.card(&world.owner, GOOD_CARD).await;
    let pay = json!({"invoice_id": invoice, "credit_card_id": pays, "amount": "1"});
    let paid = id(&world.post("/api/payments", &world.owner, pay).await.expect(201));
    world.post(&format!("/api/payments/{paid}/refunds"), &world.staff, json!({"reason": "other"})).await.expect(201);
    world.post("/api/contacts", &world.owner, json!({"email": "bo@example.com"})).await.expect(201);
    world.post("/api/leads", &world.staff, json!({"company": "Acme"})).await.expect(201);
    world.webhook_endpoint("https://example.com/hook", &["trade.*"]).await;
    for (things, names) in FIELDS {
        let mut expected: Vec<&str> = names.split_whitespace().collect();
        expected.sort_unstable();
        let list = world.get(&format!("/api/{things}"), &world.staff).await.expect(200);
        let listed = &list["results"][0];
        assert_eq!(fields(listed), expected, "in the list of {things}");
        let alone = world.get(&format!("/api/{things}/{}", id(listed)), &world.staff).await.expect(200);
        assert_eq!(&alone, listed, "{things}");
    }
    assert_eq!(fields(&world.get("/api/trades", &world.staff).await.expect(200)), ["next", "previous", "results"]);
}

/// Rule 3.3: a token has exactly these fields, and is not read alone.
#[tokio::test]
async fn a_token_has_exactly_its_documented_fields() {
    let world = World::new().await;
    let created = world.post("/api/tokens", &world.owner, json!({"name": "Backup"})).await.expect(201);
    assert_eq!(fields(&created), ["created_at", "expires_at", "id", "is_current", "name", "token"]);
    let list = world.get("/api/tokens", &world.owner).await.expect(200);
    assert_eq!(fields(&list["results"][0]), ["created_at", "expires_at", "id", "is_current", "name"]);
}

/// Rules 9.1 and 9.2: an endpoint shows its secret when it is created and when it gets another one; a delivery has these fields, alone
/// and in the list.
#[tokio::test]
async fn an_endpoint_and_its_deliveries_have_exactly_their_documented_fields() {
    let world = World::new().await;
    let body = json!({"url": "https://example.com/hook", "event_types": ["trade.*", "invoice.paid"], "description": "Books"});
    let created = world.post("/api/webhook-endpoints", &world.staff, body).await.expect(201);
    let with_secret =
        ["created_at", "description", "disabled_reason", "event_types", "id", "is_active", "secret", "url"].as_slice();
    assert_eq!(fields(&created), with_secret);
    assert_eq!((&created["event_types"], &created["is_active"]), (&json!(["trade.*", "invoice.paid"]), &json!(true)));
    let endpoint = format!("/api/webhook-endpoints/{}", id(&created));
    let rotated = world.post(&format!("{endpoint}/rotate-secret"), &world.staff, Value::Null).await.expect(200);
    assert_eq!(fields(&rotated), with_secret);
    let queued = world.post(&format!("{endpoint}/test"), &world.staff, Value::Null).await;
    let path = queued.header("location").to_owned();
    let queued = queued.expect(202);
    assert_eq!(path, format!("/api/webhook-deliveries/{}", id(&queued)));
    assert_eq!(
        fields(&queued),
        ["created_at", "event_id", "id", "next_attempt_at", "status", "tries", "type", "webhook_endpoint_id"]
    );
    assert_eq!(world.deliveries(id(&created)).await, std::slice::from_ref(&queued));
    assert_eq!(world.get(&path, &world.staff).await.expect(200), queued);
    world.catch_up().await;
    let tried = world.get(&path, &world.staff).await.expect(200);
    assert_eq!(fields(&tried["tries"][0]), ["at", "error", "milliseconds", "response", "status"]);
    let settings = world.get("/api/notification-settings", &world.owner).await.expect(200);
    assert_eq!(settings, json!({"proposals": true, "invoices": true, "payments": true}));
}

/// Rule 3.4 and chapter 2: a superuser is staff and has no customer.
#[tokio::test]
async fn a_superuser_is_shown_as_staff() {
    let world = World::new().await;
    let root = world.get(&format!("/api/users/{}", world.root.user), &world.root).await.expect(200);
    assert_eq!((&root["is_superuser"], &root["is_staff"], &root["customer_id"]), (&json!(true), &json!(true), &Value::Null));
    assert_eq!(root["date_joined"], "2026-03-01T12:00:00Z");
    assert_eq!(root["last_login"], "2026-03-01T12:00:00Z", "it logged in a moment ago");
}

/// Rules 4.3 to 4.6 and 4.14: the effect of each command on a proposal or a trade, which is also the response.
#[tokio::test]
async fn commands_respond_with_the_row_that_they_changed() {
    let world = World::new().await;
    let (owner, buyer) = (&world.owner, &world.buyer);
    let act = async |person, path: String| world.post(&path, person, Value::Null).await.expect(200);
    let status =
        async |proposal: i64| world.get(&format!("/api/proposals/{proposal}"), owner).await.expect(200)["status"].clone();

    let trade = world.trade(world.sell, 1).await;
    let first = world.offer(trade, owner, "9000").await;
    let second = world.offer(trade, owner, "8900").await;
    assert_eq!((status(first).await, status(second).await), (json!("superseded"), json!("pending")));
    let counter = world.offer(trade, buyer, "8000").await;
    let rejected = act(owner, format!("/api/proposals/{counter}/reject")).await;
    assert_eq!((id(&rejected), &rejected["status"]), (counter, &json!("rejected")));
    let counter = world.offer(trade, buyer, "8100").await;
    let withdrawn = act(buyer, format!("/api/proposals/{counter}/withdraw")).await;
    assert_eq!((id(&withdrawn), &withdrawn["status"]), (counter, &json!("withdrawn")));
    let cancelled = act(owner, format!("/api/trades/{trade}/cancel")).await;
    assert_eq!((id(&cancelled), &cancelled["status"]), (trade, &json!("cancelled")));
    assert_eq!((&cancelled["cancelled_at"], status(second).await), (&json!("2026-03-01T12:00:00Z"), json!("closed")));

    let trade = world.trade(world.sell, 2).await;
    let offer = world.offer(trade, owner, "9000").await;
    let accepted = act(buyer, format!("/api/proposals/{offer}/accept")).await;
    assert_eq!((id(&accepted), &accepted["status"]), (offer, &json!("accepted")));
    let agreed = world.get(&format!("/api/trades/{trade}"), buyer).await.expect(200);
    let expected = [json!("agreed"), json!(offer), json!(buyer.customer), json!("2026-03-01T12:00:00Z")];
    assert_eq!(["status", "accepted_proposal_id", "counterparty_id", "agreed_at"].map(|name| agreed[name].clone()), expected);

    let trade = world.trade(world.sell, 3).await;
    let body = json!({"amount": "9000", "expires_at": "2026-03-01T12:00:01Z"});
    let brief = id(&world.post(&format!("/api/trades/{trade}/proposals"), owner, body).await.expect(201));
    world.app.clock.advance(chrono::Duration::seconds(1));
    assert_eq!(status(brief).await, "expired");
}

/// Rules 5.2 and 5.3: an invoice when it is issued and when it is void.
#[tokio::test]
async fn an_invoice_has_a_number_and_can_be_void() {
    let world = World::new().await;
    let (_, invoice) = world.agreed_sale(1).await;
    let path = format!("/api/invoices/{invoice}");
    let issued = world.get(&path, &world.owner).await.expect(200);
    let expected = [json!("open"), json!(format!("INV-{invoice:08}")), json!("199.00"), json!("USD"), json!("2026-03-15")];
    assert_eq!(["status", "number", "amount_due", "currency", "due_date"].map(|name| issued[name].clone()), expected);
    world.post(&format!("{path}/void"), &world.staff, json!({"reason": " "})).await.invalid(&["reason"]);
    let void = world.post(&format!("{path}/void"), &world.staff, json!({"reason": "a mistake"})).await.expect(200);
    assert_eq!((&void["status"], &void["voided_at"]), (&json!("void"), &json!("2026-03-01T12:00:00Z")));
}

/// Rules 4.6 and 4.12: a lease whose days end early, and which is cancelled then.
#[tokio::test]
async fn agreed_days_end_early_and_an_agreed_trade_is_cancelled() {
    let world = World::new().await;
    let trade = world.trade(world.lease, 1).await;
    let terms = json!({"amount": "400", "start_date": "2026-04-01", "end_date": "2026-05-01"});
    let offer = id(&world.post(&format!("/api/trades/{trade}/proposals"), &world.owner, terms).await.expect(201));
    world.post(&format!("/api/proposals/{offer}/accept"), &world.buyer, Value::Null).await.expect(200);
    let (end, cancel) = (format!("/api/trades/{trade}/end"), format!("/api/trades/{trade}/cancel"));
    for late in ["2026-03-31", "2026-05-01"] {
        world.post(&end, &world.staff, json!({"end_date": late, "reason": "Returned"})).await.invalid(&["end_date"]);
    }
    let ended = world.post(&end, &world.staff, json!({"end_date": "2026-04-15", "reason": "Returned"})).await.expect(200);
    assert_eq!((&ended["start_date"], &ended["end_date"]), (&json!("2026-04-01"), &json!("2026-04-15")));
    assert_eq!(ended["available_actions"], json!(["cancel", "end", "void", "write_off", "move_due_date"]));
    let agreed = world.get(&format!("/api/proposals/{offer}"), &world.buyer).await.expect(200);
    assert_eq!((&agreed["status"], &agreed["end_date"]), (&json!("accepted"), &json!("2026-05-01")));

    world.post(&cancel, &world.owner, Value::Null).await.refused(409, "trade_not_open");
    world.post(&cancel, &world.staff, Value::Null).await.invalid(&["reason"]);
    let cancelled = world.post(&cancel, &world.staff, json!({"reason": "Never paid"})).await.expect(200);
    let shown = ["status", "cancel_reason", "counterparty_id", "accepted_proposal_id", "start_date", "end_date", "agreed_at"];
    let expected = json!(["cancelled", "Never paid", world.buyer.customer, offer, null, null, "2026-03-01T12:00:00Z"]);
    assert_eq!(json!(shown.map(|name| cancelled[name].clone())), expected);
    assert_eq!(world.get(&format!("/api/trades/{trade}"), &world.buyer).await.expect(200)["status"], "cancelled");
    let rescinded = world.get(&format!("/api/proposals/{offer}"), &world.buyer).await.expect(200);
    assert_eq!((&rescinded["status"], &rescinded["decided_at"]), (&json!("rescinded"), &json!("2026-03-01T12:00:00Z")));
    world
        .post(&end, &world.staff, json!({"end_date": "2026-04-02", "reason": "Returned"}))
        .await
        .refused(409, "trade_has_no_days");
    let listed = world.get("/api/proposals?status=rescinded", &world.owner).await.expect(200);
    assert_eq!(listed["results"].as_array().unwrap().len(), 1);
}

/// Rules 2.2, 4.11: while the owner of an open trade is inactive, others see neither the trade, nor the owner's proposals, nor the
/// vehicle, in lists or alone; those who have proposed in it see it, and cannot go on.
#[tokio::test]
async fn the_open_trade_of_an_inactive_owner_is_hidden() {
    let world = World::new().await;
    let trade = world.trade(world.sell, 1).await;
    let offer = world.offer(trade, &world.owner, "9000").await;
    let bid = world.offer(trade, &world.buyer, "8000").await;
    let vehicle = world.get(&format!("/api/trades/{trade}"), &world.staff).await.expect(200)["vehicle_id"].clone();
    let paths = [format!("/api/trades/{trade}"), format!("/api/proposals/{offer}"), format!("/api/vehicles/{vehicle}")];
    let lists = ["/api/trades", "/api/proposals", "/api/vehicles"];
    let seen = async |person: &_| {
        let mut seen = Vec::new();
        for (path, list) in paths.iter().zip(lists) {
            let listed = world.get(list, person).await.expect(200)["results"].as_array().unwrap().len();
            seen.push((world.get(path, person).await.status.as_u16(), listed));
        }
        seen
    };
    let activate = async |is_active: bool| {
        let path = format!("/api/users/{}", world.owner.user);
        world.patch(&path, &world.staff, json!({"is_active": is_active})).await.expect(200);
    };
    let before = seen(&world.stranger).await;
    assert_eq!(before, [(200, 1), (200, 1), (200, 1)]);
    activate(false).await;
    assert_eq!(seen(&world.stranger).await, [(404, 0), (404, 0), (404, 0)]);
    assert_eq!(seen(&world.buyer).await, [(200, 1), (200, 2), (404, 0)]);
    assert_eq!(seen(&world.staff).await, [(200, 1), (200, 2), (200, 1)]);
    let terms = json!({"amount": "8500"});
    let proposals = format!("/api/trades/{trade}/proposals");
    world.post(&proposals, &world.stranger, terms.clone()).await.refused(409, "party_inactive");
    world.post(&proposals, &world.buyer, terms).await.refused(409, "party_inactive");
    for person in [&world.buyer, &world.stranger] {
        world.post(&format!("/api/proposals/{offer}/accept"), person, Value::Null).await.refused(409, "party_inactive");
    }
    world.post(&format!("/api/proposals/{bid}/withdraw"), &world.buyer, Value::Null).await.expect(200);
    activate(true).await;
    assert_eq!(seen(&world.stranger).await, before);
    world.post(&format!("/api/proposals/{offer}/accept"), &world.stranger, Value::Null).await.expect(200);
}

/// Rule 5.3: the due date of an open invoice moves, and an invoice that is written off is due no more; its sale completes (4.7).
#[tokio::test]
async fn a_due_date_moves_and_an_invoice_is_written_off() {
    let world = World::new().await;
    let (trade, invoice) = world.agreed_sale(1).await;
    let path = format!("/api/invoices/{invoice}");
    let card = world.card(&world.owner, GOOD_CARD).await;
    let pay = json!({"invoice_id": invoice, "credit_card_id": card, "amount": "10"});
    world.post("/api/payments", &world.owner, pay).await.expect(201);
    world.patch(&path, &world.staff, json!({"due_date": "2026-02-28"})).await.invalid(&["due_date"]);
    let moved = world.patch(&path, &world.staff, json!({"due_date": "2026-06-30"})).await.expect(200);
    assert_eq!((&moved["due_date"], &moved["status"]), (&json!("2026-06-30"), &json!("open")));

    world.post(&format!("{path}/void"), &world.staff, json!({"reason": "Hopeless"})).await.refused(409, "invoice_has_payments");
    world.post(&format!("{path}/write-off"), &world.staff, json!({"reason": " "})).await.invalid(&["reason"]);
    let gone = world.post(&format!("{path}/write-off"), &world.staff, json!({"reason": "Hopeless"})).await.expect(200);
    let shown = ["status", "amount_paid", "amount_due", "written_off_at", "write_off_reason", "paid_at", "voided_at"];
    let expected = json!(["written_off", "10.00", "0.00", "2026-03-01T12:00:00Z", "Hopeless", null, null]);
    assert_eq!(json!(shown.map(|name| gone[name].clone())), expected);
    assert_eq!(world.get(&format!("/api/trades/{trade}"), &world.owner).await.expect(200)["status"], "completed");
    world.patch(&path, &world.staff, json!({"due_date": "2026-07-01"})).await.refused(409, "invoice_not_open");
    let listed = world.get("/api/invoices?status=written_off", &world.owner).await.expect(200);
    assert_eq!(listed["results"].as_array().unwrap().len(), 1);
}

/// Rules 5.4 and 5.5: each card number that the sandbox declines gives its reason, in the response and in the stored payment.
#[tokio::test]
async fn a_declined_payment_shows_the_failure_code() {
    let world = World::new().await;
    let (_, invoice) = world.agreed_sale(1).await;
    let declines =
        [("4000000000000002", "card_declined"), ("4000000000009995", "insufficient_funds"), ("4000000000000069", "expired_card")];
    for (number, failure_code) in declines {
        let body = json!({"invoice_id": invoice, "credit_card_id": world.card(&world.owner, number).await});
        let problem = world.post("/api/payments", &world.owner, body).await.refused(402, "card_declined");
        assert_eq!(problem["failure_code"], failure_code);
        let kept = world.get(&format!("/api/payments/{}", problem["payment_id"]), &world.owner).await.expect(200);
        assert_eq!((&kept["status"], &kept["failure_code"]), (&json!("failed"), &json!(failure_code)));
    }
    let due = world.get(&format!("/api/invoices/{invoice}"), &world.owner).await.expect(200);
    assert_eq!((&due["status"], &due["amount_due"]), (&json!("open"), &json!("199.00")));
}

/// Rule 5.6: no response contains the number, the security code or the gateway's token.
#[tokio::test]
async fn a_card_is_shown_by_its_last_four_digits() {
    let world = World::new().await;
    let made = world.post("/api/credit-cards", &world.owner, card(GOOD_CARD)).await;
    let path = format!("/api/credit-cards/{}", id(&made.expect(201)));
    let responses = [
        made,
        world.get(&path, &world.owner).await,
        world.get(&path, &world.staff).await,
        world.get("/api/credit-cards", &world.owner).await,
        world.patch(&path, &world.owner, json!({"holder_name": "A. Byron", "number": "5555555555554444", "cvc": "999"})).await,
    ];
    for response in responses {
        let shown = response.json();
        let shown = if shown["results"].is_array() { &shown["results"][0] } else { &shown };
        assert_eq!((&shown["brand"], &shown["last4"]), (&json!("visa"), &json!("4242")));
        for secret in [GOOD_CARD, "424242", "\"123\"", "cvc", "number", "token", "tok_"] {
            assert!(!response.text.contains(secret), "{secret}: {}", response.text);
        }
    }
}

/// Rule 2.2: a hidden row named in a body is as wrong as one that does not exist.
#[tokio::test]
async fn a_body_that_names_a_hidden_row_is_a_validation_error() {
    let world = World::new().await;
    let (sold, invoice) = world.agreed_sale(1).await;
    let hidden = world.vehicle(&world.owner, 2).await;
    let owners_card = world.card(&world.owner, GOOD_CARD).await;
    let own_card = world.card(&world.stranger, GOOD_CARD).await;
    let absent = 987_654_321;
    for trade in [sold, absent] {
        world.post("/api/proposals", &world.stranger, json!({"trade_id": trade, "amount": "1"})).await.invalid(&["trade_id"]);
    }
    for vehicle in [hidden, absent] {
        let body = json!({"vehicle_id": vehicle, "service_id": world.sell});
        world.post("/api/trades", &world.stranger, body).await.invalid(&["vehicle_id"]);
    }
    for invoice in [invoice, absent] {
        let body = json!({"invoice_id": invoice, "credit_card_id": own_card});
        world.post("/api/payments", &world.stranger, body).await.invalid(&["invoice_id"]);
    }
    let (_, other) = world.agreed_sale(3).await;
    for card in [own_card, absent] {
        let body = json!({"invoice_id": other, "credit_card_id": card});
        world.post("/api/payments", &world.owner, body).await.invalid(&["credit_card_id"]);
    }
    world.post("/api/payments", &world.owner, json!({"invoice_id": other, "credit_card_id": owners_card})).await.expect(201);
}
