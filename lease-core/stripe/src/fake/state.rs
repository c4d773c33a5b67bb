use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use lease_core::clock::Clock;
use serde_json::{Value, json};

use super::form::Parameters;
use super::problem::Problem;
use super::{Event, Fault, Received};
use crate::client::STRIPE_VERSION;

/// What was responded under an idempotency key.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    /// The path and the parameters.
    pub(super) request: String,
    pub(super) status: u16,
    pub(super) body: Value,
}

/// All that the fake knows.
#[derive(Debug)]
pub(super) struct State {
    clock: Arc<dyn Clock>,
    /// In the order in which they were made.
    objects: Vec<Value>,
    /// The numbers of the cards, by the id of the payment method.
    pub(super) numbers: HashMap<String, String>,
    pub(super) keys: HashMap<String, Remembered>,
    pub(super) faults: Vec<(&'static str, &'static str, Fault)>,
    pub(super) received: Vec<Received>,
    pub(super) events: Vec<Event>,
    pub(super) holds_charges: bool,
    /// The status in which a charge that is made stays before it is confirmed.
    pub(super) holds_before: Option<&'static str>,
    pub(super) forgets_declines: bool,
}

impl State {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            objects: Vec::new(),
            numbers: HashMap::new(),
            keys: HashMap::new(),
            faults: Vec::new(),
            received: Vec::new(),
            events: Vec::new(),
            holds_charges: false,
            holds_before: None,
            forgets_declines: false,
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Stores a new object, and returns its id.
    pub(super) fn make(&mut self, kind: &str, prefix: &str, mut object: Value) -> String {
        let id = format!("{prefix}_{:06}", self.objects.len() + 1);
        object["id"] = json!(id);
        object["object"] = json!(kind);
        object["created"] = json!(self.now().timestamp());
        object["livemode"] = json!(false);
        self.objects.push(object);
        id
    }

    /// Gives an object a secret for a browser.
    pub(super) fn give_secret(&mut self, id: &str) -> Result<(), Problem> {
        self.change(id)?["client_secret"] = json!(format!("{id}_secret_{}", self.objects.len()));
        Ok(())
    }

    pub(super) fn object(&self, id: &str) -> Result<&Value, Problem> {
        self.objects.iter().find(|object| object["id"] == id).ok_or_else(|| Problem::missing("id"))
    }

    /// Refuses a parameter that names nothing, or what was deleted.
    pub(super) fn require(&self, parameter: &str, id: &str) -> Result<(), Problem> {
        let is_there = self.object(id).is_ok_and(|object| object["deleted"].is_null());
        if is_there { Ok(()) } else { Err(Problem::missing(parameter)) }
    }

    pub(super) fn change(&mut self, id: &str) -> Result<&mut Value, Problem> {
        self.objects.iter_mut().find(|object| object["id"] == id).ok_or_else(|| Problem::missing("id"))
    }

    /// The id of the object with this secret.
    pub(super) fn of_secret(&self, client_secret: &str) -> Result<String, Problem> {
        let found = self.objects.iter().find(|object| object["client_secret"] == client_secret);
        found.and_then(|object| object["id"].as_str()).map(str::to_owned).ok_or_else(|| Problem::missing("client_secret"))
    }

    pub(super) fn of_kind(&self, kind: &str) -> impl DoubleEndedIterator<Item = &Value> {
        self.objects.iter().filter(move |object| object["object"] == kind)
    }

    /// How many objects of a kind have this status, and the sum of their amounts.
    pub(super) fn sum(&self, kind: &str, status: &str) -> (usize, u64) {
        let amounts: Vec<u64> = self
            .of_kind(kind)
            .filter(|object| object["status"] == status)
            .filter_map(|object| object["amount"].as_u64())
            .collect();
        (amounts.len(), amounts.iter().sum())
    }

    /// Keeps an event about an object as it is now.
    pub(super) fn tell(&mut self, kind: &str, id: &str) -> Result<(), Problem> {
        let object = self.object(id)?.clone();
        let event = json!({
            "id": format!("evt_{:06}", self.events.len() + 1),
            "object": "event",
            "api_version": STRIPE_VERSION,
            "created": self.now().timestamp(),
            "livemode": false,
            "type": kind,
            "data": {"object": object},
        });
        self.events.push(Event { kind: kind.to_owned(), body: event.to_string() });
        Ok(())
    }

    /// A page of the objects of a kind, newest first.
    pub(super) fn list(&self, kind: &str, filters: &[&str], parameters: &Parameters) -> Result<Value, Problem> {
        parameters.only(&[filters, &["created", "limit", "starting_after"]].concat())?;
        let since = parameters.number("created[gte]")?.unwrap_or_default();
        let limit = parameters.number("limit")?.unwrap_or(10);
        let limit = usize::try_from(limit).ok().filter(|limit| (1..=100).contains(limit));
        let limit = limit.ok_or_else(|| Problem::invalid("parameter_invalid_integer", "limit"))?;
        for filter in filters {
            parameters.get(filter).map(|id| self.require(filter, id)).transpose()?;
        }
        let fits = |object: &&Value| {
            filters.iter().all(|filter| parameters.get(filter).is_none_or(|value| object[filter] == value))
                && object["created"].as_u64().is_some_and(|created| created >= since)
        };
        let mut listed = self.of_kind(kind).rev().filter(fits);
        if let Some(after) = parameters.get("starting_after") {
            listed.find(|object| object["id"] == after).ok_or_else(|| Problem::missing("starting_after"))?;
        }
        let mut data: Vec<Value> = listed.take(limit + 1).cloned().collect();
        let has_more = data.len() > limit;
        data.truncate(limit);
        Ok(json!({"object": "list", "url": format!("/v1/{kind}s"), "has_more": has_more, "data": data}))
    }
}
