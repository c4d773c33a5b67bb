use chrono::{DateTime, Utc};
use lease_core::event::NewRow;
use lease_core::id::EventId;
use lease_core::model::{Mail, MailRecipient, MailState, MailStatus};
use lease_core::repository::RepositoryError;
use sqlx::types::Json;

use super::{Fields, Table, Values, WriteTable};

impl Table for Mail {
    const NAME: &'static str = "mails";
    const COLUMNS: &'static [&'static str] =
        &["kind", "customer_id", "user_id", "address", "event_id", "facts", "status", "next_attempt_at", "tries", "created_at"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            kind: fields.name()?,
            recipient: read_recipient(fields)?,
            event_id: fields.optional_id()?,
            facts: fields.get::<Json<_>>()?.0,
            state: read_state(fields)?,
            tries: fields.number()?,
            created_at: fields.get()?,
        })
    }
}

/// Reads `customer_id`, `user_id` and `address`.
fn read_recipient(fields: &mut Fields<'_>) -> Result<MailRecipient, RepositoryError> {
    match (fields.optional_id()?, fields.optional_id()?, fields.get()?) {
        (Some(customer), None, None) => Ok(MailRecipient::Customer(customer)),
        (None, Some(user), None) => Ok(MailRecipient::User(user)),
        (None, Some(user), Some(address)) => Ok(MailRecipient::UserAt(user, address)),
        (None, None, Some(address)) => Ok(MailRecipient::Address(address)),
        _ => Err(fields.fault("its recipient makes no sense")),
    }
}

/// The columns `customer_id`, `user_id` and `address` of a recipient.
fn recipient_columns(recipient: &MailRecipient) -> (Option<i64>, Option<i64>, Option<String>) {
    match recipient {
        MailRecipient::Customer(customer) => (Some(customer.get()), None, None),
        MailRecipient::User(user) => (None, Some(user.get()), None),
        MailRecipient::UserAt(user, address) => (None, Some(user.get()), Some(address.clone())),
        MailRecipient::Address(address) => (None, None, Some(address.clone())),
    }
}

fn read_state(fields: &mut Fields<'_>) -> Result<MailState, RepositoryError> {
    let status = fields.name()?;
    let next_attempt_at: Option<DateTime<Utc>> = fields.get()?;
    Ok(match status {
        MailStatus::Pending => MailState::Pending { next_attempt_at: fields.some("next_attempt_at", next_attempt_at)? },
        MailStatus::Sent => MailState::Sent,
        MailStatus::Failed => MailState::Failed,
        MailStatus::Dropped => MailState::Dropped,
    })
}

/// The columns `status` and `next_attempt_at` of a state.
pub(crate) fn mail_state(state: MailState) -> (&'static str, Option<DateTime<Utc>>) {
    let next_attempt_at = match state {
        MailState::Pending { next_attempt_at } => Some(next_attempt_at),
        MailState::Sent | MailState::Failed | MailState::Dropped => None,
    };
    (MailStatus::from(state).into(), next_attempt_at)
}

impl WriteTable for Mail {
    const WRITTEN: &'static str =
        "kind, customer_id, user_id, address, event_id, facts, status, next_attempt_at, tries, created_at";
    const NEW_ROW: Option<NewRow> = None;

    fn write(&self, values: &mut Values<'_>) {
        let (customer, user, address) = recipient_columns(&self.recipient);
        let (status, next_attempt_at) = mail_state(self.state);
        values
            .push_bind::<&str>(self.kind.into())
            .push_bind(customer)
            .push_bind(user)
            .push_bind(address)
            .push_bind(self.event_id.map(EventId::get))
            .push_bind(Json(&self.facts))
            .push_bind(status)
            .push_bind(next_attempt_at)
            .push_bind(i32::try_from(self.tries).unwrap_or(i32::MAX))
            .push_bind(self.created_at);
    }
}
