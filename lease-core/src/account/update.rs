use chrono::{DateTime, NaiveDate, Utc};
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::account::link::links_but;
use crate::account::new_user::{Identity, IdentityDraft, login_names};
use crate::account::{AccountChange, AccountSnapshot, CustomerChange, PasswordHash, TakenNames, TokenHash, require_act_on_user};
use crate::annotating::AnnotationsDraft;
use crate::decision::Decision;
use crate::error::{Error, Refusal};
use crate::event::{Event, EventActor, EventType, NewRow};
use crate::id::{CustomerId, UserId, Versioned};
use crate::input::{Field, Form, Invalid, UpdateMode, as_given, draft, some_given};
use crate::model::{Account, Email, ExternalId, LinkPurpose, LoginName, Profile, Role, User};
use crate::permission::{Act, Actor, Resource};

draft! {
    /// The fields for creating or updating a user.
    pub struct UserDraft as NewUserInput {
        /// The name to log in with; unique, ignoring case.
        pub username: Field<String> as required Username like "grace",
        /// The e-mail address; unique, ignoring case.
        pub email: Field<String> as required EmailAddress like "grace@example.com",
        /// Given name.
        pub first_name: Field<String> as required Name like "Grace",
        /// Family name.
        pub last_name: Field<String> as required Name like "Hopper",
        /// The password. A new one revokes the user's other tokens.
        pub password: Field<SecretString> as required Password,
        /// The user's present password, where the operator asks customers for it with a new password or e-mail address.
        pub current_password: Field<SecretString> as nullable CurrentPassword,
        /// Whether the user may log in; true for a new user. Only staff may change it.
        pub is_active: Field<bool> as optional Flag,
        /// Whether the user is staff. Only superusers may grant or revoke this.
        pub is_staff: Field<bool> as optional Flag,
        /// Whether the user has every right, including those of staff. Only superusers may grant or revoke this.
        pub is_superuser: Field<bool> as optional Flag,
        /// Occupation. Used only for a new customer, as are `dob` and `notes`.
        pub job: Field<String> as nullable Line like "Instructor",
        /// Date of birth, in the past.
        pub dob: Field<NaiveDate> as nullable DateInput like "1985-06-30",
        /// Anything else worth knowing.
        pub notes: Field<String> as nullable FreeText like "Met at the fair.",
        /// What another system calls the user; unique.
        pub external_id: Field<String> as annotation ExternalIdInput,
        /// What the company keeps with the user.
        pub metadata: Field<Map<String, Value>> as annotation MetadataInput,
    }
}

impl UserDraft {
    /// The comparison keys of the user name and e-mail address, as far as they are given.
    #[must_use]
    pub fn login_names(&self) -> Vec<LoginName> {
        login_names(&self.username, &self.email)
    }

    pub(super) fn identity(&self) -> IdentityDraft<'_> {
        IdentityDraft { username: &self.username, email: &self.email, first_name: &self.first_name, last_name: &self.last_name }
    }

    /// The external id, if it is given and valid.
    #[must_use]
    pub fn wanted_external_id(&self) -> Option<ExternalId> {
        self.annotations().wanted_id()
    }

    pub(super) const fn annotations(&self) -> AnnotationsDraft<'_> {
        AnnotationsDraft { external_id: &self.external_id, metadata: &self.metadata }
    }

    /// Whether it gives another value to a field of one's own than the e-mail address.
    fn changes_more_than_the_address(&self, user: &User) -> bool {
        let changes = |field: &Field<String>, present: &str| field.given().is_some_and(|given| given != present);
        self.password.given().is_some()
            || changes(&self.username, user.username.as_str())
            || changes(&self.first_name, &user.first_name)
            || changes(&self.last_name, &user.last_name)
            || self.annotations().is_given()
    }

    /// The role that the flags in the draft mean for a user whose present role is `current`.
    pub(super) fn role_flags(&self, current: Role) -> Role {
        let is_superuser = self.is_superuser.given().copied().unwrap_or(current.is_superuser());
        // A superuser counts as staff: a demoted one stays staff only if `is_staff` is given as true.
        let was_staff = current == Role::Staff || (current.is_superuser() && self.is_staff.is_missing());
        let is_staff = self.is_staff.given().copied().unwrap_or(was_staff);
        Role::from_flags(is_staff, is_superuser)
    }

    pub(super) fn read_flags(&self, form: &mut Form, is_active: bool, role: Role) -> (bool, Role) {
        let active = form.required("is_active", &or_present(&self.is_active, is_active), None, as_given);
        form.required("is_staff", &or_present(&self.is_staff, role.is_staff()), None, as_given);
        form.required("is_superuser", &or_present(&self.is_superuser, role.is_superuser()), None, as_given);
        (active.unwrap_or(is_active), self.role_flags(role))
    }
}

