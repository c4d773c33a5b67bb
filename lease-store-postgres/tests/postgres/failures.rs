//! Failures between the store and Postgres: which statements are run again and how often, and the meaning of a lost connection.

use std::path::PathBuf;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use chrono::DateTime;
use lease_core::id::{ProposalId, TradeId, Version};
use lease_core::lifecycle::{TradeChange, TradeChanges, TradeText};
use lease_core::model::ProposalState;
use lease_core::permission::Actor;
use lease_core::repository::{Commit, Envelope, Repository as _, RepositoryError};
use lease_store_postgres::{PostgresOptions, PostgresRepository};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixListener, UnixStream};

use crate::readiness::until_ready;
use crate::support::{TestDatabase, WORLD};

/// A [`Line`] loses the response to any message that contains this word.
const SWALLOWED: &str = "swallowed";
/// The number of times that the store runs a statement that Postgres rolls back.
const ATTEMPTS: i64 = 5;

/// Rolls back the first statements that change a trade, as Postgres does with one of two that conflict. A sequence counts them,
/// since a rollback does not affect it.
const UNDOES: &str = "create sequence tries;
    create function undo() returns trigger language plpgsql as $$
    begin
        if nextval('tries') <= (select undone from undoing) then
            raise exception 'undone' using errcode = (select code from undoing);
        end if;
        return new;
    end $$;
    create trigger undo before update on trades for each row execute function undo();";

pub(crate) async fn world() -> TestDatabase {
    let database = TestDatabase::create().await;
    database.connection().await.execute(WORLD).await.unwrap();
    database
}

/// Changes the title of trade 1, which is expected to have this version.
pub(crate) async fn retitle(store: &PostgresRepository, expected: i64, title: &str) -> Result<(), RepositoryError> {
    let text = TradeText { title: title.to_owned(), description: String::new() };
    let changes = TradeChanges { text: Some(text), ..TradeChanges::default() };
    store.commit(&of_trade(expected, changes)).await.map(drop)
}

/// A commit of these changes to trade 1.
fn of_trade(expected: i64, changes: TradeChanges) -> Commit {
    let change = TradeChange { id: TradeId::new(1).unwrap(), expected: Version(expected), changes };
    Commit::new(Envelope::new(Actor::System, DateTime::UNIX_EPOCH), change)
}

async fn version(database: &TestDatabase) -> i64 {
    let mut connection = database.connection().await;
    sqlx::query_scalar("select version from trades where id = 1").fetch_one(&mut connection).await.unwrap()
}

/// The outcome of a commit if Postgres rolls back this many attempts, and the number of attempts.
async fn undone(undone: i64, code: &str) -> (Result<(), RepositoryError>, i64) {
    let database = world().await;
    let mut connection = database.connection().await;
    sqlx::query("create table undoing (undone bigint, code text)").execute(&mut connection).await.unwrap();
    sqlx::query("insert into undoing values ($1, $2)").bind(undone).bind(code).execute(&mut connection).await.unwrap();
    connection.execute(UNDOES).await.unwrap();
    let store = database.connect().await;
    let outcome = retitle(&store, 1, "As new").await;
    let tries = sqlx::query_scalar("select last_value from tries").fetch_one(&mut connection).await.unwrap();
    assert_eq!(version(&database).await, if outcome.is_ok() { 2 } else { 1 });
    drop(connection);
    store.close().await;
    database.drop().await;
    (outcome, tries)
}

#[tokio::test]
async fn a_rolled_back_statement_is_run_again_a_limited_number_of_times() {
    for code in ["40001", "40P01"] {
        let (outcome, tries) = undone(ATTEMPTS - 1, code).await;
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(tries, ATTEMPTS);
        let (outcome, tries) = undone(i64::MAX, code).await;
        assert!(matches!(outcome, Err(RepositoryError::Conflict)), "so that it is decided again: {outcome:?}");
        assert_eq!(tries, ATTEMPTS);
    }
}

#[tokio::test]
async fn a_statement_that_cannot_succeed_is_not_run_again() {
    let (outcome, tries) = undone(i64::MAX, "P0001").await;
    assert!(matches!(outcome, Err(RepositoryError::Internal(_))), "{outcome:?}");
    assert_eq!(tries, 1);
}

