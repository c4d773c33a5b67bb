use super::{Described, Fields};
use crate::model::{PaymentState, PaymentStatus};

/// Only the state of a payment changes.
impl Described for PaymentState {
    fn fields(&self) -> Fields {
        vec![
            ("status", <&str>::from(PaymentStatus::from(self)).into()),
            ("failure_code", self.failure_code().into()),
            ("gateway_reference", self.gateway_reference().into()),
        ]
    }
}
