//! What an operator may choose. Decisions get it as an input.

use chrono::Duration;

/// The choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long a token is good.
    pub token_ttl: Duration,
    /// What happens to payments after the due date.
    pub late_payments: LatePayments,
    /// How many proposals a customer may make in one trade.
    pub max_proposals: u32,
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
