use chrono::{DateTime, NaiveDate, Utc};
use lease_core::model::{Period, Proposal, ProposalState, ProposalStatus};
use lease_core::repository::RepositoryError;

use super::{Fields, Table};

impl Table for Proposal {
    const NAME: &'static str = "proposals";
    const COLUMNS: &'static [&'static str] = &[
        "trade_id",
        "customer_id",
        "amount",
        "currency",
        "start_date",
        "end_date",
        "message",
        "status",
        "decided_at",
        "expires_at",
        "created_at",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            trade_id: fields.id()?,
            customer_id: fields.id()?,
            amount: fields.money()?,
            period: read_period(fields, Period::new)?,
            message: fields.get()?,
            state: read_state(fields)?,
            expires_at: fields.get()?,
            created_at: fields.get()?,
        })
    }
}

/// Reads the first day of a period and the day after its last, or two nulls.
pub(crate) fn read_period(
    fields: &mut Fields<'_>,
    period: fn(NaiveDate, NaiveDate) -> Option<Period>,
) -> Result<Option<Period>, RepositoryError> {
    match (fields.get()?, fields.get()?) {
        (None, None) => Ok(None),
        (Some(start), Some(end)) => fields.some("period", period(start, end)).map(Some),
        _ => Err(fields.fault("half of a period")),
    }
}

fn read_state(fields: &mut Fields<'_>) -> Result<ProposalState, RepositoryError> {
    let status = fields.name()?;
    let decided_at: Option<DateTime<Utc>> = fields.get()?;
    let decided = || fields.some("decided_at", decided_at);
    Ok(match status {
        ProposalStatus::Pending => ProposalState::Pending,
        ProposalStatus::Accepted => ProposalState::Accepted { at: decided()? },
        ProposalStatus::Rejected => ProposalState::Rejected { at: decided()? },
        ProposalStatus::Withdrawn => ProposalState::Withdrawn { at: decided()? },
        ProposalStatus::Superseded => ProposalState::Superseded { at: decided()? },
        ProposalStatus::Closed => ProposalState::Closed { at: decided()? },
        ProposalStatus::Expired => ProposalState::Expired { at: decided()? },
        ProposalStatus::Rescinded => ProposalState::Rescinded { at: decided()? },
    })
}
