//! Pages of every list: newest first, in both directions, and stable while rows are created and deleted.

use std::sync::Arc;

use super::build::*;
use super::commits::Commits as _;
use super::world::World;
use crate::decision::RowChange;
use crate::directory::{ContactsOfLead, LeadChange};
use crate::id::Version;
use crate::lifecycle::TradeChanges;
use crate::model::*;
use crate::page::{Cursor, MAX_LIMIT, Page, PageRequest};
use crate::repository::*;
use crate::wallet::{CardChange, DefaultCard, WalletChange};
use crate::webhook::WebhookEndpointChange;

/// The number of rows in a list. All are created at the same instant, so only the id can order them.
const ROWS: usize = 7;

fn request(limit: usize, cursor: Option<Cursor>) -> PageRequest {
    PageRequest::new(u8::try_from(limit).unwrap(), cursor).unwrap()
}

/// Checks an empty list of ids, to which `add` adds one row at a time.
async fn check(add: impl AsyncFn(), list: impl AsyncFn(PageRequest) -> Page<i64>) {
    let empty = list(PageRequest::default()).await;
    assert_eq!(empty, Page { items: vec![], next: None, previous: None });
    for _ in 0..ROWS {
        add().await;
    }
    let all = list(request(MAX_LIMIT.into(), None)).await;
    assert_eq!((all.items.len(), all.next, all.previous), (ROWS, None, None));
    assert!(all.items.is_sorted_by(|newer, older| newer > older), "newest first: {:?}", all.items);
    for limit in 1..=ROWS + 1 {
        check_limit(&list, limit, &all.items).await;
    }
    check_ends(&list, &all.items).await;
    check_rows_that_come(&add, &list, &all.items).await;
}

/// Reads to the last page and back again.
async fn check_limit(list: &impl AsyncFn(PageRequest) -> Page<i64>, limit: usize, all: &[i64]) {
    let mut page = list(request(limit, None)).await;
    assert_eq!(page.previous, None, "nothing is newer than the newest");
    let mut pages = 1;
    for expected in all.chunks(limit) {
        assert_eq!(page.items, expected, "page {pages} of {limit} rows");
        if let Some(next) = page.next {
            page = list(request(limit, Some(next))).await;
            pages += 1;
        }
    }
    assert_eq!((pages, page.next), (all.len().div_ceil(limit), None), "the last page of {limit} rows is the last");

    let mut rest = all.len() - page.items.len();
    while let Some(previous) = page.previous {
        page = list(request(limit, Some(previous))).await;
        let expected = &all[rest.saturating_sub(limit)..rest];
        assert_eq!(page.items, expected, "backwards in pages of {limit} rows");
        rest -= expected.len();
    }
    assert_eq!(rest, 0, "the way back ends at the newest row");
}

/// Cursors beyond either end, and between rows.
async fn check_ends(list: &impl AsyncFn(PageRequest) -> Page<i64>, all: &[i64]) {
    let (newest, oldest) = (all[0], all[all.len() - 1]);
    for cursor in
        [Cursor::Before(newest.into()), Cursor::Before(i64::MAX.into()), Cursor::After(oldest.into()), Cursor::After(1.into())]
    {
        let page = list(request(3, Some(cursor))).await;
        let expected: Vec<_> =
            all.iter().copied().filter(|id| matches!(cursor, Cursor::After(after) if *id < after.id)).collect();
        assert_eq!(page.items, expected, "{cursor:?}");
    }
    check_way_back(list, Cursor::After(oldest.into()), &all[ROWS - 3..]).await;
    check_way_back(list, Cursor::Before(newest.into()), &all[..3]).await;
    assert_eq!(list(request(ROWS, Some(Cursor::After(i64::MAX.into())))).await.items, all);
    assert_eq!(list(request(ROWS, Some(Cursor::Before(1.into())))).await.items.len(), all.iter().filter(|id| **id > 1).count());
}

/// A page beyond the last row is empty, and leads back to the three rows from that one on (rule 6.5).
async fn check_way_back(list: &impl AsyncFn(PageRequest) -> Page<i64>, beyond: Cursor, rows: &[i64]) {
    let empty = list(request(3, Some(beyond))).await;
    let (back, on) = match beyond {
        Cursor::After(_) => (empty.previous, empty.next),
        Cursor::Before(_) => (empty.next, empty.previous),
    };
    assert_eq!((empty.items.len(), on), (0, None), "{beyond:?}");
    assert!(back.is_some(), "no way back from {beyond:?}");
    assert_eq!(list(request(3, back)).await.items, rows, "back from {beyond:?}");
}

/// Rows that are created in the meantime are on earlier pages, and shift nothing.
async fn check_rows_that_come(add: &impl AsyncFn(), list: &impl AsyncFn(PageRequest) -> Page<i64>, all: &[i64]) {
    let first = list(request(3, None)).await;
    add().await;
    add().await;
    let second = list(request(3, first.next)).await;
    assert_eq!(second.items, all[3..6]);
    let back = list(request(3, second.previous)).await;
    assert_eq!(back.items, all[..3]);
    let newest = list(request(3, back.previous)).await;
    assert_eq!((newest.items.len(), newest.previous), (2, None));
    assert!(newest.items.iter().all(|id| *id > all[0]));
}

