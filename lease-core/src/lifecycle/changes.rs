use chrono::{DateTime, Utc};

use crate::id::{CustomerId, InvoiceId, PaymentId, ProposalId, ServiceId, VehicleId, Version};
use crate::model::{Agreement, InvoiceState, Payment, PaymentState, Proposal, ProposalState, Trade};
use crate::money::Money;
use crate::text::search_text;

/// A trade to be opened. Its service must still be active when it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    /// The trade.
    pub trade: Trade,
    /// The vehicle's version that was decided on; it moves on by one.
    pub vehicle_version: Version,
    /// The service is used for the first time: set its `is_used`, if it is still at this version.
    pub first_use_of_service: Option<Version>,
    /// What happened.
    pub event: Event,
}

/// What a decision changes in a trade. A store writes the fields in this order; whatever is `None` stays. Two things beside the
/// trade must still be so, else the commit is a conflict: a party is active, and a card is not deleted.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct TradeChanges {
    /// Not written: the user of this customer must be active.
    pub active_party: Option<CustomerId>,
    /// New words on the trade.
    pub text: Option<TradeText>,
    /// A proposal that is there gets a state.
    pub decided: Option<(ProposalId, ProposalState)>,
    /// Every other stored-pending proposal of the trade ends now: as [`Expired`](ProposalState::Expired) at its
    /// `expires_at` where that has come, else as [`Closed`](ProposalState::Closed). It spans rows that were not loaded; the
    /// trade's version makes that safe.
    pub close_others: Option<DateTime<Utc>>,
    /// A new proposal.
    pub new_proposal: Option<Proposal>,
    /// A new invoice.
    pub new_invoice: Option<NewInvoice>,
    /// The trade's invoice changes.
    pub invoice: Option<InvoiceChange>,
    /// A new payment of the trade's invoice, with a card that is not deleted.
    pub new_payment: Option<Payment>,
    /// A payment that is there gets a state.
    pub settled: Option<(PaymentId, PaymentState)>,
    /// The trade gets a state.
    pub state: Option<TradeMove>,
    /// The vehicle changes hands; its version moves on by one.
    pub transfer: Option<VehicleTransfer>,
    /// What happened, in order. Not written by a store of today; an event log or outbox would be fed from here.
    pub events: Vec<Event>,
}

/// New words on a trade.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TradeText {
    /// The title.
    pub title: String,
    /// The description.
    pub description: String,
}

impl TradeText {
    /// What [`Trade::search_text`](crate::model::Trade::search_text) is from now on.
    #[must_use]
    pub fn search_text(&self) -> String {
        search_text(&[&self.title, &self.description])
    }
}

/// An invoice to be issued.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct NewInvoice {
    /// The proposal that brought it about; `None`: the new proposal of the same changes.
    pub proposal_id: Option<ProposalId>,
    /// Who is billed.
    pub customer_id: CustomerId,
    /// The fee, as of `issued_at`.
    pub amount: Money,
    /// When it is issued.
    pub issued_at: DateTime<Utc>,
    /// The last day to pay in time.
    pub due_date: chrono::NaiveDate,
}

/// What changes on an invoice: never its amount, nor whom it bills (I2).
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct InvoiceChange {
    /// The invoice.
    pub id: InvoiceId,
    /// What succeeded payments add up to from here on.
    pub paid: Money,
    /// What pending payments add up to from here on.
    pub pending: Money,
    /// How far it is from here on.
    pub state: InvoiceState,
}

/// Where a trade goes. It replaces the whole state: of the one before, an agreement included, nothing stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TradeMove {
    /// It is agreed.
    Agree(Agreement),
    /// It is agreed and nothing is owed.
    Complete(Agreement, DateTime<Utc>),
    /// It is called off.
    Cancel(DateTime<Utc>),
}

/// A vehicle changes hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VehicleTransfer {
    /// The vehicle.
    pub vehicle_id: VehicleId,
    /// Whose it was.
    pub from: CustomerId,
    /// Whose it is.
    pub to: CustomerId,
}

/// The ids that a commit gave to what it made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewIds {
    /// Of the new proposal.
    pub proposal: Option<ProposalId>,
    /// Of the new invoice.
    pub invoice: Option<InvoiceId>,
    /// Of the new payment.
    pub payment: Option<PaymentId>,
}

/// Something that happened, in the words of the domain. Ids that only the commit gives are in [`NewIds`].
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Event {
    /// A vehicle was offered.
    TradeOpened {
        /// The vehicle.
        vehicle_id: VehicleId,
        /// Under this service.
        service_id: ServiceId,
    },
    /// The owner changed the words.
    TradeAmended,
    /// A proposal was made.
    ProposalMade {
        /// By whom.
        customer_id: CustomerId,
        /// At this price.
        amount: Money,
    },
    /// A proposal gave way to a later one of its author.
    ProposalSuperseded(ProposalId),
    /// A proposal was accepted.
    ProposalAccepted(ProposalId),
    /// A proposal was turned down.
    ProposalRejected(ProposalId),
    /// A proposal was taken back.
    ProposalWithdrawn(ProposalId),
    /// The fee was claimed.
    InvoiceIssued {
        /// From whom.
        customer_id: CustomerId,
        /// How much.
        amount: Money,
    },
    /// The claim was dropped.
    InvoiceVoided(InvoiceId),
    /// A payment is on its way.
    PaymentBegun {
        /// Of this invoice.
        invoice_id: InvoiceId,
        /// How much.
        amount: Money,
    },
    /// A payment came in.
    PaymentSucceeded(PaymentId),
    /// A payment was declined.
    PaymentFailed(PaymentId),
    /// The last of an invoice came in.
    InvoicePaid(InvoiceId),
    /// Both sides are bound.
    TradeAgreed(Agreement),
    /// Agreed, and nothing is owed.
    TradeCompleted,
    /// Called off.
    TradeCancelled,
    /// The vehicle changed hands.
    VehicleTransferred(VehicleTransfer),
}
