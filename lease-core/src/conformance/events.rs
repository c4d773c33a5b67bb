//! Events: written with each commit, seen by those who may, in an order that no reader ever has to correct.
//!
//! Rules 8.1, 8.2, 8.4 and 8.5.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Handles;
use super::acting::changes;
use super::build::*;
use super::commits::{Commits as _, by_system};
use super::processes::{Processes, ROUNDS, offer_of, terms};
use super::race::together;
use super::world::{World, agreed, agreement};
use crate::account::{Login, Token};
use crate::catalog::FirstServices;
use crate::decision::RowChange;
use crate::directory::{ContactsOfLead, LeadChange};
use crate::event::{Audience, Event, EventActor, EventRecord, EventType, IdRef, NewRow, SubjectKind, Viewer};
use crate::id::{EventId, Id, Stored, TradeId};
use crate::invariants::Steps;
use crate::invoicing::PaymentDraft;
use crate::lifecycle::{TradeChange, TradeChanges, TradeMove};
use crate::model::{ProposalState, Role, Service, ServiceKind};
use crate::page::{Cursor, PageRequest};
use crate::permission::Actor;
use crate::repository::{Change, Commit, Envelope, EventFilter, Repository, RequestId, TradeKey};

/// Every row that a commit may create.
const NEW_ROWS: [(&str, NewRow); 13] = [
    ("user_id", NewRow::User),
    ("token_id", NewRow::Token),
    ("customer_id", NewRow::Customer),
    ("credit_card_id", NewRow::CreditCard),
    ("contact_id", NewRow::Contact),
    ("lead_id", NewRow::Lead),
    ("vehicle_id", NewRow::Vehicle),
    ("service_id", NewRow::Service(0)),
    ("trade_id", NewRow::Trade),
    ("proposal_id", NewRow::Proposal),
    ("invoice_id", NewRow::Invoice),
    ("payment_id", NewRow::Payment),
    ("webhook_endpoint_id", NewRow::WebhookEndpoint),
];

/// An event that names every row that a commit may create, is about one of them, and has a change of each kind.
fn about(row: NewRow) -> Event {
    let event = Event::new(EventType::LeadUpdated, row, Audience::Staff).in_trade(row).change("name", "\u{1}\"'", "Ада");
    let mut event = NEW_ROWS.iter().fold(event, |event, (name, row)| event.id(name, *row));
    event.changes.add_new("customer_id", NewRow::Customer);
    event.changes.add_secret("password");
    event
}

/// All events after this one, oldest first.
async fn after(store: &dyn Repository, after: Option<EventId>) -> Vec<Stored<EventRecord>> {
    let mut events: Vec<Stored<EventRecord>> = Vec::new();
    loop {
        let last = events.last().map(|event| event.id).or(after);
        let more = store.events_after(last, 7, &EventFilter::default()).await.unwrap();
        if more.is_empty() {
            return events;
        }
        events.extend(more);
    }
}

fn values(events: Vec<Stored<EventRecord>>) -> Vec<EventRecord> {
    events.into_iter().map(|event| event.value).collect()
}

/// Rule 8.2: whatever a commit creates, its events are stored as the core says.
pub async fn every_commit_stores_its_events_as_they_are_recorded(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let actor = Actor::of(&world.account(Role::Superuser).await);
    let seeds = FirstServices(vec![service(ServiceKind::Lease), service(ServiceKind::Sell)]);
    let second = Event::new(EventType::ServiceCreated, NewRow::Service(1), Audience::Staff);
    stores_its_events(&world, actor, seeds.into(), Some(second)).await;
    let mut all = changes(&world).await;
    all.extend(changes_of_a_trade(&world).await);
    for change in all {
        if let Change::RevokeToken(revocation) = &change {
            // The token is not there: nothing happens.
            let last = world.newest_event().await;
            world.store.commit(&by_system(change.clone(), None)).await.unwrap();
            assert_eq!(after(&*world.store, last).await, []);
            let there = Token { hash: revocation.token, ..token(revocation.user_id, 1) };
            world.store.commit_login(&Login::new(there, at(1)), None).await.unwrap();
        }
        stores_its_events(&world, actor, change, None).await;
    }
}

