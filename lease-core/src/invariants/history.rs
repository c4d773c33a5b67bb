use crate::id::{Entity, Stored};
use crate::invariants::Books;
use crate::invariants::read::find;
use crate::model::{
    Agreement, Invoice, InvoiceState, Payment, Period, Proposal, ProposalState, Refund, RefundState, Trade, TradeState,
};

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
                    Trade { state: is.state.clone(), ..was.clone() } == *is && stays_agreed(agreement, is)
                }
                TradeState::Completed { agreement, completed_at } => {
                    let state = TradeState::Completed { agreement: Agreement { days: is.days(), ..agreement }, completed_at };
                    Trade { state, ..was.clone() } == *is && stays_agreed(agreement, is)
                }
                TradeState::Cancelled { .. } => was == is,
            }
        });
        stays(&mut broken, &earlier.proposals, &self.proposals, |was, is| {
            let terms_stay = Proposal { state: is.state, ..was.clone() } == *is;
            let is_rescinded = matches!((was.state, is.state), (ProposalState::Accepted { .. }, ProposalState::Rescinded { .. }));
            terms_stay && (was.state == ProposalState::Pending || was.state == is.state || is_rescinded)
        });
        stays(&mut broken, &earlier.invoices, &self.invoices, |was, is| {
            let claim = |invoice: &Invoice| {
                let Invoice { trade_id, proposal_id, customer_id, amount, issued_at, .. } = invoice;
                (*trade_id, *proposal_id, *customer_id, *amount, *issued_at)
            };
            let is_moved = was.due_date != is.due_date;
            let stays_marked = was.overdue_at.is_none() || was.overdue_at == is.overdue_at || is_moved;
            // What is refunded of a paid invoice changes nothing else of it.
            let is_refunded =
                Invoice { refunded: is.refunded, ..was.clone() } == *is && was.refunded.amount() <= is.refunded.amount();
            claim(was) == claim(is) && stays_marked && (matches!(was.state, InvoiceState::Open) || is_refunded)
        });
        stays(&mut broken, &earlier.payments, &self.payments, |was, is| {
            let outcome = |payment: &Payment| (payment.state.clone(), payment.gateway_reference.clone());
            let is_refunded = was.refunded.amount() <= is.refunded.amount();
            let (state, gateway_reference) = outcome(is);
            let same = Payment { state, gateway_reference, refunded: is.refunded, refunding: is.refunding, ..was.clone() } == *is;
            same && is_refunded && (was.state.is_under_way() || outcome(was) == outcome(is))
        });
        stays(&mut broken, &earlier.refunds, &self.refunds, |was, is| {
            let outcome = |refund: &Refund| (refund.state.clone(), refund.gateway_reference.clone());
            let (state, gateway_reference) = outcome(is);
            let same = Refund { state, gateway_reference, ..was.clone() } == *is;
            same && (was.state == RefundState::Pending || outcome(was) == outcome(is))
        });
        broken
    }
}

/// Whether the trade still has this agreement. Its days only become fewer; a cancelled trade has none.
fn stays_agreed(was: Agreement, trade: &Trade) -> bool {
    let same = |is: &Agreement| Agreement { days: is.days, ..was } == *is;
    let fewer = |was: Period, is: Period| was == is || was.ended(is.end()) == Some(is);
    let days_fit = match (was.days, trade.days()) {
        (None, None) => true,
        (Some(was), Some(is)) => fewer(was, is),
        (Some(_), None) => matches!(trade.state, TradeState::Cancelled { .. }),
        (None, Some(_)) => false,
    };
    days_fit && trade.agreement().is_some_and(same)
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
