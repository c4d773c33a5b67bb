//! Forgotten and changed passwords (rule 9.3), and e-mail addresses that are confirmed (rule 9.4).

use chrono::Duration;
use lease_core::model::MailKind::{EmailChanged, EmailVerification, PasswordChanged, PasswordReset};
use lease_core::policy::Policy;
use lease_http::HttpOptions;
use serde_json::{Value, json};

use crate::app::{ApiResponse, App, PASSWORD, post, request};
use crate::support::{Person, World, nobody};

const NEW: &str = "amber-lantern-58";

impl World {
    async fn ask_for_reset(&self, email: &str) -> ApiResponse {
        self.post("/api/password-reset", &nobody(), json!({"email": email})).await
    }

    /// The token in a new link for the owner.
    async fn reset_token(&self) -> String {
        self.ask_for_reset("owner@example.com").await.expect(202);
        self.mailed_token(PasswordReset).await
    }

    async fn confirm_reset(&self, token: &str, password: &str) -> ApiResponse {
        let body = json!({"token": token, "password": password, "password2": password});
        self.post("/api/password-reset/confirm", &nobody(), body).await
    }

    async fn confirm_email(&self, token: &str) -> ApiResponse {
        self.post("/api/email-verification/confirm", &nobody(), json!({"token": token})).await
    }

    /// Whether a user can log in with this password.
    async fn logs_in(&self, name: &str, password: &str) -> bool {
        self.post("/api/login", &nobody(), json!({"username": name, "password": password})).await.status == 200
    }

    async fn verified_at(&self, person: &Person) -> Value {
        self.get("/api/me", person).await.expect(200)["email_verified_at"].clone()
    }
}

fn change(current: &str, new: &str) -> Value {
    json!({"current_password": current, "password": new, "password2": new})
}

/// Rule 9.3: the answer does not tell whether there is such a user; only an active one gets a mail.
#[tokio::test]
async fn asking_for_a_password_tells_nothing() {
    let world = World::new().await;
    let gone = world.register("gone").await;
    world.delete(&format!("/api/users/{}", gone.user), &world.staff).await.expect(204);
    let mut answers = Vec::new();
    for email in ["owner@example.com", "OWNER@example.com", "nobody@example.com", "gone@example.com"] {
        let answer = world.ask_for_reset(email).await;
        answers.push((answer.status.as_u16(), answer.text.clone(), answer.headers.len()));
    }
    assert!(answers.iter().all(|answer| *answer == (202, String::new(), answers[0].2)), "{answers:?}");
    let to = (PasswordReset, "owner@example.com".to_owned());
    assert_eq!(world.mails().await, [to.clone(), to]);
    world.ask_for_reset("owner").await.invalid(&["email"]);
}

/// Rule 9.3: a token is good once; with it all tokens of the user are revoked, a notice is mailed, and nobody is logged in.
#[tokio::test]
async fn a_mailed_link_sets_a_password_once() {
    let world = World::new().await;
    let (first, second) = (world.reset_token().await, world.reset_token().await);
    let set = world.confirm_reset(&first, NEW).await;
    assert_eq!((set.status.as_u16(), set.text.as_str()), (204, ""));
    world.get("/api/me", &world.owner).await.refused(401, "not_authenticated");
    assert!(world.logs_in("owner", NEW).await && !world.logs_in("owner", PASSWORD).await);
    assert_eq!(world.mails().await, [(PasswordChanged, "owner@example.com".to_owned())]);
    for used in [first, second] {
        world.confirm_reset(&used, "copper-meadow-71").await.invalid(&["token"]);
    }
    assert!(world.logs_in("owner", NEW).await);
}

/// Rule 9.3: for an hour.
#[tokio::test]
async fn a_link_for_a_password_is_good_for_an_hour() {
    let world = World::new().await;
    let (early, late) = (world.reset_token().await, world.reset_token().await);
    world.app.clock.advance(Duration::hours(1) - Duration::microseconds(1));
    let other = world.register("other").await;
    let swapped = early.replacen(&format!("{}-", world.owner.user), &format!("{}-", other.user), 1);
    world.confirm_reset(&swapped, NEW).await.invalid(&["token"]);
    world.confirm_reset(&early, "12345678").await.invalid(&["password"]);
    world.app.clock.advance(Duration::microseconds(1));
    for token in [late.as_str(), "nonsense", ""] {
        world.confirm_reset(token, NEW).await.invalid(&["token"]);
    }
}