/// Commits a change with events about all that it may create, and compares what is stored.
async fn stores_its_events(world: &World, actor: Actor, change: Change, one_more: Option<Event>) {
    let last = world.newest_event().await;
    let mut events: Vec<Event> = NEW_ROWS.iter().map(|(_, row)| about(*row)).collect();
    events.push(Event { occurred_at: Some(at(-7)), actor: Some(EventActor::Gateway), ..about(NewRow::User) });
    events.extend(one_more);
    let envelope = Envelope { request_id: RequestId::new("request-7"), events, ..Envelope::new(actor, at(3)) };
    let ids = world.store.commit(&Commit::new(envelope.clone(), change.clone())).await.unwrap();
    let expected: Vec<EventRecord> = envelope.events.iter().map(|event| envelope.record(event, &ids)).collect();
    assert_eq!(values(after(&*world.store, last).await), expected, "{change:?}");
}

/// Changes that create proposals, invoices and payments.
async fn changes_of_a_trade(world: &World) -> Vec<Change> {
    let deal = world.deal().await;
    let paid = world.deal().await;
    let invoice = world.bill(paid.trade, paid.proposal, paid.owner).await;
    let card = world.card(paid.owner).await;
    let bidder = world.customer().await;
    let of = |trade, version, changes| Change::from(TradeChange { id: trade, expected: version, changes });
    let billed = TradeChanges { new_invoice: Some(new_invoice(deal.owner)), ..proposed(proposal(deal.trade, bidder)) };
    let version = world.load(TradeKey::Trade(deal.trade)).await.version;
    let paying = paying(payment(invoice, card, paid.owner, "an-event"));
    vec![of(deal.trade, version, billed), of(paid.trade, world.load(TradeKey::Trade(paid.trade)).await.version, paying)]
}

/// Rule 8.1: one event for each proposal that an agreement ends, by the clock of each.
pub async fn each_proposal_that_is_closed_has_its_event(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    let expiring = |trade, author, at| crate::model::Proposal { expires_at: Some(at), ..proposal(trade, author) };
    let mut others = Vec::new();
    for expires_at in [None, Some(at(5)), Some(at(4)), Some(base() + tick()), Some(at(100))] {
        let author = world.customer().await;
        let terms = match expires_at {
            None => proposal(deal.trade, author),
            Some(at) => expiring(deal.trade, author, at),
        };
        others.push((world.propose_as(terms.clone()).await, terms));
    }
    let decided = world.propose(deal.trade, world.customer().await).await;
    world.decide(deal.trade, decided, ProposalState::Rejected { at: at(1) }).await;
    let buyer = world.customer().await;
    let last = world.newest_event().await;

    let changes = agreed(deal.proposal, TradeMove::Agree(agreement(deal.proposal, buyer)));
    let expected = world.load(TradeKey::Trade(deal.trade)).await.version;
    let envelope = Envelope { request_id: RequestId::new("request-8"), ..Envelope::new(Actor::System, at(5)) };
    let change = TradeChange { id: deal.trade, expected, changes: changes.clone() };
    let ids = world.store.commit(&Commit::new(envelope.clone(), change)).await.unwrap();
    let closed = others.iter().map(|(id, terms)| changes.closing_event(deal.owner, *id, terms).unwrap());
    let expected: Vec<EventRecord> = closed.map(|event| envelope.record(&event, &ids)).collect();
    let types: Vec<_> = expected.iter().map(|event| event.event_type).collect();
    let (closed, expired) = (EventType::ProposalClosed, EventType::ProposalExpired);
    assert_eq!(types, [closed, expired, expired, expired, closed]);
    assert_eq!(values(after(&*world.store, last).await), expected);
}

