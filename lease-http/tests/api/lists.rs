//! Lists (rule 6.5): their pages and their filters.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::app::vehicle;
use crate::support::setup::GOOD_CARD;
use crate::support::{World, document, id, ids, nobody};

/// Newest first, forwards and backwards, without repeating or leaving out a row.
#[tokio::test]
async fn the_links_of_pages_lead_to_the_end_of_a_list_and_back() {
    let world = World::new().await;
    let made = fleet(&world, 7).await;
    let mut pages = Vec::new();
    let mut link = Some("/api/vehicles?limit=3".to_owned());
    while let Some(path) = link {
        let page = world.get(&path, &world.owner).await.expect(200);
        link = page["next"].as_str().map(str::to_owned);
        pages.push(page);
    }
    assert_eq!(pages.iter().flat_map(ids).collect::<Vec<_>>(), made);
    let back = pages[2]["previous"].as_str().unwrap();
    assert_eq!(ids(&world.get(back, &world.owner).await.expect(200)), ids(&pages[1]));
    assert_eq!(pages[0]["previous"], Value::Null);
}

/// This many vehicles of the owner, newest first.
async fn fleet(world: &World, count: u32) -> Vec<i64> {
    let mut made = Vec::new();
    for number in 0..count {
        made.push(world.vehicle(&world.owner, number).await);
    }
    made.reverse();
    made
}

#[tokio::test]
async fn a_page_has_25_rows_unless_asked_for_others() {
    let world = World::new().await;
    let made = fleet(&world, 26).await;
    let first = world.get("/api/vehicles", &world.owner).await.expect(200);
    assert_eq!(ids(&first), made[..25]);
    let rest = world.get(first["next"].as_str().unwrap(), &world.owner).await.expect(200);
    assert_eq!(ids(&rest), made[25..]);
    let all = world.get("/api/vehicles?limit=100", &world.owner).await.expect(200);
    assert_eq!((ids(&all), &all["next"], &all["previous"]), (made, &Value::Null, &Value::Null));
}

#[tokio::test]
async fn the_links_keep_the_filters_and_the_limit() {
    let world = World::new().await;
    let made = fleet(&world, 3).await;
    world
        .post("/api/vehicles", &world.owner, json!({"vin": "WVWZZZ1JZXW000001", "make": "VW", "model": "Golf", "year": 1999}))
        .await
        .expect(201);
    let first = world.get("/api/vehicles?make=Honda&limit=1&year_min=2000", &world.owner).await.expect(200);
    let next = first["next"].as_str().unwrap();
    assert!(next.starts_with("/api/vehicles?make=Honda&limit=1&year_min=2000&cursor="), "{next}");
    let second = world.get(next, &world.owner).await.expect(200);
    let third = world.get(second["next"].as_str().unwrap(), &world.owner).await.expect(200);
    let walked: Vec<i64> = [&first, &second, &third].into_iter().flat_map(ids).collect();
    assert_eq!((walked, &third["next"]), (made, &Value::Null));
}

/// Rule 4.13: trades by price, in pages there and back; a cursor of one order is none of another.
#[tokio::test]
async fn trades_are_sorted_by_price() {
    let world = World::new().await;
    let mut made = Vec::new();
    for (number, price) in (1..).zip(["9000", "8000.50", "9000", "70"]) {
        let trade = world.trade(world.sell, number).await;
        world.offer(trade, &world.owner, price).await;
        made.push(trade);
    }
    world.trade(world.sell, 9).await;
    let rising = [made[3], made[1], made[0], made[2]];
    let mut page = world.get("/api/trades?sort=price&limit=1", &world.stranger).await.expect(200);
    let mut found = ids(&page);
    while let Some(next) = page["next"].as_str() {
        page = world.get(next, &world.stranger).await.expect(200);
        found.extend(ids(&page));
    }
    assert_eq!(found, rising);
    let before = world.get(page["previous"].as_str().unwrap(), &world.stranger).await.expect(200);
    assert_eq!(ids(&before), [made[0]]);
    let falling = world.get("/api/trades?sort=-price", &world.stranger).await.expect(200);
    assert_eq!(ids(&falling).into_iter().rev().collect::<Vec<_>>(), rising);
    assert_eq!(falling["results"][0]["asking"]["amount"], "9000.00");

    let next = before["next"].as_str().unwrap();
    for (from, to) in [("sort=price", "sort=-price"), ("sort=price", "sort=newest"), ("/trades?sort=price", "/vehicles?")] {
        world.get(&next.replace(from, to), &world.stranger).await.invalid(&["cursor"]);
    }
    let newest = world.get("/api/trades?limit=1", &world.stranger).await.expect(200);
    let cursor = newest["next"].as_str().unwrap().split_once("cursor=").unwrap().1;
    world.get(&format!("/api/trades?sort=price&cursor={cursor}"), &world.stranger).await.invalid(&["cursor"]);
    for wrong in [
        "price_min=x",
        "price_max=-1",
        "price_max=1000000000000",
        "price_min=1.00001",
        "mileage_max=-1",
        "currency=usd",
        "sort=cheap",
    ] {
        let name = wrong.split('=').next().unwrap();
        world.get(&format!("/api/trades?{wrong}"), &world.stranger).await.invalid(&[name]);
    }
}

