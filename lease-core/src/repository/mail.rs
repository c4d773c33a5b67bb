use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::RepositoryError;
use crate::id::{CustomerId, MailId, ProposalId, Stored, TradeId};
use crate::model::{Mail, MailState};

/// The mails that are to be sent (rules 9.3 to 9.5).
#[async_trait]
pub trait MailRepository {
    /// Queues mails, except those made from an event for which there is one of the same kind to the same recipient already. Returns how
    /// many it queued.
    async fn queue_mails(&self, mails: &[Mail]) -> Result<u64, RepositoryError>;

    /// Claims mails for the caller until `held_until`: those that are pending, due at `now` and held by nobody, the longest due first, at
    /// most `limit`. A claim that has run out (`held_until` ≤ `now`) counts as held by nobody.
    async fn claim_mails(
        &self,
        now: DateTime<Utc>,
        held_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Stored<Mail>>, RepositoryError>;

    /// Records a try of a claimed mail, only if its claim, run out or not, is still that of the caller: it counts it, sets the state and
    /// ends the claim.
    async fn record_mail(&self, id: MailId, held_until: DateTime<Utc>, state: MailState) -> Result<(), RepositoryError>;

    /// Deletes up to `limit` mails that were created before this instant and are no longer pending. Returns how many.
    async fn purge_mails(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError>;

    /// The customers who made a proposal in a trade before this one: ascending, the first after `after`, at most `limit`.
    async fn earlier_proposers(
        &self,
        trade: TradeId,
        before: ProposalId,
        after: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<CustomerId>, RepositoryError>;
}
