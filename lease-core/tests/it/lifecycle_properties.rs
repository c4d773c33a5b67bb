//! Random walks over the pure core, by several actors over several trades and vehicles: the invariants of chapter 5 hold after
//! every step, and a refused command changes nothing.

use std::collections::BTreeMap;

use lease_core::invariants::Books;
use lease_core::model::{
    Agreement, InvoiceState, Payment, PaymentState, PaymentStatus, Period, ProposalState, RefundState, RefundStatus, ServiceKind,
    TradeState,
};
use lease_core::money::{Currency, Money};
use lease_core::policy::LatePayments;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use strum::VariantArray as _;

use crate::support::{Fees, usd};
use crate::world::{CUSTOMERS, Said, Step, Terms, World};

/// Actors: usually the two owners and the two customers who trade with them.
fn who() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 0..3_usize, 1 => 3..CUSTOMERS + 2]
}

/// Rows: usually the newest.
fn which() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 0..3_usize, 1 => 0..8_usize]
}

fn terms() -> impl Strategy<Value = Terms> {
    let days = (0..25_u64, 1..20_u64);
    (1..500_u32, days, prop::bool::weighted(0.05), option::weighted(0.3, 1..40_u16))
        .prop_map(|(amount, days, is_odd, expires_in_hours)| Terms { amount, days, is_odd, expires_in_hours })
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        8 => Just(Said::Taken),
        2 => Just(Said::Declined),
        3 => Just(Said::Waits),
        1 => Just(Said::GivenUp),
        1 => Just(Said::Unsure),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let refunded = prop_oneof![2 => Just(None), 3 => (1..12_000_u32).prop_map(Some)];
    let cents = prop_oneof![3 => Just(None), 2 => (1..12_000_u32).prop_map(Some)];
    prop_oneof![
        8 => (who(), 0..3_usize, 0..7_usize).prop_map(|(who, vehicle, service)| Step::Open { who, vehicle, service }),
        12 => (who(), which(), terms()).prop_map(|(who, trade, terms)| Step::Propose { who, trade, terms }),
        10 => (who(), which()).prop_map(|(who, proposal)| Step::Accept { who, proposal }),
        1 => (who(), which()).prop_map(|(who, proposal)| Step::Reject { who, proposal }),
        1 => (who(), which()).prop_map(|(who, proposal)| Step::Withdraw { who, proposal }),
        1 => (who(), which()).prop_map(|(who, trade)| Step::Cancel { who, trade }),
        1 => (who(), which()).prop_map(|(who, trade)| Step::Amend { who, trade }),
        2 => (3..6_usize, which()).prop_map(|(who, trade)| Step::Void { who, trade }),
        2 => (3..6_usize, which(), 0..40_u64).prop_map(|(who, trade, day)| Step::End { who, trade, day }),
        1 => (3..6_usize, which()).prop_map(|(who, trade)| Step::WriteOff { who, trade }),
        1 => (3..6_usize, which(), 0..40_u64).prop_map(|(who, trade, day)| Step::MoveDueDate { who, trade, day }),
        1 => which().prop_map(|trade| Step::Cancel { who: CUSTOMERS, trade }),
        6 => (who(), which(), 0..5_usize, cents.clone()).prop_map(|(who, trade, card, cents)| Step::Pay { who, trade, card, cents }),
        // With a card of one's own: cards are counted from the newest.
        20 => (0..3_usize, which(), cents).prop_map(|(who, trade, cents)| Step::Pay { who, trade, card: 4 - who, cents }),
        8 => (which(), said()).prop_map(|(payment, said)| Step::Settle { payment, said }),
        2 => (who(), which()).prop_map(|(who, payment)| Step::GiveUp { who, payment }),
        3 => (3..6_usize, which(), refunded).prop_map(|(who, payment, cents)| Step::Refund { who, payment, cents }),
        3 => (which(), said()).prop_map(|(refund, said)| Step::SettleRefund { refund, said }),
        2 => which().prop_map(|proposal| Step::Expire { proposal }),
        2 => which().prop_map(|trade| Step::Overdue { trade }),
        1 => (0..7_usize, prop_oneof![Just(0), 1..200_u8]).prop_map(|(service, amount)| Step::Fee { service, amount }),
        3 => (who(), 0..3_usize, 0..5_u16).prop_map(|(who, vehicle, mileage)| Step::Edit { who, vehicle, mileage }),
        1 => (0..CUSTOMERS, prop::bool::weighted(0.7)).prop_map(|(customer, is_active)| Step::Activate { customer, is_active }),
        2 => prop_oneof![4 => 1..3_000_u32, 1 => 3_000..60_000_u32].prop_map(|minutes| Step::Wait { minutes }),
    ]
}

