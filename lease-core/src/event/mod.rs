//! Events (chapter 8): what happened, who did it, and who may see it.
//!
//! A decision returns an [`Event`] for each thing that happens. What only the commit knows is still missing in it: the ids of new
//! rows, the actor and the request. The store adds these and keeps an [`EventRecord`], in the same atomic step as the change.

mod consumer;
mod fields;
mod kind;
mod pattern;
mod record;
mod reference;
mod view;

pub use consumer::{ConsumerName, InvalidConsumerName};
pub use kind::{EventType, SubjectKind};
pub use pattern::{EventPattern, InvalidEventPattern};
pub use record::{EventActor, EventRecord, Viewer};
pub use reference::{Facts, FieldChanges, IdRef, NewRow};
pub use view::{EventView, Subject};

use chrono::{DateTime, Utc};
use serde_json::Value;

pub(crate) use self::fields::Described;
use self::fields::{amount, instant};
use crate::id::{CustomerId, UserId};
use crate::model::Period;
use crate::money::Money;

/// Something that happened, as a decision returns it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The type.
    pub event_type: EventType,
    /// The object that it is about; `None` for several tokens.
    pub subject: Option<IdRef>,
    /// The trade, for trades and what hangs on them.
    pub trade: Option<IdRef>,
    /// The facts: the ids of the objects concerned, and what else matters.
    pub data: Facts,
    /// What changed in an object that was there.
    pub changes: FieldChanges,
    /// Who may see it, apart from administrative users.
    pub audience: Audience,
    /// When it happened, if that is not the instant of the commit.
    pub occurred_at: Option<DateTime<Utc>>,
    /// Whose act it is, if not that of the actor of the commit.
    pub actor: Option<EventActor>,
}

/// Who may see an event (rule 8.4). Administrative users see all.
#[derive(Clone, Debug, PartialEq)]
pub enum Audience {
    /// Nobody else.
    Staff,
    /// This user.
    User(IdRef),
    /// These customers.
    Customers(Vec<IdRef>),
    /// The members of the event's trade: its owner, its counterparty and everybody who has made a proposal in it, also those who
    /// do so later.
    Members,
}

impl Audience {
    /// This customer.
    pub(crate) fn customer(id: impl Into<IdRef>) -> Self {
        Self::Customers(vec![id.into()])
    }

    /// These two customers, who may be the same.
    pub(crate) fn both(one: CustomerId, other: CustomerId) -> Self {
        if one == other { Self::customer(one) } else { Self::Customers(vec![one.into(), other.into()]) }
    }

    /// Those who may see a proposal's events: the members of its trade if it is the owner's, else the owner and the author.
    pub(crate) fn of_proposal(owner: CustomerId, author: CustomerId) -> Self {
        if owner == author { Self::Members } else { Self::both(owner, author) }
    }
}

/// How events are made. Each step adds to the event.
impl Event {
    /// An event about this object, whose id becomes the first fact.
    pub(crate) fn new(event_type: EventType, subject: impl Into<IdRef>, audience: Audience) -> Self {
        let subject = subject.into();
        let event = Self { subject: Some(subject), ..Self::without_subject(event_type, audience) };
        event.id(event_type.subject_kind().id_field(), subject)
    }

    /// An event about one token of a user.
    pub(crate) fn of_token(event_type: EventType, token: impl Into<IdRef>, user: impl Into<IdRef>, name: &str) -> Self {
        let user = user.into();
        Self::new(event_type, token, Audience::User(user)).id("user_id", user).fact("name", name)
    }

    /// An event about several tokens of a user, none of which is named.
    pub(crate) fn of_tokens(event_type: EventType, user: impl Into<IdRef>) -> Self {
        let user = user.into();
        Self::without_subject(event_type, Audience::User(user)).id("user_id", user)
    }

    /// An event about a user.
    pub(crate) fn of_user(event_type: EventType, user: UserId, customer: Option<CustomerId>) -> Self {
        Self::new(event_type, user, Audience::User(user.into())).optional_id("customer_id", customer)
    }

    fn without_subject(event_type: EventType, audience: Audience) -> Self {
        Self {
            event_type,
            subject: None,
            trade: None,
            data: Facts::default(),
            changes: FieldChanges::default(),
            audience,
            occurred_at: None,
            actor: None,
        }
    }

    /// Says in which trade it happened.
    pub(crate) fn in_trade(self, trade: impl Into<IdRef>) -> Self {
        let trade = trade.into();
        Self { trade: Some(trade), ..self }.id("trade_id", trade)
    }

    /// Adds the id of an object concerned.
    pub(crate) fn id(mut self, name: &'static str, id: impl Into<IdRef>) -> Self {
        self.data.add_id(name, id.into());
        self
    }

    /// Adds the id of an object concerned, or null.
    pub(crate) fn optional_id<I: Into<IdRef>>(self, name: &'static str, id: Option<I>) -> Self {
        match id {
            Some(id) => self.id(name, id),
            None => self.fact(name, Value::Null),
        }
    }

    /// Adds a fact.
    pub(crate) fn fact(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.data.add(name, value);
        self
    }

    /// Adds why it was done, unless that is blank.
    pub(crate) fn reason(self, reason: &str) -> Self {
        if reason.is_empty() { self } else { self.fact("reason", reason) }
    }

    /// Adds an instant, or null.
    pub(crate) fn optional_instant(self, name: &'static str, at: Option<DateTime<Utc>>) -> Self {
        self.fact(name, at.map(instant))
    }

    /// Adds an amount and its currency.
    pub(crate) fn price(self, money: Money) -> Self {
        self.fact("amount", amount(money)).fact("currency", money.currency().code())
    }

    /// Adds an amount in a currency that another fact names, or null.
    pub(crate) fn optional_amount(self, name: &'static str, money: Option<Money>) -> Self {
        self.fact(name, money.map(amount))
    }

    /// Adds days, or nulls.
    pub(crate) fn period(self, period: Option<Period>) -> Self {
        let day = |of: fn(Period) -> chrono::NaiveDate| period.map(|period| of(period).to_string());
        self.fact("start_date", day(Period::start)).fact("end_date", day(Period::end))
    }

    /// Compares the object with what it becomes.
    pub(crate) fn changing(mut self, before: &impl Described, after: &impl Described) -> Self {
        self.changes = FieldChanges::between(before.fields(), after.fields());
        self
    }

    /// Says what one field was and what it becomes.
    pub(crate) fn change(mut self, name: &'static str, from: impl Into<Value>, to: impl Into<Value>) -> Self {
        self.changes = FieldChanges::between(vec![(name, from.into())], vec![(name, to.into())]);
        self
    }

    /// The event, if anything changed.
    pub(crate) fn if_changed(self) -> Option<Self> {
        (!self.changes.is_empty()).then_some(self)
    }
}
