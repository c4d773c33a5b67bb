//! Mails: queued once, claimed by one process, and recorded by it.
//!
//! Rules 9.3 to 9.5.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use strum::VariantArray as _;

use super::Handles;
use super::build::*;
use super::commits::Commits as _;
use super::race::{RACERS, ROUNDS, together};
use super::world::World;
use crate::account::{AccountChange, CustomerChange};
use crate::event::EventType;
use crate::id::{CustomerId, EventId, MailId, ProposalId, Stored, TradeId, Version};
use crate::model::*;
use crate::repository::*;

fn pending(at: DateTime<Utc>) -> MailState {
    MailState::Pending { next_attempt_at: at }
}

/// A mail about an event.
fn about(event: EventId, recipient: &MailRecipient) -> Mail {
    Mail { event_id: Some(event), ..mail(recipient.clone()) }
}

fn to_address(number: u32) -> MailRecipient {
    MailRecipient::Address(format!("user-{number}@example.com"))
}

fn ids(mails: &[Stored<Mail>]) -> Vec<MailId> {
    mails.iter().map(|mail| mail.id).collect()
}

impl World {
    /// All mails that are due at this instant. They are held for a moment only, so that this may be asked again later.
    pub(super) async fn mails_due(&self, now: DateTime<Utc>) -> Vec<Stored<Mail>> {
        self.store.claim_mails(now, now + tick(), 1_000).await.expect("claim_mails")
    }

    async fn send(&self, mails: &[Mail]) -> u64 {
        self.store.queue_mails(mails).await.expect("queue_mails")
    }

    /// Queues a mail that is due at this number of seconds.
    async fn send_at(&self, seconds: i64) {
        self.send(&[Mail { state: pending(at(seconds)), ..mail(to_address(self.number())) }]).await;
    }

    async fn claim_mails_at(&self, now: i64, until: i64, limit: u32) -> Vec<Stored<Mail>> {
        self.store.claim_mails(at(now), at(until), limit).await.expect("claim_mails")
    }

    async fn record_mail(&self, id: MailId, held_until: i64, state: MailState) {
        self.store.record_mail(id, at(held_until), state).await.expect("record_mail");
    }

    async fn proposers(&self, trade: TradeId, before: ProposalId) -> Vec<CustomerId> {
        self.store.earlier_proposers(trade, before, None, 100).await.expect("earlier_proposers")
    }
}

pub async fn every_field_of_a_mail_is_kept(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let account = world.account(Role::Customer).await;
    let event = world.happens(&[EventType::LeadCreated]).await[0];
    let recipients = [
        MailRecipient::Customer(account.customer_id.unwrap()),
        MailRecipient::User(account.user.id),
        MailRecipient::UserAt(account.user.id, "Ádá \"x\"@example.com".into()),
        MailRecipient::Address("Ada@Example.com".into()),
    ];
    let facts = json!({"amount": "12.50", "é\n\"": [1, -2, {"deep": null}], "is_late": true, "empty": {}, "big": i64::MAX});
    let Value::Object(facts) = facts else { panic!("{facts}") };
    let mut mails = Vec::new();
    for (place, kind) in (0..).zip(MailKind::VARIANTS) {
        for recipient in &recipients {
            let of_an_event = place % 2 == 0;
            mails.push(Mail {
                kind: *kind,
                recipient: recipient.clone(),
                event_id: of_an_event.then_some(event),
                facts: if of_an_event { facts.clone() } else { serde_json::Map::new() },
                state: pending(at(place) + tick()),
                tries: u32::try_from(place).unwrap(),
                created_at: at(-place) - tick(),
            });
        }
    }
    assert_eq!(world.send(&mails).await, u64::try_from(mails.len()).unwrap());
    let found = world.mails_due(at(100)).await;
    assert_eq!(found.len(), mails.len());
    for mail in &mails {
        assert_eq!(found.iter().filter(|found| found.value == *mail).count(), 1, "{mail:?}");
    }
}

