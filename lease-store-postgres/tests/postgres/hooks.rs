//! An application's own rows, written in the transaction of a commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use lease_core::gateway::SandboxGateway;
use lease_core::id::NewIds;
use lease_core::permission::Actor;
use lease_core::repository::{Change, Commit};
use lease_core::{Error, LeaseEngine};
use lease_store_postgres::CommitHook;
use serde_json::json;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};

use crate::engine::{draft, id};
use crate::support::{TestDatabase, WORLD, options};

/// The application's table.
pub(crate) const JOURNAL: &str = "create table journal (lead_id bigint not null primary key)";

/// Notes each new lead in the application's table.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// A statement to be run as well.
    more: Option<&'static str>,
    /// Whether the failure of that statement is ignored.
    ignores_failure: bool,
    calls: AtomicUsize,
}

#[async_trait]
impl CommitHook for Journal {
    async fn on_commit(&self, connection: &mut PgConnection, commit: &Commit, ids: &NewIds) -> Result<(), sqlx::Error> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        assert!(matches!(commit.change, Change::Lead(_)));
        let note = sqlx::query("insert into public.journal (lead_id) values ($1)").bind(ids.lead.unwrap().get());
        note.execute(&mut *connection).await?;
        let Some(more) = self.more else { return Ok(()) };
        let outcome = connection.execute(more).await;
        if !self.ignores_failure {
            outcome?;
        }
        Ok(())
    }
}

/// A database with the application's table, and an engine whose commits run the hook.
async fn hooked(hook: &Arc<Journal>) -> (TestDatabase, LeaseEngine) {
    let database = TestDatabase::create().await;
    let mut connection = database.connection().await;
    connection.execute(WORLD).await.unwrap();
    connection.execute(JOURNAL).await.unwrap();
    let store = database.connect_with(options().with_max_connections(1)).await.with_commit_hook(Arc::clone(hook) as _);
    (database, LeaseEngine::builder(Arc::new(store), Arc::new(SandboxGateway::new())).build().unwrap())
}

async fn create_lead(engine: &LeaseEngine, actor: Actor) -> Result<i64, Error> {
    engine.create_lead(actor, &draft(&json!({"first_name": "Ada"}))).await.map(|lead| lead.id.get())
}

fn staff() -> Actor {
    Actor::Staff { user: id(3) }
}

/// The leads that the journal has, and those that the store has beside the one of the prepared world.
async fn rows(database: &TestDatabase) -> (Vec<i64>, Vec<i64>) {
    let mut connection = database.connection().await;
    let journal = sqlx::query_scalar("select lead_id from journal order by 1").fetch_all(&mut connection).await.unwrap();
    let leads = sqlx::query_scalar("select id from leads where id > 1 order by 1").fetch_all(&mut connection).await.unwrap();
    (journal, leads)
}

#[tokio::test]
async fn the_rows_of_an_app_are_written_with_each_commit() {
    let hook = Arc::new(Journal::default());
    let (database, engine) = hooked(&hook).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(create_lead(&engine, staff()).await.unwrap());
    }
    assert_eq!(rows(&database).await, (made.clone(), made));
    assert_eq!(hook.calls.load(Ordering::Relaxed), 3);
    database.drop().await;
}

#[tokio::test]
async fn a_commit_that_is_refused_runs_no_hook() {
    let hook = Arc::new(Journal::default());
    let (database, engine) = hooked(&hook).await;
    // The database knows this user as a customer.
    create_lead(&engine, Actor::Staff { user: id(1) }).await.unwrap_err();
    assert_eq!(hook.calls.load(Ordering::Relaxed), 0);
    assert_eq!(rows(&database).await, (vec![], vec![]));
    database.drop().await;
}

#[tokio::test]
async fn a_hook_that_fails_undoes_the_commit() {
    let broken = "insert into public.journal select lead_id from public.journal";
    for (more, ignores_failure) in [("select 1 / 0", false), (broken, false), (broken, true)] {
        let hook = Arc::new(Journal { more: Some(more), ignores_failure, ..Journal::default() });
        let (database, engine) = hooked(&hook).await;
        let error = create_lead(&engine, staff()).await.unwrap_err();
        assert!(matches!(error, Error::Internal(_)), "{more}: {error:?}");
        assert_eq!(rows(&database).await, (vec![], vec![]), "{more}");
        assert_eq!(hook.calls.load(Ordering::Relaxed), 1, "{more}");
        database.drop().await;
    }
}

#[tokio::test]
async fn a_hook_that_takes_too_long_undoes_the_commit() {
    let hook = Arc::new(Journal { more: Some("set local statement_timeout = 50; select pg_sleep(60)"), ..Journal::default() });
    let (database, engine) = hooked(&hook).await;
    let error = create_lead(&engine, staff()).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert_eq!(rows(&database).await, (vec![], vec![]));
    database.drop().await;
}

/// Refuses the first time, as Postgres does after a deadlock.
const LOST_ONCE: &str = "create sequence attempts;
    create function lose_once() returns trigger language plpgsql as $$
    begin
        if nextval('public.attempts') = 1 then
            raise exception using errcode = '40P01';
        end if;
        return new;
    end;
    $$;";

#[tokio::test]
async fn an_attempt_that_postgres_rolled_back_leaves_nothing_of_the_hook() {
    // The statement of the commit, and that of the hook.
    for (table, calls) in [("leads", 1), ("journal", 2)] {
        let hook = Arc::new(Journal::default());
        let (database, engine) = hooked(&hook).await;
        let trigger = format!("{LOST_ONCE} create trigger lose before insert on {table} execute function lose_once()");
        database.connection().await.execute(AssertSqlSafe(trigger)).await.unwrap();
        let made = create_lead(&engine, staff()).await.unwrap();
        assert_eq!(rows(&database).await, (vec![made], vec![made]), "{table}");
        assert_eq!(hook.calls.load(Ordering::Relaxed), calls, "{table}");
        database.drop().await;
    }
}