/// Rows that are deleted in the meantime, including the cursor's own, hide no others.
async fn check_rows_that_go(remove: impl AsyncFn(i64), list: impl AsyncFn(PageRequest) -> Page<i64>) {
    let all = list(request(MAX_LIMIT.into(), None)).await.items;
    let first = list(request(3, None)).await;
    remove(all[2]).await;
    remove(all[3]).await;
    let second = list(request(3, first.next)).await;
    assert_eq!(second.items, all[4..7]);
    let back = list(request(3, second.previous)).await;
    assert_eq!((back.items, back.previous), (all[..2].to_vec(), None));
    for row in &all[4..] {
        remove(*row).await;
    }
    check_way_back(&list, Cursor::After(all[3].into()), &all[..2]).await;
    for row in &all[..2] {
        remove(*row).await;
    }
    for cursor in [Cursor::After(all[3].into()), Cursor::Before(all[3].into())] {
        let empty = list(request(3, Some(cursor))).await;
        let back = list(request(3, empty.previous.or(empty.next))).await;
        assert_eq!(back.items, Vec::<i64>::new(), "nothing is left");
    }
}

pub async fn users_come_in_pages(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let list = async |page| world.store.list_users(&UserFilter::default(), page).await.unwrap().map(|row| row.user.id.get());
    check(async || drop(world.account(Role::Staff).await), list).await;
}

pub async fn tokens_come_in_pages(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let user_id = world.account(Role::Customer).await.user.id;
    let add = async || {
        let number = u8::try_from(world.number()).unwrap();
        world.store.create_token(&token(user_id, number), None).await.unwrap();
    };
    let filter = TokenFilter { user_id };
    let list = async |page| world.store.list_tokens(&filter, page, base()).await.unwrap().map(|row| row.id.get());
    check(add, list).await;
    let remove = async |number| {
        let tokens = world.list_tokens(&filter, base()).await;
        let token = tokens.into_iter().find(|row| row.id.get() == number).unwrap();
        world.store.delete_token(&token.hash, None).await.unwrap();
    };
    check_rows_that_go(remove, list).await;
}

pub async fn customers_come_in_pages(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let list = async |page| world.store.list_customers(&CustomerFilter::default(), page).await.unwrap().map(|row| row.id.get());
    check(async || drop(world.account(Role::Customer).await), list).await;
}

pub async fn cards_come_in_pages(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let customer = world.customer().await;
    let add = async || {
        world.card(customer).await;
    };
    let list = async |page| world.store.list_cards(&CardFilter::default(), page).await.unwrap().map(|row| row.id.get());
    check(add, list).await;
    let remove = async |number| {
        let cards = world.list_cards(&CardFilter::default()).await;
        let card = cards.into_iter().find(|row| row.id.get() == number).unwrap();
        let gone = CreditCard { deleted_at: Some(at(1)), ..card.value };
        let expected = world.wallet(customer).await.version;
        let card = CardChange::Update(card.id, gone);
        let change = WalletChange { customer_id: customer, expected, card, others: DefaultCard::Keep };
        world.store.commit_wallet(&change, None).await.unwrap();
    };
    check_rows_that_go(remove, list).await;
}

pub async fn contacts_come_in_pages(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let owner = ContactOwner::Lead(world.lead(lead()).await);
    let add = async || {
        world.contact(owner).await;
    };
    let list = async |page| world.store.list_contacts(&ContactFilter::default(), page).await.unwrap().map(|row| row.id.get());
    check(add, list).await;
    let remove = async |number| {
        let id = crate::id::ContactId::new(number).unwrap();
        world.store.commit_contact(&RowChange::Delete { id, expected: Version::FIRST }, None).await.unwrap();
    };
    check_rows_that_go(remove, list).await;
}

pub async fn leads_come_in_pages(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let add = async || {
        world.lead(lead()).await;
    };
    let list = async |page| world.store.list_leads(&LeadFilter::default(), page).await.unwrap().map(|row| row.id.get());
    check(add, list).await;
    let remove = async |number| {
        let id = crate::id::LeadId::new(number).unwrap();
        let lead = RowChange::Delete { id, expected: Version::FIRST };
        world.store.commit_lead(&LeadChange { lead, contacts: ContactsOfLead::Delete }, None).await.unwrap();
    };
    check_rows_that_go(remove, list).await;
}