/// A mail that somebody asked for is queued with the commit, like any other.
pub async fn a_mail_is_queued_by_a_commit(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let asked = Mail { kind: MailKind::PasswordReset, ..mail(to_address(1)) };
    for number in 1..=2 {
        world.quietly(asked.clone()).await;
        let due = world.mails_due(at(number)).await;
        assert!(due.len() == usize::try_from(number).unwrap() && due.iter().all(|mail| mail.value == asked), "{due:?}");
    }
}

pub async fn a_mail_is_queued_once_for_its_event_kind_and_recipient(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let account = world.account(Role::Customer).await;
    let user = account.user.id;
    let events = world.happens(&[EventType::LeadCreated, EventType::LeadUpdated]).await;
    let at_address = |address: &str| MailRecipient::UserAt(user, address.to_owned());
    let recipients = [
        MailRecipient::Customer(account.customer_id.unwrap()),
        MailRecipient::User(user),
        at_address("a@example.com"),
        at_address("b@example.com"),
        MailRecipient::Address("a@example.com".into()),
        MailRecipient::Address("b@example.com".into()),
    ];
    let mut mails: Vec<Mail> = recipients.iter().map(|recipient| about(events[0], recipient)).collect();
    mails.push(about(events[1], &recipients[0]));
    mails.push(Mail { kind: MailKind::InvoiceIssued, ..about(events[0], &recipients[0]) });
    let count = u64::try_from(mails.len()).unwrap();
    assert_eq!(world.send(&mails).await, count, "each differs from the others in one of the three");
    assert_eq!(world.send(&mails).await, 0);

    let facts = json!({"other": 1}).as_object().unwrap().clone();
    let again = Mail { facts, state: pending(at(3)), tries: 2, created_at: at(2), ..mails[0].clone() };
    let new = Mail { kind: MailKind::PaymentFailed, ..mails[0].clone() };
    assert_eq!(world.send(&[again, new.clone(), new.clone(), mails[1].clone()]).await, 1, "twice in one call, too");
    mails.push(new);
    let found = world.mails_due(at(10)).await;
    assert_eq!(found.len(), mails.len());
    assert!(mails.iter().all(|mail| found.iter().any(|found| found.value == *mail)), "the first stays as it was");
    for mail in &found {
        world.store.record_mail(mail.id, at(10) + tick(), MailState::Sent).await.unwrap();
    }
    assert_eq!(world.send(&mails).await, 0, "nor once it was sent");
}

pub async fn mails_without_an_event_are_all_queued(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let one = mail(to_address(1));
    assert_eq!(world.send(&[one.clone(), one.clone()]).await, 2);
    assert_eq!(world.send(&[one]).await, 1);
    assert_eq!(world.send(&[]).await, 0);
    assert_eq!(world.mails_due(at(1)).await.len(), 3);
}

pub async fn the_mails_that_are_longest_due_are_claimed_first(store: Arc<dyn Repository>) {
    let world = World::new(store);
    for seconds in [30, 10, 50, 20, 40] {
        world.send_at(seconds).await;
    }
    let due = async |now, limit| {
        let claimed = world.store.claim_mails(now, at(1_000), limit).await.unwrap();
        claimed.iter().map(|mail| mail.state).collect::<Vec<_>>()
    };
    assert_eq!(due(at(9), 9).await, []);
    assert_eq!(due(at(45), 0).await, []);
    assert_eq!(due(at(45), 2).await, [10, 20].map(at).map(pending));
    assert_eq!(due(at(45), 9).await, [30, 40].map(at).map(pending));
    assert_eq!(due(at(50) - tick(), 9).await, []);
    assert_eq!(due(at(50), 9).await, [pending(at(50))], "due at that very instant");
}

pub async fn a_mail_is_held_until_its_claim_runs_out(store: Arc<dyn Repository>) {
    let world = World::new(store);
    world.send_at(0).await;
    let claimed = world.claim_mails_at(1, 60, 9).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(world.store.claim_mails(at(60) - tick(), at(90), 9).await.unwrap(), []);
    assert_eq!(world.claim_mails_at(60, 90, 9).await, claimed);
    assert_eq!(world.claim_mails_at(89, 200, 9).await, []);
}

