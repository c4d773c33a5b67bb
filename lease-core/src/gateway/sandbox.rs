use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{CardDetails, CardToken, Charge, ChargeKey, ChargeOutcome, GatewayError, PaymentGateway};

/// A gateway that moves no money: the test numbers below are declined, and every other valid number succeeds (rule 5.5).
///
/// | number | outcome |
/// | --- | --- |
/// | `4000000000000002` | `card_declined` |
/// | `4000000000009995` | `insufficient_funds` |
/// | `4000000000000069` | `expired_card` |
///
/// The outcome is part of the card's token, so the sandbox decides a charge the same way after a restart.
#[derive(Debug, Default)]
pub struct SandboxGateway {
    charges: Mutex<HashMap<ChargeKey, ChargeOutcome>>,
}

const SUCCEEDS: &str = "sandbox_ok";
const DECLINES: &str = "sandbox_declines_";

impl SandboxGateway {
    /// A sandbox without charges.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn charges(&self) -> std::sync::MutexGuard<'_, HashMap<ChargeKey, ChargeOutcome>> {
        self.charges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl PaymentGateway for SandboxGateway {
    async fn tokenize(&self, card: &CardDetails) -> Result<CardToken, GatewayError> {
        let token = match card.number.expose() {
            "4000000000000002" => format!("{DECLINES}card_declined"),
            "4000000000009995" => format!("{DECLINES}insufficient_funds"),
            "4000000000000069" => format!("{DECLINES}expired_card"),
            _ => SUCCEEDS.to_owned(),
        };
        Ok(CardToken::new(token))
    }

    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        let reference = format!("sandbox_{}", charge.key.as_str());
        let outcome = match charge.card.expose().strip_prefix(DECLINES) {
            Some(code) => ChargeOutcome::Declined { failure_code: code.to_owned(), reference },
            None => ChargeOutcome::Succeeded { reference },
        };
        Ok(self.charges().entry(charge.key.clone()).or_insert(outcome).clone())
    }

    async fn find_charge(&self, key: &ChargeKey) -> Result<Option<ChargeOutcome>, GatewayError> {
        Ok(self.charges().get(key).cloned())
    }
}