/// A flag that keeps its present value if it is not given, even in a `PUT`.
fn or_present(field: &Field<bool>, present: bool) -> Field<bool> {
    if field.is_missing() { Field::Given(present) } else { field.clone() }
}

/// A change whose fields are valid; only the hash of a new password may be missing.
#[derive(Clone, Debug)]
pub struct CheckedUpdate {
    decision: Decision<AccountChange>,
    customer_id: Option<CustomerId>,
    keep_token: Option<TokenHash>,
    /// Whose act it is, if not that of the actor of the commit.
    actor: Option<EventActor>,
    /// The password to hash, if a new one is given.
    pub new_password: Option<SecretString>,
}

impl CheckedUpdate {
    /// A change of the password alone.
    #[cfg(feature = "passwords")]
    pub(super) fn of_password(
        change: AccountChange,
        snapshot: &AccountSnapshot,
        new_password: Option<SecretString>,
        keep_token: Option<TokenHash>,
        actor: Option<EventActor>,
    ) -> Self {
        let customer_id = snapshot.account.customer_id;
        Self { decision: Decision::new(change, []), customer_id, keep_token, actor, new_password }
    }

    /// The change, with the hash of the new password if there is one: a new password revokes the user's tokens except the one in
    /// use, and ends the links to set one.
    #[must_use]
    pub fn into_decision(mut self, password: Option<PasswordHash>) -> Decision<AccountChange> {
        if let Some(password) = password {
            self.decision.user.password = password;
            self.decision.user.token_epoch += 1;
            self.decision.user.links = links_but(&self.decision.user, LinkPurpose::PasswordReset);
            self.decision.keep_token = self.keep_token;
            let events = password_events(&self.decision, self.customer_id).map(|event| Event { actor: self.actor, ..event });
            self.decision.events.extend(events);
        }
        self.decision
    }
}

/// What whoever changes a user has presented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presented {
    /// The token with which the actor authenticated.
    pub token: Option<TokenHash>,
    /// The present password of the user.
    pub password: CurrentPassword,
}

/// What is known of the present password of a user whose password or e-mail address changes (rule 9.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CurrentPassword {
    /// It need not be given.
    #[default]
    NotAsked,
    /// It must be given, and was not.
    Missing,
    /// It was given wrong.
    Wrong,
    /// It was given right.
    Right,
}

impl CurrentPassword {
    /// Adds an error if it is needed and was not given right.
    fn demand(self, given: &Field<SecretString>, form: &mut Form) {
        let check = |_: &SecretString| if self == Self::Right { Ok(()) } else { Err(Invalid::PasswordWrong) };
        if self != Self::NotAsked {
            form.required("current_password", given, None, check);
        }
    }
}

