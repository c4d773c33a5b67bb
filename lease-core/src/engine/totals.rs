use chrono::{DateTime, Utc};

use super::LeaseEngine;
use crate::error::Error;
use crate::permission::{Actor, Resource};
use crate::repository::WeeklyTotal;

impl LeaseEngine {
    /// What was opened, invoiced and paid in each week from `since` on (rule 10.1), for those who may read all trades, invoices and
    /// payments.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`], [`Error::PermissionDenied`]; [`Error::Unavailable`].
    pub async fn weekly_totals(&self, actor: &Actor, since: DateTime<Utc>) -> Result<Vec<WeeklyTotal>, Error> {
        actor.require_all_of(&[Resource::Trade, Resource::Invoice, Resource::Payment])?;
        Ok(self.store().weekly_totals(since).await?)
    }
}
