use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::account::new_user::{Identity, NewUser, free_email, free_username, login_names};
use crate::account::{NewAccount, PasswordHash, TakenNames};
use crate::annotating::AnnotationsDraft;
use crate::decision::Decision;
use crate::error::Error;
use crate::input::{Field, Form, Invalid, UpdateMode};
use crate::model::{ExternalId, LoginName, Username};
use crate::permission::{Act, Actor, Resource};
use crate::text;

/// A customer who is a user of an app that embeds the engine and logs its users in by itself.
///
/// ```
/// # use lease_core::account::NewCustomer;
/// let customer = NewCustomer { external_id: "42".into(), first_name: "Ada".into(), ..NewCustomer::default() };
/// ```
#[derive(Clone, Debug, Default)]
pub struct NewCustomer {
    /// What the app calls its user; no other user has the same. Required.
    pub external_id: Field<String>,
    /// The user name. Without one the user gets `user-` and 32 random digits, which nobody else can have taken before.
    pub username: Field<String>,
    /// The e-mail address; who has none gets no mails.
    pub email: Field<String>,
    /// Given name.
    pub first_name: Field<String>,
    /// Family name.
    pub last_name: Field<String>,
    /// What the app keeps with the user.
    pub metadata: Field<Map<String, Value>>,
}

impl NewCustomer {
    /// The comparison keys of the user name and e-mail address, as far as they are given.
    #[must_use]
    pub fn login_names(&self) -> Vec<LoginName> {
        login_names(&self.username, &self.email)
    }

    /// The external id, if it is given and valid.
    #[must_use]
    pub fn wanted_external_id(&self) -> Option<ExternalId> {
        self.annotations().wanted_id()
    }

    const fn annotations(&self) -> AnnotationsDraft<'_> {
        AnnotationsDraft { external_id: &self.external_id, metadata: &self.metadata }
    }
}

/// Creates a customer who has no password: no password logs them in. `random` makes the user name where none is given.
///
/// # Errors
/// [`Error::PermissionDenied`]; invalid fields, among them an external id that another user has.
pub fn create_customer(
    actor: &Actor,
    draft: &NewCustomer,
    taken: &TakenNames,
    random: [u8; 16],
    now: DateTime<Utc>,
) -> Result<Decision<NewAccount>, Error> {
    actor.require(Resource::User, Act::Create)?;
    let mut form = Form::new(UpdateMode::Full);
    form.required("external_id", &draft.external_id, None, |_| Ok::<_, Invalid>(()));
    let identity = read_identity(&mut form, draft, taken, random);
    let annotations = draft.annotations().read(&mut form, None, "user", taken.has_external_id(None));
    let (Some(identity), Some(annotations)) = (identity, annotations) else { return Err(form.errors.into()) };
    form.finish()?;
    Ok(NewUser::customer(identity, annotations).into_new_account(PasswordHash::unusable(), None, now))
}

fn read_identity(form: &mut Form, draft: &NewCustomer, taken: &TakenNames, random: [u8; 16]) -> Option<Identity> {
    let made = Username::from_stored(format!("user-{}", hex::encode(random)));
    let is_taken = |name: &LoginName| taken.has_login(name, None);
    let username = form.optional("username", &draft.username, None, made, |name| free_username(name, is_taken));
    let email = form.optional("email", &draft.email, None, None, |email| free_email(email, is_taken).map(Some));
    let first_name = form.optional("first_name", &draft.first_name, None, String::new(), |name| text::line(name));
    let last_name = form.optional("last_name", &draft.last_name, None, String::new(), |name| text::line(name));
    Some(Identity { username: username?, email: email?, first_name: first_name?, last_name: last_name? })
}