/// Rules 8.1 and 8.4: a whole sale, as everybody sees it.
pub async fn everybody_sees_the_events_that_are_theirs(handles: Handles) {
    let processes = Processes::start(handles);
    let sell = processes.world.service(ServiceKind::Sell).await;
    let people = processes.customers(5).await;
    let [owner, buyer, bidder, late, stranger] = people[..] else { unreachable!() };
    let clerk = processes.actor(Role::Staff).await;
    let card = processes.card(&owner, 2099).await;
    let vehicle = processes.vehicle(&owner).await;
    let last = processes.world.newest_event().await;

    let engine = processes.engine();
    let trade = engine.open_trade(&owner, &offer_of(vehicle, sell)).await.unwrap().stored.id;
    engine.propose(&owner, trade, &terms(ServiceKind::Sell)).await.unwrap();
    let bid = engine.propose(&buyer, trade, &terms(ServiceKind::Sell)).await.unwrap().stored.id;
    engine.propose(&bidder, trade, &terms(ServiceKind::Sell)).await.unwrap();
    let withdrawn = engine.propose(&late, trade, &terms(ServiceKind::Sell)).await.unwrap().stored.id;
    engine.withdraw_proposal(&late, withdrawn).await.unwrap();
    engine.accept_proposal(&owner, bid).await.unwrap();
    let invoice = engine.get_trade(&owner, trade).await.unwrap().stored.invoice_id.unwrap();
    let draft = PaymentDraft { credit_card_id: card.into(), ..PaymentDraft::default() };
    engine.pay_invoice(&owner, invoice, &draft).await.unwrap();

    // The event, and who of owner, buyer, bidder, late bidder and stranger sees it.
    let table = [
        ("trade.opened", "yyyy-"),
        ("proposal.made", "yyyy-"),
        ("proposal.made", "yy---"),
        ("proposal.made", "y-y--"),
        ("proposal.made", "y--y-"),
        ("proposal.withdrawn", "y--y-"),
        ("proposal.accepted", "yy---"),
        ("trade.agreed", "yyyy-"),
        ("invoice.issued", "y----"),
        ("proposal.closed", "yyyy-"),
        ("proposal.closed", "y-y--"),
        ("payment.begun", "y----"),
        ("payment.succeeded", "y----"),
        ("invoice.paid", "y----"),
        ("trade.completed", "yyyy-"),
        ("vehicle.transferred", "yy---"),
    ];
    let all = after(&*processes.world.store, last).await;
    assert_eq!(all.iter().map(|event| <&str>::from(event.event_type)).collect::<Vec<_>>(), table.map(|(name, _)| name));
    assert!(all.iter().all(|event| event.trade_id == Some(trade)));
    assert!(all.windows(2).all(|pair| pair[0].id < pair[1].id));

    let of_trade = EventFilter { trade_id: Some(trade), ..EventFilter::default() };
    for (place, viewer) in people.iter().enumerate() {
        let rows = all.iter().zip(table).filter(|(_, (_, seen))| seen.as_bytes()[place] == b'y');
        let mut expected: Vec<_> = rows.map(|(event, _)| event.clone()).collect();
        let forward = engine.events_after(viewer, None, 100, of_trade.clone()).await.unwrap();
        assert_eq!(forward, expected, "what customer {place} reads forward");
        if *viewer != stranger {
            assert_eq!(history(&engine, viewer, trade).await, expected, "the history for customer {place}");
        }
        for event in &all {
            let found = engine.get_event(viewer, event.id).await;
            assert_eq!(found.is_ok(), expected.contains(event), "customer {place}: {event:?}");
        }
        expected.reverse();
        let listed = engine.events(viewer, of_trade.clone(), PageRequest::default()).await.unwrap().items;
        assert_eq!(listed, expected, "what customer {place} lists");
    }
    assert_eq!(engine.trade_history(&stranger, trade, PageRequest::default()).await.unwrap_err().code(), "not_found");
    assert_eq!(history(&engine, &clerk, trade).await, all);
    let nobody = engine.events(&Actor::Anonymous, EventFilter::default(), PageRequest::default()).await;
    assert_eq!(nobody.unwrap_err().code(), "not_authenticated");
}