pub async fn vehicles_come_in_pages(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let owner = world.customer().await;
    let add = async || {
        world.vehicle(owner).await;
    };
    let list = async |page| world.store.list_vehicles(&VehicleFilter::default(), page).await.unwrap().map(|row| row.id.get());
    check(add, list).await;
    let remove = async |number| {
        let id = crate::id::VehicleId::new(number).unwrap();
        world.store.commit_vehicle(&RowChange::Delete { id, expected: Version::FIRST }, None).await.unwrap();
    };
    check_rows_that_go(remove, list).await;
}

pub async fn services_come_in_pages(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let add = async || {
        world.service(ServiceKind::Sell).await;
    };
    let list = async |page| world.store.list_services(&ServiceFilter::default(), page).await.unwrap().map(|row| row.id.get());
    check(add, list).await;
}

pub async fn trades_come_in_pages(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let owner = world.customer().await;
    let add = async || {
        world.trade(owner).await;
    };
    let list =
        async |page| world.store.list_trades(&TradeFilter::default(), page, base()).await.unwrap().map(|row| row.trade.id.get());
    check(add, list).await;
}

pub async fn proposals_come_in_pages(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let trade = world.trade(world.customer().await).await;
    let add = async || {
        world.propose(trade, world.customer().await).await;
    };
    let filter = ProposalFilter::default();
    let list = async |page| {
        world.store.list_proposals(&filter, page, base()).await.unwrap().map(|row| row.proposal.unwrap().proposal.id.get())
    };
    check(add, list).await;
}

pub async fn invoices_come_in_pages(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let add = async || {
        let deal = world.deal().await;
        world.bill(deal.trade, deal.proposal, deal.owner).await;
    };
    let filter = InvoiceFilter::default();
    let list = async |page| world.store.list_invoices(&filter, page, base()).await.unwrap().map(|row| row.id.get());
    check(add, list).await;
}

pub async fn payments_come_in_pages(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    world.bill(deal.trade, deal.proposal, deal.owner).await;
    let add = async || {
        world.pay(deal.trade).await;
    };
    let list = async |page| world.store.list_payments(&PaymentFilter::default(), page).await.unwrap().map(|row| row.id.get());
    check(add, list).await;
}

pub async fn refunds_come_in_pages(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    let invoice = world.bill(deal.trade, deal.proposal, deal.owner).await;
    let payment = world.pay(deal.trade).await;
    let add = async || {
        let new_refund = Some(refund(payment, invoice, deal.owner, &format!("refund-{}", world.number())));
        world.commit(deal.trade, &TradeChanges { new_refund, ..TradeChanges::default() }).await;
    };
    let list = async |page| world.store.list_refunds(&RefundFilter::default(), page).await.unwrap().map(|row| row.id.get());
    check(add, list).await;
}

pub async fn endpoints_come_in_pages(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let add = async || {
        world.endpoint(endpoint()).await;
    };
    let filter = WebhookEndpointFilter::default();
    let list = async |page| world.store.list_endpoints(&filter, page).await.unwrap().map(|row| row.id.get());
    check(add, list).await;
    let remove = async |number| {
        let id = crate::id::WebhookEndpointId::new(number).unwrap();
        let endpoint = RowChange::Delete { id, expected: Version::FIRST };
        world.quietly(WebhookEndpointChange { endpoint, start: None }).await;
    };
    check_rows_that_go(remove, list).await;
}

pub async fn deliveries_come_in_pages(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (to, other) = (world.endpoint(endpoint()).await, world.endpoint(endpoint()).await);
    let add = async || {
        world.test(other, base()).await;
        world.test(to, base()).await;
        world.test(other, base()).await;
    };
    let filter = WebhookDeliveryFilter { endpoint_id: Some(to), status: Some(DeliveryStatus::Pending) };
    let list = async |page| world.store.list_deliveries(&filter, page).await.unwrap().map(|row| row.id.get());
    check(add, list).await;
}

/// Pages contain each row that matches the filter once, and rows that do not match do not count.
pub async fn a_filter_holds_on_every_page(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (owner, viewer) = (world.customer().await, world.customer().await);
    let filter = VehicleFilter { visible_to: Some(viewer), ..VehicleFilter::default() };
    let add = async || {
        world.vehicle(owner).await;
        // Visible for three reasons: the vehicle belongs to the viewer, it is in an open trade, and that trade is the viewer's
        // too.
        world.trade(viewer).await;
        world.vehicle(owner).await;
    };
    let list = async |page| world.store.list_vehicles(&filter, page).await.unwrap().map(|row| row.id.get());
    check(add, list).await;
}

pub async fn a_page_has_a_hundred_rows_at_the_most(store: Arc<dyn Repository>) {
    let world = World::new(store);
    for _ in 0..=MAX_LIMIT {
        world.lead(lead()).await;
    }
    let page = world.store.list_leads(&LeadFilter::default(), request(MAX_LIMIT.into(), None)).await.unwrap();
    assert_eq!(page.items.len(), usize::from(MAX_LIMIT));
    assert!(page.next.is_some());
    let rest = world.store.list_leads(&LeadFilter::default(), request(MAX_LIMIT.into(), page.next)).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));
}
