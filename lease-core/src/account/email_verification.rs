use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};

use crate::account::link::{has_link, links_but, user_change};
use crate::account::{AccountChange, AccountSnapshot, LinkToken};
use crate::decision::Decision;
use crate::error::Error;
use crate::event::{Event, EventActor, EventType};
use crate::id::Versioned;
use crate::input::{Field, FieldErrors, Form, Invalid, UpdateMode, draft};
use crate::model::{LinkPurpose, User};
use crate::permission::Actor;

draft! {
    /// The fields for confirming an e-mail address.
    pub struct EmailConfirmationDraft as EmailConfirmationInput {
        /// The token in the link that was mailed.
        pub token: Field<SecretString> as required LinkTokenInput,
    }
}

impl EmailConfirmationDraft {
    /// The token, if it has the form of one.
    ///
    /// # Errors
    /// Invalid fields.
    pub fn token(&self) -> Result<LinkToken, FieldErrors> {
        let mut form = Form::new(UpdateMode::Full);
        read_token(&mut form, &self.token).ok_or(form.errors)
    }
}

/// Reads the token of a link.
pub(super) fn read_token(form: &mut Form, field: &Field<SecretString>) -> Option<LinkToken> {
    form.required("token", field, None, |token| token.expose_secret().trim().parse::<LinkToken>())
}

/// The error for a link that is not good.
pub(super) fn bad_token() -> FieldErrors {
    FieldErrors::one("token", Invalid::LinkNotValid)
}

/// Confirms the user's e-mail address by a link that was mailed to it (rule 9.4). `snapshot` is that of the token's user, if there is
/// one.
///
/// # Errors
/// Invalid fields, if the token is not good, or no longer.
pub fn confirm_email(
    snapshot: Option<&Versioned<AccountSnapshot>>,
    token: &LinkToken,
    now: DateTime<Utc>,
) -> Result<Decision<AccountChange>, Error> {
    let purpose = LinkPurpose::EmailVerification;
    let snapshot = snapshot.filter(|found| has_link(&found.account.user, purpose, token.hash(), now)).ok_or_else(bad_token)?;
    let (stored, customer) = (&snapshot.account.user, snapshot.account.customer_id);
    let user = User { email_verified_at: Some(now), links: links_but(stored, purpose), ..stored.value.clone() };
    let event = Event {
        actor: Some(EventActor::from(&Actor::of(&snapshot.account))),
        ..Event::of_user(EventType::UserUpdated, stored.id, customer).changing(&(&stored.value, customer), &(&user, customer))
    };
    Ok(Decision::new(user_change(snapshot, user), [event]))
}
