use super::{Described, Fields, optional_instant};
use crate::model::{Payment, PaymentStatus};

/// What the payer must do is left out: it may hold a secret. What was refunded is in the events of the refunds.
impl Described for Payment {
    fn fields(&self) -> Fields {
        vec![
            ("status", <&str>::from(PaymentStatus::from(&self.state)).into()),
            ("failure_code", self.state.failure_code().into()),
            ("gateway_reference", self.gateway_reference.as_deref().into()),
            ("settled_at", optional_instant(self.state.settled_at())),
        ]
    }
}
