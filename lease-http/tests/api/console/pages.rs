use serde_json::json;

use super::Visitor;
use crate::support::World;
use crate::support::setup::GOOD_CARD;

/// A text that would be markup, a formula or the end of an attribute if nobody took care.
const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>";

/// A world with one object of each kind at least, whose texts are hostile.
async fn hostile_world() -> World {
    let world = World::new().await;
    let (owner, staff) = (&world.owner, &world.staff);
    let names = json!({"first_name": HOSTILE, "last_name": HOSTILE});
    world.patch(&format!("/api/users/{}", owner.user), owner, names).await.expect(200);
    world
        .patch(&format!("/api/customers/{}", owner.customer), owner, json!({"job": HOSTILE, "notes": HOSTILE}))
        .await
        .expect(200);
    world.post("/api/leads", staff, json!({"company": HOSTILE, "notes": HOSTILE})).await.expect(201);
    world.post("/api/contacts", staff, json!({"lead_id": 1, "label": HOSTILE, "phone": HOSTILE})).await.expect(201);
    world.patch("/api/services/1", staff, json!({"description": HOSTILE})).await.expect(200);
    world
        .post("/api/webhook-endpoints", staff, json!({"url": "https://example.com/a", "description": HOSTILE}))
        .await
        .expect(201);
    world.post("/api/webhook-endpoints/1/test", staff, json!({})).await.expect(202);
    let (trade, invoice) = world.agreed_sale(1).await;
    assert_eq!(trade, 1);
    let paid = world.pay(invoice, GOOD_CARD, "9.00").await;
    let refund = json!({"reason": "other", "note": HOSTILE});
    world.post(&format!("/api/payments/{}/refunds", paid["id"]), staff, refund).await.expect(201);
    let vehicle = world.vehicle(owner, 7).await;
    world.patch(&format!("/api/vehicles/{vehicle}"), owner, json!({"make": HOSTILE, "license_plate": HOSTILE})).await.expect(200);
    let body = json!({"vehicle_id": vehicle, "service_id": world.sell, "title": HOSTILE, "description": HOSTILE});
    world.post("/api/trades", owner, body).await.expect(201);
    world
}

/// The kinds of objects, each with one that is there.
const KINDS: [&str; 16] = [
    "trades/1",
    "trades/2",
    "proposals/1",
    "vehicles/2",
    "services/1",
    "invoices/1",
    "payments/1",
    "refunds/1",
    "credit-cards/1",
    "customers/1",
    "leads/1",
    "contacts/1",
    "users/3",
    "events/1",
    "webhook-endpoints/1",
    "webhook-deliveries/1",
];

/// Rules 10.2 and 10.3: whatever people have written is text, on each list, each page and in each form.
#[tokio::test]
async fn every_page_is_there_and_shows_texts_as_texts() {
    let world = hostile_world().await;
    for name in ["clerk", "root"] {
        let visitor = Visitor::log_in(&world.app, name).await;
        let mut pages = vec![String::new()];
        for kind in KINDS {
            let path = kind.split('/').next().unwrap();
            let list = if path == "webhook-deliveries" { format!("/{path}?webhook_endpoint_id=1") } else { format!("/{path}") };
            pages.extend([list, format!("/{kind}")]);
        }
        let mut seen = 0;
        while let Some(below) = pages.pop() {
            let path = format!("/console{below}");
            let page = visitor.page(&path).await;
            seen += 1;
            for markup in ["<script", "<img", "onerror=alert(1)>"] {
                assert!(!page.contains(markup), "{path}: {markup}");
            }
            assert!(page.len() < 100_000, "{path}: {}", page.len());
            assert_eq!(page.matches("<h1").count(), 1, "{path}");
            // The forms that a page leads to are there as well.
            let buttons =
                page.split("<a class=\"button").skip(1).filter_map(|rest| rest.split("href=\"").nth(1)?.split('"').next());
            for button in buttons.filter(|href| !href.contains("csv") && below.matches('/').count() < 3) {
                let target = url::Url::parse(&format!("http://localhost{path}")).unwrap().join(button).unwrap();
                pages.push(target.path().strip_prefix("/console").unwrap().to_owned());
            }
        }
        assert!(seen > 50, "{seen}");
    }
}

