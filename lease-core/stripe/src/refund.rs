use lease_core::gateway::{RefundOutcome, RefundRequest};
use lease_core::model::RefundReason;
use serde::Deserialize;

use crate::StripeGateway;
use crate::amount::{currency, units};
use crate::charge::AMOUNT_NOT_SUPPORTED;
use crate::client::{Form, Object};
use crate::error::{Refusal, StripeError, Word};
use crate::id::{Id, is_of_sandbox};

const REFUNDS: &str = "/v1/refunds";
/// The code of a refund of a payment that another gateway took.
const PAYMENT_OF_ANOTHER_GATEWAY: &str = "payment_of_another_gateway";
/// Codes with which Stripe says that a charge cannot be refunded, or not so much of it.
const NOT_REFUNDABLE: [&str; 5] =
    ["amount_too_large", "charge_already_refunded", "charge_disputed", "charge_not_refundable", "refund_disputed_payment"];

/// A refund at Stripe.
#[derive(Debug, Deserialize)]
struct StripeRefund {
    id: Id,
    status: Option<Word>,
    amount: u64,
    currency: String,
    metadata: Option<Metadata>,
    failure_reason: Option<Word>,
}

/// What we wrote on a refund.
#[derive(Debug, Deserialize)]
struct Metadata {
    lease_refund_key: Option<String>,
}

impl Object for StripeRefund {
    fn id(&self) -> &Id {
        &self.id
    }
}

impl StripeRefund {
    fn has_key(&self, refund: &RefundRequest) -> bool {
        self.metadata.as_ref().and_then(|metadata| metadata.lease_refund_key.as_deref()) == Some(refund.key.as_str())
    }

    /// The outcome, if this is the refund that was asked for.
    fn outcome(&self, refund: &RefundRequest) -> Result<RefundOutcome, StripeError> {
        if !self.has_key(refund) {
            return Err(StripeError::Unexpected("another key"));
        }
        if Some(self.amount) != units(refund.amount) || self.currency != currency(refund.amount) {
            return Err(StripeError::Unexpected("another amount"));
        }
        let reference = self.id.to_string();
        Ok(match self.status.as_ref().map(|status| status.0.as_str()) {
            Some("succeeded") => RefundOutcome::Succeeded { reference },
            Some(status @ ("failed" | "canceled")) => {
                let failure_code = self.failure_reason.as_ref().map_or(status, |reason| &reason.0).to_owned();
                RefundOutcome::Failed { failure_code, reference: Some(reference) }
            }
            _ => RefundOutcome::Pending { reference },
        })
    }
}

impl StripeGateway {
    /// Gives money back, unless Stripe was told to before.
    pub(crate) async fn give_back(&self, refund: &RefundRequest) -> Result<RefundOutcome, StripeError> {
        if (refund.reference.is_some() || !self.is_key_remembered(refund.begun_at))
            && let Some(outcome) = self.look_refund_up(refund).await?
        {
            return Ok(outcome);
        }
        // Stripe is never told of these, so that they can be refused for certain.
        let Some(intent) = Id::parse(&refund.charge_reference, "pi_") else { return Ok(failed(PAYMENT_OF_ANOTHER_GATEWAY)) };
        let Some(units) = units(refund.amount) else { return Ok(failed(AMOUNT_NOT_SUPPORTED)) };
        match self.client.post::<StripeRefund>(REFUNDS, &form(refund, &intent, units), Some(refund.key.as_str())).await {
            Ok(posted) if posted.is_replay => self.stripe_refund(posted.value.id()).await?.outcome(refund),
            Ok(posted) => posted.value.outcome(refund),
            Err(StripeError::Refused(refusal)) => self.refund_refused(refund, refusal).await,
            Err(error) => Err(error),
        }
    }

    /// The present outcome of a refund, if Stripe was told to make it.
    pub(crate) async fn look_refund_up(&self, refund: &RefundRequest) -> Result<Option<RefundOutcome>, StripeError> {
        // Stripe was never told of a refund in the sandbox.
        if is_of_sandbox(&refund.charge_reference) {
            return Ok(None);
        }
        let intent = Id::parse(&refund.charge_reference, "pi_").ok_or(StripeError::AnotherGateway)?;
        if let Some(reference) = &refund.reference {
            let id = Id::parse(reference, "").ok_or(StripeError::AnotherGateway)?;
            return self.stripe_refund(&id).await?.outcome(refund).map(Some);
        }
        let filter = vec![("payment_intent", intent.to_string())];
        match self.client.find(REFUNDS, filter, |found: &StripeRefund| found.has_key(refund)).await {
            Ok(found) => found.map(|found| found.outcome(refund)).transpose(),
            // What does not exist was never refunded.
            Err(StripeError::Refused(refusal)) if refusal.misses("payment_intent") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What it means that Stripe refused a refund: that it failed, if the charge cannot be refunded, or not so much of it.
    async fn refund_refused(&self, refund: &RefundRequest, refusal: Box<Refusal>) -> Result<RefundOutcome, StripeError> {
        let is_certain = refusal.has_code(&NOT_REFUNDABLE) || refusal.misses("payment_intent") || refusal.is_about("amount");
        if !is_certain {
            return Err(StripeError::Refused(refusal));
        }
        // What was refunded already may be just this.
        match self.look_refund_up(refund).await? {
            Some(outcome) => Ok(outcome),
            None => Ok(failed(&refusal.failure_code().unwrap_or_else(|| "amount_too_large".to_owned()))),
        }
    }

    async fn stripe_refund(&self, id: &Id) -> Result<StripeRefund, StripeError> {
        self.client.get(&format!("{REFUNDS}/{id}"), &Form::new()).await
    }
}

fn failed(code: &str) -> RefundOutcome {
    RefundOutcome::Failed { failure_code: code.to_owned(), reference: None }
}

/// The parameters of a refund. They depend on the refund only: Stripe refuses a key that comes with other ones.
fn form(refund: &RefundRequest, intent: &Id, units: u64) -> Form {
    let mut form = vec![
        ("payment_intent", intent.to_string()),
        ("amount", units.to_string()),
        ("metadata[lease_refund_key]", refund.key.as_str().to_owned()),
        ("metadata[lease_refund_id]", refund.refund.to_string()),
        ("metadata[lease_payment_id]", refund.payment.to_string()),
    ];
    form.extend(reason(refund.reason).map(|reason| ("reason", reason.to_owned())));
    form
}

/// The reason in Stripe's words, if it has one.
fn reason(reason: RefundReason) -> Option<&'static str> {
    match reason {
        RefundReason::Duplicate => Some("duplicate"),
        RefundReason::Fraudulent => Some("fraudulent"),
        RefundReason::RequestedByCustomer => Some("requested_by_customer"),
        RefundReason::TradeCancelled | RefundReason::Other => None,
    }
}
