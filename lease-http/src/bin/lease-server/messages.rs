//! Who sends webhooks and mails, as the settings say.

use std::sync::Arc;

use lease_core::engine::LeaseEngineBuilder;
use lease_core::mail::Mailer;
use lease_core::webhook::WebhookClient;
use lease_mail::{ConfigError, MailerConfig};
use lease_webhooks::WebhookSender;

use crate::config::Settings;
use crate::failure::{Failure, one_line};

/// Who sends webhooks and mails.
pub(crate) struct Messengers {
    webhooks: Arc<dyn WebhookClient>,
    mailer: Option<Arc<dyn Mailer>>,
}

impl Messengers {
    /// Those that the settings choose. Nothing is sent before they are used.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Failure> {
        let webhooks = WebhookSender::builder().allow_private(settings.webhook_allow_private).build().map_err(Failure::other)?;
        Ok(Self { webhooks: Arc::new(webhooks), mailer: mailer(settings)? })
    }

    /// Warns of what they do not do.
    pub(crate) fn warn(&self, settings: &Settings) {
        if settings.webhook_allow_private {
            tracing::warn!("webhooks may go to private addresses, and without TLS (--webhook-allow-private)");
        }
        if self.mailer.is_none() {
            tracing::warn!("no mail is sent (--smtp-url)");
            if settings.require_verified_email {
                tracing::warn!(
                    "no customer can confirm an e-mail address, which they have to (--require-verified-email, --smtp-url)"
                );
            }
        } else if settings.public_url.is_none() {
            tracing::warn!("mails contain tokens in place of links (--public-url)");
        }
    }

    /// The builder of an engine for which they send.
    pub(crate) fn join(self, builder: LeaseEngineBuilder) -> LeaseEngineBuilder {
        let builder = builder.webhooks(self.webhooks);
        match self.mailer {
            Some(mailer) => builder.mailer(mailer),
            None => builder,
        }
    }
}

fn mailer(settings: &Settings) -> Result<Option<Arc<dyn Mailer>>, Failure> {
    let Some(url) = &settings.smtp_url else { return Ok(None) };
    let from = settings.mail_from.clone().ok_or_else(|| Failure::Setting("--smtp-url requires --mail-from".to_owned()))?;
    let config = MailerConfig::new(url.clone(), from).with_platform_name(settings.platform_name.clone());
    let config = match settings.mail_templates.clone() {
        Some(folder) => config.with_templates(folder),
        None => config,
    };
    let config = match settings.public_url()? {
        Some(url) => config.with_public_url(url),
        None => config,
    };
    Ok(Some(Arc::new(config.build().map_err(|error| wrong(&error))?)))
}

fn wrong(error: &ConfigError) -> Failure {
    let flag = match error {
        ConfigError::From => "--mail-from",
        ConfigError::PublicUrl => "--public-url",
        ConfigError::PlatformName => "--platform-name",
        ConfigError::Template(_) => "--mail-templates",
        _ => "--smtp-url",
    };
    Failure::Setting(format!("invalid value for '{flag}': {}", one_line(error)))
}
