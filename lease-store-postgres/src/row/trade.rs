use chrono::{DateTime, Utc};
use lease_core::id::Stored;
use lease_core::model::{Agreement, Trade, TradeState, TradeStatus};
use lease_core::repository::RepositoryError;

use super::{At, Row};

/// A row of `trades`, with the trade's invoice.
#[derive(sqlx::FromRow, sqlx::Type)]
#[sqlx(type_name = "record")]
pub(crate) struct TradeRow {
    id: i64,
    vehicle_id: i64,
    service_id: i64,
    customer_id: i64,
    title: String,
    description: String,
    status: String,
    counterparty_id: Option<i64>,
    accepted_proposal_id: Option<i64>,
    created_at: DateTime<Utc>,
    agreed_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    cancelled_at: Option<DateTime<Utc>>,
    invoice_id: Option<i64>,
}

impl Row for TradeRow {
    type Entity = Trade;

    fn parse(self) -> Result<Stored<Trade>, RepositoryError> {
        let at = At::new("trades", self.id);
        let value = Trade {
            vehicle_id: at.id("vehicle_id", self.vehicle_id)?,
            service_id: at.id("service_id", self.service_id)?,
            customer_id: at.id("customer_id", self.customer_id)?,
            state: self.state(at)?,
            title: self.title,
            description: self.description,
            invoice_id: self.invoice_id.map(|id| at.id("invoice_id", id)).transpose()?,
            created_at: self.created_at,
        };
        Ok(Stored { id: at.id("id", self.id)?, value })
    }
}

impl TradeRow {
    fn state(&self, at: At) -> Result<TradeState, RepositoryError> {
        Ok(match at.name("status", &self.status)? {
            TradeStatus::Open => TradeState::Open,
            TradeStatus::Agreed => TradeState::Agreed(self.agreement(at)?),
            TradeStatus::Completed => TradeState::Completed {
                agreement: self.agreement(at)?,
                completed_at: at.some("completed_at", self.completed_at)?,
            },
            TradeStatus::Cancelled => TradeState::Cancelled { cancelled_at: at.some("cancelled_at", self.cancelled_at)? },
        })
    }

    fn agreement(&self, at: At) -> Result<Agreement, RepositoryError> {
        Ok(Agreement {
            counterparty_id: at.id("counterparty_id", at.some("counterparty_id", self.counterparty_id)?)?,
            proposal_id: at.id("accepted_proposal_id", at.some("accepted_proposal_id", self.accepted_proposal_id)?)?,
            agreed_at: at.some("agreed_at", self.agreed_at)?,
        })
    }
}
