use chrono::{DateTime, NaiveDate, Utc};
use secrecy::SecretString;

use crate::account::new_password::read_repeated;
use crate::account::password::check_password;
use crate::account::token::{REGISTRATION, token_created};
use crate::account::{FIRST_EPOCH, FirstToken, NewAccount, PasswordHash, ProfileDraft, TakenNames, TokenHash, UserDraft};
use crate::decision::Decision;
use crate::error::Error;
use crate::event::{Audience, Event, EventType, NewRow};
use crate::input::{Field, Form, Invalid, UpdateMode, draft};
use crate::model::{Annotations, Email, LoginName, NoticeSettings, Profile, Role, User, Username};
use crate::permission::{Act, Actor, Resource};
use crate::text;

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

    fn profile(&self) -> ProfileDraft {
        ProfileDraft { job: self.job.clone(), dob: self.dob.clone(), notes: self.notes.clone(), ..ProfileDraft::default() }
    }
}

/// The comparison keys of a draft's user name and e-mail address, as far as they are given.
pub(super) fn login_names(username: &Field<String>, email: &Field<String>) -> Vec<LoginName> {
    [username, email].into_iter().filter_map(Field::given).map(|name| LoginName::new(name)).collect()
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

/// The fields of a new user, valid, but for the password.
#[derive(Clone, Debug)]
pub(super) struct NewUser {
    pub(super) identity: Identity,
    pub(super) is_active: bool,
    pub(super) role: Role,
    pub(super) profile: Profile,
    pub(super) annotations: Annotations,
    pub(super) event_type: EventType,
    pub(super) only_first_superuser: bool,
}

impl NewUser {
    /// An active customer whom somebody else creates.
    pub(super) fn customer(identity: Identity, annotations: Annotations) -> Self {
        Self {
            identity,
            is_active: true,
            role: Role::Customer,
            profile: Profile::default(),
            annotations,
            event_type: EventType::UserCreated,
            only_first_superuser: false,
        }
    }

    /// As [`Registrant::into_new_account`].
    pub(super) fn into_new_account(
        self,
        password: PasswordHash,
        token: Option<(TokenHash, DateTime<Utc>)>,
        now: DateTime<Utc>,
    ) -> Decision<NewAccount> {
        let Identity { username, email, first_name, last_name } = self.identity;
        let account = NewAccount {
            user: User {
                username,
                email,
                first_name,
                last_name,
                password,
                is_active: self.is_active,
                role: self.role,
                date_joined: now,
                last_login: None,
                token_epoch: FIRST_EPOCH,
                email_verified_at: None,
                links: Vec::new(),
                notices: NoticeSettings::default(),
                annotations: self.annotations,
            },
            profile: (self.role == Role::Customer).then_some(self.profile),
            token: token.map(|(hash, expires_at)| FirstToken { hash, name: REGISTRATION.to_owned(), expires_at }),
            only_first_superuser: self.only_first_superuser,
        };
        let events = events(&account, self.event_type);
        Decision::new(account, events)
    }
}

/// What happens when an account is created.
fn events(account: &NewAccount, event_type: EventType) -> Vec<Event> {
    let user = &account.user;
    let created = Event::new(event_type, NewRow::User, Audience::User(NewRow::User.into()))
        .optional_id("customer_id", account.profile.as_ref().map(|_| NewRow::Customer))
        .fact("is_active", user.is_active)
        .fact("is_staff", user.role.is_staff())
        .fact("is_superuser", user.role.is_superuser());
    let token = account.token.as_ref().map(|token| token_created(NewRow::User, &token.name, token.expires_at));
    std::iter::once(created).chain(token).collect()
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
    let profile = draft.profile().read(&mut form, None, today);
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
    let profile = draft.profile().read(&mut form, None, today);
    let annotations = draft.annotations().read(&mut form, None, "user", taken.has_external_id(None));
    let (Some(identity), Some(password), Some(profile), Some(annotations)) = (identity, password, profile, annotations) else {
        return Err(form.errors.into());
    };
    form.finish()?;
    Ok(Registrant { user: NewUser { is_active, role, profile, ..NewUser::customer(identity, annotations) }, password })
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

/// The names of a user.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) username: Username,
    pub(super) email: Option<Email>,
    pub(super) first_name: String,
    pub(super) last_name: String,
}

impl Identity {
    pub(super) fn of(user: &User) -> Self {
        Self {
            username: user.username.clone(),
            email: user.email.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
        }
    }
}

/// The names of a user, as given in a draft.
#[derive(Clone, Copy)]
pub(super) struct IdentityDraft<'a> {
    pub(super) username: &'a Field<String>,
    pub(super) email: &'a Field<String>,
    pub(super) first_name: &'a Field<String>,
    pub(super) last_name: &'a Field<String>,
}

impl IdentityDraft<'_> {
    /// Reads the names; `is_taken` says whether another user has a login name.
    pub(super) fn read(
        &self,
        form: &mut Form,
        current: Option<&Identity>,
        is_taken: impl Fn(&LoginName) -> bool,
    ) -> Option<Identity> {
        let username =
            form.required("username", self.username, current.map(|now| &now.username), |name| free_username(name, &is_taken));
        let email =
            form.required("email", self.email, current.map(|now| &now.email), |email| free_email(email, &is_taken).map(Some));
        let first_name =
            form.required("first_name", self.first_name, current.map(|now| &now.first_name), |name| text::name(name));
        let last_name = form.required("last_name", self.last_name, current.map(|now| &now.last_name), |name| text::name(name));
        Some(Identity { username: username?, email: email?, first_name: first_name?, last_name: last_name? })
    }

    /// The names to which a password may not be similar: the new ones, each preceded by its description.
    pub(super) fn likes<'b>(&'b self, current: Option<&'b Identity>) -> Vec<(&'static str, &'b str)> {
        let or = |field: &'b Field<String>, now: Option<&'b str>| field.given().map(String::as_str).or(now).unwrap_or_default();
        vec![
            ("username", or(self.username, current.map(|now| now.username.as_str()))),
            ("email", or(self.email, current.and_then(|now| now.email.as_ref()).map(Email::as_str))),
            ("first name", or(self.first_name, current.map(|now| now.first_name.as_str()))),
            ("last name", or(self.last_name, current.map(|now| now.last_name.as_str()))),
        ]
    }
}

/// Parses a user name that no other user has.
pub(super) fn free_username(text: &str, is_taken: impl Fn(&LoginName) -> bool) -> Result<Username, Invalid> {
    let name = Username::parse(text)?;
    if is_taken(&name.key()) { Err(Invalid::Taken { kind: "user", name: "username" }) } else { Ok(name) }
}

/// Parses an e-mail address that no other user has.
pub(super) fn free_email(text: &str, is_taken: impl Fn(&LoginName) -> bool) -> Result<Email, Invalid> {
    let email = Email::parse(text)?;
    if is_taken(&email.key()) { Err(Invalid::Taken { kind: "user", name: "email" }) } else { Ok(email) }
}

fn read_password(form: &mut Form, field: &Field<SecretString>, names: &IdentityDraft<'_>) -> Option<SecretString> {
    let password = form.required("password", field, None, |password| Ok::<_, Invalid>(password.clone()))?;
    note_policy_errors(form, &password, &names.likes(None)).then_some(password)
}

/// Adds an error for every reason to reject the password. Returns whether there was none.
pub(super) fn note_policy_errors(form: &mut Form, password: &SecretString, likes: &[(&'static str, &str)]) -> bool {
    let errors = check_password(password, likes);
    let is_accepted = errors.is_empty();
    for error in errors {
        form.errors.add("password", error);
    }
    is_accepted
}
