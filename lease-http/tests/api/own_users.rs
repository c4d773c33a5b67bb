//! A router in an app that has its own users and sessions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::to_bytes;
use axum::http::request::Parts;
use futures_util::StreamExt as _;
use lease_core::account::NewCustomer;
use lease_core::catalog::VehicleDraft;
use lease_core::event::{EventActor, EventType};
use lease_core::id::VehicleId;
use lease_core::input::UpdateMode;
use lease_core::model::ExternalId;
use lease_core::page::PageRequest;
use lease_core::permission::Actor;
use lease_core::repository::{EventFilter, VehicleFilter};
use lease_core::{Error, LeaseEngine};
use lease_http::{Authenticator, HttpOptions, Identity, RouterBuilder};
use serde_json::{Value, json};
use tokio::time::timeout;
use tower::ServiceExt as _;

use crate::app::{ApiResponse, App, PASSWORD, request, vehicle};
use crate::support::id;

/// The sessions of an app: which of its users each is of.
#[derive(Clone, Debug, Default)]
struct Sessions(Arc<Mutex<BTreeMap<String, String>>>);

impl Sessions {
    fn begin(&self, session: &str, user: &str) {
        self.0.lock().unwrap().insert(session.to_owned(), user.to_owned());
    }

    fn end(&self, session: &str) {
        self.0.lock().unwrap().remove(session);
    }
}

#[async_trait::async_trait]
impl Authenticator for Sessions {
    async fn authenticate(&self, engine: &LeaseEngine, request: &Parts) -> Result<Option<Identity>, Error> {
        let Some(session) = request.headers.get("x-session") else { return Ok(None) };
        if session == "system" {
            return Ok(Identity::of_user(Actor::System));
        }
        let user = self.0.lock().unwrap().get(session.to_str().unwrap()).cloned().ok_or(Error::NotAuthenticated)?;
        Ok(engine.actor_of(&user).await?.and_then(Identity::of_user))
    }
}

/// The app, with the sessions `s1` and `s2` of its users 1 and 2.
struct Embedding {
    app: App,
    sessions: Sessions,
}

impl Embedding {
    async fn new() -> Self {
        let mut app = App::new();
        let sessions = Sessions::default();
        for user in ["1", "2"] {
            let customer =
                NewCustomer { external_id: user.into(), username: format!("user{user}").into(), ..NewCustomer::default() };
            app.engine.create_customer(&customer).await.unwrap();
            sessions.begin(&format!("s{user}"), user);
        }
        let options = HttpOptions::default().with_session_check_interval(Duration::from_millis(20));
        app.router = RouterBuilder::new(app.engine.clone()).options(options).authenticator(sessions.clone()).build();
        Self { app, sessions }
    }

    async fn send(&self, method: &str, path: &str, session: &str, key: &str, body: Value) -> ApiResponse {
        let mut headers = Vec::new();
        headers.extend((!session.is_empty()).then_some(("x-session", session)));
        headers.extend((!key.is_empty()).then_some(("idempotency-key", key)));
        self.app.send(request(method, path, &headers, &body)).await
    }

    async fn get(&self, path: &str, session: &str) -> ApiResponse {
        self.send("GET", path, session, "", Value::Null).await
    }

    async fn vehicles(&self, session: &str) -> usize {
        self.get("/api/vehicles", session).await.json()["results"].as_array().unwrap().len()
    }
}

/// Rule 6.7: a keyed POST happens once, whoever says who sends it.
#[tokio::test]
async fn two_keyed_posts_under_an_apps_own_authentication_happen_once() {
    let world = Embedding::new().await;
    let first = world.send("POST", "/api/vehicles", "s1", "k", vehicle(1)).await;
    assert_eq!(first.status, 201, "{}", first.text);
    let again = world.send("POST", "/api/vehicles", "s1", "k", vehicle(1)).await;
    assert_eq!((again.status, &again.text, again.header("idempotency-replayed")), (first.status, &first.text, "true"));
    assert_eq!(world.vehicles("s1").await, 1);
    // The key is that of its user, and of another session of theirs.
    world.sessions.begin("other", "1");
    let again = world.send("POST", "/api/vehicles", "other", "k", vehicle(1)).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (first.status, "true"));
    let theirs = world.send("POST", "/api/vehicles", "s2", "k", vehicle(2)).await;
    assert_eq!((theirs.status.as_u16(), theirs.header("idempotency-replayed")), (201, ""));
    // A response is not given to whoever comes with the key and no session.
    assert_eq!(world.send("POST", "/api/vehicles", "", "k", vehicle(1)).await.code(), (401, "not_authenticated".to_owned()));
    assert_eq!(world.send("POST", "/api/vehicles", "ended", "k", vehicle(1)).await.status, 401);
}

