//! The limit on registrations.

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::MethodRouter;
use chrono::{DateTime, Utc};
use lease_core::client::ClientNetwork;

use super::TooMany;
use super::limit::Limit;
use crate::client_address::ClientAddress;
use crate::problem::Problem;
use crate::state::AppState;

/// Counts the registrations that each client attempts, whatever becomes of them. Cheap to clone; clones share the counts.
#[derive(Clone, Debug)]
pub(crate) struct RegistrationThrottle(Limit<ClientNetwork>);

impl RegistrationThrottle {
    /// A throttle that allows a client this many registrations a minute; 0 for no limit.
    #[must_use]
    pub(crate) fn new(per_minute: u32) -> Self {
        Self(Limit::new(per_minute))
    }

    /// Counts a registration.
    ///
    /// # Errors
    /// [`TooMany`] if the limit has been reached.
    fn count(&self, client: ClientNetwork, now: DateTime<Utc>) -> Result<(), TooMany> {
        self.0.count(client, now)
    }
}

/// Puts the limit around an endpoint. It is checked before anything is done: before an idempotency key is claimed or a password is
/// hashed. A request that is sent again counts again.
pub(crate) fn limit_registrations(endpoint: MethodRouter<AppState>, state: &AppState) -> MethodRouter<AppState> {
    endpoint.route_layer(from_fn_with_state(state.clone(), limit))
}

async fn limit(State(state): State<AppState>, client: ClientAddress, request: Request, next: Next) -> Result<Response, Problem> {
    if let Some(network) = client.network() {
        state.registrations.count(network, state.engine.now())?;
    }
    Ok(next.run(request).await)
}