/// A state that only a fault in the code can cause, and no race, is reported as a fault with the name of the constraint.
#[tokio::test]
async fn an_inconsistent_row_is_an_internal_error() {
    let database = world().await;
    let store = database.connect().await;
    let accepted = ProposalState::Accepted { at: DateTime::UNIX_EPOCH };
    let decided = Some((ProposalId::new(1).unwrap(), accepted));
    let changes = TradeChanges { decided, ..TradeChanges::default() };
    let outcome = store.commit(&of_trade(version(&database).await, changes)).await;
    let Err(RepositoryError::Internal(fault)) = outcome else { panic!("{outcome:?}") };
    assert!(fault.to_string().contains("proposals_stage_fkey"), "{fault}");
    store.close().await;
    database.drop().await;
}

/// The connection ends while a commit waits for a lock.
#[tokio::test]
async fn a_commit_whose_connection_ends_is_unavailable() {
    let database = world().await;
    let mut holds = database.connection().await;
    holds.execute("begin; select from trades where id = 1 for update").await.unwrap();
    let store = database.connect().await;
    let commit = tokio::spawn({
        let store = store.clone();
        async move { retitle(&store, 1, "As new").await }
    });
    let mut watcher = database.connection().await;
    let terminate = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
        where datname = current_database() and wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(terminate).fetch_one(&mut watcher).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    let outcome = commit.await.unwrap();
    assert!(matches!(outcome, Err(RepositoryError::Unavailable(_))), "{outcome:?}");
    holds.execute("rollback").await.unwrap();
    assert!(retitle(&store, 1, "As new").await.is_ok(), "the store comes back by itself");
    drop((holds, watcher));
    store.close().await;
    database.drop().await;
}

/// The store's own errors show the state of the database: it is away, it only reads, it is back.
#[tokio::test]
async fn an_unreachable_database_is_unavailable_until_it_is_back() {
    let database = world().await;
    let store = database.connect().await;
    retitle(&store, 1, "Before").await.unwrap();
    let server = TestDatabase::create_empty().await;
    let mut administrator = server.connection().await;
    let name = database.name();
    let away = [
        format!("alter database {name} allow_connections false"),
        format!("alter database {name} set default_transaction_read_only = on"),
    ];
    let back = [
        format!("alter database {name} allow_connections true"),
        format!("alter database {name} reset default_transaction_read_only"),
    ];
    let terminate = format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'");
    for (expected, (away, back)) in (2..).zip(away.iter().zip(&back)) {
        for statement in [away, &terminate] {
            administrator.execute(AssertSqlSafe(statement.clone())).await.unwrap();
        }
        until_ready(&store, false).await;
        for _ in 0..10 {
            let outcome = store.ping().await;
            assert!(matches!(outcome, Err(RepositoryError::Unavailable(_))), "{outcome:?}");
            let outcome = retitle(&store, expected, "Meanwhile").await;
            assert!(matches!(outcome, Err(RepositoryError::Unavailable(_))), "{outcome:?}");
        }
        // The setting affects new connections only.
        for statement in [back, &terminate] {
            administrator.execute(AssertSqlSafe(statement.clone())).await.unwrap();
        }
        until_ready(&store, true).await;
        retitle(&store, expected, "After").await.unwrap();
    }
    drop(administrator);
    store.close().await;
    database.drop().await;
    server.drop().await;
}

/// The response to a commit is lost. The store never reports it as refused, since it was carried out.
#[tokio::test]
async fn a_commit_whose_response_is_lost_is_unavailable() {
    let database = world().await;
    let line = Line::to(&database);
    let store = line.store();
    // From here on the statement is prepared and is sent to Postgres in one piece.
    retitle(&store, 1, "Answered").await.unwrap();
    let outcome = retitle(&store, 2, SWALLOWED).await;
    assert!(matches!(outcome, Err(RepositoryError::Unavailable(_))), "{outcome:?}");
    assert_eq!(version(&database).await, 3, "it was carried out, and once");
    assert!(matches!(retitle(&store, 2, "Too late").await, Err(RepositoryError::Conflict)), "a second attempt sees the change");
    store.close().await;
    database.drop().await;
}

/// Reading twice does no harm.
#[tokio::test]
async fn a_load_whose_connection_ends_is_run_again() {
    let database = world().await;
    let line = Line::to(&database);
    let store = line.store();
    store.clock().await.unwrap();
    line.swallow_responses_on_open_connections();
    store.clock().await.unwrap();
    store.close().await;
    database.drop().await;
}

