//! Events as they come, as server-sent events (rule 8.7).

use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{Stream, StreamExt as _, once, unfold};
use lease_core::event::{EventRecord, EventView};
use lease_core::id::{EventId, Stored};
use lease_core::permission::Actor;
use lease_core::repository::EventFilter;
use lease_core::{Error, LeaseEngine};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::Query;
use crate::auth::{Credentials, Session};
use crate::layers::Endless;
use crate::problem::Problem;
use crate::query::{Filtered, parse_start};
use crate::state::AppState;
use crate::throttle::OpenStream;

/// The header in which a client says what it has received.
const LAST_EVENT_ID: &str = "Last-Event-ID";
/// Tells nginx, and proxies that do as it does, to pass on what comes at once.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// The time after which a comment comes if nothing else has.
const COMMENT_AFTER: Duration = Duration::from_secs(10);
/// The time after which a client whose stream has ended connects again.
const RECONNECT_AFTER: Duration = Duration::from_secs(2);

/// Stream events
///
/// Server-sent events, as they come: `id`, `event` (the type) and `data` (the event as in the list). It begins after
/// `Last-Event-ID`, else after `after`, else with what happens from now on. A comment comes at once, and at least every 15 seconds
/// if nothing else does. The stream ends at the latest a minute after its token is no longer good. A user has five at most.
#[utoipa::path(get, path = "/api/events/stream", tag = "events",
    params(Filtered<Query>, ("Last-Event-ID" = Option<i64>, Header, minimum = 0,
        description = "Begin after the event with this id, or with 0 at the beginning, whatever `after` says.")),
    responses((status = 200, description = "The events, without end.", body = String, content_type = "text/event-stream")),
    extensions(("x-codes" = json!(["throttled"]))))]
pub(super) async fn stream_events(
    State(state): State<AppState>,
    session: Session,
    credentials: Credentials,
    query: Filtered<Query>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query { filter, after } = query.for_reader(&session.actor)?;
    let after = last_event_id(&headers)?.or(after);
    let user = session.actor.user().ok_or(Error::NotAuthenticated)?;
    let place = state.streams.open(user)?;
    let feed = Feed {
        events: Box::pin(subscribe(&state.engine, &session, filter, after).await?),
        looks: every(state.options.session_check_interval),
        stop: state.stop.clone(),
        actor: session.actor,
        credentials,
        state,
        span: Span::current(),
        ended: "the client went away",
        _place: place,
    };
    Ok(respond(feed))
}

/// The id in the header, which a browser sends when it connects again.
fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let mut given = headers.get_all(LAST_EVENT_ID).iter();
    let parsed = match (given.next(), given.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => parse_start(value.to_str().unwrap_or_default()),
        (Some(_), Some(_)) => Err("The header is given more than once.".to_owned()),
    };
    parsed.map(Some).map_err(|message| Problem::invalid_field(LAST_EVENT_ID, &message))
}

/// The events from there on, or from now on.
async fn subscribe(
    engine: &LeaseEngine,
    session: &Session,
    filter: EventFilter,
    after: Option<i64>,
) -> Result<impl Stream<Item = Result<Stored<EventRecord>, Error>> + Send + use<>, Problem> {
    let actor = &session.actor;
    let after = if let Some(after) = after {
        let after = EventId::new(after);
        // If it cannot be read from there, the status says so, and clients need not come back.
        engine.events_after(actor, after, 1, filter.clone()).await?;
        after
    } else {
        engine.last_event(actor).await?
    };
    Ok(engine.subscribe(actor, after, filter)?)
}

/// A period of zero is none.
fn every(period: Duration) -> Interval {
    let period = period.max(Duration::from_millis(1));
    let mut looks = interval_at(Instant::now() + period, period);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}

fn respond(feed: Feed) -> Response {
    // Something comes at once, so that the client and the proxies on the way see that it is open.
    let opening = sse::Event::default().retry(RECONNECT_AFTER).comment("open");
    let events = unfold(feed, async |mut feed| Some((feed.next().await?, feed)));
    let body = once(async { opening }).chain(events).map(Ok::<_, Infallible>);
    let mut response = Sse::new(body).keep_alive(KeepAlive::new().interval(COMMENT_AFTER)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response.extensions_mut().insert(Endless);
    response
}

/// What an open stream is made of.
struct Feed {
    events: Pin<Box<dyn Stream<Item = Result<Stored<EventRecord>, Error>> + Send>>,
    state: AppState,
    actor: Actor,
    credentials: Credentials,
    /// When the credentials are looked at.
    looks: Interval,
    stop: CancellationToken,
    span: Span,
    ended: &'static str,
    _place: OpenStream,
}

impl Feed {
    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<sse::Event> {
        let stop = self.stop.clone();
        let next = tokio::select! {
            biased;
            () = stop.cancelled() => Err("the server stops"),
            next = self.follow() => next,
        };
        next.map_err(|reason| self.ended = reason).ok()
    }

    async fn follow(&mut self) -> Result<sse::Event, &'static str> {
        loop {
            tokio::select! {
                biased;
                _ = self.looks.tick() => {
                    let checked = self.credentials.check(&self.state, self.actor).await;
                    self.may_go_on(checked)?;
                }
                event = self.events.next() => return self.sent(event),
            }
        }
    }

    /// Ends the stream if its credentials are no longer good.
    fn may_go_on(&self, checked: Result<(), Error>) -> Result<(), &'static str> {
        match checked {
            Err(Error::NotAuthenticated) => Err("the credentials are no longer good"),
            checked => checked.map_err(|error| self.failed(&error)),
        }
    }

    fn sent(&self, event: Option<Result<Stored<EventRecord>, Error>>) -> Result<sse::Event, &'static str> {
        let event = event.ok_or("there are no more events")?.map_err(|error| self.failed(&error))?;
        let (id, event_type) = (event.id, <&str>::from(event.event_type));
        let sent = sse::Event::default().id(id.to_string()).event(event_type).json_data(EventView::from(event));
        sent.map_err(|_| "an event could not be written")
    }

    fn failed(&self, error: &Error) -> &'static str {
        self.span.in_scope(|| tracing::warn!(error = ?error, "the events of a stream could not be read"));
        "the store failed"
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.span.in_scope(|| tracing::info!(reason = self.ended, "a stream of events ended"));
    }
}
