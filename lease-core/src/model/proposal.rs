use chrono::{DateTime, NaiveDate, Utc};

use crate::id::{CustomerId, Entity, ProposalId, TradeId};
use crate::money::Money;

/// Terms offered in a trade by one customer. Terms never change; only the state does.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Proposal {
    /// The trade it is made in.
    pub trade_id: TradeId,
    /// Who made it.
    pub customer_id: CustomerId,
    /// The price of a sale, the price a month of a lease.
    pub amount: Money,
    /// The days it is about; a sale has none.
    pub period: Option<Period>,
    /// A word to the other party, or empty.
    pub message: String,
    /// From this instant on it can no longer be decided.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// How far it is, as stored: [`Proposal::state_at`] tells how it reads.
    pub state: ProposalState,
}

impl Entity for Proposal {
    type Id = ProposalId;
}

impl Proposal {
    /// The state at an instant: a pending proposal reads expired from `expires_at` on, with no sweeper running (rule 4.5).
    #[must_use]
    pub fn state_at(&self, now: DateTime<Utc>) -> ProposalState {
        match (self.state, self.expires_at) {
            (ProposalState::Pending, Some(at)) if at <= now => ProposalState::Expired { at },
            (state, _) => state,
        }
    }
}

/// Days from `start` to `end`, the end not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    start: NaiveDate,
    end: NaiveDate,
}

impl Period {
    /// The days between; `None` where `end` is not after `start`.
    #[must_use]
    pub fn new(start: NaiveDate, end: NaiveDate) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The first day.
    #[must_use]
    pub const fn start(self) -> NaiveDate {
        self.start
    }

    /// The day after the last.
    #[must_use]
    pub const fn end(self) -> NaiveDate {
        self.end
    }

    /// Whether the two share a day.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// How far a proposal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(ProposalStatus),
    doc = "The names of a proposal's states.",
    derive(Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
pub enum ProposalState {
    /// Waits for a response.
    Pending,
    /// Agreed on.
    Accepted {
        /// When.
        at: DateTime<Utc>,
    },
    /// Turned down by the owner.
    Rejected {
        /// When.
        at: DateTime<Utc>,
    },
    /// Taken back by its author.
    Withdrawn {
        /// When.
        at: DateTime<Utc>,
    },
    /// Replaced by a later one of its author.
    Superseded {
        /// When.
        at: DateTime<Utc>,
    },
    /// The trade was agreed on another, or cancelled.
    Closed {
        /// When.
        at: DateTime<Utc>,
    },
    /// Its time passed.
    Expired {
        /// When.
        at: DateTime<Utc>,
    },
}

impl ProposalState {
    /// When it was decided, once it is.
    #[must_use]
    pub const fn decided_at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Pending => None,
            Self::Accepted { at }
            | Self::Rejected { at }
            | Self::Withdrawn { at }
            | Self::Superseded { at }
            | Self::Closed { at }
            | Self::Expired { at } => Some(at),
        }
    }
}
