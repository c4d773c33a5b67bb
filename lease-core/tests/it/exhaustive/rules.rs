//! Rules for rows that are checked in addition to the invariants.

use chrono::NaiveDate;
use lease_core::id::Stored;
use lease_core::model::{Invoice, Proposal, ProposalState, Trade};
use lease_core::policy::LatePayments;

use crate::world::World;

/// All broken rules, one sentence for each.
pub(super) fn broken(world: &World) -> Vec<String> {
    let mut wrong: Vec<String> = world.books.trades.iter().flat_map(|trade| in_trade(world, trade)).collect();
    let decided = world.books.proposals.iter().filter(|proposal| was_decided_too_late(proposal));
    wrong.extend(decided.map(|proposal| format!("4.5: decided after its time: {proposal:?}")));
    wrong.extend(world.books.payments.iter().filter_map(|payment| {
        let invoice = world.books.invoices.iter().find(|invoice| invoice.id == payment.invoice_id)?;
        let is_late = payment.created_at.date_naive() > due_date(world, invoice)?;
        let is_refused = is_late && world.policy.late_payments == LatePayments::Reject;
        (is_refused || is_late != payment.is_late).then(|| format!("5.4: taken late: {payment:?}"))
    }));
    wrong
}

/// The due date that the invoice was issued with. No step here moves it, and a decision that saw another one may have stored that.
fn due_date(world: &World, invoice: &Invoice) -> Option<NaiveDate> {
    let trade = world.books.trades.iter().find(|trade| trade.id == invoice.trade_id)?;
    let service = world.books.services.iter().find(|service| service.id == trade.service_id)?;
    Some(service.due_date(invoice.issued_at.date_naive()))
}

fn in_trade(world: &World, trade: &Stored<Trade>) -> Vec<String> {
    let proposals: Vec<_> = world.books.proposals.iter().filter(|proposal| proposal.trade_id == trade.id).collect();
    let mut wrong = Vec::new();
    if proposals.first().is_some_and(|first| first.customer_id != trade.customer_id) {
        wrong.push(format!("4.3: the first proposal of trade {} is not its owner's", trade.id));
    }
    for proposal in &proposals {
        let of_the_same = proposals.iter().filter(|other| other.customer_id == proposal.customer_id);
        let pending = of_the_same.clone().filter(|other| other.state == ProposalState::Pending).count();
        if pending > 1 || of_the_same.count() > world.policy.max_proposals as usize {
            wrong.push(format!("4.3, 4.11: too many proposals of customer {} in trade {}", proposal.customer_id, trade.id));
        }
    }
    if let Some(agreement) = trade.agreement() {
        let author = proposals.iter().find(|proposal| proposal.id == agreement.proposal_id).map(|proposal| proposal.customer_id);
        let parties = [Some(trade.customer_id), Some(agreement.counterparty_id)];
        if parties[0] == parties[1] || !parties.contains(&author) {
            wrong.push(format!("4.4: {agreement:?} on a proposal of {author:?} in {trade:?}"));
        }
    }
    wrong
}

fn was_decided_too_late(proposal: &Proposal) -> bool {
    match proposal.state {
        ProposalState::Accepted { at } | ProposalState::Rejected { at } | ProposalState::Withdrawn { at } => {
            proposal.expires_at.is_some_and(|expiry| expiry <= at)
        }
        _ => false,
    }
}
