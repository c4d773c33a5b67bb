//! Races of what staff do to invoices and agreed trades with payments and acceptances, at two processes.
//!
//! Rules 4.6, 4.7, 5.2, 5.3 and 8.8.

use chrono::{Days, Duration, NaiveDate};

use super::Handles;
use super::payment_races::Race;
use super::processes::{Act, Offered, ROUNDS, customer};
use super::race::together;
use crate::clock::Clock as _;
use crate::event::EventType;
use crate::id::{InvoiceId, ServiceId, TradeId};
use crate::invariants::Books;
use crate::invoicing::{DueDateDraft, VoidDraft, WriteOffDraft};
use crate::lifecycle::CancellationDraft;
use crate::model::{InvoiceState, Role, ServiceKind, TradeState};
use crate::permission::Actor;
use crate::repository::EventFilter;

/// Parts of the invoice that are paid at the same time; together they pay it in full.
const PARTS: usize = 4;
/// The amount of each part.
const PART: Option<i64> = Some(25);

/// What was paid before is kept, and nothing is paid afterwards. In any case the sale is completed.
pub async fn writing_off_and_paying_come_one_after_the_other(handles: Handles) {
    let sales = Sales::start(handles).await;
    let (mut payments, mut paid) = (0, 0);
    for round in 0..*ROUNDS {
        let (_, invoice) = sales.agree().await;
        let (wrote_off, pays) = sales.race_with_parts(round, sales.write_off(invoice), invoice).await;
        let taken = pays.iter().filter(|pay| **pay == "ok").count();
        let refused = pays.iter().filter(|pay| **pay == "invoice_not_open").count();
        match wrote_off {
            "ok" => assert!(taken < PARTS && taken + refused == PARTS, "{wrote_off} {pays:?}"),
            "payment_pending" | "invoice_not_open" => assert_eq!(taken, PARTS, "{wrote_off} {pays:?}"),
            _ => panic!("{wrote_off}"),
        }
        payments += taken;
        paid += usize::from(taken == PARTS);
    }
    let books = sales.race.assert_paid(payments, paid).await;
    let given_up = books.invoices.iter().filter(|invoice| matches!(invoice.state, InvoiceState::WrittenOff { .. }));
    assert_eq!((given_up.count(), sales.completed(&books)), (*ROUNDS - paid, *ROUNDS));
}

/// A void invoice was never paid, and a paid one never becomes void. In any case the sale is completed.
pub async fn voiding_and_paying_an_agreed_sale_exclude_each_other(handles: Handles) {
    let sales = Sales::start(handles).await;
    let mut paid = 0;
    for round in 0..*ROUNDS {
        let (_, invoice) = sales.agree().await;
        let (voided, pays) = sales.race_with_parts(round, sales.void(invoice), invoice).await;
        let expected = match voided {
            "ok" => "invoice_not_open",
            "invoice_has_payments" | "invoice_not_open" => "ok",
            _ => panic!("{voided}"),
        };
        assert_eq!(pays, [expected; PARTS], "{voided}");
        paid += usize::from(expected == "ok");
    }
    let books = sales.race.assert_paid(paid * PARTS, paid).await;
    assert_eq!(sales.completed(&books), *ROUNDS);
}

/// Staff cancel the agreed sale while it is paid: either the payment completes it, or the payment of the cancelled trade changes
/// nothing else.
pub async fn cancelling_an_agreed_sale_and_paying_come_one_after_the_other(handles: Handles) {
    let sales = Sales::start(handles).await;
    let mut rescinded = 0;
    for round in 0..*ROUNDS {
        let (trade, invoice) = sales.agree().await;
        let (cancelled, pays) = sales.race_with_parts(round, sales.cancel(trade), invoice).await;
        assert!(["ok", "trade_not_open"].contains(&cancelled) && pays == ["ok"; PARTS], "{cancelled} {pays:?}");
        rescinded += usize::from(cancelled == "ok");
    }
    let books = sales.race.assert_paid(*ROUNDS * PARTS, *ROUNDS).await;
    assert_eq!(sales.completed(&books), *ROUNDS - rescinded);
    assert_eq!(cancelled(&books).count(), rescinded);
}

