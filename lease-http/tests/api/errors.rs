//! Errors on every path, including those for which the framework has its own responses (rule 6.6), and the order of checks
//! (chapter 2).

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::app::request;
use crate::support::{Person, World, document, nobody};

async fn raw(
    world: &World,
    method: &str,
    path: &str,
    content_type: Option<&str>,
    body: impl Into<Body>,
) -> crate::app::ApiResponse {
    raw_as(world, &world.owner, method, path, content_type, body).await
}

async fn raw_as(
    world: &World,
    who: &Person,
    method: &str,
    path: &str,
    content_type: Option<&str>,
    body: impl Into<Body>,
) -> crate::app::ApiResponse {
    let mut request = Request::builder().method(method).uri(path).header("authorization", format!("Token {}", who.token));
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    world.app.send(request.body(body.into()).unwrap()).await
}

const JSON: Option<&str> = Some("application/json");

#[tokio::test]
async fn unknown_paths_are_not_found() {
    let world = World::new().await;
    for path in ["/nothing", "/api/nothing", "/api/users/1/nothing", "/api//users", "/api/users/1//"] {
        world.get(path, &world.owner).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn the_response_to_other_methods_lists_those_that_are_allowed() {
    let world = World::new().await;
    let cases = [
        ("DELETE", "/api/register", "POST"),
        ("GET", "/api/logout", "POST"),
        ("GET", "/api/tokens/1", "DELETE"),
        ("DELETE", "/api/users", "GET,HEAD,POST"),
        ("DELETE", "/api/user/1", "GET,HEAD,PUT,PATCH"),
        ("POST", "/api/users/1", "GET,HEAD,PUT,PATCH,DELETE"),
        ("PUT", "/api/trades/1", "GET,HEAD,PATCH"),
        ("DELETE", "/api/invoices/1", "GET,HEAD,PATCH"),
        ("POST", "/api/invoices", "GET,HEAD"),
        ("GET", "/api/invoices/1/payments/", "POST"),
        ("PUT", "/api/credit-cards/1", "GET,HEAD,PATCH,DELETE"),
        ("PROPFIND", "/api/vehicles", "GET,HEAD,POST"),
    ];
    for (method, path, allowed) in cases {
        let response = world.call(method, path, &world.owner, Value::Null).await;
        response.refused(405, "method_not_allowed");
        let sorted = |text: &str| {
            let mut methods: Vec<String> = text.split(',').map(|method| method.trim().to_owned()).collect();
            methods.sort();
            methods
        };
        assert_eq!(sorted(response.header("allow")), sorted(allowed), "{method} {path}");
    }
}

/// Rule 2.3: a resource that is closed to a role is closed for every method.
#[tokio::test]
async fn leads_and_webhooks_are_closed_to_customers_whatever_the_method() {
    let world = World::new().await;
    for (method, path) in [
        ("DELETE", "/api/leads"),
        ("PUT", "/api/leads"),
        ("POST", "/api/leads/1"),
        ("GET", "/api/leads/1/convert"),
        ("PUT", "/api/webhook-endpoints"),
        ("POST", "/api/webhook-endpoints/1"),
        ("DELETE", "/api/webhook-endpoints/1/deliveries"),
        ("GET", "/api/webhook-endpoints/1/test"),
        ("GET", "/api/webhook-deliveries/1/redeliver"),
    ] {
        world.call(method, path, &world.owner, Value::Null).await.refused(403, "permission_denied");
        world.call(method, path, &nobody(), Value::Null).await.refused(401, "not_authenticated");
        world.call(method, path, &world.staff, Value::Null).await.refused(405, "method_not_allowed");
    }
}

/// Rule 2.1: an invalid token is refused even on an endpoint that needs no token.
#[tokio::test]
async fn the_document_is_public_but_an_invalid_token_is_refused() {
    let world = World::new().await;
    let stranger = Person { token: "0".repeat(40), ..nobody() };
    world.get("/api/openapi.json", &nobody()).await.expect(200);
    world.get("/api/openapi.json", &stranger).await.refused(401, "not_authenticated");
}

/// Chapter 1, rule 3.2: no name and no password contains a NUL.
#[tokio::test]
async fn no_name_and_no_password_contains_a_nul() {
    let world = World::new().await;
    let login = json!({"username": "own\0er", "password": "a\0b"});
    world.post("/api/login", &nobody(), login).await.refused(400, "invalid_credentials");
    let mut registration = crate::app::registration("somebody");
    for (field, text) in [("username", "some\0body"), ("email", "a\0@example.com")] {
        registration[field] = text.into();
    }
    registration["password"] = "a horse of\0another colour".into();
    registration["password2"] = registration["password"].clone();
    world.post("/api/register", &nobody(), registration).await.invalid(&["email", "password", "username"]);
}

/// Rule 6.6: JSON is UTF-8, also in fields that are not read.
#[tokio::test]
async fn a_body_that_is_no_utf8_does_not_parse() {
    let world = World::new().await;
    let path = format!("/api/customers/{}", world.owner.customer);
    raw(&world, "PATCH", &path, JSON, b"{\"x\": \"\xff\"}".to_vec()).await.refused(400, "parse_error");
    // A value that is not read need not fit into any type.
    raw(&world, "PATCH", &format!("/api/users/{}", world.owner.user), JSON, "{\"x\": 1e400}").await.expect(200);
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let world = World::new().await;
    let response = world.call("HEAD", "/api/vehicles", &world.owner, Value::Null).await;
    assert_eq!((response.status.as_u16(), response.text.as_str()), (200, ""));
    assert_eq!(response.header("content-type"), "application/json");
}

#[tokio::test]
async fn a_trailing_slash_changes_nothing() {
    let world = World::new().await;
    let vehicle = world.vehicle(&world.owner, 1).await;
    for path in ["/api/services".to_owned(), format!("/api/vehicles/{vehicle}"), "/api/vehicles?limit=1".to_owned()] {
        let with = match path.split_once('?') {
            Some((path, query)) => format!("{path}/?{query}"),
            None => format!("{path}/"),
        };
        let (plain, slashed) = (world.get(&path, &world.owner).await, world.get(&with, &world.owner).await);
        assert_eq!((slashed.status, slashed.text), (plain.status, plain.text), "{path}");
    }
    world.post("/api/vehicles/", &world.owner, crate::app::vehicle(2)).await.expect(201);
}

/// Rule 6.6: a character that is encoded without need is that character, and one that needs it is not.
#[tokio::test]
async fn encoding_a_letter_of_a_path_changes_nothing() {
    let world = World::new().await;
    let vehicle = world.vehicle(&world.owner, 1).await;
    let get = async |path: String| raw(&world, "GET", &path, None, "").await;
    let plain = get(format!("/api/vehicles/{vehicle}")).await;
    let encoded =
        [format!("/%61pi/%76ehicles/{vehicle}"), format!("/api/vehicles/%3{vehicle}/"), format!("/api/vehicle%73/%3{vehicle}")];
    for path in &encoded {
        let answer = get(path.to_owned()).await;
        assert_eq!((answer.status.as_u16(), &answer.text), (200, &plain.text), "{path}");
    }
    assert_eq!(get("/api%2Fvehicles".to_owned()).await.status, 404);
    let made = raw(&world, "POST", "/%61pi/vehicle%73", JSON, crate::app::vehicle(2).to_string()).await;
    assert_eq!((made.status.as_u16(), made.header("location")), (201, format!("/api/vehicles/{}", made.json()["id"]).as_str()));
}

#[tokio::test]
async fn the_router_can_be_nested_in_another_app() {
    let world = World::new().await;
    let outer: Router = Router::new().nest("/lease", world.app.router.clone());
    let ask = async |path: &str| {
        let token = format!("Token {}", world.owner.token);
        let response = outer.clone().oneshot(request("GET", path, &[("authorization", &token)], &Value::Null)).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice::<Value>(&body).unwrap()
    };
    for number in 1..=2 {
        world.vehicle(&world.owner, number).await;
    }
    let page = ask("/lease/api/vehicles/?limit=1").await;
    let next = page["next"].as_str().unwrap();
    assert!(next.starts_with("/lease/api/vehicles"), "{next}");
    assert_eq!(ask(next).await["results"].as_array().unwrap().len(), 1);
    assert_eq!(ask("/lease/api/nothing").await["code"], "not_found");
}

#[tokio::test]
async fn a_body_that_does_not_parse_is_distinguished_from_wrong_fields() {
    let world = World::new().await;
    let deep = "[".repeat(100_000);
    let cases: [(&[u8], &str); 15] = [
        (b"", "parse_error"),
        (b"   ", "parse_error"),
        (b"{", "parse_error"),
        (b"{\"vin\": }", "parse_error"),
        (b"{\"vin\": \"a\"} x", "parse_error"),
        (b"{\"vin\": \"\xff\"}", "parse_error"),
        (b"{\"unknown\": \"\xff\"}", "parse_error"),
        (b"{\"vin\": \"\\ud800\"}", "parse_error"),
        (b"{\"year\": 1e999}", "validation_error"),
        (b"{\"year\": [1e999]}", "validation_error"),
        (b"{\"year\": 1e}", "parse_error"),
        (b"\xef\xbb\xbf{}", "parse_error"),
        (deep.as_bytes(), "parse_error"),
        (b"[]", "validation_error"),
        (b"null", "validation_error"),
    ];
    for (body, code) in cases {
        let response = raw(&world, "POST", "/api/vehicles", JSON, body.to_vec()).await;
        response.refused(400, code);
    }
    let twice = raw(&world, "POST", "/api/vehicles", JSON, r#"{"year": 1, "year": 2}"#).await;
    twice.refused(400, "parse_error");
    let unknown = raw(&world, "POST", "/api/vehicles", JSON, r#"{"unknown": "\ud800", "unknown": 1e999}"#).await;
    unknown.invalid(&["make", "model", "vin", "year"]);
}

/// Chapter 1: an amount is exact, also as a number; one with more digits than its currency has is refused, not rounded.
#[tokio::test]
async fn no_digit_of_an_amount_is_lost() {
    let world = World::new().await;
    let amounts = [
        ("USD", "0.29999999999999999", None),
        ("USD", "19.999999999999999999", None),
        ("USD", "100.00000000000000000001", None),
        ("USD", "1.0000000000000000000000000001", None),
        ("USD", "1e-400", None),
        ("USD", "1e400", None),
        ("USD", "1.500", Some("1.50")),
        ("USD", "1.5e1", Some("15.00")),
        ("USD", "999999999999.99", Some("999999999999.99")),
        ("CLF", "800358862767.4079", Some("800358862767.4079")),
    ];
    for (number, (currency, amount, expected)) in amounts.into_iter().enumerate() {
        let body = format!(r#"{{"name": "S{number}", "kind": "sell", "currency": "{currency}", "amount": {amount}}}"#);
        let response = raw_as(&world, &world.staff, "POST", "/api/services", JSON, body).await;
        match expected {
            Some(expected) => assert_eq!(response.expect(201)["amount"], expected),
            None => response.invalid(&["amount"]),
        }
    }
}

#[tokio::test]
async fn a_body_that_is_no_object_is_one_message() {
    let world = World::new().await;
    let (owner, root) = (&world.owner, &world.root);
    let vehicle = world.vehicle(owner, 1).await;
    let cases = [
        ("POST", "/api/register".to_owned(), &nobody()),
        ("POST", "/api/login".to_owned(), &nobody()),
        ("POST", "/api/tokens".to_owned(), owner),
        ("POST", "/api/users".to_owned(), root),
        ("PATCH", format!("/api/users/{}", owner.user), owner),
        ("PATCH", format!("/api/customers/{}", owner.customer), owner),
        ("PATCH", format!("/api/vehicles/{vehicle}"), owner),
        ("POST", "/api/credit-cards".to_owned(), owner),
        ("POST", "/api/contacts".to_owned(), owner),
        ("POST", "/api/leads".to_owned(), root),
        ("POST", "/api/services".to_owned(), root),
        ("PATCH", format!("/api/services/{}", world.lease), root),
        ("POST", "/api/trades".to_owned(), owner),
        ("POST", "/api/proposals".to_owned(), owner),
        ("POST", "/api/payments".to_owned(), owner),
    ];
    for (method, path, person) in &cases {
        for body in [json!([]), json!("text"), json!(5), json!(["a", "b"])] {
            let response = world.call(method, path, person, body).await;
            response.invalid(&["non_field_errors"]);
        }
    }
}

#[tokio::test]
async fn the_body_must_be_json_of_a_bounded_length() {
    let world = World::new().await;
    let body = crate::app::vehicle(1).to_string();
    for wrong in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonx"), Some("")] {
        raw(&world, "POST", "/api/vehicles", wrong, body.clone()).await.refused(415, "unsupported_media_type");
    }
    let long = format!("{{\"description\": \"{}\"}}", "x".repeat(256 * 1024));
    raw(&world, "POST", "/api/vehicles", JSON, long).await.refused(413, "payload_too_large");
    let padded = format!("{body}{}", " ".repeat(256 * 1024 - body.len()));
    raw(&world, "POST", "/api/vehicles", Some("Application/JSON; charset=utf-8"), padded).await.expect(201);
}

#[tokio::test]
async fn commands_without_input_need_no_body() {
    let world = World::new().await;
    let trade = world.trade(world.sell, 1).await;
    let offer = world.offer(trade, &world.owner, "9000").await;
    raw(&world, "POST", &format!("/api/proposals/{offer}/withdraw"), None, "not json at all").await.expect(200);
    raw(&world, "POST", "/api/logout", None, Body::empty()).await.expect(204);
}

/// Rule 4.6: a trade is cancelled without a body as well, but not with one that does not parse.
#[tokio::test]
async fn a_command_with_optional_fields_needs_no_body() {
    let world = World::new().await;
    for (number, content_type, body, status) in [
        (1, None, "", 200),
        (2, JSON, "", 200),
        (3, JSON, "{}", 200),
        (9, JSON, " null", 200),
        (4, JSON, r#"{"reason": null}"#, 200),
        (5, JSON, r#"{"reason": "Sold"}"#, 200),
        (6, JSON, "not json at all", 400),
        (7, JSON, "[]", 400),
        (8, Some("text/plain"), "Sold", 415),
    ] {
        let trade = world.trade(world.sell, number).await;
        raw(&world, "POST", &format!("/api/trades/{trade}/cancel"), content_type, body).await.expect(status);
    }
}

/// Rule 2.4: the token, the syntax of the body, the right and visibility, the fields, the state.
#[tokio::test]
async fn checks_run_in_the_order_of_rule_2_4() {
    let world = World::new().await;
    let vehicle = world.vehicle(&world.owner, 1).await;
    let path = format!("/api/vehicles/{vehicle}");
    // The token is checked before the body.
    let response = world.app.send(request("POST", "/api/vehicles", &[("authorization", "Token x")], &json!([]))).await;
    response.refused(401, "not_authenticated");
    // The syntax of the body is checked before visibility.
    raw(&world, "PATCH", "/api/vehicles/999999", JSON, "{").await.refused(400, "parse_error");
    // The role and visibility are checked before the fields.
    world.post("/api/vehicles", &world.staff, json!([])).await.refused(403, "permission_denied");
    world.post("/api/leads", &world.owner, json!({"email": 5})).await.refused(403, "permission_denied");
    world.patch(&path, &world.stranger, json!({"year": "x"})).await.refused(404, "not_found");
    world.get("/api/leads?nonsense=1", &world.owner).await.refused(403, "permission_denied");
    world.get("/api/trades/999999/proposals?nonsense=1", &world.owner).await.refused(404, "not_found");
    // The fields are checked before the state.
    let (_, invoice) = world.agreed_sale(2).await;
    let void = format!("/api/invoices/{invoice}/void");
    world.post(&void, &world.staff, json!({"reason": "A mistake."})).await.expect(200);
    world.post(&void, &world.staff, json!({"reason": " "})).await.invalid(&["reason"]);
    world.post(&void, &world.staff, json!({"reason": "Again."})).await.refused(409, "invoice_not_open");
}

/// Rule 6.6: an invalid id in a path is a 404.
#[tokio::test]
async fn an_invalid_id_gets_the_response_of_one_that_does_not_exist() {
    let world = World::new().await;
    let absent = world.get("/api/vehicles/999999", &world.owner).await;
    absent.refused(404, "not_found");
    for id in ["0", "-1", "+1", "abc", "1.0", "1e3", "9223372036854775807", "9223372036854775808", "%20", "%FF", "%00", "１"] {
        let path = format!("/api/vehicles/{}", id.replace('１', "%EF%BC%91"));
        let response = world.get(&path, &world.owner).await;
        assert_eq!((response.status, response.text), (absent.status, absent.text.clone()), "{id}");
        assert_eq!(world.get(&path, &nobody()).await.status, 401);
    }
    world.get("/api/leads/abc", &world.owner).await.refused(403, "permission_denied");
}

/// Rule 2.4: the order of checks is the same for every caller and every body.
#[tokio::test]
async fn every_endpoint_responds_to_an_invalid_id_as_to_one_that_does_not_exist() {
    let world = World::new().await;
    let templates = document()["paths"].as_object().unwrap().iter().filter(|(path, _)| path.contains("{id}"));
    for (template, operations) in templates {
        for method in operations.as_object().unwrap().keys().map(|method| method.to_ascii_uppercase()) {
            for person in [&nobody(), &world.owner, &world.staff, &world.root] {
                for body in [json!({}), json!([])] {
                    let ask = async |id| world.call(&method, &template.replace("{id}", id), person, body.clone()).await;
                    let (none, absent) = (ask("abc").await, ask("999999").await);
                    assert_eq!((none.status, &none.text), (absent.status, &absent.text), "{method} {template} {body}");
                    assert!(matches!(none.status.as_u16(), 401 | 403 | 404), "{method} {template}: {}", none.text);
                }
            }
        }
    }
}

/// Rule 2.2: a hidden row gets the same response as one that does not exist.
#[tokio::test]
async fn a_hidden_row_and_an_absent_one_get_the_same_response() {
    let world = World::new().await;
    let vehicle = world.vehicle(&world.owner, 1).await;
    let hidden = world.get(&format!("/api/vehicles/{vehicle}"), &world.stranger).await;
    let absent = world.get("/api/vehicles/999999", &world.stranger).await;
    assert_eq!((hidden.status, hidden.text), (absent.status, absent.text));
}

/// Rules 2.1 and 3.6: the 401 for an invalid token names the authentication scheme.
#[tokio::test]
async fn the_response_to_an_invalid_token_says_how_to_authenticate() {
    let world = World::new().await;
    let good = &world.owner.token;
    let upper = good.to_uppercase();
    let bad = [
        "",
        "Token",
        "Token ",
        "Token x",
        good,
        "Basic abc",
        "Token 0000000000000000000000000000000000000000",
        &format!("Token {upper}"),
        &format!("Token {good} x"),
        "Token \u{e9}",
    ];
    for header in bad.into_iter().filter(|header| !header.ends_with(&upper) || &upper != good) {
        for path in ["/api/vehicles", "/api/services"] {
            let request = Request::builder().uri(path).header("authorization", header.as_bytes()).body(Body::empty()).unwrap();
            let response = world.app.send(request).await;
            response.refused(401, "not_authenticated");
            assert_eq!(response.header("www-authenticate"), "Token");
        }
    }
    for header in [format!("Token {good}"), format!("Bearer {good}"), format!("tOKEN {good}"), format!("bearer  {good}")] {
        let response = world.app.send(request("GET", "/api/vehicles", &[("authorization", &header)], &Value::Null)).await;
        assert_eq!(response.status, 200, "{header}");
    }
}