/// Rule 10.3: a trade shows what hangs on it.
#[tokio::test]
async fn the_page_of_an_object_shows_what_hangs_on_it() {
    let world = hostile_world().await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let trade = visitor.page("/console/trades/1").await;
    for link in ["proposals/1", "invoices/1", "payments/1", "refunds/1", "vehicles/1"] {
        assert!(trade.contains(&format!("href=\"./../{link}\"")), "{link}");
    }
    let customer = visitor.page(&format!("/console/customers/{}", world.owner.customer)).await;
    for link in ["vehicles/1", "trades/1", "credit-cards/1", "invoices/1", "payments/1"] {
        assert!(customer.contains(&format!("href=\"./../{link}\"")), "{link}");
    }
}

/// Rule 10.3: who did what, from what to what: on the page of the object and on that of the user.
#[tokio::test]
async fn histories_say_who_changed_what() {
    let world = World::new().await;
    world.post("/api/leads", &world.root, json!({"company": "Example"})).await.expect(201);
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let done = visitor.fill("/console/leads/1/edit", &[("status", "contacted"), ("company", "Example & Sons")]).await;
    let lead = visitor.follow("/console/leads/1/edit", &done).await;
    assert!(lead.contains("The changes are saved."));
    // Nobody else can make the console say so.
    let said = done.header("location").rsplit_once("./").unwrap().1.to_owned();
    for address in ["leads/1?done=edit".to_owned(), "leads/1?done=edit.0011223344556677".to_owned(), said] {
        let page = Visitor::log_in(&world.app, "root").await.page(&format!("/console/{address}")).await;
        assert!(!page.contains("The changes are saved."), "{address}");
    }
    let history = lead.split("<h2>History</h2>").nth(1).unwrap();
    for part in [
        "Lead updated",
        "<bdi>clerk</bdi></a>",
        "<b>Company</b>",
        "<bdi>Example</bdi></span>",
        "Example &#38; Sons",
        ">New</span>",
        ">Contacted</span>",
        "Lead created",
        "<bdi>root</bdi></a>",
    ] {
        assert!(history.contains(part), "{part}: {history}");
    }
    let clerk = visitor.page(&format!("/console/users/{}", world.staff.user)).await;
    let acts = clerk.split("<h2>What they did</h2>").nth(1).unwrap();
    assert!(acts.contains("Lead updated") && acts.contains("User logged in") && !acts.contains("Lead created"), "{acts}");
}

/// Rule 10.3: how much, and why, even where no field of an object has changed.
#[tokio::test]
async fn histories_say_how_much_and_why() {
    let world = World::new().await;
    let (trade, invoice) = world.agreed_sale(1).await;
    let paid = world.pay(invoice, GOOD_CARD, "9.00").await;
    let refund = json!({"reason": "other", "amount": "4.00"});
    world.post(&format!("/api/payments/{}/refunds", paid["id"]), &world.staff, refund).await.expect(201);
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let page = visitor.page(&format!("/console/trades/{trade}")).await;
    let history = page.split("<h2>History</h2>").nth(1).unwrap();
    let told = |event: &str| {
        let row = history.split(&format!("<bdi>{event}</bdi>")).nth(1).unwrap();
        row.split("</tr>").next().unwrap().split("<ul").nth(1).unwrap().to_owned()
    };
    assert!(told("Payment begun").contains("<b>Amount</b> 9.00 USD"), "{history}");
    assert!(told("Invoice issued").contains("<b>Amount</b> 199.00 USD"));
    let refunded = told("Refund begun");
    for part in ["<b>Amount</b> 4.00 USD", "<b>Reason</b> Other"] {
        assert!(refunded.contains(part), "{part}: {refunded}");
    }
}

