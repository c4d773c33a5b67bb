use chrono::{DateTime, TimeDelta, Utc};

use super::parse_url;
use crate::account::expiry;
use crate::decision::{Decision, RowChange};
use crate::error::{Error, Refusal};
use crate::event::{Audience, Event, EventPattern, EventType, IdRef, InvalidEventPattern, NewRow};
use crate::id::{EventId, Stored, Version, Versioned};
use crate::input::{Field, FieldErrors, Form, Invalid, Texts, UpdateMode, as_given, draft};
use crate::model::{DisabledReason, EndpointState, PreviousSecret, WebhookEndpoint, WebhookSecret};
use crate::page::MAX_LIMIT;
use crate::permission::{Act, Actor, Resource};
use crate::policy::Policy;
use crate::text;

/// For how long the secret before a rotation signs as well.
const OVERLAP: TimeDelta = TimeDelta::hours(24);
/// The most endpoints, so that the work for each event is bounded: as many as a page of a list can have.
const MOST_ENDPOINTS: usize = MAX_LIMIT as usize;

/// The most characters of a wrong type, and the most wrong types, that a message names.
const SHOWN: usize = 50;

/// A change to a webhook endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct WebhookEndpointChange {
    /// The endpoint.
    pub endpoint: RowChange<WebhookEndpoint>,
    /// Where it starts, if it is new or is switched on: it is told of the events after this one, and is not failing. Otherwise its
    /// position stays.
    pub start: Option<Start>,
}

/// Where an endpoint starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Its new position: the last event that it is not told of, if there was any.
    pub after: Option<EventId>,
}

draft! {
    /// The fields for creating or updating a webhook endpoint.
    pub struct WebhookEndpointDraft as WebhookEndpointInput {
        /// The address that is told of events: `https`, and public.
        pub url: Field<String> as required WebhookUrl like "https://example.com/hooks/lease",
        /// What it is for.
        pub description: Field<String> as nullable FreeText like "Accounting",
        /// The types of the events that it is told of; `trade.*` stands for all about trades. All events if there is none.
        pub event_types: Field<Texts> as nullable EventTypePatterns,
        /// Whether it is told of events.
        pub is_active: Field<bool> as optional Flag,
    }
}

