use serde_json::{Value, json};

use super::cards::{Charging, asks_payer, charging, decline};
use super::form::Parameters;
use super::problem::Problem;
use super::state::State;

const KNOWN: [&str; 11] = [
    "amount",
    "confirm",
    "currency",
    "customer",
    "description",
    "metadata",
    "off_session",
    "payment_method",
    "payment_method_types",
    "return_url",
    "use_stripe_sdk",
];
/// Currencies that Stripe does not take.
const NOT_TAKEN: [&str; 3] = ["irr", "kpw", "syp"];
/// The most units of a charge, and the least of one in dollars.
const MOST: u64 = 99_999_999;
const LEAST: u64 = 50;

impl State {
    /// Makes a charge, and confirms it if that is asked for.
    pub(super) fn make_intent(&mut self, parameters: &Parameters) -> Result<String, Problem> {
        parameters.only(&KNOWN)?;
        let amount = parameters.number("amount")?.ok_or_else(|| Problem::invalid("parameter_missing", "amount"))?;
        let currency = parameters.require("currency")?;
        require_amount(amount, currency)?;
        let (customer, card) = (parameters.get("customer"), parameters.get("payment_method"));
        if let Some(customer) = customer {
            self.require("customer", customer)?;
        }
        if let Some(card) = card {
            self.require_usable(card, customer)?;
        }
        let intent = json!({
            "amount": amount,
            "amount_received": 0,
            "currency": currency,
            "customer": customer,
            "description": parameters.get("description"),
            "payment_method": card,
            "status": if card.is_some() { "requires_confirmation" } else { "requires_payment_method" },
            "next_action": null,
            "last_payment_error": null,
            "cancellation_reason": null,
            "metadata": parameters.metadata(),
        });
        let id = self.make("payment_intent", "pi", intent);
        self.give_secret(&id)?;
        self.tell("payment_intent.created", &id)?;
        if let Some(status) = self.holds_before {
            self.change(&id)?["status"] = json!(status);
        } else if parameters.flag("confirm") {
            self.confirm(&id, None, parameters.flag("use_stripe_sdk"))?;
        }
        Ok(id)
    }

    /// Confirms a charge, with another card if one is named.
    pub(super) fn confirm(&mut self, intent: &str, card: Option<&str>, in_script: bool) -> Result<(), Problem> {
        let present = self.object(intent)?;
        if !matches!(present["status"].as_str(), Some("requires_confirmation" | "requires_payment_method")) {
            return Err(Problem::unexpected_state(present));
        }
        let card = card.or(present["payment_method"].as_str()).unwrap_or_default().to_owned();
        let number = self.number(&card)?;
        self.change(intent)?["payment_method"] = json!(card);
        if asks_payer(&number) {
            let changed = self.change(intent)?;
            changed["status"] = json!("requires_action");
            changed["next_action"] = next_action(in_script, intent);
            return self.tell("payment_intent.requires_action", intent);
        }
        self.take(intent, &number)
    }

    /// The payer's bank says that it is them, or that it is not.
    pub(super) fn authenticate(&mut self, intent: &str, success: bool) -> Result<(), Problem> {
        let present = self.object(intent)?;
        if present["status"] != "requires_action" {
            return Err(Problem::unexpected_state(present));
        }
        let number = self.number(present["payment_method"].as_str().unwrap_or_default())?;
        self.change(intent)?["next_action"] = Value::Null;
        if success { self.take(intent, &number) } else { self.fail(intent, &authentication_failure()) }
    }

    /// Takes the money of a charge, or is declined.
    fn take(&mut self, intent: &str, number: &str) -> Result<(), Problem> {
        if let Charging::Declines(code, decline_code) = charging(number) {
            self.fail(intent, &decline(code, decline_code))?;
            let intent = self.object(intent)?.clone();
            return Err(Problem::card(&decline(code, decline_code)).with("payment_intent", intent));
        }
        if self.holds_charges {
            self.change(intent)?["status"] = json!("processing");
            return self.tell("payment_intent.processing", intent);
        }
        self.succeed(intent)
    }

    fn succeed(&mut self, intent: &str) -> Result<(), Problem> {
        let changed = self.change(intent)?;
        changed["status"] = json!("succeeded");
        changed["amount_received"] = changed["amount"].clone();
        self.tell("payment_intent.succeeded", intent)
    }

    /// Records an attempt that failed. Another card may be tried.
    fn fail(&mut self, intent: &str, error: &Value) -> Result<(), Problem> {
        let changed = self.change(intent)?;
        changed["status"] = json!("requires_payment_method");
        changed["payment_method"] = Value::Null;
        changed["last_payment_error"] = error.clone();
        self.tell("payment_intent.payment_failed", intent)
    }

    pub(super) fn finish_charges(&mut self) {
        self.holds_charges = false;
        self.holds_before = None;
        let intents: Vec<(String, bool)> = self
            .of_kind("payment_intent")
            .filter_map(|intent| Some((intent["id"].as_str()?.to_owned(), intent["status"] == "processing")))
            .collect();
        for (intent, is_processing) in intents {
            // One that is over is refused.
            _ = if is_processing { self.succeed(&intent) } else { self.confirm(&intent, None, true) };
        }
    }

    pub(super) fn cancel(&mut self, intent: &str, parameters: &Parameters) -> Result<(), Problem> {
        parameters.only(&["cancellation_reason"])?;
        let present = self.object(intent)?;
        if matches!(present["status"].as_str(), Some("succeeded" | "processing" | "canceled")) {
            return Err(Problem::unexpected_state(present));
        }
        let forgets_declines = self.forgets_declines;
        let changed = self.change(intent)?;
        if forgets_declines {
            changed["last_payment_error"] = Value::Null;
        }
        changed["status"] = json!("canceled");
        changed["next_action"] = Value::Null;
        changed["cancellation_reason"] = json!(parameters.get("cancellation_reason"));
        self.tell("payment_intent.canceled", intent)
    }
}

fn require_amount(amount: u64, currency: &str) -> Result<(), Problem> {
    let multiple_of = match currency {
        "isk" | "ugx" => 100,
        "bhd" | "jod" | "kwd" | "omr" | "tnd" => 10,
        _ => 1,
    };
    if NOT_TAKEN.contains(&currency) {
        Err(Problem::invalid("", "currency").without_code())
    } else if currency == "usd" && amount < LEAST {
        Err(Problem::invalid("amount_too_small", "amount"))
    } else if amount > MOST {
        Err(Problem::invalid("amount_too_large", "amount"))
    } else if amount == 0 || !amount.is_multiple_of(multiple_of) {
        Err(Problem::invalid("parameter_invalid_integer", "amount"))
    } else {
        Ok(())
    }
}

fn next_action(in_script: bool, intent: &str) -> Value {
    if in_script {
        json!({"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}})
    } else {
        json!({"type": "redirect_to_url", "redirect_to_url": {"url": format!("https://bank.example/{intent}")}})
    }
}

fn authentication_failure() -> Value {
    json!({
        "type": "invalid_request_error",
        "code": "payment_intent_authentication_failure",
        "message": "The provided PaymentMethod has failed authentication.",
    })
}
