use serde_json::{Value, json};

use super::{Visitor, leads_to};
use crate::app::PASSWORD;
use crate::support::setup::{ASKS_PAYER, GOOD_CARD};
use crate::support::{Person, World};

/// Reads an object by the API.
async fn now(world: &World, path: &str) -> Value {
    world.get(path, &world.staff).await.expect(200)
}

/// Rule 10.3: what an act on money is about is shown, and it asks for a reason.
#[tokio::test]
async fn money_moves_with_a_reason_and_once() {
    let world = World::new().await;
    let (_, invoice) = world.agreed_sale(1).await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let page = visitor.page(&format!("/console/invoices/{invoice}")).await;
    for act in ["move-due-date", "write-off", "void"] {
        assert!(page.contains(&format!("invoices/{invoice}/{act}\"")), "{act}");
    }
    let move_to = async |due, reason| {
        let fields = [("due_date", due), ("reason", reason)];
        visitor.fill(&format!("/console/invoices/{invoice}/move-due-date"), &fields).await
    };
    let moved = move_to("2026-02-01", "Asked for more time").await;
    assert_eq!(moved.status, 400);
    assert!(
        moved.text.contains("<p class=\"wrong\" id=\"due_date-error\">The due date must not be before 2026-03-01.</p>"),
        "{}",
        moved.text
    );
    let moved = move_to("2026-04-01", " ").await;
    assert!(moved.status == 400 && moved.text.contains("id=\"reason-error\""), "{}", moved.text);
    let moved = move_to("2026-04-01", "Asked for more time").await;
    assert_eq!(leads_to(&moved), format!("./../../invoices/{invoice}"));
    let told = now(&world, "/api/events?type=invoice.updated").await;
    assert_eq!(told["results"][0]["data"]["reason"], "Asked for more time");
    assert_eq!(now(&world, &format!("/api/invoices/{invoice}")).await["due_date"], "2026-04-01");

    let paid = world.pay(invoice, GOOD_CARD, "50.00").await;
    let refund = format!("/console/payments/{}/refund", paid["id"]);
    let form = visitor.page(&refund).await;
    assert!(form.contains("50.00 USD") && form.contains("INV-00000001"), "the facts");
    let fields = [("amount", "20.00"), ("reason", "other"), ("note", "Returned early")];
    for _ in 0..2 {
        let done = visitor.submit(&refund, &form, &fields).await;
        assert_eq!(leads_to(&done), "./../../refunds/1");
        assert!(visitor.follow(&refund, &done).await.contains("The refund is made."));
    }
    let refunds = now(&world, "/api/refunds").await;
    assert_eq!((refunds["results"].as_array().unwrap().len(), &refunds["results"][0]["note"]), (1, &json!("Returned early")));
    let too_much = visitor.fill(&refund, &[("amount", "40.00"), ("reason", "other")]).await;
    assert_eq!(too_much.status, 400);
    assert!(too_much.text.contains("id=\"amount-error\"") && too_much.text.contains("value=\"40.00\""), "{}", too_much.text);

    let write_off = format!("/console/invoices/{invoice}/write-off");
    let blank = visitor.fill(&write_off, &[("reason", " ")]).await;
    assert_eq!(blank.status, 400);
    assert!(blank.text.contains("id=\"reason-error\""));
    visitor.fill(&write_off, &[("reason", "Cannot be reached")]).await;
    let invoice = now(&world, &format!("/api/invoices/{invoice}")).await;
    assert_eq!((&invoice["status"], &invoice["write_off_reason"]), (&json!("written_off"), &json!("Cannot be reached")));
    assert_eq!(visitor.open(&write_off).await.status, 403, "it cannot be written off twice");
}

