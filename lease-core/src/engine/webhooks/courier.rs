//! Delivers webhooks in the background. Each try is a task of its own, and each endpoint has a few at a time, so that one that takes
//! long delays no other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::LeaseEngine;
use crate::account::expiry;
use crate::engine::RequestContext;
use crate::error::{Error, with_causes};
use crate::id::{Version, WebhookEndpointId};
use crate::model::{DeliveryAttempt, DeliveryState, DisabledReason, WebhookMessage};
use crate::permission::Actor;
use crate::repository::{ClaimedDelivery, RecordedAttempt};
use crate::text::cut_to;
use crate::webhook::{
    Verdict, WebhookAnswer, WebhookClient, WebhookRequest, disable_endpoint, judge_attempt, message_body, message_id, test_body,
};

/// The most events that are queued for an endpoint at once: with a hundred endpoints, ten thousand deliveries.
const QUEUED_AT_ONCE: u32 = 100;
/// The most tries under way at one endpoint.
const AT_ONCE: u32 = 8;
/// The time after which a try is given up, by a client that does not do so itself.
const TRY: Duration = Duration::from_secs(20);
/// For how long a delivery is claimed: a try, and what it takes to record it.
const HOLD: TimeDelta = TimeDelta::seconds(30);
/// The time between two looks for what is due, where no try ends in between.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The tries of this process that are under way.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Courier {
    shared: Arc<UnderWay>,
}

#[derive(Debug, Default)]
struct UnderWay {
    at: Mutex<HashMap<WebhookEndpointId, u32>>,
    ended: Notify,
}

/// The place of a try that is under way, until it is recorded.
#[derive(Debug)]
struct Place {
    shared: Arc<UnderWay>,
    endpoint: WebhookEndpointId,
}

impl Courier {
    fn begin(&self, endpoint: WebhookEndpointId) -> Place {
        let mut at = self.shared.at.lock().unwrap_or_else(PoisonError::into_inner);
        *at.entry(endpoint).or_default() += 1;
        Place { shared: Arc::clone(&self.shared), endpoint }
    }

    /// The endpoints at which there are tries, and how many.
    fn busy(&self) -> Vec<(WebhookEndpointId, u32)> {
        let at = self.shared.at.lock().unwrap_or_else(PoisonError::into_inner);
        at.iter().map(|(endpoint, tries)| (*endpoint, *tries)).collect()
    }

    /// Waits until all tries that are under way have ended. Returns whether there were any.
    async fn settle(&self) -> bool {
        let mut waited = false;
        loop {
            let ended = self.shared.ended.notified();
            if self.busy().is_empty() {
                return waited;
            }
            waited = true;
            ended.await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut at = self.shared.at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tries) = at.get_mut(&self.endpoint) {
            *tries -= 1;
            if *tries == 0 {
                at.remove(&self.endpoint);
            }
        }
        drop(at);
        self.shared.ended.notify_waiters();
    }
}

/// A try that has ended.
struct Tried {
    attempt: RecordedAttempt,
    endpoint: (WebhookEndpointId, Version),
    disable: Option<DisabledReason>,
    /// Given up when the try is recorded.
    _place: Place,
}

