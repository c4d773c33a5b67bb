//! The extractors of the engine, the id in the path and the body. They run in the order of a handler's arguments, which is the
//! order of checks (spec 2, rule 4): the session, then the body; the engine judges the rest.

mod body;
mod path_id;

use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use lease_core::LeaseEngine;
use lease_core::repository::Claim;

use crate::problem::Problem;
use crate::state::AppState;
pub(crate) use body::{BODY_LIMIT, Body, read_body};
pub(crate) use path_id::{CreatedId, PathId};

/// The engine; under the idempotency claim that a layer has put into the request, where it has.
#[derive(Clone, Debug)]
pub(crate) struct Engine(LeaseEngine);

impl Deref for Engine {
    type Target = LeaseEngine;

    fn deref(&self) -> &LeaseEngine {
        &self.0
    }
}

impl FromRequestParts<AppState> for Engine {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self(match parts.extensions.get::<Claim>() {
            Some(claim) => state.engine.under(*claim),
            None => state.engine.clone(),
        }))
    }
}