pub async fn a_try_of_a_claimed_mail_is_recorded(store: Arc<dyn Repository>) {
    let world = World::new(store);
    world.send_at(0).await;
    let Stored { id, value } = world.claim_mails_at(1, 60, 9).await.remove(0);
    world.record_mail(id, 60, pending(at(5) + tick())).await;
    assert_eq!(world.claim_mails_at(5, 90, 9).await, [], "it is not due yet");
    let again = Stored { id, value: Mail { state: pending(at(5) + tick()), tries: 1, ..value.clone() } };
    assert_eq!(world.claim_mails_at(6, 90, 9).await, [again], "and its claim has ended");
    world.record_mail(id, 90, pending(at(7))).await;
    let again = Stored { id, value: Mail { state: pending(at(7)), tries: 2, ..value } };
    assert_eq!(world.claim_mails_at(8, 99, 9).await, [again]);
    for state in [MailState::Sent, MailState::Failed, MailState::Dropped] {
        world.send_at(10).await;
        let claimed = world.claim_mails_at(20, 1_000, 9).await;
        assert_eq!(claimed.len(), 1);
        world.record_mail(claimed[0].id, 1_000, state).await;
    }
    assert_eq!(ids(&world.claim_mails_at(5_000, 6_000, 9).await), [id], "the others are done");
}

pub async fn a_mail_is_recorded_by_the_holder_of_its_claim_alone(store: Arc<dyn Repository>) {
    let world = World::new(store);
    world.send_at(0).await;
    let mails = world.claim_mails_at(1, 60, 9).await;
    let id = mails[0].id;
    world.record_mail(nobody(), 60, MailState::Sent).await;
    world.record_mail(id, 61, MailState::Sent).await;
    assert_eq!(world.claim_mails_at(60, 90, 9).await, mails);
    world.record_mail(id, 60, MailState::Sent).await;
    assert_eq!(world.claim_mails_at(89, 200, 9).await, [], "the taker holds it");
    assert_eq!(world.claim_mails_at(90, 200, 9).await, mails);
    // Nobody took it over when this claim ran out.
    world.record_mail(id, 200, pending(at(500))).await;
    world.record_mail(id, 200, MailState::Sent).await;
    let left = world.claim_mails_at(500, 600, 9).await;
    assert_eq!((left.len(), left[0].tries), (1, 1), "a claim is recorded once");
}

pub async fn old_mails_are_purged_some_at_a_time(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let states = [pending(at(0)), MailState::Sent, MailState::Failed, MailState::Dropped];
    for state in states {
        for created_at in [at(1), at(2)] {
            world.send(&[Mail { state, created_at, ..mail(to_address(1)) }]).await;
        }
    }
    let purge = async |before, limit| world.store.purge_mails(before, limit).await.unwrap();
    assert_eq!(purge(at(1), 10).await, 0, "one that was queued then was not queued before");
    assert_eq!(purge(at(2), 10).await, 3);
    assert_eq!(purge(at(3), 2).await, 2);
    assert_eq!(purge(at(100), 10).await, 1);
    assert_eq!(purge(at(100), 10).await, 0);
    let left = world.claim_mails_at(5, 60, 10).await;
    assert_eq!(left.len(), 2, "what is pending stays");
    for mail in left {
        world.record_mail(mail.id, 60, MailState::Failed).await;
    }
    assert_eq!(purge(at(100), 10).await, 2);
}

/// A customer with nothing but mails can be deleted.
pub async fn a_mail_keeps_no_customer(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let account = world.account(Role::Customer).await;
    let (id, customer) = (account.user.id, account.customer_id.unwrap());
    world.send(&[mail(MailRecipient::Customer(customer))]).await;
    assert!(!world.load_account(id).await.customer_in_use);
    let change = AccountChange {
        id,
        expected: Version::FIRST,
        user: User { role: Role::Staff, ..account.user.value },
        customer: CustomerChange::Delete(customer),
        keep_token: None,
        needs_another_superuser: false,
    };
    world.store.commit_account(&change, None).await.unwrap();
}