#[tokio::test]
async fn payments_that_wait_are_cancelled_and_invoices_voided() {
    let world = World::new().await;
    let (trade, invoice) = world.agreed_sale(1).await;
    let waiting = world.pay(invoice, ASKS_PAYER, "50.00").await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    visitor.fill(&format!("/console/payments/{}/cancel", waiting["id"]), &[("reason", "Pays in cash")]).await;
    assert_eq!(now(&world, &format!("/api/payments/{}", waiting["id"])).await["status"], "cancelled");
    // The page of the trade leads there as well.
    assert!(visitor.page(&format!("/console/trades/{trade}")).await.contains(&format!("invoices/{invoice}/void\"")));
    visitor.fill(&format!("/console/invoices/{invoice}/void"), &[("reason", "By mistake")]).await;
    assert_eq!(now(&world, &format!("/api/invoices/{invoice}")).await["status"], "void");
}

/// Rule 10.3: an agreed trade needs a reason, and an open one does not.
#[tokio::test]
async fn trades_are_cancelled_and_ended() {
    let world = World::new().await;
    let (agreed, _) = world.agreed_sale(1).await;
    let open = world.trade(world.sell, 2).await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let cancel = |trade: i64| format!("/console/trades/{trade}/cancel");
    let refused = visitor.fill(&cancel(agreed), &[]).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("id=\"reason-error\""));
    assert_eq!(visitor.fill(&cancel(agreed), &[("reason", "Not paid")]).await.status, 303);
    assert_eq!(visitor.fill(&cancel(open), &[]).await.status, 303);
    for (trade, reason) in [(agreed, "Not paid"), (open, "")] {
        let trade = now(&world, &format!("/api/trades/{trade}")).await;
        assert_eq!((&trade["status"], &trade["cancel_reason"]), (&json!("cancelled"), &json!(reason)));
    }
    assert!(!visitor.page(&format!("/console/trades/{open}")).await.contains("/cancel\""), "nothing is offered any longer");

    let lease = world.trade(world.lease, 3).await;
    let offer = world.lease_offer(lease, &world.owner).await;
    world.post(&format!("/api/proposals/{offer}/accept"), &world.buyer, Value::Null).await.expect(200);
    visitor.fill(&format!("/console/trades/{lease}/end"), &[("end_date", "2026-04-15"), ("reason", "Returned")]).await;
    assert_eq!(now(&world, &format!("/api/trades/{lease}")).await["end_date"], "2026-04-15");
}

/// Rule 10.4.
#[tokio::test]
async fn objects_are_made_changed_and_deleted_by_forms() {
    let world = World::new().await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let made = visitor
        .fill(
            "/console/services/new",
            &[("name", "Handover"), ("kind", "custom"), ("amount", "75.00"), ("currency", "USD"), ("invoice_on", "acceptance")],
        )
        .await;
    assert_eq!(leads_to(&made), "./../services/3");
    let service = now(&world, "/api/services/3").await;
    assert_eq!(
        (&service["payment_due_days"], &service["bill_to"], &service["is_active"]),
        (&json!(14), &json!("owner"), &json!(true))
    );
    visitor.fill("/console/services/3/edit", &[("payment_due_days", "30")]).await;
    visitor.fill("/console/services/3/deactivate", &[]).await;
    let service = now(&world, "/api/services/3").await;
    assert_eq!(
        (&service["payment_due_days"], &service["is_active"], &service["name"]),
        (&json!(30), &json!(false), &json!("Handover"))
    );

    visitor.fill("/console/leads/new", &[("first_name", "Grace"), ("email", "grace@example.com")]).await;
    visitor.fill("/console/contacts/new", &[("lead_id", "1"), ("phone", "123")]).await;
    let (wrong, customer) =
        (visitor.fill("/console/leads/1/convert", &[("customer_id", "x")]).await, world.owner.customer.to_string());
    assert!(wrong.text.contains("id=\"customer_id-error\"") && wrong.status == 400, "{}", wrong.text);
    visitor.fill("/console/leads/1/convert", &[("customer_id", &customer)]).await;
    assert_eq!(now(&world, "/api/leads/1").await["customer_id"], world.owner.customer);
    assert_eq!(now(&world, "/api/contacts/1").await["customer_id"], world.owner.customer);
    visitor.fill("/console/contacts/1/edit", &[("city", "Paris")]).await;
    assert_eq!(now(&world, "/api/contacts/1").await["city"], "Paris");
    let gone = visitor.fill("/console/contacts/1/delete", &[]).await;
    assert_eq!(leads_to(&gone), "./../../contacts");
    assert!(visitor.follow("/console/contacts/1/delete", &gone).await.contains("The contact is deleted."));
    world.get("/api/contacts/1", &world.staff).await.refused(404, "not_found");

    let customer = world.owner.customer;
    visitor
        .fill(&format!("/console/customers/{customer}/edit"), &[("dob", "1990-12-31"), ("notes", "Call in the evening")])
        .await;
    visitor.fill(&format!("/console/customers/{customer}/edit"), &[("dob", "")]).await;
    let changed = now(&world, &format!("/api/customers/{customer}")).await;
    assert_eq!((&changed["dob"], &changed["notes"]), (&Value::Null, &json!("Call in the evening")));
}