/// The history of a trade, read forward in small pages, and each page backward again.
async fn history(engine: &crate::LeaseEngine, actor: &Actor, trade: TradeId) -> Vec<Stored<EventRecord>> {
    let (mut events, mut cursor) = (Vec::new(), None);
    loop {
        let page = engine.trade_history(actor, trade, PageRequest::new(3, cursor).unwrap()).await.unwrap();
        assert_eq!(page.previous.is_some(), cursor.is_some());
        if let Some(Cursor::Before(_)) = page.previous {
            let back = engine.trade_history(actor, trade, PageRequest::new(3, page.previous).unwrap()).await.unwrap();
            assert_eq!(back.items, events[events.len() - 3..]);
        }
        events.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return events;
        }
    }
}

/// Rule 8.4: what is not of a trade is seen by the user or the customer whom it concerns.
pub async fn users_see_what_concerns_themselves(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (one, other) = (world.account(Role::Customer).await, world.account(Role::Customer).await);
    let (user, customer) = (one.user.id, one.customer_id.unwrap());
    let last = world.newest_event().await;
    let audiences = [
        Audience::Staff,
        Audience::User(user.into()),
        Audience::customer(customer),
        Audience::both(other.customer_id.unwrap(), customer),
        Audience::User(other.user.id.into()),
        // A user and a customer may have the same number.
        Audience::User(IdRef::Known(customer.get() + 1_000_000)),
    ];
    let events: Vec<Event> =
        audiences.into_iter().map(|audience| Event::new(EventType::LeadUpdated, IdRef::Known(1), audience)).collect();
    let change = LeadChange { lead: RowChange::Create(lead()), contacts: ContactsOfLead::Keep };
    world.store.commit(&Commit::new(Envelope { events, ..Envelope::new(Actor::System, base()) }, change)).await.unwrap();
    let all = after(&*world.store, last).await;
    let seen = async |viewer: Viewer| {
        let filter = EventFilter { visible_to: Some(viewer), ..EventFilter::default() };
        let found = world.store.events_after(last, 100, &filter).await.unwrap();
        all.iter().map(|event| found.contains(event)).collect::<Vec<_>>()
    };
    assert_eq!(seen(Viewer { user, customer: Some(customer) }).await, [false, true, true, true, false, false]);
    assert_eq!(seen(Viewer { user, customer: None }).await, [false, true, false, false, false, false]);
    let both = Viewer { user: other.user.id, customer: other.customer_id };
    assert_eq!(seen(both).await, [false, false, false, true, true, false]);
}

/// Rule 8.4: who makes a first proposal sees the earlier events of the trade, but no earlier ones of others' proposals.
pub async fn a_new_member_sees_the_earlier_events_of_the_trade(handles: Handles) {
    let processes = Processes::start(handles);
    let sell = processes.world.service(ServiceKind::Sell).await;
    let people = processes.customers(3).await;
    let [owner, bidder, late] = people[..] else { unreachable!() };
    let trade = processes.offer(&owner, sell).await.trade;
    let engine = processes.engine();
    engine.propose(&bidder, trade, &terms(ServiceKind::Sell)).await.unwrap();
    let names = async |viewer: &Actor| {
        let filter = EventFilter { trade_id: Some(trade), ..EventFilter::default() };
        let found = engine.events_after(viewer, None, 100, filter).await.unwrap();
        found.iter().map(|event| (<&str>::from(event.event_type), event.actor.user_id())).collect::<Vec<_>>()
    };
    assert_eq!(names(&late).await, []);
    engine.propose(&late, trade, &terms(ServiceKind::Sell)).await.unwrap();
    let by = |name, actor: &Actor| (name, actor.user());
    let expected = [by("trade.opened", &owner), by("proposal.made", &owner), by("proposal.made", &late)];
    assert_eq!(names(&late).await, expected);
    engine.propose(&late, trade, &terms(ServiceKind::Sell)).await.unwrap();
    assert_eq!(names(&late).await.len(), 5, "and no event twice");
}

