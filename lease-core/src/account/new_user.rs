use chrono::{DateTime, Utc};

use crate::account::token::{REGISTRATION, token_created};
use crate::account::{FIRST_EPOCH, FirstToken, NewAccount, PasswordHash, TokenHash};
use crate::decision::Decision;
use crate::event::{Audience, Event, EventType, NewRow};
use crate::input::{Field, Form, Invalid};
use crate::model::{Annotations, Email, LoginName, NoticeSettings, Profile, Role, User, Username};
use crate::text;

/// The comparison keys of a draft's user name and e-mail address, as far as they are given.
pub(super) fn login_names(username: &Field<String>, email: &Field<String>) -> Vec<LoginName> {
    [username, email].into_iter().filter_map(Field::given).map(|name| LoginName::new(name)).collect()
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

    /// The user to be created. `token` is the hash and the expiry of a first token, if one is issued.
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
}

/// Parses a user name that no other user has.
pub(super) fn free_username(text: &str, is_taken: impl Fn(&LoginName) -> bool) -> Result<Username, Invalid> {
    let name = Username::parse(text)?;
    if is_taken(&name.key()) { Err(Invalid::Taken { kind: "user", field: "username" }) } else { Ok(name) }
}

/// Parses an e-mail address that no other user has.
pub(super) fn free_email(text: &str, is_taken: impl Fn(&LoginName) -> bool) -> Result<Email, Invalid> {
    let email = Email::parse(text)?;
    if is_taken(&email.key()) { Err(Invalid::Taken { kind: "user", field: "email" }) } else { Ok(email) }
}
