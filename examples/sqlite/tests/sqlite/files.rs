//! What becomes of a file.

use lease_core::repository::{Repository as _, RepositoryError};
use lease_example_sqlite::SqliteRepository;
use sqlx::{Connection as _, Executor as _, SqliteConnection};

use crate::support::{Folder, new_service};

#[tokio::test]
async fn what_was_committed_is_there_when_the_file_is_opened_again() {
    let folder = Folder::new();
    folder.open().await.commit(&new_service()).await.unwrap();
    folder.open().await.commit(&new_service()).await.unwrap();
    assert_eq!(folder.count("services").await, 2);
}

#[tokio::test]
async fn a_new_file_is_opened_by_many_at_once() {
    for _ in 0..20 {
        let folder = Folder::new();
        let opened = tokio::join!(folder.open(), folder.open(), folder.open(), folder.open());
        opened.0.commit(&new_service()).await.unwrap();
        opened.3.commit(&new_service()).await.unwrap();
        assert_eq!(folder.count("services").await, 2);
    }
}

#[tokio::test]
async fn a_file_with_tables_of_another_version_is_refused() {
    let folder = Folder::new();
    drop(folder.open().await);
    folder.connect().await.execute("pragma user_version = 2").await.unwrap();
    let refused = SqliteRepository::open(&folder.file()).await;
    assert!(matches!(refused, Err(RepositoryError::Internal(_))));
}

/// Who follows the guide begins with the same tables.
#[tokio::test]
async fn the_tables_of_the_guide_are_those_of_the_store() {
    const GUIDE: &str = include_str!("../../../../lease-core/docs/backends.md");
    let (_, rest) = GUIDE.split_once("```sql\n").unwrap();
    let (tables, _) = rest.split_once("```").unwrap();
    let mut own = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    own.execute(tables).await.unwrap();
    let folder = Folder::new();
    drop(folder.open().await);
    let columns = columns_of_accounts(&mut own).await;
    assert_eq!(columns, columns_of_accounts(&mut folder.connect().await).await);
    assert!(!columns.is_empty());
}

/// The columns of the tables of the first step, each with what it may hold.
async fn columns_of_accounts(db: &mut SqliteConnection) -> Vec<String> {
    let columns = "select format('%s.%s %s %d %s', t.name, c.name, lower(c.type), max(c.\"notnull\", c.pk), c.dflt_value) \
        from sqlite_schema t join pragma_table_info(t.name) c \
        where t.name in ('users', 'login_names', 'customers', 'tokens') order by t.name, c.cid";
    sqlx::query_scalar(columns).fetch_all(db).await.unwrap()
}
