//! Any rows can be written: what Postgres then holds is what was to be, and the invariants hold there.

use chrono::{Duration, TimeZone as _, Utc};
use lease_core::invariants::Books;
use lease_core::money::Currency;
use lease_django::{Terms, map};
use lease_store_postgres::ImportError;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, TestRunner};

use crate::any_rows::rows;
use crate::postgres::TestDatabase;

/// How many sets of rows are tried.
const CASES: usize = 24;

#[tokio::test(flavor = "multi_thread")]
async fn any_rows_are_written_as_they_are_mapped() {
    let mut runner = TestRunner::new(Config::default());
    let now = Utc.with_ymd_and_hms(2026, 6, 1, 12, 0, 0).unwrap();
    let terms = Terms { now, currency: Currency::USD, token_ttl: Duration::days(30) };
    for _ in 0..CASES {
        let rows = rows().new_tree(&mut runner).unwrap().current();
        let import = map(&rows, &terms).import;
        let database = TestDatabase::create().await;
        let store = database.connect().await;
        store.import(&import).await.unwrap_or_else(|error| panic!("{error:?}: {rows:#?}"));
        let books = Books::read(&store).await.unwrap();
        assert_eq!(books.violations(), Vec::<String>::new(), "{rows:#?}");
        assert_eq!(Books { steps: None, ..books }, import.books(), "{rows:#?}");
        store.close().await;
        database.drop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_breaks_the_invariants_is_refused() {
    let mut runner = TestRunner::deterministic();
    let now = Utc.with_ymd_and_hms(2026, 6, 1, 12, 0, 0).unwrap();
    let terms = Terms { now, currency: Currency::USD, token_ttl: Duration::days(30) };
    let import = loop {
        let mut import = map(&rows().new_tree(&mut runner).unwrap().current(), &terms).import;
        if import.trades.pop().is_some_and(|trade| import.proposals.iter().any(|proposal| proposal.trade_id == trade.id)) {
            break import;
        }
    };
    let database = TestDatabase::create().await;
    let store = database.connect().await;
    let refused = store.import(&import).await.unwrap_err();
    assert!(matches!(&refused, ImportError::Broken(violations) if violations[0].starts_with("I7: ")), "{refused}");
    store.close().await;
    database.drop().await;
}
