//! What an operator may choose. Decisions get it as an input.

use chrono::Duration;

/// The choices.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// How long a token is good.
    pub token_ttl: Duration,
    /// What happens to payments after the due date.
    pub late_payments: LatePayments,
    /// How many proposals a customer may make in one trade.
    pub max_proposals: u32,
}

impl Policy {
    /// The same, with this lifetime of tokens.
    #[must_use]
    pub fn with_token_ttl(self, token_ttl: Duration) -> Self {
        Self { token_ttl, ..self }
    }

    /// The same, with this answer to late payments.
    #[must_use]
    pub fn with_late_payments(self, late_payments: LatePayments) -> Self {
        Self { late_payments, ..self }
    }

    /// The same, with this bound on the proposals of a customer in a trade.
    #[must_use]
    pub fn with_max_proposals(self, max_proposals: u32) -> Self {
        Self { max_proposals, ..self }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { token_ttl: Duration::days(30), late_payments: LatePayments::Accept, max_proposals: 100 }
    }
}

/// What happens to payments after the due date (rule 5.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum LatePayments {
    /// They are taken, and marked late.
    #[default]
    Accept,
    /// They are refused.
    Reject,
}
