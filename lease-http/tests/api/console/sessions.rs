use axum::Router;
use axum::body::Body;
use axum::http::Request;
use lease_http::{HttpOptions, RouterBuilder};
use serde_json::json;
use tower::ServiceExt as _;

use super::{Visitor, leads_to};
use crate::app::{App, PASSWORD};
use crate::support::World;

/// Chapter 10: the cookie is out of reach of scripts and of other sites, and goes over HTTPS only where that is spoken.
#[tokio::test]
async fn a_login_sets_a_cookie_that_only_the_console_gets() {
    let world = World::new().await;
    let stranger = Visitor::stranger(&world.app);
    let fields = [("username", "clerk"), ("password", PASSWORD), ("next", "trades?status=open")];
    let response = stranger.send("/console/login", &fields, &[]).await;
    assert_eq!((response.status.as_u16(), response.header("location")), (303, "./trades?status=open"));
    let cookie = response.header("set-cookie");
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict"), "{cookie}");
    for header in [("origin", "https://localhost"), ("x-forwarded-proto", "https")] {
        let secure = stranger.send("/console/login", &fields, &[header]).await;
        assert!(secure.header("set-cookie").contains("; Secure"), "{header:?}");
    }
}

/// Chapter 10: neither the answer nor its status says what was wrong.
#[tokio::test]
async fn only_administrative_users_can_log_in() {
    let world = World::new().await;
    let stranger = Visitor::stranger(&world.app);
    world.delete(&format!("/api/users/{}", world.stranger.user), &world.staff).await.expect(204);
    for (name, password) in [("owner", PASSWORD), ("clerk", "wrong"), ("nobody", PASSWORD), ("stranger", PASSWORD), ("", "")] {
        let response = stranger.send("/console/login", &[("username", name), ("password", password)], &[]).await;
        assert_eq!(response.status, 400, "{name}");
        assert_eq!(response.header("set-cookie"), "", "{name}");
        assert!(response.text.contains("The name or the password is wrong."), "{name}: {}", response.text);
    }
    for name in ["clerk", "root", "clerk@example.com"] {
        Visitor::log_in(&world.app, name).await.page("/console").await;
    }
}

#[tokio::test]
async fn a_page_leads_to_the_login_and_the_login_leads_back() {
    let world = World::new().await;
    let stranger = Visitor::stranger(&world.app);
    for (page, login) in [
        ("/console", "console/login"),
        ("/console/", "./login"),
        ("/console/trades?status=open", "./login?next=trades%3Fstatus%3Dopen"),
        ("/console/trades/1/cancel", "./../../login?next=trades%2F1%2Fcancel"),
        ("/console/trades/csv", "./../login?next=trades%2Fcsv"),
    ] {
        let response = stranger.open(page).await;
        assert_eq!((response.status.as_u16(), response.header("location")), (303, login), "{page}");
    }
    // An address elsewhere cannot be led to: it is taken as one below the console.
    let fields = [("username", "clerk"), ("password", PASSWORD), ("next", "//evil.example")];
    assert_eq!(stranger.send("/console/login", &fields, &[]).await.header("location"), ".///evil.example");
}

/// Chapter 10: a stolen cookie is of no use to the API, and a stolen token of none to the console.
#[tokio::test]
async fn cookies_are_no_tokens_and_tokens_are_no_cookies() {
    let world = World::new().await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let secret = visitor.cookie.split_once('=').unwrap().1;
    assert_eq!(secret.len(), 40);
    assert_eq!(world.app.get("/api/me", secret).await.status, 401);
    let request = Request::get("/api/me").header("cookie", &visitor.cookie).body(Body::empty()).unwrap();
    assert_eq!(world.app.send(request).await.status, 401);
    let forged = Visitor { cookie: format!("lease_console={}", world.staff.token), ..visitor.clone() };
    assert_eq!(forged.open("/console").await.status, 303);
    // It is one of the user's tokens, and can be revoked like any other.
    let tokens = world.get("/api/tokens", &world.staff).await.expect(200);
    let own = tokens["results"].as_array().unwrap().iter().find(|token| token["name"] == "console").unwrap();
    assert_eq!(own["expires_at"], "2026-03-02T00:00:00Z");
    world.delete(&format!("/api/tokens/{}", own["id"]), &world.staff).await.expect(204);
    assert_eq!(visitor.open("/console").await.status, 303);
}