/// Rule 9.3: a link is not good any more once the password has changed in another way.
#[tokio::test]
async fn a_changed_password_ends_the_links_to_set_one() {
    let world = World::new().await;
    let token = world.reset_token().await;
    world.post("/api/password", &world.owner, change(PASSWORD, NEW)).await.expect(204);
    world.confirm_reset(&token, "copper-meadow-71").await.invalid(&["token"]);
}

/// Rule 9.3: both fields are told, and a wrong password costs the link nothing.
#[tokio::test]
async fn a_refused_password_leaves_the_link_good() {
    let world = World::new().await;
    let token = world.reset_token().await;
    let differing = json!({"token": token, "password": "owner123", "password2": "another-one-99"});
    world.post("/api/password-reset/confirm", &nobody(), differing).await.invalid(&["password", "password2"]);
    world.confirm_reset(&token, NEW).await.expect(204);
}

/// Rules 2.1, 9.3 and 9.4: these need no token, and take no bad one.
#[tokio::test]
async fn a_bad_token_of_a_session_is_refused_also_where_none_is_needed() {
    let world = World::new().await;
    let stranger = Person { token: "0".repeat(40), ..nobody() };
    for path in ["/api/password-reset", "/api/password-reset/confirm", "/api/email-verification/confirm"] {
        world.post(path, &stranger, json!({})).await.refused(401, "not_authenticated");
        let keyed = world.app.post(path, &stranger.token, "k1", &json!({})).await;
        assert_eq!(keyed.code(), (401, "not_authenticated".to_owned()), "{path}");
    }
}

/// Rule 9.3: the token in use stays, the others are revoked.
#[tokio::test]
async fn a_user_changes_their_own_password() {
    let world = World::new().await;
    let other = world.log_in("owner").await;
    for (body, fields) in [
        (change("wrong", NEW), ["current_password"].as_slice()),
        (json!({"password": NEW, "password2": NEW}), &["current_password"]),
        (json!({"current_password": "wrong", "password": "1", "password2": "2"}), &["current_password", "password", "password2"]),
    ] {
        world.post("/api/password", &world.owner, body).await.invalid(fields);
    }
    let changed = world.post("/api/password", &world.owner, change(PASSWORD, NEW)).await;
    assert_eq!((changed.status.as_u16(), changed.text.as_str()), (204, ""));
    world.get("/api/me", &world.owner).await.expect(200);
    world.get("/api/me", &other).await.refused(401, "not_authenticated");
    assert!(world.logs_in("owner", NEW).await && !world.logs_in("owner", PASSWORD).await);
    assert_eq!(world.mails().await, [(PasswordChanged, "owner@example.com".to_owned())]);
}

/// A world whose router counts failed logins, and what it takes to do so.
async fn counting(policy: Policy, failures: u32) -> (World, App) {
    let world = World::with(|builder| builder.policy(policy)).await;
    let options = HttpOptions::default().with_login_failures_per_minute(failures).with_registrations_per_minute(0);
    let app = App::on(world.app.engine.clone(), world.app.clock.clone(), options);
    (world, app)
}

/// Rules 7.3 and 9.3: a wrong present password counts as a failed login, and after too many even the right one has to wait.
#[tokio::test]
async fn a_wrong_present_password_counts_as_a_failed_login() {
    let (world, app) = counting(Policy::default(), 2).await;
    let token = world.owner.token.as_str();
    let missing = json!({"password": NEW, "password2": NEW});
    for body in [&missing, &change("wrong", NEW), &missing, &change("guess", NEW), &missing] {
        assert_eq!(app.post("/api/password", token, "", body).await.status, 400);
    }
    for key in ["", "k1"] {
        let refused = app.post("/api/password", token, key, &change(PASSWORD, NEW)).await;
        assert_eq!((refused.code(), refused.header("retry-after")), ((429, "throttled".to_owned()), "60"));
    }
    let login = json!({"username": "owner", "password": PASSWORD});
    assert_eq!(app.post("/api/login", "", "", &login).await.status, 429);
    app.clock.advance(Duration::minutes(1));
    assert_eq!(app.post("/api/password", token, "", &change(PASSWORD, NEW)).await.status, 204);
}

