//! Statements with their values, and the rows that they return.

use lease_core::money::{Currency, Money};
use lease_core::repository::RepositoryError;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, Decode, Row as _, Sqlite, TypeInfo as _, ValueRef as _};

use crate::error::{failure, fault};
use crate::value::{FromColumn, Named, Value, amount_of};

/// The connection that a statement runs on, within a transaction.
pub(crate) type Db = SqliteConnection;

/// A statement. Its text is made of constants of this crate; what comes from outside is among the values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sql {
    text: String,
    values: Vec<Value>,
}

/// A statement with these values for its question marks: `sql("select id from users where role = ?", values![role])`.
pub(crate) fn sql(text: impl Into<String>, values: Vec<Value>) -> Sql {
    Sql { text: text.into(), values }
}

impl Sql {
    /// Adds text and its values.
    pub(crate) fn push(&mut self, text: &str, values: impl IntoIterator<Item = Value>) -> &mut Self {
        self.text.push_str(text);
        self.values.extend(values);
        self
    }

    /// Adds another statement's text and values.
    pub(crate) fn append(&mut self, other: &Self) -> &mut Self {
        self.push(&other.text, other.values.iter().cloned())
    }

    fn arguments(values: Vec<Value>) -> Result<SqliteArguments, RepositoryError> {
        let mut arguments = SqliteArguments::default();
        for value in values {
            let added = match value {
                Value::Null => arguments.add(None::<i64>),
                Value::Integer(number) => arguments.add(number),
                Value::Text(text) => arguments.add(text),
                Value::Blob(bytes) => arguments.add(bytes),
                Value::Unfit(why) => return Err(fault(why)),
            };
            added.map_err(RepositoryError::Internal)?;
        }
        Ok(arguments)
    }

    /// Runs the statement. Returns how many rows it changed.
    pub(crate) async fn run(self, db: &mut Db) -> Result<u64, RepositoryError> {
        let arguments = Self::arguments(self.values)?;
        let done = sqlx::query_with(AssertSqlSafe(self.text), arguments).execute(db).await.map_err(failure)?;
        Ok(done.rows_affected())
    }

    /// The rows that the statement returns.
    pub(crate) async fn rows(self, db: &mut Db) -> Result<Vec<SqliteRow>, RepositoryError> {
        let arguments = Self::arguments(self.values)?;
        sqlx::query_with(AssertSqlSafe(self.text), arguments).fetch_all(db).await.map_err(failure)
    }

    /// The first row that the statement returns.
    pub(crate) async fn row(self, db: &mut Db) -> Result<Option<SqliteRow>, RepositoryError> {
        let arguments = Self::arguments(self.values)?;
        sqlx::query_with(AssertSqlSafe(self.text), arguments).fetch_optional(db).await.map_err(failure)
    }

    /// The first column of each row.
    pub(crate) async fn column<T: FromColumn>(self, db: &mut Db) -> Result<Vec<T>, RepositoryError> {
        self.rows(db).await?.iter().map(|row| Fields::of(row, "").get()).collect()
    }

    /// The first column of the first row.
    pub(crate) async fn value<T: FromColumn>(self, db: &mut Db) -> Result<Option<T>, RepositoryError> {
        self.row(db).await?.map(|row| Fields::of(&row, "").get()).transpose()
    }

    /// Whether the statement returns a row.
    pub(crate) async fn exists(self, db: &mut Db) -> Result<bool, RepositoryError> {
        Ok(self.row(db).await?.is_some())
    }
}

/// The columns of a row, read from the first to the last.
pub(crate) struct Fields<'r> {
    row: &'r SqliteRow,
    next: usize,
    /// The table and the id of the row, for errors.
    table: &'static str,
    pub(crate) id: i64,
}

impl<'r> Fields<'r> {
    pub(crate) const fn of(row: &'r SqliteRow, table: &'static str) -> Self {
        Self { row, next: 0, table, id: 0 }
    }

    /// The next column.
    pub(crate) fn get<T: FromColumn>(&mut self) -> Result<T, RepositoryError> {
        let place = self.next;
        self.next += 1;
        let value = read(self.row, place).map_err(failure)?;
        T::from_column(value).ok_or_else(|| self.fault(&format!("column {place} makes no sense")))
    }

    /// Passes over columns.
    pub(crate) const fn skip(&mut self, columns: usize) {
        self.next += columns;
    }

    /// The next column, which has the name of a value.
    pub(crate) fn name<T: std::str::FromStr>(&mut self) -> Result<T, RepositoryError> {
        self.get().map(|Named(value)| value)
    }

    /// The next columns, which are an amount and its currency.
    pub(crate) fn money(&mut self) -> Result<Money, RepositoryError> {
        let [money] = self.amounts()?;
        Ok(money)
    }

    /// The next columns, which are amounts and the currency of all.
    pub(crate) fn amounts<const N: usize>(&mut self) -> Result<[Money; N], RepositoryError> {
        let numbers = (0..N).map(|_| self.get()).collect::<Result<Vec<i64>, _>>()?;
        let code: String = self.get()?;
        let currency = self.some(Currency::from_stored(&code))?;
        let amounts = numbers.into_iter().map(|number| Money::from_stored(amount_of(number), currency).ok());
        let amounts = amounts.collect::<Option<Vec<Money>>>().and_then(|amounts| amounts.try_into().ok());
        self.some(amounts)
    }

    /// A value that the state of the row requires.
    pub(crate) fn some<T>(&self, value: Option<T>) -> Result<T, RepositoryError> {
        value.ok_or_else(|| self.fault("a value is missing"))
    }

    pub(crate) fn fault(&self, reason: &str) -> RepositoryError {
        RepositoryError::Corrupt { table: self.table, id: self.id, reason: reason.to_owned() }
    }
}

fn read(row: &SqliteRow, place: usize) -> Result<Value, sqlx::Error> {
    let value = row.try_get_raw(place)?;
    if value.is_null() {
        return Ok(Value::Null);
    }
    let kind = value.type_info().name().to_owned();
    let read = match kind.as_str() {
        "TEXT" => <String as Decode<Sqlite>>::decode(value).map(Value::Text),
        "BLOB" => <Vec<u8> as Decode<Sqlite>>::decode(value).map(Value::Blob),
        _ => <i64 as Decode<Sqlite>>::decode(value).map(Value::Integer),
    };
    read.map_err(sqlx::Error::Decode)
}