#[tokio::test]
async fn everything_is_seen_as_the_user_of_the_session() {
    let world = Embedding::new().await;
    let me = world.get("/api/me", "s1").await.json();
    assert_eq!((&me["username"], &me["email"]), (&json!("user1"), &Value::Null));
    assert!(me.get("external_id").is_none() && me.get("metadata").is_none(), "{me}");
    assert_eq!(world.get("/api/me", "").await.status, 401);
    // Anybody may read the services, but not with a session that is over (rule 2.1).
    assert_eq!(world.get("/api/services", "").await.status, 200);
    assert_eq!(world.get("/api/services", "over").await.status, 401);
    // What the request does is theirs in the events.
    world.send("POST", "/api/vehicles", "s1", "", vehicle(1)).await;
    let events = world.get("/api/events?type=vehicle.created", "s1").await.json();
    assert_eq!(events["results"][0]["actor"]["user_id"], me["id"]);
}

#[tokio::test]
async fn no_request_is_the_systems() {
    let world = Embedding::new().await;
    for path in ["/api/me", "/api/users", "/api/test-clock", "/api/webhook-endpoints"] {
        let status = world.get(path, "system").await.status.as_u16();
        assert!(status == 401 || status == 404, "{path} {status}");
    }
    for actor in [Actor::System, Actor::Gateway, Actor::Anonymous] {
        assert_eq!(Identity::of_user(actor), None);
    }
}

#[tokio::test]
async fn who_is_deactivated_is_out_at_once() {
    let world = Embedding::new().await;
    let actor = world.app.engine.actor_of("1").await.unwrap().unwrap();
    world.app.engine.deactivate_user(Actor::System, actor.user().unwrap()).await.unwrap();
    assert_eq!(world.get("/api/me", "s1").await.status, 401);
    assert_eq!(world.get("/api/me", "s2").await.status, 200);
    assert_eq!(world.app.engine.actor_of("1").await.unwrap(), None);
}

/// Rule 3.3: what is about the token of the request says that there is none.
#[tokio::test]
async fn the_routes_of_tokens_answer_clearly_without_one() {
    let world = Embedding::new().await;
    for (path, body) in [("/api/logout", Value::Null), ("/api/tokens", json!({"name": "machine"}))] {
        for key in ["", "k"] {
            let refused = world.send("POST", path, "s1", key, body.clone()).await;
            assert_eq!(refused.code(), (409, "no_token_session".to_owned()), "{path}");
        }
    }
    assert_eq!(world.get("/api/tokens", "s1").await.json()["results"], json!([]));
    assert_eq!(world.send("POST", "/api/logout-all", "s1", "", Value::Null).await.status, 204);
    assert_eq!(world.get("/api/me", "s1").await.status, 200, "the app's session is the app's");
}

/// Rule 3.2: a user without a password logs in with none, and gets the response of a wrong one.
#[tokio::test]
async fn no_password_logs_in_who_has_none() {
    let world = Embedding::new().await;
    let log_in = async |name: &str, password: &str| {
        let body = json!({"username": name, "password": password});
        let response = world.send("POST", "/api/login", "", "", body).await;
        (response.code(), response.json())
    };
    let unknown = log_in("nobody", PASSWORD).await;
    assert_eq!(unknown.0, (400, "invalid_credentials".to_owned()));
    for password in [PASSWORD, "!", " "] {
        assert_eq!(log_in("user1", password).await, unknown);
    }
    // Who changes a password knows the present one.
    let change = json!({"current_password": "!", "password": PASSWORD, "password2": PASSWORD});
    let refused = world.send("POST", "/api/password", "s1", "", change).await;
    assert_eq!(refused.code(), (400, "validation_error".to_owned()));
    assert_eq!(refused.json()["errors"].as_object().unwrap().keys().collect::<Vec<_>>(), ["current_password"]);
}

/// Rule 8.7: a stream ends with the session that opened it, and with its user.
#[tokio::test]
async fn a_stream_ends_with_the_session() {
    let world = Embedding::new().await;
    let open = async |session: &str| {
        let stream = request("GET", "/api/events/stream", &[("x-session", session)], &Value::Null);
        let response = world.app.router.clone().oneshot(stream).await.unwrap();
        assert_eq!(response.status(), 200);
        response.into_body()
    };
    let patience = Duration::from_secs(30);
    let ended = open("s1").await;
    world.sessions.end("s1");
    timeout(patience, to_bytes(ended, usize::MAX)).await.expect("it ends with the session").unwrap();
    let mut running = open("s2").await.into_data_stream();
    running.next().await.unwrap().unwrap();
    let user = world.app.engine.actor_of("2").await.unwrap().unwrap().user().unwrap();
    world.app.engine.deactivate_user(Actor::System, user).await.unwrap();
    timeout(patience, running.collect::<Vec<_>>()).await.expect("it ends with its user");
}

/// Rule 6.9: the object is compared as its reader sees it.
#[tokio::test]
async fn a_tag_is_compared_as_the_user_of_the_session_sees_the_object() {
    let world = Embedding::new().await;
    let id = world.send("POST", "/api/vehicles", "s1", "", vehicle(1)).await.json()["id"].clone();
    let path = format!("/api/vehicles/{id}");
    let tag = world.get(&path, "s1").await.header("etag").to_owned();
    let change = |tag: &str| {
        let headers = [("x-session", "s1"), ("if-match", tag)];
        world.app.send(request("PATCH", &path, &headers, &json!({"color": "red"})))
    };
    assert_eq!(change("\"another\"").await.status, 412);
    assert_eq!(change(&tag).await.status, 200);
}

