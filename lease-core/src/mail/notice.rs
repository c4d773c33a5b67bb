//! Which notices an event makes (rule 9.5).

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::event::{EventActor, EventRecord, EventType};
use crate::id::{CustomerId, InvoiceId, PaymentId, ProposalId, RefundId, Stored, TradeId, UserId};
use crate::lifecycle::TradeSnapshot;
use crate::model::{Invoice, Mail, MailKind, MailRecipient, MailState, Period, ServiceKind};
use crate::money::Money;
use crate::policy::Policy;
use crate::repository::TradeKey;

/// How long before an invoice is due its customer is told.
const DUE_SOON: TimeDelta = TimeDelta::days(3);

/// The types of the events that make notices.
pub const NOTICED: [EventType; 13] = [
    EventType::UserRegistered,
    EventType::ProposalMade,
    EventType::ProposalAccepted,
    EventType::ProposalRejected,
    EventType::ProposalClosed,
    EventType::InvoiceIssued,
    EventType::InvoiceUpdated,
    EventType::InvoiceOverdue,
    EventType::PaymentSucceeded,
    EventType::PaymentFailed,
    EventType::RefundSucceeded,
    EventType::UserPasswordChanged,
    EventType::UserUpdated,
];

/// A notice: a mail for each of those to whom it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// To whom it goes.
    pub to: NoticeTo,
    /// The mail, with one of the recipients.
    pub mail: Mail,
}

/// To whom a notice goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeTo {
    /// To the recipient of its mail.
    Recipient,
    /// To each customer who made a proposal in a trade before this one, which is by its owner.
    EarlierProposers {
        /// The trade.
        trade: TradeId,
        /// The owner's proposal.
        proposal: ProposalId,
        /// The owner.
        owner: CustomerId,
    },
}

/// The trade that the notices about an event read, with the object concerned; `None` if they read none.
#[must_use]
pub fn trade_to_read(event: &EventRecord) -> Option<TradeKey> {
    let id = event.subject_id?;
    match event.event_type {
        EventType::ProposalMade | EventType::ProposalAccepted | EventType::ProposalRejected | EventType::ProposalClosed => {
            ProposalId::new(id).map(TradeKey::Proposal)
        }
        EventType::InvoiceIssued | EventType::InvoiceOverdue => InvoiceId::new(id).map(TradeKey::Invoice),
        EventType::InvoiceUpdated if event.changes.contains_key("due_date") => InvoiceId::new(id).map(TradeKey::Invoice),
        EventType::PaymentSucceeded | EventType::PaymentFailed => PaymentId::new(id).map(TradeKey::Payment),
        EventType::RefundSucceeded => RefundId::new(id).map(TradeKey::Refund),
        _ => None,
    }
}

/// The notices that an event makes. `trade` is the one that [`trade_to_read`] names. Where the policy wants customers to confirm their
/// e-mail addresses, a new address gets a link by itself.
#[must_use]
pub fn notices(event: &Stored<EventRecord>, trade: Option<&TradeSnapshot>, policy: &Policy, now: DateTime<Utc>) -> Vec<Notice> {
    let about = About { event, now };
    let verification = || about.user(MailKind::EmailVerification, Map::new()).filter(|_| policy.require_verified_email);
    match (event.event_type, trade) {
        (EventType::UserRegistered, _) => verification().into_iter().collect(),
        (EventType::UserPasswordChanged, _) => about.user(MailKind::PasswordChanged, Map::new()).into_iter().collect(),
        (EventType::UserUpdated, _) => match about.address_changed() {
            Some(changed) => std::iter::once(changed).chain(verification()).collect(),
            None => Vec::new(),
        },
        (_, Some(trade)) => about.trade(trade),
        (_, None) => Vec::new(),
    }
}

/// What the notices of an event are made of.
struct About<'a> {
    event: &'a Stored<EventRecord>,
    now: DateTime<Utc>,
}

