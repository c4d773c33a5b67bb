#![doc = include_str!("../README.md")]

mod address;
mod config;
mod content;
mod folder;
mod message;
mod sample;
mod smtp;
mod templates;

use async_trait::async_trait;
use lease_core::mail::{Letter, MailError, Mailer};
use lettre::message::Mailbox;

pub use config::{ConfigError, MailerConfig, parse_public_url};
use content::Links;
use folder::Folder;
use message::Mail;
pub use sample::samples;
use smtp::Smtp;
pub use templates::TemplateError;
use templates::Templates;

/// Finds the words for letters in templates, and sends them. It comes out of a [`MailerConfig`].
#[derive(Debug)]
pub struct LeaseMailer {
    pub(crate) from: Mailbox,
    pub(crate) platform_name: String,
    pub(crate) links: Links,
    pub(crate) templates: Templates,
    pub(crate) transport: Transport,
}

/// Where mails go.
#[derive(Debug)]
pub(crate) enum Transport {
    Smtp(Smtp),
    Folder(Folder),
}

#[async_trait]
impl Mailer for LeaseMailer {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let content = self.templates.render(letter, &self.platform_name, &self.links);
        let content = content.map_err(|error| MailError::Later(error.to_string()))?;
        let mail = Mail::new(letter, content, &self.from)?;
        match &self.transport {
            Transport::Smtp(smtp) => smtp.send(&mail).await,
            Transport::Folder(folder) => folder.write(mail).await,
        }
    }
}
