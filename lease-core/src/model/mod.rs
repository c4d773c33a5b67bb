//! The eleven tables (chapter 1), and the refunds, webhooks and mails beside them, one file each. A value has the contents of a row; [`Stored`](crate::id::Stored) adds its id.
//!
//! A state carries the data that belongs to it: an agreed trade cannot exist without its counterparty.
//!
//! # Serde
//!
//! With the feature `serde`, all of these are written and read, so that they can travel between an app's own programs: a state as an
//! object with its name as `status`, an amount as `{"amount": "199.99", "currency": "USD"}`, a number or a name as its text. What is
//! read is checked as far as its type checks itself: an amount, days, a VIN, metadata as they may come in now. A name of a status that is
//! not known is an error.
//!
//! No secret is ever written. A [`User`] is read without a password and links, and a [`NextAction`] without its address and its secret:
//! they are for looking at, not for storing again. A [`CreditCard`] and a [`WebhookEndpoint`], which are nothing without their secrets,
//! are written only.
//!
//! What users of the REST layer see is another form, the views of `lease-http`.

mod annotations;
mod contact;
mod credit_card;
mod customer;
mod invoice;
mod lead;
pub(crate) mod limits;
mod mail;
mod payment;
mod proposal;
mod refund;
mod service;
mod texts;
mod trade;
mod user;
mod vehicle;
mod webhook;

pub use annotations::{Annotations, ExternalId, Metadata};
pub use contact::{Contact, ContactOwner};
pub(crate) use credit_card::is_card_expired;
pub use credit_card::{CardBrand, CardToken, CreditCard};
pub use customer::{Customer, Profile};
pub use invoice::{Invoice, InvoiceState, InvoiceStatus};
pub use lead::{Lead, LeadState, LeadStatus};
pub use mail::{Mail, MailKind, MailRecipient, MailState, MailStatus};
pub use payment::{ChargeKey, ClientSecret, NextAction, Payment, PaymentState, PaymentStatus, RefundKey};
pub use proposal::{Asking, Period, Proposal, ProposalState, ProposalStatus};
pub use refund::{Refund, RefundReason, RefundState, RefundStatus};
pub use service::{BillTo, InvoiceOn, Service, ServiceKind};
pub use trade::{Agreement, Trade, TradeState, TradeStatus};
pub use user::{Account, Email, LinkHash, LinkPurpose, LoginName, MailLink, NoticeSettings, PasswordHash, Role, User, Username};
pub use vehicle::{ChassisNumber, OfferedVehicle, Vehicle, VehicleIdentity, VehicleTransfer, Vin};
pub use webhook::{
    DeliveryAttempt, DeliveryState, DeliveryStatus, DisabledReason, EndpointState, PreviousSecret, WebhookDelivery,
    WebhookEndpoint, WebhookMessage, WebhookSecret,
};

#[cfg(feature = "serde")]
crate::as_text::as_text!(
    BillTo,
    CardBrand,
    ChassisNumber,
    DeliveryStatus,
    DisabledReason,
    Email,
    ExternalId,
    InvoiceOn,
    InvoiceStatus,
    LeadStatus,
    MailKind,
    MailStatus,
    PaymentStatus,
    ProposalStatus,
    RefundReason,
    RefundStatus,
    Role,
    ServiceKind,
    TradeStatus,
    Username,
    Vin,
);
