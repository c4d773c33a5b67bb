use chrono::{DateTime, Duration, Utc};
use hyper::StatusCode;
use lease_core::gateway::{Charge, ChargeOutcome, ClientSecret, NextAction};
use serde::{Deserialize, Deserializer};

use crate::StripeGateway;
use crate::amount::{currency, units};
use crate::card::StripeCard;
use crate::client::{Form, Object};
use crate::error::{Refusal, StripeError, Word};
use crate::id::{Id, is_of_sandbox};

const PAYMENT_INTENTS: &str = "/v1/payment_intents";
/// The code of a payment whose amount Stripe cannot take.
pub(crate) const AMOUNT_NOT_SUPPORTED: &str = "amount_not_supported";
/// The code of a payment in a currency that the account does not take, if Stripe names none.
const CURRENCY_NOT_SUPPORTED: &str = "currency_not_supported";
/// The code of a payment with a card that another gateway keeps.
const CARD_OF_ANOTHER_GATEWAY: &str = "card_of_another_gateway";

/// Codes with which Stripe says that it made no charge, and never will with these parameters.
const NEVER_CHARGED: [&str; 3] = ["amount_too_large", "amount_too_small", "payment_method_unexpected_state"];

/// How much earlier than a payment was begun its charge can have been made: the clock that said so may have been ahead.
const AHEAD: Duration = Duration::days(1);
/// How long after it was sent a charge may still be on its way to be confirmed. Stripe makes and confirms it in one request.
const IN_FLIGHT: Duration = Duration::minutes(15);

/// A charge at Stripe.
#[derive(Debug, Deserialize)]
pub(crate) struct PaymentIntent {
    id: Id,
    status: Word,
    amount: u64,
    currency: String,
    /// When Stripe made it, in seconds of Unix.
    created: Option<i64>,
    metadata: Option<Metadata>,
    #[serde(default, deserialize_with = "secret")]
    client_secret: Option<ClientSecret>,
    next_action: Option<Action>,
    last_payment_error: Option<PaymentError>,
}

/// What we wrote on a charge.
#[derive(Debug, Deserialize)]
struct Metadata {
    lease_key: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Action {
    #[serde(rename = "type")]
    kind: Word,
    redirect_to_url: Option<Redirect>,
}

#[derive(Debug, Deserialize)]
struct Redirect {
    url: Option<String>,
}

/// Why the last attempt to charge failed.
#[derive(Debug, Deserialize)]
struct PaymentError {
    code: Option<Word>,
    decline_code: Option<Word>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ClientSecret>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(ClientSecret::new))
}

impl Object for PaymentIntent {
    fn id(&self) -> &Id {
        &self.id
    }
}

impl PaymentIntent {
    fn reference(&self) -> String {
        self.id.to_string()
    }

    /// The outcome; `None` while the card, or another one, can still be charged without our doing.
    fn outcome(&self) -> Option<ChargeOutcome> {
        let reference = self.reference();
        match self.status.0.as_str() {
            "succeeded" => Some(ChargeOutcome::Succeeded { reference }),
            "processing" => Some(ChargeOutcome::Pending { reference }),
            "requires_action" => Some(ChargeOutcome::ActionRequired { reference, next_action: self.next_action() }),
            "canceled" => Some(match self.failure_code() {
                Some(failure_code) => self.declined(failure_code),
                None => ChargeOutcome::Cancelled { reference },
            }),
            _ => None,
        }
    }

    /// When it was sent: a payment that was begun long before may have waited for Stripe.
    fn sent_at(&self, charge: &Charge) -> DateTime<Utc> {
        let made_at = self.created.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        made_at.map_or(charge.begun_at, |made_at| made_at.max(charge.begun_at))
    }

    /// Whether it looks like a charge that Stripe has made, and is about to confirm in the same request.
    fn is_unconfirmed(&self) -> bool {
        match self.status.0.as_str() {
            "requires_confirmation" => true,
            "requires_payment_method" => self.last_payment_error.is_none(),
            _ => false,
        }
    }

    fn declined(&self, failure_code: String) -> ChargeOutcome {
        ChargeOutcome::Declined { failure_code, reference: Some(self.reference()) }
    }

    fn failure_code(&self) -> Option<String> {
        let error = self.last_payment_error.as_ref()?;
        let code = error.decline_code.as_ref().or(error.code.as_ref());
        Some(code.map_or_else(|| "card_declined".to_owned(), |code| code.0.clone()))
    }

