use chrono::{DateTime, Duration, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use lease_core::gateway::{ChargeKey, Notification, NotificationError, RefundKey};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::Sha256;

/// How old a webhook may be: an older one may be an old one that somebody repeats.
const TOLERANCE: Duration = Duration::minutes(5);

/// What is read of an event: what it is about, and nothing of what it claims.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    object: Option<Object>,
}

#[derive(Deserialize)]
struct Object {
    metadata: Option<Metadata>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    lease_key: Option<String>,
    lease_refund_key: Option<String>,
}

/// Checks that a webhook was sent by Stripe within the last minutes, and says what it is about.
pub(crate) fn read(
    secret: &SecretString,
    signature: &str,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<Notification>, NotificationError> {
    if !is_signed(secret, signature, body, now) {
        return Err(NotificationError::NotSigned);
    }
    let event: Event = serde_json::from_slice(body).map_err(|_| NotificationError::NotReadable)?;
    let metadata = event.data.and_then(|data| data.object).and_then(|object| object.metadata).unwrap_or_default();
    let is_about = |kinds: &[&str]| kinds.iter().any(|kind| event.kind.starts_with(kind));
    Ok(if is_about(&["payment_intent."]) {
        metadata.lease_key.map(|key| Notification::Charge(ChargeKey::new(key)))
    } else if is_about(&["refund.", "charge.refund"]) {
        metadata.lease_refund_key.map(|key| Notification::Refund(RefundKey::new(key)))
    } else {
        None
    })
}

/// Whether one of the signatures in `t=…,v1=…,v1=…` is that of the instant and the body. There are several while a secret is being
/// exchanged for another.
fn is_signed(secret: &SecretString, signature: &str, body: &[u8], now: DateTime<Utc>) -> bool {
    let parts = || signature.split(',').filter_map(|part| part.trim().split_once('='));
    let Some(instant) = parts().find(|(name, _)| *name == "t").map(|(_, instant)| instant) else { return false };
    let sent_at = instant.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    if sent_at.is_none_or(|sent_at| (now - sent_at).abs() > TOLERANCE) {
        return false;
    }
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else { return false };
    let mac = mac.chain_update(instant).chain_update(".").chain_update(body);
    let signatures = parts().filter(|(name, _)| *name == "v1").filter_map(|(_, signature)| hex::decode(signature).ok());
    // Takes as long for a wrong signature as for a right one.
    signatures.into_iter().any(|signature| mac.clone().verify_slice(&signature).is_ok())
}
