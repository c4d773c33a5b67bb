use super::{Described, Fields, optional_instant};
use crate::model::{ProposalState, ProposalStatus};

/// Terms never change; only the state does.
impl Described for ProposalState {
    fn fields(&self) -> Fields {
        vec![("status", <&str>::from(ProposalStatus::from(*self)).into()), ("decided_at", optional_instant(self.decided_at()))]
    }
}
