use lease_core::id::{CustomerId, ProposalId};
use lease_core::model::{Agreement, OfferedVehicle, Period, Trade, TradeState, TradeStatus};
use lease_core::repository::RepositoryError;

use super::annotation::read_annotations;
use super::vehicle::read_identity;
use super::{Fields, Table, Values, read_period};

/// Whoever reads a trade sets its `invoice_id`, which stands in `invoices`, and `asking`, which stands in `proposals`.
impl Table for Trade {
    const NAME: &'static str = "trades";
    const COLUMNS: &'static [&'static str] = &[
        "vehicle_id",
        "service_id",
        "customer_id",
        "title",
        "description",
        "status",
        "counterparty_id",
        "accepted_proposal_id",
        "agreed_from",
        "agreed_until",
        "agreed_at",
        "completed_at",
        "cancelled_at",
        "cancel_reason",
        "created_at",
        "offered_vin",
        "offered_chassis_number",
        "offered_make",
        "offered_model",
        "vehicle_year",
        "offered_color",
        "offered_mileage",
        "offered_license_plate",
        "offered_description",
        "external_id",
        "metadata",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            vehicle_id: fields.id()?,
            service_id: fields.id()?,
            customer_id: fields.id()?,
            title: fields.get()?,
            description: fields.get()?,
            state: read_state(fields)?,
            created_at: fields.get()?,
            offered: read_offered(fields)?,
            annotations: read_annotations(fields)?,
            asking: None,
            invoice_id: None,
        })
    }
}

/// The columns of what a trade offers, and those of the vehicle that they repeat, in the same order.
pub(crate) const OFFERED: (&str, &str) = (
    "vehicle_make, vehicle_model, vehicle_year, offered_vin, offered_chassis_number, offered_make, offered_model, offered_color, \
     offered_mileage, offered_license_plate, offered_description",
    "make_key, model_key, year, vin, chassis_number, make, model, color, mileage, license_plate, description",
);

fn read_offered(fields: &mut Fields<'_>) -> Result<OfferedVehicle, RepositoryError> {
    Ok(OfferedVehicle {
        identity: read_identity(fields)?,
        make: fields.get()?,
        model: fields.get()?,
        year: fields.get()?,
        color: fields.get()?,
        mileage: fields.get()?,
        license_plate: fields.get()?,
        description: fields.get()?,
    })
}

fn read_state(fields: &mut Fields<'_>) -> Result<TradeState, RepositoryError> {
    let status = fields.name()?;
    let counterparty: Option<CustomerId> = fields.optional_id()?;
    let proposal: Option<ProposalId> = fields.optional_id()?;
    let days = read_period(fields, Period::agreed)?;
    let (agreed_at, completed_at, cancelled_at) = (fields.get()?, fields.get()?, fields.get()?);
    let cancel_reason = fields.get()?;
    let agreement = || {
        Ok::<_, RepositoryError>(Agreement {
            counterparty_id: fields.some("counterparty_id", counterparty)?,
            proposal_id: fields.some("accepted_proposal_id", proposal)?,
            days,
            agreed_at: fields.some("agreed_at", agreed_at)?,
        })
    };
    Ok(match status {
        TradeStatus::Open => TradeState::Open,
        TradeStatus::Agreed => TradeState::Agreed(agreement()?),
        TradeStatus::Completed => {
            TradeState::Completed { agreement: agreement()?, completed_at: fields.some("completed_at", completed_at)? }
        }
        TradeStatus::Cancelled => TradeState::Cancelled {
            cancelled_at: fields.some("cancelled_at", cancelled_at)?,
            reason: fields.some("cancel_reason", cancel_reason)?,
            agreement: counterparty.map(|_| agreement()).transpose()?,
        },
    })
}

/// The columns that [`write_state`] writes.
pub(crate) const STATE_COLUMNS: &str = "status, counterparty_id, accepted_proposal_id, agreed_from, agreed_until, agreed_at, \
                                        completed_at, cancelled_at, cancel_reason";

/// Writes the [`STATE_COLUMNS`].
pub(crate) fn write_state(values: &mut Values<'_>, state: &TradeState) {
    let (agreement, (cancelled_at, cancel_reason)) = (state.agreement(), state.cancelled().unzip());
    let days = agreement.and_then(|agreement| agreement.days);
    values
        .push_bind::<&str>(TradeStatus::from(state).into())
        .push_bind(agreement.map(|agreement| agreement.counterparty_id.get()))
        .push_bind(agreement.map(|agreement| agreement.proposal_id.get()))
        .push_bind(days.map(Period::start))
        .push_bind(days.map(Period::end))
        .push_bind(agreement.map(|agreement| agreement.agreed_at))
        .push_bind(state.completed_at())
        .push_bind(cancelled_at)
        .push_bind(cancel_reason.map(str::to_owned));
}
