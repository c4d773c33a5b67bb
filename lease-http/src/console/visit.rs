//! A request by somebody who is logged in to the console: who they are, and where they are (chapter 10).

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use lease_core::account::TokenText;
use lease_core::engine::RequestContext;
use lease_core::permission::Actor;
use lease_core::{Error, account};
use serde_json::Value;

use super::Console;
use super::api::Api;
use super::names;
use super::page::{Frame, Notice, see_other};
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

    /// What all pages have.
    pub(super) fn frame(&self, title: impl Into<String>) -> Frame<'_> {
        Frame {
            root: &self.place.root,
            title: title.into(),
            platform: &self.platform,
            who: names::of_person(&self.me),
            my_id: self.me["id"].as_i64().unwrap_or_default(),
            csrf: &self.csrf,
            at: self.place.path.split('/').next().unwrap_or_default().to_owned(),
            notice: None::<Notice>,
        }
    }
}

impl FromRequestParts<Console> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let uri = match OriginalUri::from_request_parts(parts, console).await {
            Ok(OriginalUri(uri)) => uri,
            Err(never) => match never {},
        };
        let place = Place::of(&uri);
        let Some((secret, session)) = find(parts, console).await? else {
            let here = place.here();
            let next = Some(("next", here.as_str())).filter(|(_, here)| parts.method == "GET" && !here.is_empty());
            return Err(see_other(&with_query(&format!("{}login", place.root), next)));
        };
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
