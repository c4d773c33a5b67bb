//! The session of the console (chapter 10): its cookie, the token of its forms, and logging in and out.
//!
//! The cookie holds a secret of which the store has a hash, as of any token; but it is another hash than that of a token of the API, so
//! that neither can be used in place of the other.

use axum::extract::{FromRequestParts as _, OriginalUri, Request, State};
use axum::http::header::{COOKIE, HOST, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use hmac::{Hmac, KeyInit as _, Mac as _};
use lease_core::account::{TokenText, TokenUse};
use lease_core::engine::LoginDraft;
use lease_core::{Error, ErrorKind};
use secrecy::SecretString;
use sha2::Sha256;

use super::Console;
use super::form::Posted;
use super::page::{LoginPage, SendAgainPage, page, see_other};
use super::place::Place;
use super::visit::Visit;
use crate::auth::Unauthenticated;
use crate::client_address::ClientAddress;
use crate::layers::{Presence, Trail};
use crate::problem::{ErrorCode, Problem};

/// The name of the cookie. It has no path, so that the browser sends it below the console only, wherever that is nested.
const COOKIE_NAME: &str = "lease_console";
/// The field of the login that has what was sent before, by somebody who was no longer logged in.
const KEPT: &str = "kept";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The secrets in the cookies of a request. A browser may send several, of consoles that are nested in one another.
pub(super) fn secrets(headers: &HeaderMap) -> Vec<TokenText> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies = lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    cookies.filter(|(name, _)| *name == COOKIE_NAME).filter_map(|(_, value)| value.parse().ok()).take(4).collect()
}

/// What each form of a session contains, and no other site can know.
pub(super) fn csrf(secret: &TokenText) -> String {
    hex::encode(mac(secret, "form").finalize().into_bytes())
}

/// Whether this is what the forms of the session contain.
pub(super) fn is_csrf(secret: &TokenText, given: &str) -> bool {
    hex::decode(given).is_ok_and(|given| mac(secret, "form").verify_slice(&given).is_ok())
}

/// What stands beside a claim in an address, so that nobody else can make the console say it.
pub(super) fn mark(secret: &TokenText, claim: &str) -> String {
    hex::encode(&mac(secret, "claim").chain_update(claim).finalize().into_bytes()[..8])
}

/// A MAC under the secret of the session, which is the key with zeros after it.
fn mac(secret: &TokenText, purpose: &str) -> Hmac<Sha256> {
    let mut key = [0; 64];
    key.iter_mut().zip(secret.expose().bytes()).for_each(|(place, byte)| *place = byte);
    Hmac::new(&key.into()).chain_update("lease console ").chain_update(purpose).chain_update([0])
}

/// Whether a form may come from a page of the console: browsers say from which site it comes.
pub(super) fn is_own_site(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority.as_bytes());
    headers.get(HOST).is_some_and(|host| Some(host.as_bytes()) == authority)
}

/// Whether the browser speaks HTTPS, to the server or to a proxy before it.
fn is_https(headers: &HeaderMap, uri: &Uri) -> bool {
    let starts =
        |name: &HeaderName, with: &str| headers.get(name).is_some_and(|value| value.as_bytes().starts_with(with.as_bytes()));
    uri.scheme_str() == Some("https") || starts(&ORIGIN, "https://") || starts(&X_FORWARDED_PROTO, "https")
}

/// The cookie with this value.
fn cookie(value: &str, is_https: bool) -> HeaderValue {
    let secure = if is_https { "; Secure" } else { "" };
    let age = if value.is_empty() { "; Max-Age=0" } else { "" };
    let text = format!("{COOKIE_NAME}={value}; HttpOnly; SameSite=Strict{secure}{age}");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

/// The page to log in.
pub(super) async fn show_login(State(console): State<Console>, OriginalUri(uri): OriginalUri) -> Response {
    let place = Place::of(&uri);
    let next = place.parameter("next").unwrap_or_default();
    let form = LoginPage { next: &next, ..LoginPage::new(&console.app.options.platform_name, &place) };
    page(StatusCode::OK, &form)
}

/// Logs in.
pub(super) async fn log_in(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    posted: Posted,
    request: Request,
) -> Response {
    let place = Place::of(&uri);
    let (mut parts, _) = request.into_parts();
    let (next, kept) = (posted.text("next"), posted.text(KEPT));
    let again = |status, message: &str, code: ErrorCode| {
        let form = LoginPage {
            next,
            kept,
            username: posted.text("username"),
            error: message,
            ..LoginPage::new(&console.app.options.platform_name, &place)
        };
        let mut response = page(status, &form);
        response.extensions_mut().insert(code);
        response
    };
    if !posted.is_own_site() {
        let code = ErrorKind::PermissionDenied.into();
        return again(StatusCode::FORBIDDEN, "This form was sent from another site. Please log in here.", code);
    }
    let nobody = match Unauthenticated::from_request_parts(&mut parts, &console.app).await {
        Ok(nobody) => nobody,
        Err(never) => match never {},
    };
    let draft =
        LoginDraft { username: posted.text("username").into(), password: SecretString::from(posted.text("password")).into() };
    let (engine, throttle) = (&console.app.engine, &console.app.accounts.logins);
    let client = ClientAddress::of(&parts, &console.app.options);
    let login = Box::pin(engine.login_for(&nobody, &draft, TokenUse::Console));
    let work = async { throttle.log_in(engine, client, posted.text("username"), login).await?.map_err(Problem::from) };
    match Presence::of(&parts).while_waiting(work).await {
        Ok(login) => {
            Trail::of(&parts.extensions).acted(login.account.user.id);
            let mut response = match kept {
                "" => see_other(&format!("{}{next}", place.root)),
                kept => page(StatusCode::OK, &SendAgainPage::new(&place, next, &login.token, kept)),
            };
            response.headers_mut().append(SET_COOKIE, cookie(login.token.expose(), is_https(&parts.headers, &uri)));
            response
        }
        Err(problem) => {
            let code = problem.code();
            let message = match code {
                code if code == ErrorKind::Throttled.into() => "Too many attempts. Wait a minute, and try again.",
                code if code.status().is_server_error() => "That did not work. Try again in a moment.",
                _ => "The name or the password is wrong.",
            };
            again(code.status(), message, code)
        }
    }
}

/// Logs out, and forgets the cookie.
pub(super) async fn log_out(State(console): State<Console>, visit: Visit, posted: Posted, request: Request) -> Response {
    if let Err(refused) = posted.require_own(&visit) {
        return *refused;
    }
    match console.app.engine.logout(visit.context.clone(), &visit.session.token).await {
        Ok(()) | Err(Error::NotAuthenticated) => {
            let mut response = see_other(&format!("{}login", visit.place.root));
            response.headers_mut().append(SET_COOKIE, cookie("", is_https(request.headers(), request.uri())));
            response
        }
        Err(error) => Problem::from(error).into_response(),
    }
}
