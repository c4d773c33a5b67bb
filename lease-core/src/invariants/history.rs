use crate::id::{Entity, Stored};
use crate::invariants::Books;
use crate::invariants::read::find;
use crate::model::{Invoice, InvoiceState, Payment, PaymentState, Proposal, ProposalState, Trade, TradeState};

impl Books {
    /// I2 and I7: every row of the `earlier` books that is missing now, or has changed in a way that is not allowed, such as
    /// other terms, another invoice amount or another final state; one sentence each. The earlier books may have been read at any
    /// time, even under concurrent writes, because each row is compared only with itself.
    #[must_use]
    pub fn violations_since(&self, earlier: &Self) -> Vec<String> {
        let mut broken = Vec::new();
        stays(&mut broken, &earlier.trades, &self.trades, |was, is| {
            let offer = |trade: &Trade| (trade.vehicle_id, trade.service_id, trade.customer_id, trade.created_at);
            match was.state {
                TradeState::Open => offer(was) == offer(is) && (was.invoice_id.is_none() || was.invoice_id == is.invoice_id),
                TradeState::Agreed(agreement) => {
                    Trade { state: is.state, ..was.clone() } == *is && is.agreement() == Some(&agreement)
                }
                TradeState::Completed { .. } | TradeState::Cancelled { .. } => was == is,
            }
        });
        stays(&mut broken, &earlier.proposals, &self.proposals, |was, is| {
            let terms_stay = Proposal { state: is.state, ..was.clone() } == *is;
            terms_stay && (was.state == ProposalState::Pending || was.state == is.state)
        });
        stays(&mut broken, &earlier.invoices, &self.invoices, |was, is| {
            let claim = |invoice: &Invoice| {
                let Invoice { trade_id, proposal_id, customer_id, amount, issued_at, due_date, .. } = invoice;
                (*trade_id, *proposal_id, *customer_id, *amount, *issued_at, *due_date)
            };
            let stays_marked = was.overdue_at.is_none() || was.overdue_at == is.overdue_at;
            claim(was) == claim(is) && stays_marked && (matches!(was.state, InvoiceState::Open) || was == is)
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
