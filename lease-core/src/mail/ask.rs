//! Mails that somebody asks for.

use chrono::{DateTime, Utc};

use crate::account::{PasswordResetDraft, require_own_user};
use crate::decision::Decision;
use crate::error::Error;
use crate::input::{Form, UpdateMode};
use crate::model::{Account, Email, Mail, MailKind, MailRecipient};
use crate::permission::Actor;

/// Queues a link to set a new password, for the active user with this address (rule 9.3). Whether there is one is found out when it is
/// sent, so that whoever asks learns nothing by the answer or the time that it takes.
///
/// # Errors
/// Invalid fields.
pub fn ask_for_password_reset(draft: &PasswordResetDraft, now: DateTime<Utc>) -> Result<Decision<Mail>, Error> {
    let mut form = Form::new(UpdateMode::Full);
    let email = form.required("email", &draft.email, None, |email| Email::parse(email));
    let Some(email) = email else { return Err(form.errors.into()) };
    let recipient = MailRecipient::Address(email.as_str().to_owned());
    Ok(Decision::new(Mail::new(MailKind::PasswordReset, recipient, now), []))
}

/// Queues a link to confirm the present e-mail address of the actor's user (rule 9.4); `None` if it is confirmed, or there is none.
///
/// # Errors
/// [`Error::NotFound`] if it is another user; [`Error::NotAuthenticated`].
pub fn ask_for_verification(account: &Account, actor: &Actor, now: DateTime<Utc>) -> Result<Option<Decision<Mail>>, Error> {
    require_own_user(actor, account.user.id)?;
    let unconfirmed = account.user.email.as_ref().filter(|_| account.user.email_verified_at.is_none());
    Ok(unconfirmed.map(|email| {
        let recipient = MailRecipient::UserAt(account.user.id, email.as_str().to_owned());
        Decision::new(Mail::new(MailKind::EmailVerification, recipient, now), [])
    }))
}
