//! Readers of events note everything that they read, while others write (rule 8.5): nothing is missed, repeated or out of order.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lease_core::repository::{EventFilter, EventRepository as _};
use lease_store_postgres::PostgresRepository;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Executor as _};
use tokio::task::JoinHandle;

use crate::client::{Addresses, Client, made, vehicle};
use crate::postgres::TestDatabase;
use crate::postgres::script::Script;
use crate::races::ROUNDS;
use crate::{TURN, serve, serve_at};

/// The number of customers who write at once.
const WRITERS: u32 = 8;

/// An event: its id, its type and its subject.
pub(crate) type Noted = (i64, String, Option<i64>);

/// Reads the events forward from the first one on, some at a time, until it has read all there are after the end.
pub(crate) fn read_forward(mut client: Client, at_once: usize, over: &Arc<AtomicBool>) -> JoinHandle<Vec<Noted>> {
    let over = Arc::clone(over);
    tokio::spawn(async move {
        let mut read = Vec::new();
        loop {
            let is_last = over.load(Ordering::SeqCst);
            let more = page(&mut client, &read, at_once).await;
            if is_last && more.is_empty() {
                return read;
            }
            read.extend(more);
        }
    })
}

/// The next events after those that were read.
async fn page(client: &mut Client, read: &[Noted], at_once: usize) -> Vec<Noted> {
    let last = read.last().map_or(0, |(id, ..)| *id);
    let page = client.read(&format!("/api/events?after={last}&limit={at_once}")).await;
    let noted = |event: &Value| (event["id"].as_i64().unwrap(), text(&event["type"]), event["subject"]["id"].as_i64());
    page["results"].as_array().unwrap().iter().map(noted).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// All events, read at the end.
pub(crate) async fn all_events(store: &PostgresRepository) -> Vec<Noted> {
    let (mut all, mut last) = (Vec::new(), None);
    loop {
        let events = store.events_after(last, 1_000, &EventFilter::default()).await.unwrap();
        let Some(newest) = events.last() else { return all };
        last = Some(newest.id);
        all.extend(events.iter().map(|event| (event.id.get(), event.event_type.to_string(), event.subject_id)));
    }
}

/// The subjects of all events of a type, in ascending order. One that has two such events is there twice.
pub(crate) fn subjects(events: &[Noted], event_type: &str) -> Vec<i64> {
    let of_type = events.iter().filter(|(_, found, _)| found == event_type);
    let mut subjects: Vec<i64> = of_type.filter_map(|(.., subject)| *subject).collect();
    subjects.sort_unstable();
    subjects
}

/// Lets each transaction that has written events pause before it commits, for up to 20 milliseconds.
const PAUSES: &str = "create function pause() returns trigger language plpgsql as $$
    begin
        perform pg_sleep(random() * 0.02);
        return null;
    end;
    $$;
    create constraint trigger pause after insert on event_inbox deferrable initially deferred
        for each row execute function pause()";
const NO_PAUSES: &str = "drop trigger pause on event_inbox; drop function pause()";

/// A transaction that has written something and stays open.
async fn long_transaction(database: &TestDatabase) -> PgConnection {
    let mut connection = database.connection().await;
    let begun = "begin isolation level repeatable read; insert into write_probes (written_at) values (now())";
    connection.execute(begun).await.unwrap();
    connection
}

/// Creates vehicles, each at another server than the one before. Returns their ids.
async fn write(mut client: Client, number: u32) -> Vec<i64> {
    let mut vehicles = Vec::new();
    for round in 0..u32::try_from(*ROUNDS).unwrap() {
        let made = made(&client.post("/api/vehicles", &vehicle(number * 10_000 + round), "").await.unwrap());
        // A writer finds at once what it has written.
        let found = client.read(&format!("/api/events?type=vehicle.created&subject_kind=vehicle&subject_id={made}")).await;
        assert_eq!(found["results"].as_array().unwrap().len(), 1);
        vehicles.push(made);
    }
    vehicles
}

/// Rule 8.5: writers at two servers pause at random before they commit, while transactions here and in another database of the
/// cluster stay open. Then a dump is restored into a new cluster, in which transactions have lower numbers, and reading goes on.
#[tokio::test(flavor = "multi_thread")]
async fn readers_of_two_servers_miss_nothing() {
    let _turn = TURN.lock().await;
    let (database, other) = (TestDatabase::create().await, TestDatabase::create().await);
    let servers = [serve(&database), serve(&database)];
    let addresses = Addresses::default();
    addresses.set(servers.iter().map(|server| server.address.clone()).collect());
    let mut writers = Vec::new();
    for number in 0..WRITERS {
        let first_server = usize::try_from(number).unwrap();
        writers.push(Client::register(&addresses, &format!("writer{number}"), first_server).await);
    }
    let root = Client::superuser(&addresses).await;
    let mut administrator = database.connection().await;
    administrator.execute(PAUSES).await.unwrap();
    let open = [long_transaction(&database).await, long_transaction(&other).await];

    let over = Arc::new(AtomicBool::new(false));
    let readers = [1, 7, 100].map(|at_once| read_forward(root.clone(), at_once, &over));
    let writing: Vec<_> = (0..).zip(writers).map(|(number, client)| tokio::spawn(write(client, number))).collect();
    let mut created = Vec::new();
    for writer in writing {
        created.extend(writer.await.unwrap());
    }
    over.store(true, Ordering::SeqCst);
    let store = database.connect().await;
    let all = all_events(&store).await;
    assert!(all.is_sorted_by(|one, next| one.0 < next.0), "ids ascend");
    created.sort_unstable();
    assert_eq!(subjects(&all, "vehicle.created"), created, "each has one event");
    for reader in readers {
        assert!(reader.await.unwrap() == all, "a reader read other events, or in another order");
    }
    drop(open);

    administrator.execute(NO_PAUSES).await.unwrap();
    let mut cluster = Script::start(include_str!("restore.sh"), &[]);
    let url = format!("postgres://postgres@localhost/postgres?host={}", cluster.ready("Postgres has to be installed."));
    move_to(&database, &url).await;
    let moved = serve_at(&url);
    addresses.set(vec![moved.address.clone()]);
    let mut root = root;
    assert_eq!(page(&mut root, &all, 100).await, [], "all was read before");
    let mut writer = Client::register(&addresses, "newcomer", 0).await;
    let newest = made(&writer.post("/api/vehicles", &vehicle(999_999), "").await.unwrap());
    let more = page(&mut root, &all, 100).await;
    assert_eq!(subjects(&more, "vehicle.created"), [newest]);
    assert!(more[0].0 > all.last().unwrap().0, "ids go on");

    drop((servers, moved, store));
    for database in [database, other] {
        database.drop().await;
    }
}

/// Restores a dump of the database into another cluster, which has seen fewer transactions.
async fn move_to(database: &TestDatabase, url: &str) {
    let dump = Command::new("pg_dump").args(["--dbname", &database.direct_url()]).stdout(Stdio::piped()).spawn();
    let mut dump = dump.expect("pg_dump is installed");
    let restore = ["--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", "--dbname", url];
    let restored = Command::new("psql").args(restore).stdin(dump.stdout.take().unwrap()).stdout(Stdio::null()).status().unwrap();
    assert!(dump.wait().unwrap().success() && restored.success());
    let number = async |url: &str| {
        let options: PgConnectOptions = url.parse().unwrap();
        let mut connection = PgConnection::connect_with(&options).await.unwrap();
        let number = sqlx::query_scalar("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint");
        let number: i64 = number.fetch_one(&mut connection).await.unwrap();
        number
    };
    assert!(number(url).await < number(&database.direct_url()).await, "the new cluster is younger");
}