/// Checks a change to a user (rule 3.5). A new password leaves the token that was presented valid.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::EmailNotVerified`]; [`Error::PermissionDenied`] for a change of `is_active`, `is_staff` or `is_superuser` without the right;
/// invalid fields; [`Refusal::LastSuperuser`], [`Refusal::CustomerInUse`].
pub fn check_update(
    snapshot: &Versioned<AccountSnapshot>,
    actor: &Actor,
    draft: &UserDraft,
    mode: UpdateMode,
    taken: &TakenNames,
    presented: Presented,
    now: DateTime<Utc>,
) -> Result<CheckedUpdate, Error> {
    let stored = &snapshot.account.user;
    require_act_on_user(actor, Act::Update, stored.id, stored.role)?;
    if draft.role_flags(stored.role) != stored.role {
        actor.require(Resource::User, Act::GrantRoles)?;
    }
    if draft.is_active.given().is_some_and(|asked| *asked != stored.is_active) {
        actor.require(Resource::User, Act::Delete)?;
    }

    if draft.changes_more_than_the_address(stored) {
        actor.require_confirmed_address()?;
    }

    let mut form = Form::new(mode);
    let current = Identity::of(stored);
    let names = draft.identity();
    let identity = names.read(&mut form, Some(&current), |name| taken.has_login(name, Some(stored.id)));
    let password = form.optional("password", &draft.password, None, None, some_given);
    if let Some(Some(password)) = &password {
        judge_password(&mut form, password, &names, &current);
    }
    let (is_active, role) = draft.read_flags(&mut form, stored.is_active, stored.role);
    let is_id_taken = taken.has_external_id(Some(stored.id));
    let annotations = draft.annotations().read(&mut form, Some(&stored.annotations), "user", is_id_taken);
    let changes_login = password.as_ref().is_some_and(Option::is_some)
        || identity.as_ref().is_some_and(|identity: &Identity| identity.email != stored.email);
    if changes_login {
        presented.password.demand(&draft.current_password, &mut form);
    }
    let (Some(identity), Some(new_password), Some(annotations)) = (identity, password, annotations) else {
        return Err(form.errors.into());
    };
    let Identity { username, email, first_name, last_name } = identity;
    form.finish()?;

    let token_epoch = stored.token_epoch + i64::from(stored.is_active && !is_active);
    let user = User { username, first_name, last_name, is_active, role, token_epoch, annotations, ..stored.value.clone() };
    let user = with_email(user, email);
    let change = change_of(snapshot, user, now)?;
    let events = update_events(&snapshot.account, &change);
    let decision = Decision::new(change, events);
    let keep_token = presented.token.filter(|_| actor.user() == Some(stored.id) && is_active);
    Ok(CheckedUpdate { decision, customer_id: snapshot.account.customer_id, keep_token, actor: None, new_password })
}

/// Adds an error for every reason to reject a new password.
#[cfg(feature = "passwords")]
fn judge_password(form: &mut Form, password: &SecretString, names: &IdentityDraft<'_>, current: &Identity) {
    super::passwords::note_policy_errors(form, password, &names.likes(Some(current)));
}

/// Where users have no passwords, none can be set.
#[cfg(not(feature = "passwords"))]
fn judge_password(form: &mut Form, _: &SecretString, _: &IdentityDraft<'_>, _: &Identity) {
    form.errors.add("password", Invalid::NoPasswords);
}

