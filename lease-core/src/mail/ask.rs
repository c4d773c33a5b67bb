//! Mails that somebody asks for.

use chrono::{DateTime, Utc};

use crate::account::require_own_user;
use crate::decision::Decision;
use crate::error::Error;
use crate::model::{Account, Mail, MailKind, MailRecipient};
use crate::permission::Actor;

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
