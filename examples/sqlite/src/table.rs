//! What all tables have in common.

use lease_core::decision::RowChange;
use lease_core::id::{Entity, Id, Stored, Version, Versioned};
use lease_core::repository::RepositoryError;
use sqlx::sqlite::SqliteRow;

use crate::error::require;
use crate::sql::{Db, Fields, Sql, sql};
use crate::value::{FromColumn, ToColumn, Value, values};

/// A type whose values are the rows of a table.
pub(crate) trait Table: Entity<Id: ToColumn + FromColumn> {
    const NAME: &'static str;
    /// The columns that [`read`](Self::read) reads, in its order.
    const COLUMNS: &'static str;
    /// The columns that follow from the others and are only written, each after a comma.
    const DERIVED: &'static str = "";

    /// The values of [`COLUMNS`](Self::COLUMNS) and then of [`DERIVED`](Self::DERIVED).
    fn values(&self) -> Vec<Value>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError>;
}

/// Reads the columns `id` and [`Table::COLUMNS`].
pub(crate) fn read_row<T: Table>(row: &SqliteRow) -> Result<Stored<T>, RepositoryError> {
    let mut fields = Fields::of(row, T::NAME);
    let id: T::Id = fields.get()?;
    fields.id = id.get();
    Ok(Stored { id, value: T::read(&mut fields)? })
}

/// Selects rows by a condition, such as `id = ?`.
pub(crate) fn select<T: Table>(condition: &str, values: Vec<Value>) -> Sql {
    sql(format!("select id, {} from {} where {condition}", T::COLUMNS, T::NAME), values)
}

/// The first row that a condition finds.
pub(crate) async fn find_by<T: Table>(
    db: &mut Db,
    condition: &str,
    values: Vec<Value>,
) -> Result<Option<Stored<T>>, RepositoryError> {
    select::<T>(condition, values).row(db).await?.map(|row| read_row(&row)).transpose()
}

/// One row.
pub(crate) async fn find<T: Table>(db: &mut Db, id: T::Id) -> Result<Option<Stored<T>>, RepositoryError> {
    find_by(db, "id = ?", values![id]).await
}

/// One row, or a conflict if it is gone.
pub(crate) async fn get<T: Table>(db: &mut Db, id: T::Id) -> Result<Stored<T>, RepositoryError> {
    find(db, id).await?.ok_or(RepositoryError::Conflict)
}

/// One row with its version.
pub(crate) async fn find_versioned<T: Table>(db: &mut Db, id: T::Id) -> Result<Option<Versioned<Stored<T>>>, RepositoryError> {
    let Some(value) = find(db, id).await? else { return Ok(None) };
    let version = sql(format!("select version from {} where id = ?", T::NAME), values![id]).value(db).await?;
    Ok(version.map(|version| Versioned { version, value }))
}

/// Succeeds if a row is at this version, to which it then is no longer.
pub(crate) async fn bump<T: Table>(db: &mut Db, id: T::Id, expected: Version) -> Result<(), RepositoryError> {
    let text = format!("update {} set version = version + 1 where id = ? and version = ?", T::NAME);
    require(sql(text, values![id, expected]).run(db).await? == 1)
}

/// The statement that adds a row, up to its end: `returning id`, or what to do if the row is there already.
pub(crate) fn insert_statement<T: Table>(value: &T, end: &str) -> Sql {
    let values = value.values();
    let marks = vec!["?"; values.len()].join(", ");
    sql(format!("insert into {} ({}{}) values ({marks}) {end}", T::NAME, T::COLUMNS, T::DERIVED), values)
}

/// Adds a row. Returns its id.
pub(crate) async fn insert<T: Table>(db: &mut Db, value: &T) -> Result<T::Id, RepositoryError> {
    insert_statement(value, "returning id").value(db).await?.ok_or(RepositoryError::Conflict)
}

/// Replaces the value of a row.
pub(crate) async fn update<T: Table>(db: &mut Db, id: T::Id, value: &T) -> Result<(), RepositoryError> {
    let values = value.values();
    let marks = vec!["?"; values.len()].join(", ");
    let mut statement = sql(format!("update {} set ({}{}) = ({marks}) where id = ", T::NAME, T::COLUMNS, T::DERIVED), values);
    statement.push("?", values![id]);
    require(statement.run(db).await? == 1)
}

/// Deletes a row. If others refer to it, that is a conflict.
pub(crate) async fn delete<T: Table>(db: &mut Db, id: T::Id) -> Result<(), RepositoryError> {
    require(sql(format!("delete from {} where id = ?", T::NAME), values![id]).run(db).await? == 1)
}

/// Writes a change to one row. Returns the id of a new row.
pub(crate) async fn change<T: Table>(db: &mut Db, change: &RowChange<T>) -> Result<Option<T::Id>, RepositoryError> {
    match change {
        RowChange::Create(value) => return insert(db, value).await.map(Some),
        RowChange::Update { id, expected, value } => {
            bump::<T>(db, *id, *expected).await?;
            update(db, *id, value).await?;
        }
        RowChange::Delete { id, expected } => {
            bump::<T>(db, *id, *expected).await?;
            delete::<T>(db, *id).await?;
        }
    }
    Ok(None)
}

/// Deletes the oldest rows that a condition finds, at most `limit`. `order` is the column of their age. Returns how many.
pub(crate) async fn purge(
    db: &mut Db,
    (table, key, order): (&str, &str, &str),
    condition: &str,
    mut values: Vec<Value>,
    limit: u32,
) -> Result<u64, RepositoryError> {
    values.extend(values![limit]);
    let oldest = format!("select {key} from {table} where {condition} order by {order} limit ?");
    sql(format!("delete from {table} where {key} in ({oldest})"), values).run(db).await
}