pub async fn earlier_proposers_are_all_who_proposed_before(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let early = world.customer().await;
    let deal = world.deal().await;
    let bidder = world.customer().await;
    let first = world.propose(deal.trade, bidder).await;
    assert_eq!(world.proposers(deal.trade, deal.proposal).await, []);
    assert_eq!(world.proposers(deal.trade, first).await, [deal.owner]);
    world.decide(deal.trade, first, ProposalState::Rejected { at: at(1) }).await;
    let again = world.propose(deal.trade, bidder).await;
    assert_eq!(world.proposers(deal.trade, again).await, [deal.owner, bidder], "whatever became of it");
    world.propose(deal.trade, early).await;
    assert_eq!(world.proposers(deal.trade, again).await, [deal.owner, bidder], "not who proposed later");
    assert_eq!(world.proposers(deal.trade, nobody()).await, [early, deal.owner, bidder], "each once, in the order of their ids");

    let other = world.trade(bidder).await;
    assert_eq!(world.proposers(other, nobody()).await, []);
    assert_eq!(world.proposers(nobody(), nobody()).await, []);
}

pub async fn earlier_proposers_come_in_pages(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    let mut all = vec![deal.owner];
    for _ in 0..5 {
        let author = world.customer().await;
        let proposal = world.propose(deal.trade, author).await;
        world.decide(deal.trade, proposal, ProposalState::Rejected { at: at(1) }).await;
        world.propose(deal.trade, author).await;
        all.push(author);
    }
    for limit in 1..=8_u32 {
        let mut found = Vec::new();
        loop {
            let after = found.last().copied();
            let page = world.store.earlier_proposers(deal.trade, nobody(), after, limit).await.unwrap();
            let rest = all.len() - found.len();
            assert_eq!(page.len(), rest.min(usize::try_from(limit).unwrap()));
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        assert_eq!(found, all, "{limit} at a time");
    }
    assert_eq!(world.store.earlier_proposers(deal.trade, nobody(), None, 0).await.unwrap(), []);
}

pub async fn of_many_who_queue_the_same_mails_each_is_queued_once(handles: Handles) {
    let world = World::new(handles);
    for round in 1..=i64::from(ROUNDS) {
        let event = world.happens(&[EventType::LeadCreated]).await[0];
        let mails: Vec<Mail> = (0..5).map(|number| about(event, &to_address(number))).collect();
        let racers = (0..usize::from(RACERS)).map(|racer| {
            let (store, mut mails) = (world.handle(), mails.clone());
            // Each in another order.
            mails.rotate_left(racer % 5);
            if racer % 2 == 0 {
                mails.reverse();
            }
            async move { store.queue_mails(&mails).await.unwrap() }
        });
        assert_eq!(together(racers).await.into_iter().sum::<u64>(), 5);
        let due = world.claim_mails_at(round, 1_000, 100).await;
        let recipients: BTreeSet<_> = due.iter().map(|mail| mail.recipient.clone()).collect();
        assert_eq!((due.len(), recipients), (5, (0..5).map(to_address).collect()));
    }
}

pub async fn a_mail_is_claimed_by_one_of_many(handles: Handles) {
    let world = World::new(handles);
    for round in 1..=i64::from(ROUNDS) {
        for _ in 0..12 {
            world.send_at(0).await;
        }
        let racers = (0..RACERS).map(|_| {
            let store = world.handle();
            async move {
                let mut claimed = Vec::new();
                for _ in 0..2 {
                    claimed.extend(store.claim_mails(at(round), at(1_000), 3).await.unwrap());
                }
                claimed
            }
        });
        let mut claimed = together(racers).await.concat();
        claimed.extend(world.claim_mails_at(round, 1_000, 100).await);
        let distinct: BTreeSet<MailId> = ids(&claimed).into_iter().collect();
        assert_eq!((claimed.len(), distinct.len()), (12, 12));
    }
}
