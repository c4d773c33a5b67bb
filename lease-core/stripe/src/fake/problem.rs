use serde_json::{Value, json};

/// A request that is refused: the status, and the body.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: u16,
    error: Value,
}

impl Problem {
    fn new(status: u16, kind: &str, code: &str) -> Self {
        Self { status, error: json!({"type": kind, "code": code, "message": format!("This is {code}.")}) }
    }

    pub(super) fn invalid(code: &str, parameter: &str) -> Self {
        Self::new(400, "invalid_request_error", code).with("param", json!(parameter))
    }

    pub(super) fn missing(parameter: &str) -> Self {
        Self { status: 404, ..Self::invalid("resource_missing", parameter) }
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "invalid_request_error", "unauthorized")
    }

    pub(super) fn other_parameters() -> Self {
        Self::new(400, "idempotency_error", "idempotency_key_reused")
    }

    pub(super) fn unexpected_state(intent: &Value) -> Self {
        Self::new(400, "invalid_request_error", "payment_intent_unexpected_state").with("payment_intent", intent.clone())
    }

    pub(super) fn card(error: &Value) -> Self {
        Self { status: 402, error: error.clone() }
    }

    pub(super) fn failure(status: u16) -> Self {
        let kind = if status == 429 { "rate_limit_error" } else { "api_error" };
        Self::new(status, kind, "fault_of_a_test")
    }

    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.error[name] = value;
        self
    }

    pub(super) fn without_code(mut self) -> Self {
        self.error["code"] = Value::Null;
        self
    }

    pub(super) fn is_of_card(&self) -> bool {
        self.status == 402
    }

    pub(super) fn code(&self) -> &str {
        self.error["code"].as_str().unwrap_or_default()
    }

    pub(super) fn body(&self) -> Value {
        json!({"error": self.error})
    }
}
