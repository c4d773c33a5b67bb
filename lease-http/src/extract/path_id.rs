use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use lease_core::Error;
use lease_core::id::{
    ContactId, CreditCardId, CustomerId, EventId, Id, InvoiceId, LeadId, PaymentId, ProposalId, RefundId, ServiceId, TokenId,
    TradeId, UserId, VehicleId, WebhookDeliveryId, WebhookEndpointId,
};
use lease_core::permission::{Act, Actor, Resource};

use crate::problem::Problem;
use crate::state::AppState;

/// The id of the row that the first request created. It is put into a request whose lost response is built again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CreatedId(pub(crate) i64);

/// The id in the path, or the [`CreatedId`] if there is one; `None` if the path has no valid id in its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathId<T>(pub(crate) Option<T>);

impl<T: Named> PathId<T> {
    /// The id.
    ///
    /// # Errors
    /// The error of the engine for an id that no row has: 401 or 403 if the actor may read nothing of the kind, else 404.
    pub(crate) fn or_not_found(self, actor: &Actor) -> Result<T, Error> {
        self.or_not_found_to(actor, T::RESOURCE, Act::Read)
    }

    /// The id, for a command that checks another right before it looks for the row.
    ///
    /// # Errors
    /// 401 or 403 if the actor lacks the right, else 404.
    pub(crate) fn or_not_found_to(self, actor: &Actor, resource: Resource, act: Act) -> Result<T, Error> {
        match self.0 {
            Some(id) => Ok(id),
            None => Err(actor.require(resource, act).err().unwrap_or(Error::NotFound)),
        }
    }
}

impl<T: Id> FromRequestParts<AppState> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        if let Some(created) = parts.extensions.get::<CreatedId>() {
            return Ok(Self(T::new(created.0)));
        }
        let given = RawPathParams::from_request_parts(parts, state).await.ok();
        let named = given.as_ref().and_then(|params| params.iter().find(|(name, _)| *name == "id"));
        Ok(Self(named.and_then(|(_, text)| T::parse(text))))
    }
}

/// A type of id that a path can have, with the name of its resource.
pub(crate) trait Named: Id {
    const RESOURCE: Resource;
}

macro_rules! named {
    ($($id:ty => $resource:ident),+ $(,)?) => {$(
        impl Named for $id {
            const RESOURCE: Resource = Resource::$resource;
        }
    )+};
}

named! {
    UserId => User,
    TokenId => Token,
    CustomerId => Customer,
    CreditCardId => CreditCard,
    ContactId => Contact,
    LeadId => Lead,
    VehicleId => Vehicle,
    ServiceId => Service,
    TradeId => Trade,
    ProposalId => Proposal,
    InvoiceId => Invoice,
    PaymentId => Payment,
    RefundId => Refund,
    EventId => Event,
    WebhookEndpointId => WebhookEndpoint,
    WebhookDeliveryId => WebhookEndpoint,
}
