use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::accounts::WantedNames;
use super::{LeaseEngine, RequestContext};
use crate::account::{
    AccountSnapshot, CheckedUpdate, CurrentPassword, CustomerChange, PasswordHash, PasswordWork, Presented, TakenNames,
    TokenHash, UserDraft, check_first_superuser, check_new_user, check_update, deactivate, require_visible_user,
};
use crate::client::ClientNetwork;
use crate::error::Error;
use crate::id::{UserId, Versioned};
use crate::input::UpdateMode;
use crate::model::{Account, LoginName, Role};
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Grant, Resource};
use crate::repository::UserFilter;

impl LeaseEngine {
    /// Creates a user, and a customer for it unless it is administrative (rule 3.4).
    ///
    /// # Errors
    /// [`Error::PermissionDenied`]; invalid fields; [`Error::Unavailable`].
    pub async fn create_user(&self, context: impl Into<RequestContext>, draft: &UserDraft) -> Result<Account, Error> {
        let context = context.into();
        context.actor.require(Resource::User, Act::Create)?;
        let (names, draft) = (wanted(draft), draft.clone());
        let check = move |actor: &Actor, taken: &TakenNames, today| check_new_user(actor, &draft, taken, today);
        let (account, _) = self.create_account(context, &names, check, None).await?;
        Ok(account)
    }

    /// Creates a superuser with this name, for the operator, as [`Actor::System`]. A user who already has the name is left as it
    /// is. Returns the user with that name, and whether it was created.
    ///
    /// # Errors
    /// Invalid fields; [`Error::Unavailable`].
    pub async fn ensure_superuser(&self, username: &str, email: &str, password: SecretString) -> Result<(Account, bool), Error> {
        if let Some(found) = self.store().find_login(&LoginName::new(username)).await? {
            return Ok((found, false));
        }
        let draft = superuser(username, email, password);
        match self.create_user(Actor::System, &draft).await {
            Ok(created) => Ok((created, true)),
            // If several servers start at once, another may just have created it.
            Err(refused) => match self.store().find_login(&LoginName::new(username)).await? {
                Some(found) => Ok((found, false)),
                None => Err(refused),
            },
        }
    }