fn late_payments() -> impl Strategy<Value = LatePayments> {
    prop_oneof![Just(LatePayments::Accept), Just(LatePayments::Reject)]
}

fn fees() -> impl Strategy<Value = Fees> {
    prop_oneof![Just(Fees::OfService), any::<u64>().prop_map(Fees::Whim)]
}

/// A new world.
fn world(late: LatePayments, fees: Fees) -> World {
    let mut world = World::new(late);
    world.fees = fees;
    world
}

/// Carries out one step and checks the invariants; returns the code of the response.
fn checked(world: &mut World, step: &Step) -> &'static str {
    let before = world.books.clone();
    let code = match world.run(step) {
        Ok(()) => "ok",
        Err(error) => {
            assert_eq!(world.books, before, "{step:?} was refused with {error}, yet changed something");
            error.code()
        }
    };
    assert_eq!(world.books.violations(), Vec::<String>::new(), "after {step:?}");
    assert_eq!(world.books.violations_since(&before), Vec::<String>::new(), "after {step:?}");
    code
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// I1 to I6 and I8 after every step, whatever decides the fees.
    #[test]
    fn no_random_walk_breaks_an_invariant(late in late_payments(), fees in fees(), steps in vec(step(), 1..120)) {
        let mut world = world(late, fees);
        for step in &steps {
            checked(&mut world, step);
        }
    }

    /// One trade with all actors, which goes deeper than the walks above.
    #[test]
    fn no_walk_through_one_trade_breaks_an_invariant(
        late in late_payments(),
        fees in fees(),
        service in 0..7_usize,
        steps in vec(step().prop_filter("no other trade", |step| !matches!(step, Step::Open { .. })), 1..60),
    ) {
        let mut world = world(late, fees);
        prop_assert_eq!(checked(&mut world, &Step::Open { who: 0, vehicle: 1, service }), "ok");
        for step in &steps {
            checked(&mut world, step);
        }
    }
}

