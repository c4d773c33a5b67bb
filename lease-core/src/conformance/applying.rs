//! Committing equals applying: after a commit of any changes, a load returns the result of `TradeSnapshot::apply`.
//!
//! Rules 4.4 to 4.7.

use std::sync::Arc;

use super::build::*;
use super::script::{Draw, Script};
use super::world::{World, agreed, agreement};
use crate::gateway::ChargeKey;
use crate::lifecycle::{InvoiceChange, NewInvoice, TradeChanges, TradeMove, TradeText};
use crate::model::VehicleTransfer;
use crate::model::*;
use crate::money::{Currency, Money};
use crate::repository::*;

pub async fn empty_changes_increase_the_version(store: Arc<dyn Repository>) {
    let script = Script::new(store).await;
    script.play(&TradeChanges::default()).await;
}

pub async fn a_new_title_and_description_are_stored(store: Arc<dyn Repository>) {
    let script = Script::new(store).await;
    let text = TradeText { title: "Ein Käfer".into(), description: "line\nline".into() };
    script.play(&TradeChanges { text: Some(text), ..TradeChanges::default() }).await;
    script.play(&retitled("")).await;
}

pub async fn proposals_are_made_and_decided(store: Arc<dyn Repository>) {
    let script = Script::new(store).await;
    let full = Proposal {
        amount: usd("0.01"),
        period: Some(period(1, 3)),
        message: "a\nb".into(),
        expires_at: Some(at(60) + tick()),
        created_at: at(1) + tick(),
        ..proposal(script.trade, script.owner())
    };
    let mut last = script.play(&proposed(full)).await.proposal.unwrap();
    let at = at(2) + tick();
    let endings = [
        ProposalState::Superseded { at },
        ProposalState::Rejected { at },
        ProposalState::Withdrawn { at },
        ProposalState::Closed { at },
        ProposalState::Expired { at },
    ];
    for ending in endings {
        let next = proposed(proposal(script.trade, script.owner()));
        last = script.play(&TradeChanges { decided: Some((last, ending)), ..next }).await.proposal.unwrap();
    }
    script.play(&TradeChanges { decided: Some((last, ProposalState::Rejected { at })), ..TradeChanges::default() }).await;
}

/// Before the instant at which it expires, a proposal is closed; from then on, it counts as expired at that instant.
pub async fn close_others_closes_or_expires_each_pending_proposal(store: Arc<dyn Repository>) {
    let script = Script::new(store).await;
    let now = at(100);
    let other_trade = script.world.deal().await;
    let expiries = [None, Some(now - tick()), Some(now), Some(now + tick())];
    let mut ids = Vec::new();
    for expires_at in expiries {
        let author = script.world.customer().await;
        let made = Proposal { expires_at, ..proposal(script.trade, author) };
        ids.push(script.play(&proposed(made)).await.proposal.unwrap());
    }
    let withdrawn = script.play(&proposed(proposal(script.trade, script.owner()))).await.proposal.unwrap();
    let early = ProposalState::Withdrawn { at: at(1) };
    script.play(&TradeChanges { decided: Some((withdrawn, early)), ..TradeChanges::default() }).await;
    let chosen = script.play(&proposed(proposal(script.trade, script.people[1]))).await.proposal.unwrap();
    let rejected = ProposalState::Rejected { at: now };
    // The decided proposal and the new one are not among the others.
    let new = proposed(proposal(script.trade, script.people[2]));
    let fresh = script.play(&TradeChanges { decided: Some((chosen, rejected)), close_others: Some(now), ..new }).await;

    let closed = ProposalState::Closed { at: now };
    let expected = [
        (ids[0], closed),
        (ids[1], ProposalState::Expired { at: now - tick() }),
        (ids[2], ProposalState::Expired { at: now }),
        (ids[3], closed),
        (withdrawn, early),
        (chosen, rejected),
        (fresh.proposal.unwrap(), ProposalState::Pending),
        (other_trade.proposal, ProposalState::Pending),
    ];
    for (id, state) in expected {
        let view = script.world.load(TradeKey::Proposal(id)).await.value.proposal.unwrap();
        assert_eq!(view.proposal.state, state, "proposal {id}");
    }
}

