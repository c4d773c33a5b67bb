//! The eleven tables (chapter 1), and the refunds, webhooks and mails beside them, one file each. A value has the contents of a row; [`Stored`](crate::id::Stored) adds its id.
//!
//! A state carries the data that belongs to it: an agreed trade cannot exist without its counterparty. The REST layer decides
//! how states are written in JSON.

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