/// Every filter of rule 6.5, with a row that passes it and one that does not.
#[tokio::test]
async fn each_filter_returns_exactly_the_matching_rows() {
    let world = World::new().await;
    let before = [of_trades(&world).await, of_people(&world).await, of_webhooks(&world).await, annotated(&world).await].concat();
    let expected = [before, crate::events::filters(&world).await].concat();
    for (path, rows) in &expected {
        assert_eq!(&ids(&world.get(path, &world.root).await.expect(200)), rows, "{path}");
    }
    // A filter that is not used above is not tested.
    let asked: BTreeSet<(String, String)> = expected.iter().flat_map(|(path, _)| names(path)).collect();
    let missing: Vec<_> = filters().into_iter().filter(|filter| !asked.contains(filter)).collect();
    assert_eq!(missing, []);
}

/// An agreed sale, an open lease and an open sale: requests, with the rows of their responses.
async fn of_trades(world: &World) -> Vec<(String, Vec<i64>)> {
    let (owner, buyer) = (&world.owner, &world.buyer);
    let (sold, invoice) = world.agreed_sale(1).await;
    let open = world.trade(world.lease, 2).await;
    let own = world.lease_offer(open, owner).await;
    let offer = world.lease_offer(open, buyer).await;
    let fee = world.get(&format!("/api/trades/{open}"), owner).await.expect(200)["invoice_id"].as_i64().unwrap();
    let good_card = world.card(owner, GOOD_CARD).await;
    let bad_card = world.card(owner, "4000000000000002").await;
    let pay = |card: i64| json!({"invoice_id": invoice, "credit_card_id": card, "amount": "1"});
    let paid = id(&world.post("/api/payments", owner, pay(good_card)).await.expect(201));
    let declined = &world.post("/api/payments", owner, pay(bad_card)).await.refused(402, "card_declined")["payment_id"];
    let declined = declined.as_i64().unwrap();
    let refund = format!("/api/payments/{paid}/refunds");
    let refund = id(&world.post(&refund, &world.staff, json!({"amount": "0.50", "reason": "other"})).await.expect(201));

    let old = json!({"vin": "WVWZZZ1JZXW000001", "make": "Volkswagen", "model": "Golf", "year": 1999, "color": "green", "mileage": 20_000});
    let golf = id(&world.post("/api/vehicles", buyer, old).await.expect(201));
    let offered = json!({"vehicle_id": golf, "service_id": world.sell, "title": "Old but gold"});
    let other = id(&world.post("/api/trades", buyer, offered).await.expect(201));
    let hondas: Vec<i64> = ids(&world.get("/api/vehicles?make=honda", owner).await.expect(200));
    let vin = vehicle(1)["vin"].as_str().unwrap().to_lowercase();
    let (o, b, s) = (owner.customer, buyer.customer, world.stranger.customer);
    vec![
        ("/api/trades?status=open".into(), vec![other, open]),
        ("/api/trades?status=agreed".into(), vec![sold]),
        (format!("/api/trades?service_id={}", world.lease), vec![open]),
        (format!("/api/trades?vehicle_id={golf}"), vec![other]),
        (format!("/api/trades?customer_id={o}"), vec![open, sold]),
        (format!("/api/trades?customer_id={s}"), vec![]),
        (format!("/api/trades?counterparty_id={b}"), vec![sold]),
        ("/api/trades?kind=lease".into(), vec![open]),
        ("/api/trades?kind=sell".into(), vec![other, sold]),
        ("/api/trades?make=HONDA".into(), vec![open, sold]),
        ("/api/trades?make=Ford".into(), vec![]),
        ("/api/trades?model=golf".into(), vec![other]),
        ("/api/trades?year_min=2000".into(), vec![open, sold]),
        ("/api/trades?year_min=2021".into(), vec![]),
        ("/api/trades?year_max=1999".into(), vec![other]),
        ("/api/trades?mileage_max=20000".into(), vec![other]),
        ("/api/trades?mileage_max=19999".into(), vec![]),
        ("/api/trades?price_min=0.01".into(), vec![open]),
        ("/api/trades?price_max=0.01".into(), vec![]),
        ("/api/trades?price_max=1000000&currency=USD".into(), vec![open]),
        ("/api/trades?currency=EUR".into(), vec![]),
        ("/api/trades?sort=newest&status=open".into(), vec![other, open]),
        ("/api/trades?sort=price".into(), vec![open]),
        ("/api/trades?sort=-price&kind=sell".into(), vec![]),
        ("/api/trades?year_min=1999&year_max=2020&kind=sell&status=open".into(), vec![other]),
        ("/api/trades?search=fine%20CAR".into(), vec![open, sold]),
        ("/api/trades?search=gold".into(), vec![other]),
        (format!("/api/proposals?trade_id={open}"), vec![offer, own]),
        (format!("/api/proposals?trade_id={open}&status=pending&customer_id={b}"), vec![offer]),
        ("/api/proposals?status=pending".into(), vec![offer, own]),
        (format!("/api/trades/{open}/proposals?customer_id={o}"), vec![own]),
        (format!("/api/trades/{open}/proposals?status=rejected"), vec![]),
        (format!("/api/trades/{open}/proposals?status=pending"), vec![offer, own]),
        ("/api/invoices?status=open".into(), vec![fee, invoice]),
        ("/api/invoices?status=paid".into(), vec![]),
        (format!("/api/invoices?trade_id={sold}"), vec![invoice]),
        (format!("/api/invoices?customer_id={o}"), vec![fee, invoice]),
        (format!("/api/invoices?customer_id={b}"), vec![]),
        ("/api/invoices?overdue=true".into(), vec![]),
        ("/api/invoices?overdue=false".into(), vec![fee, invoice]),
        (format!("/api/payments?invoice_id={invoice}"), vec![declined, paid]),
        (format!("/api/payments?invoice_id={fee}"), vec![]),
        ("/api/payments?status=succeeded".into(), vec![paid]),
        ("/api/payments?status=failed".into(), vec![declined]),
        (format!("/api/payments?customer_id={o}"), vec![declined, paid]),
        (format!("/api/payments?customer_id={b}"), vec![]),
        (format!("/api/payments?credit_card_id={bad_card}"), vec![declined]),
        (format!("/api/refunds?payment_id={paid}"), vec![refund]),
        (format!("/api/refunds?payment_id={declined}"), vec![]),
        (format!("/api/refunds?invoice_id={invoice}&customer_id={o}"), vec![refund]),
        (format!("/api/refunds?invoice_id={fee}"), vec![]),
        (format!("/api/refunds?customer_id={b}"), vec![]),
        ("/api/refunds?status=succeeded".into(), vec![refund]),
        ("/api/refunds?status=pending".into(), vec![]),
        (format!("/api/payments/{paid}/refunds?payment_id={paid}&invoice_id={invoice}&customer_id={o}"), vec![refund]),
        (format!("/api/payments/{paid}/refunds?status=failed"), vec![]),
        (format!("/api/payments/{paid}/refunds?payment_id={declined}"), vec![]),
        (format!("/api/credit-cards?customer_id={o}"), vec![bad_card, good_card]),
        (format!("/api/credit-cards?customer_id={b}"), vec![]),
        (format!("/api/vehicles?customer_id={b}"), vec![golf]),
        ("/api/vehicles?make=volkswagen&model=GOLF".into(), vec![golf]),
        ("/api/vehicles?model=accord".into(), hondas.clone()),
        ("/api/vehicles?year_min=2020".into(), hondas.clone()),
        ("/api/vehicles?year_max=2019".into(), vec![golf]),
        (format!("/api/vehicles?vin={vin}"), hondas[1..].to_vec()),
        ("/api/vehicles?chassis_number=GJ7-123456".into(), vec![]),
        ("/api/vehicles?search=green".into(), vec![golf]),
        ("/api/vehicles?search=honda".into(), hondas),
    ]
}