/// Rule 9.3: with the setting, a customer gives the present password with a new one, and with another address.
#[tokio::test]
async fn the_present_password_is_asked_for_where_the_operator_says() {
    let (world, app) = counting(Policy::default().with_require_current_password(true), 3).await;
    let path = format!("/api/users/{}", world.owner.user);
    let edit = async |person: &Person, body: Value| world.patch(&path, person, body).await;
    for body in [json!({"password": NEW}), json!({"email": "new@example.com"})] {
        edit(&world.owner, body).await.invalid(&["current_password"]);
    }
    edit(&world.owner, json!({"email": "new@example.com", "current_password": "wrong"})).await.invalid(&["current_password"]);
    edit(&world.owner, json!({"first_name": "Augusta", "email": "owner@example.com"})).await.expect(200);
    edit(&world.owner, json!({"email": "new@example.com", "current_password": PASSWORD})).await.expect(200);
    edit(&world.owner, json!({"password": NEW, "current_password": PASSWORD})).await.expect(200);
    edit(&world.staff, json!({"password": "copper-meadow-71"})).await.expect(200);

    let buyer = format!("/api/user/{}", world.buyer.user);
    let send = async |current: &str, email: &str| {
        let headers = [("authorization", format!("Token {}", world.buyer.token))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let body = json!({"email": email, "current_password": current});
        app.send(crate::app::request("PATCH", &buyer, &headers, &body)).await.status.as_u16()
    };
    // The present address costs no guess, and clears none.
    let statuses = [
        send("wrong", "b@example.com").await,
        send("guess", "b@example.com").await,
        send("guess", "buyer@example.com").await,
        send("other", "b@example.com").await,
        send(PASSWORD, "b@example.com").await,
    ];
    assert_eq!(statuses, [400, 400, 200, 400, 429]);
}

/// Rule 9.4: a link confirms the address to which it was mailed, once.
#[tokio::test]
async fn a_mailed_link_confirms_an_address() {
    let world = World::new().await;
    let ask = async || world.post("/api/email-verification", &world.owner, Value::Null).await.expect(202);
    assert_eq!(world.verified_at(&world.owner).await, Value::Null);
    ask().await;
    let token = world.mailed_token(EmailVerification).await;
    world.app.clock.advance(Duration::days(3) - Duration::microseconds(1));
    let confirmed = world.confirm_email(&token).await;
    assert_eq!((confirmed.status.as_u16(), confirmed.text.as_str()), (204, ""));
    assert_eq!(world.verified_at(&world.owner).await, "2026-03-04T11:59:59.999999Z");
    world.confirm_email(&token).await.invalid(&["token"]);
    ask().await;
    assert_eq!(world.mails().await, [], "it is confirmed");
}

/// Rule 9.4: for three days.
#[tokio::test]
async fn a_link_for_an_address_is_good_for_three_days() {
    let world = World::new().await;
    world.post("/api/email-verification", &world.owner, Value::Null).await.expect(202);
    let token = world.mailed_token(EmailVerification).await;
    world.app.clock.advance(Duration::days(3));
    for token in [token.as_str(), "nonsense"] {
        world.confirm_email(token).await.invalid(&["token"]);
    }
}

/// Rule 9.4: another address is not confirmed, its old links are not good, and the old address gets a notice.
#[tokio::test]
async fn another_address_has_to_be_confirmed_anew() {
    let world = World::new().await;
    let path = format!("/api/users/{}", world.owner.user);
    let ask = async || world.post("/api/email-verification", &world.owner, Value::Null).await.expect(202);
    ask().await;
    let old = world.mailed_token(EmailVerification).await;
    let reset = world.reset_token().await;
    let verified = world.patch(&path, &world.owner, json!({"email": "new@example.com"})).await.expect(200);
    assert_eq!(verified["email_verified_at"], Value::Null);
    assert_eq!(world.mails().await, [(EmailChanged, "owner@example.com".to_owned())]);
    world.confirm_email(&old).await.invalid(&["token"]);
    world.confirm_reset(&reset, NEW).await.invalid(&["token"]);
    ask().await;
    let new = world.mailed_token(EmailVerification).await;
    world.confirm_email(&new).await.expect(204);
    let back = world.patch(&path, &world.owner, json!({"email": "owner@example.com"})).await.expect(200);
    assert_eq!(back["email_verified_at"], Value::Null);
}

/// Rule 9.4: with the setting, a customer whose address is not confirmed may read, correct the address and confirm it.
#[tokio::test]
async fn an_unverified_customer_may_only_read_where_the_operator_says() {
    let world = World::with(|builder| builder.policy(Policy::default().with_require_verified_email(true))).await;
    let (owner, path) = (&world.owner, format!("/api/users/{}", world.owner.user));
    let asked = ["buyer", "owner", "stranger"].map(|name| (EmailVerification, format!("{name}@example.com")));
    let mut mailed = world.mails().await;
    // Several are sent at once.
    mailed.sort();
    assert_eq!(mailed, asked, "whoever registers is mailed a link");
    for readable in
        ["/api/me", "/api/trades", "/api/services", "/api/invoices", "/api/events", "/api/notification-settings", &path]
    {
        world.get(readable, owner).await.expect(200);
    }
    let vehicle = crate::app::vehicle(1);
    let customer = format!("/api/customers/{}", owner.customer);
    for (method, path, body) in [
        ("POST", "/api/vehicles", vehicle.clone()),
        ("POST", "/api/vehicles", json!({})),
        ("POST", "/api/contacts", json!({"email": "bo@example.com"})),
        ("POST", "/api/tokens", json!({"name": "Backup"})),
        ("PATCH", &customer, json!({"job": "clerk"})),
    ] {
        world.call(method, path, owner, body).await.refused(403, "email_not_verified");
    }
    world.post("/api/leads", owner, json!({"company": "Acme"})).await.refused(403, "permission_denied");
    world.post("/api/leads", &world.staff, json!({"company": "Acme"})).await.expect(201);

    world.patch(&path, owner, json!({"email": "right@example.com"})).await.expect(200);
    let token = world.mailed_token(EmailVerification).await;
    world.confirm_email(&token).await.expect(204);
    world.post("/api/vehicles", owner, vehicle).await.expect(201);
    world.patch(&path, owner, json!({"email": "other@example.com"})).await.expect(200);
    world.post("/api/vehicles", owner, crate::app::vehicle(2)).await.refused(403, "email_not_verified");
    world.post("/api/logout", owner, Value::Null).await.expect(204);
}

/// Rule 7.3: mails that are asked for are limited for each client, apart from registrations.
#[tokio::test]
async fn mails_that_are_asked_for_are_limited() {
    let world = World::new().await;
    let header = axum::http::HeaderName::from_static("x-forwarded-for");
    let options = HttpOptions::default().with_registrations_per_minute(2).with_client_address_header(Some(header));
    let app = App::on(world.app.engine.clone(), world.app.clock.clone(), options);
    let send = async |path: &str, token: &str, key: &str, body: &Value, address: &str| {
        let mut request = post(path, token, key, body);
        request.headers_mut().insert("x-forwarded-for", address.parse().unwrap());
        app.send(request).await
    };
    let email = json!({"email": "owner@example.com"});
    assert_eq!(send("/api/password-reset", "", "", &email, "10.0.0.1").await.status, 202);
    assert_eq!(send("/api/email-verification", &world.owner.token, "", &Value::Null, "10.0.0.1").await.status, 202);
    for (path, token) in [("/api/password-reset", ""), ("/api/email-verification", world.owner.token.as_str())] {
        let refused = send(path, token, "", &email, "10.0.0.1").await;
        assert_eq!((refused.code(), refused.header("retry-after")), ((429, "throttled".to_owned()), "60"), "{path}");
    }
    assert_eq!(send("/api/password-reset", "", "", &email, "10.0.0.2").await.status, 202);
    assert_eq!(send("/api/register", "", "", &crate::app::registration("ada"), "10.0.0.1").await.status, 201);
    // A password is stretched only for so many requests with a key, and a bad link costs nothing without one.
    let confirm = json!({"token": "1-00", "password": NEW, "password2": NEW});
    assert_eq!(send("/api/password-reset/confirm", "", "", &confirm, "10.0.0.1").await.status, 400);
    assert_eq!(send("/api/password-reset/confirm", "", "k1", &confirm, "10.0.0.1").await.status, 429);
    app.clock.advance(Duration::minutes(1));
    assert_eq!(send("/api/password-reset", "", "", &email, "10.0.0.1").await.status, 202);
}

/// Rule 7.3: customers who change their e-mail address again and again ask for mails to strangers.
#[tokio::test]
async fn changes_of_the_own_address_count_among_mails() {
    let world = World::new().await;
    let header = axum::http::HeaderName::from_static("x-forwarded-for");
    let options = HttpOptions::default().with_registrations_per_minute(2).with_client_address_header(Some(header));
    let app = App::on(world.app.engine.clone(), world.app.clock.clone(), options);
    let change = async |token: &str, email: &str| {
        let (path, token) = (format!("/api/users/{}", world.owner.user), format!("Token {token}"));
        let headers = [("authorization", token.as_str()), ("x-forwarded-for", "10.0.0.1")];
        app.send(request("PATCH", &path, &headers, &json!({"email": email}))).await
    };
    for email in ["owner@example.com", "a@example.com", "a@example.com", "nonsense", "b@example.com", "b@example.com"] {
        let status = if email == "nonsense" { 400 } else { 200 };
        assert_eq!(change(&world.owner.token, email).await.status, status, "{email}");
    }
    let refused = change(&world.owner.token, "c@example.com").await;
    assert_eq!((refused.code(), refused.header("retry-after")), ((429, "throttled".to_owned()), "60"));
    assert_eq!(change(&world.staff.token, "c@example.com").await.status, 200, "staff ask for nothing");
    app.clock.advance(Duration::minutes(1));
    assert_eq!(change(&world.owner.token, "d@example.com").await.status, 200);
}

/// Rules 6.7, 9.3 and 9.4: a repeated request gets the first answer, also where its token is used up, and sends no second mail.
#[tokio::test]
async fn repeated_requests_get_the_first_answer() {
    let world = World::new().await;
    let twice = async |path: &str, token: &str, body: Value, status: u16| {
        for replayed in ["", "true"] {
            let answer = world.app.post(path, token, path, &body).await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("idempotency-replayed")),
                (status, replayed),
                "{path}: {}",
                answer.text
            );
        }
        let mut other = body;
        if let Some(password) = other.get_mut("current_password") {
            *password = json!("another");
            let reused = world.app.post(path, token, path, &other).await;
            assert_eq!(reused.code(), (422, "idempotency_key_reused".to_owned()));
        }
    };
    let owner = world.owner.token.as_str();
    twice("/api/email-verification", owner, Value::Null, 202).await;
    let token = world.mailed_token(EmailVerification).await;
    twice("/api/email-verification/confirm", "", json!({"token": token}), 204).await;
    twice("/api/password", owner, change(PASSWORD, NEW), 204).await;
    world.mails().await;
    twice("/api/password-reset", "", json!({"email": "owner@example.com"}), 202).await;
    let token = world.mailed_token(PasswordReset).await;
    let body = json!({"token": token, "password": PASSWORD, "password2": PASSWORD});
    twice("/api/password-reset/confirm", "", body, 204).await;
}

/// Chapter 9: no token and no password is in an event.
#[tokio::test]
async fn events_tell_no_secrets() {
    let world = World::new().await;
    let token = world.reset_token().await;
    world.confirm_reset(&token, NEW).await.expect(204);
    let events = world.get("/api/events?limit=100", &world.staff).await.expect(200).to_string();
    assert!(events.contains("user.password_changed") && !events.contains(NEW), "{events}");
    assert!(!events.contains(token.split_once('-').unwrap().1), "{events}");
}