/// A list of events stays short, however long the texts are that were changed; the page of the object has the whole text.
#[tokio::test]
async fn histories_cut_long_texts() {
    let world = World::new().await;
    world.post("/api/leads", &world.staff, json!({"company": "Example"})).await.expect(201);
    for number in 10..60 {
        let notes = format!("{number}{}", "\"".repeat(3_990));
        world.patch("/api/leads/1", &world.staff, json!({"notes": notes})).await.expect(200);
    }
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let events = visitor.page("/console/events?type=lead.updated").await;
    assert_eq!(events.matches("<b>Notes</b>").count(), 50);
    assert!(events.len() < 100_000, "{}", events.len());
    let lead = visitor.page("/console/leads/1").await;
    assert!(lead.contains(&format!("<div class=\"wide\"><dt>Notes</dt><dd><bdi>59{}</bdi>", "&#34;".repeat(3_990))));
}

/// What is empty is named in one line; and red is only what cannot be undone.
#[tokio::test]
async fn pages_are_quiet_about_what_is_not_there() {
    let world = World::new().await;
    world.post("/api/leads", &world.staff, json!({"company": "Example"})).await.expect(201);
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let lead = visitor.page("/console/leads/1").await;
    assert!(lead.contains("Not set: first name, last name, email, phone, source, customer, notes."), "{lead}");
    assert!(lead.contains("No contacts yet.") && lead.contains("All times are in UTC."));
    let class =
        |label: &str| lead.split(&format!(">{label}</a>")).next().unwrap().rsplit("<a class=\"").next().unwrap().to_owned();
    assert!(class("Convert").starts_with("button quiet\"") && class("Delete").starts_with("button final\""));
    assert!(visitor.page("/console/leads/1/delete").await.contains("<button class=\"final\">"));
    assert!(visitor.page("/console/leads/1/convert").await.contains("<button>"));
}

/// Rule 10.1: what needs attention, each with the way to it.
#[tokio::test]
async fn the_first_page_shows_what_needs_attention() {
    let world = World::new().await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let quiet = visitor.page("/console").await;
    for nothing in [
        "No invoice is overdue.",
        "No lead is new.",
        "Every endpoint takes what it is sent.",
        "None is under way for more than ten minutes.",
    ] {
        assert!(quiet.contains(nothing), "{nothing}");
    }
    let (_, invoice) = world.agreed_sale(1).await;
    world.pay(invoice, crate::support::setup::ASKS_PAYER, "20.00").await;
    world.pay(invoice, GOOD_CARD, "30.00").await;
    world.post("/api/leads", &world.staff, json!({"company": "Example Motors"})).await.expect(201);
    let soon = visitor.page("/console").await;
    assert!(soon.contains("Example Motors") && soon.contains("No invoice is overdue."));
    assert!(soon.contains("None is under way for more than ten minutes."));
    world.app.clock.advance(chrono::Duration::minutes(11));
    let later = visitor.page("/console").await;
    assert!(later.split("<h2>Payments that wait for their payer</h2>").nth(1).unwrap().contains("Payment 1"), "{later}");
    for sum in ["<p class=\"sum\">1</p>", "<p class=\"sum\">199.00 USD</p>", "<p class=\"sum\">30.00 USD</p>"] {
        assert!(later.contains(sum), "{sum}");
    }
    world.app.clock.advance(chrono::Duration::days(20));
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let overdue = visitor.page("/console").await;
    assert!(overdue.split("<h2>Overdue invoices</h2>").nth(1).unwrap().contains("INV-00000001"));
}

