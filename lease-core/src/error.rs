//! The errors of the engine. They know nothing of HTTP; each kind of error has a stable code and a message.

mod own;

use std::fmt;

use chrono::Duration;
use strum::{IntoEnumIterator as _, VariantArray as _};

use crate::id::Stored;
use crate::input::FieldErrors;
use crate::model::{Payment, Refund};
use crate::money::MoneyError;

pub use own::{OwnRefusal, RefusalCode};

/// The reason why a command or a query was not carried out. Nothing was changed, with these exceptions: [`Error::CardDeclined`]
/// keeps the failed payment, [`Error::RefundFailed`] the failed refund, and after [`Error::Unavailable`] the outcome is unknown,
/// since the connection may have been lost after the commit. In that case, repeat the request with the same idempotency key.
///
/// Its message and its code are those of its [`ErrorKind`], but for the message of [`Error::RefusedByGuard`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// [`ErrorKind::NotAuthenticated`].
    NotAuthenticated,
    /// [`ErrorKind::InvalidCredentials`].
    InvalidCredentials,
    /// [`ErrorKind::PermissionDenied`].
    PermissionDenied,
    /// [`ErrorKind::EmailNotVerified`].
    EmailNotVerified,
    /// [`ErrorKind::NotFound`].
    NotFound,
    /// [`ErrorKind::ValidationError`]: why each field is not accepted.
    Invalid(FieldErrors),
    /// [`ErrorKind::Refused`].
    Refused(#[from] Refusal),
    /// [`ErrorKind::RefusedByGuard`]: the app's own code and message.
    RefusedByGuard(#[from] OwnRefusal),
    /// [`ErrorKind::CardDeclined`].
    CardDeclined {
        /// The gateway's code for the reason.
        failure_code: String,
        /// The failed payment, which is kept; none if a new card was refused.
        payment: Option<Box<Stored<Payment>>>,
    },
    /// [`ErrorKind::RefundFailed`]: the failed refund, which is kept.
    RefundFailed(Box<Stored<Refund>>),
    /// [`ErrorKind::EventsGone`].
    EventsGone,
    /// [`ErrorKind::PreconditionFailed`].
    PreconditionFailed,
    /// [`ErrorKind::Throttled`].
    Throttled {
        /// The time until another attempt is allowed.
        retry_after: Duration,
    },
    /// [`ErrorKind::Unavailable`]: the cause, for the log.
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// [`ErrorKind::InternalError`]: the cause, for the log.
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// The kind of the error.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::NotAuthenticated => ErrorKind::NotAuthenticated,
            Self::InvalidCredentials => ErrorKind::InvalidCredentials,
            Self::PermissionDenied => ErrorKind::PermissionDenied,
            Self::EmailNotVerified => ErrorKind::EmailNotVerified,
            Self::NotFound => ErrorKind::NotFound,
            Self::Invalid(_) => ErrorKind::ValidationError,
            Self::Refused(refusal) => ErrorKind::Refused(*refusal),
            Self::RefusedByGuard(refusal) => ErrorKind::RefusedByGuard(refusal.code()),
            Self::CardDeclined { .. } => ErrorKind::CardDeclined,
            Self::RefundFailed(_) => ErrorKind::RefundFailed,
            Self::EventsGone => ErrorKind::EventsGone,
            Self::PreconditionFailed => ErrorKind::PreconditionFailed,
            Self::Throttled { .. } => ErrorKind::Throttled,
            Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Internal(_) => ErrorKind::InternalError,
        }
    }

    /// The stable code of the error (rule 6.6).
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
        match self {
            Self::RefusedByGuard(refusal) => refusal.fmt(f),
            error => error.kind().fmt(f),
        }
    }
}

/// The kind of an [`Error`]: its stable code and its message, without the details of a particular case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error, strum::EnumIter, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The actor is not logged in, or no longer logged in.
    #[error("Authentication credentials were not provided or are not valid.")]
    NotAuthenticated,
    /// The name and the password do not match, or the user is deactivated; the message does not say which.
    #[error("Unable to log in with the provided credentials.")]
    InvalidCredentials,
    /// The actor may see the object, but may not do this.
    #[error("You do not have permission to perform this action.")]
    PermissionDenied,
    /// The customer has to confirm the e-mail address first (rule 9.4).
    #[error("Confirm your e-mail address first.")]
    EmailNotVerified,
    /// The object does not exist, or the actor may not see it.
    #[error("Not found.")]
    NotFound,
    /// Some fields are invalid.
    #[error("The input is not valid.")]
    ValidationError,
    /// The present state does not allow it.
    #[error("{0}")]
    #[strum(disabled)]
    Refused(Refusal),
    /// A rule of the app's own does not allow it (rule 4.15).
    #[error("A rule of this platform does not allow it.")]
    #[strum(disabled)]
    RefusedByGuard(RefusalCode),
    /// The card was declined.
    #[error("The card was declined.")]
    CardDeclined,
    /// The gateway refused to give the money back.
    #[error("The refund failed.")]
    RefundFailed,
    /// Events after the one from which the reading was to go on were cleared (rule 8.9).
    #[error("Events after this one were cleared; start anew.")]
    EventsGone,
    /// The object is no longer what the client has seen (rule 6.9).
    #[error("The object has changed meanwhile.")]
    PreconditionFailed,
    /// Too many attempts.
    #[error("Too many attempts; try again later.")]
    Throttled,
    /// The store or the gateway cannot be reached, too many other requests are changing the same object, or too many other passwords
    /// are waiting to be hashed; try again later.
    #[error("The service is unavailable at the moment.")]
    Unavailable,
    /// A fault in the engine or the store.
    #[error("An internal error occurred.")]
    InternalError,
}

