use super::{Described, Fields, optional_instant};
use crate::id::Stored;
use crate::model::{Refund, RefundState, RefundStatus};

/// Only the outcome of a refund changes, and what comes with it.
impl Described for Stored<Refund> {
    fn fields(&self) -> Fields {
        let credit_note = matches!(self.state, RefundState::Succeeded { .. }).then(|| self.id.credit_note_number());
        vec![
            ("status", <&str>::from(RefundStatus::from(&self.state)).into()),
            ("failure_code", self.state.failure_code().into()),
            ("gateway_reference", self.gateway_reference.as_deref().into()),
            ("credit_note_number", credit_note.into()),
            ("settled_at", optional_instant(self.state.settled_at())),
        ]
    }
}