/// The secret of an endpoint is shown once, and a form that is sent again makes no second endpoint.
#[tokio::test]
async fn webhook_endpoints_are_made_and_their_secret_is_shown_once() {
    let world = World::new().await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let form = visitor.page("/console/webhook-endpoints/new").await;
    let fields = [("url", "https://example.com/hook"), ("event_types", "trade.*\r\ninvoice.paid")];
    let made = visitor.submit("/console/webhook-endpoints/new", &form, &fields).await;
    assert!(made.status == 200 && made.text.contains("<code class=\"secret\">whsec_"), "{}", made.text);
    let again = visitor.submit("/console/webhook-endpoints/new", &form, &fields).await;
    assert_eq!(
        again.text.split("whsec_").nth(1).map(|rest| &rest[..43]),
        made.text.split("whsec_").nth(1).map(|rest| &rest[..43])
    );
    let endpoints = now(&world, "/api/webhook-endpoints").await;
    assert_eq!(endpoints["results"].as_array().unwrap().len(), 1);
    assert_eq!(endpoints["results"][0]["event_types"], json!(["trade.*", "invoice.paid"]));
    assert!(!visitor.page("/console/webhook-endpoints/1").await.contains("whsec_"));
    visitor.fill("/console/webhook-endpoints/1/test", &[]).await;
    assert!(visitor.page("/console/webhook-deliveries?webhook_endpoint_id=1").await.contains("Webhook endpoint test"));
    assert!(visitor.fill("/console/webhook-endpoints/1/rotate-secret", &[]).await.text.contains("whsec_"));
    visitor.fill("/console/webhook-endpoints/1/edit", &[("is_active", "")]).await;
    visitor.fill("/console/webhook-deliveries/1/redeliver", &[]).await;
    visitor.fill("/console/webhook-endpoints/1/delete", &[]).await;
    world.get("/api/webhook-endpoints/1", &world.staff).await.refused(404, "not_found");
}

/// Who may do what, of what the table grants to staff and to superusers differently (chapter 2).
#[tokio::test]
async fn staff_cannot_grant_roles_nor_touch_a_superuser() {
    let world = World::new().await;
    let (staff, root) = (Visitor::log_in(&world.app, "clerk").await, Visitor::log_in(&world.app, "root").await);
    let new = |name: &'static str| {
        [
            ("username", name),
            ("email", format!("{name}@example.com").leak()),
            ("first_name", "A"),
            ("last_name", "B"),
            ("password", PASSWORD),
        ]
    };
    for (visitor, may_grant) in [(&staff, false), (&root, true)] {
        let form = visitor.page("/console/users/new").await;
        assert_eq!(form.contains("name=\"is_staff\""), may_grant);
        assert_eq!(form.contains("name=\"is_superuser\""), may_grant);
        let superuser = visitor.page("/console/users/1").await;
        assert_eq!(superuser.contains("users/1/edit\""), may_grant);
        assert_eq!(superuser.contains("users/1/deactivate\""), may_grant);
        let edit = visitor.open("/console/users/1/edit").await;
        assert_eq!(edit.status.as_u16(), if may_grant { 200 } else { 403 });
    }
    // What is not shown is refused when it is sent all the same.
    let mut fields = new("grant").to_vec();
    fields.push(("is_staff", "true"));
    staff.fill("/console/users/new", &fields).await;
    let users = now(&world, "/api/users?search=grant").await;
    assert_eq!(users["results"][0]["is_staff"], false);
    let form = staff.page(&format!("/console/users/{}/deactivate", world.owner.user)).await;
    let refused = staff.submit("/console/users/1/deactivate", &form, &[]).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert_eq!(now(&world, "/api/users/1").await["is_active"], true);
    let mut fields = new("second").to_vec();
    fields.push(("is_superuser", "true"));
    root.fill("/console/users/new", &fields).await;
    assert_eq!(now(&world, "/api/users?search=second").await["results"][0]["is_superuser"], true);
}

