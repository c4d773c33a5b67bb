use axum::body::to_bytes;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use lease_core::model::Role;

use super::*;

fn given(values: &[&str]) -> Result<String, Problem> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(IDEMPOTENCY_KEY, HeaderValue::from_str(value).unwrap());
    }
    read(&headers)
}

fn user(number: i64) -> Scope<'static> {
    Scope::User(UserId::new(number).unwrap())
}

#[test]
fn a_quoted_key_and_a_bare_one_are_the_same() {
    for text in ["abc", "\"abc\"", " abc ", "\"a\\bc\""] {
        assert_eq!(given(&[text]).unwrap(), "abc", "{text}");
    }
    assert_eq!(given(&["\"a\\\"b\""]).unwrap(), "a\"b");
    assert_eq!(given(&["\"abc"]).unwrap(), "\"abc");
}

#[test]
fn a_key_has_1_to_255_characters_and_comes_once() {
    assert!(given(&[&"k".repeat(255)]).is_ok());
    assert!(given(&[&format!("\"{}\"", "k".repeat(255))]).is_ok());
    for wrong in [&["k".repeat(256).as_str()][..], &[""], &["\"\""], &["é"], &["a", "b"]] {
        let body = given(wrong).unwrap_err().body();
        assert_eq!(body["code"], "validation_error", "{wrong:?}");
        assert!(body["errors"]["Idempotency-Key"].is_array(), "{wrong:?}");
    }
}

#[test]
fn a_key_is_another_one_for_another_user_and_for_another_anonymous_body() {
    let scopes = [user(1), user(2), Scope::Content(b"a"), Scope::Content(b"b"), Scope::Content(&1_i64.to_be_bytes())];
    let mut lookups: Vec<_> = scopes.iter().map(|scope| Keys::derive("key", scope).lookup()).collect();
    lookups.push(Keys::derive("kez", &user(1)).lookup());
    lookups.sort_unstable();
    lookups.dedup();
    assert_eq!(lookups.len(), 6);
    assert_eq!(Keys::derive("key", &user(1)).lookup(), Keys::derive("key", &user(1)).lookup());
}

#[test]
fn a_fingerprint_tells_method_path_and_body_apart() {
    let keys = Keys::derive("key", &user(1));
    let first = keys.fingerprint(None, &Method::POST, "/api/leads", b"{}");
    assert_eq!(first, keys.fingerprint(None, &Method::POST, "/api/leads", b"{}"));
    assert_ne!(first, keys.fingerprint(Some(Role::Staff), &Method::POST, "/api/leads", b"{}"));
    assert_ne!(first, keys.fingerprint(None, &Method::PUT, "/api/leads", b"{}"));
    assert_ne!(first, keys.fingerprint(None, &Method::POST, "/api/lead", b"s{}"));
    assert_ne!(first, keys.fingerprint(None, &Method::POST, "/api/leads", b"{ }"));
    assert_ne!(first, Keys::derive("kez", &user(1)).fingerprint(None, &Method::POST, "/api/leads", b"{}"));
}

#[tokio::test]
async fn a_saved_response_is_decrypted_only_by_its_key() {
    let (parts, ()) = Response::builder()
        .status(201)
        .header("content-type", "application/json")
        .header("x-request-id", "of the first")
        .body(())
        .unwrap()
        .into_parts();
    let response = Saved::of(&parts, b"{\"token\":\"tell-nobody\"}\n\n");
    let keys = Keys::derive("key", &user(1));
    let sealed = keys.seal(&response).unwrap();
    assert!(!String::from_utf8_lossy(&sealed.0).contains("tell-nobody"));
    assert_ne!(sealed, keys.seal(&response).unwrap(), "nonces repeat");

    assert!(Keys::derive("kez", &user(1)).open(&sealed).is_none());
    assert!(Keys::derive("key", &user(2)).open(&sealed).is_none());
    let mut broken = sealed.clone();
    *broken.0.last_mut().unwrap() ^= 1;
    assert!(keys.open(&broken).is_none());
    assert!(keys.open(&SavedResponse(vec![0; 5])).is_none());

    let opened = keys.open(&sealed).unwrap().into_response();
    assert_eq!(opened.status(), StatusCode::CREATED);
    assert_eq!(opened.headers()["content-type"], "application/json");
    assert!(!opened.headers().contains_key("x-request-id"));
    assert_eq!(to_bytes(opened.into_body(), usize::MAX).await.unwrap(), "{\"token\":\"tell-nobody\"}\n\n");
}
