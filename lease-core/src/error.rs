//! What the engine answers instead of a result. No HTTP here; each error owns its stable code.

use crate::id::Stored;
use crate::input::FieldErrors;
use crate::model::Payment;
use crate::money::MoneyError;

/// Why a command or a query was not carried out. Whatever it is, nothing was changed, but for two:
/// [`Error::CardDeclined`] keeps the failed payment, and after [`Error::Unavailable`] it is not known, for the connection may have
/// been lost behind the commit. Ask again under the same idempotency key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is known to ask.
    #[error("Authentication credentials were not provided or are not valid.")]
    NotAuthenticated,
    /// Name and password do not belong together, or the user is deactivated; which of these is not told.
    #[error("Unable to log in with the provided credentials.")]
    InvalidCredentials,
    /// The actor may see it, but not do this.
    #[error("You do not have permission to perform this action.")]
    PermissionDenied,
    /// It does not exist, or the actor may not see it.
    #[error("Not found.")]
    NotFound,
    /// Fields are wrong.
    #[error("The input is not valid.")]
    Invalid(FieldErrors),
    /// The state of things forbids it.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The card was declined; the failed payment is kept.
    #[error("The card was declined.")]
    CardDeclined(Box<Stored<Payment>>),
    /// The store or the gateway cannot be reached, or too many others change the same thing; try again later.
    #[error("The service is unavailable at the moment.")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Something is wrong inside.
    #[error("An internal error occurred.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// The stable code of spec 6.6.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAuthenticated => "not_authenticated",
            Self::InvalidCredentials => "invalid_credentials",
            Self::PermissionDenied => "permission_denied",
            Self::NotFound => "not_found",
            Self::Invalid(_) => "validation_error",
            Self::Refused(refusal) => refusal.code(),
            Self::CardDeclined(_) => "card_declined",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal_error",
        }
    }

    pub(crate) fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }
}

impl From<FieldErrors> for Error {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors)
    }
}

/// Amounts that come from a store and do not add up are a fault inside, never the caller's.
impl From<MoneyError> for Error {
    fn from(error: MoneyError) -> Self {
        Self::Internal(error.into())
    }
}

/// An act that the state forbids (spec 2, rule 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Refusal {
    /// Spec 4.1, 6.2.
    #[error("The vehicle is in a live trade.")]
    VehicleInTrade,
    /// Spec 6.2.
    #[error("The vehicle was traded before and can no longer be deleted.")]
    VehicleInUse,
    /// Spec 4.3.
    #[error("The first proposal of a trade is its owner's.")]
    OwnerProposalRequired,
    /// Spec 4.4 to 4.6.
    #[error("The trade is not open.")]
    TradeNotOpen,
    /// Spec 4.5.
    #[error("The proposal has expired.")]
    ProposalExpired,
    /// Spec 4.5.
    #[error("The proposal is not pending.")]
    ProposalNotPending,
    /// Spec 4.10.
    #[error("The vehicle is let for these days.")]
    VehicleNotAvailable,
    /// Spec 4.11.
    #[error("The author of the proposal is no longer active.")]
    PartyInactive,
    /// Spec 4.11.
    #[error("You have made as many proposals in this trade as are allowed.")]
    ProposalLimit,
    /// Spec 5.1.
    #[error("A trade uses the service: kind, invoice_on, bill_to and currency are fixed.")]
    ServiceInUse,
    /// Spec 5.3, 5.4.
    #[error("The invoice is not open.")]
    InvoiceNotOpen,
    /// Spec 5.3.
    #[error("The invoice has payments.")]
    InvoiceHasPayments,
    /// Spec 5.4.
    #[error("The invoice is overdue, and late payments are not taken.")]
    InvoiceOverdue,
    /// Spec 5.4.
    #[error("Payments on their way already cover all that is due.")]
    PaymentPending,
    /// Spec 5.4.
    #[error("The card has expired or was deleted.")]
    CardNotUsable,
    /// Spec 3.5.
    #[error("The last active superuser can be neither deactivated nor demoted.")]
    LastSuperuser,
    /// Spec 3.5.
    #[error("The customer owns something, so the user must stay a customer.")]
    CustomerInUse,
    /// Spec 6.4.
    #[error("The lead was converted before.")]
    LeadConverted,
    /// Spec 6.7: another request under this key is still running, or has just taken over.
    #[error("A request with this idempotency key is still running.")]
    IdempotencyKeyInUse,
}

impl Refusal {
    /// Its stable code: the name in snake case.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.into()
    }
}
