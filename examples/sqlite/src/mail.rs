//! Mails.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::id::{CustomerId, MailId, ProposalId, Stored, TradeId};
use lease_core::model::{Mail, MailState};
use lease_core::repository::{MailRepository, RepositoryError};

use crate::SqliteRepository;
use crate::error::failure;
use crate::sql::{Db, sql};
use crate::table::{self, find_by, read_row, select, update};
use crate::value::{Value, values};

#[async_trait]
impl MailRepository for SqliteRepository {
    async fn queue_mails(&self, mails: &[Mail]) -> Result<u64, RepositoryError> {
        let mut db = self.writing().await?;
        let mut queued = 0;
        for mail in mails {
            queued += queue(&mut db, mail).await?;
        }
        db.commit().await.map_err(failure)?;
        Ok(queued)
    }

    async fn claim_mails(
        &self,
        now: DateTime<Utc>,
        held_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Stored<Mail>>, RepositoryError> {
        let mut db = self.writing().await?;
        let due = "status = 'pending' and next_attempt_at <= ? and (held_until is null or held_until <= ?) \
                   order by next_attempt_at, id limit ?";
        let rows = select::<Mail>(due, values![now, now, limit]).rows(&mut db).await?;
        let mails = rows.iter().map(read_row).collect::<Result<Vec<Stored<Mail>>, _>>()?;
        for mail in &mails {
            sql("update mails set held_until = ? where id = ?", values![held_until, mail.id]).run(&mut db).await?;
        }
        db.commit().await.map_err(failure)?;
        Ok(mails)
    }

    async fn record_mail(&self, id: MailId, held_until: DateTime<Utc>, state: MailState) -> Result<(), RepositoryError> {
        let mut db = self.writing().await?;
        let held = find_by::<Mail>(&mut db, "id = ? and held_until = ?", values![id, held_until]).await?;
        if let Some(Stored { value: mail, .. }) = held {
            update(&mut db, id, &Mail { state, tries: mail.tries.saturating_add(1), ..mail }).await?;
            sql("update mails set held_until = null where id = ?", values![id]).run(&mut db).await?;
        }
        db.commit().await.map_err(failure)
    }

    async fn purge_mails(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        let mut db = self.writing().await?;
        let finished = "created_at < ? and status <> 'pending'";
        let purged = table::purge(&mut db, ("mails", "id", "created_at"), finished, values![before], limit).await?;
        db.commit().await.map_err(failure)?;
        Ok(purged)
    }

    async fn earlier_proposers(
        &self,
        trade: TradeId,
        before: ProposalId,
        after: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<CustomerId>, RepositoryError> {
        let proposers = "select distinct customer_id from proposals where trade_id = ? and id < ? and customer_id > ? \
                         order by customer_id limit ?";
        let after = after.map_or(Value::Integer(0), |after| Value::Integer(after.get()));
        sql(proposers, values![trade, before, after, limit]).column(&mut *self.reading().await?).await
    }
}

/// Queues a mail, unless the same was made from its event already. Returns how many it queued.
pub(crate) async fn queue(db: &mut Db, mail: &Mail) -> Result<u64, RepositoryError> {
    table::insert_statement(mail, "on conflict do nothing").run(db).await
}