impl About<'_> {
    fn trade(&self, trade: &TradeSnapshot) -> Vec<Notice> {
        let due_soon = |set| self.due_soon(trade, set);
        let notice = match self.event.event_type {
            EventType::ProposalMade => self.proposal_made(trade),
            EventType::ProposalAccepted => self.to_author(MailKind::ProposalAccepted, trade),
            EventType::ProposalRejected => self.to_author(MailKind::ProposalRejected, trade),
            EventType::ProposalClosed => self.to_author(MailKind::ProposalClosed, trade),
            EventType::InvoiceIssued => {
                let issued = self.invoice(MailKind::InvoiceIssued, trade, self.now);
                return issued.into_iter().chain(due_soon(self.event.data.get("due_date"))).collect();
            }
            EventType::InvoiceUpdated => due_soon(self.event.changes.get("due_date").and_then(|change| change.get("to"))),
            EventType::InvoiceOverdue => self.invoice(MailKind::InvoiceOverdue, trade, self.now),
            EventType::PaymentSucceeded => self.payment(MailKind::PaymentReceived, trade),
            EventType::PaymentFailed => self.payment(MailKind::PaymentFailed, trade),
            EventType::RefundSucceeded => self.refund(trade),
            _ => None,
        };
        notice.into_iter().collect()
    }

    /// The owner's proposal is told to everybody who has proposed before, and anybody else's to the owner.
    fn proposal_made(&self, trade: &TradeSnapshot) -> Option<Notice> {
        let (author, proposal) = (self.customer()?, trade.proposal.as_ref()?.proposal.id);
        let (owner, is_owner) = (trade.trade.customer_id, author == trade.trade.customer_id);
        let mut facts = proposal_facts(trade)?;
        facts.insert("by_owner".to_owned(), is_owner.into());
        let notice = self.customer_notice(MailKind::ProposalMade, owner, facts);
        let to = NoticeTo::EarlierProposers { trade: trade.trade.id, proposal, owner };
        Some(if is_owner { Notice { to, ..notice } } else { notice })
    }

    /// Nobody is told of what they did themselves.
    fn to_author(&self, kind: MailKind, trade: &TradeSnapshot) -> Option<Notice> {
        let author = self.customer()?;
        let by_author = matches!(self.event.actor, EventActor::User { customer_id, .. } if customer_id == Some(author));
        if by_author { None } else { Some(self.customer_notice(kind, author, proposal_facts(trade)?)) }
    }

    fn invoice(&self, kind: MailKind, trade: &TradeSnapshot, at: DateTime<Utc>) -> Option<Notice> {
        let invoice = trade.invoice.as_ref()?;
        let mut notice = self.customer_notice(kind, invoice.customer_id, invoice_facts(trade, invoice));
        notice.mail.state = MailState::Pending { next_attempt_at: at.max(self.now) };
        Some(notice)
    }

    /// The notice that an invoice is due soon waits until it is; not for one that is due sooner when its due date is `set`, nor for a date
    /// that has been moved again since.
    fn due_soon(&self, trade: &TradeSnapshot, set: Option<&Value>) -> Option<Notice> {
        let invoice = trade.invoice.as_ref()?;
        let at = due_soon_at(invoice.due_date);
        let is_the_date = set.and_then(Value::as_str) == Some(&invoice.due_date.to_string());
        if at <= self.event.occurred_at || !is_the_date { None } else { self.invoice(MailKind::InvoiceDueSoon, trade, at) }
    }

    fn payment(&self, kind: MailKind, trade: &TradeSnapshot) -> Option<Notice> {
        let (invoice, (payment, _)) = (trade.invoice.as_ref()?, trade.payment.as_ref()?);
        let mut facts = trade_facts(trade);
        add(&mut facts, json!({"payment_id": payment.id, "invoice_id": invoice.id, "number": invoice.id.number()}));
        add_price(&mut facts, payment.amount);
        facts.insert("failure_code".to_owned(), self.event.data.get("failure_code").cloned().unwrap_or_default());
        Some(self.customer_notice(kind, payment.customer_id, facts))
    }

    fn refund(&self, trade: &TradeSnapshot) -> Option<Notice> {
        let (invoice, refund) = (trade.invoice.as_ref()?, trade.refund.as_ref()?);
        let mut facts = trade_facts(trade);
        add(
            &mut facts,
            json!({
                "refund_id": refund.id, "payment_id": refund.payment_id, "invoice_id": invoice.id,
                "number": invoice.id.number(), "reason": <&str>::from(refund.reason),
            }),
        );
        add_price(&mut facts, refund.amount);
        Some(self.customer_notice(MailKind::PaymentRefunded, refund.customer_id, facts))
    }

    /// Another address is told to the old one, without showing the new one to whoever reads the old one by now.
    fn address_changed(&self) -> Option<Notice> {
        let change = self.event.changes.get("email")?;
        let (old, new) = (change.get("from")?.as_str()?, change.get("to")?.as_str()?);
        let facts = Map::from_iter([("new_email_hint".to_owned(), hint(new).into())]);
        let mut notice = self.user(MailKind::EmailChanged, facts)?;
        if let MailRecipient::User(user) = notice.mail.recipient {
            notice.mail.recipient = MailRecipient::UserAt(user, old.to_owned());
        }
        Some(notice)
    }

    fn user(&self, kind: MailKind, facts: Map<String, Value>) -> Option<Notice> {
        let user = self.event.subject_id.and_then(UserId::new)?;
        Some(self.notice(kind, MailRecipient::User(user), facts))
    }

    /// The customer whom the event is about.
    fn customer(&self) -> Option<CustomerId> {
        self.event.data.get("customer_id").and_then(Value::as_i64).and_then(CustomerId::new)
    }

    fn customer_notice(&self, kind: MailKind, customer: CustomerId, facts: Map<String, Value>) -> Notice {
        self.notice(kind, MailRecipient::Customer(customer), facts)
    }

    fn notice(&self, kind: MailKind, recipient: MailRecipient, facts: Map<String, Value>) -> Notice {
        let mail = Mail { event_id: Some(self.event.id), facts, ..Mail::new(kind, recipient, self.now) };
        Notice { to: NoticeTo::Recipient, mail }
    }
}

