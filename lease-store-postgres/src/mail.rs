//! The mails that are to be sent.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::id::{CustomerId, MailId, NewIds, ProposalId, Stored, TradeId};
use lease_core::model::{Mail, MailState};
use lease_core::repository::{Envelope, MailRepository, RepositoryError};
use sqlx::QueryBuilder;

use crate::PostgresRepository;
use crate::database::{Database, Statement};
use crate::row::{Fields, WriteTable as _, mail_state, push_columns, readable};
use crate::writing::{Made, Writing, push_insert, write_expected};

/// The most mails that are queued in one statement.
const QUEUED_AT_ONCE: usize = 1_000;

#[async_trait]
impl MailRepository for PostgresRepository {
    /// In one order, so that two servers with the same mails do not wait for each other.
    async fn queue_mails(&self, mails: &[Mail]) -> Result<u64, RepositoryError> {
        let mut mails: Vec<&Mail> = mails.iter().collect();
        mails.sort_by_key(|mail| (mail.event_id, mail.kind, &mail.recipient));
        let mut queued = 0;
        for mails in mails.chunks(QUEUED_AT_ONCE) {
            queued += self.directory.write(|| queue_statement(mails)).await?.len() as u64;
        }
        Ok(queued)
    }

    async fn claim_mails(
        &self,
        now: DateTime<Utc>,
        held_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Stored<Mail>>, RepositoryError> {
        let statement = || {
            let mut query = QueryBuilder::new("with due as materialized (select id from mails where status = 'pending'");
            query
                .push(" and next_attempt_at <= ")
                .push_bind(now)
                .push(" and (held_until is null or held_until <= ")
                .push_bind(now);
            query.push(") order by next_attempt_at, id limit ").push_bind(i64::from(limit)).push(" for update skip locked), ");
            query.push("t as (update mails set held_until = ").push_bind(held_until);
            query.push(" from due where mails.id = due.id returning mails.*) select ");
            push_columns::<Mail>(&mut query, "t");
            query.push(" from t order by t.next_attempt_at, t.id");
            query
        };
        let claimed = self.directory.write(statement).await?;
        Ok(readable(claimed.iter().map(|row| Fields::of(row).row())))
    }

    async fn record_mail(&self, id: MailId, held_until: DateTime<Utc>, state: MailState) -> Result<(), RepositoryError> {
        let (status, next_attempt_at) = mail_state(state);
        let statement = || {
            let mut query = QueryBuilder::new("update mails set held_until = null, tries = tries + 1, status = ");
            query.push_bind(status).push(", next_attempt_at = ").push_bind(next_attempt_at);
            query.push(" where id = ").push_bind(id.get()).push(" and held_until = ").push_bind(held_until);
            query
        };
        self.directory.write(statement).await.map(drop)
    }

    async fn purge_mails(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        self.directory.purge(("mails", "id", "created_at", "status <> 'pending'"), before, limit).await
    }

    async fn earlier_proposers(
        &self,
        trade: TradeId,
        before: ProposalId,
        after: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<CustomerId>, RepositoryError> {
        let statement = || {
            let mut query = QueryBuilder::new("select distinct customer_id from proposals where trade_id = ");
            query.push_bind(trade.get()).push(" and customer_id > ").push_bind(after.map_or(0, CustomerId::get));
            query.push(" and id < ").push_bind(before.get());
            query.push(" order by customer_id limit ").push_bind(i64::from(limit));
            query
        };
        let rows = self.trading.read(statement).await?;
        rows.iter().map(|row| Fields::of(row).id()).collect()
    }
}

/// Its text depends on how many mails there are, so it is not kept.
fn queue_statement(mails: &[&Mail]) -> Statement {
    let mut query = QueryBuilder::new("insert into mails (");
    query.push(Mail::WRITTEN).push(") values ");
    for (place, mail) in mails.iter().enumerate() {
        query.push(if place == 0 { "(" } else { ", (" });
        mail.write(&mut query.separated(", "));
        query.push(")");
    }
    query.push(" on conflict do nothing returning 1");
    Statement::planned_anew(query)
}

pub(crate) async fn commit(database: &Database, mail: &Mail, envelope: &Envelope) -> Result<NewIds, RepositoryError> {
    let statement = || {
        let mut writing = Writing::begin(envelope);
        push_insert(writing.write("root"), mail);
        writing.only_if_valid().push(" returning id");
        writing.finish(Made::Nothing, &[])
    };
    write_expected(database, statement).await.map(|_| NewIds::default())
}
