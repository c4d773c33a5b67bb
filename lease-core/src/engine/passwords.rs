//! Forgotten passwords and changed ones, e-mail addresses that are confirmed, and the choice of notices (rules 9.3 to 9.5).

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};

use super::{LeaseEngine, RequestContext};
use crate::account::{
    AccountSnapshot, CheckedUpdate, EmailConfirmationDraft, NoticeSettingsDraft, PasswordChangeDraft, PasswordConfirmationDraft,
    PasswordHash, PasswordResetDraft, TokenHash, account_to_reset, check_password_change, check_password_reset, choose_notices,
    confirm_email,
};
use crate::client::ClientNetwork;
use crate::error::Error;
use crate::id::Versioned;
use crate::mail::{ask_for_password_reset, ask_for_verification};
use crate::model::NoticeSettings;
use crate::permission::Actor;

/// An account, the checked change of it, and the hash of its new password.
type CheckedPassword = (Versioned<AccountSnapshot>, CheckedUpdate, Option<PasswordHash>);

impl LeaseEngine {
    /// Mails a link to set a new password to the active user with this address, if there is one (rule 9.3). The answer and the time that
    /// it takes are the same in any case.
    ///
    /// # Errors
    /// Invalid fields; [`Error::Unavailable`].
    pub async fn ask_for_password_reset(
        &self,
        context: impl Into<RequestContext>,
        draft: &PasswordResetDraft,
    ) -> Result<(), Error> {
        let decide = |(): &(), _: &Actor, now| {
            let decision = ask_for_password_reset(draft, now)?;
            Ok(self.sends_mails().then_some(decision))
        };
        self.execute_if_needed(context.into(), |_, _| async { Ok(()) }, decide).await.map(drop)
    }

    /// Sets a new password by a mailed link, and revokes all tokens of its user (rule 9.3). Nobody is logged in by it.
    ///
    /// # Errors
    /// As [`check_password_reset`]; [`Error::Unavailable`].
    pub async fn confirm_password_reset(
        &self,
        context: impl Into<RequestContext>,
        draft: &PasswordConfirmationDraft,
    ) -> Result<(), Error> {
        let token = draft.token()?;
        let draft = Arc::new(draft.clone());
        self.set_password(context.into(), |_, now| {
            let (draft, token) = (Arc::clone(&draft), token.clone());
            async move {
                // A link that is not good costs no hash.
                let found = account_to_reset(self.store().load_account(token.user()).await?, &token, now)?;
                let snapshot = found.clone();
                Ok((found, move || check_password_reset(&snapshot, &draft)))
            }
        })
        .await
    }

    /// Changes the password of the actor's own user (rule 9.3). `session_token` is the token that stays valid.
    ///
    /// # Errors
    /// As [`check_password_change`]; [`Error::Unavailable`].
    pub async fn change_password(
        &self,
        context: impl Into<RequestContext>,
        draft: &PasswordChangeDraft,
        session_token: Option<TokenHash>,
    ) -> Result<(), Error> {
        let context = context.into();
        let (client, draft) = (context.client, Arc::new(draft.clone()));
        self.set_password(context, |actor, _| {
            let draft = Arc::clone(&draft);
            async move {
                let found = self.load_own_account(actor).await?;
                let is_current = match draft.current_password.given() {
                    Some(password) => {
                        self.shared.hasher.verify(client, password, Some(&found.account.user.password)).await?.matches
                    }
                    None => false,
                };
                let snapshot = found.clone();
                Ok((found, move || check_password_change(&snapshot, &actor, &draft, is_current, session_token)))
            }
        })
        .await
    }

    /// Mails a link to confirm the present e-mail address of the actor's user (rule 9.4), unless it is confirmed.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn ask_for_email_verification(&self, context: impl Into<RequestContext>) -> Result<(), Error> {
        let load = |actor, _| self.load_own_account(actor);
        let decide = |found: &Versioned<AccountSnapshot>, actor: &Actor, now| {
            let decision = ask_for_verification(&found.account, actor, now)?;
            Ok(decision.filter(|_| self.sends_mails()))
        };
        self.execute_if_needed(context.into(), load, decide).await.map(drop)
    }

    /// Confirms an e-mail address by a mailed link (rule 9.4).
    ///
    /// # Errors
    /// As [`confirm_email`]; [`Error::Unavailable`].
    pub async fn confirm_email(&self, context: impl Into<RequestContext>, draft: &EmailConfirmationDraft) -> Result<(), Error> {
        let token = draft.token()?;
        let load = |_, _| async { Ok(self.store().load_account(token.user()).await?) };
        let decide = |found: &Option<_>, _: &Actor, now| confirm_email(found.as_ref(), &token, now);
        self.execute(context, load, decide).await.map(drop)
    }

    /// The notices that the actor's own user gets by mail (rule 9.5).
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn notice_settings(&self, actor: &Actor) -> Result<NoticeSettings, Error> {
        Ok(self.load_own_account(*actor).await?.account.user.notices)
    }

    /// Chooses the notices that the actor's own user gets by mail (rule 9.5).
    ///
    /// # Errors
    /// As [`choose_notices`]; [`Error::Unavailable`].
    pub async fn choose_notices(
        &self,
        context: impl Into<RequestContext>,
        draft: &NoticeSettingsDraft,
    ) -> Result<NoticeSettings, Error> {
        let load = |actor, _| self.load_own_account(actor);
        let done = self.execute(context, load, |found, actor, _| choose_notices(found, actor, draft)).await?;
        Ok(done.changes.user.notices)
    }

    /// Sets the password that `check` accepts for the account that `load` finds. Checking and hashing are one piece of work; if the
    /// command is decided several times, the password is hashed once.
    async fn set_password<L, F, C>(&self, context: RequestContext, mut load: L) -> Result<(), Error>
    where
        L: FnMut(Actor, DateTime<Utc>) -> F,
        F: Future<Output = Result<(Versioned<AccountSnapshot>, C), Error>>,
        C: FnOnce() -> Result<CheckedUpdate, Error> + Send + 'static,
    {
        let (client, hashed) = (context.client, OnceLock::new());
        let load = |actor, now| {
            let (loaded, hashed) = (load(actor, now), &hashed);
            async move {
                let (snapshot, check) = loaded.await?;
                self.hashed(client, snapshot, check, hashed).await
            }
        };
        let decide = |(_, checked, password): &CheckedPassword, _: &Actor, _| Ok(checked.clone().into_decision(password.clone()));
        self.execute(context, load, decide).await.map(drop)
    }

    async fn hashed(
        &self,
        client: Option<ClientNetwork>,
        snapshot: Versioned<AccountSnapshot>,
        check: impl FnOnce() -> Result<CheckedUpdate, Error> + Send + 'static,
        hashed: &OnceLock<PasswordHash>,
    ) -> Result<CheckedPassword, Error> {
        let (checked, password) = self.check_and_hash(client, check, hashed.get().cloned()).await?;
        Ok((snapshot, checked, password.map(|password| hashed.get_or_init(|| password).clone())))
    }

    /// The account of the actor's own user.
    pub(super) async fn load_own_account(&self, actor: Actor) -> Result<Versioned<AccountSnapshot>, Error> {
        let user = actor.user().ok_or(Error::NotAuthenticated)?;
        self.store().load_account(user).await?.ok_or(Error::NotAuthenticated)
    }
}