/// The walks are useful only if they reach every final state, and meet every refusal on the way.
#[test]
fn the_walks_come_to_every_end_and_meet_every_refusal() {
    let mut runner = TestRunner::deterministic();
    let mut codes = BTreeMap::<&str, usize>::new();
    let mut ends = BTreeMap::<String, usize>::new();
    for round in 0..200 {
        let late = if round % 2 == 0 { LatePayments::Accept } else { LatePayments::Reject };
        let mut world = World::new(late);
        for step in vec(step(), 150).new_tree(&mut runner).unwrap().current() {
            *codes.entry(checked(&mut world, &step)).or_default() += 1;
        }
        for trade in &world.books.trades {
            let kind = world.books.services.iter().find(|service| service.id == trade.service_id).unwrap().kind;
            let state = match trade.state {
                TradeState::Open => "open",
                TradeState::Agreed(_) => "agreed",
                TradeState::Completed { .. } => "completed",
                TradeState::Cancelled { agreement: None, .. } => "cancelled",
                TradeState::Cancelled { agreement: Some(_), .. } => "rescinded",
            };
            *ends.entry(format!("{kind} {state}")).or_default() += 1;
        }
        let count =
            |ends: &mut BTreeMap<String, usize>, what: &str, number: usize| *ends.entry(what.into()).or_default() += number;
        for status in PaymentStatus::VARIANTS {
            let number = world.books.payments.iter().filter(|payment| PaymentStatus::from(&payment.state) == *status).count();
            count(&mut ends, &format!("payment {status}"), number);
        }
        for status in RefundStatus::VARIANTS {
            let number = world.books.refunds.iter().filter(|refund| RefundStatus::from(&refund.state) == *status).count();
            count(&mut ends, &format!("refund {status}"), number);
        }
        let refunded = |wanted: fn(&Payment) -> bool| world.books.payments.iter().filter(|payment| wanted(payment)).count();
        count(&mut ends, "payment refunded in full", refunded(|payment| payment.refunded == payment.amount));
        count(&mut ends, "payment refunded in part", refunded(|row| !row.refunded.is_zero() && row.refunded != row.amount));
        let invoices = |wanted: fn(&InvoiceState) -> bool| world.books.invoices.iter().filter(|row| wanted(&row.state)).count();
        count(&mut ends, "invoice void", invoices(|state| matches!(state, InvoiceState::Void { .. })));
        count(&mut ends, "invoice written off", invoices(|state| matches!(state, InvoiceState::WrittenOff { .. })));
        let empty = world.books.trades.iter().filter(|trade| trade.days().is_some_and(Period::is_empty)).count();
        count(&mut ends, "days ended on the first", empty);
        let late = world.books.payments.iter().filter(|payment| payment.is_late).count();
        count(&mut ends, "payment late", late);
        let overdue = world.books.invoices.iter().filter(|invoice| invoice.overdue_at.is_some()).count();
        count(&mut ends, "invoice overdue", overdue);
        let expired = world.books.proposals.iter().filter(|row| matches!(row.state, ProposalState::Expired { .. })).count();
        count(&mut ends, "proposal expired", expired);
    }
    for kind in [ServiceKind::Lease, ServiceKind::Sell, ServiceKind::Custom] {
        for state in ["open", "agreed", "completed", "cancelled", "rescinded"] {
            assert!(ends.contains_key(&format!("{kind} {state}")), "no {kind} was {state}: {ends:?}");
        }
    }
    let zero: Vec<_> = ends.iter().filter(|(_, number)| **number == 0).collect();
    assert!(zero.is_empty(), "never seen: {zero:?}");
    let met = [
        "ok",
        "not_authenticated",
        "permission_denied",
        "not_found",
        "validation_error",
        "vehicle_in_trade",
        "owner_proposal_required",
        "trade_not_open",
        "proposal_expired",
        "proposal_not_pending",
        "vehicle_not_available",
        "party_inactive",
        "proposal_limit",
        "trade_has_no_days",
        "invoice_not_open",
        "invoice_has_payments",
        "invoice_overdue",
        "payment_pending",
        "card_not_usable",
        "payment_settled",
        "payment_not_refundable",
        "payment_refunded",
    ];
    for code in met {
        assert!(codes.contains_key(code), "{code} was never met: {codes:?}");
    }
}

/// Rules 4.8, 5.2: with fees of an app's own, the walks meet each kind of fee: one of another amount than the service's, none under a
/// service with an amount, one under a service without, and one that no invoice can have.
#[test]
fn the_walks_meet_every_kind_of_own_fee() {
    let mut runner = TestRunner::deterministic();
    let mut met = BTreeMap::<&str, usize>::new();
    for seed in 0..100 {
        let mut world = world(LatePayments::Accept, Fees::Whim(seed));
        for step in vec(step(), 150).new_tree(&mut runner).unwrap().current() {
            *met.entry(checked(&mut world, &step)).or_default() += 1;
        }
        for trade in &world.books.trades {
            let service = world.books.services.iter().find(|service| service.id == trade.service_id).unwrap();
            let fee = world.books.past.fees.get(&trade.id);
            let kind = match (fee, service.fee.is_zero()) {
                (Some(fee), false) if fee.is_zero() => "none under a service with an amount",
                (Some(fee), true) if !fee.is_zero() => "one under a service without",
                (Some(fee), false) if *fee != service.fee => "another amount",
                _ => continue,
            };
            *met.entry(kind).or_default() += 1;
        }
    }
    for kind in ["none under a service with an amount", "one under a service without", "another amount", "internal_error"] {
        assert!(met.contains_key(kind), "{kind} was never met: {met:?}");
    }
}