/// Every condition of the filter finds what it says, forward and backward.
pub async fn events_are_filtered(handles: Handles) {
    let processes = Processes::start(handles);
    let sell = processes.world.service(ServiceKind::Sell).await;
    let people = processes.customers(3).await;
    for owner in &people[..2] {
        let offered = processes.offer(owner, sell).await;
        processes.clock.advance(chrono::Duration::seconds(5));
        processes.engine().accept_proposal(&people[2], offered.proposal).await.unwrap();
    }
    let all = after(&*processes.world.store, None).await;
    let some = all.iter().rfind(|event| event.event_type == EventType::ProposalMade).unwrap();
    let none = EventFilter::default;
    let seconds = processes.world.trades().await[0].created_at;
    let filters = [
        none(),
        EventFilter { types: vec![EventType::TradeOpened], ..none() },
        EventFilter { types: vec![EventType::TradeOpened, EventType::InvoiceIssued], ..none() },
        EventFilter { types: vec![EventType::LeadDeleted], ..none() },
        EventFilter { subject: Some((SubjectKind::Proposal, some.subject_id.unwrap())), ..none() },
        EventFilter { subject: Some((SubjectKind::Lead, some.subject_id.unwrap())), ..none() },
        EventFilter { trade_id: some.trade_id, ..none() },
        EventFilter { trade_id: Some(nobody()), ..none() },
        EventFilter { actor_user_id: people[2].user(), ..none() },
        EventFilter { since: Some(seconds), ..none() },
        EventFilter { until: Some(seconds), ..none() },
        EventFilter { since: Some(at(1)), until: Some(seconds), trade_id: some.trade_id, ..none() },
    ];
    let viewers = [None, Some(&people[0]), Some(&people[2])];
    for (filter, viewer) in filters.iter().flat_map(|filter| viewers.map(|viewer| (filter, viewer))) {
        let visible_to = viewer.map(|actor| Viewer { user: actor.user().unwrap(), customer: actor.customer() });
        let seen = async |filter: &EventFilter| {
            let filter = EventFilter { visible_to, ..filter.clone() };
            let forward = processes.world.store.events_after(None, 1_000, &filter).await.unwrap();
            let mut backward = processes.world.list_events(&filter).await;
            backward.reverse();
            assert_eq!(forward, backward, "{filter:?}");
            forward
        };
        let expected: Vec<_> = seen(&none()).await.into_iter().filter(|event| filter.matches(event)).collect();
        assert_eq!(seen(filter).await, expected, "{filter:?}");
    }
    assert!(!all.is_empty());
}

/// Somebody who reads or writes; a reader returns what they read.
type Task = Pin<Box<dyn Future<Output = Vec<Stored<EventRecord>>> + Send>>;

