//! The one way to write: a [`Commit`].

use chrono::{DateTime, Utc};

use super::Claim;
use crate::account::{AccountChange, Login, NewAccount, TokenHash};
use crate::catalog::FirstServices;
use crate::decision::RowChange;
use crate::directory::LeadChange;
use crate::event::Event;
use crate::lifecycle::{Opening, TradeChange};
use crate::model::{Contact, Customer, Service, Vehicle};
use crate::permission::Actor;
use crate::wallet::WalletChange;

/// One atomic write: a change, in an envelope that says who makes it and for what.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// Who acts, when, for which request, under which claim, and what happened.
    pub envelope: Envelope,
    /// What is written.
    pub change: Change,
}

impl Commit {
    /// This change in this envelope.
    #[must_use]
    pub fn new(envelope: Envelope, change: impl Into<Change>) -> Self {
        Self { envelope, change: change.into() }
    }
}

/// What comes with every commit, whatever it changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// Who acts. Where it is a user, the store checks that they are still active, of this role and with this customer, or refuses
    /// with [`Guarantee::Actor`](super::Guarantee::Actor).
    pub actor: Actor,
    /// The instant of the decision.
    pub at: DateTime<Utc>,
    /// The request that it was made for.
    pub request_id: Option<RequestId>,
    /// The idempotency claim that it is made under: marked as done in the same atomic step, or refused with
    /// [`Guarantee::Claim`](super::Guarantee::Claim) where it is no longer held.
    pub claim: Option<Claim>,
    /// What happened, in order.
    pub events: Vec<Event>,
}

impl Envelope {
    /// An envelope for what this actor does at this instant: for no request, under no claim, without events.
    #[must_use]
    pub const fn new(actor: Actor, at: DateTime<Utc>) -> Self {
        Self { actor, at, request_id: None, claim: None, events: Vec::new() }
    }
}

/// The name of a request, as it stands in the log: 1 to 128 ASCII letters, digits and `-_.:/+=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// A request's name; `None` for an empty text, a longer one, and one with other characters.
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

/// Everything that can be written. Exhaustive on purpose: a store does not compile until it handles every kind of change.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one lives at a time, and is passed by reference")]
pub enum Change {
    /// Creates a user, with a customer where there is a profile, and a token where one is asked for.
    NewAccount(NewAccount),
    /// Changes a user, and creates or deletes the customer behind it. Deleting a customer that something hangs on is a conflict.
    Account(AccountChange),
    /// Stores the token of a login. Does not move the user's version: logins do not stand in each other's way.
    Login(Login),
    /// Deletes a token. One that is not there is deleted already.
    RevokeToken(TokenHash),
    /// Changes a customer's profile. Customers are created and deleted with their users, so this is always an update.
    Customer(RowChange<Customer>),
    /// Changes a customer's cards. Moves the customer's version.
    Wallet(WalletChange),
    /// Changes a contact. One whose owner does not exist is a conflict.
    Contact(RowChange<Contact>),
    /// Changes a lead and its contacts.
    Lead(LeadChange),
    /// Changes a vehicle. Deleting one that was ever traded is a conflict.
    Vehicle(RowChange<Vehicle>),
    /// Changes a service; services are never deleted.
    Service(RowChange<Service>),
    /// Creates services in a store that has none, or refuses with
    /// [`Guarantee::FirstServices`](super::Guarantee::FirstServices), safely when several processes try at once.
    FirstServices(FirstServices),
    /// Opens a trade. The vehicle moves on from its expected version, so that it cannot change under the offer.
    OpenTrade(Opening),
    /// Changes a trade and what hangs on it, in the order of the fields of [`TradeChanges`](crate::lifecycle::TradeChanges).
    Trade(TradeChange),
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
    RevokeToken(TokenHash),
    Customer(RowChange<Customer>),
    Wallet(WalletChange),
    Contact(RowChange<Contact>),
    Lead(LeadChange),
    Vehicle(RowChange<Vehicle>),
    Service(RowChange<Service>),
    FirstServices(FirstServices),
    OpenTrade(Opening),
    Trade(TradeChange),
}