/// Creates an endpoint (rule 9.1). `others` is how many there are, and `last` the last event that has happened.
///
/// # Errors
/// [`Error::PermissionDenied`]; invalid fields; [`Refusal::WebhookEndpointLimit`].
pub fn create_endpoint(
    actor: &Actor,
    draft: &WebhookEndpointDraft,
    secret: WebhookSecret,
    others: usize,
    last: Option<EventId>,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Decision<WebhookEndpointChange>, Error> {
    actor.require(Resource::WebhookEndpoint, Act::Create)?;
    let fields = Fields::read(draft, UpdateMode::Full, None, policy)?;
    if others >= MOST_ENDPOINTS {
        return Err(Refusal::WebhookEndpointLimit.into());
    }
    let endpoint = WebhookEndpoint {
        url: fields.url,
        description: fields.description,
        event_types: fields.event_types,
        state: if fields.is_active { EndpointState::Active } else { EndpointState::Off(None) },
        secret,
        previous: Vec::new(),
        created_at: now,
    };
    let event = endpoint_event(EventType::WebhookEndpointCreated, NewRow::WebhookEndpoint, &endpoint);
    let change = WebhookEndpointChange { endpoint: RowChange::Create(endpoint), start: Some(Start { after: last }) };
    Ok(Decision::new(change, [event]))
}

/// Changes an endpoint (rule 9.1). One that is switched on is told of what happens from then on.
///
/// # Errors
/// [`Error::PermissionDenied`]; invalid fields.
pub fn update_endpoint(
    endpoint: &Versioned<Stored<WebhookEndpoint>>,
    actor: &Actor,
    draft: &WebhookEndpointDraft,
    last: Option<EventId>,
    policy: &Policy,
) -> Result<Decision<WebhookEndpointChange>, Error> {
    actor.require(Resource::WebhookEndpoint, Act::Update)?;
    let fields = Fields::read(draft, UpdateMode::Partial, Some(endpoint), policy)?;
    let state = match (endpoint.is_active(), fields.is_active) {
        (_, true) => EndpointState::Active,
        (true, false) => EndpointState::Off(None),
        (false, false) => endpoint.state,
    };
    let start = (state == EndpointState::Active && !endpoint.is_active()).then_some(Start { after: last });
    let value = WebhookEndpoint {
        url: fields.url,
        description: fields.description,
        event_types: fields.event_types,
        state,
        ..WebhookEndpoint::clone(endpoint)
    };
    let event = endpoint_event(EventType::WebhookEndpointUpdated, endpoint.id, &value).changing(&endpoint.value.value, &value);
    Ok(Decision::new(WebhookEndpointChange { endpoint: RowChange::update(endpoint, value), start }, event.if_changed()))
}

/// Deletes an endpoint, with its deliveries.
///
/// # Errors
/// [`Error::PermissionDenied`].
pub fn delete_endpoint(
    endpoint: &Versioned<Stored<WebhookEndpoint>>,
    actor: &Actor,
) -> Result<Decision<WebhookEndpointChange>, Error> {
    actor.require(Resource::WebhookEndpoint, Act::Delete)?;
    let event = endpoint_event(EventType::WebhookEndpointDeleted, endpoint.id, endpoint);
    Ok(Decision::new(WebhookEndpointChange { endpoint: RowChange::delete(endpoint), start: None }, [event]))
}

/// Gives an endpoint another secret (rule 9.1). The present one signs as well for 24 hours, and so do those before it for as long as they
/// were to.
///
/// # Errors
/// [`Error::PermissionDenied`].
pub fn rotate_secret(
    endpoint: &Versioned<Stored<WebhookEndpoint>>,
    actor: &Actor,
    secret: WebhookSecret,
    now: DateTime<Utc>,
) -> Result<Decision<WebhookEndpointChange>, Error> {
    actor.require(Resource::WebhookEndpoint, Act::Update)?;
    let replaced = PreviousSecret { secret: endpoint.secret.clone(), until: expiry(now, OVERLAP) };
    let earlier = endpoint.previous.iter().filter(|earlier| now < earlier.until).cloned();
    let previous = std::iter::once(replaced).chain(earlier).take(WebhookEndpoint::PREVIOUS_SECRETS).collect();
    let value = WebhookEndpoint { secret, previous, ..WebhookEndpoint::clone(endpoint) };
    let mut event = endpoint_event(EventType::WebhookEndpointUpdated, endpoint.id, &value);
    event.changes.add_secret("secret");
    Ok(Decision::new(WebhookEndpointChange { endpoint: RowChange::update(endpoint, value), start: None }, [event]))
}

/// Switches an endpoint off for this reason (rule 9.2), if it is on and still as it was when it was tried: a verdict about an address that
/// was changed since says nothing of the new one.
#[must_use]
pub fn disable_endpoint(
    endpoint: &Versioned<Stored<WebhookEndpoint>>,
    tried: Version,
    reason: DisabledReason,
) -> Option<Decision<WebhookEndpointChange>> {
    if !endpoint.is_active() || endpoint.version != tried {
        return None;
    }
    let value = WebhookEndpoint { state: EndpointState::Off(Some(reason)), ..WebhookEndpoint::clone(endpoint) };
    let event = endpoint_event(EventType::WebhookEndpointDisabled, endpoint.id, &value)
        .fact("reason", <&str>::from(reason))
        .changing(&endpoint.value.value, &value);
    Some(Decision::new(WebhookEndpointChange { endpoint: RowChange::update(endpoint, value), start: None }, [event]))
}

fn endpoint_event(event_type: EventType, id: impl Into<IdRef>, endpoint: &WebhookEndpoint) -> Event {
    Event::new(event_type, id, Audience::Staff).fact("is_active", endpoint.is_active())
}

/// The fields that staff set.
struct Fields {
    url: String,
    description: String,
    event_types: Vec<EventPattern>,
    is_active: bool,
}

impl Fields {
    fn read(
        draft: &WebhookEndpointDraft,
        mode: UpdateMode,
        current: Option<&Versioned<Stored<WebhookEndpoint>>>,
        policy: &Policy,
    ) -> Result<Self, FieldErrors> {
        let mut form = Form::new(mode);
        let read_url = |url: &String| parse_url(url, policy.private_webhooks).map(String::from);
        let url = form.required("url", &draft.url, current.map(|now| &now.url), read_url);
        let description =
            form.optional("description", &draft.description, current.map(|now| &now.description), String::new(), |text| {
                text::free(text)
            });
        let event_types =
            form.optional("event_types", &draft.event_types, current.map(|now| &now.event_types), Vec::new(), read_patterns);
        let is_on = current.is_none_or(|now| now.is_active());
        let is_active = match &draft.is_active {
            Field::Missing => Some(is_on),
            given => form.required("is_active", given, None, as_given),
        };
        let (Some(url), Some(description), Some(event_types), Some(is_active)) = (url, description, event_types, is_active)
        else {
            return Err(form.errors);
        };
        Ok(Self { url, description, event_types, is_active })
    }
}

/// Reads patterns, each of which may be several between commas; in their order, and each once.
fn read_patterns(texts: &Texts) -> Result<Vec<EventPattern>, Invalid> {
    let (mut patterns, mut unknown) = (Vec::new(), Vec::new());
    for text in texts.0.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|text| !text.is_empty()) {
        match text.parse() {
            Ok(pattern) if patterns.contains(&pattern) => {}
            Ok(pattern) => patterns.push(pattern),
            Err(InvalidEventPattern) => unknown.push(text.chars().take(SHOWN).collect::<String>()),
        }
    }
    unknown.truncate(SHOWN);
    if unknown.is_empty() { Ok(patterns) } else { Err(Invalid::UnknownEventTypes { types: unknown }) }
}
