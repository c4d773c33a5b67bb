//! Every state that a trade can reach, within limits: three customers, staff, a gateway that charges, declines, asks for the payer,
//! gives back, responds late or not at all, payers who act or do not, crashes between the two halves of a payment or a refund, and
//! commits that race. The decisions are those of the core. In every
//! state the [invariants](lease_core::invariants) hold, also after a crash and recovery from it, and no charge and no
//! refund is lost or made twice.
//!
//! `LEASE_PROVE_DEEPER=3` takes three steps more, which takes minutes; add `--release`.

mod explore;
mod fault;
mod faults_found;
mod rules;
mod state;
mod trade_model;

use std::time::Instant;

use lease_core::model::{BillTo, InvoiceOn, Service, ServiceKind};
use lease_core::policy::LatePayments;

use crate::support::*;
use crate::world::{CUSTOMERS, Said, Step, Terms, World};
use explore::{Report, explore};
use fault::Fault;
use trade_model::{ASKS_PAYERS, DECIDES, PEOPLE, STAFF, TradeModel};

/// A world in which everybody acts, without payments and refunds.
fn of(world: World) -> TradeModel {
    TradeModel {
        world,
        next_fee: None,
        opens: false,
        has_ways_out: true,
        waits: 0,
        payments: 0,
        refunds: 0,
        people: PEOPLE,
        negotiates: true,
        outcomes: DECIDES,
        held: 1,
        fault: Fault::None,
    }
}

/// A vehicle of the owner, offered under this service.
fn model(service: Service) -> TradeModel {
    let services = [Service { payment_due_days: 0, ..service }];
    let mut world = World::of(services, [vehicle(OWNER)], (1..=3).map(card), LatePayments::Accept);
    world.policy.max_proposals = 2;
    world.run(&Step::Open { who: 0, vehicle: 0, service: 0 }).unwrap();
    TradeModel { waits: 1, payments: 2, ..of(world) }
}

/// Billed to the owner with the first proposal.
fn a_lease() -> TradeModel {
    model(service(ServiceKind::Lease))
}

/// The same after the owner's first proposal, for searches of the later states.
fn a_billed_lease() -> TradeModel {
    TradeModel { has_ways_out: false, ..a_lease().after(&[propose(0)]) }
}

/// The same, at a gateway that may ask for the payer: only the money moves.
fn a_lease_whose_payer_must_act() -> TradeModel {
    TradeModel { negotiates: false, outcomes: ASKS_PAYERS, people: &[0, CUSTOMERS], ..a_billed_lease() }
}

/// The same, paid by the owner: two members of staff refund it.
fn a_paid_lease() -> TradeModel {
    let paid = [Step::Pay { who: 0, trade: 0, card: 2, cents: None }, Step::Settle { payment: 0, said: Said::Taken }];
    TradeModel { negotiates: false, people: STAFF, waits: 0, refunds: 2, ..a_billed_lease().after(&paid) }
}

/// Billed to the owner with the acceptance.
fn a_sale() -> TradeModel {
    model(service(ServiceKind::Sell))
}

/// Billed to the other party with the acceptance, with a fee that changes.
fn a_custom_trade() -> TradeModel {
    let service = Service { invoice_on: InvoiceOn::Acceptance, bill_to: BillTo::Counterparty, ..service(ServiceKind::Custom) };
    TradeModel { next_fee: Some(120), ..model(service) }
}

/// Without a fee at first. A party that was not billed at the moment of invoicing is not billed later.
fn a_lease_that_is_free_at_first() -> TradeModel {
    TradeModel { next_fee: Some(100), ..model(Service { fee: usd("0"), ..service(ServiceKind::Lease) }) }
}

/// A vehicle that is leased out and sold again and again, without a fee.
fn a_vehicle_without_a_trade() -> TradeModel {
    let free = |kind| Service { fee: usd("0"), ..service(kind) };
    let services = [free(ServiceKind::Lease), free(ServiceKind::Sell)];
    let mut world = World::of(services, [vehicle(OWNER)], [], LatePayments::Accept);
    world.policy.max_proposals = 1;
    TradeModel { opens: true, waits: 4, ..of(world) }
}

