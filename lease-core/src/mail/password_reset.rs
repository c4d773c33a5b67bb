use chrono::{DateTime, Utc};

use crate::account::PasswordResetDraft;
use crate::decision::Decision;
use crate::error::Error;
use crate::input::{Form, UpdateMode};
use crate::model::{Email, Mail, MailKind, MailRecipient};

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