/// Leads of three kinds, contacts, an inactive service and an inactive user: requests, with the rows of their responses.
async fn of_people(world: &World) -> Vec<(String, Vec<i64>)> {
    let (owner, buyer, staff) = (&world.owner, &world.buyer, &world.staff);
    let lead = |company: &str| json!({"company": company, "last_name": "Der", "email": "lea@example.com"});
    let new = id(&world.post("/api/leads", staff, lead("Acme Cars")).await.expect(201));
    let lost = id(&world.post("/api/leads", staff, lead("Rental Ltd")).await.expect(201));
    world.patch(&format!("/api/leads/{lost}"), staff, json!({"status": "lost"})).await.expect(200);
    let converted = id(&world.post("/api/leads", staff, lead("Buyers Inc")).await.expect(201));
    let to = json!({"customer_id": buyer.customer});
    world.post(&format!("/api/leads/{converted}/convert"), staff, to).await.expect(200);

    let contact = |whose: &str, id: i64| json!({"name": "Bo", "email": "bo@example.com", whose: id});
    let of_owner = id(&world.post("/api/contacts", staff, contact("customer_id", owner.customer)).await.expect(201));
    let of_lead = id(&world.post("/api/contacts", staff, contact("lead_id", new)).await.expect(201));

    let inactive = inactive_service(world).await;
    let gone = world.register("gone").await;
    world.delete(&format!("/api/users/{}", gone.user), staff).await.expect(204);
    vec![
        ("/api/leads?status=new".into(), vec![new]),
        ("/api/leads?status=lost".into(), vec![lost]),
        (format!("/api/leads?customer_id={}", buyer.customer), vec![converted]),
        ("/api/leads?search=acme".into(), vec![new]),
        (format!("/api/contacts?customer_id={}", owner.customer), vec![of_owner]),
        (format!("/api/contacts?lead_id={new}"), vec![of_lead]),
        ("/api/services?is_active=false".into(), vec![inactive]),
        ("/api/services?kind=sell".into(), vec![world.sell]),
        (format!("/api/customers?user_id={}", owner.user), vec![owner.customer]),
        ("/api/users?is_active=false".into(), vec![gone.user]),
        ("/api/users?is_staff=true&search=clerk".into(), vec![staff.user]),
        ("/api/users?is_staff=false&is_active=true".into(), vec![world.stranger.user, buyer.user, owner.user]),
        ("/api/users?search=stranger%40example".into(), vec![world.stranger.user]),
        ("/api/users?role=staff".into(), vec![staff.user]),
    ]
}