#[tokio::test]
async fn users_are_changed_deactivated_and_reactivated() {
    let world = World::new().await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let Person { user, .. } = world.owner;
    let path = |act: &str| format!("/console/users/{user}/{act}");
    let wrong = visitor.fill(&path("edit"), &[("email", "buyer@example.com"), ("first_name", " ")]).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text.contains("id=\"email-error\"") && wrong.text.contains("id=\"first_name-error\""), "{}", wrong.text);
    assert!(!wrong.text.contains("id=\"username-error\"") && wrong.text.contains("value=\"buyer@example.com\""));
    visitor.fill(&path("edit"), &[("last_name", "King")]).await;
    visitor.fill(&path("deactivate"), &[]).await;
    let gone = now(&world, &format!("/api/users/{user}")).await;
    assert_eq!((&gone["is_active"], &gone["last_name"]), (&json!(false), &json!("King")));
    assert!(visitor.page(&format!("/console/users/{user}")).await.contains("/reactivate\""));
    visitor.fill(&path("reactivate"), &[]).await;
    assert_eq!(now(&world, &format!("/api/users/{user}")).await["is_active"], true);
    let last = Visitor::log_in(&world.app, "root").await.fill("/console/users/1/deactivate", &[]).await;
    assert_eq!(last.status, 409);
    assert!(last.text.contains("role=\"alert\""), "{}", last.text);
}

/// Rule 6.9: nobody overwrites what they have not seen.
#[tokio::test]
async fn a_form_about_something_that_has_changed_is_not_saved() {
    let world = World::new().await;
    world.post("/api/leads", &world.staff, json!({"company": "Example"})).await.expect(201);
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let form = visitor.page("/console/leads/1/edit").await;
    world.patch("/api/leads/1", &world.root, json!({"company": "Another"})).await.expect(200);
    let refused = visitor.submit("/console/leads/1/edit", &form, &[("company", "Mine")]).await;
    assert_eq!(refused.status, 412);
    assert!(
        refused.text.contains("Somebody else has changed it meanwhile.") && refused.text.contains("value=\"Mine\""),
        "{}",
        refused.text
    );
    assert_eq!(now(&world, "/api/leads/1").await["company"], "Another");
    assert_eq!(visitor.submit("/console/leads/1/edit", &refused.text, &[]).await.status, 303);
    assert_eq!(now(&world, "/api/leads/1").await["company"], "Mine");
}

/// Rule 6.9: of a form that comes too late, what others have changed meanwhile stays, and what the visitor has changed is kept.
#[tokio::test]
async fn who_saves_late_overwrites_nothing_unseen() {
    let world = World::new().await;
    world.post("/api/leads", &world.staff, json!({"company": "Example", "source": "Fair", "phone": "1"})).await.expect(201);
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let form = visitor.page("/console/leads/1/edit").await;
    world.patch("/api/leads/1", &world.root, json!({"company": "Another", "phone": "2"})).await.expect(200);
    let late = visitor.submit("/console/leads/1/edit", &form, &[("source", "Web"), ("phone", "3")]).await;
    assert_eq!(late.status, 412);
    assert!(late.text.contains("name=\"company\" value=\"Another\""), "what others changed is shown: {}", late.text);
    assert!(late.text.contains("name=\"source\" value=\"Web\"") && late.text.contains("name=\"phone\" value=\"3\""));
    let message = "<p class=\"wrong\" id=\"phone-error\">Somebody else has changed this meanwhile, to: 2</p>";
    assert!(late.text.contains(message) && !late.text.contains("id=\"source-error\""), "{}", late.text);
    assert_eq!(visitor.submit("/console/leads/1/edit", &late.text, &[]).await.status, 303);
    let lead = now(&world, "/api/leads/1").await;
    assert_eq!([&lead["company"], &lead["source"], &lead["phone"]], ["Another", "Web", "3"]);
}

