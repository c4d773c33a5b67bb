use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use lease_core::id::{EventId, MailId, Stored};
use lease_core::model::{Mail, MailKind, MailRecipient, MailState};

use super::table::{Indexed, Table};
use crate::index::Term;

/// Mails that are to be sent, or were.
#[derive(Debug, Default)]
pub(crate) struct Mails {
    pub(crate) rows: Table<Mail>,
    /// What was made from each event.
    made: BTreeSet<(EventId, MailKind, MailRecipient)>,
    /// Those that are pending, by when they are sent.
    pending: BTreeSet<(DateTime<Utc>, MailId)>,
    /// The others, by when they were queued.
    finished: BTreeSet<(DateTime<Utc>, MailId)>,
    /// Until when mails are held. Few are at the same time.
    held: BTreeMap<MailId, DateTime<Utc>>,
}

impl Indexed for Mail {
    fn terms(&self) -> Vec<Term> {
        // Mails are not listed.
        Vec::new()
    }
}

/// What must differ between two mails that were made from events.
fn made_from(mail: &Mail) -> Option<(EventId, MailKind, MailRecipient)> {
    Some((mail.event_id?, mail.kind, mail.recipient.clone()))
}

impl Mails {
    /// Queues a mail, unless the same was made from its event already. Returns whether it did.
    pub(crate) fn queue(&mut self, mail: &Mail) -> bool {
        let Ok(id) = self.rows.next_id() else { return false };
        let is_new = made_from(mail).is_none_or(|made| self.made.insert(made));
        if is_new {
            self.note(id, mail.state, mail.created_at);
            self.rows.insert(id, mail.clone(), mail.terms());
        }
        is_new
    }

    /// Claims mails that are due and held by nobody, the longest due first.
    pub(crate) fn claim(&mut self, now: DateTime<Utc>, held_until: DateTime<Utc>, limit: u32) -> Vec<Stored<Mail>> {
        let due = self.pending.iter().take_while(|(at, _)| *at <= now).map(|(_, id)| *id);
        let is_free = |id: &MailId| self.held.get(id).is_none_or(|until| *until <= now);
        let claimed: Vec<MailId> = due.filter(is_free).take(limit as usize).collect();
        self.held.extend(claimed.iter().map(|id| (*id, held_until)));
        claimed.into_iter().filter_map(|id| self.rows.stored(id)).collect()
    }

    /// Records a try, if its claim is still held.
    pub(crate) fn record(&mut self, id: MailId, held_until: DateTime<Utc>, state: MailState) {
        if self.held.get(&id) != Some(&held_until) {
            return;
        }
        self.held.remove(&id);
        let Some(row) = self.rows.get_mut(id) else { return };
        let (before, created_at) = (row.value.state, row.value.created_at);
        row.value.tries = row.value.tries.saturating_add(1);
        row.value.state = state;
        self.forget(id, before, created_at);
        self.note(id, state, created_at);
    }

    /// Deletes at most `limit` mails that were queued before this instant and are no longer pending.
    pub(crate) fn purge(&mut self, before: DateTime<Utc>, limit: u32) -> u64 {
        let mut purged = 0;
        while purged < limit
            && let Some((_, id)) = self.finished.first().copied().filter(|(at, _)| *at < before)
        {
            self.finished.pop_first();
            if let Some(made) = self.rows.get(id).and_then(|row| made_from(&row.value)) {
                self.made.remove(&made);
            }
            self.rows.erase(id);
            purged += 1;
        }
        purged.into()
    }

    fn note(&mut self, id: MailId, state: MailState, created_at: DateTime<Utc>) {
        match state {
            MailState::Pending { next_attempt_at } => self.pending.insert((next_attempt_at, id)),
            MailState::Sent | MailState::Failed | MailState::Dropped => self.finished.insert((created_at, id)),
        };
    }

    fn forget(&mut self, id: MailId, state: MailState, created_at: DateTime<Utc>) {
        match state {
            MailState::Pending { next_attempt_at } => self.pending.remove(&(next_attempt_at, id)),
            MailState::Sent | MailState::Failed | MailState::Dropped => self.finished.remove(&(created_at, id)),
        };
    }
}
