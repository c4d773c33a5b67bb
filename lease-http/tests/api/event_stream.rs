//! Events as server-sent events (rule 8.7), called in this process.

use std::sync::Arc;
use std::time::Duration;

use axum::body::BodyDataStream;
use axum::http::HeaderMap;
use futures_util::StreamExt as _;
use lease_core::LeaseEngine;
use lease_core::account::{PasswordParams, TokenText};
use lease_core::gateway::SandboxGateway;
use lease_core::id::EventId;
use lease_core::repository::{AccountRepository as _, MockRepository, Repository, RepositoryError, TokenKey};
use lease_http::HttpOptions;
use lease_store_memory::MemoryRepository;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tower::ServiceExt as _;

use crate::app::{App, request};
use crate::support::{Person, World, id, nobody};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client of an open stream.
struct Follower {
    headers: HeaderMap,
    body: BodyDataStream,
    received: String,
}

/// What came between two empty lines.
#[derive(Clone, Debug, PartialEq)]
enum Sent {
    Event { id: i64, event: String, data: Value },
    Other(String),
}

impl Sent {
    fn parse(block: &str) -> Self {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let Some(data) = field("data") else { return Self::Other(block.to_owned()) };
        assert_eq!(block.lines().count(), 3, "{block}");
        let id = field("id").unwrap().parse().unwrap();
        Self::Event { id, event: field("event").unwrap().to_owned(), data: serde_json::from_str(data).unwrap() }
    }
}

impl Follower {
    /// Opens a stream, which begins with a comment.
    async fn open(app: &App, path: &str, token: &str, last: Option<i64>) -> Self {
        let (authorization, last) = (format!("Token {token}"), last.map(|last| last.to_string()));
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(last.iter().map(|last| ("last-event-id", last.as_str())));
        let response = app.router.clone().oneshot(request("GET", path, &headers, &Value::Null)).await.unwrap();
        assert_eq!(response.status(), 200);
        let (parts, body) = response.into_parts();
        let mut follower = Self { headers: parts.headers, body: body.into_data_stream(), received: String::new() };
        assert_eq!(follower.next().await, Some(Sent::Other("retry: 2000\n: open".to_owned())));
        follower
    }

    async fn of(world: &World, query: &str, person: &Person) -> Self {
        Self::open(&world.app, &format!("/api/events/stream{query}"), &person.token, None).await
    }

    /// The next thing that comes; `None` at the end.
    async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some((block, rest)) = self.received.split_once("\n\n") {
                let (block, rest) = (Sent::parse(block), rest.to_owned());
                self.received = rest;
                return Some(block);
            }
            let more = timeout(PATIENCE, self.body.next()).await.expect("nothing comes, and no end");
            self.received.push_str(std::str::from_utf8(&more?.unwrap()).unwrap());
        }
    }

    /// The data of the next events.
    async fn events(&mut self, count: usize) -> Vec<Value> {
        let mut events = Vec::new();
        while events.len() < count {
            match self.next().await.expect("the stream goes on") {
                Sent::Event { id, event, data } => {
                    assert_eq!((&json!(id), &json!(event)), (&data["id"], &data["type"]));
                    events.push(data);
                }
                Sent::Other(_) => {}
            }
        }
        events
    }

    async fn expect_end(&mut self) {
        while let Some(sent) = self.next().await {
            assert!(matches!(sent, Sent::Other(_)), "{sent:?}");
        }
    }
}

/// All events that somebody may see, oldest first.
async fn list(world: &World, person: &Person) -> Vec<Value> {
    world.get("/api/events?after=0&limit=100", person).await.expect(200)["results"].as_array().unwrap().clone()
}

/// Without an id it begins with what happens from now on, and sends each event as the list has it.
#[tokio::test]
async fn a_stream_begins_now_and_sends_events_as_the_list_has_them() {
    let world = World::new().await;
    let before = list(&world, &world.owner).await.len();
    let mut stream = Follower::of(&world, "", &world.owner).await;
    let header = |name: &str| stream.headers[name].to_str().unwrap();
    assert_eq!(header("content-type"), "text/event-stream");
    assert_eq!((header("cache-control"), header("x-accel-buffering")), ("no-store", "no"));
    world.trade(world.sell, 1).await;
    assert_eq!(stream.events(2).await, list(&world, &world.owner).await[before..]);
    world.vehicle(&world.owner, 2).await;
    assert_eq!(stream.events(1).await, list(&world, &world.owner).await[before + 2..]);
}

