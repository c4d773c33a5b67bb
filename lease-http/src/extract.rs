//! The extractors for the engine, the id in the path and the body. They run in the order of a handler's arguments, which is the
//! order of checks (rule 2.4): the session, then the body; the engine checks the rest.

mod body;
mod path_id;

use std::convert::Infallible;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use lease_core::LeaseEngine;

use crate::state::AppState;
pub(crate) use body::{BODY_LIMIT, Body, Received, received_body};
pub(crate) use path_id::{CreatedId, PathId};

/// The engine.
#[derive(Clone, Debug)]
pub(crate) struct Engine(LeaseEngine);

impl Deref for Engine {
    type Target = LeaseEngine;

    fn deref(&self) -> &LeaseEngine {
        &self.0
    }
}

impl FromRequestParts<AppState> for Engine {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self(state.engine.clone()))
    }
}
