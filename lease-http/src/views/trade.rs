use chrono::{DateTime, NaiveDate, Utc};
use lease_core::engine::WithActions;
use lease_core::id::{CustomerId, InvoiceId, ProposalId, ServiceId, Stored, TradeId, VehicleId};
use lease_core::lifecycle::AvailableAction;
use lease_core::model::{self, Period, TradeStatus};
use lease_core::money::Currency;
use lease_core::openapi::{Id, MetadataInput};
use lease_core::permission::Actor;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Amount;
use super::annotations::{Seen, present};
use crate::schema;

/// One vehicle offered under one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct Trade {
    /// Its id.
    #[schema(value_type = Id)]
    pub id: TradeId,
    /// The vehicle that is offered.
    #[schema(value_type = Id)]
    pub vehicle_id: VehicleId,
    /// The service under which it is offered.
    #[schema(value_type = Id)]
    pub service_id: ServiceId,
    /// The owner of the vehicle, who offers it.
    #[schema(value_type = Id)]
    pub customer_id: CustomerId,
    /// The other party, once the trade is agreed, even if it was cancelled since.
    #[schema(required, value_type = Option<Id>)]
    pub counterparty_id: Option<CustomerId>,
    /// The title, or empty.
    pub title: String,
    /// Anything else, or empty.
    pub description: String,
    /// Its status.
    pub status: TradeStatus,
    /// The proposal that was accepted. It is rescinded once the trade is cancelled.
    #[schema(required, value_type = Option<Id>)]
    pub accepted_proposal_id: Option<ProposalId>,
    /// Its invoice, if one was issued.
    #[schema(required, value_type = Option<Id>)]
    pub invoice_id: Option<InvoiceId>,
    /// The first of the agreed days; null where there are none, and for customers who are not a party to it.
    #[schema(required)]
    pub start_date: Option<NaiveDate>,
    /// The day after the last of the agreed days. It is `start_date` if they were ended on the first.
    #[schema(required)]
    pub end_date: Option<NaiveDate>,
    /// The reason why it was cancelled; empty unless one was given.
    #[schema(example = "")]
    pub cancel_reason: String,
    /// What is offered: the vehicle as it is while the trade is open, and as it was then from there on.
    pub vehicle: OfferedVehicle,
    /// What the owner asks for; null if they have no pending proposal, and once the trade is no longer open.
    #[schema(required)]
    pub asking: Option<Asking>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was agreed, if it was.
    #[schema(required)]
    pub agreed_at: Option<DateTime<Utc>>,
    /// When it was completed, if it was.
    #[schema(required)]
    pub completed_at: Option<DateTime<Utc>>,
    /// When it was cancelled, if it was.
    #[schema(required)]
    pub cancelled_at: Option<DateTime<Utc>>,
    /// The actions that the caller may take now.
    pub available_actions: Vec<AvailableAction>,
    /// What another system calls it, or null. Shown to administrative users alone.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 255, example = "crm-1042")]
    pub external_id: Option<Option<String>>,
    /// What the company keeps with it. Shown to administrative users alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = MetadataInput, required = false)]
    pub metadata: Option<Map<String, Value>>,
}

/// A vehicle as a trade offers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct OfferedVehicle {
    /// The id of the vehicle.
    #[schema(value_type = Id)]
    pub id: VehicleId,
    /// The VIN; null for a vehicle that has a chassis number instead.
    #[schema(required, min_length = 17, max_length = 17, example = "1HGCM82633A004352")]
    pub vin: Option<String>,
    /// The chassis number of a vehicle that has no VIN.
    #[schema(required, min_length = 5, max_length = 20, example = json!(null))]
    pub chassis_number: Option<String>,
    /// The manufacturer.
    #[schema(example = "Honda")]
    pub make: String,
    /// The model.
    #[schema(example = "Accord")]
    pub model: String,
    /// The model year.
    #[schema(example = 2003)]
    pub year: i32,
    /// The colour, or empty.
    #[schema(example = "Silver")]
    pub color: String,
    /// The odometer reading, if it is known.
    #[schema(required, minimum = 0, example = 88_000)]
    pub mileage: Option<i64>,
    /// The license plate, or empty.
    #[schema(example = "7ABC123")]
    pub license_plate: String,
    /// Anything else, or empty.
    #[schema(example = "One owner, serviced every year.")]
    pub description: String,
}

impl OfferedVehicle {
    fn new(id: VehicleId, offered: model::OfferedVehicle) -> Self {
        Self {
            id,
            vin: offered.vin().map(|vin| vin.as_str().to_owned()),
            chassis_number: offered.chassis_number().map(|number| number.as_str().to_owned()),
            make: offered.make,
            model: offered.model,
            year: offered.year,
            color: offered.color,
            mileage: offered.mileage,
            license_plate: offered.license_plate,
            description: offered.description,
        }
    }
}

/// The terms of the owner's pending proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct Asking {
    /// The proposal.
    #[schema(value_type = Id)]
    pub proposal_id: ProposalId,
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
    /// From this instant on, nothing is asked any more; null if there is no such instant.
    #[schema(required)]
    pub expires_at: Option<DateTime<Utc>>,
}

impl From<model::Asking> for Asking {
    fn from(asking: model::Asking) -> Self {
        Self {
            proposal_id: asking.proposal_id,
            amount: asking.amount.into(),
            currency: asking.amount.currency(),
            start_date: asking.period.map(Period::start),
            end_date: asking.period.map(Period::end),
            expires_at: asking.expires_at,
        }
    }
}

impl Trade {
    /// As this actor sees it.
    #[must_use]
    pub fn seen_by(actor: &Actor, seen: WithActions<model::Trade>) -> Self {
        let WithActions { stored: Stored { id, value: mut trade }, available_actions, .. } = seen;
        let Seen { external_id, metadata } = Seen::by(actor, std::mem::take(&mut trade.annotations));
        let agreement = trade.agreement().copied();
        let (days, status) = (trade.days(), TradeStatus::from(&trade.state));
        let (cancelled_at, cancel_reason) = trade.state.cancelled().unzip();
        Self {
            id,
            vehicle_id: trade.vehicle_id,
            service_id: trade.service_id,
            customer_id: trade.customer_id,
            counterparty_id: agreement.map(|agreement| agreement.counterparty_id),
            title: trade.title,
            description: trade.description,
            status,
            accepted_proposal_id: agreement.map(|agreement| agreement.proposal_id),
            invoice_id: trade.invoice_id,
            start_date: days.map(Period::start),
            end_date: days.map(Period::end),
            cancel_reason: cancel_reason.unwrap_or_default().to_owned(),
            vehicle: OfferedVehicle::new(trade.vehicle_id, trade.offered),
            asking: trade.asking.map(Asking::from),
            created_at: trade.created_at,
            agreed_at: agreement.map(|agreement| agreement.agreed_at),
            completed_at: trade.state.completed_at(),
            cancelled_at,
            available_actions,
            external_id,
            metadata,
        }
    }
}
