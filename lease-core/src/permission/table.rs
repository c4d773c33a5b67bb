use super::Actor;

/// What is acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Resource {
    /// Logins.
    User,
    /// Trading parties.
    Customer,
    /// Means of payment.
    CreditCard,
    /// Address-book entries.
    Contact,
    /// Prospects.
    Lead,
    /// Vehicles.
    Vehicle,
    /// Services.
    Service,
    /// Trades.
    Trade,
    /// Proposals.
    Proposal,
    /// Invoices.
    Invoice,
    /// Payments.
    Payment,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Act {
    /// See one or many.
    Read,
    /// Make one.
    Create,
    /// Change one; of a trade, its words.
    Update,
    /// Delete or deactivate one.
    Delete,
    /// Accept, reject or withdraw a proposal.
    Decide,
    /// Call a trade off.
    Cancel,
    /// Drop an invoice.
    Void,
    /// Turn a lead into a customer's.
    Convert,
    /// Grant or take `is_staff` and `is_superuser`, or touch a superuser.
    GrantRoles,
}

/// The reach of a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub enum Grant {
    /// Not at all.
    None,
    /// To active services only.
    Active,
    /// To what is the actor's own; for reading, to what [visibility](super) says besides.
    Own,
    /// To everything.
    All,
}

/// The table of chapter 2. Superusers have the rights of staff and, over users, every right; so has the system.
#[expect(clippy::match_same_arms, reason = "a row a right, in the order of chapter 2")]
pub(super) fn grant(actor: &Actor, resource: Resource, act: Act) -> Grant {
    use Act::{Cancel, Convert, Create, Decide, Delete, GrantRoles, Read, Update, Void};
    use Grant::{Active, All, None, Own};
    use Resource::{Contact, CreditCard, Customer, Invoice, Lead, Payment, Proposal, Service, Trade, User, Vehicle};

    // One row a right: what customers have, then what staff have.
    let (customer, staff) = match (resource, act) {
        (User, Read | Update) => (Own, All),
        (User, Create | Delete) => (None, All),
        (User, GrantRoles) => return if matches!(actor, Actor::Superuser { .. } | Actor::System) { All } else { None },

        (Customer, Read | Update) => (Own, All),

        (CreditCard, Read) => (Own, All),
        (CreditCard, Create | Update | Delete) => (Own, None),

        (Contact, Read | Create | Update | Delete) => (Own, All),

        (Lead, Read | Create | Update | Delete | Convert) => (None, All),

        (Vehicle, Read | Update) => (Own, All),
        (Vehicle, Create | Delete) => (Own, None),

        (Service, Read) => (Active, All),
        (Service, Create | Update | Delete) => (None, All),

        (Trade, Read | Cancel) => (Own, All),
        (Trade, Create | Update) => (Own, None),

        (Proposal, Read) => (Own, All),
        (Proposal, Create | Decide) => (Own, None),

        (Invoice, Read) => (Own, All),
        (Invoice, Void) => (None, All),

        (Payment, Read) => (Own, All),
        (Payment, Create) => (Own, None),

        (
            User | Customer | CreditCard | Contact | Lead | Vehicle | Service | Trade | Proposal | Invoice | Payment,
            Create | Update | Delete | Decide | Cancel | Void | Convert | GrantRoles,
        ) => (None, None),
    };
    match actor {
        Actor::Anonymous if (resource, act) == (Service, Read) => Active,
        Actor::Anonymous | Actor::Gateway => None,
        Actor::Customer { .. } => customer,
        Actor::Staff { .. } | Actor::Superuser { .. } | Actor::System => staff,
    }
}
