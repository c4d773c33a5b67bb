//! Forgotten passwords and changed ones (rule 9.3).

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Hashing;
use crate::account::{
    AccountSnapshot, CheckedUpdate, PasswordChangeDraft, PasswordConfirmationDraft, PasswordResetDraft, TokenHash,
    account_to_reset, check_password_change, check_password_reset,
};
use crate::engine::users::CheckedUser;
use crate::engine::{LeaseEngine, RequestContext};
use crate::error::Error;
use crate::id::Versioned;
use crate::mail::ask_for_password_reset;
use crate::permission::Actor;

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

    /// Sets the password that `check` accepts for the account that `load` finds. Checking and hashing are one piece of work; if the
    /// command is decided several times, the password is hashed once.
    async fn set_password<L, F, C>(&self, context: RequestContext, mut load: L) -> Result<(), Error>
    where
        L: FnMut(Actor, DateTime<Utc>) -> F,
        F: Future<Output = Result<(Versioned<AccountSnapshot>, C), Error>>,
        C: FnOnce() -> Result<CheckedUpdate, Error> + Send + 'static,
    {
        let hashing = Hashing::of(&context);
        let load = |actor, now| {
            let (loaded, hashing) = (load(actor, now), &hashing);
            async move {
                let (snapshot, check) = loaded.await?;
                self.check_and_hash(snapshot, check, hashing).await
            }
        };
        let decide = |(_, checked, password): &CheckedUser, _: &Actor, _| Ok(checked.clone().into_decision(password.clone()));
        self.execute(context, load, decide).await.map(drop)
    }
}