/// A lease that is agreed, paid and partly refunded, and a sale that is paid in two parts: the tests below break these.
fn a_finished_world() -> World {
    let mut world = World::new(LatePayments::Accept);
    let terms = |days| Terms { amount: 250, days, is_odd: false, expires_in_hours: None };
    let script = [
        // Vehicle 3 belongs to customer 2; rows are counted from the newest.
        Step::Open { who: 1, vehicle: 0, service: 6 },
        Step::Propose { who: 1, trade: 0, terms: terms((0, 5)) },
        Step::Propose { who: 2, trade: 0, terms: terms((1, 5)) },
        Step::Accept { who: 1, proposal: 0 },
        Step::Pay { who: 1, trade: 0, card: 3, cents: None },
        Step::Settle { payment: 0, said: Said::Taken },
        Step::Refund { who: CUSTOMERS, payment: 0, cents: Some(3_000) },
        Step::SettleRefund { refund: 0, said: Said::Taken },
        Step::Refund { who: CUSTOMERS, payment: 0, cents: Some(2_000) },
        Step::Wait { minutes: 60 * 24 * 10 },
        Step::Open { who: 1, vehicle: 0, service: 5 },
        Step::Propose { who: 1, trade: 0, terms: terms((0, 0)) },
        Step::Propose { who: 2, trade: 0, terms: terms((0, 0)) },
        Step::Accept { who: 2, proposal: 1 },
        Step::Pay { who: 1, trade: 0, card: 3, cents: Some(4_000) },
        Step::Settle { payment: 0, said: Said::Taken },
        Step::Pay { who: 1, trade: 0, card: 3, cents: None },
    ];
    for step in &script {
        assert_eq!(checked(&mut world, step), "ok", "{step:?}");
    }
    world
}

/// Chapters 4, 5: the two complete cycles, a lease and a sale.
#[test]
fn a_lease_and_a_sale_go_through_their_whole_cycle() {
    let mut world = a_finished_world();
    assert_eq!(world.count(|state| matches!(state, TradeState::Agreed(_))), 1);
    assert_eq!(checked(&mut world, &Step::Settle { payment: 0, said: Said::Taken }), "ok");
    assert_eq!(world.count(|state| matches!(state, TradeState::Completed { .. })), 2);
    assert_eq!(world.books.vehicles[2].customer_id.get(), 3, "the buyer's now");
}

type Break = fn(&mut Books);

fn euros(text: &str) -> Money {
    Money::parse(text, Currency::parse("EUR").unwrap()).unwrap()
}

