use serde_json::{Value, json};

use super::form::Parameters;
use super::problem::Problem;
use super::state::State;

/// What happens when a card is charged, and what happens before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charging {
    Succeeds,
    /// With this code and this code of the bank.
    Declines(&'static str, &'static str),
}

/// Whether its payer has to confirm a charge.
pub(super) fn asks_payer(number: &str) -> bool {
    matches!(number, "4000002500003155" | "4000002760003184" | "4000000000003220" | "4000008260003178" | "4000008400001629")
}

pub(super) fn charging(number: &str) -> Charging {
    match number {
        "4000000000000002" | "4000000000000341" | "4000008400001629" => Charging::Declines("card_declined", "generic_decline"),
        "4000000000009995" | "4000008260003178" => Charging::Declines("card_declined", "insufficient_funds"),
        "4000000000000069" => Charging::Declines("expired_card", "expired_card"),
        _ => Charging::Succeeds,
    }
}

/// The error of a declined card, as it stands in an intent.
pub(super) fn decline(code: &str, decline_code: &str) -> Value {
    json!({"type": "card_error", "code": code, "decline_code": decline_code, "message": "Your card was declined."})
}

/// The brand of a number by its first digit. The fake needs no more.
fn brand(number: &str) -> &'static str {
    match number.as_bytes().first() {
        Some(b'3') => "amex",
        Some(b'4') => "visa",
        Some(b'5') => "mastercard",
        Some(b'6') => "discover",
        _ => "unknown",
    }
}

impl State {
    pub(super) fn make_customer(&mut self, parameters: &Parameters) -> Result<String, Problem> {
        parameters.only(&["name", "email", "description", "metadata"])?;
        Ok(self.make("customer", "cus", json!({"metadata": parameters.metadata()})))
    }

    pub(super) fn make_card(&mut self, number: &str, month: &str, year: &str, name: Option<&str>) -> Result<String, Problem> {
        let is_number = number.len() >= 12 && number.bytes().all(|byte| byte.is_ascii_digit());
        let last4 = number.get(number.len().saturating_sub(4)..).filter(|_| is_number);
        let last4 = last4.ok_or_else(|| Problem::invalid("incorrect_number", "card[number]"))?;
        let parse = |text: &str, name| text.parse::<u32>().map_err(|_| Problem::invalid("parameter_invalid_integer", name));
        let card = json!({
            "type": "card",
            "customer": null,
            "billing_details": {"name": name},
            "card": {
                "brand": brand(number),
                "last4": last4,
                "exp_month": parse(month, "card[exp_month]")?,
                "exp_year": parse(year, "card[exp_year]")?,
            },
            "metadata": {},
        });
        let id = self.make("payment_method", "pm", card);
        self.numbers.insert(id.clone(), number.to_owned());
        Ok(id)
    }

    pub(super) fn make_card_of(&mut self, parameters: &Parameters) -> Result<String, Problem> {
        parameters.only(&["type", "card", "billing_details", "key"])?;
        let part = |name| parameters.require(name);
        let name = parameters.get("billing_details[name]");
        self.make_card(part("card[number]")?, part("card[exp_month]")?, part("card[exp_year]")?, name)
    }

    pub(super) fn number(&self, card: &str) -> Result<String, Problem> {
        self.numbers.get(card).cloned().ok_or_else(|| Problem::missing("payment_method"))
    }

    /// Attaches a card to a customer, unless it is refused or belongs to another one.
    pub(super) fn attach(&mut self, card: &str, customer: &str) -> Result<(), Problem> {
        self.require("customer", customer)?;
        let number = self.number(card)?;
        self.require_usable(card, Some(customer))?;
        // This one is refused only when it is charged.
        if let (Charging::Declines(code, decline_code), false) =
            (charging(&number), number == "4000000000000341" || asks_payer(&number))
        {
            return Err(Problem::card(&decline(code, decline_code)));
        }
        self.change(card)?["customer"] = json!(customer);
        Ok(())
    }

    /// Refuses a card of another customer, and one that was taken away from its owner.
    pub(super) fn require_usable(&self, card: &str, customer: Option<&str>) -> Result<(), Problem> {
        let card = self.object(card).map_err(|_| Problem::missing("payment_method"))?;
        let is_free = card["customer"].is_null() && card["was_detached"].is_null();
        if is_free || card["customer"].as_str().is_some_and(|owner| Some(owner) == customer) {
            Ok(())
        } else {
            Err(Problem::invalid("payment_method_unexpected_state", "payment_method"))
        }
    }

    pub(super) fn make_setup(&mut self, parameters: &Parameters) -> Result<String, Problem> {
        parameters.only(&["customer", "usage", "payment_method_types", "metadata"])?;
        let customer = parameters.require("customer")?.to_owned();
        self.require("customer", &customer)?;
        let setup = json!({
            "customer": customer,
            "usage": parameters.get("usage").unwrap_or("off_session"),
            "status": "requires_payment_method",
            "payment_method": null,
            "metadata": parameters.metadata(),
        });
        let id = self.make("setup_intent", "seti", setup);
        self.give_secret(&id)?;
        Ok(id)
    }

    /// Enters a card into a setup, which attaches it.
    pub(super) fn confirm_setup(&mut self, setup: &str, card: &str) -> Result<(), Problem> {
        let customer = self.object(setup)?["customer"].as_str().unwrap_or_default().to_owned();
        self.attach(card, &customer)?;
        let setup = self.change(setup)?;
        setup["payment_method"] = json!(card);
        setup["status"] = json!("succeeded");
        Ok(())
    }
}
