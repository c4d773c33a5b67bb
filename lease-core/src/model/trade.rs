use chrono::{DateTime, Utc};

use crate::id::{CustomerId, Entity, InvoiceId, ProposalId, ServiceId, TradeId, VehicleId};
use crate::text::search_text;

/// One vehicle offered under one service.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Trade {
    /// What is offered.
    pub vehicle_id: VehicleId,
    /// The service it runs under.
    pub service_id: ServiceId,
    /// The owner of the vehicle, who offers it.
    pub customer_id: CustomerId,
    /// A line about it, or empty.
    pub title: String,
    /// Anything else.
    pub description: String,
    /// How far it is.
    pub state: TradeState,
    /// Its invoice, where one was issued.
    pub invoice_id: Option<InvoiceId>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
}

impl Entity for Trade {
    type Id = TradeId;
}

impl Trade {
    /// Open or agreed; a vehicle has at most one such trade (I6).
    #[must_use]
    pub const fn is_live(&self) -> bool {
        matches!(self.state, TradeState::Open | TradeState::Agreed(_))
    }

    /// Whether it takes proposals.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, TradeState::Open)
    }

    /// What was agreed, once it is.
    #[must_use]
    pub const fn agreement(&self) -> Option<&Agreement> {
        match &self.state {
            TradeState::Agreed(agreement) | TradeState::Completed { agreement, .. } => Some(agreement),
            TradeState::Open | TradeState::Cancelled { .. } => None,
        }
    }

    /// Whether this customer is a party of it: owner or counterparty.
    #[must_use]
    pub fn has_party(&self, customer: CustomerId) -> bool {
        self.customer_id == customer || self.agreement().is_some_and(|agreement| agreement.counterparty_id == customer)
    }

    /// What `search` looks through.
    #[must_use]
    pub fn search_text(&self) -> String {
        search_text(&[&self.title, &self.description])
    }
}

/// Who agreed on what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Agreement {
    /// The party that is not the owner.
    pub counterparty_id: CustomerId,
    /// The accepted proposal.
    pub proposal_id: ProposalId,
    /// When.
    pub agreed_at: DateTime<Utc>,
}

/// How far a trade is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(TradeStatus),
    doc = "The names of a trade's states.",
    derive(Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
pub enum TradeState {
    /// Takes proposals.
    Open,
    /// A proposal was accepted; the invoice is unpaid.
    Agreed(Agreement),
    /// Agreed, and nothing is owed any more.
    Completed {
        /// What was agreed.
        agreement: Agreement,
        /// When the last of the two happened.
        completed_at: DateTime<Utc>,
    },
    /// Called off before anything was agreed.
    Cancelled {
        /// When.
        cancelled_at: DateTime<Utc>,
    },
}
