//! Makes the response to an act again whose first response was lost: the process died in between. What the act made is there, so
//! the response is what reading it says now.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use lease_core::engine::Registered;
use lease_core::id::{PaymentId, UserId};
use lease_core::model::{PaymentState, Profile};
use lease_core::permission::Actor;
use lease_core::{Error, ErrorKind, LeaseEngine};
use tower::ServiceExt as _;

use crate::auth::Caller;
use crate::problem::Problem;
use crate::routes;

/// Acts on what their path names; every other POST makes something.
const ACTS: [&str; 6] = ["accept", "reject", "withdraw", "cancel", "void", "convert"];

/// Makes answers again.
#[derive(Clone, Debug)]
pub(super) struct ReplayBuilder {
    pub(super) engine: LeaseEngine,
    /// The endpoints, to read from.
    pub(super) routes: Router,
}

impl ReplayBuilder {
    /// The response to a POST to this path, which made the row of this id.
    ///
    /// # Errors
    /// What reading answers; the decline, of a payment that was declined.
    pub(super) async fn response(&self, path: &str, made: Option<i64>, caller: Caller) -> Result<Response, Problem> {
        let (parent, last) = path.rsplit_once('/').unwrap_or_default();
        match made {
            _ if ACTS.contains(&last) => Ok(self.read(parent, caller).await),
            Some(user) if last == "register" => self.registration(user).await,
            Some(made) => {
                let status = if last == "payments" { self.payment(made, caller).await? } else { StatusCode::CREATED };
                let mut response = self.read(&format!("/api/{last}/{made}"), caller).await;
                if response.status() == StatusCode::OK {
                    *response.status_mut() = status;
                }
                Ok(response)
            }
            None => {
                tracing::error!("an act was done that made nothing and changed nothing");
                Err(Problem::new(ErrorKind::InternalError))
            }
        }
    }

    /// The token of the first response is known to nobody, so there is another one.
    async fn registration(&self, user: i64) -> Result<Response, Problem> {
        let user = UserId::new(user).ok_or(Error::NotFound)?;
        let login = self.engine.issue_first_token(user).await?;
        let profile = match login.account.customer_id {
            Some(customer) => self.engine.get_customer(&Actor::of(&login.account), customer).await?.value.profile,
            None => Profile::default(),
        };
        Ok(routes::registered(Registered { account: login.account, profile, token: login.token }))
    }

    async fn payment(&self, payment: i64, caller: Caller) -> Result<StatusCode, Problem> {
        let id = PaymentId::new(payment).ok_or(Error::NotFound)?;
        let payment = self.engine.get_payment(&caller.actor(), id).await?;
        match payment.state {
            PaymentState::Succeeded { .. } => Ok(StatusCode::CREATED),
            PaymentState::Pending => Ok(StatusCode::ACCEPTED),
            PaymentState::Failed { .. } => Err(Error::CardDeclined(Box::new(payment)).into()),
        }
    }

    async fn read(&self, path: &str, caller: Caller) -> Response {
        let mut request = Request::new(Body::empty());
        match path.parse() {
            Ok(uri) => *request.uri_mut() = uri,
            Err(_) => return Problem::from(Error::NotFound).into_response(),
        }
        request.extensions_mut().insert(caller);
        self.routes.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
    }
}
