use std::sync::Arc;

#[cfg(not(feature = "passwords"))]
use chrono::{DateTime, Utc};

use super::accounts::WantedNames;
#[cfg(feature = "passwords")]
use super::passwords::Hashing;
use super::{LeaseEngine, RequestContext};
use crate::account::{
    AccountSnapshot, CheckedUpdate, CustomerChange, PasswordHash, TokenHash, UserDraft, deactivate, require_visible_user,
};
#[cfg(not(feature = "passwords"))]
use crate::account::{Presented, check_update};
use crate::error::Error;
use crate::id::{UserId, Versioned};
use crate::input::UpdateMode;
use crate::model::{Account, Role};
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Grant, Resource};
use crate::repository::UserFilter;

/// A change of a user, as it is asked for.
pub(super) struct UserUpdate {
    pub(super) id: UserId,
    pub(super) names: WantedNames,
    pub(super) draft: Arc<UserDraft>,
    pub(super) mode: UpdateMode,
    /// The token that stays valid if the password changes.
    pub(super) session_token: Option<TokenHash>,
    #[cfg(feature = "passwords")]
    pub(super) hashing: Hashing,
}

/// An account, the checked change of it, and the hash of its new password.
pub(super) type CheckedUser = (Versioned<AccountSnapshot>, CheckedUpdate, Option<PasswordHash>);

impl LeaseEngine {
    /// Whether anybody can administer the platform, its staff included.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn has_active_superuser(&self) -> Result<bool, Error> {
        let filter = UserFilter { is_active: Some(true), role: Some(Role::Superuser), ..UserFilter::default() };
        Ok(!self.store().list_users(&filter, PageRequest::default()).await?.items.is_empty())
    }

    /// A user (rule 3.4).
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_user(&self, actor: &Actor, id: UserId) -> Result<Account, Error> {
        let loaded = self.load_user(*actor, id).await?;
        Ok(loaded.value.account)
    }

    /// Changes a user (rule 3.5). `session_token` is the token that stays valid if the password changes. Where the policy asks a
    /// customer for the present password with a new one or with another e-mail address, it is verified first.
    ///
    /// # Errors
    /// As [`account::check_update`](crate::account::check_update); [`Error::Unavailable`].
    pub async fn update_user(
        &self,
        context: impl Into<RequestContext>,
        id: UserId,
        draft: &UserDraft,
        mode: UpdateMode,
        session_token: Option<TokenHash>,
    ) -> Result<Account, Error> {
        let context = context.into();
        let update = UserUpdate {
            id,
            names: wanted(draft),
            draft: Arc::new(draft.clone()),
            mode,
            session_token,
            #[cfg(feature = "passwords")]
            hashing: Hashing::of(&context),
        };
        let load = |actor, now| self.checked_update(actor, &update, now);
        let decide = |(_, checked, password): &CheckedUser, _: &Actor, _| Ok(checked.clone().into_decision(password.clone()));
        let done = self.execute(context, load, decide).await?;
        let (loaded, ..) = done.snapshot;
        let mut account = loaded.value.account;
        account.user.value = done.changes.user;
        account.customer_id = match done.changes.customer {
            CustomerChange::Keep => account.customer_id,
            CustomerChange::Create(..) => done.ids.customer,
            CustomerChange::Delete(_) => None,
        };
        Ok(account)
    }

    /// Deactivates a user and revokes their tokens (rule 3.4).
    ///
    /// # Errors
    /// As [`deactivate`]; [`Error::Unavailable`].
    pub async fn deactivate_user(&self, context: impl Into<RequestContext>, id: UserId) -> Result<(), Error> {
        let load = |actor, _| self.load_user(actor, id);
        self.execute(context, load, deactivate).await.map(drop)
    }

    /// The users that the actor may see.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn list_users(&self, actor: &Actor, filter: UserFilter, page: PageRequest) -> Result<Page<Account>, Error> {
        let visible_to = match actor.require(Resource::User, Act::Read)? {
            Grant::All => None,
            _ => Some(actor.user().ok_or(Error::NotAuthenticated)?),
        };
        Ok(self.store().list_users(&UserFilter { visible_to, ..filter }, page).await?)
    }

    /// A user, and the change of them, checked. Where there are no passwords, none is verified or hashed.
    #[cfg(not(feature = "passwords"))]
    async fn checked_update(&self, actor: Actor, update: &UserUpdate, now: DateTime<Utc>) -> Result<CheckedUser, Error> {
        let loaded = self.load_user(actor, update.id).await?;
        let taken = self.taken_names(&update.names).await?;
        let presented = Presented { token: update.session_token, ..Presented::default() };
        let checked = check_update(&loaded, &actor, &update.draft, update.mode, &taken, presented, now)?;
        Ok((loaded, checked, None))
    }

    pub(super) async fn load_user(&self, actor: Actor, id: UserId) -> Result<Versioned<AccountSnapshot>, Error> {
        require_visible_user(&actor, id)?;
        self.store().load_account(id).await?.ok_or(Error::NotFound)
    }
}

pub(super) fn wanted(draft: &UserDraft) -> WantedNames {
    WantedNames { logins: draft.login_names(), external_id: draft.wanted_external_id() }
}
