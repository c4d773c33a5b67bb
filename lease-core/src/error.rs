//! Why the engine did not do what it was asked. No HTTP here; each kind of error has its stable code and its message.

use std::fmt;

use strum::{IntoEnumIterator as _, VariantArray as _};

use crate::id::Stored;
use crate::input::FieldErrors;
use crate::model::Payment;
use crate::money::MoneyError;

/// Why a command or a query was not carried out. Nothing was changed, with two exceptions: [`Error::CardDeclined`] keeps the
/// failed payment, and after [`Error::Unavailable`] it is not known, for the connection may have been lost after the commit. Ask
/// again under the same idempotency key.
///
/// Its message and its code are those of its [`ErrorKind`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// [`ErrorKind::NotAuthenticated`].
    NotAuthenticated,
    /// [`ErrorKind::InvalidCredentials`].
    InvalidCredentials,
    /// [`ErrorKind::PermissionDenied`].
    PermissionDenied,
    /// [`ErrorKind::NotFound`].
    NotFound,
    /// [`ErrorKind::ValidationError`]: the messages of each field.
    Invalid(FieldErrors),
    /// [`ErrorKind::Refused`].
    Refused(#[from] Refusal),
    /// [`ErrorKind::CardDeclined`]: the failed payment, which is kept.
    CardDeclined(Box<Stored<Payment>>),
    /// [`ErrorKind::Unavailable`]: the cause, for the log.
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// [`ErrorKind::InternalError`]: the cause, for the log.
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::NotAuthenticated => ErrorKind::NotAuthenticated,
            Self::InvalidCredentials => ErrorKind::InvalidCredentials,
            Self::PermissionDenied => ErrorKind::PermissionDenied,
            Self::NotFound => ErrorKind::NotFound,
            Self::Invalid(_) => ErrorKind::ValidationError,
            Self::Refused(refusal) => ErrorKind::Refused(*refusal),
            Self::CardDeclined(_) => ErrorKind::CardDeclined,
            Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Internal(_) => ErrorKind::InternalError,
        }
    }

    /// Its stable code (rule 6.6).
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.kind().code()
    }

    pub(crate) fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

/// The kind of an [`Error`]: its stable code and its message, without what belongs to the one case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error, strum::EnumIter, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The actor is not logged in, or no longer.
    #[error("Authentication credentials were not provided or are not valid.")]
    NotAuthenticated,
    /// The name and the password do not match, or the user is deactivated; the message does not tell which.
    #[error("Unable to log in with the provided credentials.")]
    InvalidCredentials,
    /// The actor may see it, but may not do this.
    #[error("You do not have permission to perform this action.")]
    PermissionDenied,
    /// It does not exist, or the actor may not see it.
    #[error("Not found.")]
    NotFound,
    /// Fields are wrong.
    #[error("The input is not valid.")]
    ValidationError,
    /// The present state forbids it.
    #[error("{0}")]
    #[strum(disabled)]
    Refused(Refusal),
    /// The card was declined.
    #[error("The card was declined.")]
    CardDeclined,
    /// The store or the gateway cannot be reached, or too many others change the same thing; try again later.
    #[error("The service is unavailable at the moment.")]
    Unavailable,
    /// A fault inside.
    #[error("An internal error occurred.")]
    InternalError,
}

impl ErrorKind {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter().chain(Refusal::VARIANTS.iter().copied().map(Self::Refused))
    }

    /// Its stable code: the refusal's, or the name in snake case.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            kind => kind.into(),
        }
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

/// Why the present state forbids an act (rule 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// The vehicle is in a live trade: it is not offered again, and what identifies it is fixed (rules 4.1, 6.2).
    #[error("The vehicle is in a trade that is open or agreed.")]
    VehicleInTrade,
    /// A vehicle that was ever traded is not erased (rule 6.2).
    #[error("The vehicle has been traded and can no longer be deleted.")]
    VehicleInUse,
    /// Before the owner has proposed, nobody else does (rule 4.3).
    #[error("The owner of the trade must make the first proposal.")]
    OwnerProposalRequired,
    /// The trade was agreed, completed or cancelled: it takes no decisions any more (rules 4.4 to 4.6).
    #[error("The trade is not open.")]
    TradeNotOpen,
    /// From its `expires_at` on a proposal is not decided any more (rule 4.5).
    #[error("The proposal has expired.")]
    ProposalExpired,
    /// A proposal is decided once (rule 4.5).
    #[error("The proposal is not pending.")]
    ProposalNotPending,
    /// The days overlap days that are agreed, or the vehicle is to be sold while it is let (rule 4.10).
    #[error("The vehicle is leased out for some of these days.")]
    VehicleNotAvailable,
    /// The author of the proposal was deactivated (rule 4.11).
    #[error("The author of the proposal is no longer active.")]
    PartyInactive,
    /// A customer makes only so many proposals in a trade (rule 4.11).
    #[error("You have already made the maximum number of proposals in this trade.")]
    ProposalLimit,
    /// What rules of running trades hang on is fixed once a trade uses the service (rule 5.1).
    #[error("A trade uses this service, so kind, invoice_on, bill_to and currency can no longer be changed.")]
    ServiceInUse,
    /// The invoice is paid or void: it is neither paid nor dropped (rules 5.3, 5.4).
    #[error("The invoice is not open.")]
    InvoiceNotOpen,
    /// An invoice with a payment that succeeded or is pending is not dropped (rule 5.3).
    #[error("The invoice has payments.")]
    InvoiceHasPayments,
    /// It is after the due date, and the operator chose to refuse late payments (rule 5.4).
    #[error("The invoice is overdue, and late payments are not accepted.")]
    InvoiceOverdue,
    /// What is due is covered by payments that are pending (rule 5.4).
    #[error("Pending payments already cover the amount due.")]
    PaymentPending,
    /// A card that expired or was deleted does not pay (rule 5.4).
    #[error("The card has expired or was deleted.")]
    CardNotUsable,
    /// An active superuser remains (rule 3.5).
    #[error("The last active superuser can be neither deactivated nor demoted.")]
    LastSuperuser,
    /// Something hangs on the customer, so the user does not become administrative (rule 3.5).
    #[error("The customer has records of its own, so the user must remain a customer.")]
    CustomerInUse,
    /// A lead is converted once (rule 6.4).
    #[error("The lead has already been converted.")]
    LeadConverted,
    /// Rule 6.7: another request under this key is still running, or has just taken over.
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
