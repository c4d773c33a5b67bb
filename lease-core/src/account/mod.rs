//! Accounts (chapter 3): passwords (a feature), tokens, and the decisions about users and customers.

mod changes;
mod email_verification;
mod link;
mod new_user;
mod notices;
mod own_token;
mod own_users;
#[cfg(feature = "passwords")]
mod passwords;
mod profile;
mod session;
mod snapshot;
mod token;
mod update;

pub use changes::{AccountChange, CustomerChange, FirstToken, Login, NewAccount, PasswordRenewal, TokenRevocation};
pub use email_verification::{EmailConfirmationDraft, confirm_email};
pub use link::{LinkToken, NewLink, add_link};
pub use notices::{NoticeSettingsDraft, choose_notices};
pub use own_token::{TokenDraft, create_token, revoke_listed_token, revoke_token};
pub use own_users::{NewCustomer, create_customer};
#[cfg(feature = "passwords")]
pub(crate) use passwords::PasswordWork;
#[cfg(feature = "passwords")]
pub use passwords::{
    PasswordChangeDraft, PasswordConfirmationDraft, PasswordError, PasswordHasher, PasswordParams, PasswordResetDraft,
    Registrant, RegistrationDraft, Verified, account_to_reset, check_first_superuser, check_login, check_new_user,
    check_password_change, check_password_reset, check_registration, check_repeated_registration, log_in, password_to_verify,
};
pub use profile::{ProfileDraft, update_profile};
pub use session::{Session, check_session, console_session, session};
pub(crate) use session::{check_actor, current_actor};
pub use snapshot::AccountSnapshot;
pub(crate) use token::expiry;
pub use token::{FIRST_EPOCH, NotAToken, Token, TokenHash, TokenText, TokenUse};
pub use update::{CheckedUpdate, CurrentPassword, Presented, UserDraft, check_update, deactivate, revoke_tokens};

pub use crate::model::PasswordHash;

use crate::error::Error;
use crate::id::{CustomerId, UserId};
use crate::model::{LoginName, Role};
use crate::permission::{Act, Actor, Grant, Resource};

/// What of the names in a draft is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenNames {
    /// The login names, each with the user who has it.
    pub logins: Vec<(LoginName, UserId)>,
    /// The user who has the external id.
    pub external_id: Option<UserId>,
}

impl TakenNames {
    /// Whether another user has a login name; `own` is the user who may have it.
    fn has_login(&self, name: &LoginName, own: Option<UserId>) -> bool {
        self.logins.iter().any(|(other, owner)| other == name && Some(*owner) != own)
    }

    /// Whether another user has the external id; `own` is the user who may have it.
    fn has_external_id(&self, own: Option<UserId>) -> bool {
        self.external_id.is_some_and(|owner| Some(owner) != own)
    }
}

/// Succeeds if the actor may see this user.
///
/// # Errors
/// [`Error::NotAuthenticated`], [`Error::NotFound`].
pub fn require_visible_user(actor: &Actor, user: UserId) -> Result<(), Error> {
    match actor.require(Resource::User, Act::Read)? {
        Grant::All => Ok(()),
        _ if actor.user() == Some(user) => Ok(()),
        _ => Err(Error::NotFound),
    }
}

/// Succeeds if the actor may change their own user, who is this one.
///
/// # Errors
/// [`Error::NotAuthenticated`]; [`Error::NotFound`] if it is another user.
pub(crate) fn require_own_user(actor: &Actor, user: UserId) -> Result<(), Error> {
    actor.require(Resource::User, Act::Update)?;
    if actor.user() == Some(user) { Ok(()) } else { Err(Error::NotFound) }
}

/// Succeeds if the actor may see this customer.
///
/// # Errors
/// [`Error::NotAuthenticated`], [`Error::NotFound`].
pub fn require_visible_customer(actor: &Actor, customer: CustomerId) -> Result<(), Error> {
    actor.require_view(Resource::Customer, |own| own == customer)
}

/// Succeeds if the actor may do this to a user of this role. Only an actor who may grant roles may change a superuser.
fn require_act_on_user(actor: &Actor, act: Act, user: UserId, role: Role) -> Result<(), Error> {
    require_visible_user(actor, user)?;
    actor.require(Resource::User, act)?;
    if role.is_superuser() {
        actor.require(Resource::User, Act::GrantRoles)?;
    }
    Ok(())
}
