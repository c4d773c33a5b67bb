use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::annotating::AnnotationsDraft;
use crate::decision::Decision;
use crate::error::{Error, Refusal};
use crate::event::{EventType, NewRow};
use crate::id::{ServiceId, TradeId, VehicleId};
use crate::input::{Field, Form, Invalid, UpdateMode, draft};
use crate::model::{OfferedVehicle, Trade, TradeState};
use crate::permission::{Act, Actor, Resource};
use crate::text;
use crate::trade::{Opening, OpeningSnapshot, trade_event};

draft! {
    /// The fields for opening a trade.
    pub struct TradeDraft as TradeInput {
        /// The vehicle to offer; it must be the caller's own.
        pub vehicle_id: Field<VehicleId> as required Id,
        /// The service to offer it under; it must be active.
        pub service_id: Field<ServiceId> as required Id like 2,
        /// A title for the trade.
        pub title: Field<String> as nullable Title like "Honda Accord, one owner",
        /// Anything else worth knowing.
        pub description: Field<String> as nullable FreeText like "With winter tyres.",
        /// What another system calls the trade; unique.
        pub external_id: Field<String> as annotation ExternalIdInput,
        /// What the company keeps with the trade.
        pub metadata: Field<Map<String, Value>> as annotation MetadataInput,
    }
}

impl TradeDraft {
    pub(crate) const fn annotations(&self) -> AnnotationsDraft<'_> {
        AnnotationsDraft { external_id: &self.external_id, metadata: &self.metadata }
    }
}

/// Opens a trade (rule 4.1). `taken_by` is the trade that already has the draft's external id.
///
/// # Errors
/// Invalid fields; [`Error::PermissionDenied`] for another customer's vehicle; [`Refusal::VehicleInTrade`],
/// [`Refusal::VehicleUnidentified`].
pub fn open(
    snapshot: &OpeningSnapshot,
    actor: &Actor,
    draft: &TradeDraft,
    taken_by: Option<TradeId>,
    now: DateTime<Utc>,
) -> Result<Decision<Opening>, Error> {
    let owner = actor.require_customer(Resource::Trade, Act::Create)?;
    let vehicle = snapshot.vehicle.as_ref().filter(|found| found.is_visible_to(owner));
    if vehicle.is_some_and(|found| found.vehicle.customer_id != owner) {
        return Err(Error::PermissionDenied);
    }
    let service = snapshot.service.as_ref().filter(|found| found.is_active);

    let mut form = Form::new(UpdateMode::Full);
    let vehicle = form.required("vehicle_id", &draft.vehicle_id, None, |_| vehicle.ok_or(Invalid::Unknown { kind: "vehicle" }));
    let service =
        form.required("service_id", &draft.service_id, None, |_| service.ok_or(Invalid::Unknown { kind: "active_service" }));
    let title = form.optional("title", &draft.title, None, String::new(), |title| text::title(title));
    let description = form.optional("description", &draft.description, None, String::new(), |words| text::free(words));
    let annotations = draft.annotations().read(&mut form, None, "trade", taken_by.is_some());
    let (Some(vehicle), Some(service), Some(title), Some(description), Some(annotations)) =
        (vehicle, service, title, description, annotations)
    else {
        return Err(form.errors.into());
    };

    if vehicle.live_trade.is_some() {
        return Err(Refusal::VehicleInTrade.into());
    }
    if vehicle.vehicle.identity.is_none() {
        return Err(Refusal::VehicleUnidentified.into());
    }
    let opening = Opening {
        trade: Trade {
            vehicle_id: vehicle.vehicle.id,
            service_id: service.id,
            customer_id: owner,
            title,
            description,
            state: TradeState::Open,
            offered: OfferedVehicle::from(&vehicle.vehicle.value),
            asking: None,
            invoice_id: None,
            created_at: now,
            annotations,
        },
        vehicle_version: vehicle.version,
        first_use_of_service: (!service.is_used).then_some(service.version),
    };
    let event = trade_event(EventType::TradeOpened, NewRow::Trade, &opening.trade);
    Ok(Decision::new(opening, [event]))
}
