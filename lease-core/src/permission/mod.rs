//! Who may do what (chapter 2): [`Actor`], one table, and what may be seen.
//!
//! Every decision asks [`Actor::grant`] (the table) and, where the grant is [`Grant::Own`], whether the thing is the
//! actor's. Whether something may be seen at all is in [`visibility`](self): a predicate for one thing, and the
//! `visible_to` of a list's filter for many.

mod table;
mod visibility;

pub use table::{Act, Grant, Resource};
pub use visibility::{can_view_invoice, can_view_payment, can_view_proposal, can_view_trade, can_view_vehicle};

use crate::error::Error;
use crate::id::{CustomerId, UserId};
use crate::model::{Account, Role};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Nobody known.
    Anonymous,
    /// An active user that does not administer, and the customer behind it.
    Customer {
        /// The login.
        user: UserId,
        /// The trading party.
        customer: CustomerId,
    },
    /// An administrative user.
    Staff {
        /// The login.
        user: UserId,
    },
    /// An administrative user who may do everything.
    Superuser {
        /// The login.
        user: UserId,
    },
    /// The program itself: what it does in the background, and what its operator tells it to do at the start.
    System,
    /// The payment gateway, telling what became of a charge.
    Gateway,
}

impl Actor {
    /// The actor that an active account is. A customer's account without a customer is nobody.
    #[must_use]
    pub const fn of(account: &Account) -> Self {
        Self::of_user(account.user.id, account.user.value.role, account.customer_id)
    }

    /// The actor that an active user of this role is, with the customer behind it. A customer's user without a customer is nobody.
    #[must_use]
    pub const fn of_user(user: UserId, role: Role, customer: Option<CustomerId>) -> Self {
        match (role, customer) {
            (Role::Customer, Some(customer)) => Self::Customer { user, customer },
            (Role::Customer, None) => Self::Anonymous,
            (Role::Staff, _) => Self::Staff { user },
            (Role::Superuser, _) => Self::Superuser { user },
        }
    }

    /// The customer, where the actor is one.
    #[must_use]
    pub const fn customer(&self) -> Option<CustomerId> {
        match self {
            Self::Customer { customer, .. } => Some(*customer),
            Self::Anonymous | Self::Staff { .. } | Self::Superuser { .. } | Self::System | Self::Gateway => None,
        }
    }

    /// The user, where somebody is known.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::Customer { user, .. } | Self::Staff { user } | Self::Superuser { user } => Some(*user),
            Self::Anonymous | Self::System | Self::Gateway => None,
        }
    }

    /// What the table grants.
    #[must_use]
    pub fn grant(&self, resource: Resource, act: Act) -> Grant {
        table::grant(self, resource, act)
    }

    /// Passes where the table grants anything at all, and returns the grant.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`] for nobody, [`Error::PermissionDenied`] for somebody without the right.
    pub fn require(&self, resource: Resource, act: Act) -> Result<Grant, Error> {
        match (self.grant(resource, act), self) {
            (Grant::None, Self::Anonymous) => Err(Error::NotAuthenticated),
            (Grant::None, _) => Err(Error::PermissionDenied),
            (grant, _) => Ok(grant),
        }
    }

    /// Passes where the actor may see a thing: all of its kind, or this one, as `can_view` says of a customer.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`], [`Error::PermissionDenied`] where the kind is closed to the actor, [`Error::NotFound`] where
    /// just this one is.
    pub(crate) fn require_view(&self, resource: Resource, can_view: impl FnOnce(CustomerId) -> bool) -> Result<(), Error> {
        match self.require(resource, Act::Read)? {
            Grant::All => Ok(()),
            _ if self.customer().is_some_and(can_view) => Ok(()),
            _ => Err(Error::NotFound),
        }
    }

    /// Passes where the actor may do this to a thing that they may see: to all of its kind, or to this one, as `is_own` says of a
    /// customer.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`], [`Error::PermissionDenied`].
    pub(crate) fn require_own(&self, resource: Resource, act: Act, is_own: impl FnOnce(CustomerId) -> bool) -> Result<(), Error> {
        match self.require(resource, act)? {
            Grant::All => Ok(()),
            _ if self.customer().is_some_and(is_own) => Ok(()),
            _ => Err(Error::PermissionDenied),
        }
    }

    /// The customer that the actor must be to do this.
    pub(crate) fn require_customer(&self, resource: Resource, act: Act) -> Result<CustomerId, Error> {
        self.require(resource, act)?;
        self.customer().ok_or(Error::PermissionDenied)
    }
}