/// I2, I7: a row that disappears, or that could not have resulted from the previous one, is found.
#[test]
fn an_impossible_change_of_a_row_is_found() {
    let earlier = a_finished_world().books;
    assert_eq!(earlier.violations_since(&earlier), Vec::<String>::new());
    assert_eq!(earlier.violations_since(&Books::default()), Vec::<String>::new());
    let breaks: [Break; 31] = [
        |books| drop(books.trades.remove(0)),
        |books| drop(books.proposals.remove(0)),
        |books| drop(books.invoices.remove(0)),
        |books| drop(books.payments.remove(0)),
        |books| books.trades[0].value.state = TradeState::Open,
        |books| books.trades[1].value.state = TradeState::Open,
        |books| books.trades[1].value.title = "Other words".into(),
        |books| books.trades[1].value.invoice_id = None,
        |books| books.proposals[0].value.amount = usd("1"),
        |books| books.proposals[0].value.state = ProposalState::Pending,
        |books| books.invoices[0].value.state = InvoiceState::Open,
        |books| books.invoices[1].value.amount = usd("99"),
        |books| books.invoices[1].value.customer_id = crate::support::id(3),
        |books| books.invoices[0].value.due_date = crate::support::day(99),
        |books| books.invoices[0].value.overdue_at = Some(crate::support::now()),
        |books| agreed(books, 0).days = Some(crate::support::period(0, 6)),
        |books| agreed(books, 0).days = Some(crate::support::period(2, 3)),
        |books| agreed(books, 0).days = None,
        |books| agreed(books, 1).days = Some(crate::support::period(1, 6)),
        |books| agreed(books, 1).counterparty_id = crate::support::id(4),
        |books| books.proposals[0].value.state = ProposalState::Rescinded { at: crate::support::now() },
        |books| books.payments[0].value.state = PaymentState::Pending,
        |books| books.payments[2].value.amount = usd("1"),
        |books| books.payments[0].value.gateway_reference = None,
        |books| books.payments[0].value.refunded = usd("0"),
        |books| books.invoices[0].value.refunded = usd("0"),
        |books| drop(books.refunds.remove(0)),
        |books| books.refunds[0].value.state = RefundState::Pending,
        |books| books.refunds[0].value.gateway_reference = None,
        |books| books.refunds[1].value.amount = usd("1"),
        |books| books.refunds[1].value.refund_key = crate::support::refund_key(),
    ];
    for (number, break_it) in breaks.into_iter().enumerate() {
        let mut books = earlier.clone();
        break_it(&mut books);
        assert!(!books.violations_since(&earlier).is_empty(), "break {number}");
    }
    let mut settled = earlier.clone();
    settled.refunds[1].value.state = RefundState::Succeeded { at: crate::support::now() };
    settled.payments[0].value.refunded = usd("50");
    settled.invoices[0].value.refunded = usd("50");
    assert_eq!(settled.violations_since(&earlier), Vec::<String>::new(), "the second refund succeeded");
    let mut marked = earlier.clone();
    marked.invoices[1].value.overdue_at = Some(crate::support::now());
    assert_eq!(marked.violations_since(&earlier), Vec::<String>::new(), "it fell overdue");
    assert!(!earlier.violations_since(&marked).is_empty(), "the record of it is gone");
}

/// The agreement of a trade that is agreed or completed.
fn agreed(books: &mut Books, trade: usize) -> &mut Agreement {
    match &mut books.trades[trade].value.state {
        TradeState::Agreed(agreement) | TradeState::Completed { agreement, .. } => agreement,
        state => panic!("{state:?} is not agreed"),
    }
}

