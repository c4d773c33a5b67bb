use super::LeaseEngine;
use crate::error::Error;
use crate::permission::{Actor, Resource};
use crate::repository::{Named, Words};

impl LeaseEngine {
    /// What these objects are called, for those who may read all users, customers, vehicles, services and trades. Those that are not
    /// there are left out.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`], [`Error::PermissionDenied`]; [`Error::Unavailable`].
    pub async fn names(&self, actor: &Actor, of: &[Named]) -> Result<Vec<(Named, Words)>, Error> {
        let kinds = [Resource::User, Resource::Customer, Resource::Vehicle, Resource::Service, Resource::Trade];
        actor.require_all_of(&kinds)?;
        if of.is_empty() { Ok(Vec::new()) } else { Ok(self.store().names(of).await?) }
    }
}
