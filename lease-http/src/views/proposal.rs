use chrono::{DateTime, NaiveDate, Utc};
use lease_core::engine::WithActions;
use lease_core::id::{CustomerId, ProposalId, Stored, TradeId};
use lease_core::lifecycle::AvailableAction;
use lease_core::model::{self, Period, ProposalStatus};
use lease_core::money::Currency;
use lease_core::openapi::Id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Amount;
use crate::schema;

/// Terms offered in a trade by one customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct Proposal {
    /// Its id.
    #[schema(value_type = Id)]
    pub id: ProposalId,
    /// The trade in which it was made.
    #[schema(value_type = Id)]
    pub trade_id: TradeId,
    /// The customer who made it.
    #[schema(value_type = Id)]
    pub customer_id: CustomerId,
    /// The price of a sale, or the monthly price of a lease.
    pub amount: Amount,
    /// The currency of the amount.
    #[schema(value_type = schema::Currency)]
    pub currency: Currency,
    /// The first day; null where there are no days.
    #[schema(required)]
    pub start_date: Option<NaiveDate>,
    /// The day after the last day.
    #[schema(required)]
    pub end_date: Option<NaiveDate>,
    /// A message to the other party, or empty.
    pub message: String,
    /// Its status.
    pub status: ProposalStatus,
    /// From this instant on, it can no longer be accepted, rejected or withdrawn; null if there is no such instant.
    #[schema(required)]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The time when it was accepted, rejected, withdrawn, superseded, closed, or expired.
    #[schema(required)]
    pub decided_at: Option<DateTime<Utc>>,
    /// The actions that the caller may take now.
    pub available_actions: Vec<AvailableAction>,
}

impl From<WithActions<model::Proposal>> for Proposal {
    fn from(WithActions { stored, available_actions, .. }: WithActions<model::Proposal>) -> Self {
        let Stored { id, value: proposal } = stored;
        Self {
            id,
            trade_id: proposal.trade_id,
            customer_id: proposal.customer_id,
            amount: proposal.amount.into(),
            currency: proposal.amount.currency(),
            start_date: proposal.period.map(Period::start),
            end_date: proposal.period.map(Period::end),
            message: proposal.message,
            status: proposal.state.into(),
            expires_at: proposal.expires_at,
            created_at: proposal.created_at,
            decided_at: proposal.state.decided_at(),
            available_actions,
        }
    }
}
