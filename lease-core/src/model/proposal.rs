use chrono::{DateTime, NaiveDate, Utc};

use crate::id::{CustomerId, Entity, ProposalId, TradeId};
use crate::money::Money;

/// Terms offered in a trade by one customer. Terms never change; only the state does.
#[derive(Clone, Debug, PartialEq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Proposal {
    /// The trade that the proposal belongs to.
    pub trade_id: TradeId,
    /// The customer who made it.
    pub customer_id: CustomerId,
    /// The price of a sale, or the monthly price of a lease.
    pub amount: Money,
    /// The days that it covers; a sale has none.
    pub period: Option<Period>,
    /// A message to the other party, or empty.
    pub message: String,
    /// From this instant on, it can no longer be accepted, rejected or withdrawn.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the proposal was made.
    pub created_at: DateTime<Utc>,
    /// The state. A store keeps a proposal as pending after its time; [`Proposal::state_at`] is the state that readers see, and that the
    /// [engine](crate::LeaseEngine) returns.
    pub state: ProposalState,
}

impl Entity for Proposal {
    type Id = ProposalId;
}

impl Proposal {
    /// The state at an instant: from `expires_at` on, a pending proposal counts as expired without any background job (rule 4.5).
    #[must_use]
    pub fn state_at(&self, now: DateTime<Utc>) -> ProposalState {
        match (self.state, self.expires_at) {
            (ProposalState::Pending, Some(at)) if at <= now => ProposalState::Expired { at },
            (state, _) => state,
        }
    }
}

/// What the owner of a trade asks for: the terms of their pending proposal (rule 4.13).
#[derive(Clone, Copy, Debug, PartialEq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Asking {
    /// The proposal.
    pub proposal_id: ProposalId,
    /// The price of a sale, or the monthly price of a lease.
    pub amount: Money,
    /// The days that it covers; a sale has none.
    pub period: Option<Period>,
    /// From this instant on, nothing is asked any more.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Asking {
    /// The terms of a proposal.
    #[must_use]
    pub const fn of(proposal_id: ProposalId, proposal: &Proposal) -> Self {
        let Proposal { amount, period, expires_at, .. } = *proposal;
        Self { proposal_id, amount, period, expires_at }
    }
}

/// The days from `start` up to but not including `end`. Those of a proposal are never empty; agreed days that are ended on their
/// first day are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "Days"))]
pub struct Period {
    start: NaiveDate,
    end: NaiveDate,
}

/// A period as it is read, before it is checked.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Days {
    start: NaiveDate,
    end: NaiveDate,
}

#[cfg(feature = "serde")]
impl TryFrom<Days> for Period {
    type Error = crate::input::Invalid;

    fn try_from(Days { start, end }: Days) -> Result<Self, Self::Error> {
        Self::agreed(start, end).ok_or(crate::input::Invalid::EndNotAfterStart)
    }
}

impl Period {
    /// A period of at least a day; `None` if `end` is not after `start`.
    #[must_use]
    pub fn new(start: NaiveDate, end: NaiveDate) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// Agreed days, which may be empty; `None` if `end` is before `start`.
    #[must_use]
    pub fn agreed(start: NaiveDate, end: NaiveDate) -> Option<Self> {
        (start <= end).then_some(Self { start, end })
    }

    /// The same period with an earlier end, which leaves no days if it is `start`; `None` if `end` is not earlier, or before
    /// `start`.
    #[must_use]
    pub fn ended(self, end: NaiveDate) -> Option<Self> {
        (self.start <= end && end < self.end).then_some(Self { end, ..self })
    }

    /// The first day.
    #[must_use]
    pub const fn start(self) -> NaiveDate {
        self.start
    }

    /// The day after the last day.
    #[must_use]
    pub const fn end(self) -> NaiveDate {
        self.end
    }

    /// Whether it has no days.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether the two periods share a day.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.start.max(other.start) < self.end.min(other.end)
    }
}

/// The state of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(ProposalStatus),
    doc = "The names of a proposal's states.",
    derive(Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "status", rename_all = "snake_case"))]
pub enum ProposalState {
    /// Not decided yet.
    Pending,
    /// Accepted.
    Accepted {
        /// When it entered this state.
        at: DateTime<Utc>,
    },
    /// Rejected by the trade's owner.
    Rejected {
        /// When it entered this state.
        at: DateTime<Utc>,
    },
    /// Withdrawn by its author.
    Withdrawn {
        /// When it entered this state.
        at: DateTime<Utc>,
    },
    /// Replaced by a later proposal by the same author.
    Superseded {
        /// When it entered this state.
        at: DateTime<Utc>,
    },
    /// Another proposal was accepted, or the trade was cancelled.
    Closed {
        /// When it entered this state.
        at: DateTime<Utc>,
    },
    /// Its `expires_at` has passed.
    Expired {
        /// When it entered this state.
        at: DateTime<Utc>,
    },
    /// It was accepted, and staff cancelled the agreed trade.
    Rescinded {
        /// When it entered this state.
        at: DateTime<Utc>,
    },
}

impl ProposalState {
    /// When it stopped being pending; `None` while it is pending.
    #[must_use]
    pub const fn decided_at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Pending => None,
            Self::Accepted { at }
            | Self::Rejected { at }
            | Self::Withdrawn { at }
            | Self::Superseded { at }
            | Self::Closed { at }
            | Self::Expired { at }
            | Self::Rescinded { at } => Some(at),
        }
    }
}
