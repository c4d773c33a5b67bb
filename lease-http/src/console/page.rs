//! Pages: what all of them have, and how they are sent.

use std::borrow::Cow;
use std::sync::LazyLock;

use askama::Template;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use lease_core::Error;
use lease_core::account::TokenText;

use super::api::Refusal;
use super::assets;
use super::form::Field;
use super::kinds::{GROUPS, Kind};
use super::place::Place;
use super::session;
use super::value::Shown;
use super::visit::Visit;
use crate::problem::Problem;

/// A page may load its style and its icon, and send its forms to the console.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");

/// The address of the style, below the console.
pub(super) static STYLE: LazyLock<String> = LazyLock::new(assets::style_path);

/// What all pages have.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) root: &'a str,
    pub(super) title: String,
    pub(super) platform: &'a str,
    /// Who is logged in.
    pub(super) who: String,
    pub(super) my_id: i64,
    pub(super) csrf: &'a str,
    /// The part of the console that the page is in.
    pub(super) at: String,
    /// What was done, or why it was not.
    pub(super) notice: Option<Notice>,
}

impl Frame<'_> {
    /// The groups of the navigation.
    #[expect(clippy::unused_self, reason = "templates reach what they need through their fields")]
    pub(super) const fn groups(&self) -> &'static [(&'static str, &'static [&'static Kind])] {
        &GROUPS
    }

    /// The address of the style.
    #[expect(clippy::unused_self, reason = "templates reach what they need through their fields")]
    pub(super) fn style(&self) -> &'static str {
        &STYLE
    }
}

/// A message above a page.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) text: String,
    pub(super) is_error: bool,
}

impl Notice {
    /// What was done.
    pub(super) fn done(text: &str) -> Self {
        Self { text: text.to_owned(), is_error: false }
    }

    /// Why something was not done.
    pub(super) fn refused(refusal: &Refusal) -> Self {
        let text = match &refusal.failure_code {
            Some(code) => format!("{} ({})", refusal.detail, super::words::sentence(code)),
            None if refusal.code == "validation_error" => "Nothing was changed. Please look at the fields below.".to_owned(),
            None if refusal.code == "precondition_failed" => {
                "Somebody else has changed it meanwhile. Below is what you wrote; look at the page again, and save it if it is still right.".to_owned()
            }
            None if refusal.code == "idempotency_key_reused" => {
                "This form was sent before, with something else in it. Press once more to send what is in it now.".to_owned()
            }
            None => refusal.detail.clone(),
        };
        let others = refusal.errors.get("non_field_errors").map(|messages| messages.join(" "));
        Self { text: super::words::plain(&others.unwrap_or(text)), is_error: true }
    }
}

/// The page to log in.
#[derive(Template)]
#[template(path = "console/login.html")]
pub(super) struct LoginPage<'a> {
    pub(super) root: &'a str,
    pub(super) platform: &'a str,
    pub(super) style: &'static str,
    /// Where the login leads to, below the console.
    pub(super) next: &'a str,
    /// What was sent there before, by somebody who was no longer logged in.
    pub(super) kept: &'a str,
    pub(super) username: &'a str,
    pub(super) error: &'a str,
}

impl<'a> LoginPage<'a> {
    /// The page as it is at first.
    pub(super) fn new(platform: &'a str, place: &'a Place) -> Self {
        Self { root: &place.root, platform, style: &STYLE, next: "", kept: "", username: "", error: "" }
    }
}

/// The page on which somebody who has logged in again sends what they had sent before.
#[derive(Template)]
#[template(path = "console/send_again.html")]
pub(super) struct SendAgainPage<'a> {
    root: &'a str,
    style: &'static str,
    next: &'a str,
    csrf: String,
    fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> SendAgainPage<'a> {
    /// The page for a session with this secret.
    pub(super) fn new(place: &'a Place, next: &'a str, secret: &TokenText, kept: &'a str) -> Self {
        let fields = form_urlencoded::parse(kept.as_bytes()).collect();
        Self { root: &place.root, style: &STYLE, next, csrf: session::csrf(secret), fields }
    }
}

/// A page that only says something.
#[derive(Template)]
#[template(path = "console/message.html")]
struct MessagePage<'a> {
    frame: Frame<'a>,
    text: &'a str,
    secret: Option<&'a str>,
    next: String,
}

/// A page that only says something to somebody who is not known.
#[derive(Template)]
#[template(path = "console/bare.html")]
struct BarePage<'a> {
    root: &'a str,
    style: &'static str,
    heading: &'a str,
    text: &'a str,
}

/// A label and a value.
pub(super) type Labelled = (String, Shown);

/// The fields of a form, for templates.
pub(super) type Fields = Vec<Field>;

/// Sends a page.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => {
            let headers = [
                (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
                (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
                (X_ROBOTS_TAG, HeaderValue::from_static("noindex")),
            ];
            (status, headers, Html(html)).into_response()
        }
        Err(error) => Problem::from(Error::Internal(error.into())).into_response(),
    }
}

/// A page that only says something.
pub(super) fn message(visit: &Visit, status: StatusCode, heading: &str, text: &str) -> Response {
    page(status, &MessagePage { frame: visit.frame(heading), text, secret: None, next: String::new() })
}

/// A page that shows a secret once.
pub(super) fn secret(visit: &Visit, heading: &str, text: &str, secret: &str, next: String) -> Response {
    page(StatusCode::OK, &MessagePage { frame: visit.frame(heading), text, secret: Some(secret), next })
}

/// The page that says that there is nothing here.
pub(super) fn not_found(visit: &Visit) -> Response {
    message(
        visit,
        StatusCode::NOT_FOUND,
        "Not found",
        "There is nothing here. It may have been deleted, or the address is not complete.",
    )
}

/// The page about something that the API has refused.
pub(super) fn refusal(visit: &Visit, refusal: &Refusal) -> Response {
    if refusal.status == 404 {
        return logged(not_found(visit), refusal);
    }
    logged(message(visit, refusal.status(), "That did not work", &refusal.detail), refusal)
}

/// The page about something that the API has refused, before it is known who asks.
pub(super) fn refused(place: &Place, refusal: &Refusal) -> Response {
    let page_of = BarePage { root: &place.root, style: &STYLE, heading: "That did not work", text: &refusal.detail };
    logged(page(refusal.status(), &page_of), refusal)
}

/// The response with the code that the log names.
pub(super) fn logged(mut response: Response, refusal: &Refusal) -> Response {
    if let Some(code) = refusal.logged {
        response.extensions_mut().insert(code);
    }
    response
}

/// Leads to another page, which is then read.
pub(super) fn see_other(to: &str) -> Response {
    let location = HeaderValue::try_from(to).unwrap_or(HeaderValue::from_static("./"));
    (StatusCode::SEE_OTHER, [(LOCATION, location), (CACHE_CONTROL, HeaderValue::from_static("no-store"))]).into_response()
}
