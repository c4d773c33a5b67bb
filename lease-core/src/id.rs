//! The ids of the tables: one type each, so that a trade's id cannot be used as an invoice's.

use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::num::NonZeroI64;

use crate::input::Invalid;

/// The operations that every id type has.
pub trait Id: Copy + Debug + Display + Eq + Hash + Ord + Send + Sync + 'static {
    /// The id with this number, or `None` for zero and below: a store assigns positive numbers only.
    fn new(number: i64) -> Option<Self>;

    /// The number, as stored and as written in JSON.
    fn get(self) -> i64;

    /// Parses an id written in plain digits; `None` for anything but a positive 64-bit integer.
    #[must_use]
    fn parse(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| plain).and_then(Self::new)
    }
}

/// A type whose values are stored in a table of their own under an [`Id`].
pub trait Entity: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// The type of the ids.
    type Id: Id;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(NonZeroI64);

        impl $name {
            /// The id with this number, or `None` for zero and below.
            #[must_use]
            pub const fn new(number: i64) -> Option<Self> {
                match NonZeroI64::new(number) {
                    Some(number) if number.is_positive() => Some(Self(number)),
                    _ => None,
                }
            }

            /// The number, as stored and as written in JSON.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0.get()
            }
        }

        impl Id for $name {
            fn new(number: i64) -> Option<Self> {
                Self::new(number)
            }

            fn get(self) -> i64 {
                Self::get(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = i64::deserialize(deserializer)?;
                Self::new(number).ok_or_else(|| serde::de::Error::custom(Invalid::NotAnId))
            }
        }

        impl std::str::FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                Id::parse(text).ok_or(Invalid::NotAnId)
            }
        }

        impl Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                Display::fmt(&self.0, f)
            }
        }
    )+};
}

ids! {
    /// The id of a [`User`](crate::model::User).
    UserId,
    /// The id of a [`Token`](crate::account::Token).
    TokenId,
    /// The id of a [`Customer`](crate::model::Customer).
    CustomerId,
    /// The id of a [`CreditCard`](crate::model::CreditCard).
    CreditCardId,
    /// The id of a [`Contact`](crate::model::Contact).
    ContactId,
    /// The id of a [`Lead`](crate::model::Lead).
    LeadId,
    /// The id of a [`Vehicle`](crate::model::Vehicle).
    VehicleId,
    /// The id of a [`Service`](crate::model::Service).
    ServiceId,
    /// The id of a [`Trade`](crate::model::Trade).
    TradeId,
    /// The id of a [`Proposal`](crate::model::Proposal).
    ProposalId,
    /// The id of an [`Invoice`](crate::model::Invoice).
    InvoiceId,
    /// The id of a [`Payment`](crate::model::Payment).
    PaymentId,
    /// The id of a [`Refund`](crate::model::Refund).
    RefundId,
    /// The id of a [`WebhookEndpoint`](crate::model::WebhookEndpoint).
    WebhookEndpointId,
    /// The id of a [`WebhookDelivery`](crate::model::WebhookDelivery).
    WebhookDeliveryId,
    /// The id of a [`Mail`](crate::model::Mail).
    MailId,
    /// The id of an [`EventRecord`](crate::event::EventRecord). Ids ascend in the order in which events can be read (rule 8.5).
    EventId,
}

/// A row as it is stored: its id and its contents.
///
/// It dereferences to the value, so `stored.state` reads a field of it.
#[derive(Clone, Debug, PartialEq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(bound(serialize = "T: serde::Serialize, T::Id: serde::Serialize")))]
#[cfg_attr(feature = "serde", serde(bound(deserialize = "T: serde::Deserialize<'de>, T::Id: serde::Deserialize<'de>")))]
pub struct Stored<T: Entity> {
    /// The id that the store assigned to it.
    pub id: T::Id,
    /// The contents of the row.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub value: T,
}

impl<T: Entity> std::ops::Deref for Stored<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Entity> std::ops::DerefMut for Stored<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// The version of a row, which counts the changes to it and to the rows that belong to it. A commit names the version that it was
/// decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub i64);

impl Version {
    /// The version of a row that was just created.
    pub const FIRST: Self = Self(1);

    /// The version after one more commit.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A value, with the version at which it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Versioned<T> {
    /// The version that a commit built on this must expect.
    pub version: Version,
    /// The value.
    pub value: T,
}

impl<T> std::ops::Deref for Versioned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> std::ops::DerefMut for Versioned<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// The ids that a commit assigned to the rows it created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewIds {
    /// The new user.
    pub user: Option<UserId>,
    /// The new token.
    pub token: Option<TokenId>,
    /// The new customer.
    pub customer: Option<CustomerId>,
    /// The new credit card.
    pub credit_card: Option<CreditCardId>,
    /// The new contact.
    pub contact: Option<ContactId>,
    /// The new lead.
    pub lead: Option<LeadId>,
    /// The new vehicle.
    pub vehicle: Option<VehicleId>,
    /// The new service; the first one, if there are several.
    pub service: Option<ServiceId>,
    /// The new trade.
    pub trade: Option<TradeId>,
    /// The new proposal.
    pub proposal: Option<ProposalId>,
    /// The new invoice.
    pub invoice: Option<InvoiceId>,
    /// The new payment.
    pub payment: Option<PaymentId>,
    /// The new refund.
    pub refund: Option<RefundId>,
    /// The new webhook endpoint.
    pub webhook_endpoint: Option<WebhookEndpointId>,
    /// The new webhook delivery.
    pub webhook_delivery: Option<WebhookDeliveryId>,
}

impl NewIds {
    /// The number of the row that the command was meant to create. An idempotency record stores it, so that a lost response can
    /// be built again. A customer is created with its user and an invoice with another row, so it is never the number of one of
    /// these. A first token is created with its user as well.
    #[must_use]
    pub fn primary(&self) -> Option<i64> {
        self.user
            .map(UserId::get)
            .or(self.token.map(TokenId::get))
            .or(self.credit_card.map(CreditCardId::get))
            .or(self.contact.map(ContactId::get))
            .or(self.lead.map(LeadId::get))
            .or(self.vehicle.map(VehicleId::get))
            .or(self.service.map(ServiceId::get))
            .or(self.trade.map(TradeId::get))
            .or(self.payment.map(PaymentId::get))
            .or(self.refund.map(RefundId::get))
            .or(self.webhook_endpoint.map(WebhookEndpointId::get))
            .or(self.webhook_delivery.map(WebhookDeliveryId::get))
            .or(self.proposal.map(ProposalId::get))
    }
}