    fn next_action(&self) -> NextAction {
        let action = self.next_action.as_ref();
        NextAction {
            kind: action.map_or_else(|| "use_stripe_sdk".to_owned(), |action| action.kind.0.clone()),
            url: action.and_then(|action| action.redirect_to_url.as_ref()).and_then(|redirect| redirect.url.clone()),
            client_secret: self.client_secret.clone(),
        }
    }

    fn has_key(&self, charge: &Charge) -> bool {
        self.metadata.as_ref().and_then(|metadata| metadata.lease_key.as_deref()) == Some(charge.key.as_str())
    }

    /// Makes sure that this is the charge that was asked for.
    fn require(&self, charge: &Charge) -> Result<(), StripeError> {
        if !self.has_key(charge) {
            return Err(StripeError::Unexpected("another key"));
        }
        if Some(self.amount) != units(charge.amount) || self.currency != currency(charge.amount) {
            return Err(StripeError::Unexpected("another amount"));
        }
        Ok(())
    }
}

impl StripeGateway {
    /// Charges a card, unless Stripe was told to before.
    pub(crate) async fn charge_card(&self, charge: &Charge) -> Result<ChargeOutcome, StripeError> {
        if (charge.reference.is_some() || !self.is_key_remembered(charge.begun_at))
            && let Some(outcome) = self.look_charge_up(charge).await?
        {
            return Ok(outcome);
        }
        // Stripe is never told of these, so that they can be refused for certain.
        let never_sent = |code: &str| ChargeOutcome::Declined { failure_code: code.to_owned(), reference: None };
        let Some(card) = StripeCard::of(&charge.card) else { return Ok(never_sent(CARD_OF_ANOTHER_GATEWAY)) };
        let Some(units) = units(charge.amount) else { return Ok(never_sent(AMOUNT_NOT_SUPPORTED)) };
        match self.client.post::<PaymentIntent>(PAYMENT_INTENTS, &form(charge, &card, units), Some(charge.key.as_str())).await {
            Ok(posted) if posted.is_replay => self.settled(charge, self.payment_intent(posted.value.id()).await?).await,
            Ok(posted) => self.settled(charge, posted.value).await,
            Err(StripeError::Refused(refusal)) => self.charge_refused(charge, refusal).await,
            Err(error) => Err(error),
        }
    }

    /// The present outcome of a charge, if Stripe was told to make it.
    pub(crate) async fn look_charge_up(&self, charge: &Charge) -> Result<Option<ChargeOutcome>, StripeError> {
        match self.find_payment_intent(charge).await? {
            Some(intent) => self.settled(charge, intent).await.map(Some),
            None => Ok(None),
        }
    }

    /// Gives a charge up, unless it is over already.
    pub(crate) async fn give_charge_up(&self, charge: &Charge) -> Result<ChargeOutcome, StripeError> {
        if let Some(reference) = charge.reference.as_ref().filter(|reference| is_of_sandbox(reference)) {
            return Ok(ChargeOutcome::Cancelled { reference: reference.clone() });
        }
        let intent = self.find_payment_intent(charge).await?.ok_or(StripeError::Unexpected("no such charge"))?;
        intent.require(charge)?;
        self.give_up(charge, &intent).await
    }

    /// The outcome of a charge. One that was declined is given up first: its payer holds a secret with which they could charge
    /// another card until then. One that was never confirmed is given up as well, but not before it surely never will be.
    async fn settled(&self, charge: &Charge, intent: PaymentIntent) -> Result<ChargeOutcome, StripeError> {
        intent.require(charge)?;
        match intent.outcome() {
            Some(outcome) => Ok(outcome),
            None if intent.is_unconfirmed() && self.clock.now() - intent.sent_at(charge) < IN_FLIGHT => {
                Ok(ChargeOutcome::Pending { reference: intent.reference() })
            }
            None => self.give_up(charge, &intent).await,
        }
    }

    /// Cancels a charge. If the last attempt failed before, it was declined; Stripe may not say so any more afterwards.
    async fn give_up(&self, charge: &Charge, intent: &PaymentIntent) -> Result<ChargeOutcome, StripeError> {
        let cancelled = self.cancel(intent).await?;
        cancelled.require(charge)?;
        match (cancelled.outcome(), intent.failure_code()) {
            (Some(ChargeOutcome::Cancelled { .. }), Some(failure_code)) => Ok(intent.declined(failure_code)),
            (Some(outcome), _) => Ok(outcome),
            (None, _) => Err(StripeError::Unexpected("a charge that cannot be given up")),
        }
    }