/// One object of each kind that another system calls `x`: requests, with the rows of their responses.
async fn annotated(world: &World) -> Vec<(String, Vec<i64>)> {
    let first = |list: Value| ids(&list)[0];
    let trade = first(world.get("/api/trades", &world.root).await.expect(200));
    let vehicle = first(world.get("/api/vehicles", &world.root).await.expect(200));
    let objects = [("users", world.owner.user), ("customers", world.owner.customer), ("vehicles", vehicle), ("trades", trade)];
    for (kind, id) in objects {
        world.patch(&format!("/api/{kind}/{id}"), &world.root, json!({"external_id": "x"})).await.expect(200);
    }
    objects.map(|(kind, id)| (format!("/api/{kind}?external_id=x"), vec![id])).into()
}

/// An endpoint that takes what it is told, and one that is switched off: requests, with the rows of their responses.
async fn of_webhooks(world: &World) -> Vec<(String, Vec<i64>)> {
    let endpoint = world.webhook_endpoint("https://example.com/good", &["lead.*"]).await;
    let off = world.webhook_endpoint("https://example.com/off", &[]).await;
    world.patch(&format!("/api/webhook-endpoints/{off}"), &world.staff, json!({"is_active": false})).await.expect(200);
    world.catch_up().await;
    let test = format!("/api/webhook-endpoints/{endpoint}/test");
    let sent = id(&world.post(&test, &world.staff, Value::Null).await.expect(202));
    world.catch_up().await;
    world.receiver.answer("https://example.com/good", &[500]);
    let pending = id(&world.post(&test, &world.staff, Value::Null).await.expect(202));
    world.catch_up().await;
    let deliveries = format!("/api/webhook-endpoints/{endpoint}/deliveries");
    vec![
        ("/api/webhook-endpoints?is_active=true".into(), vec![endpoint]),
        ("/api/webhook-endpoints?is_active=false".into(), vec![off]),
        (format!("{deliveries}?status=succeeded"), vec![sent]),
        (format!("{deliveries}?status=pending"), vec![pending]),
        (format!("{deliveries}?status=failed"), vec![]),
        (format!("/api/webhook-endpoints/{off}/deliveries?status=pending"), vec![]),
    ]
}