/// A network that goes silent does not end a connection. Statements that wait on it are given up, and so are the connections.
#[tokio::test]
async fn silent_connections_are_closed() {
    let database = world().await;
    let line = Line::to(&database);
    let mut options = PostgresOptions::default().with_max_connections(2);
    options.acquire_timeout = Duration::from_secs(2);
    options.statement_timeout = Duration::from_millis(500);
    let store = PostgresRepository::connect(line.options.to_url_lossy().as_str(), options).await.unwrap();
    let (one, other) = tokio::join!(store.clock(), store.clock());
    assert!(one.is_ok() && other.is_ok());
    while store.connection_count().idle < 2 {
        tokio::task::yield_now().await;
    }
    line.silence_open_connections();
    let (one, other) = tokio::join!(retitle(&store, 1, "As new"), retitle(&store, 1, "As new"));
    assert!(matches!(one, Err(RepositoryError::Unavailable(_))), "{one:?}");
    assert!(matches!(other, Err(RepositoryError::Unavailable(_))), "{other:?}");
    assert!(retitle(&store, 1, "As new").await.is_ok(), "the store comes back by itself");
    store.close().await;
    database.drop().await;
}

/// An unreliable line to Postgres: a socket that passes everything on, except for some responses.
struct Line {
    directory: PathBuf,
    options: PgConnectOptions,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Responses on connections up to this number are dropped, and the connection ends.
    bad_up_to: AtomicU32,
    /// Responses on connections up to this number are dropped, and the connection stays open.
    silent_up_to: AtomicU32,
    connections: AtomicU32,
}

impl Line {
    fn to(database: &TestDatabase) -> Self {
        static LINES: AtomicU32 = AtomicU32::new(0);
        let number = LINES.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("lease-line-{}-{number}", std::process::id()));
        std::fs::create_dir(&directory).unwrap();
        let upstream = PgConnectOptions::from_str(&database.url()).unwrap();
        let listener = UnixListener::bind(directory.join(format!(".s.PGSQL.{}", upstream.get_port()))).unwrap();
        let options = upstream.clone().socket(&directory);
        let state = Arc::new(State::default());
        tokio::spawn(accept(listener, upstream, Arc::clone(&state)));
        Self { directory, options, state }
    }

    fn store(&self) -> PostgresRepository {
        let options = PostgresOptions::default().with_max_connections(1);
        PostgresRepository::with_connect_options(self.options.clone(), options)
    }

    fn swallow_responses_on_open_connections(&self) {
        self.state.bad_up_to.store(self.state.connections.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    fn silence_open_connections(&self) {
        self.state.silent_up_to.store(self.state.connections.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

async fn accept(listener: UnixListener, upstream: PgConnectOptions, state: Arc<State>) {
    while let Ok((client, _)) = listener.accept().await {
        let number = state.connections.fetch_add(1, Ordering::SeqCst) + 1;
        let (state, upstream) = (Arc::clone(&state), upstream.clone());
        tokio::spawn(async move {
            if let Some(directory) = upstream.get_socket() {
                let socket = directory.join(format!(".s.PGSQL.{}", upstream.get_port()));
                pass_on(client, UnixStream::connect(socket).await.unwrap(), number, &state).await;
            } else {
                let address = (upstream.get_host(), upstream.get_port());
                pass_on(client, TcpStream::connect(address).await.unwrap(), number, &state).await;
            }
        });
    }
}

/// Passes everything on until a response that is to be dropped; then it ends.
async fn pass_on(client: UnixStream, server: impl AsyncRead + AsyncWrite, number: u32, state: &State) {
    let (mut asks, mut hears) = client.into_split();
    let (mut responses, mut takes) = tokio::io::split(server);
    let is_asked = AtomicBool::new(false);
    let there = async {
        let mut question = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = asks.read(&mut question).await {
            let is_marked = question[..length].windows(SWALLOWED.len()).any(|word| word == SWALLOWED.as_bytes());
            is_asked.fetch_or(is_marked, Ordering::SeqCst);
            takes.write_all(&question[..length]).await.unwrap();
        }
    };
    let back = async {
        let mut response = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = responses.read(&mut response).await {
            if is_asked.load(Ordering::SeqCst) || number <= state.bad_up_to.load(Ordering::SeqCst) {
                return;
            }
            if number <= state.silent_up_to.load(Ordering::SeqCst) {
                continue;
            }
            hears.write_all(&response[..length]).await.unwrap();
        }
    };
    tokio::select! {
        () = there => {}
        () = back => {}
    }
}
