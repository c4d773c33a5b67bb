use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use lease_core::model::WebhookSecret;
use lease_core::webhook::WebhookRequest;
use sha2::Sha256;

use crate::failure::Failure;

/// `webhook-signature`: one for each secret, with spaces between them.
pub(crate) fn signatures(request: &WebhookRequest) -> Result<String, Failure> {
    if request.secrets.is_empty() {
        return Err(Failure::Secret);
    }
    let signatures: Vec<String> = request.secrets.iter().map(|secret| signature(secret, request)).collect::<Result<_, _>>()?;
    Ok(signatures.join(" "))
}

fn signature(secret: &WebhookSecret, request: &WebhookRequest) -> Result<String, Failure> {
    let encoded = secret.expose().strip_prefix(WebhookSecret::PREFIX).ok_or(Failure::Secret)?;
    let key = STANDARD.decode(encoded).ok().filter(|key| !key.is_empty()).ok_or(Failure::Secret)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| Failure::Secret)?;
    mac.update(format!("{}.{}.", request.id, request.at.timestamp()).as_bytes());
    mac.update(request.body.as_bytes());
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}
