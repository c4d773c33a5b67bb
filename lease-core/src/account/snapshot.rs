use crate::model::Account;

/// The snapshot that a decision about a user reads.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountSnapshot {
    /// The user, with the id of its customer.
    pub account: Account,
    /// Whether any row refers to its customer: a card, a contact, a lead converted to it, a vehicle, a trade, a proposal, an
    /// invoice or a payment. Deleted cards count.
    pub customer_in_use: bool,
    /// Whether another user is an active superuser.
    pub another_active_superuser: bool,
}
