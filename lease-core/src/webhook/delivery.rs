use chrono::{DateTime, TimeDelta, Utc};

use super::{DeliveryChange, WebhookAnswer};
use crate::account::expiry;
use crate::decision::Decision;
use crate::error::{Error, Refusal};
use crate::id::Stored;
use crate::model::{DeliveryState, DisabledReason, WebhookDelivery, WebhookEndpoint, WebhookMessage};
use crate::permission::{Act, Actor, Resource};

/// The waits between the tries of a delivery (rule 9.2), as Standard Webhooks 1.0 recommends.
const WAITS: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(14),
    TimeDelta::hours(20),
    TimeDelta::hours(24),
];
/// For how long an endpoint may take nothing before it is switched off.
const PATIENCE: TimeDelta = TimeDelta::days(5);
/// The longest time for which an endpoint can ask to be left alone.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);
/// By which part of itself a wait is shortened at the most, so that what failed together is not tried again together.
const JITTER: f64 = 0.1;

/// What follows from a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The state of the delivery from now on.
    pub state: DeliveryState,
    /// Why the endpoint is to be switched off, if it is.
    pub disable: Option<DisabledReason>,
}

/// Judges a try of a delivery that ended at `now` (rule 9.2). `tries` is how many there were before, `failing_since` since when the
/// endpoint has taken nothing, and `chance` a random number from 0 to 1 by which the next try comes a little earlier.
#[must_use]
pub fn judge_attempt(
    tries: u32,
    answer: &WebhookAnswer,
    failing_since: Option<DateTime<Utc>>,
    chance: f64,
    now: DateTime<Utc>,
) -> Verdict {
    let (status, retry_after) = match answer {
        WebhookAnswer::Answered { status, retry_after, .. } => (Some(*status), *retry_after),
        WebhookAnswer::None(_) => (None, None),
    };
    match status {
        Some(200..=299) => return Verdict { state: DeliveryState::Succeeded, disable: None },
        Some(410) => return Verdict { state: DeliveryState::Failed, disable: Some(DisabledReason::Gone) },
        _ => {}
    }
    let disable = failing_since.filter(|since| now - since >= PATIENCE).map(|_| DisabledReason::Failing);
    let Some(wait) = WAITS.get(tries as usize) else { return Verdict { state: DeliveryState::Failed, disable } };
    let asked = retry_after.map(|asked| TimeDelta::from_std(asked).unwrap_or(LONGEST_WAIT)).unwrap_or_default().min(LONGEST_WAIT);
    let next_attempt_at = expiry(now, shortened(*wait, chance).max(asked));
    Verdict { state: DeliveryState::Pending { next_attempt_at }, disable }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the longest wait has 86,400,000 milliseconds")]
fn shortened(wait: TimeDelta, chance: f64) -> TimeDelta {
    let milliseconds = wait.num_milliseconds() as f64;
    TimeDelta::milliseconds((milliseconds * JITTER.mul_add(-chance.clamp(0.0, 1.0), 1.0)) as i64)
}

/// Queues a test for an endpoint (rule 9.1). Deliveries belong to their endpoints: who may change an endpoint may do this.
///
/// # Errors
/// [`Error::NotAuthenticated`], [`Error::PermissionDenied`]; [`Refusal::WebhookEndpointOff`].
pub fn test_endpoint(
    endpoint: &Stored<WebhookEndpoint>,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Decision<DeliveryChange>, Error> {
    actor.require(Resource::WebhookEndpoint, Act::Update)?;
    if !endpoint.is_active() {
        return Err(Refusal::WebhookEndpointOff.into());
    }
    let delivery = WebhookDelivery {
        endpoint_id: endpoint.id,
        message: WebhookMessage::Test,
        state: DeliveryState::Pending { next_attempt_at: now },
        tries: 0,
        attempts: Vec::new(),
        created_at: now,
    };
    Ok(Decision::new(DeliveryChange::Create(delivery), []))
}

/// Queues a delivery once more (rule 9.2).
///
/// # Errors
/// [`Error::NotAuthenticated`], [`Error::PermissionDenied`].
pub fn retry_delivery(
    delivery: &Stored<WebhookDelivery>,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Decision<DeliveryChange>, Error> {
    actor.require(Resource::WebhookEndpoint, Act::Update)?;
    Ok(Decision::new(DeliveryChange::Retry { id: delivery.id, at: now }, []))
}