/// A form of changes that is sent as it was shown changes nothing: browsers end each line with two characters.
#[tokio::test]
async fn a_form_that_is_sent_unchanged_changes_nothing() {
    let world = World::new().await;
    world.post("/api/leads", &world.staff, json!({"company": "Example", "notes": "One\nTwo"})).await.expect(201);
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    visitor.fill("/console/leads/1/edit", &[("notes", "One\r\nTwo")]).await;
    assert_eq!(now(&world, "/api/events?type=lead.updated").await["results"], json!([]));
    visitor.fill("/console/leads/1/edit", &[("notes", "One\r\nTwo\r\nThree")]).await;
    assert_eq!(now(&world, "/api/leads/1").await["notes"], "One\nTwo\nThree");
}

/// Somebody who presses a button twice is told that it is done, and not that somebody else was quicker.
#[tokio::test]
async fn forms_that_are_sent_twice_act_once() {
    let world = World::new().await;
    world.post("/api/leads", &world.staff, json!({"company": "Example"})).await.expect(201);
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let (edit, delete) = ("/console/leads/1/edit", "/console/leads/1/delete");
    let (edits, deletes) = (visitor.page(edit).await, visitor.page(delete).await);
    for _ in 0..2 {
        let done = visitor.submit(edit, &edits, &[("company", "Another")]).await;
        assert!(visitor.follow(edit, &done).await.contains("The changes are saved."));
    }
    assert_eq!(now(&world, "/api/events?type=lead.updated").await["results"].as_array().unwrap().len(), 1);
    for _ in 0..2 {
        let done = visitor.submit(delete, &deletes, &[]).await;
        assert!(visitor.follow(delete, &done).await.contains("The lead is deleted."));
    }
}

/// Forms and filters take what people call an object, where the API takes its number.
#[tokio::test]
async fn customers_are_found_by_their_names() {
    let world = World::new().await;
    world.post("/api/leads", &world.staff, json!({"company": "Example"})).await.expect(201);
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let convert = async |customer| visitor.fill("/console/leads/1/convert", &[("customer_id", customer)]).await;
    let nobody = convert("nobody at all").await;
    assert!(nobody.status == 400 && nobody.text.contains("No customer is called so."), "{}", nobody.text);
    let several = convert("example.com").await;
    assert!(several.status == 400 && several.text.contains("Several are called so: "), "{}", several.text);
    assert!(several.text.contains("name=\"customer_id\" value=\"example.com\""));
    assert_eq!(leads_to(&convert("OWNER@example.com").await), "./../../leads/1");
    assert_eq!(now(&world, "/api/leads/1").await["customer_id"], world.owner.customer);
    world.vehicle(&world.owner, 1).await;
    world.vehicle(&world.buyer, 2).await;
    let found = visitor.page("/console/vehicles?customer_id=owner").await;
    assert!(found.contains("vehicles/1\"") && !found.contains("vehicles/2\""), "{found}");
    assert_eq!(visitor.open("/console/vehicles?customer_id=nobody+at+all").await.status, 400);
}

/// A contact is made from the page of whoever it belongs to.
#[tokio::test]
async fn the_page_of_a_customer_leads_to_a_new_contact() {
    let world = World::new().await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let customer = world.owner.customer;
    let page = visitor.page(&format!("/console/customers/{customer}")).await;
    assert!(page.contains(&format!("contacts/new?customer_id={customer}\"")), "{page}");
    assert!(page.contains("owner@example.com"), "how to reach the customer");
    visitor.fill(&format!("/console/contacts/new?customer_id={customer}"), &[("phone", "123")]).await;
    assert_eq!(now(&world, "/api/contacts/1").await["customer_id"], customer);
}
