//! The pages behind the links in mails (rules 9.3, 9.4), as a browser without scripts uses them.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use lease_core::model::MailKind::{EmailVerification, PasswordReset};
use lease_http::HttpOptions;
use reqwest::Url;
use serde_json::{Value, json};

use crate::app::{ApiResponse, App, PASSWORD, request};
use crate::support::{World, nobody};

const NEW: &str = "amber-lantern-58";

async fn open(app: &App, path: &str) -> ApiResponse {
    app.send(request("GET", path, &[], &Value::Null)).await
}

/// Sends the form of a page from where the page is, with what was filled in.
async fn submit(app: &App, path: &str, page: &ApiResponse, filled_in: &[(&str, &str)]) -> ApiResponse {
    let hidden = [("token", between(&page.text, "name=\"token\" value=\"", "\""))];
    let fields = form_urlencoded::Serializer::new(String::new()).extend_pairs(hidden).extend_pairs(filled_in).finish();
    let place = Url::parse("http://x").unwrap().join(path).unwrap();
    let place = place.join(between(&page.text, "action=\"", "\"")).unwrap();
    assert_eq!(place.query(), None, "the token is in no address");
    let request = Request::post(place.path()).header("content-type", "application/x-www-form-urlencoded");
    app.send(request.body(Body::from(fields)).unwrap()).await
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split_once(before).and_then(|(_, rest)| rest.split_once(after)).unwrap_or_else(|| panic!("no {before} in {text}")).0
}

fn heading(page: &ApiResponse) -> &str {
    between(&page.text, "<h1>", "</h1>")
}

async fn reset_link(world: &World) -> String {
    world.post("/api/password-reset", &nobody(), json!({"email": "owner@example.com"})).await.expect(202);
    format!("/password-reset?token={}", world.mailed_token(PasswordReset).await)
}

async fn verification_link(world: &World) -> String {
    world.post("/api/email-verification", &world.owner, Value::Null).await.expect(202);
    format!("/verify-email?token={}", world.mailed_token(EmailVerification).await)
}

/// Rule 9.3: opening the link changes nothing, however often; the form does, once.
#[tokio::test]
async fn a_page_sets_a_new_password() {
    let world = World::new().await;
    let link = reset_link(&world).await;
    for _ in 0..3 {
        let page = open(&world.app, &link).await;
        assert_eq!((page.status.as_u16(), heading(&page)), (200, "Set a new password"));
        world.get("/api/me", &world.owner).await.expect(200);
    }
    let page = open(&world.app, &link).await;
    let wrong = submit(&world.app, &link, &page, &[("password", "12345678"), ("password2", "87654321")]).await;
    assert_eq!((wrong.status.as_u16(), heading(&wrong)), (400, "Set a new password"));
    for (field, message) in [("password", "entirely numeric"), ("password2", "The two passwords do not match.")] {
        assert!(between(&wrong.text, &format!("id=\"{field}-error\">"), "</p>").contains(message), "{}", wrong.text);
        assert!(wrong.text.contains(&format!("aria-describedby=\"{field}-error\"")), "{}", wrong.text);
    }
    assert!(!wrong.text.contains("12345678"), "a password is not shown again");
    let right = [("password", NEW), ("password2", NEW)];
    let done = submit(&world.app, &link, &wrong, &right).await;
    assert_eq!((done.status.as_u16(), heading(&done)), (200, "Your password is set"));
    assert!(done.text.contains("You can log in with it now."), "{}", done.text);
    world.get("/api/me", &world.owner).await.refused(401, "not_authenticated");
    world.post("/api/login", &nobody(), json!({"username": "owner", "password": NEW})).await.expect(200);
    let again = submit(&world.app, &link, &page, &right).await;
    assert_eq!((again.status.as_u16(), heading(&again)), (400, "This link is not valid"));
}

/// Rule 9.4.
#[tokio::test]
async fn a_page_confirms_an_address() {
    let world = World::new().await;
    let link = verification_link(&world).await;
    let verified = async || world.get("/api/me", &world.owner).await.expect(200)["email_verified_at"].is_string();
    let page = open(&world.app, &link).await;
    assert_eq!((page.status.as_u16(), heading(&page), verified().await), (200, "Confirm your e-mail address", false));
    let done = submit(&world.app, &link, &page, &[]).await;
    assert_eq!((done.status.as_u16(), heading(&done), verified().await), (200, "Your e-mail address is confirmed", true));
    let again = submit(&world.app, &link, &page, &[]).await;
    assert_eq!((again.status.as_u16(), heading(&again)), (400, "This link is not valid"));
}