    /// Whether anybody can administer the platform, its staff included.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn has_active_superuser(&self) -> Result<bool, Error> {
        let filter = UserFilter { is_active: Some(true), role: Some(Role::Superuser), ..UserFilter::default() };
        Ok(!self.store().list_users(&filter, PageRequest::default()).await?.items.is_empty())
    }

    /// Creates a superuser for the operator, as [`Actor::System`], if there is no active superuser; where there is one, the values
    /// are not even looked at. Several processes may do so at once: only one superuser is made. Returns it if this call made it.
    ///
    /// # Errors
    /// Invalid fields; [`Error::Unavailable`].
    pub async fn ensure_first_superuser(
        &self,
        username: &str,
        email: &str,
        password: SecretString,
    ) -> Result<Option<Account>, Error> {
        if self.has_active_superuser().await? {
            return Ok(None);
        }
        let draft = superuser(username, email, password);
        let names = wanted(&draft);
        let check = move |_: &Actor, taken: &TakenNames, today| check_first_superuser(&draft, taken, today);
        match self.create_account(Actor::System, &names, check, None).await {
            Ok((created, _)) => Ok(Some(created)),
            // Another process may just have created one, maybe of the same name.
            Err(refused) => {
                if self.has_active_superuser().await? {
                    Ok(None)
                } else {
                    Err(refused)
                }
            }
        }
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
    /// As [`check_update`]; [`Error::Unavailable`].
    pub async fn update_user(
        &self,
        context: impl Into<RequestContext>,
        id: UserId,
        draft: &UserDraft,
        mode: UpdateMode,
        session_token: Option<TokenHash>,
    ) -> Result<Account, Error> {
        let (context, names) = (context.into(), wanted(draft));
        let (client, draft, hash) = (context.client, Arc::new(draft.clone()), OnceLock::new());
        let load = |actor: Actor, now: DateTime<Utc>| {
            let (names, draft, hash) = (&names, Arc::clone(&draft), &hash);
            async move {
                let loaded = self.load_user(actor, id).await?;
                let password = self.verify_current(client, &actor, &loaded.account, &draft).await?;
                let presented = Presented { token: session_token, password };
                let taken = self.taken_names(names).await?;
                let has_password = draft.password.given().is_some();
                let (snapshot, known) = (loaded.clone(), hash.get().cloned());
                let check = move || check_update(&snapshot, &actor, &draft, mode, &taken, presented, now);
                if !has_password {
                    return Ok((loaded, check()?, None));
                }
                let (checked, password) = self.check_and_hash(client, check, known).await?;
                Ok((loaded, checked, password.map(|password| hash.get_or_init(|| password).clone())))
            }
        };
        let decide = |(_, checked, password): &(Versioned<AccountSnapshot>, CheckedUpdate, Option<PasswordHash>),
                      _: &Actor,
                      _| { Ok(checked.clone().into_decision(password.clone())) };
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

    /// Whether [`update_user`](Self::update_user) verifies the present password in this draft: that of a customer who gives a new password
    /// or an e-mail address with it, where the policy asks for it. Whoever limits logins counts a wrong one as a failed one.
    #[must_use]
    pub fn verifies_password(&self, actor: &Actor, draft: &UserDraft) -> bool {
        self.asks_password(actor, draft) && draft.current_password.given().is_some()
    }

    fn asks_password(&self, actor: &Actor, draft: &UserDraft) -> bool {
        let changes_login = draft.password.given().is_some() || draft.email.given().is_some();
        self.policy().require_current_password && actor.customer().is_some() && changes_login
    }

    /// What is known of the present password of a customer who changes their own password or e-mail address.
    async fn verify_current(
        &self,
        client: Option<ClientNetwork>,
        actor: &Actor,
        account: &Account,
        draft: &UserDraft,
    ) -> Result<CurrentPassword, Error> {
        if !self.asks_password(actor, draft) {
            return Ok(CurrentPassword::NotAsked);
        }
        let Some(password) = draft.current_password.given() else { return Ok(CurrentPassword::Missing) };
        let verified = self.shared.hasher.verify(client, password, Some(&account.user.password)).await?;
        Ok(if verified.matches { CurrentPassword::Right } else { CurrentPassword::Wrong })
    }

    /// Checks a change and hashes its new password in one piece of work. A hash that is `known` from an earlier attempt is kept.
    pub(super) async fn check_and_hash(
        &self,
        client: Option<ClientNetwork>,
        check: impl FnOnce() -> Result<CheckedUpdate, Error> + Send + 'static,
        known: Option<PasswordHash>,
    ) -> Result<(CheckedUpdate, Option<PasswordHash>), Error> {
        let work = move |work: &mut PasswordWork<'_>| {
            let checked = check()?;
            let hash = |password| known.map_or_else(|| work.hash(password), Ok);
            let password = checked.new_password.as_ref().map(hash).transpose()?;
            Ok((checked, password))
        };
        self.shared.hasher.run(client, work).await?
    }

    async fn load_user(&self, actor: Actor, id: UserId) -> Result<Versioned<AccountSnapshot>, Error> {
        require_visible_user(&actor, id)?;
        self.store().load_account(id).await?.ok_or(Error::NotFound)
    }
}

fn wanted(draft: &UserDraft) -> WantedNames {
    WantedNames { logins: draft.login_names(), external_id: draft.wanted_external_id() }
}

fn superuser(username: &str, email: &str, password: SecretString) -> UserDraft {
    UserDraft {
        username: username.into(),
        email: email.into(),
        first_name: "Super".into(),
        last_name: "User".into(),
        password: password.into(),
        is_superuser: true.into(),
        ..UserDraft::default()
    }
}
