use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::id::{CustomerId, Entity, EventId, MailId, UserId};

/// A mail that is to be sent, or was (rules 9.3 to 9.5). For each event, recipient and kind there is one at most.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Mail {
    /// What it says.
    pub kind: MailKind,
    /// To whom.
    pub recipient: MailRecipient,
    /// The event that it was made from.
    pub event_id: Option<EventId>,
    /// What it is about: facts of the event, and of the objects concerned.
    pub facts: Map<String, Value>,
    /// How far it has come.
    pub state: MailState,
    /// How often it was tried to send it.
    pub tries: u32,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
}

impl Entity for Mail {
    type Id = MailId;
}

/// To whom a mail goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum MailRecipient {
    /// The user of this customer, at the address that they have when it is sent.
    Customer(CustomerId),
    /// This user, at the address that they have when it is sent.
    User(UserId),
    /// This user, at this address, whatever theirs is when it is sent.
    UserAt(UserId, String),
    /// The active user with this address, if there is one.
    Address(String),
}

/// What a mail says.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum MailKind {
    /// A proposal was made in one's trade, or by the owner of a trade in which one has proposed.
    ProposalMade,
    /// One's proposal was accepted.
    ProposalAccepted,
    /// One's proposal was rejected.
    ProposalRejected,
    /// One's proposal was closed.
    ProposalClosed,
    /// An invoice was issued.
    InvoiceIssued,
    /// An invoice is due in three days.
    InvoiceDueSoon,
    /// An invoice is overdue.
    InvoiceOverdue,
    /// A payment was received.
    PaymentReceived,
    /// A payment failed.
    PaymentFailed,
    /// A payment was refunded.
    PaymentRefunded,
    /// The password was changed.
    PasswordChanged,
    /// The e-mail address was changed; goes to the old one.
    EmailChanged,
    /// A link to set a new password.
    PasswordReset,
    /// A link to confirm the e-mail address.
    EmailVerification,
}

/// How far a mail has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(MailStatus),
    doc = "The names of the states of a mail.",
    derive(Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "status", rename_all = "snake_case"))]
pub enum MailState {
    /// It is sent at this instant.
    Pending {
        /// The instant.
        next_attempt_at: DateTime<Utc>,
    },
    /// The mail server has taken it.
    Sent,
    /// It was given up, because it was refused or could not be sent for too long.
    Failed,
    /// There was no reason to send it any more.
    Dropped,
}
