use chrono::{DateTime, Utc};

use crate::error::{Error, Refusal};
use crate::id::{ServiceId, VehicleId};
use crate::input::{Field, Form, UpdateMode, draft};
use crate::lifecycle::{Event, Opening};
use crate::model::{Trade, TradeState};
use crate::permission::{Act, Actor, Resource, can_view_vehicle};
use crate::repository::OpeningSnapshot;
use crate::text;

draft! {
    /// The fields for opening a trade.
    pub struct TradeDraft as TradeInput {
        /// The vehicle to offer; it must be the caller's own.
        pub vehicle_id: Field<VehicleId> as required Id,
        /// The service to offer it under; it must be active.
        pub service_id: Field<ServiceId> as required Id,
        /// A title for the trade.
        pub title: Field<String> as nullable Title,
        /// Anything else worth knowing.
        pub description: Field<String> as nullable FreeText,
    }
}

/// Opens a trade (spec 4.1). `offer` is what the draft's ids name; `None` where it names neither.
///
/// # Errors
/// Wrong fields; [`Error::PermissionDenied`] for another's vehicle; [`Refusal::VehicleInTrade`].
pub fn open(offer: Option<&OpeningSnapshot>, actor: &Actor, draft: &TradeDraft, now: DateTime<Utc>) -> Result<Opening, Error> {
    let owner = actor.require_customer(Resource::Trade, Act::Create)?;
    let vehicle = offer
        .and_then(|offer| offer.vehicle.as_ref())
        .filter(|found| can_view_vehicle(owner, &found.vehicle, found.has_open_trade, found.viewer_is_party));
    if vehicle.is_some_and(|found| found.vehicle.customer_id != owner) {
        return Err(Error::PermissionDenied);
    }
    let service = offer.and_then(|offer| offer.service.as_ref()).filter(|found| found.is_active);

    let mut form = Form::new(UpdateMode::Full);
    let known = |found: bool, what: &str| {
        if found || offer.is_none() { Ok(()) } else { Err(format!("There is no such {what}.")) }
    };
    form.required("vehicle_id", &draft.vehicle_id, None, |_| known(vehicle.is_some(), "vehicle"));
    form.required("service_id", &draft.service_id, None, |_| known(service.is_some(), "active service"));
    let title = form.optional("title", &draft.title, None, String::new(), |title| text::title(title));
    let description = form.optional("description", &draft.description, None, String::new(), |words| text::free(words));
    form.finish()?;
    let (Some(vehicle), Some(service), Some(title), Some(description)) = (vehicle, service, title, description) else {
        return Err(Error::internal("a checked offer is complete"));
    };

    if vehicle.has_live_trade {
        return Err(Refusal::VehicleInTrade.into());
    }
    Ok(Opening {
        trade: Trade {
            vehicle_id: vehicle.vehicle.id,
            service_id: service.id,
            customer_id: owner,
            title,
            description,
            state: TradeState::Open,
            invoice_id: None,
            created_at: now,
        },
        vehicle_version: vehicle.version,
        first_use_of_service: (!service.is_used).then_some(service.version),
        event: Event::TradeOpened { vehicle_id: vehicle.vehicle.id, service_id: service.id },
    })
}
