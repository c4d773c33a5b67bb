use super::{Described, Fields, optional_instant};
use crate::id::{CustomerId, InvoiceId, ProposalId};
use crate::model::{Agreement, Trade, TradeStatus};

/// The agreed days are left out: not all who see the events of a trade may see them (rule 8.4).
impl Described for Trade {
    fn fields(&self) -> Fields {
        let agreement = self.agreement();
        let (cancelled_at, reason) = self.state.cancelled().unzip();
        let of = |id: fn(&Agreement) -> i64| agreement.map(id);
        vec![
            ("title", self.title.as_str().into()),
            ("description", self.description.as_str().into()),
            ("status", <&str>::from(TradeStatus::from(&self.state)).into()),
            ("counterparty_id", of(|agreement| CustomerId::get(agreement.counterparty_id)).into()),
            ("accepted_proposal_id", of(|agreement| ProposalId::get(agreement.proposal_id)).into()),
            ("invoice_id", self.invoice_id.map(InvoiceId::get).into()),
            ("cancel_reason", reason.unwrap_or_default().into()),
            ("agreed_at", optional_instant(agreement.map(|agreement| agreement.agreed_at))),
            ("completed_at", optional_instant(self.state.completed_at())),
            ("cancelled_at", optional_instant(cancelled_at)),
        ]
    }
}
