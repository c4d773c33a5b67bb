use serde_json::{Value, json};

use super::form::Parameters;
use super::problem::Problem;
use super::state::State;

impl State {
    /// Gives a part of a charge back. What is pending counts as given back already.
    pub(super) fn make_refund(&mut self, parameters: &Parameters) -> Result<String, Problem> {
        parameters.only(&["payment_intent", "amount", "reason", "metadata"])?;
        if !matches!(parameters.get("reason"), None | Some("duplicate" | "fraudulent" | "requested_by_customer")) {
            return Err(Problem::invalid("parameter_invalid_enum", "reason"));
        }
        let id = parameters.require("payment_intent")?;
        let intent = self.object(id).map_err(|_| Problem::missing("payment_intent"))?.clone();
        if intent["status"] != "succeeded" {
            return Err(Problem::unexpected_state(&intent));
        }
        let refunds = self.of_kind("refund").filter(|refund| refund["payment_intent"] == id && refund["status"] != "failed");
        let refunded: u64 = refunds.filter_map(|refund| refund["amount"].as_u64()).sum();
        let left = intent["amount"].as_u64().unwrap_or_default().saturating_sub(refunded);
        if left == 0 {
            return Err(Problem::invalid("charge_already_refunded", "payment_intent"));
        }
        let amount = parameters.number("amount")?.unwrap_or(left);
        if amount == 0 || amount > left {
            return Err(Problem::invalid("", "amount").without_code());
        }
        let (status, failure_reason) = match self.number(intent["payment_method"].as_str().unwrap_or_default())?.as_str() {
            "4000000000005126" => ("failed", Some("expired_or_canceled_card")),
            "4000000000007726" => ("pending", None),
            _ => ("succeeded", None),
        };
        let mut refund = json!({
            "amount": amount,
            "currency": intent["currency"],
            "payment_intent": id,
            "reason": parameters.get("reason"),
            "status": status,
            // One that was made by hand has none.
            "metadata": Some(parameters.metadata()).filter(|metadata| *metadata != json!({})),
        });
        if let Some(reason) = failure_reason {
            refund["failure_reason"] = json!(reason);
        }
        let id = self.make("refund", "re", refund);
        self.tell("refund.created", &id)?;
        Ok(id)
    }

    pub(super) fn finish_refund(&mut self, id: &str, failure_reason: Option<&str>) -> Result<(), Problem> {
        let refund: &mut Value = self.change(id)?;
        refund["status"] = json!(if failure_reason.is_some() { "failed" } else { "succeeded" });
        if let Some(reason) = failure_reason {
            refund["failure_reason"] = json!(reason);
        }
        self.tell(if failure_reason.is_some() { "refund.failed" } else { "refund.updated" }, id)
    }
}
