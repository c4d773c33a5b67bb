use chrono::{DateTime, Utc};
use lease_core::id::{CustomerId, UserId};
use lease_core::model::{Mail, MailRecipient, MailState, MailStatus};
use lease_core::repository::RepositoryError;

use super::join;
use crate::sql::Fields;
use crate::table::Table;
use crate::value::{Json, Value, name, values};

impl Table for Mail {
    const NAME: &'static str = "mails";
    const COLUMNS: &'static str =
        "kind, customer_id, user_id, address, event_id, facts, status, next_attempt_at, tries, created_at";

    fn values(&self) -> Vec<Value> {
        let next = match self.state {
            MailState::Pending { next_attempt_at } => Some(next_attempt_at),
            MailState::Sent | MailState::Failed | MailState::Dropped => None,
        };
        join([
            values![name(self.kind)],
            recipient_values(&self.recipient),
            values![self.event_id, Json(&self.facts), name(MailStatus::from(self.state)), next, self.tries, self.created_at],
        ])
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            kind: fields.name()?,
            recipient: read_recipient(fields)?,
            event_id: fields.get()?,
            facts: fields.get().map(|Json(facts)| facts)?,
            state: read_state(fields)?,
            tries: fields.get()?,
            created_at: fields.get()?,
        })
    }
}

/// The columns `customer_id`, `user_id` and `address`.
fn recipient_values(recipient: &MailRecipient) -> Vec<Value> {
    match recipient {
        MailRecipient::Customer(customer) => values![customer, Value::Null, Value::Null],
        MailRecipient::User(user) => values![Value::Null, user, Value::Null],
        MailRecipient::UserAt(user, address) => values![Value::Null, user, address],
        MailRecipient::Address(address) => values![Value::Null, Value::Null, address],
    }
}

/// Reads [`recipient_values`].
fn read_recipient(fields: &mut Fields<'_>) -> Result<MailRecipient, RepositoryError> {
    let recipient: (Option<CustomerId>, Option<UserId>, Option<String>) = (fields.get()?, fields.get()?, fields.get()?);
    match recipient {
        (Some(customer), None, None) => Ok(MailRecipient::Customer(customer)),
        (None, Some(user), None) => Ok(MailRecipient::User(user)),
        (None, Some(user), Some(address)) => Ok(MailRecipient::UserAt(user, address)),
        (None, None, Some(address)) => Ok(MailRecipient::Address(address)),
        _ => Err(fields.fault("its recipient makes no sense")),
    }
}

fn read_state(fields: &mut Fields<'_>) -> Result<MailState, RepositoryError> {
    let (status, next): (_, Option<DateTime<Utc>>) = (fields.name()?, fields.get()?);
    Ok(match status {
        MailStatus::Pending => MailState::Pending { next_attempt_at: fields.some(next)? },
        MailStatus::Sent => MailState::Sent,
        MailStatus::Failed => MailState::Failed,
        MailStatus::Dropped => MailState::Dropped,
    })
}
