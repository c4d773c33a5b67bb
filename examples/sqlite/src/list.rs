//! Pages of lists. A page is found by the ids of its rows: each branch of a list walks an index in the order of the ids, and SQLite
//! merges the branches and stops at the end of the page, however long the list is.

use lease_core::id::{CustomerId, Id, Stored};
use lease_core::page::{Cursor, Page, PageRequest, Place};
use lease_core::repository::RepositoryError;
use lease_core::text::Search;

use crate::sql::{Db, Sql, sql};
use crate::table::{Table, read_row};
use crate::value::{FromColumn, ToColumn, Value, name, ten_thousandths, values};

/// A place where rows of a list are found. In its text, `t` is the row.
#[derive(Clone)]
pub(crate) struct Branch {
    /// The column with the ids of the rows.
    id: &'static str,
    /// The tables and the condition: `trades t where t.customer_id = ?`.
    from: Sql,
}

impl Branch {
    pub(crate) fn new(id: &'static str, from: &str, values: Vec<Value>) -> Self {
        Self { id, from: sql(from, values) }
    }

    /// Of those rows, the ones that fulfil a condition as well.
    pub(crate) fn and(mut self, condition: &str, values: Vec<Value>) -> Self {
        self.from.push(" and ", []).push(condition, values);
        self
    }

    /// All rows of a table.
    pub(crate) fn all<T: Table>() -> Vec<Self> {
        vec![Self::new("t.id", &format!("{} t where true", T::NAME), Vec::new())]
    }
}

/// What a filter demands of the row `t`.
#[derive(Default)]
pub(crate) struct Filters {
    conditions: Sql,
    /// Whether something else than a name leads to few rows.
    is_narrow: bool,
}

impl Filters {
    /// The filters of a list of which each viewer sees branches.
    pub(crate) fn seen_by(viewer: Option<CustomerId>) -> Self {
        Self { is_narrow: viewer.is_some(), ..Self::default() }
    }

    /// Demands a condition.
    pub(crate) fn holds(mut self, condition: &str, values: Vec<Value>) -> Self {
        self.conditions.push(" and ", []).push(condition, values);
        self.is_narrow = true;
        self
    }

    /// Demands the name of a status or a kind, after what leads to fewer rows.
    pub(crate) fn named(self, column: &str, value: Option<impl Into<&'static str>>) -> Self {
        let column = format!("{}{column} =", self.plus());
        self.compare(&column, value.map(name))
    }

    /// What stands before a column that many rows have the same value of, so that its index is used only if nothing else leads to
    /// fewer: a plus sign keeps SQLite from it.
    pub(crate) const fn plus(&self) -> &'static str {
        if self.is_narrow { "+" } else { "" }
    }

    /// Compares a column, if there is something to compare it with: `compare("t.year >=", filter.year_min)`.
    pub(crate) fn compare(self, column: &str, value: Option<impl ToColumn>) -> Self {
        match value {
            Some(value) => self.holds(&format!("{column} ?"), values![value]),
            None => self,
        }
    }

    /// Demands that a text is found. There is no index of texts here: the walk looks at each text until the page is full.
    pub(crate) fn search(self, search: Option<&Search>) -> Self {
        let pieces = search.map_or(&[][..], Search::pieces);
        pieces.iter().fold(self, |filters, piece| filters.holds("instr(t.search_text, ?) > 0", values![piece]))
    }
}

/// The way along a list.
#[derive(Clone, Copy)]
pub(crate) struct Walk {
    /// The column by which the list is ordered, before the ids.
    pub(crate) key: Option<&'static str>,
    pub(crate) is_ascending: bool,
    /// Only rows behind this place.
    pub(crate) after: Option<Place>,
    pub(crate) limit: usize,
}

impl Walk {
    /// The way of a page of a list that is newest first, or in an order of its own.
    pub(crate) fn of(page: PageRequest, key: Option<&'static str>, is_ascending: bool) -> Self {
        let after = page.cursor().map(Cursor::place);
        Self { key, is_ascending: is_ascending != page.is_backward(), after, limit: page.fetch() }
    }
}

/// The ids of the rows that are in one of the branches and fulfil the filters, in the order of the walk.
pub(crate) async fn ids<I: FromColumn>(
    db: &mut Db,
    branches: &[Branch],
    filters: &Filters,
    walk: Walk,
) -> Result<Vec<I>, RepositoryError> {
    let (is_behind, direction) = if walk.is_ascending { (">", "asc") } else { ("<", "desc") };
    let mut statement = Sql::default();
    for (place, Branch { id, from }) in branches.iter().enumerate() {
        let key = walk.key.map(|key| format!(", {key}")).unwrap_or_default();
        statement.push(if place == 0 { "select " } else { " union select " }, []);
        statement.push(&format!("{id}{key} from "), []).append(from).append(&filters.conditions);
        match (walk.after, walk.key) {
            (None, _) => {}
            (Some(after), None) => {
                statement.push(&format!(" and {id} {is_behind} ?"), values![after.id]);
            }
            (Some(after), Some(key)) => {
                let price = after.price.map(|price| ten_thousandths(price.amount));
                statement.push(&format!(" and ({key}, {id}) {is_behind} (?, ?)"), values![price, after.id]);
            }
        }
    }
    let order = if walk.key.is_some() { format!("2 {direction}, 1 {direction}") } else { format!("1 {direction}") };
    statement.push(&format!(" order by {order} limit ?"), values![i64::try_from(walk.limit).unwrap_or(i64::MAX)]);
    statement.column(db).await
}

/// The rows with these ids, in the order of the ids upwards or downwards.
pub(crate) async fn rows<T: Table>(db: &mut Db, ids: &[T::Id], is_ascending: bool) -> Result<Vec<Stored<T>>, RepositoryError> {
    let list: Vec<String> = ids.iter().map(|id| id.get().to_string()).collect();
    let (list, direction) = (list.join(", "), if is_ascending { "asc" } else { "desc" });
    let text = format!("select id, {} from {} where id in ({list}) order by id {direction}", T::COLUMNS, T::NAME);
    sql(text, Vec::new()).rows(db).await?.iter().map(read_row).collect()
}

/// A page of a list of rows, newest first.
pub(crate) async fn page<T: Table>(
    db: &mut Db,
    branches: &[Branch],
    filters: Filters,
    page: PageRequest,
) -> Result<Page<Stored<T>>, RepositoryError> {
    let walk = Walk::of(page, None, false);
    let ids = ids::<T::Id>(db, branches, &filters, walk).await?;
    Ok(Page::of_stored(page, rows(db, &ids, walk.is_ascending).await?))
}