impl ErrorKind {
    /// Every kind but those of an app's own rules.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter().chain(Refusal::VARIANTS.iter().copied().map(Self::Refused))
    }

    /// The stable code: that of the refusal, also of an app's own, or the name in snake case.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::RefusedByGuard(code) => code.as_str(),
            kind => kind.into(),
        }
    }
}

impl From<FieldErrors> for Error {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors)
    }
}

/// Amounts in a store that do not add up are an internal error, never the caller's fault.
impl From<MoneyError> for Error {
    fn from(error: MoneyError) -> Self {
        Self::Internal(error.into())
    }
}

/// An error and its causes, in one line, for the log.
#[must_use]
pub fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The reason why the present state does not allow an act (rule 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// While a vehicle is in an open or agreed trade, it cannot be offered again, and the fields that identify it cannot change
    /// (rules 4.1, 6.2).
    #[error("The vehicle is in a trade that is open or agreed.")]
    VehicleInTrade,
    /// A vehicle is offered under its VIN or its chassis number (rule 6.2).
    #[error("The vehicle has neither a VIN nor a chassis number.")]
    VehicleUnidentified,
    /// A vehicle that was ever traded cannot be deleted (rule 6.2).
    #[error("The vehicle has been traded and can no longer be deleted.")]
    VehicleInUse,
    /// Nobody else may make a proposal before the owner has made one (rule 4.3).
    #[error("The owner of the trade must make the first proposal.")]
    OwnerProposalRequired,
    /// A trade that is agreed, completed or cancelled is closed to proposals and decisions (rules 4.4 to 4.6).
    #[error("The trade is not open.")]
    TradeNotOpen,
    /// From its `expires_at` on, a proposal can no longer be accepted, rejected or withdrawn (rule 4.5).
    #[error("The proposal has expired.")]
    ProposalExpired,
    /// A proposal can be decided only once (rule 4.5).
    #[error("The proposal is not pending.")]
    ProposalNotPending,
    /// The days overlap with agreed days, or the vehicle is to be sold while a lease runs or lies ahead (rule 4.10).
    #[error("The vehicle is leased out for some of these days.")]
    VehicleNotAvailable,
    /// The user who made the proposal, or the owner of the trade, was deactivated (rule 4.11).
    #[error("The other party is no longer active.")]
    PartyInactive,
    /// A trade has no days that could be ended: it is not agreed, undated, cancelled, or has been ended on its first day (rule
    /// 4.12).
    #[error("The trade has no days that could be ended.")]
    TradeHasNoDays,
    /// The number of proposals that a customer may make in a trade is limited (rule 4.11).
    #[error("You have already made the maximum number of proposals in this trade.")]
    ProposalLimit,
    /// Once a trade uses a service, the fields on which the trade's rules depend can no longer change (rule 5.1).
    #[error("A trade uses this service, so kind, invoice_on, bill_to and currency can no longer be changed.")]
    ServiceInUse,
    /// An invoice that is paid, void or written off cannot be paid, voided, written off or changed (rules 5.3, 5.4).
    #[error("The invoice is not open.")]
    InvoiceNotOpen,
    /// An invoice with a payment that succeeded or is pending cannot be voided (rule 5.3).
    #[error("The invoice has payments.")]
    InvoiceHasPayments,
    /// The due date has passed, and the operator has chosen to refuse late payments (rule 5.4).
    #[error("The invoice is overdue, and late payments are not accepted.")]
    InvoiceOverdue,
    /// Pending payments already cover the amount due, are in the way of writing it off, or cannot be cancelled (rules 5.3 to 5.5).
    #[error("The payment, or another one of this invoice, is pending.")]
    PaymentPending,
    /// A payment that succeeded, failed or was cancelled cannot be cancelled (rule 5.5).
    #[error("The payment is settled.")]
    PaymentSettled,
    /// Only a payment that succeeded can be refunded (rule 5.7).
    #[error("The payment did not succeed, so there is nothing to refund.")]
    PaymentNotRefundable,
    /// The whole payment was refunded, or is being refunded (rule 5.7).
    #[error("The payment was refunded in full, or is being refunded.")]
    PaymentRefunded,
    /// No payment can be made with a card that has expired or was deleted (rule 5.4).
    #[error("The card has expired or was deleted.")]
    CardNotUsable,
    /// At least one active superuser must remain (rule 3.5).
    #[error("The last active superuser can be neither deactivated nor demoted.")]
    LastSuperuser,
    /// A user whose customer is referred to by other records cannot become administrative (rule 3.5).
    #[error("The customer has records of its own, so the user must remain a customer.")]
    CustomerInUse,
    /// A lead can be converted only once (rule 6.4).
    #[error("The lead has already been converted.")]
    LeadConverted,
    /// Another request with this key is still running, or has just taken over (rule 6.7).
    #[error("A request with this idempotency key is still running.")]
    IdempotencyKeyInUse,
    /// The number of webhook endpoints is limited, since each is told of every event (rule 9.1).
    #[error("There are 100 webhook endpoints already; delete one that is no longer needed.")]
    WebhookEndpointLimit,
    /// Nothing is sent to a webhook endpoint that is switched off, not even a test (rule 9.1).
    #[error("The webhook endpoint is switched off.")]
    WebhookEndpointOff,
}

impl Refusal {
    /// The stable code: the name in snake case.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.into()
    }
}
