//! The tables, what they hold beside their rows, and the terms by which their rows are found.

mod account;
mod annotation;
mod card;
mod claims;
mod directory;
mod event;
mod mail;
mod payment;
mod table;
mod trade;
mod vehicle;
mod webhook;

use std::collections::BTreeMap;

use lease_core::event::ConsumerName;
use lease_core::id::EventId;
use lease_core::model::{Contact, Lead, Service};

pub(crate) use account::{Accounts, Tokens, role, token_of};
pub(crate) use annotation::{Annotated, called};
pub(crate) use card::{Cards, is_default, not_deleted, of as cards_of};
pub(crate) use claims::Claims;
pub(crate) use directory::{lead_status, owner as contact_owner, service_kind};
pub(crate) use event::{Events, query as event_query};
pub(crate) use mail::Mails;
pub(crate) use payment::{Payments, Refunds, payment_status, refund_status};
pub(crate) use table::{Indexed, Row, Table};
pub(crate) use trade::{
    Invoices, Proposals, Trades, expiring, external_terms, invoice_status, mileages, proposal_status, public as public_proposals,
    trade_status, trade_terms, word_terms,
};
pub(crate) use vehicle::{Vehicles, in_open_trade, make, model, party, years};
pub(crate) use webhook::{Webhooks, delivery_status, to_endpoint};

/// All data of the store.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) accounts: Accounts,
    pub(crate) tokens: Tokens,
    pub(crate) cards: Cards,
    pub(crate) contacts: Table<Contact>,
    pub(crate) leads: Table<Lead>,
    pub(crate) vehicles: Vehicles,
    pub(crate) services: Table<Service>,
    pub(crate) trades: Trades,
    pub(crate) proposals: Proposals,
    pub(crate) invoices: Invoices,
    pub(crate) payments: Payments,
    pub(crate) refunds: Refunds,
    pub(crate) claims: Claims,
    pub(crate) events: Events,
    /// The positions of consumers.
    pub(crate) consumers: BTreeMap<ConsumerName, EventId>,
    pub(crate) webhooks: Webhooks,
    pub(crate) mails: Mails,
}