    /// What it means that Stripe refused to make a charge: a decline, if the card was refused or nothing was charged for certain.
    async fn charge_refused(&self, charge: &Charge, mut refusal: Box<Refusal>) -> Result<ChargeOutcome, StripeError> {
        let is_of_currency = refusal.is_about("currency");
        let is_certain =
            refusal.has_code(&NEVER_CHARGED) || is_of_currency || refusal.misses("customer") || refusal.misses("payment_method");
        let intent = match refusal.details.payment_intent.take() {
            Some(intent) => Some(*intent),
            None if is_certain || refusal.is_of_card() => self.find_payment_intent(charge).await?,
            None => None,
        };
        let failure_code = refusal.failure_code().or_else(|| is_of_currency.then(|| CURRENCY_NOT_SUPPORTED.to_owned()));
        match (intent, failure_code) {
            (Some(intent), _) => self.settled(charge, intent).await,
            (None, Some(failure_code)) if is_certain => Ok(ChargeOutcome::Declined { failure_code, reference: None }),
            (None, _) => Err(StripeError::Refused(refusal)),
        }
    }

    async fn payment_intent(&self, id: &Id) -> Result<PaymentIntent, StripeError> {
        self.client.get(&format!("{PAYMENT_INTENTS}/{id}"), &Form::new()).await
    }

    /// By its reference, or among all charges of the customer since a day before the payment was begun.
    async fn find_payment_intent(&self, charge: &Charge) -> Result<Option<PaymentIntent>, StripeError> {
        let reference = charge.reference.as_deref();
        // Stripe was never told of a charge in the sandbox.
        if is_of_sandbox(charge.card.expose()) || reference.is_some_and(is_of_sandbox) {
            return Ok(None);
        }
        if let Some(reference) = reference {
            let id = Id::parse(reference, "pi_").ok_or(StripeError::AnotherGateway)?;
            return self.payment_intent(&id).await.map(Some);
        }
        let card = StripeCard::of(&charge.card).ok_or(StripeError::AnotherGateway)?;
        let mut filter: Form = vec![("customer", card.customer.to_string())];
        if !self.is_ahead(charge.begun_at) {
            filter.push(("created[gte]", (charge.begun_at - AHEAD).timestamp().to_string()));
        }
        let has_key = |intent: &PaymentIntent| intent.has_key(charge);
        match self.client.find(PAYMENT_INTENTS, filter.clone(), has_key).await {
            // Stripe may list nothing of a customer that was deleted. The charge can have been made before.
            Err(StripeError::Refused(refusal)) if refusal.misses("customer") => {
                filter.retain(|(name, _)| *name != "customer");
                self.client.find(PAYMENT_INTENTS, filter, has_key).await
            }
            found => found,
        }
    }

    /// Gives a charge up. What is returned may be over in another way: it is then as it is.
    async fn cancel(&self, intent: &PaymentIntent) -> Result<PaymentIntent, StripeError> {
        let form = vec![("cancellation_reason", "abandoned".to_owned())];
        match self.client.post(&format!("{PAYMENT_INTENTS}/{}/cancel", intent.id), &form, None).await {
            Ok(posted) => Ok(posted.value),
            Err(StripeError::Refused(refusal)) if refusal.status == StatusCode::BAD_REQUEST => {
                self.payment_intent(&intent.id).await
            }
            Err(error) => Err(error),
        }
    }
}

/// The parameters of a charge. They depend on the charge only: Stripe refuses a key that comes with other ones.
fn form(charge: &Charge, card: &StripeCard, units: u64) -> Form {
    vec![
        ("amount", units.to_string()),
        ("currency", currency(charge.amount)),
        ("customer", card.customer.to_string()),
        ("payment_method", card.payment_method.to_string()),
        ("payment_method_types[]", "card".to_owned()),
        ("confirm", "true".to_owned()),
        // The payer acts in a browser, with Stripe's own script.
        ("use_stripe_sdk", "true".to_owned()),
        ("description", charge.invoice.number()),
        ("metadata[lease_key]", charge.key.as_str().to_owned()),
        ("metadata[lease_payment_id]", charge.payment.to_string()),
        ("metadata[lease_invoice_id]", charge.invoice.to_string()),
        ("metadata[lease_customer_id]", charge.customer.to_string()),
    ]
}
