//! What time brings, with a store that has rows of which it can never be recorded.

use chrono::Days;
use lease_core::id::{Id, InvoiceId, ProposalId};
use lease_core::repository::TradeKey;

use super::*;

/// The number of odd rows, which come before the one that can be recorded. They are more than a batch.
const ODD: i64 = 150;

/// The rows in the order in which their time came, from the one after `after` on.
fn rows<I: Id>(after: Option<I>, limit: u32) -> Vec<I> {
    let first = after.map_or(1, |last| last.get() + 1);
    (first..=ODD + 1).take(limit as usize).map(id).collect()
}

/// A store in which the odd rows cannot be read, and the last one belongs to this trade.
fn store_of(scene: Scene, commits: usize) -> MockRepository {
    let mut store = MockRepository::new();
    store.expect_expired_proposals().returning(|_, after, limit| Ok(rows::<ProposalId>(after, limit)));
    store.expect_overdue_invoices().returning(|_, after, limit| Ok(rows::<InvoiceId>(after, limit)));
    store.expect_load_trade().returning(move |load| match load.key {
        TradeKey::Proposal(row) if row.get() > ODD => Ok(Some(first(scene.0.clone()))),
        TradeKey::Invoice(row) if row.get() > ODD => Ok(Some(first(scene.0.clone()))),
        _ => Err(RepositoryError::Corrupt { table: "trades", id: 1, reason: "an odd row".into() }),
    });
    store.expect_commit().times(commits).returning(|_| Ok(NewIds::default()));
    store
}

fn expired() -> Scene {
    Scene::sale().proposed_by(BUYER).expiring(at(-5))
}

fn overdue() -> Scene {
    let mut scene = Scene::lease().billed_to(OWNER);
    scene.0.invoice.as_mut().unwrap().value.due_date = now().date_naive() - Days::new(1);
    scene
}

/// Rule 8.8.
#[tokio::test]
async fn proposals_that_cannot_be_recorded_hold_no_other_up() {
    assert_eq!(engine(store_of(expired(), 1)).expire_proposals(100).await.unwrap(), 1);
}

/// Rule 8.8.
#[tokio::test]
async fn invoices_that_cannot_be_recorded_hold_no_other_up() {
    assert_eq!(engine(store_of(overdue(), 1)).record_overdue(100).await.unwrap(), 1);
}

/// Rule 8.8: no call takes more than ten batches, so that the other work gets its turn.
#[tokio::test]
async fn a_call_takes_ten_batches_at_the_most() {
    assert_eq!(engine(store_of(expired(), 0)).expire_proposals(10).await.unwrap(), 0);
    assert_eq!(engine(store_of(overdue(), 0)).record_overdue(15).await.unwrap(), 0);
    assert_eq!(engine(store_of(overdue(), 1)).record_overdue(16).await.unwrap(), 1);
}
