//! What an import brings: all rows of another system at once, as they are to be stored.
//!
//! Rules for input do not judge an import, but the [invariants](crate::invariants) do, and so do the
//! [guarantees](crate::repository::Guarantee): whoever makes one decides what becomes of rows that break them.

use crate::account::Token;
use crate::id::{NewIds, Stored};
use crate::invariants::{Books, Past};
use crate::model::{Contact, CreditCard, Customer, Invoice, Lead, Payment, Proposal, Service, Trade, User, Vehicle};

/// The rows of an import, each table in the order of its ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Import {
    /// The users. Each who does not administer has a customer.
    pub users: Vec<Stored<User>>,
    /// The tokens of the API.
    pub tokens: Vec<Stored<Token>>,
    /// The customers.
    pub customers: Vec<Stored<Customer>>,
    /// The cards.
    pub cards: Vec<Stored<CreditCard>>,
    /// The leads.
    pub leads: Vec<Stored<Lead>>,
    /// The contacts.
    pub contacts: Vec<Stored<Contact>>,
    /// The vehicles.
    pub vehicles: Vec<Stored<Vehicle>>,
    /// The services.
    pub services: Vec<Stored<Service>>,
    /// The trades.
    pub trades: Vec<Stored<Trade>>,
    /// The proposals.
    pub proposals: Vec<Stored<Proposal>>,
    /// The invoices.
    pub invoices: Vec<Stored<Invoice>>,
    /// The payments.
    pub payments: Vec<Stored<Payment>>,
    /// The highest id that the other system has given in each table. New rows get higher ones, so that no id that was known there is
    /// ever that of something else.
    pub last_ids: NewIds,
}

impl Import {
    /// The rows that the invariants are about, to be checked before anything is written.
    #[must_use]
    pub fn books(&self) -> Books {
        let Self { services, vehicles, trades, proposals, invoices, payments, cards, .. } = self.clone();
        let (refunds, past) = (Vec::new(), Past::default());
        Books { services, vehicles, trades, proposals, invoices, payments, refunds, cards, steps: None, past }
    }
}
