use chrono::{DateTime, Utc};

use super::command::no_row;
use super::{LeaseEngine, RequestContext, visible_to};
use crate::catalog::{
    TakenBy, VehicleDraft, VehicleSnapshot, create_vehicle, delete_vehicle, require_visible_vehicle, update_vehicle,
};
use crate::error::Error;
use crate::id::{Stored, VehicleId, Versioned};
use crate::input::UpdateMode;
use crate::model::{ExternalId, Vehicle};
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource};
use crate::repository::VehicleFilter;

impl LeaseEngine {
    /// Creates a vehicle that belongs to the actor (rule 6.2).
    ///
    /// # Errors
    /// As [`create_vehicle`]; [`Error::Unavailable`].
    pub async fn create_vehicle(
        &self,
        context: impl Into<RequestContext>,
        draft: &VehicleDraft,
    ) -> Result<Stored<Vehicle>, Error> {
        let load = |actor: Actor, _| async move {
            actor.require(Resource::Vehicle, Act::Create)?;
            self.taken_by(draft).await
        };
        let done = self.execute(context, load, |taken, actor, now| create_vehicle(actor, draft, *taken, now)).await?;
        done.changes.vehicle.into_stored(done.ids.vehicle).ok_or_else(no_row)
    }

    /// A vehicle.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_vehicle(&self, actor: &Actor, id: VehicleId) -> Result<Stored<Vehicle>, Error> {
        let loaded = self.load_vehicle(*actor, id, self.now()).await?;
        require_visible_vehicle(&loaded, actor)?;
        Ok(loaded.value.vehicle)
    }

    /// Changes a vehicle.
    ///
    /// # Errors
    /// As [`update_vehicle`]; [`Error::Unavailable`].
    pub async fn update_vehicle(
        &self,
        context: impl Into<RequestContext>,
        id: VehicleId,
        draft: &VehicleDraft,
        mode: UpdateMode,
    ) -> Result<Stored<Vehicle>, Error> {
        let load = |actor, now| async move {
            let loaded = self.load_vehicle(actor, id, now).await?;
            Ok((loaded, self.taken_by(draft).await?))
        };
        let decide = |(loaded, taken): &(Versioned<VehicleSnapshot>, TakenBy), actor: &Actor, now| {
            update_vehicle(loaded, actor, draft, mode, *taken, now)
        };
        let done = self.execute(context, load, decide).await?;
        done.changes.vehicle.into_stored(None).ok_or_else(no_row)
    }

    /// Deletes a vehicle that was never traded.
    ///
    /// # Errors
    /// As [`delete_vehicle`]; [`Error::Unavailable`].
    pub async fn delete_vehicle(&self, context: impl Into<RequestContext>, id: VehicleId) -> Result<(), Error> {
        let load = |actor, now| self.load_vehicle(actor, id, now);
        self.execute(context, load, |loaded, actor, _| delete_vehicle(loaded, actor)).await.map(drop)
    }

    /// The vehicles that the actor may see.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn list_vehicles(
        &self,
        actor: &Actor,
        filter: VehicleFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<Vehicle>>, Error> {
        let visible_to = visible_to(actor, Resource::Vehicle)?;
        Ok(self.store().list_vehicles(&VehicleFilter { visible_to, ..filter }, page).await?)
    }

    async fn load_vehicle(&self, actor: Actor, id: VehicleId, now: DateTime<Utc>) -> Result<Versioned<VehicleSnapshot>, Error> {
        actor.require(Resource::Vehicle, Act::Read)?;
        self.store().load_vehicle(id, actor.customer(), now).await?.ok_or(Error::NotFound)
    }

    /// The vehicles that already have what the draft gives.
    async fn taken_by(&self, draft: &VehicleDraft) -> Result<TakenBy, Error> {
        let identity = match draft.wanted_identity() {
            Some(identity) => self.store().find_vehicle(&identity).await?,
            None => None,
        };
        Ok(TakenBy { identity, external_id: self.vehicle_with(draft.annotations().wanted_id()).await? })
    }

    /// The vehicle that has this external id.
    async fn vehicle_with(&self, external_id: Option<ExternalId>) -> Result<Option<VehicleId>, Error> {
        let Some(external_id) = external_id else { return Ok(None) };
        let filter = VehicleFilter { external_id: Some(external_id), ..VehicleFilter::default() };
        Ok(self.store().list_vehicles(&filter, PageRequest::default()).await?.items.first().map(|found| found.id))
    }
}
