//! Two servers, one of which is killed again and again while customers are trading: afterwards each event has come to each endpoint,
//! and each mail to its recipient, at least once (rules 9.2, 9.5).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::client::{Addresses, Client, made};
use crate::crash::Business;
use crate::events::{all_events, subjects};
use crate::postgres::TestDatabase;
use crate::{TURN, serve_with};

/// The number of times that a server is killed, the two of them in turn.
const KILLS: usize = 8;
/// The number of responses between two of them.
const ANSWERS: usize = 40;
/// A delivery whose server was killed is free again after half a minute.
const LONGEST: Duration = Duration::from_secs(120);

/// Other systems, each with a path of its own: the events that they have taken, by path.
type Taken = BTreeMap<String, BTreeSet<i64>>;

struct Receiver {
    address: String,
    taken: Arc<watch::Sender<Taken>>,
}

impl Receiver {
    async fn open() -> Self {
        let taken = Arc::new(watch::Sender::new(Taken::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().route("/{path}", post(take)).with_state(Arc::clone(&taken));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, taken }
    }
}

/// Takes a webhook. One of the paths refuses each event the first time.
async fn take(
    State(taken): State<Arc<watch::Sender<Taken>>>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let message: Value = serde_json::from_slice(&body).unwrap();
    let event = message["data"]["id"].as_i64().unwrap();
    assert_eq!(headers["webhook-id"], format!("event_{event}"));
    let seen = |path: &str| taken.borrow().get(path).is_some_and(|events| events.contains(&event));
    let is_refused = path == "moody" && !seen("refused");
    let path = if is_refused { "refused".to_owned() } else { path };
    taken.send_modify(|taken| _ = taken.entry(path).or_default().insert(event));
    if is_refused { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT }
}

/// A folder of mails, which is removed at the end.
struct MailFolder(PathBuf);

impl MailFolder {
    fn create() -> Self {
        let path = std::env::temp_dir().join(format!("lease-mails-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The numbers of the invoices that were mailed, with the `Message-ID`s of the mails.
    fn invoices(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut invoices = BTreeMap::<String, BTreeSet<String>>::new();
        for entry in std::fs::read_dir(&self.0).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "eml") {
                continue;
            }
            let mail = std::fs::read_to_string(path).unwrap();
            let header = |name: &str| mail.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
            if let Some((_, number)) = header("Subject:").split_once("Invoice INV-") {
                let number = number.split_whitespace().next().unwrap_or_default().to_owned();
                invoices.entry(number).or_default().insert(header("Message-ID:"));
            }
        }
        invoices
    }
}

impl Drop for MailFolder {
    fn drop(&mut self) {
        // What is left is left to the system.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_is_lost_with_a_server() {
    let _turn = TURN.lock().await;
    let database = TestDatabase::create().await;
    let (receiver, folder) = (Receiver::open().await, MailFolder::create());
    let mails = format!("--smtp-url=file:{}", folder.0.display());
    let settings = ["--webhook-allow-private", &mails, "--mail-from=Lease <lease@example.com>"];
    let serve = || serve_with(&database, &settings);
    let mut servers = [serve(), serve()];
    let addresses = Addresses::default();
    let publish = |servers: &[crate::process::Server; 2]| {
        addresses.set(servers.iter().map(|server| server.address.clone()).collect());
    };
    publish(&servers);
    let mut root = Client::superuser(&addresses).await;
    let mut endpoint = async |path: &str, types: Value| {
        let endpoint = json!({"url": format!("{}/{path}", receiver.address), "event_types": types});
        made(&root.post("/api/webhook-endpoints", &endpoint, "").await.unwrap());
    };
    for path in ["all", "moody"] {
        endpoint(path, json!([])).await;
    }
    endpoint("trades", json!(["trade.*", "invoice.issued"])).await;

    let business = Business::begin(&addresses).await;
    for number in 0..KILLS {
        business.until((number + 1) * ANSWERS).await;
        // Dropping it kills it.
        servers[number % 2] = serve();
        publish(&servers);
    }
    business.until((KILLS + 1) * ANSWERS).await;
    business.end().await;

    let store = database.connect().await;
    let events = all_events(&store).await;
    let first = events.iter().find(|(_, event_type, _)| event_type == "trade.opened").unwrap().0;
    let expected = |is_wanted: fn(&str) -> bool| -> BTreeSet<i64> {
        let wanted = events.iter().filter(|(id, event_type, _)| *id >= first && is_wanted(event_type));
        wanted.map(|(id, ..)| *id).collect()
    };
    let all = expected(|_| true);
    let of_trades = expected(is_of_trades);
    let is_complete = |taken: &Taken| {
        let has = |path: &str, wanted: &BTreeSet<i64>| taken.get(path).is_some_and(|taken| taken.is_superset(wanted));
        has("all", &all) && has("moody", &all) && has("trades", &of_trades)
    };
    let mut taken = receiver.taken.subscribe();
    // What is found is let go of at once: whoever holds it keeps the receiver from taking more.
    let is_complete = timeout(LONGEST, taken.wait_for(is_complete)).await.is_ok();
    let taken = receiver.taken.borrow().clone();
    assert!(is_complete, "{} events; taken: {:?}", all.len(), counts(&taken));
    let types: BTreeMap<i64, String> = all_events(&store).await.into_iter().map(|(id, event_type, _)| (id, event_type)).collect();
    let is_wanted = |id: &i64| is_of_trades(&types[id]);
    assert!(taken["trades"].iter().all(is_wanted), "an endpoint gets what it wants, and nothing else");

    let issued = subjects(&events, "invoice.issued").len();
    let mailed = async {
        let mut looks = tokio::time::interval(Duration::from_millis(100));
        while folder.invoices().len() < issued {
            looks.tick().await;
        }
    };
    assert!(timeout(LONGEST, mailed).await.is_ok(), "{issued} invoices, {} were mailed", folder.invoices().len());
    for (number, ids) in folder.invoices() {
        assert_eq!(ids.len(), 1, "mails about {number}: one, however often it was sent");
    }
    drop(servers);
    drop(store);
    database.drop().await;
}

/// Whether the endpoint for trades wants such events.
fn is_of_trades(event_type: &str) -> bool {
    event_type.starts_with("trade.") || event_type == "invoice.issued"
}

fn counts(taken: &Taken) -> BTreeMap<&str, usize> {
    taken.iter().map(|(path, events)| (path.as_str(), events.len())).collect()
}
