//! Input that looks right and is not, and input that looks odd and is right: rules 1.2 to 1.5, 3.7, 5.1, 5.6, 6.2, 6.5.

use serde_json::{Value, json};

use crate::app::{PASSWORD, registration};
use crate::support::setup::card;
use crate::support::*;

fn with(mut body: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Rule 1.2: an instant is checked after a leap second has become the second after it.
#[tokio::test]
async fn an_instant_beyond_the_calendar_is_refused() {
    let world = World::new().await;
    let trade = world.trade(world.sell, 1).await;
    let path = format!("/api/trades/{trade}/proposals");
    for at in ["9999-12-31T23:59:60Z", "9999-12-31T22:59:60.5-01:00", "9999-12-31T23:59:59-00:01"] {
        world.post(&path, &world.owner, json!({"amount": "1", "expires_at": at})).await.invalid(&["expires_at"]);
    }
    let last = json!({"amount": "1", "expires_at": "9999-12-31T23:59:59.999999Z"});
    assert_eq!(world.post(&path, &world.owner, last).await.expect(201)["expires_at"], "9999-12-31T23:59:59.999999Z");
}

/// Rules 1.3, 5.1: a withdrawn currency cannot be chosen.
#[tokio::test]
async fn a_withdrawn_currency_is_refused() {
    let world = World::new().await;
    for currency in ["HRK", "BGN", "SLL", "ZWL", "CUC"] {
        let service = json!({"name": "Old", "kind": "sell", "amount": "1", "currency": currency});
        world.post("/api/services", &world.staff, service).await.invalid(&["currency"]);
        let path = format!("/api/services/{}", world.sell);
        world.patch(&path, &world.staff, json!({"currency": currency})).await.invalid(&["currency"]);
    }
}

/// Rules 1.3, 5.4: zeros at the end of an amount do not count, null is none, and a currency beside it is the one it has.
#[tokio::test]
async fn an_amount_means_what_it_says() {
    let world = World::new().await;
    let (_, invoice) = world.agreed_sale(1).await;
    let card = world.card(&world.owner, setup::GOOD_CARD).await;
    let pay = |fields: Value| with(json!({"invoice_id": invoice, "credit_card_id": card}), &fields);
    for (fields, wrong) in [
        (json!({"amount": null}), "amount"),
        (json!({"amount": "49.001"}), "amount"),
        (json!({"currency": "EUR"}), "currency"),
        (json!({"amount": "1", "currency": "EUR"}), "currency"),
    ] {
        world.post("/api/payments", &world.owner, pay(fields.clone())).await.invalid(&[wrong]);
        let path = format!("/api/invoices/{invoice}/payments");
        world.post(&path, &world.owner, pay(fields)).await.invalid(&[wrong]);
    }
    for fields in [json!({"amount": "49.000"}), json!({"amount": 49.0}), json!({"amount": "49.00", "currency": "USD"})] {
        assert_eq!(world.post("/api/payments", &world.owner, pay(fields)).await.expect(201)["amount"], "49.00");
    }
    let trade = world.trade(world.sell, 2).await;
    let path = format!("/api/trades/{trade}/proposals");
    world.post(&path, &world.owner, json!({"amount": "49.000", "currency": "EUR"})).await.invalid(&["currency"]);
    let made = world.post(&path, &world.owner, json!({"amount": "49.000", "currency": "USD"})).await.expect(201);
    assert_eq!([&made["amount"], &made["currency"]], ["49.00", "USD"]);
}

/// Rule 5.6: the brand is that of the published ranges.
#[tokio::test]
async fn a_card_has_the_brand_of_its_number() {
    let world = World::new().await;
    for (number, brand) in [
        ("6225880000000001", "unionpay"),
        ("6062826786276634", "unknown"),
        ("6304000000000000", "maestro"),
        ("2721000000000004", "unknown"),
        ("3500000000000009", "unknown"),
        ("4242 4242 4242 4242", "visa"),
    ] {
        assert_eq!(world.post("/api/credit-cards", &world.owner, card(number)).await.expect(201)["brand"], brand, "{number}");
    }
    let amex = json!({"number": "378282246310005", "cvc": "1234"});
    assert_eq!(world.post("/api/credit-cards", &world.owner, with(card(""), &amex)).await.expect(201)["brand"], "amex");
}

/// Rule 5.6: a card that no bank has issued is refused, and so is a number in the place of a name.
#[tokio::test]
async fn a_card_that_cannot_be_is_refused() {
    let world = World::new().await;
    for (fields, wrong) in [
        (json!({"number": "0000000000000000"}), "number"),
        (json!({"number": "424242424242"}), "number"),
        (json!({"number": "4242424242424241"}), "number"),
        (json!({"number": "378282246310005", "cvc": "123"}), "cvc"),
        (json!({"cvc": "1234"}), "cvc"),
        (json!({"holder_name": "4242 4242 4242 4242"}), "holder_name"),
        (json!({"holder_name": "\u{200b}"}), "holder_name"),
    ] {
        let body = with(card(setup::GOOD_CARD), &fields);
        world.post("/api/credit-cards", &world.owner, body).await.invalid(&[wrong]);
    }
}

/// Rule 1.5: text that shows nothing is blank, and what turns the direction of a line is refused.
#[tokio::test]
async fn text_shows_what_it_says() {
    let world = World::new().await;
    for blank in ["\u{200b}", "\u{2060}", "\u{3164}", "\u{2800}", "\u{115f}\u{ffa0} ", "\u{e0041}"] {
        let person = with(registration("new"), &json!({"first_name": blank}));
        world.post("/api/register", &nobody(), person).await.invalid(&["first_name"]);
        let lead = json!({"company": "Acme", "phone": blank});
        assert_eq!(world.post("/api/leads", &world.staff, lead).await.expect(201)["phone"], "");
        world.post("/api/leads", &world.staff, json!({"company": blank})).await.invalid(&["non_field_errors"]);
    }
    for turned in ["a\u{202e}b", "\u{202a}a", "a\u{2066}b\u{2069}"] {
        let person = with(registration("new"), &json!({"last_name": turned}));
        world.post("/api/register", &nobody(), person).await.invalid(&["last_name"]);
    }
}

/// Rule 3.7: names that read the same are the same, and letters of scripts that are confused are not mixed.
#[tokio::test]
async fn a_name_that_reads_the_same_is_taken() {
    let world = World::new().await;
    let register = |name: &'static str, email: &'static str| {
        let body = with(registration("x"), &json!({"username": name, "email": email}));
        async { world.post("/api/register", &nobody(), body).await }
    };
    for (number, (first, same)) in
        [("νικος", "ΝΙΚΟΣ"), ("straße", "STRASSE"), ("ａｎｎａ", "Anna"), ("Zoe\u{308}", "zoë")].into_iter().enumerate()
    {
        let email: &'static str = ["a@example.com", "b@example.com", "c@example.com", "d@example.com"][number];
        register(first, email).await.expect(201);
        register(same, "other@example.com").await.invalid(&["username"]);
    }
    for mixed in ["аdmin", "pаypal", "gοοgle", "ааbb", "a\u{3164}b"] {
        register(mixed, "mixed@example.com").await.invalid(&["username"]);
    }
    for (name, email) in [
        ("админ", "admin@example.com"),
        ("東京タワーtokyo", "tokyo@example.com"),
        ("김Kim", "kim@example.com"),
        ("jose\u{301}.2", "jose\u{301}@example.com"),
    ] {
        let made = register(name, email).await.expect(201);
        assert!(!made["email"].as_str().unwrap().contains('\u{301}'), "composed");
    }
    register("another", "josé@example.com").await.invalid(&["email"]);
    register("josé@example.com", "fresh@example.com").await.invalid(&["username"]);
}

/// Rule 3.7: a password is the same in each of its forms in Unicode.
#[tokio::test]
async fn a_password_may_be_composed_or_not() {
    let world = World::new().await;
    let (composed, decomposed) = ("más vale pájaro en mano", "ma\u{301}s vale pa\u{301}jaro en mano");
    let body = |name: &str, one: &str, two: &str| with(registration(name), &json!({"password": one, "password2": two}));
    world.post("/api/register", &nobody(), body("maria", composed, decomposed)).await.expect(201);
    world.post("/api/register", &nobody(), body("jorge", decomposed, decomposed)).await.expect(201);
    for (name, password) in [("maria", composed), ("maria", decomposed), ("jorge", composed), ("jorge", decomposed)] {
        world.post("/api/login", &nobody(), json!({"username": name, "password": password})).await.expect(200);
    }
    let seven = "áéíóúñç".chars().flat_map(|one| [one, '\u{301}']).collect::<String>();
    assert!(seven.chars().count() > 8);
    let short = "a\u{301}b\u{301}c\u{301}e\u{301}".replace("b\u{301}", "x").replace("c\u{301}", "y");
    world.post("/api/register", &nobody(), body("short", &short, &short)).await.invalid(&["password"]);
    assert_ne!(PASSWORD, composed);
}

/// Rule 6.2: a VIN is cleaned, and a vehicle without one has a chassis number.
#[tokio::test]
async fn a_vehicle_has_a_vin_or_a_chassis_number() {
    let world = World::new().await;
    let vehicle = |fields: Value| with(json!({"make": "Mitsuoka", "model": "Himiko", "year": 2020}), &fields);
    let post = |fields: Value| world.post("/api/vehicles", &world.owner, vehicle(fields));
    for (number, vin) in ["1HGCM 82633A 000001", "*1HGCM82633A000002*", "1hgcm-82633a-000003"].into_iter().enumerate() {
        let made = post(json!({"vin": vin})).await.expect(201);
        assert_eq!(made["vin"], format!("1HGCM82633A{:06}", number + 1));
        assert_eq!(made["chassis_number"], Value::Null);
    }
    let made = post(json!({"chassis_number": "gj7-123456"})).await.expect(201);
    assert_eq!([&made["vin"], &made["chassis_number"]], [&Value::Null, &json!("GJ7-123456")]);
    let path = format!("/api/vehicles/{}", id(&made));
    for list in ["chassis_number=gj7-123456", "search=7-1234", "search=GJ7"] {
        assert_eq!(ids(&world.get(&format!("/api/vehicles?{list}"), &world.owner).await.expect(200)), [id(&made)], "{list}");
    }
    post(json!({"chassis_number": "GJ7-123456"})).await.invalid(&["chassis_number"]);
    post(json!({})).await.invalid(&["vin"]);
    post(json!({"vin": null, "chassis_number": null})).await.invalid(&["vin"]);
    post(json!({"vin": "1HGCM82633A000009", "chassis_number": "GJ7-000009"})).await.invalid(&["chassis_number"]);
    post(json!({"chassis_number": "GJ7 123457"})).await.invalid(&["chassis_number"]);
    world.put(&path, &world.owner, vehicle(json!({}))).await.invalid(&["vin"]);
    world.patch(&path, &world.owner, json!({"vin": "1HGCM82633A000009"})).await.invalid(&["chassis_number"]);

    let switched = json!({"vin": "1HGCM82633A000009", "chassis_number": null});
    assert_eq!(world.patch(&path, &world.owner, switched).await.expect(200)["vin"], "1HGCM82633A000009");
    let back = json!({"vin": null, "chassis_number": "GJ7-123456"});
    assert_eq!(world.patch(&path, &world.owner, back).await.expect(200)["chassis_number"], "GJ7-123456");
    let trade = json!({"vehicle_id": id(&made), "service_id": world.sell});
    let trade = id(&world.post("/api/trades", &world.owner, trade).await.expect(201));
    let other = json!({"chassis_number": "GJ7-123457"});
    world.patch(&path, &world.owner, other.clone()).await.refused(409, "vehicle_in_trade");
    world.post(&format!("/api/trades/{trade}/cancel"), &world.owner, Value::Null).await.expect(200);
    world.patch(&path, &world.owner, other).await.expect(200);
    let freed = id(&post(json!({"chassis_number": "GJ7-123456"})).await.expect(201));
    world.delete(&format!("/api/vehicles/{freed}"), &world.owner).await.expect(204);
    post(json!({"chassis_number": "GJ7-123456"})).await.expect(201);
}

/// Rule 6.5: a search finds words of Chinese, Japanese and Korean inside a run, and ignores case and the end of a word.
#[tokio::test]
async fn a_search_finds_words_of_every_script() {
    let world = World::new().await;
    let make = |number: u32, make: &str, model: &str| {
        let body = with(crate::app::vehicle(number), &json!({"make": make, "model": model}));
        async { id(&world.post("/api/vehicles", &world.owner, body).await.expect(201)) }
    };
    let one = make(1, "一汽大众", "迈腾").await;
    let two = make(2, "ΣΙΣΥΦΟΣ", "Straße").await;
    let three = make(3, "トヨタカローラ", "현대자동차").await;
    for (query, found) in [
        ("大众", vec![one]),
        ("众", vec![one]),
        ("一汽 迈腾", vec![one]),
        ("σισυφος", vec![two]),
        ("STRASSE", vec![two]),
        ("カローラ", vec![three]),
        ("자동차", vec![three]),
        ("众大", vec![]),
    ] {
        let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        assert_eq!(ids(&world.get(&format!("/api/vehicles?search={query}"), &world.owner).await.expect(200)), found, "{query}");
    }
    let named = "/api/vehicles?make=%CF%83%CE%B9%CF%83%CF%85%CF%86%CE%BF%CF%82";
    assert_eq!(ids(&world.get(named, &world.owner).await.expect(200)), [two]);
}

/// Rule 6.5: a query takes booleans and numbers as a body does, space around a value does not count, and a parameter without a value
/// is absent.
#[tokio::test]
async fn a_query_is_as_forgiving_as_a_body() {
    let world = World::new().await;
    let all = ids(&world.get("/api/users", &world.staff).await.expect(200));
    let administrators = ids(&world.get("/api/users?is_staff=true", &world.staff).await.expect(200));
    assert!(administrators.len() < all.len());
    for flag in ["True", "TRUE", "1"] {
        let path = format!("/api/users?is_staff={flag}");
        assert_eq!(ids(&world.get(&path, &world.staff).await.expect(200)), administrators, "{flag}");
    }
    for empty in [
        "is_staff=",
        "is_staff",
        "is_staff=&role=&search=&limit=&cursor=",
        "is_active=True&is_staff=",
        "is_active=+1+&is_staff=++",
    ] {
        assert_eq!(ids(&world.get(&format!("/api/users?{empty}"), &world.staff).await.expect(200)), all, "{empty}");
    }
    for number in ["1", "1.0", "10e-1", "+1", "%0A1+"] {
        let page = world.get(&format!("/api/users?limit={number}"), &world.staff).await.expect(200);
        assert_eq!(ids(&page), all[..1], "{number}");
    }
    let spaced = "currency=+USD&price_min=+1.50+&mileage_max=%095&year_min=+1999&status=+open&sort=price+";
    world.get(&format!("/api/trades?{spaced}"), &world.staff).await.expect(200);
    world.get("/api/events?since=+2026-01-01T00:00:00Z+&type=+trade.*", &world.staff).await.expect(200);
    for (wrong, name) in [
        ("is_staff=yes", "is_staff"),
        ("limit=1.5", "limit"),
        ("limit=-1", "limit"),
        ("role=Staff", "role"),
        ("colour=", "colour"),
    ] {
        world.get(&format!("/api/users?{wrong}"), &world.staff).await.invalid(&[name]);
    }
}
