//! Permissions (chapter 2): the [`Actor`], one table of rights, and the predicates for visibility.
//!
//! Every decision asks [`Actor::grant`] (the table) and, if the grant is [`Grant::Own`], whether the object belongs to the
//! actor. [`visibility`](self) decides whether an object may be seen at all: by a predicate for a single object, and by the
//! `visible_to` of a filter for a list.

mod table;
mod visibility;

pub use table::{Act, Grant, Resource};
pub use visibility::{
    can_view_client_secret, can_view_days, can_view_invoice, can_view_payment, can_view_proposal, can_view_refund,
    can_view_trade, can_view_vehicle,
};

use crate::error::Error;
use crate::id::{CustomerId, UserId};
use crate::model::{Account, Role};
use crate::policy::Policy;

/// The actor: the one on whose behalf a command or a query is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Somebody who is not logged in.
    Anonymous,
    /// An active user who is not administrative, and its customer.
    Customer {
        /// The user.
        user: UserId,
        /// The customer that belongs to the user.
        customer: CustomerId,
    },
    /// A customer who has to confirm the e-mail address before doing anything but reading (rule 9.4).
    Unverified {
        /// The user.
        user: UserId,
        /// The customer that belongs to the user.
        customer: CustomerId,
    },
    /// An administrative user.
    Staff {
        /// The user.
        user: UserId,
    },
    /// An administrative user who may do everything.
    Superuser {
        /// The user.
        user: UserId,
    },
    /// The program itself: its background work, the start-up tasks that its operator configures, and what an app that embeds the engine
    /// does on nobody's behalf. It sees everything, has the rights of a superuser, and is recorded as `system`. No request is ever the
    /// system's.
    System,
    /// The payment gateway, which reports the outcome of a charge.
    Gateway,
}

impl Actor {
    /// The actor for an active account. An account with the role of a customer but without a customer is anonymous.
    #[must_use]
    pub const fn of(account: &Account) -> Self {
        Self::of_user(account.user.id, account.user.value.role, account.customer_id)
    }

    /// The actor for an active user with this role and customer. A user with the role of a customer but without a customer is
    /// anonymous.
    #[must_use]
    pub const fn of_user(user: UserId, role: Role, customer: Option<CustomerId>) -> Self {
        match (role, customer) {
            (Role::Customer, Some(customer)) => Self::Customer { user, customer },
            (Role::Customer, None) => Self::Anonymous,
            (Role::Staff, _) => Self::Staff { user },
            (Role::Superuser, _) => Self::Superuser { user },
        }
    }

    /// The actor for an active account under this policy: one whose e-mail address must be confirmed and is not can only read. Who has
    /// no address has none to confirm.
    #[must_use]
    pub fn under(policy: &Policy, account: &Account) -> Self {
        let is_unconfirmed = account.user.email.is_some() && account.user.email_verified_at.is_none();
        match Self::of(account) {
            Self::Customer { user, customer } if policy.require_verified_email && is_unconfirmed => {
                Self::Unverified { user, customer }
            }
            actor => actor,
        }
    }

    /// The customer, if the actor is one.
    #[must_use]
    pub const fn customer(&self) -> Option<CustomerId> {
        match self {
            Self::Customer { customer, .. } | Self::Unverified { customer, .. } => Some(*customer),
            Self::Anonymous | Self::Staff { .. } | Self::Superuser { .. } | Self::System | Self::Gateway => None,
        }
    }

    /// The user, if the actor is one.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::Customer { user, .. } | Self::Unverified { user, .. } | Self::Staff { user } | Self::Superuser { user } => {
                Some(*user)
            }
            Self::Anonymous | Self::System | Self::Gateway => None,
        }
    }

    /// The role, if the actor is a user.
    #[must_use]
    pub const fn role(&self) -> Option<Role> {
        match self {
            Self::Customer { .. } | Self::Unverified { .. } => Some(Role::Customer),
            Self::Staff { .. } => Some(Role::Staff),
            Self::Superuser { .. } => Some(Role::Superuser),
            Self::Anonymous | Self::System | Self::Gateway => None,
        }
    }

    /// The grant that the table gives the actor.
    #[must_use]
    pub fn grant(&self, resource: Resource, act: Act) -> Grant {
        table::grant(self, resource, act)
    }

    /// Returns the grant, if the table grants the actor anything at all.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`] for an anonymous actor, [`Error::EmailNotVerified`] for a customer who would have the right once the
    /// address is confirmed, [`Error::PermissionDenied`] for any other without the right.
    pub fn require(&self, resource: Resource, act: Act) -> Result<Grant, Error> {
        match (self.grant(resource, act), self) {
            (Grant::None, Self::Anonymous) => Err(Error::NotAuthenticated),
            (Grant::None, Self::Unverified { user, customer }) => {
                Self::Customer { user: *user, customer: *customer }.require(resource, act)?;
                Err(Error::EmailNotVerified)
            }
            (Grant::None, _) => Err(Error::PermissionDenied),
            (grant, _) => Ok(grant),
        }
    }

    /// Succeeds unless the actor has to confirm the e-mail address first (rule 9.4).
    ///
    /// # Errors
    /// [`Error::EmailNotVerified`].
    pub(crate) const fn require_confirmed_address(&self) -> Result<(), Error> {
        if matches!(self, Self::Unverified { .. }) { Err(Error::EmailNotVerified) } else { Ok(()) }
    }

    /// Succeeds if the actor may see an object: either every object of its kind, or this one according to `can_view`.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`], [`Error::PermissionDenied`] if the actor may see no object of the kind, [`Error::NotFound`]
    /// if the actor may not see this one.
    pub(crate) fn require_view(&self, resource: Resource, can_view: impl FnOnce(CustomerId) -> bool) -> Result<(), Error> {
        match self.require(resource, Act::Read)? {
            Grant::All => Ok(()),
            _ if self.customer().is_some_and(can_view) => Ok(()),
            _ => Err(Error::NotFound),
        }
    }

    /// Succeeds if the actor may read every object of these kinds.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`], [`Error::PermissionDenied`].
    pub(crate) fn require_all_of(&self, resources: &[Resource]) -> Result<(), Error> {
        resources.iter().try_for_each(|resource| match self.require(*resource, Act::Read)? {
            Grant::All => Ok(()),
            _ => Err(Error::PermissionDenied),
        })
    }

    /// Succeeds if the actor may do this to an object that they may see: either to every object of its kind, or to this one
    /// according to `is_own`.
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

    /// The actor's customer, if the actor is a customer and may do this.
    pub(crate) fn require_customer(&self, resource: Resource, act: Act) -> Result<CustomerId, Error> {
        self.require(resource, act)?;
        self.customer().ok_or(Error::PermissionDenied)
    }
}