/// Each invariant finds a state that breaks it. An invariant that finds nothing would prove nothing.
#[test]
fn each_invariant_finds_what_breaks_it() {
    let good = a_finished_world().books;
    let breaks: [(&str, Break); 43] = [
        ("I1", |books| books.invoices.truncate(1)),
        ("I1", |books| books.trades[0].value.invoice_id = None),
        ("I1", |books| {
            let mut twice = books.invoices[0].clone();
            twice.id = crate::support::id(9);
            books.invoices.push(twice);
        }),
        ("I1: invoice 2 is for proposal 1", |books| books.invoices[1].value.proposal_id = crate::support::id(1)),
        ("I2", |books| books.invoices[1].value.amount = usd("99")),
        ("I2", |books| books.invoices[1].value.amount = euros("100")),
        ("I2", |books| books.invoices[1].value.customer_id = crate::support::id(3)),
        ("I3", |books| books.invoices[0].value.paid = usd("1")),
        ("I3", |books| books.invoices[1].value.pending = usd("0")),
        ("I3", |books| books.payments[1].value.amount = usd("41")),
        ("I3", |books| books.payments[1].value.amount = euros("40")),
        ("I3", |books| books.invoices[0].value.state = InvoiceState::Open),
        ("I3", |books| {
            books.invoices[1].value.state = InvoiceState::Void { at: crate::support::now(), reason: "a mistake".into() };
        }),
        ("I4", |books| books.payments[0].value.customer_id = crate::support::id(1)),
        ("I4", |books| books.payments[0].value.credit_card_id = crate::support::id(3)),
        ("I5", |books| books.proposals[0].value.state = ProposalState::Pending),
        ("I5", |books| books.proposals[0].value.state = ProposalState::Accepted { at: crate::support::now() }),
        ("I5", |books| books.proposals[1].value.state = ProposalState::Rescinded { at: crate::support::now() }),
        ("I5", |books| {
            let agreement = Some(*books.trades[1].agreement().unwrap());
            books.trades[1].value.state =
                TradeState::Cancelled { cancelled_at: crate::support::now(), reason: String::new(), agreement };
        }),
        ("I3", |books| {
            books.invoices[1].value.state = InvoiceState::WrittenOff { at: crate::support::now(), reason: "hopeless".into() };
        }),
        ("I6: trade 1 has the days", |books| agreed(books, 0).days = None),
        ("I6: trade 1 has the days", |books| agreed(books, 0).days = Some(crate::support::period(1, 99))),
        ("I6", |books| {
            books.trades[1].value.state =
                TradeState::Completed { agreement: *books.trades[1].agreement().unwrap(), completed_at: crate::support::now() }
        }),
        ("I6", |books| books.vehicles[0].value.customer_id = crate::support::id(4)),
        ("I6: vehicle 3 has 2 live trades", |books| books.trades[0].value.state = TradeState::Open),
        ("I6: trade 2 sells vehicle 3 while trade 1 leases it out", |books| {
            agreed(books, 0).days = Some(crate::support::period(1, 99));
        }),
        ("I6: trades 1 and 2 lease out", |books| agreed(books, 1).days = books.trades[0].days()),
        ("I7: the vehicle of trade 1", |books| books.vehicles.clear()),
        ("I7: the service of trade 2", |books| books.services.clear()),
        ("I7: the trade of proposal 4", |books| books.trades.truncate(1)),
        ("I7: the trade of invoice 1", |books| drop(books.trades.remove(0))),
        ("I7: the invoice of payment 1", |books| drop(books.invoices.remove(0))),
        ("I7: the card of payment 3", |books| books.cards.clear()),
        ("I7: the payment of refund 1", |books| drop(books.payments.remove(0))),
        ("I8", |books| books.payments[0].value.refunded = usd("50")),
        ("I8", |books| books.payments[0].value.refunding = usd("0")),
        ("I8", |books| books.refunds[0].value.state = RefundState::Pending),
        ("I8", |books| books.refunds[0].value.customer_id = crate::support::id(3)),
        ("I8", |books| books.refunds[0].value.invoice_id = crate::support::id(2)),
        ("I8: 30.00 refunded and 71.00 under way", |books| {
            books.refunds[1].value.amount = usd("71");
            books.payments[0].value.refunding = usd("71");
        }),
        ("I8", |books| books.payments[0].value.state = PaymentState::Cancelled { at: crate::support::now() }),
        ("I8", |books| books.refunds[1].value.amount = euros("20")),
        ("I8: 30.00 refunded do not fit", |books| books.invoices[0].value.refunded = usd("50")),
    ];
    assert_eq!(good.violations(), Vec::<String>::new());
    for (number, (invariant, break_it)) in breaks.into_iter().enumerate() {
        let mut books = good.clone();
        break_it(&mut books);
        let found = books.violations();
        assert!(
            found.iter().any(|violation| violation.starts_with(invariant)),
            "break {number}: {invariant} is not in {found:?}"
        );
    }
}
