use crate::error::Error;

/// Why a store did not do what it was asked. That something does not exist is no error: loads return `None`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// A row that the change was decided on has moved, or is gone, or something still hangs on a row to be deleted.
    /// Nothing was written; load and decide again.
    #[error("the row was changed meanwhile")]
    Conflict,
    /// The change would break a guarantee. Nothing was written; load and decide again.
    #[error("another change came first: {0}")]
    Taken(Guarantee),
    /// The store cannot be reached, or gave up after trying for a while. Whether a commit was written is not known.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A row makes no sense.
    #[error("corrupt row in {table}, id {id}: {reason}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row.
        id: i64,
        /// What is wrong with it; without secrets.
        reason: String,
    },
    /// Anything else: a fault in the store or in its use.
    #[error("the store failed")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<RepositoryError> for Error {
    fn from(error: RepositoryError) -> Self {
        match error {
            // A conflict that comes this far survived every retry.
            RepositoryError::Conflict | RepositoryError::Taken(_) | RepositoryError::Unavailable(_) => {
                Self::Unavailable(error.into())
            }
            RepositoryError::Corrupt { .. } | RepositoryError::Internal(_) => Self::Internal(error.into()),
        }
    }
}

/// What a store guarantees beside versions, whatever happens at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum Guarantee {
    /// No two users share a login name: neither user names nor e-mail addresses nor one of each.
    LoginName,
    /// An active superuser remains where a change asks for it.
    ActiveSuperuser,
    /// A customer has at most one default card.
    DefaultCard,
    /// No two vehicles share a VIN.
    VehicleVin,
    /// A vehicle has at most one trade that is open or agreed (I6).
    LiveTradeOfVehicle,
    /// A trade has at most one invoice (I1).
    InvoiceOfTrade,
    /// A customer has at most one pending proposal in a trade.
    PendingProposal,
    /// A trade has at most one accepted proposal (I5).
    AcceptedProposal,
    /// The agreed periods of a vehicle never overlap (I6).
    AgreedPeriods,
    /// No two payments share a charge key.
    ChargeKey,
    /// An idempotency claim is held by one request at a time.
    Claim,
    /// The user who acts is active, and has the role and the customer that the [envelope](super::Envelope) says.
    Actor,
    /// The first services are created in a store that has none.
    FirstServices,
}
