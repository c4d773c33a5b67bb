//! What users do with their own account: confirm the e-mail address, and choose the notices (rules 9.4, 9.5).

use super::{LeaseEngine, RequestContext};
use crate::account::{AccountSnapshot, EmailConfirmationDraft, NoticeSettingsDraft, choose_notices, confirm_email};
use crate::error::Error;
use crate::id::Versioned;
use crate::mail::ask_for_verification;
use crate::model::NoticeSettings;
use crate::permission::Actor;

impl LeaseEngine {
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

    /// The account of the actor's own user.
    pub(super) async fn load_own_account(&self, actor: Actor) -> Result<Versioned<AccountSnapshot>, Error> {
        let user = actor.user().ok_or(Error::NotAuthenticated)?;
        self.store().load_account(user).await?.ok_or(Error::NotAuthenticated)
    }
}