/// A service that is not active.
async fn inactive_service(world: &World) -> i64 {
    let service = json!({"name": "Inspect", "kind": "custom", "amount": "10.00", "currency": "USD", "invoice_on": "acceptance",
        "bill_to": "owner", "is_active": false});
    id(&world.post("/api/services", &world.staff, service).await.expect(201))
}

/// The parameters of the requests, each with its list.
fn names(path: &str) -> Vec<(String, String)> {
    let (path, query) = path.split_once('?').unwrap();
    let parts = path.split('/').map(|part| if part.parse::<i64>().is_ok() { "{id}" } else { part });
    let list = parts.collect::<Vec<_>>().join("/");
    query.split('&').map(|pair| (list.clone(), pair.split('=').next().unwrap().to_owned())).collect()
}

/// The filters in the document, each with its list.
fn filters() -> BTreeSet<(String, String)> {
    let all = lists().into_iter().flat_map(|(list, names)| names.into_iter().map(move |name| (list.to_owned(), name.to_owned())));
    all.filter(|(_, name)| !["limit", "cursor"].contains(&name.as_str())).collect()
}

/// The lists in the document, each with its query parameters. The stream of events has the filters of the list, and no pages.
fn lists() -> Vec<(&'static str, Vec<&'static str>)> {
    let paths = document()["paths"].as_object().unwrap().iter();
    let asked = paths.map(|(path, operations)| {
        let parameters = operations["get"]["parameters"].as_array().into_iter().flatten();
        let names = parameters.filter(|one| one["in"] == "query").map(|one| one["name"].as_str().unwrap());
        (path.as_str(), names.collect::<Vec<_>>())
    });
    asked.filter(|(path, names)| !names.is_empty() && *path != "/api/events/stream").collect()
}

