//! Fees of an app's own (rules 4.8, 5.2, I2).

use std::error::Error as _;
use std::fmt;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use lease_core::Error;
use lease_core::decision::Decision;
use lease_core::event::EventType;
use lease_core::id::CustomerId;
use lease_core::input::NamedIn;
use lease_core::invoicing::{FeeBasis, FeeError, FeePolicy};
use lease_core::lifecycle::{ProposalDraft, TradeChanges, TradeMove, accept, propose};
use lease_core::model::{BillTo, InvoiceOn, ServiceKind};
use lease_core::money::{Currency, Money, MoneyError};
use lease_core::policy::Policy;
use rust_decimal::Decimal;
use serde_json::json;

use crate::support::*;

/// A policy that a closure makes up.
struct Own<F>(F);

impl<F> fmt::Debug for Own<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Own")
    }
}

impl<F: Fn(&FeeBasis<'_>) -> Result<Money, MoneyError> + Send + Sync + 'static> FeePolicy for Own<F> {
    fn fee(&self, basis: &FeeBasis<'_>) -> Result<Money, MoneyError> {
        self.0(basis)
    }
}

fn of(fee: Result<Money, MoneyError>) -> impl FeePolicy {
    Own(move |_: &FeeBasis<'_>| fee)
}

/// Fails the test if it is asked.
fn unasked() -> impl FeePolicy {
    Own(|basis: &FeeBasis<'_>| panic!("no invoice is issued on {basis:?}"))
}

/// The owner proposes 250.00 for some days.
fn proposed(scene: &Scene, fees: &dyn FeePolicy) -> Result<Decision<TradeChanges>, Error> {
    let dates = json!({"amount": 250, "start_date": day(0).to_string(), "end_date": day(9).to_string()});
    let draft: ProposalDraft = draft(dates);
    propose(Some(&scene.0), NamedIn::Path, &customer(OWNER), &draft, &Policy::default(), fees, now())
}

/// The owner accepts the buyer's 250.00.
fn accepted(scene: &Scene, fees: &dyn FeePolicy) -> Result<Decision<TradeChanges>, Error> {
    accept(&scene.0, &customer(OWNER), fees, now())
}

fn countered(scene: Scene) -> Scene {
    scene.proposed_by(BUYER)
}

/// Rule 5.2: at the moment of invoicing the policy says the amount, whatever the service's is.
#[test]
fn the_policy_says_the_amount_of_the_invoice() {
    let five_per_cent = Own(|basis: &FeeBasis<'_>| basis.proposal.amount.percent(5.into()));
    for service_fee in ["100", "0"] {
        let on_proposal = proposed(&Scene::lease().fee(usd(service_fee)), &five_per_cent).unwrap();
        let on_acceptance = accepted(&countered(Scene::sale().fee(usd(service_fee))), &five_per_cent).unwrap();
        for decision in [on_proposal, on_acceptance] {
            assert_eq!(decision.new_invoice.as_ref().unwrap().amount, usd("12.50"));
            let issued = decision.events.iter().find(|event| event.event_type == EventType::InvoiceIssued).unwrap();
            assert_eq!(issued.data.known["amount"], "12.50");
        }
    }
}

/// Rule 5.2: the policy gets the proposal on which the invoice is issued, the party that is billed, and the moment.
#[test]
fn the_policy_sees_what_the_invoice_is_about() {
    type Seen = (i64, Money, CustomerId, DateTime<Utc>);
    let seen = Arc::new(Mutex::new(Vec::<Seen>::new()));
    let noted = Arc::clone(&seen);
    let fees = Own(move |basis: &FeeBasis<'_>| {
        let author = basis.proposal.customer_id.get();
        noted.lock().unwrap().push((author, basis.proposal.amount, basis.customer_id, basis.issued_at));
        assert_eq!((basis.trade.id, basis.service.id), (id(1), id(1)));
        Ok(basis.service.fee)
    });
    proposed(&Scene::lease(), &fees).unwrap();
    accepted(&countered(Scene::sale()), &fees).unwrap();
    accepted(&countered(Scene::custom(InvoiceOn::Acceptance, BillTo::Counterparty)), &fees).unwrap();
    let of_buyer = |billed| (BUYER, usd("250"), id(billed), now());
    assert_eq!(*seen.lock().unwrap(), [(OWNER, usd("250"), id(OWNER), now()), of_buyer(OWNER), of_buyer(BUYER)]);
}

/// Rule 4.8: a fee of zero is no invoice, and the trade completes with the acceptance.
#[test]
fn a_fee_of_zero_is_no_invoice() {
    let free = of(Ok(usd("0")));
    let decision = proposed(&Scene::lease(), &free).unwrap();
    assert_eq!((&decision.new_invoice, names(&decision.events)), (&None, vec!["proposal.made"]));
    let decision = accepted(&countered(Scene::sale()), &free).unwrap();
    assert_eq!(decision.new_invoice, None);
    assert!(matches!(decision.state, Some(TradeMove::Complete(..))), "{decision:?}");
    assert!(decision.transfer.is_some(), "a completed sale passes the vehicle on");
}

/// Rules 4.8, 5.1: a trade that passed its moment gets no invoice later, so the policy is not asked again; nor is it at another moment.
#[test]
fn the_policy_is_asked_at_the_moment_of_invoicing_only() {
    let passed = countered(Scene::lease());
    assert_eq!(proposed(&passed, &unasked()).unwrap().new_invoice, None);
    let decision = accepted(&passed, &unasked()).unwrap();
    assert!(matches!(decision.state, Some(TradeMove::Complete(..))), "{decision:?}");
    let on_acceptance = Scene::custom(InvoiceOn::Acceptance, BillTo::Owner);
    assert_eq!(proposed(&on_acceptance, &unasked()).unwrap().new_invoice, None);
    let invoiced = countered(Scene::lease()).billed_to(OWNER);
    assert_eq!(accepted(&invoiced, &unasked()).unwrap().new_invoice, None);
    assert_eq!(code(accepted(&countered(Scene::sale()).cancelled(), &unasked())), "trade_not_open");
}

/// I2: a fee in another currency, or with too many digits, is never invoiced: the act is refused, and whoever runs the app reads why.
#[test]
fn a_fee_that_no_invoice_can_have_refuses_the_act() {
    let euros = Money::zero(Currency::parse("EUR").unwrap());
    let cases = [
        (Ok(euros), MoneyError::CurrencyMismatch),
        (Money::from_stored(Decimal::new(10_001, 3), Currency::USD), MoneyError::TooManyDigits { digits: 2 }),
        (usd("10").percent((-5).into()), MoneyError::Negative),
        (usd("10").minus(usd("11")), MoneyError::Negative),
    ];
    for (fee, expected) in cases {
        for response in [proposed(&Scene::lease(), &of(fee)), accepted(&countered(Scene::sale()), &of(fee))] {
            let error = response.unwrap_err();
            let why = error.source().and_then(|cause| cause.downcast_ref::<FeeError>()).copied();
            assert_eq!((error.code(), why), ("internal_error", Some(FeeError(expected))));
        }
    }
}

/// Rule 5.2: by default the fee is the amount of the service, also one that is stored with more digits than its currency has.
#[test]
fn by_default_the_fee_is_the_amount_of_the_service() {
    let odd = Money::from_stored(Decimal::new(49_125, 3), Currency::USD).unwrap();
    for fee in [usd("49"), odd] {
        let decision = proposed(&Scene::under(ServiceKind::Lease).fee(fee), &Fees::OfService).unwrap();
        assert_eq!(decision.new_invoice.as_ref().unwrap().amount, fee);
    }
}