/// A link that was cut off, or made up, says so at once, and shows nothing of what it holds.
#[tokio::test]
async fn a_broken_link_says_so() {
    let world = World::new().await;
    for path in ["/password-reset", "/verify-email"] {
        for query in ["", "?token=", "?token=1-2", "?token=%22%3E%3Cb%3E", "?token=%ff", "?other=1"] {
            let page = open(&world.app, &format!("{path}{query}")).await;
            assert_eq!((page.status.as_u16(), heading(&page)), (400, "This link is not valid"), "{path}{query}");
            assert!(!page.text.contains("<b>") && !page.text.contains("<form"), "{}", page.text);
        }
        for (kind, body) in [("application/json", "{\"token\": \"1\"}"), ("application/x-www-form-urlencoded", "")] {
            let sent = Request::post(path).header("content-type", kind).body(Body::from(body)).unwrap();
            assert_eq!(world.app.send(sent).await.status, 400);
        }
    }
}

/// Nothing of a page is kept, found by a search engine or sent to others, and no script runs on it.
#[tokio::test]
async fn a_page_gives_its_token_to_nobody() {
    let world = World::new().await;
    for link in [reset_link(&world).await, verification_link(&world).await, "/verify-email".to_owned()] {
        let page = open(&world.app, &link).await;
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!((page.header("cache-control"), page.header("referrer-policy")), ("no-store", "no-referrer"));
        assert_eq!((page.header("x-robots-tag"), page.header("x-frame-options")), ("noindex", "DENY"));
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.ends_with("form-action 'self'; base-uri 'none'; frame-ancestors 'none'"), "{policy}");
        assert!(!page.text.contains("<script") && !page.text.contains("http") && !page.text.contains("style="), "{}", page.text);
        // The hash in the policy is that of the style on the page.
        let style = between(&page.text, "<style>", "</style>");
        let hash = sha256(style);
        assert!(policy.contains(&format!("'sha256-{hash}'")), "{policy}: {hash}");
    }
}

fn sha256(text: &str) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    base64::prelude::BASE64_STANDARD.encode(sha2::Sha256::digest(text))
}

/// The pages are where the router is, also below a prefix and with a slash at the end, and bear the name of the platform.
#[tokio::test]
async fn a_page_works_below_every_prefix() {
    let world = World::new().await;
    let options = HttpOptions::default().with_platform_name("Cars & Co".to_owned());
    let named = App::on(world.app.engine.clone(), world.app.clock.clone(), options);
    let nested = App { router: Router::new().nest("/lease", named.router.clone()), ..named };
    let (page, query) =
        { reset_link(&world).await.split_once('?').map(|(page, query)| (page.to_owned(), query.to_owned())).unwrap() };
    let mut password = NEW;
    for path in [format!("/lease{page}/?{query}"), format!("/lease{page}?{query}")] {
        let form = open(&nested, &path).await;
        assert!(form.text.contains("<p class=\"platform\">Cars &#38; Co</p>"), "{}", form.text);
        let sent = submit(&nested, &path, &form, &[("password", password), ("password2", password)]).await;
        // The second time, the link is used up.
        assert_eq!(sent.status.as_u16(), if password == NEW { 200 } else { 400 }, "{path}: {}", sent.text);
        password = PASSWORD;
    }
}

/// A person is told by a page also what a program would be told by a problem.
#[tokio::test]
async fn whatever_goes_wrong_is_told_by_a_page() {
    let world = World::new().await;
    for path in ["/password-reset", "/verify-email"] {
        let long = Request::post(path).body(Body::from(vec![b'a'; 256 * 1024 + 1])).unwrap();
        for (sent, status) in [(request("PUT", path, &[], &Value::Null), 405), (long, 413)] {
            let page = world.app.send(sent).await;
            assert_eq!((page.status.as_u16(), heading(&page)), (status, "That did not work"));
            assert!(page.text.contains("<p>Open the link again to see whether it did.</p>"), "{}", page.text);
            assert!(status != 405 || page.header("allow") == "GET,HEAD,POST", "{}", page.header("allow"));
        }
    }
}