/// Whoever goes on after the last id that came misses nothing and gets nothing twice; the header counts more than the parameter.
#[tokio::test]
async fn a_stream_goes_on_where_the_last_one_ended() {
    let world = World::new().await;
    let mut seen = Follower::of(&world, "?after=0", &world.owner).await.events(1).await;
    for number in 1..4 {
        world.trade(world.sell, number).await;
        let last = id(seen.last().unwrap());
        let by_header = Follower::open(&world.app, "/api/events/stream?after=0", &world.owner.token, Some(last)).await;
        let by_parameter = Follower::of(&world, &format!("?after={last}"), &world.owner).await;
        let [came, same] = [by_header, by_parameter].map(async |mut stream| stream.events(2).await);
        let came = came.await;
        assert_eq!(came, same.await);
        seen.extend(came);
    }
    assert_eq!(seen, list(&world, &world.owner).await[..seen.len()]);
    let mut all = Follower::open(&world.app, "/api/events/stream?after=9", &world.owner.token, Some(0)).await;
    assert_eq!(all.events(seen.len()).await, seen);
}

/// Rule 8.4: what others do in the same trade does not arrive; and the filters are those of the list.
#[tokio::test]
async fn a_stream_has_what_one_may_see_and_asked_for() {
    let world = World::new().await;
    let rival = world.register("rival").await;
    let trade = world.trade(world.sell, 1).await;
    world.offer(trade, &world.owner, "9000").await;
    world.offer(trade, &world.buyer, "8000").await;
    let mut of_buyer = Follower::of(&world, "", &world.buyer).await;
    let mut of_stranger = Follower::of(&world, "", &world.stranger).await;
    let mut made = Follower::of(&world, &format!("?type=proposal.*&trade_id={trade}"), &world.owner).await;
    world.offer(trade, &rival, "7000").await;
    world.offer(trade, &rival, "7100").await;
    world.offer(trade, &world.buyer, "8100").await;
    world.vehicle(&world.stranger, 7).await;
    let types = |events: Vec<Value>| events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let by = |events: &[Value], person: &Person| events.iter().all(|event| event["actor"]["user_id"] == person.user);
    let came = of_buyer.events(2).await;
    assert!(by(&came, &world.buyer), "{came:?}");
    assert_eq!(types(of_stranger.events(1).await), ["vehicle.created"]);
    let proposals = ["proposal.made", "proposal.superseded", "proposal.made", "proposal.superseded", "proposal.made"];
    let mut came = types(made.events(5).await);
    came.sort_unstable();
    let mut expected = proposals.map(str::to_owned).to_vec();
    expected.sort_unstable();
    assert_eq!(came, expected);
}

/// What is wrong is said with a status, after it is known who asks.
#[tokio::test]
async fn a_wrong_request_opens_no_stream() {
    let world = World::new().await;
    for (query, fields) in [
        ("?type=trade.sold", &["type"][..]),
        ("?subject_kind=trade", &["subject_id"]),
        ("?after=-1", &["after"]),
        ("?limit=5&cursor=x", &["cursor", "limit"]),
    ] {
        let path = format!("/api/events/stream{query}");
        world.get(&path, &world.owner).await.invalid(fields);
        world.get(&path, &nobody()).await.refused(401, "not_authenticated");
    }
    let authorization = format!("Token {}", world.owner.token);
    for last in ["", "x", "-1", "+1", "1.5", "9223372036854775808", "é"] {
        let headers = [("authorization", authorization.as_str()), ("last-event-id", last)];
        let response = world.app.send(request("GET", "/api/events/stream?after=1", &headers, &Value::Null)).await;
        response.invalid(&["Last-Event-ID"]);
    }
    let headers = [("authorization", authorization.as_str()), ("last-event-id", "1"), ("last-event-id", "2")];
    world.app.send(request("GET", "/api/events/stream", &headers, &Value::Null)).await.invalid(&["Last-Event-ID"]);
    assert!(metrics(&world).await.contains("lease_http_event_streams 0\n"));
}

async fn metrics(world: &World) -> String {
    world.get("/metrics", &nobody()).await.text
}

