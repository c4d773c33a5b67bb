use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::account::{CurrentPassword, Presented, TakenNames, UserDraft, check_first_superuser, check_new_user, check_update};
use crate::client::ClientNetwork;
use crate::engine::users::{CheckedUser, UserUpdate, wanted};
use crate::engine::{LeaseEngine, RequestContext};
use crate::error::Error;
use crate::model::{Account, LoginName};
use crate::permission::{Act, Actor, Resource};

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

    /// A user, and the change of them, checked, with the hash of a new password.
    pub(in crate::engine) async fn checked_update(
        &self,
        actor: Actor,
        update: &UserUpdate,
        now: DateTime<Utc>,
    ) -> Result<CheckedUser, Error> {
        let UserUpdate { mode, session_token, ref draft, ref hashing, .. } = *update;
        let loaded = self.load_user(actor, update.id).await?;
        let password = self.verify_current(hashing.client, &actor, &loaded.account, draft).await?;
        let presented = Presented { token: session_token, password };
        let taken = self.taken_names(&update.names).await?;
        let (snapshot, draft) = (loaded.clone(), Arc::clone(draft));
        let has_password = draft.password.given().is_some();
        let check = move || check_update(&snapshot, &actor, &draft, mode, &taken, presented, now);
        if has_password { self.check_and_hash(loaded, check, hashing).await } else { Ok((loaded, check()?, None)) }
    }
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
