//! Mails on Postgres, where several servers queue and claim at once (rule 9.5).

use std::collections::BTreeSet;

use lease_core::id::{CustomerId, EventId, MailId, UserId};
use lease_core::model::{Mail, MailKind, MailRecipient, MailState};
use lease_core::repository::MailRepository as _;
use lease_store_postgres::PostgresRepository;
use serde_json::Map;

use crate::engine::{id, instant};
use crate::support::TestDatabase;

/// Four mails of each of these events, to recipients that differ in one part only.
fn mails(events: impl IntoIterator<Item = i64>) -> Vec<Mail> {
    let at = instant("2026-03-01T12:00:00Z");
    let mail = |event: i64, recipient| Mail {
        kind: MailKind::EmailChanged,
        recipient,
        event_id: EventId::new(event),
        facts: Map::new(),
        state: MailState::Pending { next_attempt_at: at },
        tries: 0,
        created_at: at,
    };
    let (customer, user): (CustomerId, UserId) = (id(1), id(1));
    let recipients = [
        MailRecipient::Customer(customer),
        MailRecipient::User(user),
        MailRecipient::UserAt(user, "ada@example.com".into()),
        MailRecipient::Address("ada@example.com".into()),
    ];
    events.into_iter().flat_map(|event| recipients.clone().map(|recipient| mail(event, recipient))).collect()
}

/// Claims until nothing is left.
async fn claim_all(store: PostgresRepository) -> Vec<(MailId, Option<EventId>, MailRecipient)> {
    let now = instant("2026-03-01T12:00:00Z");
    let mut claimed = Vec::new();
    loop {
        let mails = store.claim_mails(now, now + chrono::Duration::minutes(1), 3).await.unwrap();
        if mails.is_empty() {
            return claimed;
        }
        claimed.extend(mails.into_iter().map(|mail| (mail.id, mail.event_id, mail.recipient.clone())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_servers_queue_and_claim_each_mail_once() {
    const EVENTS: i64 = 300;
    let database = TestDatabase::create().await;
    let stores = [database.connect().await, database.connect().await];
    // One server takes the events in their order, the other in the opposite one.
    let orders = [mails(1..=EVENTS), mails((1..=EVENTS).rev())];
    let queueing = stores.clone().into_iter().zip(orders).map(|(store, mails)| {
        tokio::spawn(async move {
            let mut queued = 0;
            for mails in mails.chunks(40) {
                queued += store.queue_mails(mails).await.unwrap();
            }
            queued
        })
    });
    let mut queued = 0;
    for server in queueing.collect::<Vec<_>>() {
        queued += server.await.unwrap();
    }
    assert_eq!(queued, 4 * EVENTS.unsigned_abs());

    let mut claimed = Vec::new();
    for server in stores.clone().map(|store| tokio::spawn(claim_all(store))) {
        claimed.extend(server.await.unwrap());
    }
    let ids: BTreeSet<_> = claimed.iter().map(|(id, ..)| *id).collect();
    let made: BTreeSet<_> = claimed.iter().map(|(_, event, recipient)| (*event, recipient.clone())).collect();
    assert_eq!((claimed.len(), ids.len(), made.len()), (1_200, 1_200, 1_200));
    database.drop().await;
}

#[tokio::test]
async fn more_mails_than_one_statement_takes_are_queued() {
    let database = TestDatabase::create().await;
    let store = database.connect().await;
    let all = mails(1..=300);
    assert_eq!(store.queue_mails(&all).await.unwrap(), 1_200);
    assert_eq!(store.queue_mails(&all).await.unwrap(), 0);
    assert_eq!(store.queue_mails(&[]).await.unwrap(), 0);
    assert_eq!(claim_all(store).await.len(), 1_200);
    database.drop().await;
}