/// Deactivates a user and revokes their tokens (rule 3.4). Users are never deleted, because invoices refer to them.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; [`Refusal::LastSuperuser`].
pub fn deactivate(
    snapshot: &Versioned<AccountSnapshot>,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Decision<AccountChange>, Error> {
    let stored = &snapshot.account.user;
    require_act_on_user(actor, Act::Delete, stored.id, stored.role)?;
    let user = User { is_active: false, token_epoch: stored.token_epoch + 1, ..stored.value.clone() };
    let change = change_of(snapshot, user, now)?;
    let events = activity_events(&snapshot.account, &change);
    Ok(Decision::new(change, events))
}

/// Revokes all tokens of the actor's own user (rule 3.3).
///
/// # Errors
/// [`Error::NotFound`].
pub fn revoke_tokens(
    snapshot: &Versioned<AccountSnapshot>,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Decision<AccountChange>, Error> {
    let stored = &snapshot.account.user;
    if actor.user() != Some(stored.id) {
        return Err(Error::NotFound);
    }
    let user = User { token_epoch: stored.token_epoch + 1, ..stored.value.clone() };
    Ok(Decision::new(change_of(snapshot, user, now)?, [tokens_revoked(stored.id, "all")]))
}

/// The change that turns the snapshot's user into `user`, with its effects on the customer and the tokens, unless it is refused.
fn change_of(snapshot: &Versioned<AccountSnapshot>, user: User, now: DateTime<Utc>) -> Result<AccountChange, Error> {
    let stored = &snapshot.account.user;
    let needs_another_superuser = stored.is_active_superuser() && !user.is_active_superuser();
    if needs_another_superuser && !snapshot.another_active_superuser {
        return Err(Refusal::LastSuperuser.into());
    }
    let customer = match (snapshot.account.customer_id, user.role) {
        (Some(_), Role::Customer) | (None, Role::Staff | Role::Superuser) => CustomerChange::Keep,
        (None, Role::Customer) => CustomerChange::Create(Profile::default(), now),
        (Some(_), Role::Staff | Role::Superuser) if snapshot.customer_in_use => return Err(Refusal::CustomerInUse.into()),
        (Some(customer), Role::Staff | Role::Superuser) => CustomerChange::Delete(customer),
    };
    Ok(AccountChange { id: stored.id, expected: snapshot.version, user, customer, keep_token: None, needs_another_superuser })
}

/// What happens when a user changes: to its other fields, and then to its being active.
fn update_events(account: &Account, change: &AccountChange) -> Vec<Event> {
    let (stored, customer) = (&account.user, account.customer_id);
    let after = User { is_active: stored.is_active, ..change.user.clone() };
    let kept = customer.filter(|_| !matches!(change.customer, CustomerChange::Delete(_)));
    let mut updated =
        Event::of_user(EventType::UserUpdated, stored.id, customer).changing(&(&stored.value, customer), &(&after, kept));
    if matches!(change.customer, CustomerChange::Create(..)) {
        updated.changes.add_new("customer_id", NewRow::Customer);
    }
    let annotated =
        Event::of_user(EventType::UserUpdated, stored.id, customer).annotating(&stored.annotations, &change.user.annotations);
    updated.if_changed().into_iter().chain(annotated).chain(activity_events(account, change)).collect()
}

/// What happens when a user is deactivated, which revokes all tokens, or activated again.
fn activity_events(account: &Account, change: &AccountChange) -> Vec<Event> {
    let (stored, customer) = (&account.user, account.customer_id);
    let after = User { is_active: change.user.is_active, ..stored.value.clone() };
    let event =
        |event_type| Event::of_user(event_type, stored.id, customer).changing(&(&stored.value, customer), &(&after, customer));
    match (stored.is_active, change.user.is_active) {
        (true, false) => vec![event(EventType::UserDeactivated), tokens_revoked(stored.id, "all")],
        (false, true) => vec![event(EventType::UserReactivated)],
        (true, true) | (false, false) => Vec::new(),
    }
}

/// What happens when a password changes: the tokens, or all but the one in use, are revoked.
fn password_events(change: &AccountChange, customer: Option<CustomerId>) -> [Event; 2] {
    let mut changed = Event::of_user(EventType::UserPasswordChanged, change.id, customer);
    changed.changes.add_secret("password");
    let which = if change.keep_token.is_some() { "others" } else { "all" };
    [changed, tokens_revoked(change.id, which)]
}

fn tokens_revoked(user: UserId, which: &str) -> Event {
    Event::of_tokens(EventType::TokenRevoked, user).fact("tokens", which)
}

/// The user with this e-mail address. Another one than before is not confirmed, and a link to confirm the old one is not good any more
/// (rule 9.4). A link to set a password went to the old one as well.
fn with_email(user: User, email: Option<Email>) -> User {
    if user.email == email {
        return user;
    }
    User { email, email_verified_at: None, links: Vec::new(), ..user }
}
