use super::Actor;

/// A kind of object on which rights are granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Resource {
    /// Users.
    User,
    /// Tokens.
    Token,
    /// Customers.
    Customer,
    /// Credit cards.
    CreditCard,
    /// Contacts.
    Contact,
    /// Leads.
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
    /// Refunds.
    Refund,
    /// Events.
    Event,
    /// Webhook endpoints, and what is delivered to them.
    WebhookEndpoint,
    /// The test clock.
    TestClock,
}

/// An act for which rights are granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Act {
    /// See one, or a list.
    Read,
    /// Create one.
    Create,
    /// Change one; for a trade, its title and description; for an invoice, its due date.
    Update,
    /// Delete or deactivate one.
    Delete,
    /// Accept, reject or withdraw a proposal.
    Decide,
    /// Cancel a trade, or a payment that waits for its payer.
    Cancel,
    /// End the agreed days of a trade early.
    End,
    /// Void an invoice.
    Void,
    /// Write an invoice off.
    WriteOff,
    /// Convert a lead to a customer.
    Convert,
    /// Change what the company keeps with an object whose other fields are not the actor's to change.
    Annotate,
    /// Grant or revoke `is_staff` and `is_superuser`, or change a superuser.
    GrantRoles,
}

/// The extent of a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub enum Grant {
    /// No right.
    None,
    /// Only for active services.
    Active,
    /// Only for the actor's own objects; for reading, also for those that [visibility](super) allows.
    Own,
    /// For every object.
    All,
}

/// The table of chapter 2. Superusers and the system have the rights of staff and, for users and the test clock, every right.
#[expect(clippy::match_same_arms, reason = "one row for each right, in the order of chapter 2")]
pub(super) fn grant(actor: &Actor, resource: Resource, act: Act) -> Grant {
    use Act::{Annotate, Cancel, Convert, Create, Decide, Delete, End, GrantRoles, Read, Update, Void, WriteOff};
    use Grant::{Active, All, None, Own};
    use Resource::{
        Contact, CreditCard, Customer, Event, Invoice, Lead, Payment, Proposal, Refund, Service, TestClock, Token, Trade, User,
        Vehicle, WebhookEndpoint,
    };

    // One row for each right: the grant for customers, then the grant for staff.
    let (customer, staff) = match (resource, act) {
        (User, Read | Update) => (Own, All),
        (User, Create | Delete) => (None, All),
        (User, GrantRoles) | (TestClock, Read | Update) => {
            return if matches!(actor, Actor::Superuser { .. } | Actor::System) { All } else { None };
        }

        (Token, Read | Create | Delete) => (Own, Own),

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
        (Trade, Annotate) => (Own, All),
        (Trade, End) => (None, All),

        (Proposal, Read) => (Own, All),
        (Proposal, Create | Decide) => (Own, None),

        (Invoice, Read) => (Own, All),
        (Invoice, Update | Void | WriteOff) => (None, All),

        (Payment, Read | Cancel) => (Own, All),
        (Payment, Create) => (Own, None),

        (Refund, Read) => (Own, All),
        (Refund, Create) => (None, All),

        (Event, Read) => (Own, All),

        (WebhookEndpoint, Read | Create | Update | Delete) => (None, All),

        (
            User | Token | Customer | CreditCard | Contact | Lead | Vehicle | Service | Trade | Proposal | Invoice | Payment
            | Refund | Event | WebhookEndpoint | TestClock,
            Create | Update | Delete | Decide | Cancel | End | Void | WriteOff | Convert | Annotate | GrantRoles,
        ) => (None, None),
    };
    match actor {
        Actor::Anonymous if (resource, act) == (Service, Read) => Active,
        Actor::Anonymous | Actor::Gateway => None,
        // They may read, correct their address and log out.
        Actor::Unverified { .. } => match (resource, act) {
            (_, Read) | (User, Update) | (Token, Delete) => customer,
            _ => None,
        },
        Actor::Customer { .. } => customer,
        Actor::Staff { .. } | Actor::Superuser { .. } | Actor::System => staff,
    }
}
