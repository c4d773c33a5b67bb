//! New passwords that their users set themselves: by a mailed link, or by the present one (rule 9.3).

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};

use super::hasher::composed;
use super::register::note_policy_errors;
use crate::account::email_verification::{bad_token, read_token};
use crate::account::link::{has_link, user_change};
use crate::account::{AccountSnapshot, CheckedUpdate, LinkToken, TokenHash, require_own_user};
use crate::error::Error;
use crate::event::EventActor;
use crate::id::Versioned;
use crate::input::{Field, FieldErrors, Form, Invalid, UpdateMode, as_given, draft};
use crate::model::{LinkPurpose, User};
use crate::permission::Actor;

draft! {
    /// The fields for asking for a new password.
    pub struct PasswordResetDraft as PasswordResetInput {
        /// The e-mail address of the user.
        pub email: Field<String> as required EmailAddress,
    }
}

draft! {
    /// The fields for setting a new password by a link that was mailed.
    pub struct PasswordConfirmationDraft as PasswordConfirmationInput {
        /// The token in the link.
        pub token: Field<SecretString> as required LinkTokenInput,
        /// The new password.
        pub password: Field<SecretString> as required Password,
        /// The same password again.
        pub password2: Field<SecretString> as required Password,
    }
}

draft! {
    /// The fields for changing one's own password.
    pub struct PasswordChangeDraft as PasswordChangeInput {
        /// The present password.
        pub current_password: Field<SecretString> as required CurrentPassword,
        /// The new password.
        pub password: Field<SecretString> as required Password,
        /// The same password again.
        pub password2: Field<SecretString> as required Password,
    }
}

impl PasswordConfirmationDraft {
    /// The token, if it has the form of one. What else is wrong is told with it if it has not, and otherwise by [`check_password_reset`],
    /// with what is wrong for its user.
    ///
    /// # Errors
    /// Invalid fields.
    pub fn token(&self) -> Result<LinkToken, FieldErrors> {
        let mut form = Form::new(UpdateMode::Full);
        let token = read_token(&mut form, &self.token);
        read_new_password(&mut form, &self.password, &self.password2, None);
        token.ok_or(form.errors)
    }
}

/// The account whose password may be set by a link that was mailed (rule 9.3). `found` is that of the token's user, if there is one.
///
/// # Errors
/// Invalid fields, if the token is not good, or no longer.
pub fn account_to_reset(
    found: Option<Versioned<AccountSnapshot>>,
    token: &LinkToken,
    now: DateTime<Utc>,
) -> Result<Versioned<AccountSnapshot>, Error> {
    let is_good =
        |found: &Versioned<AccountSnapshot>| has_link(&found.account.user, LinkPurpose::PasswordReset, token.hash(), now);
    Ok(found.filter(is_good).ok_or_else(bad_token)?)
}

/// Sets a new password of an account [whose link is good](account_to_reset) (rule 9.3). The link is not good any more then, and neither is
/// another one. All tokens of the user are revoked.
///
/// # Errors
/// Invalid fields, if the password is refused.
pub fn check_password_reset(
    snapshot: &Versioned<AccountSnapshot>,
    draft: &PasswordConfirmationDraft,
) -> Result<CheckedUpdate, Error> {
    let mut form = Form::new(UpdateMode::Full);
    let password = read_new_password(&mut form, &draft.password, &draft.password2, Some(&snapshot.account.user));
    form.finish()?;
    let actor = EventActor::from(&Actor::of(&snapshot.account));
    Ok(CheckedUpdate::of_password(
        user_change(snapshot, snapshot.account.user.value.clone()),
        snapshot,
        password,
        None,
        Some(actor),
    ))
}

/// Changes the actor's own password (rule 9.3). `is_current` says whether the present password was given right, and `keep_token` is the
/// token that stays valid.
///
/// # Errors
/// [`Error::NotFound`] if it is another user; [`Error::EmailNotVerified`]; invalid fields.
pub fn check_password_change(
    snapshot: &Versioned<AccountSnapshot>,
    actor: &Actor,
    draft: &PasswordChangeDraft,
    is_current: bool,
    keep_token: Option<TokenHash>,
) -> Result<CheckedUpdate, Error> {
    let stored = &snapshot.account.user;
    require_own_user(actor, stored.id)?;
    actor.require_confirmed_address()?;
    let mut form = Form::new(UpdateMode::Full);
    form.required("current_password", &draft.current_password, None, |_| {
        if is_current { Ok(()) } else { Err(Invalid::PasswordWrong) }
    });
    let password = read_new_password(&mut form, &draft.password, &draft.password2, Some(stored));
    form.finish()?;
    Ok(CheckedUpdate::of_password(user_change(snapshot, stored.value.clone()), snapshot, password, keep_token, None))
}

/// Reads a new password that is given twice. With a user, it is checked against what is accepted as one of theirs.
pub(super) fn read_new_password(
    form: &mut Form,
    password: &Field<SecretString>,
    repeated: &Field<SecretString>,
    user: Option<&User>,
) -> Option<SecretString> {
    let new = form.required("password", password, None, as_given);
    read_repeated(form, repeated, password);
    let new = new?;
    let likes = user.map(|user| {
        [
            ("username", user.username.as_str()),
            ("email", user.email_or_empty()),
            ("first_name", user.first_name.as_str()),
            ("last_name", user.last_name.as_str()),
        ]
    });
    let is_accepted = likes.is_none_or(|likes| note_policy_errors(form, &new, &likes));
    is_accepted.then_some(new)
}

/// Reads the repetition of a password.
pub(super) fn read_repeated(form: &mut Form, repeated: &Field<SecretString>, password: &Field<SecretString>) {
    let again = form.required("password2", repeated, None, as_given);
    if let (Some(again), Some(password)) = (again, password.given())
        && composed(&again).expose_secret() != composed(password).expose_secret()
    {
        form.errors.add("password2", Invalid::PasswordsDiffer);
    }
}
