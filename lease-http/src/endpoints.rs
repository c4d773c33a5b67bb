//! The declared endpoints: the handlers of a path with their descriptions, and the replay of each POST.

use std::collections::BTreeSet;

use axum::routing::MethodRouter;
use lease_core::permission::{Act, Resource};
use serde_json::json;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::auth::Caller;
use crate::etag;
use crate::idempotency::{self, Replay};
use crate::problem::{HttpError, Problem};
use crate::state::AppState;

/// The extension of a POST operation that tells the document how it treats an idempotency key.
pub(crate) const X_IDEMPOTENCY_KEY: &str = "x-idempotency-key";

/// Endpoints, in the order in which they were declared.
#[derive(Default)]
pub(crate) struct Endpoints(Vec<Endpoint>);

struct Endpoint {
    routes: UtoipaMethodRouter<AppState>,
    replay: Option<Replay>,
    around: Option<Around>,
}

/// Puts a layer around the handlers of a path.
type Around = fn(MethodRouter<AppState>, &AppState) -> MethodRouter<AppState>;

impl Endpoints {
    /// An empty list of endpoints.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds the endpoints of one path, none of which is a POST.
    pub(crate) fn routes(mut self, routes: UtoipaMethodRouter<AppState>) -> Self {
        self.0.push(Endpoint { routes, replay: None, around: None });
        self
    }

    /// Adds a POST endpoint with its replay.
    pub(crate) fn post(mut self, mut routes: UtoipaMethodRouter<AppState>, replay: Replay) -> Self {
        let meaning = if replay.ignores_key() { "ignored" } else { "replayed" };
        for operation in routes.1.paths.values_mut().filter_map(|item| item.post.as_mut()) {
            operation.extensions.get_or_insert_default().insert(X_IDEMPOTENCY_KEY.to_owned(), json!(meaning));
        }
        self.0.push(Endpoint { routes, replay: Some(replay), around: None });
        self
    }

    /// Puts a layer around the path that was added last, and around the idempotency layer of its POST.
    pub(crate) fn around_last(mut self, around: Around) -> Self {
        if let Some(last) = self.0.last_mut() {
            last.around = Some(around);
        }
        self
    }

    /// Closes the paths of these endpoints to actors who may not read the resource: to them, a method that a path does not have is
    /// 401 or 403 instead of 405 (rule 2.3).
    pub(crate) fn closed_without(mut self, resource: Resource) -> Self {
        let mut closed = BTreeSet::new();
        for Endpoint { routes: (_, paths, methods), .. } in &mut self.0 {
            // The handlers of a path are joined later, and only one of them may have a fallback.
            if closed.insert(paths.paths.keys().cloned().collect::<Vec<_>>()) {
                *methods = std::mem::take(methods).fallback(async move |caller: Caller| closed_or_not_allowed(&caller, resource));
            }
        }
        self
    }

    /// Adds all endpoints of another list.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Puts the idempotency layer around each POST and the one for tags around each object that can be changed, and around them what the path declares.
    pub(crate) fn replaying(self, state: &AppState) -> Self {
        let layered = |endpoint: Endpoint| {
            let (schemas, paths, routes) = endpoint.routes;
            let routes: MethodRouter<AppState> = match &endpoint.replay {
                Some(replay) => idempotency::around(routes, replay.clone(), state.clone()),
                None => routes,
            };
            let routes = if paths.paths.values().any(etag::is_changeable) { etag::around(routes, state) } else { routes };
            let routes = match endpoint.around {
                Some(around) => around(routes, state),
                None => routes,
            };
            Endpoint { routes: (schemas, paths, routes), ..endpoint }
        };
        Self(self.0.into_iter().map(layered).collect())
    }

    /// The router and the description of all endpoints.
    pub(crate) fn into_router(self) -> OpenApiRouter<AppState> {
        self.0.into_iter().fold(OpenApiRouter::new(), |router, endpoint| router.routes(endpoint.routes))
    }
}

fn closed_or_not_allowed(caller: &Caller, resource: Resource) -> Problem {
    match caller.actor().require(resource, Act::Read) {
        Ok(_) => Problem::new(HttpError::MethodNotAllowed),
        Err(error) => error.into(),
    }
}