impl LeaseEngine {
    /// Queues the deliveries of a bounded number of events (rule 9.2). Returns how many events it took, for all endpoints together:
    /// unless that is zero, there may be more.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn queue_webhooks(&self) -> Result<u64, Error> {
        if self.shared.webhooks.is_none() {
            return Ok(0);
        }
        Ok(self.store().queue_deliveries(self.now(), QUEUED_AT_ONCE).await?)
    }

    /// Delivers all that is due now, and waits for the tries that others of this process have begun. Returns whether there were any.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(in crate::engine) async fn deliver_due(&self) -> Result<bool, Error> {
        let Some(client) = &self.shared.webhooks else { return Ok(false) };
        let claimed = self.claim_due().await?;
        if claimed.is_empty() {
            return Ok(self.shared.courier.settle().await);
        }
        let tries = claimed.into_iter().map(|(claimed, place)| self.try_delivery(&**client, claimed, place));
        self.record_tries(join_all(tries).await).await?;
        Ok(true)
    }

    /// Delivers webhooks for ever.
    pub(in crate::engine) async fn deliver(self) {
        let Some(client) = self.shared.webhooks.clone() else { return };
        let mut tries = JoinSet::new();
        loop {
            match self.claim_due().await {
                Ok(claimed) => {
                    for (claimed, place) in claimed {
                        let (engine, client) = (self.clone(), Arc::clone(&client));
                        tries.spawn(async move { engine.try_delivery(&*client, claimed, place).await });
                    }
                }
                Err(error) => tracing::warn!(error = %with_causes(&error), "webhooks wait until the store can be reached"),
            }
            let ended = next_ended(&mut tries).await;
            if let Err(error) = self.record_tries(ended).await {
                tracing::warn!(error = %with_causes(&error), "tries of webhooks could not be recorded, and are made again");
            }
        }
    }

    async fn claim_due(&self) -> Result<Vec<(ClaimedDelivery, Place)>, Error> {
        let now = self.now();
        let claimed = self.store().claim_deliveries(now, expiry(now, HOLD), AT_ONCE, &self.shared.courier.busy()).await?;
        let with_place = |claimed: ClaimedDelivery| {
            let place = self.shared.courier.begin(claimed.endpoint.id);
            (claimed, place)
        };
        Ok(claimed.into_iter().map(with_place).collect())
    }

    async fn try_delivery(&self, client: &dyn WebhookClient, claimed: ClaimedDelivery, place: Place) -> Tried {
        let (at, began) = (self.now(), Instant::now());
        let answer = match self.request(&claimed) {
            Ok(request) => {
                let sent = timeout(TRY, client.send(&request)).await;
                sent.unwrap_or_else(|_| WebhookAnswer::None("no answer in time".to_owned()))
            }
            Err(reason) => WebhookAnswer::None(reason),
        };
        let milliseconds = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
        let chance = self.random().map_or(0.0, |[byte]: [u8; 1]| f64::from(byte) / f64::from(u8::MAX));
        let Verdict { state, disable } =
            judge_attempt(claimed.delivery.tries, &answer, claimed.failing_since, chance, self.now());
        let is_gone = claimed.event.is_none() && claimed.delivery.message != WebhookMessage::Test;
        let attempt = RecordedAttempt {
            delivery_id: claimed.delivery.id,
            held_until: claimed.held_until,
            attempt: attempt(at, milliseconds, answer),
            state: if is_gone { DeliveryState::Failed } else { state },
        };
        Tried { attempt, endpoint: (claimed.endpoint.id, claimed.endpoint.version), disable, _place: place }
    }

    /// What is sent, or why nothing can be.
    fn request(&self, claimed: &ClaimedDelivery) -> Result<WebhookRequest, String> {
        let ClaimedDelivery { delivery, endpoint, event, .. } = claimed;
        let body = match (delivery.message, event) {
            (WebhookMessage::Test, _) => test_body(endpoint.id, delivery.created_at),
            (WebhookMessage::Event(..), Some(event)) => message_body(event),
            (WebhookMessage::Event(..), None) => return Err("the event was cleared".to_owned()),
        };
        let at = self.now();
        Ok(WebhookRequest {
            url: endpoint.url.clone(),
            id: message_id(delivery.id, delivery.message),
            at,
            body: body.map_err(|_| "the event could not be written".to_owned())?,
            secrets: endpoint.secrets(at).cloned().collect(),
        })
    }

    async fn record_tries(&self, ended: Vec<Tried>) -> Result<(), Error> {
        if ended.is_empty() {
            return Ok(());
        }
        // First, since a try that is not recorded is made again.
        for (endpoint, tried, reason) in to_disable(&ended) {
            if let Err(error) = self.disable_webhook_endpoint(endpoint, tried, reason).await {
                tracing::warn!(error = %with_causes(&error), %endpoint, "a webhook endpoint could not be switched off");
            }
        }
        let attempts: Vec<_> = ended.iter().map(|tried| tried.attempt.clone()).collect();
        Ok(self.store().record_attempts(&attempts).await?)
    }

    async fn disable_webhook_endpoint(&self, id: WebhookEndpointId, tried: Version, reason: DisabledReason) -> Result<(), Error> {
        let load = |_, _| async { Ok(self.store().find_endpoint(id).await?) };
        let decide =
            |found: &Option<_>, _: &Actor, _| Ok(found.as_ref().and_then(|found| disable_endpoint(found, tried, reason)));
        self.execute_if_needed(RequestContext::new(Actor::System), load, decide).await.map(drop)
    }
}

/// The endpoints that are to be switched off: those that are gone, and those that are failing and took nothing of all this.
fn to_disable(ended: &[Tried]) -> Vec<(WebhookEndpointId, Version, DisabledReason)> {
    let took_one =
        |endpoint| ended.iter().any(|tried| tried.endpoint.0 == endpoint && tried.attempt.state == DeliveryState::Succeeded);
    let mut found = HashMap::new();
    for Tried { endpoint: (endpoint, version), disable, .. } in ended {
        match disable {
            Some(DisabledReason::Failing) if took_one(*endpoint) => {}
            Some(reason) => _ = found.insert(*endpoint, (*version, *reason)),
            None => {}
        }
    }
    found.into_iter().map(|(endpoint, (version, reason))| (endpoint, version, reason)).collect()
}

fn attempt(at: DateTime<Utc>, milliseconds: u32, answer: WebhookAnswer) -> DeliveryAttempt {
    match answer {
        WebhookAnswer::Answered { status, body, .. } => DeliveryAttempt {
            at,
            status: Some(status),
            milliseconds,
            response: cut_to(body, DeliveryAttempt::KEPT_BYTES),
            error: None,
        },
        WebhookAnswer::None(error) => DeliveryAttempt {
            at,
            status: None,
            milliseconds,
            response: String::new(),
            error: Some(cut_to(error, DeliveryAttempt::KEPT_BYTES)),
        },
    }
}

/// The tries that have ended, once one has; none if none does for a while.
async fn next_ended(under_way: &mut JoinSet<Tried>) -> Vec<Tried> {
    let mut ended = Vec::new();
    let first = timeout(LOOK_EVERY, async {
        match under_way.join_next().await {
            Some(first) => first,
            None => std::future::pending().await,
        }
    });
    let mut next = first.await.ok();
    while let Some(outcome) = next {
        match outcome {
            Ok(tried) => ended.push(tried),
            // Its claim runs out, and it is made again.
            Err(error) => tracing::error!(%error, "a try of a webhook panicked"),
        }
        next = under_way.try_join_next();
    }
    ended
}