/// Staff may cancel the trade before and after it is agreed, so it is cancelled in any case. Its invoice stays if it was agreed.
pub async fn staff_cancel_while_customers_accept(handles: Handles) {
    const ACCEPTS: usize = 4;
    let sales = Sales::start(handles).await;
    let customers = sales.race.processes.customers(ACCEPTS).await;
    let mut agreed = 0;
    for _ in 0..*ROUNDS {
        let Offered { trade, proposal } = sales.offer().await;
        let accept = |who| sales.race.processes.act(move |engine| async move { engine.accept_proposal(&who, proposal).await });
        let mut acts: Vec<_> = customers.iter().copied().map(accept).collect();
        acts.insert(1, sales.cancel(trade));
        let mut responses = together(acts).await;
        assert_eq!(responses.remove(1), "ok", "{responses:?}");
        let won = responses.iter().filter(|response| **response == "ok").count();
        let refused = responses.iter().filter(|response| **response == "trade_not_open").count();
        assert!(won <= 1 && won + refused == ACCEPTS, "{responses:?}");
        agreed += won;
    }
    let books = sales.race.assert_paid(0, 0).await;
    let rescinded = cancelled(&books).filter(|state| matches!(state, TradeState::Cancelled { agreement: Some(_), .. }));
    assert_eq!((rescinded.count(), books.invoices.len()), (agreed, agreed));
    assert_eq!(cancelled(&books).count(), *ROUNDS);
}

/// Staff move the due date of an overdue invoice into the future while it is paid. The new date is kept, a payment is late only if
/// it began before, and the invoice is overdue no longer.
pub async fn moving_the_due_date_and_paying_come_one_after_the_other(handles: Handles) {
    let sales = Sales::start(handles).await;
    let clock = &sales.race.processes.clock;
    let mut moved = Vec::new();
    for round in 0..*ROUNDS {
        let (trade, invoice) = sales.race.bill().await;
        clock.advance(Duration::days(30));
        let due_date = clock.now().date_naive() + Days::new(10);
        let (response, pays) = sales.race_with_parts(round, sales.move_due_date(invoice, due_date), invoice).await;
        assert!(["ok", "invoice_not_open"].contains(&response) && pays == ["ok"; PARTS], "{response} {pays:?}");
        moved.push((trade, invoice, (response == "ok").then_some(due_date)));
    }
    let books = sales.race.assert_paid(*ROUNDS * PARTS, *ROUNDS).await;
    for (trade, id, due_date) in moved {
        let invoice = books.invoices.iter().find(|invoice| invoice.id == id).unwrap();
        assert_eq!(invoice.overdue_at.is_none(), due_date.is_some(), "{invoice:?}");
        assert_eq!(due_date.unwrap_or(invoice.due_date), invoice.due_date);
        let late: Vec<_> =
            books.payments.iter().filter(|row| row.invoice_id == id && row.is_late).map(|row| row.id.get()).collect();
        assert_eq!(sales.begun_before_the_move(trade).await, late);
    }
}

/// Sales that are agreed and billed to their owner, who pays while staff act.
struct Sales {
    race: Race,
    staff: Actor,
    buyer: Actor,
    sell: ServiceId,
}

impl Sales {
    async fn start(handles: Handles) -> Self {
        let race = Race::start(handles).await;
        let sell = race.processes.world.service(ServiceKind::Sell).await;
        let (staff, buyer) = (race.processes.actor(Role::Staff).await, race.processes.actor(Role::Customer).await);
        Self { race, staff, buyer, sell }
    }

    async fn offer(&self) -> Offered {
        self.race.processes.offer(&self.race.owner, self.sell).await
    }