/// The same, leased to the second customer.
fn a_leased_vehicle() -> TradeModel {
    // Rows are counted from the newest: the lease is the service before the sale.
    a_vehicle_without_a_trade().after(&[
        Step::Open { who: 0, vehicle: 0, service: 1 },
        propose(0),
        Step::Accept { who: 1, proposal: 0 },
    ])
}

fn propose(who: usize) -> Step {
    Step::Propose { who, trade: 0, terms: Terms { amount: 250, days: (0, 2), is_odd: false, expires_in_hours: None } }
}

/// Checks that there is no error within this many steps, and that states with these properties were reached.
fn assert_sound(model: &TradeModel, steps: usize, sights: &[&str]) {
    let deeper = std::env::var("LEASE_PROVE_DEEPER").map_or(0, |steps| steps.parse().expect("a number of steps"));
    let (start, steps) = (Instant::now(), steps.saturating_add_signed(deeper));
    let report = explore(model, steps);
    let (took, Report { states, ways, is_complete, .. }) = (start.elapsed(), &report);
    eprintln!("{steps} steps: {states} states by {ways} ways, all there are: {is_complete}; {took:?}; {:?}", report.sights);
    assert!(report.broken.is_none(), "broken after {took:?}: {:#?}", report.broken);
    let unseen: Vec<_> = sights.iter().filter(|sight| !report.sights.contains_key(**sight)).collect();
    assert!(unseen.is_empty(), "{unseen:?} of {:?}", report.sights);
}

/// The properties that every search with an invoice reaches.
const EVERYWHERE: [&str; 22] = [
    "accepted",
    "request on its way",
    "moved, not written down",
    "closed",
    "commit too late",
    "expired",
    "invoice open",
    "invoice paid",
    "invoice void",
    "invoice written off",
    "payment declined",
    "payment pending",
    "payment succeeded",
    "pending",
    "rejected",
    "rescinded",
    "superseded",
    "trade agreed",
    "trade cancelled",
    "trade completed",
    "trade open",
    "withdrawn",
];

#[test]
fn no_lease_breaks_an_invariant() {
    let at_length = ["late payment succeeded", "two payments under way", "invoice paid in part"];
    assert_sound(&a_lease(), 5, &[&EVERYWHERE[..], &at_length[..]].concat());
}

#[test]
fn no_sale_breaks_an_invariant() {
    assert_sound(&a_sale(), 5, &EVERYWHERE);
}

#[test]
fn no_custom_trade_breaks_an_invariant() {
    assert_sound(&a_custom_trade(), 5, &EVERYWHERE);
}

#[test]
fn no_lease_that_was_free_is_billed_later() {
    assert_sound(&a_lease_that_is_free_at_first(), 4, &["trade completed", "trade cancelled", "invoice open"]);
}

#[test]
fn no_vehicle_is_leased_or_sold_twice() {
    assert_sound(
        &a_vehicle_without_a_trade(),
        6,
        &["trade completed", "trade cancelled", "days ended early", "vehicle sold", "commit too late"],
    );
}

#[test]
fn no_payment_that_waits_for_its_payer_breaks_an_invariant() {
    assert_sound(
        &a_lease_whose_payer_must_act(),
        7,
        &[
            "commit too late",
            "invoice paid",
            "invoice paid in part",
            "moved, not written down",
            "paid while it was being cancelled",
            "payment cancelled",
            "payment declined",
            "payment succeeded",
            "payment waits for its payer",
            "request on its way",
            "two payments under way",
        ],
    );
}

#[test]
fn no_refund_breaks_an_invariant() {
    assert_sound(
        &a_paid_lease(),
        7,
        &[
            "commit too late",
            "moved, not written down",
            "refund failed",
            "refund pending",
            "refund succeeded",
            "refunded in full",
            "request on its way",
            "settled before its request arrived",
            "two refunds under way",
        ],
    );
}
