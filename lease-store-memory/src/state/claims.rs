use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use lease_core::repository::{Claim, ClaimState, Guarantee, KeyHash, NewClaim, RepositoryError, SavedResponse};

/// Idempotency records, by their key and by when they expire.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    by_key: BTreeMap<KeyHash, Record>,
    by_expiry: BTreeSet<(DateTime<Utc>, KeyHash)>,
}

/// A claim on a key, and the progress of its command.
#[derive(Debug)]
struct Record {
    claimed: NewClaim,
    progress: Progress,
}

#[derive(Clone, Debug)]
enum Progress {
    /// The command has not been carried out.
    Claimed,
    /// The command was carried out, and created this row, if any.
    Done(Option<i64>),
    /// The response was saved.
    Answered(SavedResponse),
}

impl Claims {
    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// The outcome of a new claim on this key.
    pub(crate) fn state(&self, new: &NewClaim, now: DateTime<Utc>) -> ClaimState {
        let Some(record) = self.by_key.get(&new.claim.key).filter(|record| record.claimed.expires_at > now) else {
            return ClaimState::Claimed;
        };
        let fingerprint = record.claimed.fingerprint;
        match &record.progress {
            Progress::Claimed if record.claimed.held_until <= now || record.claimed.claim == new.claim => ClaimState::Claimed,
            Progress::Claimed => ClaimState::Held { fingerprint },
            Progress::Done(made) => ClaimState::Done { fingerprint, made: *made, held_until: record.claimed.held_until },
            Progress::Answered(response) => ClaimState::Answered { fingerprint, response: response.clone() },
        }
    }

    /// Makes a claim, and replaces any record of the key.
    pub(crate) fn insert(&mut self, new: &NewClaim) {
        self.remove(&new.claim.key);
        self.by_expiry.insert((new.expires_at, new.claim.key));
        self.by_key.insert(new.claim.key, Record { claimed: new.clone(), progress: Progress::Claimed });
    }

    /// Forgets a record.
    pub(crate) fn remove(&mut self, key: &KeyHash) {
        if let Some(record) = self.by_key.remove(key) {
            self.by_expiry.remove(&(record.claimed.expires_at, *key));
        }
    }

    /// Succeeds if there is no claim, or one that is held and had no effect yet.
    pub(crate) fn check(&self, claim: Option<Claim>) -> Result<(), RepositoryError> {
        match claim {
            Some(claim) if !self.is_fresh(&claim) => Err(RepositoryError::Taken(Guarantee::Claim)),
            _ => Ok(()),
        }
    }

    /// Whether this claim is held and had neither an effect nor a response.
    pub(crate) fn is_fresh(&self, claim: &Claim) -> bool {
        self.held(claim).is_some_and(|record| matches!(record.progress, Progress::Claimed))
    }

    /// Passes where this claim is held.
    pub(crate) fn check_held(&self, claim: &Claim) -> Result<(), RepositoryError> {
        self.held(claim).map(drop).ok_or(RepositoryError::Taken(Guarantee::Claim))
    }

    /// Holds a claim until another instant, and keeps its record until another one.
    pub(crate) fn extend(&mut self, claim: &Claim, held_until: DateTime<Utc>, expires_at: DateTime<Utc>) {
        if let Some(Record { claimed, .. }) = self.by_key.get_mut(&claim.key) {
            self.by_expiry.remove(&(claimed.expires_at, claim.key));
            self.by_expiry.insert((expires_at, claim.key));
            (claimed.held_until, claimed.expires_at) = (held_until, expires_at);
        }
    }

    /// Notes that the command under a claim was carried out, and the row that it created.
    pub(crate) fn finish(&mut self, claim: Option<Claim>, made: Option<i64>) {
        if let Some(claim) = claim {
            self.advance(&claim, Progress::Done(made));
        }
    }

    /// Saves the response to the command under a claim.
    pub(crate) fn response(&mut self, claim: &Claim, response: &SavedResponse) {
        self.advance(claim, Progress::Answered(response.clone()));
    }

    /// The keys of records that expired before `now`, at most `limit` of them.
    pub(crate) fn expired(&self, now: DateTime<Utc>, limit: usize) -> Vec<KeyHash> {
        self.by_expiry.iter().take_while(|(at, _)| *at < now).take(limit).map(|(_, key)| *key).collect()
    }

    fn held(&self, claim: &Claim) -> Option<&Record> {
        self.by_key.get(&claim.key).filter(|record| record.claimed.claim.holder == claim.holder)
    }

    fn advance(&mut self, claim: &Claim, progress: Progress) {
        if let Some(record) = self.by_key.get_mut(&claim.key) {
            record.progress = progress;
        }
    }
}