    /// An agreed sale, and its invoice over 100.00.
    async fn agree(&self) -> (TradeId, InvoiceId) {
        let Offered { trade, proposal } = self.offer().await;
        let engine = self.race.processes.engine();
        engine.accept_proposal(&self.buyer, proposal).await.unwrap();
        let invoice = engine.get_trade(&self.race.owner, trade).await.unwrap().stored.invoice_id;
        (trade, invoice.unwrap())
    }

    fn void(&self, invoice: InvoiceId) -> Act {
        let (staff, draft) = (self.staff, VoidDraft { reason: "a mistake".into() });
        self.race.processes.act(|engine| async move { engine.void_invoice(&staff, invoice, &draft).await })
    }

    fn write_off(&self, invoice: InvoiceId) -> Act {
        let (staff, draft) = (self.staff, WriteOffDraft { reason: "hopeless".into() });
        self.race.processes.act(|engine| async move { engine.write_off_invoice(&staff, invoice, &draft).await })
    }

    fn move_due_date(&self, invoice: InvoiceId, to: NaiveDate) -> Act {
        let (staff, draft) = (self.staff, DueDateDraft { due_date: to.into(), ..DueDateDraft::default() });
        self.race.processes.act(|engine| async move { engine.move_due_date(&staff, invoice, &draft).await })
    }

    fn cancel(&self, trade: TradeId) -> Act {
        let (staff, draft) = (self.staff, CancellationDraft { reason: "never paid".to_owned().into() });
        self.race.processes.act(|engine| async move { engine.cancel_trade(&staff, trade, &draft).await })
    }

    /// The response to this act, and those to the payments of all parts at the same time. From one round to the next, more of them come
    /// before the act.
    async fn race_with_parts(&self, round: usize, act: Act, invoice: InvoiceId) -> (&'static str, Vec<&'static str>) {
        let mut parts: Vec<_> = (0..PARTS).map(|_| self.race.pay(invoice, self.race.card, PART)).collect();
        let first = parts.split_off(PARTS - round % PARTS);
        let in_turn = |acts: Vec<Act>| async move {
            let mut responses = Vec::new();
            for act in acts {
                responses.push(act.await);
            }
            responses
        };
        let acts = first.into_iter().chain([act]).collect();
        let racers = [acts].into_iter().chain(parts.into_iter().map(|part| vec![part])).map(in_turn);
        let mut responses = together(racers).await;
        let response = responses[0].pop().unwrap();
        (response, responses.concat())
    }

    /// The number of completed trades. Each has given its vehicle to the buyer, and no other trade has.
    fn completed(&self, books: &Books) -> usize {
        let sold = books.vehicles.iter().filter(|vehicle| vehicle.customer_id == customer(&self.buyer)).count();
        let completed = books.trades.iter().filter(|trade| matches!(trade.state, TradeState::Completed { .. })).count();
        assert_eq!(completed, sold);
        completed
    }

    /// The payments of a trade that began before the due date of its invoice was moved; all, if it was not.
    async fn begun_before_the_move(&self, trade: TradeId) -> Vec<i64> {
        let types = vec![EventType::PaymentBegun, EventType::InvoiceUpdated, EventType::InvoicePaid];
        let filter = EventFilter { types, trade_id: Some(trade), ..EventFilter::default() };
        let events = self.race.processes.world.store.events_after(None, 100, &filter).await.unwrap();
        assert_eq!(events.last().unwrap().event_type, EventType::InvoicePaid, "nothing comes after the last payment");
        let before = events.iter().take_while(|event| !event.changes.contains_key("due_date"));
        before.filter(|event| event.event_type == EventType::PaymentBegun).filter_map(|event| event.subject_id).collect()
    }
}

/// The trades that are cancelled.
fn cancelled(books: &Books) -> impl Iterator<Item = &TradeState> {
    books.trades.iter().map(|trade| &trade.state).filter(|state| matches!(state, TradeState::Cancelled { .. }))
}
