use chrono::{DateTime, Utc};

use crate::id::{CustomerId, Entity, InvoiceId, ProposalId, ServiceId, TradeId, VehicleId};
use crate::model::{Annotations, Asking, OfferedVehicle, Period};
use crate::text::search_text;

/// One vehicle offered under one service.
#[derive(Clone, Debug, PartialEq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Trade {
    /// The vehicle that is offered.
    pub vehicle_id: VehicleId,
    /// The service under which it is offered.
    pub service_id: ServiceId,
    /// The owner of the vehicle, who offers it.
    pub customer_id: CustomerId,
    /// The title, or empty.
    pub title: String,
    /// Anything else.
    pub description: String,
    /// The state of the trade.
    pub state: TradeState,
    /// What is offered: the vehicle as it is, and from when the trade is no longer open as it was then (rule 4.13).
    pub offered: OfferedVehicle,
    /// The terms of the owner's proposal that is stored as pending; [`Trade::asking_at`] is what readers see.
    pub asking: Option<Asking>,
    /// Its invoice, if one was issued.
    pub invoice_id: Option<InvoiceId>,
    /// When the trade was opened.
    pub created_at: DateTime<Utc>,
    /// What the company keeps with it.
    pub annotations: Annotations,
}

impl Entity for Trade {
    type Id = TradeId;
}

impl Trade {
    /// Whether it is open or agreed; a vehicle has at most one such trade (I6).
    #[must_use]
    pub const fn is_live(&self) -> bool {
        matches!(self.state, TradeState::Open | TradeState::Agreed(_))
    }

    /// Whether it is open to proposals.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, TradeState::Open)
    }

    /// The agreement, once the parties have agreed, even if the trade was cancelled afterwards.
    #[must_use]
    pub const fn agreement(&self) -> Option<&Agreement> {
        self.state.agreement()
    }

    /// The agreed days: none before the agreement, if it is undated, and once the trade is cancelled.
    #[must_use]
    pub fn days(&self) -> Option<Period> {
        self.agreement()?.days
    }

    /// The same trade without its agreed days.
    #[must_use]
    pub(crate) fn without_days(mut self) -> Self {
        if let TradeState::Agreed(agreement) | TradeState::Completed { agreement, .. } = &mut self.state {
            agreement.days = None;
        }
        self
    }

    /// Whether this customer is a party to it: the owner or the counterparty.
    #[must_use]
    pub fn has_party(&self, customer: CustomerId) -> bool {
        self.customer_id == customer || self.agreement().is_some_and(|agreement| agreement.counterparty_id == customer)
    }

    /// What the owner asks for at an instant: from its `expires_at` on nothing.
    #[must_use]
    pub fn asking_at(&self, now: DateTime<Utc>) -> Option<Asking> {
        self.asking.filter(|asking| self.is_open() && asking.expires_at.is_none_or(|at| at > now))
    }

    /// The text that `search` searches.
    #[must_use]
    pub fn search_text(&self) -> String {
        search_text(&[&self.title, &self.description])
    }
}

/// The agreement of a trade: the other party, the accepted proposal and the days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Agreement {
    /// The party that is not the owner.
    pub counterparty_id: CustomerId,
    /// The accepted proposal; once the trade is cancelled, the rescinded one.
    pub proposal_id: ProposalId,
    /// The days on which the vehicle is the counterparty's. They are those of the proposal, unless they were ended early (rule
    /// 4.12); once the trade is cancelled, there are none.
    pub days: Option<Period>,
    /// When it was agreed.
    pub agreed_at: DateTime<Utc>,
}

/// The state of a trade.
#[derive(Clone, Debug, PartialEq, Eq, Hash, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(TradeStatus),
    doc = "The names of a trade's states.",
    derive(Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "status", rename_all = "snake_case"))]
pub enum TradeState {
    /// Open to proposals.
    Open,
    /// A proposal was accepted, and the invoice is not settled yet.
    Agreed(Agreement),
    /// Agreed, and nothing is owed.
    Completed {
        /// The agreement.
        agreement: Agreement,
        /// When it was both agreed and no longer owing anything.
        completed_at: DateTime<Utc>,
    },
    /// Cancelled: while it was open, or by staff while it was agreed.
    Cancelled {
        /// When it was cancelled.
        cancelled_at: DateTime<Utc>,
        /// Why it was cancelled, or empty.
        reason: String,
        /// The agreement, without days, if there was one.
        agreement: Option<Agreement>,
    },
}

impl TradeState {
    /// The agreement, as of [`Trade::agreement`].
    #[must_use]
    pub const fn agreement(&self) -> Option<&Agreement> {
        match self {
            Self::Agreed(agreement) | Self::Completed { agreement, .. } => Some(agreement),
            Self::Cancelled { agreement, .. } => agreement.as_ref(),
            Self::Open => None,
        }
    }

    /// When it was completed, if it was.
    #[must_use]
    pub const fn completed_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Completed { completed_at, .. } => Some(*completed_at),
            Self::Open | Self::Agreed(_) | Self::Cancelled { .. } => None,
        }
    }

    /// When and why it was cancelled, if it was.
    #[must_use]
    pub const fn cancelled(&self) -> Option<(DateTime<Utc>, &str)> {
        match self {
            Self::Cancelled { cancelled_at, reason, .. } => Some((*cancelled_at, reason.as_str())),
            Self::Open | Self::Agreed(_) | Self::Completed { .. } => None,
        }
    }
}
