//! When a mail is sent, to which address, and when again if that failed.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::MailError;
use super::notice::{amount_due, due_soon_at};
use crate::account::expiry;
use crate::id::{MailId, Stored};
use crate::model::{Account, Email, Invoice, LinkPurpose, LoginName, Mail, MailKind, MailRecipient, MailState, User};

/// The waits between the tries to send a mail.
const WAITS: [TimeDelta; 8] = [
    TimeDelta::minutes(1),
    TimeDelta::minutes(5),
    TimeDelta::minutes(15),
    TimeDelta::hours(1),
    TimeDelta::hours(4),
    TimeDelta::hours(12),
    TimeDelta::hours(24),
    TimeDelta::hours(24),
];

/// The most mails with links for one purpose that are good at the same time.
const MOST_MAILS: usize = 5;

impl Mail {
    /// A mail that is sent at once, without facts.
    #[must_use]
    pub fn new(kind: MailKind, recipient: MailRecipient, now: DateTime<Utc>) -> Self {
        let state = MailState::Pending { next_attempt_at: now };
        Self { kind, recipient, event_id: None, facts: serde_json::Map::new(), state, tries: 0, created_at: now }
    }
}

impl MailKind {
    /// The link that such a mail contains, if it contains one.
    #[must_use]
    pub const fn link(self) -> Option<LinkPurpose> {
        match self {
            Self::PasswordReset => Some(LinkPurpose::PasswordReset),
            Self::EmailVerification => Some(LinkPurpose::EmailVerification),
            _ => None,
        }
    }

    /// Whether this user wants such mails. Those about the security of the account always come.
    fn is_wanted_by(self, account: &Account) -> bool {
        let wanted = account.user.notices;
        match self {
            Self::ProposalMade | Self::ProposalAccepted | Self::ProposalRejected | Self::ProposalClosed => wanted.proposals,
            Self::InvoiceIssued | Self::InvoiceDueSoon | Self::InvoiceOverdue => wanted.invoices,
            Self::PaymentReceived | Self::PaymentFailed | Self::PaymentRefunded => wanted.payments,
            Self::PasswordChanged | Self::EmailChanged | Self::PasswordReset | Self::EmailVerification => true,
        }
    }
}

/// The address to which a mail goes now; `None` if there is no reason to send it any more, or the recipient has no address. `account` is that of its recipient, and
/// `invoice` the one that it is about.
#[must_use]
pub fn address(mail: &Stored<Mail>, account: &Account, invoice: Option<&Invoice>, now: DateTime<Utc>) -> Option<String> {
    let user = &account.user;
    let is_due = match mail.kind {
        // Whoever asked for it has given up by then.
        MailKind::PasswordReset => now - mail.created_at < LinkPurpose::PasswordReset.lifetime(),
        MailKind::EmailVerification => user.email_verified_at.is_none(),
        MailKind::InvoiceDueSoon => invoice.is_some_and(|invoice| is_due_soon(mail, invoice, now)),
        MailKind::InvoiceOverdue => invoice.is_some_and(|invoice| invoice.is_overdue(now)),
        _ => true,
    };
    let floods = mail.kind.link().is_some_and(|purpose| has_many_links(user, purpose, mail.id, now));
    let present = user.email.as_ref();
    let address = match &mail.recipient {
        MailRecipient::Customer(_) | MailRecipient::User(_) => present.map(Email::as_str),
        MailRecipient::UserAt(_, address) if mail.kind == MailKind::EmailVerification => {
            present.map(Email::as_str).filter(|present| present == address)
        }
        MailRecipient::UserAt(_, address) => Some(address.as_str()),
        MailRecipient::Address(address) => present.filter(|present| present.key() == LoginName::new(address)).map(Email::as_str),
    };
    address.filter(|_| is_due && !floods && user.is_active && mail.kind.is_wanted_by(account)).map(str::to_owned)
}

/// Whether a mailbox has several other mails with links that are good: it is not flooded by asking again and again.
fn has_many_links(user: &User, purpose: LinkPurpose, mail: MailId, now: DateTime<Utc>) -> bool {
    let mails = user.mails_with_links(purpose, now);
    !mails.contains(&mail) && mails.len() >= MOST_MAILS
}

/// Whether an invoice is still open, and due on the day that the mail says.
fn is_due_soon(mail: &Mail, invoice: &Invoice, now: DateTime<Utc>) -> bool {
    let is_the_day = mail.facts.get("due_date").and_then(Value::as_str) == Some(&invoice.due_date.to_string());
    invoice.is_open() && is_the_day && now >= due_soon_at(invoice.due_date) && !invoice.is_overdue(now)
}

/// The facts of a mail, with what has changed of the invoice since it was queued.
#[must_use]
pub fn present_facts(mail: &Mail, invoice: Option<&Invoice>) -> Map<String, Value> {
    let mut facts = mail.facts.clone();
    if let Some(invoice) = invoice {
        facts.insert("amount_due".to_owned(), amount_due(invoice));
    }
    facts
}

/// The instant of which a mail tells: a reminder is of the day on which it comes.
#[must_use]
pub fn told_at(mail: &Mail, invoice: Option<&Invoice>) -> DateTime<Utc> {
    match invoice {
        Some(invoice) if mail.kind == MailKind::InvoiceDueSoon => due_soon_at(invoice.due_date),
        _ => mail.created_at,
    }
}

/// The name by which a mail greets a user; empty for one that could be read as an address, since mails also go to people who have
/// nothing to do with the platform, and whom somebody else wants to lead elsewhere.
#[must_use]
pub fn greeted_as(user: &User) -> String {
    let name = format!("{} {}", user.first_name, user.last_name);
    if name.contains(['.', '/', ':', '@']) { String::new() } else { name.trim().to_owned() }
}

/// What becomes of a mail after a try to send it. `tries` is how many there were before.
#[must_use]
pub fn after_try(tries: u32, outcome: &Result<(), MailError>, now: DateTime<Utc>) -> MailState {
    match (outcome, WAITS.get(tries as usize)) {
        (Ok(()), _) => MailState::Sent,
        (Err(MailError::Later(_)), Some(wait)) => MailState::Pending { next_attempt_at: expiry(now, *wait) },
        (Err(_), _) => MailState::Failed,
    }
}
