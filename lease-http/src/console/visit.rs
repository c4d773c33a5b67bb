//! A request by somebody who is logged in to the console: who they are, and where they are (chapter 10).

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use lease_core::account::TokenText;
use lease_core::engine::RequestContext;
use lease_core::permission::Actor;
use lease_core::{Error, account};
use serde_json::Value;

use super::Console;
use super::api::Api;
use super::form::Posted;
use super::names;
use super::page::{Frame, LoginPage, Notice, page, see_other};
use super::place::{Place, with_query};
use super::session;
use crate::client_address::ClientAddress;
use crate::layers::Trail;
use crate::problem::Problem;
use crate::request_id::{REQUEST_ID, request_id};

/// A visit by somebody who is logged in.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// The API, with their rights.
    pub(super) api: Api,
    /// Who they are.
    pub(super) actor: Actor,
    /// Their session.
    pub(super) session: account::Session,
    /// Where they are.
    pub(super) place: Place,
    /// The context of their commands.
    pub(super) context: RequestContext,
    secret: TokenText,
    csrf: String,
    me: Value,
    platform: String,
}

impl Visit {
    /// Whether a form is one of this session.
    pub(super) fn is_own_form(&self, csrf: &str) -> bool {
        session::is_csrf(&self.secret, csrf)
    }

    /// The address of this page of the console, which then says that this was done.
    pub(super) fn said_at(&self, path: &str, done: &str) -> String {
        let mark = session::mark(&self.secret, &format!("{path} {done}"));
        format!("{}{path}?done={done}.{mark}", self.place.root)
    }

    /// What was done, if the console itself has led here to say so.
    pub(super) fn done(&self) -> Option<String> {
        let said = self.place.parameter("done")?;
        let (done, mark) = said.split_once('.')?;
        let is_said = mark == session::mark(&self.secret, &format!("{} {done}", self.place.path));
        is_said.then(|| done.to_owned())
    }

    /// What all pages have.
    pub(super) fn frame(&self, title: impl Into<String>) -> Frame<'_> {
        Frame {
            root: &self.place.root,
            title: title.into(),
            platform: &self.platform,
            who: names::of_person(&self.me),
            my_id: self.me["id"].as_i64().unwrap_or_default(),
            csrf: &self.csrf,
            at: match self.place.path.split('/').next().unwrap_or_default() {
                "webhook-deliveries" => "webhook-endpoints".to_owned(),
                kind => kind.to_owned(),
            },
            notice: None::<Notice>,
        }
    }
}

impl FromRequestParts<Console> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let place = Place::of_request(parts);
        let Some((secret, session)) = find(parts, console).await? else { return Err(to_login(parts, console, &place)) };
        let client = ClientAddress::of(parts, &console.app.options);
        session.actor.user().into_iter().for_each(|user| Trail::of(&parts.extensions).acted(user));
        let id = parts.headers.get(REQUEST_ID).cloned();
        let api = Api::new(console.api.clone(), console.app.clone(), session.clone(), client, id);
        let me = api.get("/api/me").await.map_err(|refusal| super::page::refused(&place, &refusal))?.body;
        Ok(Self {
            api,
            actor: session.actor,
            context: RequestContext::new(session.actor).with_request_id(request_id(&parts.headers)).with_client(client.network()),
            session,
            place,
            csrf: session::csrf(&secret),
            secret,
            me,
            platform: console.app.options.platform_name.clone(),
        })
    }
}

/// Leads to the login, and from there back. What was sent is kept meanwhile.
fn to_login(parts: &Parts, console: &Console, place: &Place) -> Response {
    let next = place.here();
    if parts.method == Method::POST && !next.is_empty() && next != "logout" {
        let posted = Posted::read(parts).ok().filter(Posted::is_own_site).unwrap_or_default();
        let kept = posted.kept();
        let form = LoginPage {
            next: &next,
            kept: &kept,
            error: "You are no longer logged in, and nothing was saved. Log in, and send it again.",
            ..LoginPage::new(&console.app.options.platform_name, place)
        };
        return page(StatusCode::FORBIDDEN, &form);
    }
    let next = Some(("next", next.as_str())).filter(|(_, next)| parts.method == Method::GET && !next.is_empty());
    see_other(&with_query(&format!("{}login", place.root), next))
}

/// The session of the cookie, if it is a good one.
async fn find(parts: &Parts, console: &Console) -> Result<Option<(TokenText, account::Session)>, Response> {
    for secret in session::secrets(&parts.headers) {
        match console.app.engine.authenticate_console(&secret).await {
            Ok(session) => return Ok(Some((secret, session))),
            Err(Error::NotAuthenticated) => {}
            Err(error) => return Err(Problem::from(error).into_response()),
        }
    }
    Ok(None)
}
