//! Django's database.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Column as _, Connection as _, Executor as _, Row as _, TypeInfo as _, ValueRef as _};

use super::SourceError;
use crate::cell::{Cell, Cells, cells_of_json};
use crate::rows::Rows;

/// The table of a model. Django names it so.
fn table(model: &str) -> String {
    model.replace('.', "_")
}

pub(super) async fn read_postgres(url: &str) -> Result<Rows, SourceError> {
    let options: PgConnectOptions = url.parse()?;
    let mut connection = PgConnection::connect_with(&options.application_name("lease import")).await?;
    connection.execute("begin isolation level repeatable read read only").await?;
    let (mut rows, mut is_foreign) = (Rows::default(), true);
    for model in Rows::MODELS {
        let table = table(model);
        let has_table = sqlx::query_scalar("select to_regclass($1) is not null").bind(&table);
        if !has_table.fetch_one(&mut connection).await? {
            continue;
        }
        is_foreign = false;
        // As JSON, a row shows the columns that it has, and floats in their shortest form.
        let select = AssertSqlSafe(format!("select row_to_json(t)::text from {table} t"));
        for row in sqlx::query_scalar::<_, String>(select).fetch_all(&mut connection).await? {
            rows.add(model, &cells_of_json(serde_json::from_str(&row)?));
        }
    }
    connection.close().await?;
    if is_foreign { Err(SourceError::Foreign) } else { Ok(rows) }
}

pub(super) async fn read_sqlite(url: &str) -> Result<Rows, SourceError> {
    let options: SqliteConnectOptions = url.parse()?;
    let mut connection = SqliteConnection::connect_with(&options.read_only(true).create_if_missing(false)).await?;
    connection.execute("begin").await?;
    let (mut rows, mut is_foreign) = (Rows::default(), true);
    for model in Rows::MODELS {
        let table = table(model);
        let has_table =
            sqlx::query_scalar("select count(*) > 0 from sqlite_master where type = 'table' and name = $1").bind(&table);
        if !has_table.fetch_one(&mut connection).await? {
            continue;
        }
        is_foreign = false;
        let select = AssertSqlSafe(format!("select t.* from {table} t"));
        for row in sqlx::query(select).fetch_all(&mut connection).await? {
            rows.add(model, &sqlite_cells(&row)?);
        }
    }
    connection.close().await?;
    if is_foreign { Err(SourceError::Foreign) } else { Ok(rows) }
}

/// In SQLite each value has a type of its own, whatever that of its column is.
fn sqlite_cells(row: &SqliteRow) -> Result<Cells, sqlx::Error> {
    let cell = |place: usize| {
        let value = row.try_get_raw(place)?;
        if value.is_null() {
            return Ok(Cell::Nothing);
        }
        let type_info = value.type_info().into_owned();
        Ok::<_, sqlx::Error>(match type_info.name() {
            "REAL" => Cell::Number(row.try_get_unchecked::<f64, _>(place)?.to_string()),
            "BLOB" => Cell::Nothing,
            "TEXT" => Cell::Text(row.try_get_unchecked(place)?),
            _ => Cell::Number(row.try_get_unchecked::<i64, _>(place)?.to_string()),
        })
    };
    row.columns().iter().map(|column| Ok((column.name().to_owned(), cell(column.ordinal())?))).collect()
}
