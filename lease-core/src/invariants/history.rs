use crate::id::{Entity, Stored};
use crate::invariants::Books;
use crate::invariants::read::find;
use crate::model::{Invoice, InvoiceState, Payment, PaymentState, Proposal, ProposalState, TradeState};

impl Books {
    /// I2 and I7: what was in the `earlier` books and is no longer there, or was settled and changed since; one sentence each.
    #[must_use]
    pub fn violations_since(&self, earlier: &Self) -> Vec<String> {
        let mut broken = Vec::new();
        stays(&mut broken, &earlier.trades, &self.trades, |was, is| {
            let settled = matches!(was.state, TradeState::Completed { .. } | TradeState::Cancelled { .. });
            (!settled || was == is) && (was.agreement().is_none() || was.agreement() == is.agreement())
        });
        stays(&mut broken, &earlier.proposals, &self.proposals, |was, is| {
            let terms_stay = Proposal { state: is.state, ..was.clone() } == *is;
            terms_stay && (was.state == ProposalState::Pending || was.state == is.state)
        });
        stays(&mut broken, &earlier.invoices, &self.invoices, |was, is| {
            let claim = |invoice: &Invoice| {
                (invoice.amount, invoice.customer_id, invoice.trade_id, invoice.proposal_id, invoice.due_date)
            };
            claim(was) == claim(is) && (matches!(was.state, InvoiceState::Open) || was == is)
        });
        stays(&mut broken, &earlier.payments, &self.payments, |was, is| {
            let settled = was.state != PaymentState::Pending;
            Payment { state: is.state.clone(), ..was.clone() } == *is && (!settled || was.state == is.state)
        });
        broken
    }
}

fn stays<T: Entity>(broken: &mut Vec<String>, before: &[Stored<T>], after: &[Stored<T>], may_follow: impl Fn(&T, &T) -> bool) {
    for was in before {
        match find(after, was.id) {
            None => broken.push(format!("I7: {was:?} is gone")),
            Some(is) if !may_follow(&was.value, &is.value) => broken.push(format!("I7: {was:?} became {is:?}")),
            Some(_) => {}
        }
    }
}
