//! Makes notices of events and sends mails, in the background (rules 9.3 to 9.5).

use std::sync::LazyLock;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use secrecy::SecretString;
use tokio::time::timeout;

use super::command::Outcome;
use super::{LeaseEngine, RequestContext};
use crate::account::{AccountSnapshot, LinkToken, NewLink, add_link, expiry};
use crate::error::{Error, with_causes};
use crate::event::{ConsumerName, EventRecord};
use crate::id::{CustomerId, EventId, InvoiceId, MailId, ProposalId, Stored, TradeId, UserId, Versioned};
use crate::mail::{
    Letter, MailError, Mailer, NOTICED, Notice, NoticeTo, address, after_try, greeted_as, notices, present_facts, told_at,
    trade_to_read,
};
use crate::model::{Invoice, LinkPurpose, LoginName, Mail, MailKind, MailRecipient, MailState};
use crate::permission::Actor;
use crate::repository::{EventFilter, TradeLoad};

/// The most events of which notices are made at once.
const EVENTS_AT_ONCE: u32 = 100;
/// The most customers who are told of an event at once.
const PROPOSERS_AT_ONCE: u32 = 500;
/// The most mails that are sent at the same time.
const SENT_AT_ONCE: usize = 8;
/// The most mails that one turn sends.
const SENT_IN_A_TURN: usize = 1_000;
/// The time between two looks for mails that are due, where none is sent in between.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What happened so long before a process with a mailer started makes no notices.
const OLD: TimeDelta = TimeDelta::days(3);
/// The time that sending a mail may take.
const TRY: Duration = Duration::from_secs(30);
/// For how long a mail is claimed: a try, and what it takes to record it.
const HOLD: TimeDelta = TimeDelta::seconds(60);

/// The consumer of the events that make notices.
static CONSUMER: LazyLock<ConsumerName> = LazyLock::new(|| ConsumerName::of_engine("notices"));

impl LeaseEngine {
    /// Whether the engine has a mailer.
    #[must_use]
    pub fn sends_mails(&self) -> bool {
        self.shared.mailer.is_some()
    }

    /// Queues the notices of a bounded number of events. After its start, a process with a mailer passes over what is old, since nobody wants
    /// to be told of what happened while none was sent. Returns whether there may be more.
    pub(super) async fn make_notices(&self) -> Result<bool, Error> {
        if !self.sends_mails() {
            return Ok(false);
        }
        let (last, position) = (self.store().last_event().await?, self.store().consumer_position(&CONSUMER).await?);
        let Some(last) = last.filter(|last| position.is_none_or(|position| position < *last)) else {
            self.shared.is_noticing.store(true, Ordering::Relaxed);
            return Ok(false);
        };
        let is_noticing = self.shared.is_noticing.load(Ordering::Relaxed);
        let since = self.now().checked_sub_signed(OLD).filter(|_| !is_noticing);
        let filter = EventFilter { types: NOTICED.to_vec(), since, ..EventFilter::default() };
        let events = self.store().events_after(position, EVENTS_AT_ONCE, &filter).await?;
        let is_full = events.len() >= EVENTS_AT_ONCE as usize;
        let read = events.last().filter(|_| is_full).map_or(last, |event| event.id);
        for event in &events {
            match self.queue_notices(event).await {
                // One event that cannot be read does not keep the others from being told.
                Err(error @ Error::Internal(_)) => {
                    tracing::error!(error = %with_causes(&error), event = %event.id, "no notices could be made of an event");
                }
                queued => queued?,
            }
        }
        self.store().move_consumer(&CONSUMER, read).await?;
        self.shared.is_noticing.store(!is_full || is_noticing, Ordering::Relaxed);
        Ok(is_full)
    }

    async fn queue_notices(&self, event: &Stored<EventRecord>) -> Result<(), Error> {
        let now = self.now();
        let trade = match trade_to_read(event) {
            Some(key) => {
                let load = TradeLoad { key, viewer: None, with_pending: false, card: None, now };
                self.store().load_trade(&load).await?
            }
            None => None,
        };
        for Notice { to, mail } in notices(event, trade.as_deref(), self.policy(), now) {
            match to {
                NoticeTo::Recipient => _ = self.store().queue_mails(&[mail]).await?,
                NoticeTo::EarlierProposers { trade, proposal, owner } => {
                    self.tell_proposers(trade, proposal, owner, &mail).await?;
                }
            }
        }
        Ok(())
    }

    /// Queues a mail for each customer, but for the owner, who made a proposal in a trade before this one.
    async fn tell_proposers(&self, trade: TradeId, before: ProposalId, owner: CustomerId, mail: &Mail) -> Result<(), Error> {
        let mut after = None;
        loop {
            let proposers = self.store().earlier_proposers(trade, before, after, PROPOSERS_AT_ONCE).await?;
            let Some(last) = proposers.last() else { return Ok(()) };
            after = Some(*last);
            let to = |customer| Mail { recipient: MailRecipient::Customer(customer), ..mail.clone() };
            let mails: Vec<_> = proposers.into_iter().filter(|customer| *customer != owner).map(to).collect();
            self.store().queue_mails(&mails).await?;
        }
    }