/// Rule 2.3: a list contains exactly the rows that the caller may see.
#[tokio::test]
async fn a_list_contains_exactly_the_rows_that_the_caller_may_see() {
    let world = World::new().await;
    let (owner, buyer, stranger, staff) = (&world.owner, &world.buyer, &world.stranger, &world.staff);
    let (sold, invoice) = world.agreed_sale(1).await;
    let open = world.trade(world.sell, 2).await;
    let own = world.offer(open, owner, "9000").await;
    let offer = world.offer(open, buyer, "8000").await;
    let accepted = world.get(&format!("/api/trades/{sold}"), buyer).await.expect(200)["accepted_proposal_id"].as_i64().unwrap();
    let hidden = world.vehicle(owner, 3).await;
    let vehicles = ids(&world.get("/api/vehicles", owner).await.expect(200));
    let [_, offered, agreed] = vehicles[..] else { panic!("{vehicles:?}") };
    let card = world.card(owner, GOOD_CARD).await;
    let pay = json!({"invoice_id": invoice, "credit_card_id": card, "amount": "1"});
    let payment = id(&world.post("/api/payments", owner, pay).await.expect(201));
    let refund = format!("/api/payments/{payment}/refunds");
    let refund = id(&world.post(&refund, staff, json!({"reason": "other"})).await.expect(201));
    let contact = id(&world.post("/api/contacts", owner, json!({"email": "bo@example.com"})).await.expect(201));
    let inactive = inactive_service(&world).await;
    let [o, b, s] = [owner, buyer, stranger].map(|person| person.customer);
    let users = vec![stranger.user, buyer.user, owner.user, staff.user, world.root.user];

    // The owner, the buyer, a stranger, staff.
    let expected: &[(&str, [Vec<i64>; 4])] = &[
        ("/api/users", [vec![owner.user], vec![buyer.user], vec![stranger.user], users]),
        ("/api/customers", [vec![o], vec![b], vec![s], vec![s, b, o]]),
        ("/api/credit-cards", [vec![card], vec![], vec![], vec![card]]),
        ("/api/contacts", [vec![contact], vec![], vec![], vec![contact]]),
        ("/api/vehicles", [vehicles.clone(), vec![offered, agreed], vec![offered], vec![hidden, offered, agreed]]),
        (
            "/api/services",
            [
                vec![world.sell, world.lease],
                vec![world.sell, world.lease],
                vec![world.sell, world.lease],
                vec![inactive, world.sell, world.lease],
            ],
        ),
        ("/api/services?is_active=false", [vec![], vec![], vec![], vec![inactive]]),
        ("/api/trades", [vec![open, sold], vec![open, sold], vec![open], vec![open, sold]]),
        ("/api/proposals", [vec![offer, own, accepted], vec![offer, own, accepted], vec![own], vec![offer, own, accepted]]),
        ("/api/invoices", [vec![invoice], vec![], vec![], vec![invoice]]),
        ("/api/payments", [vec![payment], vec![], vec![], vec![payment]]),
        ("/api/refunds", [vec![refund], vec![], vec![], vec![refund]]),
    ];
    for (path, rows) in expected {
        for (person, rows) in [owner, buyer, stranger, staff].into_iter().zip(rows) {
            assert_eq!(&ids(&world.get(path, person).await.expect(200)), rows, "{path} as {}", person.user);
        }
    }
    for (path, rows) in [("/api/services", vec![world.sell, world.lease]), ("/api/services?is_active=false", vec![])] {
        assert_eq!(ids(&world.get(path, &nobody()).await.expect(200)), rows, "{path} as nobody");
    }
}

#[tokio::test]
async fn an_invoice_is_overdue_once_its_due_date_is_over() {
    let world = World::new().await;
    let (_, invoice) = world.agreed_sale(1).await;
    world.app.clock.advance(chrono::Duration::days(60));
    let root = world.log_in("root").await;
    for (overdue, rows) in [(true, vec![invoice]), (false, vec![])] {
        assert_eq!(ids(&world.get(&format!("/api/invoices?overdue={overdue}"), &root).await.expect(200)), rows);
    }
}

/// Each list refuses parameters that it does not know, reports all wrong parameters at once, and accepts an id that no row has.
#[tokio::test]
async fn every_list_refuses_unknown_parameters() {
    let world = World::new().await;
    let lists: Vec<_> = lists().into_iter().filter(|(path, _)| !path.contains("{id}")).collect();
    assert_eq!(lists.len(), 15);
    for (path, names) in lists {
        assert!(names.contains(&"cursor"), "{path}");
        for wrong in ["limit=0", "limit=101", "limit=x", "cursor=nonsense", "colour=red", "limit=1&limit=2"] {
            let name = wrong.split('=').next().unwrap();
            world.get(&format!("{path}?{wrong}"), &world.root).await.invalid(&[name]);
        }
        world.get(&format!("{path}?limit=0&cursor=x&colour=red"), &world.root).await.invalid(&["colour", "cursor", "limit"]);
        for name in names {
            let (is_text, is_id) = (
                ["search", "make", "model", "chassis_number", "external_id"].contains(&name),
                name.ends_with("_id") && name != "external_id",
            );
            if !is_text {
                world.get(&format!("{path}?{name}=nonsense"), &world.root).await.invalid(&[name]);
            }
            if is_id {
                let of_kind = if name == "subject_id" { "&subject_kind=trade" } else { "" };
                let unknown = world.get(&format!("{path}?{name}=987654321{of_kind}"), &world.root).await.expect(200);
                assert_eq!(ids(&unknown), [0_i64; 0], "{path}?{name}");
            }
        }
    }
}
