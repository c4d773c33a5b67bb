//! The users of an app that embeds the engine and logs them in by itself.

use super::LeaseEngine;
use super::accounts::{WantedNames, created_account};
use crate::account::{NewCustomer, TakenNames, check_actor, create_customer};
use crate::error::Error;
use crate::model::{Account, ExternalId};
use crate::permission::Actor;

impl LeaseEngine {
    /// Creates a user and a customer for a user of the app that embeds the engine, as [`Actor::System`], and returns the actor that they
    /// are. They have no password and no token: the app knows them by its own session, and finds the actor again with
    /// [`actor_of`](Self::actor_of).
    ///
    /// # Errors
    /// Invalid fields, among them `external_id` if another user has the same: the app has done this before, maybe in another process;
    /// [`Error::Unavailable`].
    pub async fn create_customer(&self, draft: &NewCustomer) -> Result<Actor, Error> {
        let names = WantedNames { logins: draft.login_names(), external_id: draft.wanted_external_id() };
        let random = self.random()?;
        let load = |_, _| self.taken_names(&names);
        let decide = |taken: &TakenNames, actor: &Actor, now| create_customer(actor, draft, taken, random, now);
        let account = created_account(self.execute(Actor::System, load, decide).await?)?;
        Ok(Actor::under(self.policy(), &account))
    }

    /// The actor that a user of the app is, who becomes a customer if they are none yet: for the app's own login. If several requests do so
    /// at once, one customer is made, and all get it.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`] if the user was deactivated; otherwise as [`create_customer`](Self::create_customer).
    pub async fn ensure_customer(&self, draft: &NewCustomer) -> Result<Actor, Error> {
        let Some(external_id) = draft.wanted_external_id() else { return self.create_customer(draft).await };
        if let Some(known) = self.account_of(Some(&external_id)).await? {
            return self.active(&known).ok_or(Error::NotAuthenticated);
        }
        let refused = match self.create_customer(draft).await {
            Err(Error::Invalid(errors)) => errors,
            made => return made,
        };
        // Perhaps another request was faster.
        match self.account_of(Some(&external_id)).await? {
            Some(known) => self.active(&known).ok_or(Error::NotAuthenticated),
            None => Err(refused.into()),
        }
    }

    /// The actor that a user is, while they are active.
    fn active(&self, account: &Account) -> Option<Actor> {
        let actor = Actor::under(self.policy(), account);
        Some(actor).filter(|_| account.user.is_active && actor != Actor::Anonymous)
    }

    /// The actor that the active user with this external id is now; none if there is no such user. It is one look-up, and meant for each
    /// request: a user may have been deactivated since the last one, or been given another role.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn actor_of(&self, external_id: &str) -> Result<Option<Actor>, Error> {
        let found = self.account_of(ExternalId::parse(external_id).ok().as_ref()).await?;
        Ok(found.and_then(|account| self.active(&account)))
    }

    /// Succeeds if an actor who is a user is still the same: active, with the same role and customer. For what goes on for long, such as a
    /// stream of events.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`] if they are not; [`Error::Unavailable`].
    pub async fn check_actor(&self, known: &Actor) -> Result<(), Error> {
        check_actor(known, &self.current_actor(known).await?)
    }
}
