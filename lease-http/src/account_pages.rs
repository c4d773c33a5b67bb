//! The pages behind the links in mails: to set a new password (rule 9.3) and to confirm an e-mail address (rule 9.4). They need no
//! scripts. Opening a link changes nothing, since programs that look through mails open links too; the button does.

#[cfg(feature = "passwords")]
mod password_reset;

use std::sync::LazyLock;

use askama::Template;
use axum::extract::{OriginalUri, Request, State};
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use lease_core::account::EmailConfirmationDraft;
use lease_core::input::Field;
use lease_core::{Error, ErrorKind};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use utoipa_axum::router::OpenApiRouter;

use crate::auth::Unauthenticated;
use crate::extract::received_body;
use crate::problem::{ErrorCode, HttpError, Problem};
use crate::state::AppState;

/// The style of all pages.
const STYLE: &str = include_str!("../templates/account_pages/style.css");
/// Keeps pages out of search engines.
const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");

/// A page has its own style, and may send its form to its own origin.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    let policy =
        format!("default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// The pages. They are for people, and so not part of the document.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    let router =
        OpenApiRouter::new().route("/verify-email", get(show_email_verification).post(verify_email).fallback(not_allowed));
    #[cfg(feature = "passwords")]
    let router = router.merge(password_reset::router());
    router
}

/// What all pages have.
struct Frame<'a> {
    platform: &'a str,
    heading: &'a str,
    /// Where the form is sent: relative, so that it is right behind every prefix, and without the query.
    action: String,
}

impl<'a> Frame<'a> {
    fn new(state: &'a AppState, heading: &'a str, uri: &Uri) -> Self {
        let path = uri.path();
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let folder = if path.ends_with('/') { "../" } else { "" };
        Self { platform: &state.options.platform_name, heading, action: format!("{folder}{name}") }
    }
}

/// The button that confirms an address.
#[derive(Template)]
#[template(path = "account_pages/verify_email.html")]
struct EmailForm<'a> {
    frame: Frame<'a>,
    token: &'a str,
}

/// A page that only says something.
#[derive(Template)]
#[template(path = "account_pages/message.html")]
struct Message<'a> {
    frame: Frame<'a>,
    sentences: &'a [&'a str],
}

async fn show_email_verification(State(state): State<AppState>, OriginalUri(uri): OriginalUri) -> Response {
    let token = Fields::of_query(&uri).secret("token");
    match read(&token) {
        Some(token) => {
            let frame = Frame::new(&state, "Confirm your e-mail address", &uri);
            page(StatusCode::OK, &EmailForm { frame, token })
        }
        None => bad_link(&state, &uri),
    }
}

async fn verify_email(
    State(state): State<AppState>,
    OriginalUri(uri): OriginalUri,
    nobody: Unauthenticated,
    request: Request,
) -> Response {
    let draft = match Fields::of_body(&request) {
        Ok(fields) => EmailConfirmationDraft { token: fields.secret("token") },
        Err(error) => return problem(&state, &uri, &error),
    };
    match state.engine.confirm_email(&nobody, &draft).await {
        Ok(()) => {
            let heading = "Your e-mail address is confirmed";
            message(&state, &uri, StatusCode::OK, heading, &["You can close this page, and go on where you were."])
        }
        Err(error) => failed(&state, &uri, error),
    }
}

async fn not_allowed(State(state): State<AppState>, OriginalUri(uri): OriginalUri) -> Response {
    problem(&state, &uri, &Problem::new(HttpError::MethodNotAllowed))
}

/// The fields of a form, from a query or a body.
struct Fields(Vec<(String, SecretString)>);

impl Fields {
    fn of_query(uri: &Uri) -> Self {
        Self::parse(uri.query().unwrap_or_default().as_bytes())
    }

    /// # Errors
    /// 413 if the body is too long.
    fn of_body(request: &Request) -> Result<Self, Problem> {
        Ok(Self::parse(&received_body(request.extensions())?))
    }

    fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect())
    }

    fn secret(&self, name: &str) -> Field<SecretString> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone().into()).unwrap_or_default()
    }
}

/// The token of a link, if it has the form of one.
fn read(token: &Field<SecretString>) -> Option<&str> {
    EmailConfirmationDraft { token: token.clone() }.token().ok()?;
    token.given().map(SecretString::expose_secret)
}

fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => {
            let headers = [(CONTENT_SECURITY_POLICY, POLICY.clone()), (X_ROBOTS_TAG, HeaderValue::from_static("noindex"))];
            (status, headers, Html(html)).into_response()
        }
        Err(error) => Problem::from(Error::Internal(error.into())).into_response(),
    }
}

fn message(state: &AppState, uri: &Uri, status: StatusCode, heading: &str, sentences: &[&str]) -> Response {
    page(status, &Message { frame: Frame::new(state, heading, uri), sentences })
}

fn bad_link(state: &AppState, uri: &Uri) -> Response {
    let sentences = [
        "It may have been used, or be too old.",
        "Open the newest mail that you were sent, and the whole of the link in it.",
        "Or ask for another mail where you asked for this one.",
    ];
    invalid(message(state, uri, StatusCode::BAD_REQUEST, "This link is not valid", &sentences))
}

fn failed(state: &AppState, uri: &Uri, error: Error) -> Response {
    match error {
        Error::Invalid(_) => bad_link(state, uri),
        error => problem(state, uri, &error.into()),
    }
}

/// A problem, told to a person. Only of some it is certain that nothing was changed.
fn problem(state: &AppState, uri: &Uri, problem: &Problem) -> Response {
    let code = problem.code();
    let sentences: &[&str] = match code.status() {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => &["Nothing was changed.", "Try again in a moment."],
        _ => &["Open the link again to see whether it did."],
    };
    marked(message(state, uri, code.status(), "That did not work", sentences), code)
}

fn invalid(response: Response) -> Response {
    marked(response, ErrorKind::ValidationError.into())
}

/// The response with the code that the log names.
fn marked(mut response: Response, code: ErrorCode) -> Response {
    response.extensions_mut().insert(code);
    response
}