/// Rule 8.5: with many writers at two processes, a reader that reads on from where it was misses no event, reads none twice and
/// never finds one at or below what it has read; and every writer finds its own event at once.
pub async fn readers_miss_nothing_while_many_write(handles: Handles) {
    const WRITERS: usize = 6;
    let world = Arc::new(World::new(handles));
    let last = world.newest_event().await;
    let writing = Arc::new(AtomicUsize::new(WRITERS));
    let mut tasks: Vec<Task> = Vec::new();
    for writer in 0..WRITERS {
        let (store, writing) = (world.handle(), Arc::clone(&writing));
        tasks.push(Box::pin(async move {
            for round in 0..*ROUNDS {
                let subject = IdRef::Known(i64::try_from(1 + writer * *ROUNDS + round).unwrap());
                let event = Event::new(EventType::LeadUpdated, subject, Audience::Staff).id("contact_id", NewRow::Lead);
                let made = Event::new(EventType::LeadCreated, NewRow::Lead, Audience::Staff);
                let change = LeadChange { lead: RowChange::Create(lead()), contacts: ContactsOfLead::Keep };
                let envelope = Envelope { events: vec![made, event], ..Envelope::new(Actor::System, base()) };
                let ids = store.commit(&Commit::new(envelope, change)).await.unwrap();
                let filter = EventFilter {
                    subject: Some((SubjectKind::Lead, ids.lead.unwrap().get())),
                    types: vec![EventType::LeadCreated],
                    ..EventFilter::default()
                };
                let own = store.list_events(&filter, PageRequest::default()).await.unwrap().items;
                assert_eq!(own.len(), 1, "a writer reads what it has written");
            }
            writing.fetch_sub(1, Ordering::SeqCst);
            Vec::new()
        }));
    }
    for limit in [1, 3, 1_000] {
        let (store, writing) = (world.handle(), Arc::clone(&writing));
        tasks.push(Box::pin(async move {
            let mut read: Vec<Stored<EventRecord>> = Vec::new();
            loop {
                let is_last = writing.load(Ordering::SeqCst) == 0;
                let from = read.last().map(|event| event.id).or(last);
                let more = store.events_after(from, limit, &EventFilter::default()).await.unwrap();
                if is_last && more.is_empty() {
                    return read;
                }
                read.extend(more);
                tokio::task::yield_now().await;
            }
        }));
    }
    let read = together(tasks).await;
    let all = after(&*world.store, last).await;
    assert_eq!(all.len(), WRITERS * *ROUNDS * 2);
    assert_eq!(all.iter().map(|event| event.id).collect::<BTreeSet<_>>().len(), all.len());
    for events in read.into_iter().filter(|events| !events.is_empty()) {
        assert!(events == all, "a reader read other events, or in another order");
    }
    let mut created = BTreeSet::new();
    for event in &all {
        match event.event_type {
            EventType::LeadCreated => assert!(created.insert(event.subject_id)),
            _ => assert!(created.remove(&event.data["contact_id"].as_i64()), "the events of a commit are in their order"),
        }
    }
    assert!(created.is_empty());
    // Each writer's own events are in the order in which it wrote them.
    let mut writers: BTreeMap<i64, i64> = BTreeMap::new();
    for event in all.iter().filter(|event| event.event_type == EventType::LeadUpdated) {
        let subject = event.subject_id.unwrap();
        let writer = (subject - 1) / i64::try_from(*ROUNDS).unwrap();
        assert!(writers.insert(writer, subject).is_none_or(|earlier| earlier < subject));
    }
}

/// Rule 8.4 at the same time: whoever becomes a member while events are written sees all of them in the end.
pub async fn members_who_come_while_events_are_written_see_all(handles: Handles) {
    const BIDDERS: usize = 8;
    let processes = Processes::start(handles);
    let free = processes.world.service_of(Service { fee: usd("0"), ..service(ServiceKind::Sell) }).await;
    let owner = processes.actor(Role::Customer).await;
    let trade = processes.offer(&owner, free).await.trade;
    let bidders = processes.customers(BIDDERS).await;
    let mut acts = Vec::new();
    for bidder in bidders.clone() {
        acts.push(processes.act(move |engine| async move { engine.propose(&bidder, trade, &terms(ServiceKind::Sell)).await }));
        acts.push(processes.act(move |engine| async move {
            engine.propose(&owner, trade, &terms(ServiceKind::Sell)).await?;
            engine.events(&owner, EventFilter::default(), PageRequest::default()).await
        }));
    }
    assert!(together(acts).await.iter().all(|outcome| *outcome == "ok"));
    let engine = processes.engine();
    let filter = EventFilter { trade_id: Some(trade), ..EventFilter::default() };
    let all = engine.events_after(&owner, None, 1_000, filter.clone()).await.unwrap();
    assert_eq!(all.len(), 1 + 1 + BIDDERS + 2 * BIDDERS);
    for bidder in bidders {
        let by = |event: &&Stored<EventRecord>| [owner.user(), bidder.user()].contains(&event.actor.user_id());
        let expected: Vec<_> = all.iter().filter(by).cloned().collect();
        assert_eq!(engine.events_after(&bidder, None, 1_000, filter.clone()).await.unwrap(), expected);
    }
}

