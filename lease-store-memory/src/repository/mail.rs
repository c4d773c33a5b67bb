use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::id::{CustomerId, MailId, ProposalId, Stored, TradeId};
use lease_core::model::{Mail, MailState};
use lease_core::repository::{MailRepository, RepositoryError};

use crate::MemoryRepository;

#[async_trait]
impl MailRepository for MemoryRepository {
    async fn queue_mails(&self, mails: &[Mail]) -> Result<u64, RepositoryError> {
        Ok(self.state.change(|state| mails.iter().map(|mail| u64::from(state.mails.queue(mail))).sum()))
    }

    async fn claim_mails(
        &self,
        now: DateTime<Utc>,
        held_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Stored<Mail>>, RepositoryError> {
        Ok(self.state.change(|state| state.mails.claim(now, held_until, limit)))
    }

    async fn record_mail(&self, id: MailId, held_until: DateTime<Utc>, state: MailState) -> Result<(), RepositoryError> {
        self.state.change(|all| all.mails.record(id, held_until, state));
        Ok(())
    }

    async fn purge_mails(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        Ok(self.state.change(|state| state.mails.purge(before, limit)))
    }

    async fn earlier_proposers(
        &self,
        trade: TradeId,
        before: ProposalId,
        after: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<CustomerId>, RepositoryError> {
        Ok(self.state.read(|state| state.proposals.authors_before(trade, before, after).take(limit as usize).collect()))
    }
}
