use crate::model::Account;

/// What a decision about a user reads.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountSnapshot {
    /// The user, with the customer behind it.
    pub account: Account,
    /// Whether anything hangs on its customer: a card, a contact, a lead converted to it, a vehicle, a trade, a proposal, an
    /// invoice, a payment. Deleted cards count.
    pub customer_in_use: bool,
    /// Whether another user is an active superuser.
    pub another_active_superuser: bool,
}