pub async fn an_invoice_is_issued_with_the_new_proposal_or_for_one_that_is_there(store: Arc<dyn Repository>) {
    let script = Script::new(store).await;
    let invoice = NewInvoice { issued_at: at(1) + tick(), due_date: day(365), ..new_invoice(script.people[1]) };
    let first = proposed(proposal(script.trade, script.owner()));
    let ids = script.play(&TradeChanges { new_invoice: Some(invoice.clone()), ..first }).await;
    assert_eq!(script.invoice().await.proposal_id, ids.proposal.unwrap());

    let deal = script.world.deal().await;
    let script = Script { trade: deal.trade, ..script };
    let amount = Money::parse("1.125", Currency::parse("KWD").unwrap()).unwrap();
    let new_invoice = Some(NewInvoice { proposal_id: Some(deal.proposal), amount, ..invoice });
    script.world.commit(deal.trade, &TradeChanges { new_invoice, ..TradeChanges::default() }).await;
    let issued = script.invoice().await;
    assert_eq!((issued.proposal_id, issued.amount, issued.paid), (deal.proposal, amount, Money::zero(amount.currency())));
}

pub async fn payments_are_begun_and_settled_with_their_invoice(store: Arc<dyn Repository>) {
    let script = Script::new(store).await;
    let first = proposed(proposal(script.trade, script.owner()));
    script.play(&TradeChanges { new_invoice: Some(new_invoice(script.owner())), ..first }).await;
    let invoice = script.invoice().await;
    let change = |paid, pending, state, overdue_at| {
        Some(InvoiceChange { paid: usd(paid), pending: usd(pending), state, overdue_at, ..InvoiceChange::of(&invoice) })
    };
    let full = Payment { is_late: true, amount: usd("100.00"), created_at: at(7), ..script.payment(&invoice) };
    let paid = InvoiceState::Paid { at: at(8) + tick() };
    for (outcome, amount, state) in [(declined(), "0.00", InvoiceState::Open), (succeeded(), "100.00", paid)] {
        let new_payment = Payment { charge_key: ChargeKey::new(format!("key-{amount}")), ..full.clone() };
        let invoice = change("0.00", "100.00", InvoiceState::Open, None);
        let begun = script.play(&TradeChanges { invoice, ..paying(new_payment) }).await.payment.unwrap();
        let payment = Some(moved(begun, outcome));
        let invoice = change(amount, "0.00", state, Some(at(6) + tick()));
        script.play(&TradeChanges { invoice, payment, ..TradeChanges::default() }).await;
    }
    let void = InvoiceState::Void { at: at(9), reason: "Goodwill".into() };
    script.play(&TradeChanges { invoice: change("0.00", "0.00", void, None), ..TradeChanges::default() }).await;
}

pub async fn a_proposal_and_a_payment_may_come_in_one_commit(store: Arc<dyn Repository>) {
    let script = Script::new(store).await;
    let first = proposed(proposal(script.trade, script.owner()));
    script.play(&TradeChanges { new_invoice: Some(new_invoice(script.owner())), ..first }).await;
    let new_payment = Some(script.payment(&script.invoice().await));
    let counter = proposed(proposal(script.trade, script.people[1]));
    script.play(&TradeChanges { new_payment, ..counter }).await;
}

pub async fn each_state_of_a_trade_is_stored(store: Arc<dyn Repository>) {
    let script = Script::new(store).await;
    let offered = script.play(&proposed(proposal(script.trade, script.owner()))).await.proposal.unwrap();
    script.play(&proposed(proposal(script.trade, script.people[2]))).await;
    let agreement = agreement(offered, script.people[1]);
    script.play(&agreed(offered, TradeMove::Agree(agreement))).await;
    let before = script.world.load_vehicle(script.vehicle).await;
    let transfer = VehicleTransfer { vehicle_id: script.vehicle, from: script.owner(), to: script.people[1] };
    let state = Some(TradeMove::Complete(agreement, at(9) + tick()));
    script.play(&TradeChanges { state, transfer: Some(transfer), ..TradeChanges::default() }).await;
    let after = script.world.load_vehicle(script.vehicle).await;
    assert_eq!((after.vehicle.customer_id, after.version), (script.people[1], before.version.next()));

    let trade = script.world.trade(script.owner()).await;
    let script = Script { trade, ..script };
    script.world.propose(trade, script.owner()).await;
    let cancel = TradeChanges { state: Some(cancelled(at(3))), close_others: Some(at(3)), ..TradeChanges::default() };
    script.world.commit(trade, &cancel).await;
    let read = script.world.load(TradeKey::Trade(trade)).await;
    assert_eq!(read.trade.state, cancelled(at(3)).into());
}

/// Scripts from fixed seeds: any changes that the core can combine, in any order.
pub async fn any_sequence_of_changes_reads_as_applied(store: Arc<dyn Repository>) {
    let mut world = World::new(store);
    for seed in [1, 7, 42, 1_886, 20_260_302, u64::MAX] {
        let script = Script::in_world(world).await;
        let mut draw = Draw(seed);
        for step in 0..16 {
            let changes = script.draw(&mut draw, step).await;
            script.play(&changes).await;
        }
        world = script.world;
    }
}
