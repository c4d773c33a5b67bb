use crate::error::Error;

/// An error of a store. It is not an error if a row does not exist: loads return `None`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// A row that the decision was based on has changed or was deleted, or other rows still refer to a row to be deleted.
    /// Nothing was written; load and decide again.
    #[error("the row was changed in the meantime")]
    Conflict,
    /// The change would break a guarantee. Nothing was written; load and decide again.
    #[error("another change came first: {0}")]
    Taken(Guarantee),
    /// The store cannot be reached, or gave up after trying for a while. It is not known whether a commit was written.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A stored row is invalid.
    #[error("corrupt row in {table}, id {id}: {reason}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The id of the row.
        id: i64,
        /// A description of the fault, without secrets.
        reason: String,
    },
    /// Any other fault in the store or in how it is used.
    #[error("the store failed")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<RepositoryError> for Error {
    fn from(error: RepositoryError) -> Self {
        match error {
            // A conflict is returned only after every retry has failed.
            RepositoryError::Conflict | RepositoryError::Taken(_) | RepositoryError::Unavailable(_) => {
                Self::Unavailable(error.into())
            }
            RepositoryError::Corrupt { .. } | RepositoryError::Internal(_) => Self::Internal(error.into()),
        }
    }
}

/// A guarantee that a store enforces in addition to versions, even under concurrent writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum Guarantee {
    /// No two users share a login name: a name may not be one user's user name or e-mail address and also another's.
    LoginName,
    /// Another active superuser remains, if a change requires it.
    ActiveSuperuser,
    /// A customer has at most one default card.
    DefaultCard,
    /// No two vehicles share a VIN or a chassis number.
    VehicleIdentity,
    /// No two users share an external id, and no two customers, vehicles or trades.
    ExternalId,
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
    /// No two refunds share a refund key.
    RefundKey,
    /// An idempotency claim is held by one request at a time.
    Claim,
    /// The user who acts is active, and has the role and the customer named in the [envelope](super::Envelope).
    Actor,
    /// The superuser that the operator has set is created only in a store without an active superuser.
    FirstSuperuser,
    /// The first services are created only in a store that has no service.
    FirstServices,
}