#[tokio::test]
async fn a_session_ends_with_the_logout_the_role_the_user_and_its_time() {
    let world = World::new().await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let page = visitor.page("/console").await;
    let csrf = page.split("name=\"_csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(visitor.send("/console/logout", &[], &[]).await.status, 403, "without the token of the form");
    let response = visitor.send("/console/logout", &[("_csrf", csrf)], &[]).await;
    assert_eq!((response.status.as_u16(), response.header("location")), (303, "./login"));
    assert!(response.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(visitor.open("/console").await.status, 303);

    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let clerk = format!("/api/users/{}", world.staff.user);
    world.patch(&clerk, &world.root, json!({"is_staff": false})).await.expect(200);
    assert_eq!(visitor.open("/console").await.status, 303, "no longer staff");
    world.patch(&clerk, &world.root, json!({"is_staff": true})).await.expect(200);
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    world.delete(&clerk, &world.root).await.expect(204);
    assert_eq!(visitor.open("/console").await.status, 303, "deactivated");

    let visitor = Visitor::log_in(&world.app, "root").await;
    world.app.clock.advance(chrono::Duration::hours(12) - chrono::Duration::microseconds(1));
    visitor.page("/console").await;
    world.app.clock.advance(chrono::Duration::microseconds(1));
    assert_eq!(visitor.open("/console").await.status, 303, "expired");
}

/// What somebody writes is not lost if their session ends meanwhile, but for passwords.
#[tokio::test]
async fn what_was_sent_too_late_can_be_sent_after_the_login() {
    let world = World::new().await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let form = visitor.page("/console/leads/new").await;
    world.post("/api/logout-all", &world.staff, json!({})).await.expect(204);
    let fields = [("company", "Example & Sons"), ("notes", "One\r\nTwo"), ("password", "secret")];
    let late = visitor.submit("/console/leads/new", &form, &fields).await;
    assert_eq!(late.status, 403);
    assert!(late.text.contains("You are no longer logged in, and nothing was saved."), "{}", late.text);
    let again = Visitor::stranger(&world.app)
        .submit("/console/login", &late.text.replace("./../", "./"), &[("username", "clerk"), ("password", PASSWORD)])
        .await;
    assert_eq!(again.status, 200, "{}", again.text);
    assert!(!again.text.contains("secret") && again.text.contains("action=\"./leads/new\""), "{}", again.text);
    let cookie = again.header("set-cookie").split(';').next().unwrap().to_owned();
    let visitor = Visitor { cookie, ..visitor };
    assert_eq!(leads_to(&visitor.submit("/console/leads/new", &again.text, &[]).await), "./../leads/1");
    let lead = world.get("/api/leads/1", &world.root).await.expect(200);
    assert_eq!((&lead["company"], &lead["notes"]), (&json!("Example & Sons"), &json!("One\nTwo")));
}

/// Chapter 10: a form is taken only from a page of the same session.
#[tokio::test]
async fn forms_of_other_sites_and_other_sessions_are_refused() {
    let world = World::new().await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let other = Visitor::log_in(&world.app, "root").await;
    let csrf = |page: &str| page.split("name=\"_csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (own, others) = (csrf(&visitor.page("/console").await), csrf(&other.page("/console").await));
    assert_ne!(own, others);
    let lead = |csrf: &'static str| [("_csrf", csrf), ("company", "Example")];
    for wrong in ["", "00", others.clone().leak()] {
        let refused = visitor.send("/console/leads/new", &lead(wrong), &[]).await;
        assert_eq!(refused.status, 403, "{wrong}");
        assert!(refused.text.contains("Nothing was changed."), "{}", refused.text);
    }
    let own = own.leak();
    for header in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        assert_eq!(visitor.send("/console/leads/new", &lead(own), &[header]).await.status, 403, "{header:?}");
        let login = [("username", "clerk"), ("password", PASSWORD)];
        assert_eq!(visitor.send("/console/login", &login, &[header]).await.status, 403, "{header:?}");
    }
    assert_eq!(world.get("/api/leads", &world.staff).await.expect(200)["results"], json!([]));
    let taken = visitor.send("/console/leads/new", &lead(own), &[("sec-fetch-site", "same-origin")]).await;
    assert_eq!(leads_to(&taken), "./../leads/1");
}

/// Rule 7.3 holds for the console too, by the same count.
#[tokio::test]
async fn guessing_is_limited_together_with_the_api() {
    let app = App::with(HttpOptions::default().with_login_failures_per_minute(3));
    app.engine.ensure_superuser("root", "root@example.com", PASSWORD.into()).await.unwrap();
    let stranger = Visitor::stranger(&app);
    let wrong = [("username", "root"), ("password", "wrong")];
    for _ in 0..2 {
        assert_eq!(stranger.send("/console/login", &wrong, &[]).await.status, 400);
    }
    assert_eq!(app.post("/api/login", "", "", &json!({"username": "root", "password": "wrong"})).await.status, 400);
    let right = [("username", "root"), ("password", PASSWORD)];
    let refused = stranger.send("/console/login", &right, &[]).await;
    assert_eq!(refused.status, 429);
    assert!(refused.text.contains("Too many attempts."));
}

#[tokio::test]
async fn pages_are_kept_nowhere_and_load_nothing_from_elsewhere() {
    let world = World::new().await;
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    for response in [visitor.open("/console").await, Visitor::stranger(&world.app).open("/console/login").await] {
        let policy = response.header("content-security-policy");
        for rule in ["default-src 'none'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"]
        {
            assert!(policy.contains(rule), "{policy}");
        }
        assert!(!policy.contains("script") && !policy.contains("unsafe"), "{policy}");
        assert_eq!((response.header("cache-control"), response.header("referrer-policy")), ("no-store", "same-origin"));
        for part in ["<script", "style=", "http://", "https://", "onclick"] {
            assert!(!response.text.contains(part), "{part}");
        }
        let style = response.text.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
        let file = visitor.open(&format!("/console/{}", style.trim_start_matches("console/").trim_start_matches("./"))).await;
        assert_eq!((file.status.as_u16(), file.header("content-type")), (200, "text/css; charset=utf-8"));
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
        assert!(file.text.len() < 20 * 1024 && !file.text.contains("url("), "{}", file.text.len());
    }
}

#[tokio::test]
async fn a_server_without_the_console_has_none_of_its_pages() {
    let app = App::with(HttpOptions::default().with_console(false));
    for path in ["/console", "/console/login", "/console/trades"] {
        assert_eq!(Visitor::stranger(&app).open(path).await.status, 404, "{path}");
    }
}

/// Each link of a page is relative, so that the console works wherever it is nested.
#[tokio::test]
async fn the_console_works_below_a_prefix() {
    let world = World::new().await;
    let router = Router::new().nest("/a/b", RouterBuilder::new(world.app.engine.clone()).build());
    let visitor = Visitor::log_in(&world.app, "clerk").await;
    let get = async |path: &str| {
        let request = Request::get(path).header("cookie", &visitor.cookie).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    for path in ["/a/b/console", "/a/b/console/", "/a/b/console/trades", "/a/b/console/users/1", "/a/b/console/users/1/"] {
        let (status, page) = get(path).await;
        assert_eq!(status, 200, "{path}");
        for address in
            page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).filter(|href| !href.starts_with('#'))
        {
            assert!(!address.starts_with('/'), "{path}: {address}");
            let target =
                url::Url::parse(&format!("http://localhost{path}")).unwrap().join(&address.replace("&#38;", "&")).unwrap();
            assert!(target.path().starts_with("/a/b/console"), "{path}: {address}");
        }
    }
}
