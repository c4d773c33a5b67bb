use chrono::{DateTime, NaiveDate, Utc};
use lease_core::id::Stored;
use lease_core::model::{Period, Proposal, ProposalState, ProposalStatus};
use lease_core::repository::RepositoryError;
use rust_decimal::Decimal;

use super::{At, Row};

/// A row of `proposals`.
#[derive(sqlx::FromRow, sqlx::Type)]
#[sqlx(type_name = "record")]
pub(crate) struct ProposalRow {
    id: i64,
    trade_id: i64,
    customer_id: i64,
    amount: Decimal,
    currency: String,
    start_date: Option<NaiveDate>,
    end_date: Option<NaiveDate>,
    message: String,
    status: String,
    expires_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    decided_at: Option<DateTime<Utc>>,
}

impl Row for ProposalRow {
    type Entity = Proposal;

    fn parse(self) -> Result<Stored<Proposal>, RepositoryError> {
        let at = At::new("proposals", self.id);
        let value = Proposal {
            trade_id: at.id("trade_id", self.trade_id)?,
            customer_id: at.id("customer_id", self.customer_id)?,
            amount: at.money(self.amount, &self.currency)?,
            period: period(at, self.start_date, self.end_date)?,
            state: self.state(at)?,
            message: self.message,
            expires_at: self.expires_at,
            created_at: self.created_at,
        };
        Ok(Stored { id: at.id("id", self.id)?, value })
    }
}

impl ProposalRow {
    fn state(&self, at: At) -> Result<ProposalState, RepositoryError> {
        let status = at.name("status", &self.status)?;
        let decided = || at.some("decided_at", self.decided_at);
        Ok(match status {
            ProposalStatus::Pending => ProposalState::Pending,
            ProposalStatus::Accepted => ProposalState::Accepted { at: decided()? },
            ProposalStatus::Rejected => ProposalState::Rejected { at: decided()? },
            ProposalStatus::Withdrawn => ProposalState::Withdrawn { at: decided()? },
            ProposalStatus::Superseded => ProposalState::Superseded { at: decided()? },
            ProposalStatus::Closed => ProposalState::Closed { at: decided()? },
            ProposalStatus::Expired => ProposalState::Expired { at: decided()? },
        })
    }
}

/// The period between two dates of a row.
pub(crate) fn period(at: At, start: Option<NaiveDate>, end: Option<NaiveDate>) -> Result<Option<Period>, RepositoryError> {
    match (start, end) {
        (None, None) => Ok(None),
        (Some(start), Some(end)) => at.some("period", Period::new(start, end)).map(Some),
        _ => Err(at.corrupt("half of a period")),
    }
}

/// The columns of the state of a proposal: its name, and the time when it was decided.
pub(crate) fn proposal_columns(state: ProposalState) -> (&'static str, Option<DateTime<Utc>>) {
    (ProposalStatus::from(state).into(), state.decided_at())
}
