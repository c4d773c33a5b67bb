use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{
    CardDetails, CardToken, Charge, ChargeKey, ChargeOutcome, GatewayError, GatewayInfo, NextAction, PaymentGateway, RefundKey,
    RefundOutcome, RefundRequest, Tokenization,
};

/// A gateway that moves no money: the test numbers below behave as the table says, and every other valid number succeeds (rule 5.5).
///
/// | number | outcome |
/// | --- | --- |
/// | `4000000000000002` | declined: `card_declined` |
/// | `4000000000009995` | declined: `insufficient_funds` |
/// | `4000000000000069` | declined: `expired_card` |
/// | `4000002500003155` | waits for its payer, whose part is played by [`PaymentGateway::act_as_payer`] |
/// | `4000008400001629` | waits for its payer, and is then declined whatever they do: `card_declined` |
/// | `4000000000005126` | charged; its refunds fail: `expired_or_canceled_card` |
///
/// A card or a charge of another gateway gets no response: it waits until that gateway is back.
///
/// The behaviour is part of the card's token, so the sandbox decides a charge the same way after a restart. What it forgets then is
/// what payers did.
#[derive(Debug, Default)]
pub struct SandboxGateway {
    charges: Mutex<HashMap<ChargeKey, ChargeOutcome>>,
    refunds: Mutex<HashMap<RefundKey, RefundOutcome>>,
}

/// What a payer does when they must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum PayerOutcome {
    /// They confirm the payment.
    Succeed,
    /// They do not.
    Fail,
}

/// What all tokens and references of the sandbox begin with.
const OWN: &str = "sandbox_";
const SUCCEEDS: &str = "sandbox_ok";
const DECLINES: &str = "sandbox_declines_";
const ASKS_PAYER: &str = "sandbox_asks_payer";
const ASKS_PAYER_IN_VAIN: &str = "sandbox_asks_payer_in_vain";
const REFUSES_REFUNDS: &str = "sandbox_refuses_refunds";

/// The end of the reference of a charge whose refunds fail.
const NO_REFUNDS: &str = "_no_refunds";
/// The code of a payment that its payer did not confirm.
const NOT_CONFIRMED: &str = "payment_intent_authentication_failure";

impl SandboxGateway {
    /// A sandbox without charges.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends a charge that waits for its payer in this way.
    fn end_waiting(&self, charge: &Charge, end: impl FnOnce(String) -> ChargeOutcome) -> ChargeOutcome {
        let mut charges = self.charges();
        let present = charges.entry(charge.key.clone()).or_insert_with(|| first_outcome(charge));
        if let ChargeOutcome::ActionRequired { reference, .. } = present {
            *present = end(std::mem::take(reference));
        }
        present.clone()
    }

    fn charges(&self) -> MutexGuard<'_, HashMap<ChargeKey, ChargeOutcome>> {
        self.charges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refunds(&self) -> MutexGuard<'_, HashMap<RefundKey, RefundOutcome>> {
        self.refunds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The outcome of a charge before its payer acts.
fn first_outcome(charge: &Charge) -> ChargeOutcome {
    let refusal = if charge.card.expose() == REFUSES_REFUNDS { NO_REFUNDS } else { "" };
    let reference = format!("sandbox_{}{refusal}", charge.key.as_str());
    match charge.card.expose() {
        ASKS_PAYER | ASKS_PAYER_IN_VAIN => ChargeOutcome::ActionRequired {
            reference,
            next_action: NextAction {
                kind: "sandbox".to_owned(),
                url: Some(format!("/api/sandbox/payments/{}", charge.payment)),
                client_secret: None,
            },
        },
        token => match token.strip_prefix(DECLINES) {
            Some(code) => declined(code, reference),
            None => ChargeOutcome::Succeeded { reference },
        },
    }
}

/// Fails for a card or a charge of another gateway: a server that was started without its gateway by mistake must not take for paid
/// what nobody paid.
fn require_own(name: &str) -> Result<(), GatewayError> {
    if name.starts_with(OWN) { Ok(()) } else { Err(GatewayError::new("it belongs to another gateway than the sandbox")) }
}

fn declined(code: &str, reference: String) -> ChargeOutcome {
    ChargeOutcome::Declined { failure_code: code.to_owned(), reference: Some(reference) }
}

#[async_trait]
impl PaymentGateway for SandboxGateway {
    fn info(&self) -> GatewayInfo {
        GatewayInfo { kind: "sandbox", publishable_key: None, is_sandbox: true, takes_card_numbers: true }
    }

    async fn tokenize(&self, card: &CardDetails) -> Result<Tokenization, GatewayError> {
        let token = match card.number.expose() {
            "4000000000000002" => format!("{DECLINES}card_declined"),
            "4000000000009995" => format!("{DECLINES}insufficient_funds"),
            "4000000000000069" => format!("{DECLINES}expired_card"),
            "4000002500003155" => ASKS_PAYER.to_owned(),
            "4000008400001629" => ASKS_PAYER_IN_VAIN.to_owned(),
            "4000000000005126" => REFUSES_REFUNDS.to_owned(),
            _ => SUCCEEDS.to_owned(),
        };
        Ok(Tokenization::Accepted(CardToken::new(token)))
    }

    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        require_own(charge.card.expose())?;
        Ok(self.charges().entry(charge.key.clone()).or_insert_with(|| first_outcome(charge)).clone())
    }

    /// A charge with a reference was received, by this process or by another.
    async fn find_charge(&self, charge: &Charge) -> Result<Option<ChargeOutcome>, GatewayError> {
        if charge.reference.is_some() {
            return self.charge(charge).await.map(Some);
        }
        require_own(charge.card.expose())?;
        Ok(self.charges().get(&charge.key).cloned())
    }

    async fn cancel_charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        require_own(charge.card.expose())?;
        Ok(self.end_waiting(charge, |reference| ChargeOutcome::Cancelled { reference }))
    }

    async fn refund(&self, refund: &RefundRequest) -> Result<RefundOutcome, GatewayError> {
        require_own(&refund.charge_reference)?;
        let reference = format!("sandbox_refund_{}", refund.key.as_str());
        let refuses = refund.charge_reference.ends_with(NO_REFUNDS);
        let outcome = if refuses {
            RefundOutcome::Failed { failure_code: "expired_or_canceled_card".to_owned(), reference: Some(reference) }
        } else {
            RefundOutcome::Succeeded { reference }
        };
        Ok(self.refunds().entry(refund.key.clone()).or_insert(outcome).clone())
    }

    async fn find_refund(&self, refund: &RefundRequest) -> Result<Option<RefundOutcome>, GatewayError> {
        require_own(&refund.charge_reference)?;
        Ok(self.refunds().get(&refund.key).cloned())
    }

    fn act_as_payer(&self, charge: &Charge, outcome: PayerOutcome) -> Option<ChargeOutcome> {
        Some(self.end_waiting(charge, |reference| match (charge.card.expose(), outcome) {
            (ASKS_PAYER_IN_VAIN, _) => declined("card_declined", reference),
            (_, PayerOutcome::Fail) => declined(NOT_CONFIRMED, reference),
            (_, PayerOutcome::Succeed) => ChargeOutcome::Succeeded { reference },
        }))
    }
}
