use chrono::{DateTime, NaiveDate, Utc};
use secrecy::SecretString;

use super::new_password::read_repeated;
use super::policy::check_password;
use crate::account::new_user::{Identity, IdentityDraft, NewUser, login_names};
use crate::account::{NewAccount, PasswordHash, ProfileDraft, TakenNames, TokenHash, UserDraft};
use crate::decision::Decision;
use crate::error::Error;
use crate::event::EventType;
use crate::input::{Field, Form, UpdateMode, as_given, draft};
use crate::model::{Annotations, Email, LoginName, Role};
use crate::permission::{Act, Actor, Resource};

draft! {
    /// The fields for registering.
    pub struct RegistrationDraft as RegistrationInput {
        /// The name to log in with; unique, ignoring case.
        pub username: Field<String> as required Username,
        /// The password.
        pub password: Field<SecretString> as required Password,
        /// The same password again.
        pub password2: Field<SecretString> as required Password,
        /// The e-mail address; unique, ignoring case.
        pub email: Field<String> as required EmailAddress,
        /// Given name.
        pub first_name: Field<String> as required Name like "Ada",
        /// Family name.
        pub last_name: Field<String> as required Name like "Lovelace",
        /// Occupation.
        pub job: Field<String> as nullable Line like "Engineer",
        /// Date of birth, in the past.
        pub dob: Field<NaiveDate> as nullable DateInput like "1990-12-31",
        /// Anything else worth knowing.
        pub notes: Field<String> as nullable FreeText like "Prefers to be called in the evening.",
    }
}

impl RegistrationDraft {
    /// The comparison keys of the user name and e-mail address, as far as they are given.
    #[must_use]
    pub fn login_names(&self) -> Vec<LoginName> {
        login_names(&self.username, &self.email)
    }
}

/// A new user whose fields are valid; only the hash of the password is missing.
#[derive(Clone, Debug)]
pub struct Registrant {
    user: NewUser,
    /// The password to hash.
    pub password: SecretString,
}

impl Registrant {
    /// The user to be created. `token` is the hash and the expiry of a first token, if one is issued.
    #[must_use]
    pub fn into_new_account(
        self,
        password: PasswordHash,
        token: Option<(TokenHash, DateTime<Utc>)>,
        now: DateTime<Utc>,
    ) -> Decision<NewAccount> {
        self.user.into_new_account(password, token, now)
    }
}

/// Checks a registration (rule 3.1). Anybody may register; fields such as `is_staff` are ignored.
///
/// # Errors
/// Invalid fields.
pub fn check_registration(draft: &RegistrationDraft, taken: &TakenNames, today: NaiveDate) -> Result<Registrant, Error> {
    let mut form = Form::new(UpdateMode::Full);
    let names = IdentityDraft {
        username: &draft.username,
        email: &draft.email,
        first_name: &draft.first_name,
        last_name: &draft.last_name,
    };
    let identity = names.read(&mut form, None, |name| taken.has_login(name, None));
    let password = read_password(&mut form, &draft.password, &names);
    read_repeated(&mut form, &draft.password2, &draft.password);
    let profile = profile(&draft.job, &draft.dob, &draft.notes).read(&mut form, None, today);
    let (Some(identity), Some(password), Some(profile)) = (identity, password, profile) else { return Err(form.errors.into()) };
    form.finish()?;
    let customer = NewUser::customer(identity, Annotations::default());
    Ok(Registrant { user: NewUser { profile, event_type: EventType::UserRegistered, ..customer }, password })
}

/// Checks a user that somebody else creates (rule 3.4): staff may create customers; superusers and the system may also create
/// administrative users.
///
/// # Errors
/// [`Error::PermissionDenied`]; invalid fields.
pub fn check_new_user(actor: &Actor, draft: &UserDraft, taken: &TakenNames, today: NaiveDate) -> Result<Registrant, Error> {
    actor.require(Resource::User, Act::Create)?;
    if draft.role_flags(Role::Customer) != Role::Customer {
        actor.require(Resource::User, Act::GrantRoles)?;
    }
    let mut form = Form::new(UpdateMode::Full);
    let names = draft.identity();
    let identity = names.read(&mut form, None, |name| taken.has_login(name, None));
    let password = read_password(&mut form, &draft.password, &names);
    let (is_active, role) = draft.read_flags(&mut form, true, Role::Customer);
    let profile = profile(&draft.job, &draft.dob, &draft.notes).read(&mut form, None, today);
    let annotations = draft.annotations().read(&mut form, None, "user", taken.has_external_id(None));
    let (Some(identity), Some(password), Some(profile), Some(annotations)) = (identity, password, profile, annotations) else {
        return Err(form.errors.into());
    };
    form.finish()?;
    Ok(Registrant { user: NewUser { is_active, role, profile, ..NewUser::customer(identity, annotations) }, password })
}

/// The profile of a new customer, as given in a draft.
fn profile(job: &Field<String>, dob: &Field<NaiveDate>, notes: &Field<String>) -> ProfileDraft {
    ProfileDraft { job: job.clone(), dob: dob.clone(), notes: notes.clone(), ..ProfileDraft::default() }
}

/// Checks the superuser that the operator has set for a store without one (rule 7.2). Where another active superuser comes first,
/// it is not created.
///
/// # Errors
/// Invalid fields.
pub fn check_first_superuser(draft: &UserDraft, taken: &TakenNames, today: NaiveDate) -> Result<Registrant, Error> {
    let draft = UserDraft { is_superuser: true.into(), ..draft.clone() };
    let registrant = check_new_user(&Actor::System, &draft, taken, today)?;
    Ok(Registrant { user: NewUser { only_first_superuser: true, ..registrant.user }, ..registrant })
}

impl IdentityDraft<'_> {
    /// The names to which a password may not be similar: the new ones, each preceded by the name of its field.
    pub(in crate::account) fn likes<'b>(&'b self, current: Option<&'b Identity>) -> Vec<(&'static str, &'b str)> {
        let or = |field: &'b Field<String>, now: Option<&'b str>| field.given().map(String::as_str).or(now).unwrap_or_default();
        vec![
            ("username", or(self.username, current.map(|now| now.username.as_str()))),
            ("email", or(self.email, current.and_then(|now| now.email.as_ref()).map(Email::as_str))),
            ("first_name", or(self.first_name, current.map(|now| now.first_name.as_str()))),
            ("last_name", or(self.last_name, current.map(|now| now.last_name.as_str()))),
        ]
    }
}

fn read_password(form: &mut Form, field: &Field<SecretString>, names: &IdentityDraft<'_>) -> Option<SecretString> {
    let password = form.required("password", field, None, as_given)?;
    note_policy_errors(form, &password, &names.likes(None)).then_some(password)
}

/// Adds an error for every reason to reject the password. Returns whether there was none.
pub(in crate::account) fn note_policy_errors(form: &mut Form, password: &SecretString, likes: &[(&'static str, &str)]) -> bool {
    let errors = check_password(password, likes);
    let is_accepted = errors.is_empty();
    for error in errors {
        form.errors.add("password", error);
    }
    is_accepted
}
