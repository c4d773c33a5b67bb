//! Applying changes to a snapshot: fields that the changes do not name stay as they are. (The random walks and the conformance
//! suite show that applying gives the same result as committing.)

use lease_core::id::NewIds;
use lease_core::lifecycle::{InvoiceChange, PaymentChange, RefundChange, TradeChanges};
use lease_core::model::{InvoiceState, PaymentState, ProposalState, RefundState};

use crate::support::*;

/// A snapshot with a proposal, an invoice, a payment and a refund of number 1.
fn scene() -> Scene {
    Scene::sale().proposed_by(BUYER).billed_to(OWNER).with_card(card(OWNER)).with_refund("10", "10", RefundState::Pending)
}

#[test]
fn rows_that_the_changes_do_not_name_are_not_touched() {
    let changes = TradeChanges {
        decided: Some((id(2), ProposalState::Rejected { at: now() })),
        payment: Some(PaymentChange {
            id: id(2),
            state: PaymentState::Succeeded { at: now() },
            gateway_reference: Some("ch_2".into()),
            refunded: usd("1"),
            refunding: usd("2"),
        }),
        refund: Some(RefundChange { id: id(2), state: RefundState::Succeeded { at: now() }, gateway_reference: None }),
        invoice: Some(InvoiceChange {
            id: id(2),
            paid: usd("100"),
            pending: usd("0"),
            refunded: usd("1"),
            state: InvoiceState::Paid { at: now() },
            due_date: day(14),
            overdue_at: Some(now()),
        }),
        ..TradeChanges::default()
    };
    let mut after = scene().0;
    after.apply(&changes, NewIds::default());
    assert_eq!(after, scene().0);
}

/// Rule 4.4: the customer's own other proposal is closed with the rest when a proposal is accepted.
#[test]
fn the_viewers_pending_proposal_ends_with_the_others() {
    let mut after = scene().viewer_has_pending(THIRD, None).0;
    let changes = TradeChanges {
        decided: Some((id(1), ProposalState::Accepted { at: now() })),
        close_others: Some(now()),
        ..TradeChanges::default()
    };
    after.apply(&changes, NewIds::default());
    assert_eq!(after.proposal.unwrap().proposal.state, ProposalState::Accepted { at: now() });
    assert_eq!(after.viewer.pending, None);
}