    /// Sends mails until none is due, or a bounded number has been sent. One that takes long keeps one place, and delays no other. Returns
    /// whether there may be more.
    pub(super) async fn send_mails(&self) -> Result<bool, Error> {
        let Some(mailer) = &self.shared.mailer else { return Ok(false) };
        let (mut under_way, mut sent) = (FuturesUnordered::new(), 0);
        loop {
            let room = SENT_AT_ONCE.saturating_sub(under_way.len());
            if room > 0 && sent < SENT_IN_A_TURN {
                let now = self.now();
                let held_until = expiry(now, HOLD);
                let claimed = self.store().claim_mails(now, held_until, u32::try_from(room).unwrap_or(1)).await?;
                sent += claimed.len();
                under_way.extend(claimed.into_iter().map(|mail| self.send_mail(&**mailer, mail, held_until)));
            }
            match timeout(LOOK_EVERY, under_way.next()).await {
                Ok(None) => return Ok(sent > 0),
                // One that could not be dealt with is tried again when its claim has run out.
                Ok(Some(Err(error))) => tracing::warn!(error = %with_causes(&error), "a mail is left for later"),
                Ok(Some(Ok(()))) | Err(_) => {}
            }
        }
    }

    async fn send_mail(&self, mailer: &dyn Mailer, mail: Stored<Mail>, held_until: DateTime<Utc>) -> Result<(), Error> {
        let state = match self.letter(&mail).await? {
            Some(letter) => {
                let sent = timeout(TRY, mailer.send(&letter)).await;
                let sent = sent.unwrap_or_else(|_| Err(MailError::Later("no answer within 30 seconds".to_owned())));
                let state = after_try(mail.tries, &sent, self.now());
                if let Err(error) = &sent {
                    let is_given_up = state == MailState::Failed;
                    tracing::warn!(mail = %mail.id, kind = %mail.kind, error = %with_causes(error), is_given_up, "a mail was not sent");
                }
                state
            }
            None => MailState::Dropped,
        };
        Ok(self.store().record_mail(mail.id, held_until, state).await?)
    }

    /// The letter of a mail, if there still is a reason to send it.
    async fn letter(&self, mail: &Stored<Mail>) -> Result<Option<Letter>, Error> {
        let Some(found) = self.load_recipient(&mail.recipient).await? else { return Ok(None) };
        let invoice = self.invoice_of(mail).await?;
        let account = &found.account;
        let invoice = invoice.as_deref();
        let Some(to) = address(mail, account, invoice, self.now()) else { return Ok(None) };
        let mut token = None;
        if let Some(purpose) = mail.kind.link() {
            token = self.create_link(account.user.id, purpose, mail.id, &to).await?;
            if token.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(Letter {
            id: format!("{}.{:x}", mail.id, mail.created_at.timestamp_micros()),
            kind: mail.kind,
            to,
            name: greeted_as(&account.user),
            facts: present_facts(mail, invoice),
            token,
            at: told_at(mail, invoice),
        }))
    }

    async fn load_recipient(&self, recipient: &MailRecipient) -> Result<Option<Versioned<AccountSnapshot>>, Error> {
        let user = match recipient {
            MailRecipient::User(user) | MailRecipient::UserAt(user, _) => Some(*user),
            MailRecipient::Customer(customer) => self.store().find_customer(*customer).await?.map(|found| found.user_id),
            MailRecipient::Address(address) => {
                self.store().find_login(&LoginName::new(address)).await?.map(|found| found.user.id)
            }
        };
        match user {
            Some(user) => Ok(self.store().load_account(user).await?),
            None => Ok(None),
        }
    }

    /// The invoice that a mail is about, if whether it is sent, or what it says, depends on it.
    async fn invoice_of(&self, mail: &Mail) -> Result<Option<Stored<Invoice>>, Error> {
        let id = mail.facts.get("invoice_id").and_then(serde_json::Value::as_i64).and_then(InvoiceId::new);
        match id.filter(|_| matches!(mail.kind, MailKind::InvoiceDueSoon | MailKind::InvoiceOverdue)) {
            Some(id) => Ok(self.store().find_invoice(id).await?),
            None => Ok(None),
        }
    }

    /// Makes a link for a mail to this address, unless that is the user's no longer. It is made anew for each try, since only its hash is
    /// stored.
    async fn create_link(
        &self,
        user: UserId,
        purpose: LinkPurpose,
        mail: MailId,
        address: &str,
    ) -> Result<Option<SecretString>, Error> {
        let token = LinkToken::from_random(user, self.random()?);
        let load = |_, _| async { self.store().load_account(user).await?.ok_or(Error::NotFound) };
        let link = NewLink { purpose, hash: token.hash(), mail, address };
        let decide = |found: &_, _: &Actor, now| Ok(add_link(found, link, now));
        match self.execute_if_needed(RequestContext::new(Actor::System), load, decide).await? {
            Outcome::Committed(_) => Ok(Some(token.text().clone())),
            Outcome::NothingToDo(_) => Ok(None),
        }
    }

    /// The first event of which notices may still have to be made.
    pub(super) async fn first_unnoticed(&self) -> Result<Option<EventId>, Error> {
        if !self.sends_mails() {
            return Ok(None);
        }
        let Some(position) = self.store().consumer_position(&CONSUMER).await? else { return Ok(None) };
        let next = self.store().events_after(Some(position), 1, &EventFilter::default()).await?;
        Ok(next.first().map(|event| event.id))
    }
}
