//! Who takes the webhooks and mails of a world, in this process.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use lease_core::engine::Maintenance;
use lease_core::mail::{Letter, MailError, Mailer};
use lease_core::model::MailKind;
use lease_core::webhook::{WebhookAnswer, WebhookClient, WebhookRequest};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{World, id};

/// Takes webhooks: 204, unless another answer was prepared for their address.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    prepared: Mutex<HashMap<String, VecDeque<WebhookAnswer>>>,
    received: Mutex<Vec<WebhookRequest>>,
}

impl Receiver {
    /// Answers the next webhooks for this address with these statuses, the last of them from then on.
    pub(crate) fn answer(&self, url: &str, statuses: &[u16]) {
        let answers = statuses.iter().map(|status| answered(*status)).collect();
        lock(&self.prepared).insert(url.to_owned(), answers);
    }

    /// What has come since this was last asked.
    pub(crate) fn take(&self) -> Vec<WebhookRequest> {
        std::mem::take(&mut *lock(&self.received))
    }
}

fn answered(status: u16) -> WebhookAnswer {
    WebhookAnswer::Answered { status, retry_after: None, body: format!("that is {status}") }
}

#[async_trait]
impl WebhookClient for Receiver {
    async fn send(&self, request: &WebhookRequest) -> WebhookAnswer {
        lock(&self.received).push(request.clone());
        match lock(&self.prepared).get_mut(&request.url) {
            Some(answers) if answers.len() > 1 => answers.pop_front().unwrap(),
            Some(answers) => answers[0].clone(),
            None => answered(204),
        }
    }
}

/// Takes mails.
#[derive(Debug, Default)]
pub(crate) struct Mailbox(Mutex<Vec<Letter>>);

impl Mailbox {
    /// What has come since this was last asked.
    pub(crate) fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut *lock(&self.0))
    }
}

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        lock(&self.0).push(letter.clone());
        Ok(())
    }
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// Does all background work that is due.
    pub(crate) async fn catch_up(&self) {
        self.app.engine.catch_up(&Maintenance::default()).await.unwrap();
    }

    /// The mails that were not taken yet: what each says, and to which address.
    pub(crate) async fn mails(&self) -> Vec<(MailKind, String)> {
        self.catch_up().await;
        self.mailbox.take().into_iter().map(|letter| (letter.kind, letter.to)).collect()
    }

    /// The token in the only mail of this kind that was not taken yet.
    pub(crate) async fn mailed_token(&self, kind: MailKind) -> String {
        self.catch_up().await;
        let letters = self.mailbox.take();
        let mut tokens = letters.iter().filter(|letter| letter.kind == kind).filter_map(|letter| letter.token.as_ref());
        let token = tokens.next().unwrap_or_else(|| panic!("no {kind} in {letters:?}"));
        assert!(tokens.next().is_none(), "{letters:?}");
        token.expose_secret().to_owned()
    }

    /// Creates a webhook endpoint at this address.
    pub(crate) async fn webhook_endpoint(&self, url: &str, event_types: &[&str]) -> i64 {
        let body = json!({"url": url, "event_types": event_types});
        id(&self.post("/api/webhook-endpoints", &self.staff, body).await.expect(201))
    }

    /// The deliveries to an endpoint, newest first.
    pub(crate) async fn deliveries(&self, endpoint: i64) -> Vec<Value> {
        let list = self.get(&format!("/api/webhook-endpoints/{endpoint}/deliveries"), &self.staff).await.expect(200);
        list["results"].as_array().unwrap().clone()
    }
}
