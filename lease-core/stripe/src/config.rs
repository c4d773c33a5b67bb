use hyper::Uri;
use secrecy::{ExposeSecret, SecretString};

/// Stripe's own address.
const STRIPE: &str = "https://api.stripe.com";

/// What the gateway has to know of a Stripe account. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct StripeConfig {
    pub(crate) secret_key: SecretString,
    pub(crate) publishable_key: String,
    pub(crate) webhook_secret: SecretString,
    pub(crate) api_base: String,
}

impl StripeConfig {
    /// The account with these keys: the secret key (`sk_…`) or a restricted one (`rk_…`), the publishable key (`pk_…`), and the
    /// secret with which Stripe signs its webhooks (`whsec_…`).
    ///
    /// # Errors
    /// [`ConfigError`] if one of them is none, or if one is of the live mode and the other of a sandbox.
    pub fn new(secret_key: SecretString, publishable_key: String, webhook_secret: SecretString) -> Result<Self, ConfigError> {
        if !is_key(secret_key.expose_secret(), &["sk_", "rk_"]) {
            return Err(ConfigError::SecretKey);
        }
        if !is_key(&publishable_key, &["pk_"]) {
            return Err(ConfigError::PublishableKey);
        }
        if !is_key(webhook_secret.expose_secret(), &["whsec_"]) {
            return Err(ConfigError::WebhookSecret);
        }
        let config = Self { secret_key, publishable_key, webhook_secret, api_base: STRIPE.to_owned() };
        if config.is_live() == config.publishable_key.starts_with("pk_live_") { Ok(config) } else { Err(ConfigError::MixedModes) }
    }

    /// The same account behind another address, for tests. It is reached over TLS, unless it is on this machine.
    ///
    /// # Errors
    /// [`ConfigError::ApiBase`].
    pub fn with_api_base(self, address: &str) -> Result<Self, ConfigError> {
        let uri: Uri = address.parse().map_err(|_| ConfigError::ApiBase)?;
        let is_safe = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => uri.host().is_some_and(is_this_machine),
            _ => false,
        };
        let is_bare = uri.query().is_none() && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        if is_safe && is_bare {
            Ok(Self { api_base: address.trim_end_matches('/').to_owned(), ..self })
        } else {
            Err(ConfigError::ApiBase)
        }
    }

    /// Whether real cards are charged.
    #[must_use]
    pub fn is_live(&self) -> bool {
        let key = self.secret_key.expose_secret();
        key.starts_with("sk_live_") || key.starts_with("rk_live_")
    }
}

/// Whether a text begins like one of these kinds of keys, goes on, and fits into a header.
fn is_key(text: &str, kinds: &[&str]) -> bool {
    let rest = kinds.iter().find_map(|kind| text.strip_prefix(kind));
    rest.is_some_and(|rest| !rest.is_empty() && rest.len() < 512 && rest.bytes().all(|byte| byte.is_ascii_graphic()))
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// What is wrong with a [`StripeConfig`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The secret key is none.
    #[error("Stripe's secret key begins with sk_ or rk_")]
    SecretKey,
    /// The publishable key is none.
    #[error("Stripe's publishable key begins with pk_")]
    PublishableKey,
    /// The secret of the webhooks is none.
    #[error("the secret of Stripe's webhooks begins with whsec_")]
    WebhookSecret,
    /// One key charges real cards, the other one does not.
    #[error("one of Stripe's keys is of the live mode, and the other one is not")]
    MixedModes,
    /// The address cannot be used.
    #[error("Stripe's address begins with https://, or with http:// if it is on this machine")]
    ApiBase,
    /// The system's certificates, by which Stripe is recognised, cannot be read.
    #[error("the system's certificates cannot be read")]
    Certificates(#[source] std::io::Error),
}
