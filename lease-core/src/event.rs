//! Domain events. Every decision that changes something lists its events, which are part of its commit.

use crate::id::{ContactId, CreditCardId, CustomerId, InvoiceId, LeadId, PaymentId, ProposalId, ServiceId, UserId, VehicleId};
use crate::model::{Agreement, VehicleTransfer};
use crate::money::Money;

/// Something that happened. The ids of what the same commit creates are in its [`NewIds`](crate::id::NewIds).
#[derive(Clone, Debug, PartialEq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// Somebody registered: a user and its customer were created.
    UserRegistered,
    /// A user was created by somebody else.
    UserCreated,
    /// A user's data changed.
    UserUpdated(UserId),
    /// A user's password changed.
    PasswordChanged(UserId),
    /// A user was deactivated.
    UserDeactivated(UserId),
    /// A user was activated again.
    UserReactivated(UserId),
    /// A user logged in.
    UserLoggedIn(UserId),
    /// One token of a user was revoked.
    TokenRevoked(UserId),
    /// All tokens of a user were revoked.
    AllTokensRevoked(UserId),
    /// A customer's profile changed.
    CustomerUpdated(CustomerId),
    /// A credit card was added.
    CreditCardAdded,
    /// A credit card changed.
    CreditCardUpdated(CreditCardId),
    /// A credit card was deleted.
    CreditCardDeleted(CreditCardId),
    /// A contact was created.
    ContactCreated,
    /// A contact changed.
    ContactUpdated(ContactId),
    /// A contact was deleted.
    ContactDeleted(ContactId),
    /// A lead was created.
    LeadCreated,
    /// A lead changed.
    LeadUpdated(LeadId),
    /// A lead was deleted, together with its contacts.
    LeadDeleted(LeadId),
    /// A lead was converted to a customer.
    LeadConverted {
        /// The lead.
        lead_id: LeadId,
        /// The customer that the lead became.
        customer_id: CustomerId,
    },
    /// A vehicle was created.
    VehicleCreated,
    /// A vehicle changed.
    VehicleUpdated(VehicleId),
    /// A vehicle was deleted.
    VehicleDeleted(VehicleId),
    /// A vehicle changed hands.
    VehicleTransferred(VehicleTransfer),
    /// A service was created.
    ServiceCreated,
    /// A service changed.
    ServiceUpdated(ServiceId),
    /// A service was deactivated.
    ServiceDeactivated(ServiceId),
    /// A trade was opened: a vehicle was offered under a service.
    TradeOpened {
        /// The vehicle.
        vehicle_id: VehicleId,
        /// The service.
        service_id: ServiceId,
    },
    /// The owner changed a trade's title or description.
    TradeAmended,
    /// A trade was agreed: both parties are bound.
    TradeAgreed(Agreement),
    /// A trade was completed: it is agreed, and nothing is owed.
    TradeCompleted,
    /// A trade was cancelled.
    TradeCancelled,
    /// A proposal was made.
    ProposalMade {
        /// Its author.
        customer_id: CustomerId,
        /// Its price.
        amount: Money,
    },
    /// A proposal was replaced by a later one by the same author.
    ProposalSuperseded(ProposalId),
    /// A proposal was accepted.
    ProposalAccepted(ProposalId),
    /// A proposal was rejected.
    ProposalRejected(ProposalId),
    /// A proposal was withdrawn.
    ProposalWithdrawn(ProposalId),
    /// An invoice was issued.
    InvoiceIssued {
        /// The customer it is billed to.
        customer_id: CustomerId,
        /// The fee.
        amount: Money,
    },
    /// An invoice was voided.
    InvoiceVoided(InvoiceId),
    /// An invoice was paid in full.
    InvoicePaid(InvoiceId),
    /// A payment was begun.
    PaymentBegun {
        /// The invoice.
        invoice_id: InvoiceId,
        /// The amount.
        amount: Money,
    },
    /// A payment succeeded.
    PaymentSucceeded(PaymentId),
    /// A payment failed.
    PaymentFailed(PaymentId),
}
