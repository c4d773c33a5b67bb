//! The settings that an operator may choose. Decisions get them as an input.

use chrono::Duration;

use crate::money::Currency;

/// The operator's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// The time for which a token is valid.
    pub token_ttl: Duration,
    /// The treatment of payments after the due date.
    pub late_payments: LatePayments,
    /// From how many declined payments of a customer within an hour on no other is begun; 0 for no limit.
    pub declines_per_hour: u32,
    /// How long a payment waits for its payer before it is given up (rule 5.5).
    pub payment_action: Duration,
    /// The time in which the gateway has to respond: less than a client waits for the server, and less than a payment is pending
    /// before recovery takes it up.
    pub gateway_timeout: Duration,
    /// The most proposals that a customer may make in one trade.
    pub max_proposals: u32,
    /// The most days that a proposal may cover.
    pub max_days: u32,
    /// The currency in which asking prices are compared if a request names no other: that of the standard services.
    pub currency: Currency,
    /// How long events are kept; for ever if there is no limit.
    pub event_retention: Option<Duration>,
    /// Whether webhooks may go to addresses that are not public, and without TLS (rule 9.2).
    pub private_webhooks: bool,
    /// Whether a customer has to give the present password with a new one or with another e-mail address (rule 9.3).
    pub require_current_password: bool,
    /// Whether a customer has to confirm the e-mail address before doing anything but reading (rule 9.4).
    pub require_verified_email: bool,
}

impl Policy {
    /// The same policy, with this lifetime of tokens.
    #[must_use]
    pub fn with_token_ttl(self, token_ttl: Duration) -> Self {
        Self { token_ttl, ..self }
    }

    /// The same policy, with this treatment of late payments.
    #[must_use]
    pub fn with_late_payments(self, late_payments: LatePayments) -> Self {
        Self { late_payments, ..self }
    }

    /// The same policy, with this limit on the declined payments of a customer within an hour; 0 for none.
    #[must_use]
    pub fn with_declines_per_hour(self, declines_per_hour: u32) -> Self {
        Self { declines_per_hour, ..self }
    }

    /// The same policy, with this time for which a payment waits for its payer.
    #[must_use]
    pub fn with_payment_action(self, payment_action: Duration) -> Self {
        Self { payment_action, ..self }
    }

    /// The same policy, with this time in which the gateway has to respond.
    #[must_use]
    pub fn with_gateway_timeout(self, gateway_timeout: Duration) -> Self {
        Self { gateway_timeout, ..self }
    }

    /// The same policy, with this limit on the proposals of a customer in a trade.
    #[must_use]
    pub fn with_max_proposals(self, max_proposals: u32) -> Self {
        Self { max_proposals, ..self }
    }

    /// The same policy, with this limit on the days of a proposal.
    #[must_use]
    pub fn with_max_days(self, max_days: u32) -> Self {
        Self { max_days, ..self }
    }

    /// The same policy, with this currency for comparing asking prices.
    #[must_use]
    pub fn with_currency(self, currency: Currency) -> Self {
        Self { currency, ..self }
    }

    /// The same policy, with webhooks to private addresses, or without.
    #[must_use]
    pub fn with_private_webhooks(self, private_webhooks: bool) -> Self {
        Self { private_webhooks, ..self }
    }

    /// The same policy, with asking for the present password, or without.
    #[must_use]
    pub fn with_require_current_password(self, require_current_password: bool) -> Self {
        Self { require_current_password, ..self }
    }

    /// The same policy, with asking for a confirmed e-mail address, or without.
    #[must_use]
    pub fn with_require_verified_email(self, require_verified_email: bool) -> Self {
        Self { require_verified_email, ..self }
    }

    /// The same policy, with this limit on how long events are kept.
    #[must_use]
    pub fn with_event_retention(self, event_retention: Option<Duration>) -> Self {
        Self { event_retention, ..self }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            token_ttl: Duration::days(30),
            late_payments: LatePayments::Accept,
            declines_per_hour: 20,
            payment_action: Duration::minutes(60),
            gateway_timeout: Duration::seconds(20),
            max_proposals: 100,
            max_days: 3_660,
            currency: Currency::USD,
            event_retention: None,
            private_webhooks: false,
            require_current_password: false,
            require_verified_email: false,
        }
    }
}

/// The treatment of payments after the due date (rule 5.4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum LatePayments {
    /// They are accepted, and marked as late.
    #[default]
    Accept,
    /// They are refused.
    Reject,
}
