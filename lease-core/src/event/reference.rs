use serde_json::{Map, Value, json};

use crate::id::{
    ContactId, CreditCardId, CustomerId, Id, InvoiceId, LeadId, NewIds, PaymentId, ProposalId, RefundId, TokenId, TradeId,
    UserId, VehicleId, WebhookEndpointId,
};

/// The id of a row: a known one, or that of a row which the same commit creates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdRef {
    /// This number.
    Known(i64),
    /// The id that the commit gives to this row.
    New(NewRow),
}

/// A row that a commit creates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewRow {
    /// The new user.
    User,
    /// The new token.
    Token,
    /// The new customer.
    Customer,
    /// The new credit card.
    CreditCard,
    /// The new contact.
    Contact,
    /// The new lead.
    Lead,
    /// The new vehicle.
    Vehicle,
    /// The new service at this place, from 0; the ids of several follow one another.
    Service(u8),
    /// The new trade.
    Trade,
    /// The new proposal.
    Proposal,
    /// The new invoice.
    Invoice,
    /// The new payment.
    Payment,
    /// The new refund.
    Refund,
    /// The new webhook endpoint.
    WebhookEndpoint,
}

impl<I: Id> From<I> for IdRef {
    fn from(id: I) -> Self {
        Self::Known(id.get())
    }
}

impl From<NewRow> for IdRef {
    fn from(row: NewRow) -> Self {
        Self::New(row)
    }
}

impl IdRef {
    /// The number; `None` if the commit created no such row.
    #[must_use]
    pub fn resolve(self, ids: &NewIds) -> Option<i64> {
        match self {
            Self::Known(id) => Some(id),
            Self::New(row) => row.id_in(ids),
        }
    }

    /// The known number, in JSON.
    fn known(self) -> Value {
        match self {
            Self::Known(id) => id.into(),
            Self::New(_) => Value::Null,
        }
    }
}

impl NewRow {
    /// The id of this row among those that a commit gave out.
    #[must_use]
    pub fn id_in(self, ids: &NewIds) -> Option<i64> {
        match self {
            Self::User => ids.user.map(UserId::get),
            Self::Token => ids.token.map(TokenId::get),
            Self::Customer => ids.customer.map(CustomerId::get),
            Self::CreditCard => ids.credit_card.map(CreditCardId::get),
            Self::Contact => ids.contact.map(ContactId::get),
            Self::Lead => ids.lead.map(LeadId::get),
            Self::Vehicle => ids.vehicle.map(VehicleId::get),
            Self::Service(place) => ids.service.map(|first| first.get() + i64::from(place)),
            Self::Trade => ids.trade.map(TradeId::get),
            Self::Proposal => ids.proposal.map(ProposalId::get),
            Self::Invoice => ids.invoice.map(InvoiceId::get),
            Self::Payment => ids.payment.map(PaymentId::get),
            Self::Refund => ids.refund.map(RefundId::get),
            Self::WebhookEndpoint => ids.webhook_endpoint.map(WebhookEndpointId::get),
        }
    }
}

/// A JSON object of which some values are ids that only the commit knows.
///
/// A store either calls [`resolve`](Self::resolve), or puts each of [`new`](Self::new) into [`known`](Self::known), where a null
/// holds its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The object, with nulls in the places of the ids that are not known yet.
    pub known: Map<String, Value>,
    /// The names of those ids, and the rows that they belong to.
    pub new: Vec<(&'static str, NewRow)>,
}

impl Facts {
    /// Adds a value.
    pub(super) fn add(&mut self, name: &'static str, value: impl Into<Value>) {
        self.known.insert(name.to_owned(), value.into());
    }

    /// Adds an id.
    pub(super) fn add_id(&mut self, name: &'static str, id: IdRef) {
        self.add(name, id.known());
        if let IdRef::New(row) = id {
            self.new.push((name, row));
        }
    }

    /// The object, with the ids that the commit gave out.
    #[must_use]
    pub fn resolve(&self, ids: &NewIds) -> Map<String, Value> {
        let mut all = self.known.clone();
        for (name, row) in &self.new {
            all.insert((*name).to_owned(), row.id_in(ids).into());
        }
        all
    }
}

/// What changed in an object that was there: each changed field as `{from, to}`, in the words of the API.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldChanges {
    /// The fields, with null as `to` of the ids that are not known yet.
    pub known: Map<String, Value>,
    /// The names of those fields, and the rows that they refer to from now on.
    pub new: Vec<(&'static str, NewRow)>,
}

impl FieldChanges {
    /// The difference of two descriptions of an object.
    pub(super) fn between(before: Fields, after: Fields) -> Self {
        let pairs = before.into_iter().zip(after);
        let changed = pairs.filter(|((_, from), (_, to))| from != to);
        let known = changed.map(|((name, from), (_, to))| (name.to_owned(), json!({"from": from, "to": to}))).collect();
        Self { known, new: Vec::new() }
    }

    /// Adds a field whose values are secret: it shows as null on both sides.
    pub(crate) fn add_secret(&mut self, name: &'static str) {
        self.known.insert(name.to_owned(), json!({"from": null, "to": null}));
    }

    /// Adds a field that was null and refers to a new row from now on.
    pub(crate) fn add_new(&mut self, name: &'static str, row: NewRow) {
        self.add_secret(name);
        self.new.push((name, row));
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The fields, with the ids that the commit gave out.
    #[must_use]
    pub fn resolve(&self, ids: &NewIds) -> Map<String, Value> {
        let mut all = self.known.clone();
        for (name, row) in &self.new {
            all.insert((*name).to_owned(), json!({"from": null, "to": row.id_in(ids)}));
        }
        all
    }
}

/// The fields of an object as the API shows them, without those that cannot change. All objects of a type have the same, in the
/// same order.
pub(crate) type Fields = Vec<(&'static str, Value)>;
