//! What time brings, recorded by two processes while others act.
//!
//! Rules 4.5, 5.4 and 8.8.

use std::sync::Arc;

use chrono::Duration;

use super::Handles;
use super::processes::{Act, Offered, Processes, ROUNDS, count, terms};
use super::race::together;
use crate::LeaseEngine;
use crate::event::{EventActor, EventRecord, EventType};
use crate::id::{Id, ProposalId, ServiceId, Stored};
use crate::invariants::Books;
use crate::invoicing::PaymentDraft;
use crate::lifecycle::ProposalDraft;
use crate::model::{ProposalState, Role, ServiceKind};
use crate::permission::Actor;
use crate::repository::EventFilter;

/// The number of processes that record at the same time.
const RECORDERS: usize = 4;
/// More than comes due in a case.
const ALL: u32 = 1_000;

pub async fn what_has_expired_is_recorded_once(handles: Handles) {
    let time = Time::start(handles).await;
    let mut proposals = Vec::new();
    for _ in 0..*ROUNDS {
        let offered = time.offer_until_later().await;
        time.pass();
        let counts = count((0..RECORDERS).map(|_| time.expire()).collect()).await;
        assert_eq!(counts, [("ok", RECORDERS)].into());
        proposals.push(offered.proposal);
    }
    let books = time.processes.books().await;
    let expired = books.proposals.iter().filter(|row| matches!(row.state, ProposalState::Expired { .. })).map(|row| row.id);
    assert_eq!(expired.collect::<Vec<_>>(), proposals);
    let events = time.events(EventType::ProposalExpired).await;
    assert_eq!(events.iter().filter_map(|event| event.subject_id).collect::<Vec<_>>(), ids(&proposals));
    for event in events {
        let row = books.proposals.iter().find(|row| Some(row.id.get()) == event.subject_id).unwrap();
        assert_eq!((Some(event.occurred_at), event.actor), (row.expires_at, EventActor::System));
    }
    assert_eq!(time.processes.engine().expire_proposals(ALL).await.unwrap(), 0);
}

pub async fn what_fell_overdue_is_recorded_once(handles: Handles) {
    let time = Time::start(handles).await;
    let mut invoices = Vec::new();
    for _ in 0..*ROUNDS {
        let (_, invoice) = time.processes.bill(&time.owner, time.lease).await;
        time.pass_due_date();
        let counts = count((0..RECORDERS).map(|_| time.record_overdue()).collect()).await;
        assert_eq!(counts, [("ok", RECORDERS)].into());
        invoices.push(invoice);
    }
    let books = time.processes.books().await;
    assert!(books.invoices.iter().all(|row| row.overdue_at == Some(row.due_until())));
    let events = time.events(EventType::InvoiceOverdue).await;
    assert_eq!(events.iter().filter_map(|event| event.subject_id).collect::<Vec<_>>(), ids(&invoices));
    for (event, row) in events.iter().zip(&books.invoices) {
        assert_eq!((Some(event.occurred_at), event.actor), (row.overdue_at, EventActor::System));
    }
    assert_eq!(time.processes.engine().record_overdue(ALL).await.unwrap(), 0);
}

/// The clock passes the instant while a proposal is accepted, withdrawn and recorded: it ends in one way, and each of these is told
/// so.
pub async fn expiring_and_deciding_exclude_each_other(handles: Handles) {
    let time = Time::start(handles).await;
    let [owner, buyer] = [time.owner, time.buyer];
    for round in 0..*ROUNDS {
        let Offered { proposal, .. } = time.offer_until_later().await;
        let clock = Arc::clone(&time.processes.clock);
        let passes: Act = Box::pin(async move {
            clock.advance(LATER);
            "passed"
        });
        let mut acts = vec![
            time.processes.act(move |engine| async move { engine.accept_proposal(&buyer, proposal).await }),
            time.processes.act(move |engine| async move { engine.withdraw_proposal(&owner, proposal).await }),
            time.expire(),
            time.expire(),
        ];
        acts.insert(round % 4, passes);
        let responses = together(acts).await;
        time.expire().await;
        let state = time.state_of(proposal).await;
        let told = |code| responses.iter().filter(|response| **response == code).count();
        match state {
            ProposalState::Accepted { .. } | ProposalState::Withdrawn { .. } => {
                assert_eq!(told("ok"), 2 + 1, "{responses:?}");
            }
            ProposalState::Expired { .. } => assert_eq!(told("proposal_expired"), 2, "{responses:?}"),
            other => panic!("{other:?} after {responses:?}"),
        }
    }
    time.processes.books().await;
}

