use chrono::{DateTime, Utc};
use lease_core::event::{EventPattern, NewRow};
use lease_core::model::{EndpointState, PreviousSecret, WebhookEndpoint, WebhookSecret};
use lease_core::repository::RepositoryError;

use super::{Fields, Table, Values, WriteTable};

impl Table for WebhookEndpoint {
    const NAME: &'static str = "webhook_endpoints";
    const COLUMNS: &'static [&'static str] = &[
        "url",
        "description",
        "event_types",
        "is_active",
        "disabled_reason",
        "secret",
        "previous_secrets",
        "previous_until",
        "created_at",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            url: fields.get()?,
            description: fields.get()?,
            event_types: read_patterns(fields)?,
            state: read_state(fields)?,
            secret: WebhookSecret::from_stored(fields.get()?),
            previous: read_previous(fields)?,
            created_at: fields.get()?,
        })
    }
}

fn read_patterns(fields: &mut Fields<'_>) -> Result<Vec<EventPattern>, RepositoryError> {
    let patterns: Vec<String> = fields.get()?;
    fields.parsed(patterns.iter().map(|pattern| pattern.parse()).collect())
}

/// Reads `is_active` and `disabled_reason`.
fn read_state(fields: &mut Fields<'_>) -> Result<EndpointState, RepositoryError> {
    let (is_active, reason): (bool, Option<&str>) = (fields.get()?, fields.get()?);
    if is_active {
        return Ok(EndpointState::Active);
    }
    fields.parsed(reason.map(str::parse).transpose()).map(EndpointState::Off)
}

/// Reads `previous_secrets` and `previous_until`.
fn read_previous(fields: &mut Fields<'_>) -> Result<Vec<PreviousSecret>, RepositoryError> {
    let (secrets, until): (Vec<String>, Vec<DateTime<Utc>>) = (fields.get()?, fields.get()?);
    let pairs = secrets.into_iter().map(WebhookSecret::from_stored).zip(until);
    Ok(pairs.map(|(secret, until)| PreviousSecret { secret, until }).collect())
}

impl WriteTable for WebhookEndpoint {
    const WRITTEN: &'static str = "url, description, event_types, is_active, disabled_reason, secret, previous_secrets, \
                                   previous_until, created_at";
    const NEW_ROW: Option<NewRow> = Some(NewRow::WebhookEndpoint);

    fn write(&self, values: &mut Values<'_>) {
        let patterns: Vec<String> = self.event_types.iter().map(EventPattern::to_string).collect();
        values
            .push_bind(&self.url)
            .push_bind(&self.description)
            .push_bind(patterns)
            .push_bind(self.is_active())
            .push_bind(self.disabled_reason().map(<&str>::from))
            .push_bind(self.secret.expose())
            .push_bind(self.previous.iter().map(|previous| previous.secret.expose().to_owned()).collect::<Vec<_>>())
            .push_bind(self.previous.iter().map(|previous| previous.until).collect::<Vec<_>>())
            .push_bind(self.created_at);
    }
}
