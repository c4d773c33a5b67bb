//! Sequences of arbitrary commands, by three customers and staff, on an engine with a store in memory and an unreliable gateway.
//! I1 to I9 hold after each command, and at the end the paid amounts are those that the gateway charged.

mod market;

use arbitrary::{Arbitrary, Result, Unstructured};
use chrono::Duration;
use lease_core::Error;
use lease_core::input::UpdateMode;
use lease_core::invariants::Books;
use lease_core::model::ServiceKind;
use lease_core::permission::Actor;
use serde_json::json;

use super::{block_on, many};
use market::{Market, draft, newest};

/// A command. Numbers are taken modulo the number of rows, which are counted from the newest.
#[derive(Clone, Debug, Arbitrary)]
enum Step {
    Open {
        who: u8,
        vehicle: u8,
        service: u8,
    },
    Propose {
        who: u8,
        trade: u8,
        terms: Terms,
    },
    Counter {
        trade: u8,
        terms: Terms,
    },
    Accept {
        who: u8,
        proposal: u8,
    },
    Reject {
        who: u8,
        proposal: u8,
    },
    Withdraw {
        who: u8,
        proposal: u8,
    },
    Cancel {
        who: u8,
        trade: u8,
    },
    Void {
        who: u8,
        invoice: u8,
    },
    End {
        who: u8,
        trade: u8,
        day: u8,
    },
    WriteOff {
        who: u8,
        invoice: u8,
    },
    MoveDueDate {
        who: u8,
        invoice: u8,
        day: u8,
    },
    PayAll {
        invoice: u8,
    },
    Pay {
        who: u8,
        invoice: u8,
        card: u8,
        cents: u16,
    },
    DeleteCard {
        card: u8,
    },
    Fee {
        service: u8,
        amount: u8,
    },
    Activate {
        who: u8,
        is_active: bool,
    },
    Wait {
        hours: u8,
    },
    /// Sets the reliability of the gateway from now on.
    Line {
        hears: bool,
        responses: bool,
    },
    Recover,
}

/// The terms of a proposal.
#[derive(Clone, Debug, Arbitrary)]
struct Terms {
    amount: u8,
    start: u8,
    days: u8,
    is_odd: bool,
    expires_in: Option<u8>,
}

/// The outcome of a command.
type Outcome = std::result::Result<(), Error>;

impl Market {
    async fn run(&self, step: &Step) -> Outcome {
        let (engine, books) = (&self.engine, self.books().await);
        match step {
            Step::Open { who, vehicle, service } => {
                let vehicle = newest(&books.vehicles, *vehicle)?.id;
                let service = newest(&books.services, *service)?.id;
                let body = json!({"vehicle_id": vehicle.get(), "service_id": service.get()});
                engine.open_trade(&self.actor(*who), &draft(body)).await.map(drop)
            }
            Step::Propose { who, trade, terms } => self.propose(self.actor(*who), *trade, terms).await,
            Step::Counter { trade, terms } => {
                let owner = newest(&books.trades, *trade)?.customer_id;
                self.propose(self.as_customer(owner), *trade, terms).await
            }
            Step::Accept { who, proposal } => {
                engine.accept_proposal(&self.actor(*who), newest(&books.proposals, *proposal)?.id).await.map(drop)
            }
            Step::Reject { who, proposal } => {
                engine.reject_proposal(&self.actor(*who), newest(&books.proposals, *proposal)?.id).await.map(drop)
            }
            Step::Withdraw { who, proposal } => {
                engine.withdraw_proposal(&self.actor(*who), newest(&books.proposals, *proposal)?.id).await.map(drop)
            }
            Step::Cancel { who, trade } => {
                let reason = draft(json!({"reason": "a mistake"}));
                engine.cancel_trade(&self.actor(*who), newest(&books.trades, *trade)?.id, &reason).await.map(drop)
            }
            Step::End { who, trade, day } => {
                let end = self.first_day + chrono::Days::new((*day % 40).into());
                let body = draft(json!({"end_date": end.to_string(), "reason": "returned"}));
                engine.end_trade(&self.actor(*who), newest(&books.trades, *trade)?.id, &body).await.map(drop)
            }
            Step::Void { who, invoice } => {
                let reason = draft(json!({"reason": "a mistake"}));
                engine.void_invoice(&self.actor(*who), newest(&books.invoices, *invoice)?.id, &reason).await.map(drop)
            }
            Step::WriteOff { who, invoice } => {
                let reason = draft(json!({"reason": "hopeless"}));
                engine.write_off_invoice(&self.actor(*who), newest(&books.invoices, *invoice)?.id, &reason).await.map(drop)
            }
            Step::MoveDueDate { who, invoice, day } => {
                let due = self.first_day + chrono::Days::new((*day).into());
                let body = draft(json!({"due_date": due.to_string()}));
                engine.move_due_date(&self.actor(*who), newest(&books.invoices, *invoice)?.id, &body).await.map(drop)
            }
            Step::PayAll { invoice } => {
                let invoice = newest(&books.invoices, *invoice)?;
                let card = books.cards.iter().find(|card| card.customer_id == invoice.customer_id).ok_or(Error::NotFound)?;
                let body = draft(json!({"credit_card_id": card.id.get()}));
                engine.pay_invoice(&self.as_customer(invoice.customer_id), invoice.id, &body).await.map(drop)
            }
            Step::Pay { who, invoice, card, cents } => {
                let (invoice, card) = (newest(&books.invoices, *invoice)?.id, newest(&books.cards, *card)?.id);
                let amount = format!("{}.{:02}", cents / 100, cents % 100);
                let body = draft(json!({"credit_card_id": card.get(), "amount": amount}));
                engine.pay_invoice(&self.actor(*who), invoice, &body).await.map(drop)
            }
            Step::DeleteCard { card } => {
                let card = newest(&books.cards, *card)?;
                engine.delete_card(&self.as_customer(card.customer_id), card.id).await
            }
            Step::Fee { service, amount } => {
                let body = draft(json!({"amount": amount % 60}));
                let service = newest(&books.services, *service)?.id;
                engine.update_service(&self.staff, service, &body, UpdateMode::Partial).await.map(drop)
            }
            Step::Activate { who, is_active } => {
                let user = self.customer(*who).0;
                engine
                    .update_user(&self.staff, user, &draft(json!({"is_active": is_active})), UpdateMode::Partial, None)
                    .await
                    .map(drop)
            }
            Step::Wait { hours } => {
                self.clock.advance(Duration::hours((*hours).into()));
                Ok(())
            }
            Step::Line { hears, responses } => {
                self.gateway.set(*hears, *responses);
                Ok(())
            }
            Step::Recover => engine.settle_pending(Duration::zero(), 100).await.map(drop),
        }
    }

