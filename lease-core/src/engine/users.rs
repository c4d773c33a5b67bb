use secrecy::SecretString;

use super::LeaseEngine;
use crate::account::{
    TakenNames, TokenHash, UserDraft, check_new_user, check_update, deactivate, read_new_user, require_readable_user,
};
use crate::error::Error;
use crate::id::{UserId, Versioned};
use crate::input::UpdateMode;
use crate::model::{Account, LoginName};
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Grant, Resource};
use crate::repository::{AccountSnapshot, CustomerChange, UserFilter};

impl LeaseEngine {
    /// Makes a user, with its customer unless it administers (spec 3.4).
    ///
    /// # Errors
    /// [`Error::PermissionDenied`]; wrong fields; [`Error::Unavailable`].
    pub async fn create_user(&self, actor: &Actor, draft: &UserDraft) -> Result<Account, Error> {
        actor.require(Resource::User, Act::Create)?;
        let check = |taken: &TakenNames, today| check_new_user(actor, draft, taken, today);
        let (account, _) = self.make_account(&draft.login_names(), check, None).await?;
        Ok(account)
    }

    /// Makes a superuser of this name, unless a user has it: that one is left as it is. For the operator, who needs no
    /// permission. Returns the user of that name, and whether it was made.
    ///
    /// # Errors
    /// Wrong fields; [`Error::Unavailable`].
    pub async fn ensure_superuser(&self, username: &str, email: &str, password: SecretString) -> Result<(Account, bool), Error> {
        if let Some(found) = self.store().find_login(&LoginName::new(username)).await? {
            return Ok((found, false));
        }
        let draft = UserDraft {
            username: username.into(),
            email: email.into(),
            first_name: "Super".into(),
            last_name: "User".into(),
            password: password.into(),
            is_superuser: true.into(),
            ..UserDraft::default()
        };
        let check = |taken: &TakenNames, today| Ok(read_new_user(&draft, taken, today)?);
        match self.make_account(&draft.login_names(), check, None).await {
            Ok((made, _)) => Ok((made, true)),
            // Of several servers that start at once another may just have made it.
            Err(refused) => match self.store().find_login(&LoginName::new(username)).await? {
                Some(found) => Ok((found, false)),
                None => Err(refused),
            },
        }
    }

    /// A user (spec 3.4).
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_user(&self, actor: &Actor, id: UserId) -> Result<Account, Error> {
        let loaded = self.load_user(actor, id).await?;
        Ok(loaded.value.account)
    }

    /// Changes a user (spec 3.5). `session_token` is the one that a new password leaves alive.
    ///
    /// # Errors
    /// As [`check_update`]; [`Error::Unavailable`].
    pub async fn update_user(
        &self,
        actor: &Actor,
        id: UserId,
        draft: &UserDraft,
        mode: UpdateMode,
        session_token: Option<TokenHash>,
    ) -> Result<Account, Error> {
        let names = draft.login_names();
        let mut hash = None;
        let mut retry = self.retry();
        loop {
            let loaded = self.load_user(actor, id).await?;
            let taken = if names.is_empty() { Vec::new() } else { self.store().taken_names(&names).await? };
            let checked = check_update(&loaded, actor, draft, mode, &taken, session_token, self.now())?;
            let password = match &checked.new_password {
                Some(password) => Some(self.hash_once(&mut hash, password).await?),
                None => None,
            };
            let change = checked.into_change(password);
            match self.store().commit_account(&change, self.claim).await {
                Ok(customer_id) => {
                    let mut account = loaded.value.account;
                    account.user.value = change.user;
                    account.customer_id = match change.customer {
                        CustomerChange::Keep => account.customer_id,
                        CustomerChange::Create(..) => customer_id,
                        CustomerChange::Erase(_) => None,
                    };
                    return Ok(account);
                }
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// Deactivates a user and revokes their tokens (spec 3.4).
    ///
    /// # Errors
    /// As [`deactivate`]; [`Error::Unavailable`].
    pub async fn deactivate_user(&self, actor: &Actor, id: UserId) -> Result<(), Error> {
        let mut retry = self.retry();
        loop {
            let loaded = self.load_user(actor, id).await?;
            let change = deactivate(&loaded, actor, self.now())?;
            match self.store().commit_account(&change, self.claim).await {
                Ok(_) => return Ok(()),
                Err(error) => retry.after(error).await?,
            }
        }
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

    async fn load_user(&self, actor: &Actor, id: UserId) -> Result<Versioned<AccountSnapshot>, Error> {
        actor.require(Resource::User, Act::Read)?;
        let loaded = self.store().load_account(id).await?.ok_or(Error::NotFound)?;
        require_readable_user(actor, id, loaded.account.user.role)?;
        Ok(loaded)
    }
}