/// An invoice is paid late while others record that it is overdue: that is recorded once, and before the payment.
pub async fn a_late_payment_comes_after_the_falling_overdue(handles: Handles) {
    let time = Time::start(handles).await;
    let (owner, card) = (time.owner, time.processes.card(&time.owner, 9999).await);
    for round in 0..*ROUNDS {
        let (trade, invoice) = time.processes.bill(&owner, time.lease).await;
        time.pass_due_date();
        let draft = PaymentDraft { credit_card_id: card.into(), ..PaymentDraft::default() };
        let mut acts = vec![time.processes.act(|engine| async move { engine.pay_invoice(&owner, invoice, &draft).await })];
        // In every other round, nobody comes by before the payment.
        acts.extend((0..round % 2 * 2).map(|_| time.record_overdue()));
        assert!(together(acts).await.iter().all(|response| *response == "ok"));
        let filter = EventFilter { trade_id: Some(trade), ..EventFilter::default() };
        let events = time.processes.world.store.events_after(None, ALL, &filter).await.unwrap();
        let of = |event_type| events.iter().position(|event| event.event_type == event_type);
        let overdue = of(EventType::InvoiceOverdue);
        assert!(overdue.is_some() && overdue < of(EventType::PaymentSucceeded), "{events:?}");
        if round % 2 == 0 {
            assert!(overdue < of(EventType::PaymentBegun), "{events:?}");
        }
    }
    time.processes.books().await;
}

pub async fn each_call_records_ten_batches(handles: Handles) {
    let time = Time::start(handles).await;
    for _ in 0..11 {
        time.offer_until_later().await;
        time.processes.bill(&time.owner, time.lease).await;
    }
    let engine = time.processes.engine();
    assert_eq!((engine.expire_proposals(1).await.unwrap(), engine.record_overdue(1).await.unwrap()), (0, 0), "not yet");
    time.pass_due_date();
    for expected in [10, 1, 0] {
        assert_eq!(engine.expire_proposals(1).await.unwrap(), expected);
        assert_eq!(engine.record_overdue(1).await.unwrap(), expected);
    }
    time.processes.books().await;
}

fn ids<I: Id>(ids: &[I]) -> Vec<i64> {
    ids.iter().map(|id| id.get()).collect()
}

/// How long an offer holds.
const LATER: Duration = Duration::hours(1);

/// A seller, a buyer, and processes whose clock moves.
struct Time {
    processes: Processes,
    owner: Actor,
    buyer: Actor,
    sell: ServiceId,
    lease: ServiceId,
}

impl Time {
    async fn start(handles: Handles) -> Self {
        let processes = Processes::start(handles);
        let sell = processes.world.service(ServiceKind::Sell).await;
        let lease = processes.world.service(ServiceKind::Lease).await;
        let (owner, buyer) = (processes.actor(Role::Customer).await, processes.actor(Role::Customer).await);
        Self { processes, owner, buyer, sell, lease }
    }

    /// A trade whose owner has made a proposal that expires later.
    async fn offer_until_later(&self) -> Offered {
        let trade = self.processes.offer(&self.owner, self.sell).await.trade;
        let expires_at = (crate::clock::Clock::now(&*self.processes.clock) + LATER).into();
        let draft = ProposalDraft { expires_at, ..terms(ServiceKind::Sell) };
        let proposal = self.processes.engine().propose(&self.owner, trade, &draft).await.unwrap().stored.id;
        Offered { trade, proposal }
    }

    fn pass(&self) {
        self.processes.clock.advance(LATER);
    }

    fn pass_due_date(&self) {
        self.processes.clock.advance(Duration::days(400));
    }

    fn expire(&self) -> Act {
        self.processes.act(|engine: LeaseEngine| async move { engine.expire_proposals(ALL).await })
    }

    fn record_overdue(&self) -> Act {
        self.processes.act(|engine: LeaseEngine| async move { engine.record_overdue(ALL).await })
    }

    async fn state_of(&self, proposal: ProposalId) -> ProposalState {
        let books = Books::read(&*self.processes.world.store).await.unwrap();
        books.proposals.iter().find(|row| row.id == proposal).unwrap().state
    }

    async fn events(&self, event_type: EventType) -> Vec<Stored<EventRecord>> {
        let filter = EventFilter { types: vec![event_type], ..EventFilter::default() };
        self.processes.world.store.events_after(None, ALL, &filter).await.unwrap()
    }
}
