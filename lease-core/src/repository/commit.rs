//! [`Commit`], by which everything is written.

use chrono::{DateTime, Utc};

use super::Claim;
use crate::account::{AccountChange, Login, NewAccount, Token, TokenRevocation};
use crate::catalog::{FirstServices, VehicleChange};
use crate::decision::RowChange;
use crate::directory::LeadChange;
use crate::event::{Event, EventRecord};
use crate::id::NewIds;
use crate::lifecycle::{Opening, TradeChange};
use crate::model::{Contact, Customer, Mail, Service};
use crate::permission::Actor;
use crate::wallet::{RefusedCard, WalletChange};
use crate::webhook::{DeliveryChange, WebhookEndpointChange};

/// One atomic write: a change, in an envelope that says who makes it and for which request.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// The actor, the instant, the request, the idempotency claim and the events.
    pub envelope: Envelope,
    /// The change to be written.
    pub change: Change,
}

impl Commit {
    /// A commit of this change in this envelope.
    #[must_use]
    pub fn new(envelope: Envelope, change: impl Into<Change>) -> Self {
        Self { envelope, change: change.into() }
    }
}

/// The data that every commit carries, whatever it changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The actor. If it is a user, the store checks that they are still active and still have this role and customer, and
    /// otherwise refuses with [`Guarantee::Actor`](super::Guarantee::Actor).
    pub actor: Actor,
    /// The instant of the decision.
    pub at: DateTime<Utc>,
    /// The request for which the decision was made.
    pub request_id: Option<RequestId>,
    /// The idempotency claim. The commit marks it as done in the same atomic step, and is refused with
    /// [`Guarantee::Claim`](super::Guarantee::Claim) if the claim is no longer held.
    pub claim: Option<Claim>,
    /// The events, in order. They are stored in the same atomic step.
    pub events: Vec<Event>,
}

impl Envelope {
    /// An envelope for this actor and this instant, without a request, a claim or events.
    #[must_use]
    pub const fn new(actor: Actor, at: DateTime<Utc>) -> Self {
        Self { actor, at, request_id: None, claim: None, events: Vec::new() }
    }

    /// An event as it is stored, with the ids that the commit gave out.
    #[must_use]
    pub fn record(&self, event: &Event, ids: &NewIds) -> EventRecord {
        event.record(&self.actor, self.at, self.request_id.as_ref().map(RequestId::as_str), ids)
    }
}

/// The id of a request, as it is logged: 1 to 128 ASCII letters, digits and `-_.:/+=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// A request id; `None` if the text is empty, too long or contains other characters.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
        ((1..=128).contains(&text.len()) && text.bytes().all(is_plain)).then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Every kind of change that can be written. Exhaustive on purpose: a store compiles only if it handles all of them.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "only one exists at a time, and it is passed by reference")]
pub enum Change {
    /// Creates a user, with a customer if there is a profile, and with a token if one is given.
    NewAccount(NewAccount),
    /// Changes a user, and may create or delete its customer. Deleting a customer to which other rows refer is a conflict, mails
    /// excepted.
    Account(AccountChange),
    /// Stores the token of a login, whatever its epoch: one of an epoch that is over is not good. The user's version stays, so that
    /// concurrent logins do not conflict. If the user is not there, it is a conflict.
    Login(Login),
    /// Deletes a token of a user. If it is not there, or belongs to another user, nothing changes and no event is stored.
    RevokeToken(TokenRevocation),
    /// Creates a token. If its epoch is not the present one of its user, it is a conflict.
    CreateToken(Token),
    /// Changes a customer's profile and annotations; the user and the instant of the creation stay. Customers are created and deleted
    /// with their users, so this is always an update: anything else is a fault, [`Internal`](super::RepositoryError::Internal).
    Customer(RowChange<Customer>),
    /// Changes a customer's cards, and increases the customer's version.
    Wallet(WalletChange),
    /// Keeps that a new card was refused, for [`declines`](super::TradeRepository::declines).
    RefusedCard(RefusedCard),
    /// Creates, updates or deletes a contact. An owner that does not exist is a conflict.
    Contact(RowChange<Contact>),
    /// Creates, updates or deletes a lead, with its contacts.
    Lead(LeadChange),
    /// Creates, updates or deletes a vehicle, and changes what a trade offers with it. Deleting a vehicle that was ever traded is
    /// a conflict.
    Vehicle(VehicleChange),
    /// Creates or updates a service; services are never deleted.
    Service(RowChange<Service>),
    /// Creates services in a store that has none, and otherwise refuses with
    /// [`Guarantee::FirstServices`](super::Guarantee::FirstServices). Several processes may safely try at once.
    FirstServices(FirstServices),
    /// Opens a trade. The vehicle's version increases, so that the vehicle cannot be changed at the same time.
    OpenTrade(Opening),
    /// Changes a trade and the rows that belong to it, in the order of the fields of
    /// [`TradeChanges`](crate::lifecycle::TradeChanges).
    Trade(TradeChange),
    /// Creates, updates or deletes a webhook endpoint; its deliveries are deleted with it.
    WebhookEndpoint(WebhookEndpointChange),
    /// Queues a webhook delivery, or queues one again. An endpoint that does not exist is a conflict.
    WebhookDelivery(DeliveryChange),
    /// Queues a mail that somebody asked for.
    Mail(Mail),
}

macro_rules! changes {
    ($($variant:ident($change:ty)),+ $(,)?) => {$(
        impl From<$change> for Change {
            fn from(change: $change) -> Self {
                Self::$variant(change)
            }
        }
    )+};
}

changes! {
    NewAccount(NewAccount),
    Account(AccountChange),
    Login(Login),
    RevokeToken(TokenRevocation),
    CreateToken(Token),
    Customer(RowChange<Customer>),
    Wallet(WalletChange),
    RefusedCard(RefusedCard),
    Contact(RowChange<Contact>),
    Lead(LeadChange),
    Vehicle(VehicleChange),
    Service(RowChange<Service>),
    FirstServices(FirstServices),
    OpenTrade(Opening),
    Trade(TradeChange),
    WebhookEndpoint(WebhookEndpointChange),
    WebhookDelivery(DeliveryChange),
    Mail(Mail),
}