    /// Makes a proposal, with dates if the service requires them, unless the terms are odd.
    async fn propose(&self, actor: Actor, trade: u8, terms: &Terms) -> Outcome {
        let books = self.books().await;
        let trade = newest(&books.trades, trade)?;
        let kind = books.services.iter().find(|service| service.id == trade.service_id).map(|service| service.kind);
        let is_dated = kind == Some(ServiceKind::Lease) || (kind == Some(ServiceKind::Custom) && terms.amount.is_multiple_of(2));
        let mut body = json!({"amount": terms.amount});
        if is_dated != (terms.is_odd && terms.amount.is_multiple_of(8)) {
            let day = |days: u8| (self.first_day + chrono::Days::new((days % 40).into())).to_string();
            body["start_date"] = json!(day(terms.start));
            body["end_date"] = json!(day(terms.start % 40 + terms.days % 10));
        }
        if let Some(hours) = terms.expires_in.filter(|hours| hours.is_multiple_of(4)) {
            body["expires_at"] = json!((self.engine.now() + Duration::hours(hours.into())).to_rfc3339());
        }
        self.engine.propose(&actor, trade.id, &draft(body)).await.map(drop)
    }
}

/// I1 to I9 hold after each command, and no charge is lost or made twice, whatever happens on the line to the gateway.
pub(super) fn no_command_breaks_an_invariant(input: &mut Unstructured) -> Result<()> {
    let steps: Vec<Step> = many(input, 64)?;
    block_on(async {
        let market = Market::open().await;
        let mut before = market.books().await;
        before.past.first_owners = before.vehicles.iter().map(|vehicle| (vehicle.id, vehicle.customer_id)).collect();
        for step in steps {
            let outcome = market.run(&step).await;
            let is_fault = matches!(outcome, Err(Error::Internal(_) | Error::Unavailable(_)));
            assert!(!is_fault, "{step:?}: {outcome:?}");
            let after = Books { past: before.past.clone(), ..market.books().await };
            assert_eq!(after.violations(), Vec::<String>::new(), "after {step:?}");
            assert_eq!(after.violations_since(&before), Vec::<String>::new(), "after {step:?}");
            before = after;
        }
        market.gateway.set(true, true);
        market.clock.advance(Duration::hours(1));
        market.engine.settle_pending(Duration::zero(), u32::MAX).await.unwrap();
        market.assert_paid_is_taken().await;
    });
    Ok(())
}