/// The instant at which the customer is told that an invoice is due on this day soon: three days before, at midnight UTC.
pub(super) fn due_soon_at(due_date: NaiveDate) -> DateTime<Utc> {
    let day = due_date.checked_sub_signed(DUE_SOON).unwrap_or(NaiveDate::MIN);
    day.and_time(NaiveTime::MIN).and_utc()
}

fn trade_facts(trade: &TradeSnapshot) -> Map<String, Value> {
    let offered = &trade.trade.offered;
    let mut facts = Map::new();
    add(
        &mut facts,
        json!({
            "trade_id": trade.trade.id,
            "trade_title": trade.trade.title,
            "vehicle": format!("{} {} {}", offered.year, offered.make, offered.model),
        }),
    );
    facts
}

fn proposal_facts(trade: &TradeSnapshot) -> Option<Map<String, Value>> {
    let proposal = &trade.proposal.as_ref()?.proposal;
    let day = |of: fn(Period) -> NaiveDate| proposal.period.map(|period| of(period).to_string());
    let kind: ServiceKind = trade.service.kind;
    let mut facts = trade_facts(trade);
    add(
        &mut facts,
        json!({
            "proposal_id": proposal.id, "kind": <&str>::from(kind),
            "start_date": day(Period::start), "end_date": day(Period::end),
        }),
    );
    add_price(&mut facts, proposal.amount);
    Some(facts)
}

/// What is still due of an invoice.
pub(super) fn amount_due(invoice: &Invoice) -> Value {
    invoice.due().map_or(Value::Null, |due| due.amount().to_string().into())
}

fn invoice_facts(trade: &TradeSnapshot, invoice: &Stored<Invoice>) -> Map<String, Value> {
    let mut facts = trade_facts(trade);
    add(
        &mut facts,
        json!({
            "invoice_id": invoice.id, "number": invoice.id.number(), "due_date": invoice.due_date.to_string(),
            "amount_due": amount_due(invoice),
        }),
    );
    add_price(&mut facts, invoice.amount);
    facts
}

fn add_price(facts: &mut Map<String, Value>, amount: Money) {
    add(facts, json!({"amount": amount.amount().to_string(), "currency": amount.currency().code()}));
}

fn add(facts: &mut Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        facts.extend(more);
    }
}

/// As much of an address as its owner needs to know it again.
fn hint(address: &str) -> String {
    let (name, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    format!("{}…@{domain}", name.chars().next().unwrap_or_default())
}
