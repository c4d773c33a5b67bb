use chrono::{DateTime, Utc};
use lease_core::gateway::ChargeKey;
use lease_core::model::{ClientSecret, NextAction, Payment, PaymentState, PaymentStatus};
use lease_core::repository::RepositoryError;

use super::{Fields, Table, Values};

impl Table for Payment {
    const NAME: &'static str = "payments";
    const COLUMNS: &'static [&'static str] = &[
        "invoice_id",
        "credit_card_id",
        "customer_id",
        "amount",
        "refunded",
        "refunding",
        "currency",
        "status",
        "settled_at",
        "failure_code",
        "action_kind",
        "action_url",
        "action_client_secret",
        "gateway_reference",
        "is_late",
        "charge_key",
        "created_at",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        let (invoice_id, credit_card_id, customer_id) = (fields.id()?, fields.id()?, fields.id()?);
        let (amount, refunded, refunding) = (fields.get()?, fields.get()?, fields.get()?);
        let currency = fields.currency()?;
        Ok(Self {
            invoice_id,
            credit_card_id,
            customer_id,
            amount: fields.amount(amount, currency)?,
            refunded: fields.amount(refunded, currency)?,
            refunding: fields.amount(refunding, currency)?,
            state: read_state(fields)?,
            gateway_reference: fields.get()?,
            is_late: fields.get()?,
            charge_key: ChargeKey::new(fields.get::<String>()?),
            created_at: fields.get()?,
        })
    }
}

fn read_state(fields: &mut Fields<'_>) -> Result<PaymentState, RepositoryError> {
    let status = fields.name()?;
    let (settled_at, failure_code): (Option<DateTime<Utc>>, _) = (fields.get()?, fields.get()?);
    let (kind, url, client_secret): (_, _, Option<String>) = (fields.get()?, fields.get()?, fields.get()?);
    let settled = || fields.some("settled_at", settled_at);
    Ok(match status {
        PaymentStatus::Pending => PaymentState::Pending,
        PaymentStatus::RequiresAction => PaymentState::RequiresAction(NextAction {
            kind: fields.some("action_kind", kind)?,
            url,
            client_secret: client_secret.map(ClientSecret::new),
        }),
        PaymentStatus::Succeeded => PaymentState::Succeeded { at: settled()? },
        PaymentStatus::Failed => {
            PaymentState::Failed { at: settled()?, failure_code: fields.some("failure_code", failure_code)? }
        }
        PaymentStatus::Cancelled => PaymentState::Cancelled { at: settled()? },
    })
}

/// The columns that [`write_state`] writes.
pub(crate) const STATE_COLUMNS: &str = "status, settled_at, failure_code, action_kind, action_url, action_client_secret";

/// Writes the [`STATE_COLUMNS`].
pub(crate) fn write_state(values: &mut Values<'_>, state: &PaymentState) {
    let action = state.next_action();
    values
        .push_bind::<&str>(PaymentStatus::from(state).into())
        .push_bind(state.settled_at())
        .push_bind(state.failure_code().map(str::to_owned))
        .push_bind(action.map(|action| action.kind.clone()))
        .push_bind(action.and_then(|action| action.url.clone()))
        .push_bind(action.and_then(|action| action.client_secret.as_ref()).map(|secret| secret.expose().to_owned()));
}