impl World {
    /// The newest event.
    async fn newest_event(&self) -> Option<EventId> {
        let page = PageRequest::new(1, None).unwrap();
        self.store.list_events(&EventFilter::default(), page).await.expect("list_events").items.first().map(|event| event.id)
    }
}

/// I9: events that are missing, or that tell of something else than the rows, are found.
pub async fn the_books_show_what_has_no_event(handles: Handles) {
    let processes = Processes::start(handles);
    let sell = processes.world.service(ServiceKind::Sell).await;
    let (owner, buyer) = (processes.actor(Role::Customer).await, processes.actor(Role::Customer).await);
    let offered = processes.offer(&owner, sell).await;
    processes.engine().accept_proposal(&buyer, offered.proposal).await.unwrap();
    let books = processes.books().await;

    let mut unrecorded = books.clone();
    unrecorded.steps = Some(Steps::default());
    let (trade, proposal) = (offered.trade, offered.proposal);
    let invoice = books.invoices[0].id;
    let missing = [
        format!("I9: trade.opened of {trade} was recorded 0 times"),
        format!("I9: trade.agreed of {trade} was recorded 0 times"),
        format!("I9: proposal.made of {proposal} was recorded 0 times"),
        format!("I9: proposal.accepted of {proposal} was recorded 0 times"),
        format!("I9: invoice.issued of {invoice} was recorded 0 times"),
    ];
    assert_eq!(unrecorded.violations(), missing);

    let mut other = books;
    other.proposals[0].value.state = ProposalState::Withdrawn { at: at(9) };
    let found = other.violations();
    for step in ["proposal.withdrawn of", "proposal.accepted of"] {
        assert!(found.iter().any(|violation| violation.starts_with(&format!("I9: {step} {proposal}"))), "{found:?}");
    }
}

/// A new service, with an event about it.
fn a_recorded_service() -> Commit {
    let events = vec![Event::new(EventType::ServiceCreated, NewRow::Service(0), Audience::Staff)];
    let envelope = Envelope { events, ..Envelope::new(Actor::System, base()) };
    Commit::new(envelope, RowChange::Create(service(ServiceKind::Sell)))
}

/// Rule 8.5: the last event is the newest of all that were committed, at whichever process; nobody has to read them first.
pub async fn the_last_event_is_the_newest_that_was_committed(Handles(stores): Handles) {
    const WRITERS: usize = 6;
    let world = World::new(Handles(stores.clone()));
    for store in stores.iter().cycle().take(4) {
        store.commit(&a_recorded_service()).await.unwrap();
        let last = world.store.last_event().await.unwrap();
        assert!(last.is_some());
        assert_eq!(last, world.newest_event().await);
    }

    let writers = stores.into_iter().cycle().take(WRITERS).map(|store| async move {
        let mut last = None;
        for _ in 0..*ROUNDS {
            let ids = store.commit(&a_recorded_service()).await.unwrap();
            let newest = store.last_event().await.unwrap();
            assert!(newest > last, "it goes forward");
            last = newest;
            let subject = Some((SubjectKind::Service, ids.service.unwrap().get()));
            let own = store.events_after(None, 1, &EventFilter { subject, ..EventFilter::default() }).await.unwrap();
            assert!(last >= Some(own[0].id), "it includes what its caller has committed");
        }
    });
    together(writers).await;
    assert_eq!(world.store.last_event().await.unwrap(), world.newest_event().await);
}

/// A commit without events has none.
pub async fn a_commit_without_events_leaves_none(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let mut commit = by_system(RowChange::Create(service(ServiceKind::Sell)), None);
    commit.envelope.events.clear();
    world.store.commit(&commit).await.unwrap();
    assert_eq!(world.newest_event().await, None);
    assert_eq!(world.store.last_event().await.unwrap(), None);
    assert_eq!(world.store.find_event(nobody(), None).await.unwrap(), None);
    assert_eq!(world.store.events_after(Some(nobody()), 10, &EventFilter::default()).await.unwrap(), []);
    assert_eq!(world.store.events_after(EventId::parse("9223372036854775807"), 10, &EventFilter::default()).await.unwrap(), []);
}
