//! The limits on what each client asks for, whatever becomes of it: to register, and mails.

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::MethodRouter;
use chrono::{DateTime, Utc};
use lease_core::client::ClientNetwork;

use super::TooMany;
use super::limit::Limit;
use crate::client_address::ClientAddress;
use crate::problem::Problem;
use crate::state::AppState;

/// Counts the requests of each client, whatever becomes of them. Cheap to clone; clones share the counts.
#[derive(Clone, Debug)]
pub(crate) struct ClientThrottle(Limit<ClientNetwork>);

impl ClientThrottle {
    /// A throttle that allows a client this many requests a minute; 0 for no limit.
    #[must_use]
    pub(crate) fn new(per_minute: u32) -> Self {
        Self(Limit::new(per_minute))
    }

    /// Counts a request. One whose address is not known is not limited.
    ///
    /// # Errors
    /// [`TooMany`] if the limit has been reached.
    pub(crate) fn count(&self, client: ClientAddress, now: DateTime<Utc>) -> Result<(), TooMany> {
        client.network().map_or(Ok(()), |network| self.0.count(network, now))
    }
}

/// Puts the limit on mails that are asked for around an endpoint.
pub(crate) fn limit_mails(endpoint: MethodRouter<AppState>, state: &AppState) -> MethodRouter<AppState> {
    limit(endpoint, state, |state| &state.mails, |_| true)
}

/// Puts a throttle around an endpoint, which counts these requests.
pub(super) fn limit(
    endpoint: MethodRouter<AppState>,
    state: &AppState,
    throttle: fn(&AppState) -> &ClientThrottle,
    is_counted: fn(&Request) -> bool,
) -> MethodRouter<AppState> {
    let limited = move |State(state): State<AppState>, client: ClientAddress, request: Request, next: Next| async move {
        if is_counted(&request) {
            throttle(&state).count(client, state.engine.now())?;
        }
        Ok::<_, Problem>(next.run(request).await)
    };
    endpoint.route_layer(from_fn_with_state(state.clone(), limited))
}