/// Rule 10.1: an endpoint fails as soon as it does not take what it is sent, and no longer once it does.
#[tokio::test]
async fn failing_webhooks_need_attention() {
    let world = World::new().await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let url = "https://example.com/hook";
    world.webhook_endpoint(url, &[]).await;
    for (statuses, fails) in [(&[500][..], true), (&[200][..], false)] {
        world.receiver.answer(url, statuses);
        world.post("/api/webhook-endpoints/1/test", &world.staff, json!({})).await.expect(202);
        world.catch_up().await;
        let page = visitor.page("/console").await;
        assert_eq!(page.contains("<h2>Failing webhooks</h2>"), fails, "{page}");
        assert_eq!(page.contains("Every endpoint takes what it is sent."), !fails);
    }
}

/// Chapter 2: every form is shown and taken as the permission table says, to staff and to superusers: what either may not do is
/// refused before and after.
#[tokio::test]
async fn every_form_is_as_the_permission_table_says() {
    let world = hostile_world().await;
    let (staff, root) = (Visitor::log_in(&world.app, "clerk").await, Visitor::log_in(&world.app, "root").await);
    // The state of the object, rather than the role, refuses these.
    let never = ["trades/2/end", "payments/1/cancel", "payments/1/refund", "invoices/1/void"];
    // Nor is this one offered; sent all the same, it changes nothing.
    let idle = "users/3/reactivate";
    // Only who grants roles may touch a superuser.
    let superusers = ["users/1/edit", "users/1/deactivate"];
    let both = [
        "trades/1/cancel",
        "trades/2/cancel",
        "vehicles/1/edit",
        "services/new",
        "services/1/edit",
        "services/1/deactivate",
        "invoices/1/move-due-date",
        "invoices/1/write-off",
        "customers/1/edit",
        "leads/new",
        "leads/1/edit",
        "leads/1/convert",
        "leads/1/delete",
        "contacts/new",
        "contacts/1/edit",
        "contacts/1/delete",
        "users/new",
        "users/3/edit",
        "users/3/deactivate",
        "webhook-endpoints/new",
        "webhook-endpoints/1/edit",
        "webhook-endpoints/1/test",
        "webhook-endpoints/1/rotate-secret",
        "webhook-endpoints/1/delete",
        "webhook-deliveries/1/redeliver",
    ];
    let cases = never.into_iter().chain([idle]).map(|form| (form, 403, 403));
    let cases = cases.chain(superusers.map(|form| (form, 403, 200))).chain(both.map(|form| (form, 200, 200)));
    for (form, to_staff, to_root) in cases {
        let path = format!("/console/{form}");
        for (visitor, expected) in [(&staff, to_staff), (&root, to_root)] {
            assert_eq!(visitor.open(&path).await.status.as_u16(), expected, "{form}");
            // The page of the object has a button for it, or none.
            if let Some((object, _)) = form.rsplit_once('/').filter(|_| !form.ends_with("/new")) {
                let page = visitor.page(&format!("/console/{object}")).await;
                assert_eq!(page.contains(&format!("/{form}\"")), expected == 200, "{form}");
            }
        }
    }
    for form in never.into_iter().chain(superusers) {
        // Each form has a key of its own.
        let own = staff.page("/console/leads/new").await;
        let sent = staff.submit(&format!("/console/{form}"), &own, &[("reason", "other"), ("end_date", "2026-03-02")]).await;
        assert!([403, 409].contains(&sent.status.as_u16()), "{form}: {} {}", sent.status, sent.text);
    }
    let own = staff.page("/console/leads/new").await;
    assert_eq!(staff.submit(&format!("/console/{idle}"), &own, &[]).await.status, 303);
    let events = world.get("/api/events?type=user.reactivated", &world.staff).await.expect(200);
    assert_eq!(events["results"], json!([]));
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_so() {
    let world = World::new().await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    for path in [
        "/nothing",
        "/trades/1",
        "/trades/0",
        "/trades/x",
        "/trades/1/cancel",
        "/trades/1/unknown",
        "/trades/new",
        "/nothing/new",
        "/nothing/csv",
    ] {
        let response = visitor.open(&format!("/console{path}")).await;
        assert_eq!(response.status, 404, "{path}");
        assert!(response.text.contains("There is nothing here."), "{path}");
    }
}