#[tokio::test]
async fn a_sixth_stream_of_a_user_is_refused_until_one_ends() {
    let world = World::new().await;
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(Follower::of(&world, "", &world.owner).await);
    }
    let sixth = world.get("/api/events/stream", &world.owner).await;
    sixth.refused(429, "throttled");
    assert!(sixth.header("retry-after").parse::<u64>().unwrap() > 0);
    let _other = Follower::of(&world, "", &world.buyer).await;
    assert!(metrics(&world).await.contains("lease_http_event_streams 6\n"));
    open.pop();
    open.push(Follower::of(&world, "", &world.owner).await);
    world.get("/api/events/stream", &world.owner).await.refused(429, "throttled");
    drop(open);
    assert!(metrics(&world).await.contains("lease_http_event_streams 1\n"));
}

/// A HEAD tells the headers, and takes no place.
#[tokio::test]
async fn a_head_opens_no_stream() {
    let world = World::new().await;
    for _ in 0..7 {
        let authorization = format!("Token {}", world.owner.token);
        let head = request("HEAD", "/api/events/stream", &[("authorization", &authorization)], &Value::Null);
        let response = world.app.send(head).await;
        assert_eq!((response.status.as_u16(), response.text.as_str()), (200, ""));
        assert_eq!(response.header("content-type"), "text/event-stream");
    }
}

#[tokio::test]
async fn a_stream_ends_when_its_token_is_no_longer_good() {
    let world = World::new().await;
    let staff = async |person: &Person, body: Value| {
        world.patch(&format!("/api/users/{}", person.user), &world.root, body).await.expect(200);
    };
    let other = world.log_in("owner").await;
    let mut revoked = Follower::of(&world, "?type=trade.*", &other).await;
    let mut stays = Follower::of(&world, "?type=trade.*", &world.owner).await;
    world.post("/api/logout", &other, Value::Null).await.expect(204);
    revoked.expect_end().await;

    let mut deactivated = Follower::of(&world, "?type=trade.*", &world.stranger).await;
    staff(&world.stranger, json!({"is_active": false})).await;
    deactivated.expect_end().await;

    let mut promoted = Follower::of(&world, "?type=trade.*", &world.staff).await;
    staff(&world.staff, json!({"is_superuser": true})).await;
    promoted.expect_end().await;

    world.trade(world.sell, 1).await;
    assert_eq!(stays.events(1).await[0]["type"], "trade.opened", "others go on");
    world.app.clock.advance(chrono::Duration::days(30));
    stays.expect_end().await;
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let world = World::new().await;
    let mut stream = Follower::of(&world, "", &world.owner).await;
    world.app.stop.cancel();
    stream.expect_end().await;
    Follower::of(&world, "?after=0", &world.owner).await.expect_end().await;
}

/// The clock of the runtime is paused: waiting takes no time.
#[tokio::test(start_paused = true)]
async fn an_idle_stream_gets_a_comment_every_15_seconds_at_least() {
    let app = App::new();
    let token = app.register("ada").await;
    let mut stream = Follower::open(&app, "/api/events/stream", &token, None).await;
    for _ in 0..20 {
        let start = Instant::now();
        assert_eq!(stream.next().await, Some(Sent::Other(":".to_owned())));
        assert!(start.elapsed() <= Duration::from_secs(15), "{:?}", start.elapsed());
    }
}

/// A stream whose store fails ends: the client comes back, and is told with a status if it cannot be served.
#[tokio::test]
async fn a_stream_whose_store_fails_ends() {
    let memory = Arc::new(MemoryRepository::default());
    let token = App::on(engine(memory.clone()), App::new().clock, HttpOptions::default()).register("ada").await;
    let account = memory.find_token(TokenKey::Hash(token.parse::<TokenText>().unwrap().hash())).await.unwrap();
    assert!(account.is_some());
    let mut store = MockRepository::new();
    store.expect_find_token().returning(move |_| Ok(account.clone()));
    let mut newest = 0;
    store.expect_last_event().returning(move || {
        newest += 1;
        Ok(EventId::new(newest))
    });
    store.expect_events_after().returning(|_, _, _| Err(RepositoryError::Unavailable("it is away".into())));
    let app = App::on(engine(Arc::new(store)), App::new().clock, HttpOptions::default());
    Follower::open(&app, "/api/events/stream", &token, None).await.expect_end().await;
    assert_eq!(app.get("/api/events/stream?after=1", &token).await.code(), (503, "unavailable".to_owned()));
}

fn engine(store: Arc<dyn Repository>) -> LeaseEngine {
    let params = PasswordParams { memory_kib: 8, iterations: 1 };
    LeaseEngine::builder(store, Arc::new(SandboxGateway::new())).clock(App::new().clock).password_params(params).build().unwrap()
}
