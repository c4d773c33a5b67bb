//! Who somebody is (spec 3): passwords and tokens, and the decisions about users and customers.

mod password;
mod profile;
mod register;
mod session;
mod token;
mod update;

pub use password::{PasswordError, PasswordHash, PasswordHasher, PasswordParams, PasswordPolicyError};
pub use profile::{ProfileDraft, update_profile};
pub use register::{Registrant, RegistrationDraft, check_new_user, check_registration, read_new_user};
pub use session::{Session, session};
pub use token::{FIRST_EPOCH, NotAToken, Token, TokenHash, TokenText};
pub use update::{CheckedUpdate, UserDraft, check_update, deactivate, revoke_tokens};

use crate::error::Error;
use crate::id::{CustomerId, UserId};
use crate::model::{LoginName, Role};
use crate::permission::{Act, Actor, Grant, Resource};

/// Login names that are taken, and by whom.
pub type TakenNames = [(LoginName, UserId)];

/// Passes where the actor may do this to a user of this role; one that they may not see is not found.
fn require_right(actor: &Actor, act: Act, user: UserId, role: Role) -> Result<(), Error> {
    if actor.require(Resource::User, Act::Read)? == Grant::Own && actor.user() != Some(user) {
        return Err(Error::NotFound);
    }
    actor.require(Resource::User, act)?;
    if act != Act::Read && role.is_superuser() {
        actor.require(Resource::User, Act::GrantRoles)?;
    }
    Ok(())
}

/// Passes where the actor may read this user.
///
/// # Errors
/// [`Error::NotAuthenticated`], [`Error::NotFound`].
pub fn require_readable_user(actor: &Actor, user: UserId, role: Role) -> Result<(), Error> {
    require_right(actor, Act::Read, user, role)
}

/// Passes where the actor may read this customer.
///
/// # Errors
/// [`Error::NotAuthenticated`], [`Error::NotFound`].
pub fn require_readable_customer(actor: &Actor, customer: CustomerId) -> Result<(), Error> {
    match actor.require(Resource::Customer, Act::Read)? {
        Grant::Own if actor.customer() != Some(customer) => Err(Error::NotFound),
        _ => Ok(()),
    }
}
