use chrono::{DateTime, Utc};
use lease_core::model::{Agreement, Asking, Period, Proposal, ProposalState, ProposalStatus, Trade, TradeState, TradeStatus};
use lease_core::repository::RepositoryError;

use super::vehicle::{offered_values, read_offered};
use super::{annotation_values, days, join, read_annotations, read_days};
use crate::sql::Fields;
use crate::table::Table;
use crate::value::{Value, name, values};

impl Table for Trade {
    const NAME: &'static str = "trades";
    const COLUMNS: &'static str = "vehicle_id, service_id, customer_id, title, description, status, counterparty_id, \
        accepted_proposal_id, agreed_from, agreed_until, agreed_at, completed_at, cancelled_at, cancel_reason, offered_vin, \
        offered_chassis_number, offered_make, offered_model, offered_year, offered_color, offered_mileage, \
        offered_license_plate, offered_description, asking_proposal_id, asking_amount, asking_currency, asking_start, asking_end, \
        asking_expires_at, invoice_id, created_at, external_id, metadata";
    const DERIVED: &'static str = ", make_key, model_key, search_text";

    fn values(&self) -> Vec<Value> {
        join([
            values![self.vehicle_id, self.service_id, self.customer_id, self.title, self.description],
            state_values(&self.state),
            offered_values(&self.offered),
            asking_values(self.asking),
            values![self.invoice_id, self.created_at],
            annotation_values(&self.annotations),
            values![self.offered.make_key(), self.offered.model_key(), self.search_text()],
        ])
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            vehicle_id: fields.get()?,
            service_id: fields.get()?,
            customer_id: fields.get()?,
            title: fields.get()?,
            description: fields.get()?,
            state: read_state(fields)?,
            offered: read_offered(fields)?,
            asking: read_asking(fields)?,
            invoice_id: fields.get()?,
            created_at: fields.get()?,
            annotations: read_annotations(fields)?,
        })
    }
}

/// The columns from `status` to `cancel_reason`.
fn state_values(state: &TradeState) -> Vec<Value> {
    let agreement = state.agreement();
    join([
        values![
            name(TradeStatus::from(state)),
            agreement.map(|made| made.counterparty_id),
            agreement.map(|made| made.proposal_id),
        ],
        days(agreement.and_then(|made| made.days)).into(),
        values![
            agreement.map(|made| made.agreed_at),
            state.completed_at(),
            state.cancelled().map(|(at, _)| at),
            state.cancelled().map(|(_, reason)| reason),
        ],
    ])
}

fn read_state(fields: &mut Fields<'_>) -> Result<TradeState, RepositoryError> {
    let status = fields.name()?;
    let (counterparty, proposal) = (fields.get()?, fields.get()?);
    let days = read_days(fields, Period::agreed)?;
    let (agreed_at, completed_at, cancelled_at) = (fields.get()?, fields.get()?, fields.get()?);
    let reason = fields.get()?;
    let agreement = match (counterparty, proposal, agreed_at) {
        (Some(counterparty_id), Some(proposal_id), Some(agreed_at)) => {
            Some(Agreement { counterparty_id, proposal_id, days, agreed_at })
        }
        _ => None,
    };
    Ok(match status {
        TradeStatus::Open => TradeState::Open,
        TradeStatus::Agreed => TradeState::Agreed(fields.some(agreement)?),
        TradeStatus::Completed => {
            TradeState::Completed { agreement: fields.some(agreement)?, completed_at: fields.some(completed_at)? }
        }
        TradeStatus::Cancelled => {
            TradeState::Cancelled { cancelled_at: fields.some(cancelled_at)?, reason: fields.some(reason)?, agreement }
        }
    })
}

fn asking_values(asking: Option<Asking>) -> Vec<Value> {
    join([
        values![
            asking.map(|asking| asking.proposal_id),
            asking.map(|asking| asking.amount),
            asking.map(|asking| asking.amount.currency().code().to_owned()),
        ],
        days(asking.and_then(|asking| asking.period)).into(),
        values![asking.and_then(|asking| asking.expires_at)],
    ])
}

fn read_asking(fields: &mut Fields<'_>) -> Result<Option<Asking>, RepositoryError> {
    let Some(proposal_id) = fields.get()? else {
        fields.skip(5);
        return Ok(None);
    };
    let (amount, period) = (fields.money()?, read_days(fields, Period::new)?);
    Ok(Some(Asking { proposal_id, amount, period, expires_at: fields.get()? }))
}

impl Table for Proposal {
    const NAME: &'static str = "proposals";
    const COLUMNS: &'static str = "trade_id, customer_id, amount, currency, start_date, end_date, message, status, decided_at, \
                                   expires_at, created_at";

    fn values(&self) -> Vec<Value> {
        join([
            values![self.trade_id, self.customer_id, self.amount, self.amount.currency().code()],
            days(self.period).into(),
            values![self.message, name(ProposalStatus::from(self.state)), self.state.decided_at()],
            values![self.expires_at, self.created_at],
        ])
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            trade_id: fields.get()?,
            customer_id: fields.get()?,
            amount: fields.money()?,
            period: read_days(fields, Period::new)?,
            message: fields.get()?,
            state: read_proposal_state(fields)?,
            expires_at: fields.get()?,
            created_at: fields.get()?,
        })
    }
}

fn read_proposal_state(fields: &mut Fields<'_>) -> Result<ProposalState, RepositoryError> {
    let (status, decided_at): (_, Option<DateTime<Utc>>) = (fields.name()?, fields.get()?);
    let at = || fields.some(decided_at);
    Ok(match status {
        ProposalStatus::Pending => ProposalState::Pending,
        ProposalStatus::Accepted => ProposalState::Accepted { at: at()? },
        ProposalStatus::Rejected => ProposalState::Rejected { at: at()? },
        ProposalStatus::Withdrawn => ProposalState::Withdrawn { at: at()? },
        ProposalStatus::Superseded => ProposalState::Superseded { at: at()? },
        ProposalStatus::Closed => ProposalState::Closed { at: at()? },
        ProposalStatus::Expired => ProposalState::Expired { at: at()? },
        ProposalStatus::Rescinded => ProposalState::Rescinded { at: at()? },
    })
}
