use super::{LeaseEngine, own_only};
use crate::catalog::{VehicleDraft, create_vehicle, delete_vehicle, update_vehicle, visible_vehicle};
use crate::error::Error;
use crate::id::{Stored, VehicleId, Versioned};
use crate::input::UpdateMode;
use crate::model::Vehicle;
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource};
use crate::repository::{Change, RepositoryError, VehicleFilter, VehicleSnapshot};

impl LeaseEngine {
    /// Makes a vehicle of the actor's (spec 6.2).
    ///
    /// # Errors
    /// As [`create_vehicle`]; [`Error::Unavailable`].
    pub async fn create_vehicle(&self, actor: &Actor, draft: &VehicleDraft) -> Result<Stored<Vehicle>, Error> {
        actor.require(Resource::Vehicle, Act::Create)?;
        let mut retry = self.retry();
        loop {
            let change = create_vehicle(actor, draft, self.vin_owner(draft).await?, self.now())?;
            match self.commit_vehicle(change).await {
                Ok(vehicle) => return vehicle.ok_or(Error::NotFound),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// A vehicle.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_vehicle(&self, actor: &Actor, id: VehicleId) -> Result<Stored<Vehicle>, Error> {
        let loaded = self.load_vehicle(actor, id).await?;
        visible_vehicle(&loaded, actor)?;
        Ok(loaded.value.vehicle)
    }

    /// Changes a vehicle.
    ///
    /// # Errors
    /// As [`update_vehicle`]; [`Error::Unavailable`].
    pub async fn update_vehicle(
        &self,
        actor: &Actor,
        id: VehicleId,
        draft: &VehicleDraft,
        mode: UpdateMode,
    ) -> Result<Stored<Vehicle>, Error> {
        let mut retry = self.retry();
        loop {
            let loaded = self.load_vehicle(actor, id).await?;
            let change = update_vehicle(&loaded, actor, draft, mode, self.vin_owner(draft).await?, self.now())?;
            match self.commit_vehicle(change).await {
                Ok(vehicle) => return vehicle.ok_or(Error::NotFound),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// Erases a vehicle that was never traded.
    ///
    /// # Errors
    /// As [`delete_vehicle`]; [`Error::Unavailable`].
    pub async fn delete_vehicle(&self, actor: &Actor, id: VehicleId) -> Result<(), Error> {
        let mut retry = self.retry();
        loop {
            let loaded = self.load_vehicle(actor, id).await?;
            match self.commit_vehicle(delete_vehicle(&loaded, actor)?).await {
                Ok(_) => return Ok(()),
                Err(error) => retry.after(error).await?,
            }
        }
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
        let visible_to = own_only(actor, Resource::Vehicle)?;
        Ok(self.store().list_vehicles(&VehicleFilter { visible_to, ..filter }, page).await?)
    }

    async fn load_vehicle(&self, actor: &Actor, id: VehicleId) -> Result<Versioned<VehicleSnapshot>, Error> {
        actor.require(Resource::Vehicle, Act::Read)?;
        self.store().load_vehicle(id, actor.customer()).await?.ok_or(Error::NotFound)
    }

    async fn vin_owner(&self, draft: &VehicleDraft) -> Result<Option<VehicleId>, Error> {
        match draft.wanted_vin() {
            Some(vin) => Ok(self.store().find_vin(&vin).await?),
            None => Ok(None),
        }
    }

    async fn commit_vehicle(&self, change: Change<Vehicle>) -> Result<Option<Stored<Vehicle>>, RepositoryError> {
        let id = self.store().commit_vehicle(&change, self.claim).await?;
        Ok(change.into_stored(id))
    }
}