/// Rule 3.8: of many who make one user of the app a customer, one does, and the others are told.
#[tokio::test]
async fn a_user_of_the_app_becomes_one_customer() {
    let engine = App::new().engine;
    let customer = NewCustomer { external_id: " 7 ".into(), ..NewCustomer::default() };
    let made = futures_util::future::join_all((0..8).map(|_| engine.create_customer(&customer))).await;
    let (one, others): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
    assert_eq!((one.len(), others.len()), (1, 7));
    for refused in others {
        assert!(matches!(&refused, Err(Error::Invalid(fields)) if fields.fields().eq(["external_id"])), "{refused:?}");
    }
    let actor = engine.actor_of("7").await.unwrap().unwrap();
    assert!(matches!(actor, Actor::Customer { .. }) && one.into_iter().flatten().eq([actor]), "{actor:?}");
    for unknown in ["8", "", "a\nb", &"x".repeat(300)] {
        assert_eq!(engine.actor_of(unknown).await.unwrap(), None);
    }
}

/// Rule 3.8: whoever of the app's users logs in for the first time, several times at once, is one customer from then on.
#[tokio::test]
async fn a_user_of_the_app_who_logs_in_is_one_customer() {
    let engine = App::new().engine;
    let customer = NewCustomer { external_id: " 7 ".into(), ..NewCustomer::default() };
    let made = futures_util::future::join_all((0..8).map(|_| engine.ensure_customer(&customer))).await;
    let actor = engine.actor_of("7").await.unwrap().unwrap();
    assert!(made.into_iter().all(|one| one.unwrap() == actor));
    assert_eq!(engine.ensure_customer(&customer).await.unwrap(), actor);

    engine.deactivate_user(Actor::System, actor.user().unwrap()).await.unwrap();
    assert_eq!(engine.ensure_customer(&customer).await.unwrap_err().code(), "not_authenticated");
    for wrong in
        [NewCustomer::default(), NewCustomer { external_id: "8".into(), email: "nobody".into(), ..NewCustomer::default() }]
    {
        assert_eq!(engine.ensure_customer(&wrong).await.unwrap_err().code(), "validation_error");
    }
}

/// Chapter 2: what the app does by itself is the system's, and recorded as such.
#[tokio::test]
async fn the_app_acts_by_itself_as_the_system() {
    let world = Embedding::new().await;
    let engine = &world.app.engine;
    let owner = engine.actor_of("1").await.unwrap().unwrap();
    let vehicle = id(&world.send("POST", "/api/vehicles", "s1", "", vehicle(1)).await.json());
    let vehicle = VehicleId::new(vehicle).unwrap();
    assert_eq!(engine.get_vehicle(&Actor::System, vehicle).await.unwrap().id, vehicle);
    let draft = VehicleDraft { external_id: "car-1".into(), color: "red".into(), ..VehicleDraft::default() };
    let changed = engine.update_vehicle(Actor::System, vehicle, &draft, UpdateMode::Partial).await.unwrap();
    assert_eq!(changed.annotations.external_id.as_ref().unwrap().as_str(), "car-1");
    let filter = VehicleFilter { external_id: ExternalId::parse("car-1").ok(), ..VehicleFilter::default() };
    let found = engine.list_vehicles(&Actor::System, filter, PageRequest::default()).await.unwrap();
    assert_eq!(found.items.iter().map(|row| row.id).collect::<Vec<_>>(), [vehicle]);
    let events = engine.events_after(&Actor::System, None, 100, EventFilter::default()).await.unwrap();
    let by_the_system = events.iter().filter(|event| event.event_type == EventType::VehicleUpdated);
    assert_eq!(by_the_system.map(|event| event.actor).collect::<Vec<_>>(), [EventActor::System, EventActor::System]);
    let seen = engine.events_after(&owner, None, 100, EventFilter::default()).await.unwrap();
    assert_eq!(seen.iter().filter(|event| event.event_type == EventType::VehicleUpdated).count(), 1);
    // It owns nothing.
    assert_eq!(engine.create_vehicle(Actor::System, &draft).await.unwrap_err().code(), "permission_denied");

    // An app that acts for a customer may say what it calls the thing from the start.
    let draft = VehicleDraft { external_id: "car-2".into(), ..offered(2) };
    let made = engine.create_vehicle(owner, &draft).await.unwrap();
    assert_eq!(made.annotations.external_id.as_ref().unwrap().as_str(), "car-2");
    let again = VehicleDraft { external_id: "car-2".into(), ..offered(3) };
    assert!(
        matches!(engine.create_vehicle(owner, &again).await, Err(Error::Invalid(fields)) if fields.fields().eq(["external_id"]))
    );
}

fn offered(number: u32) -> VehicleDraft {
    serde_json::from_str(&vehicle(number).to_string()).unwrap()
}
