//! Pages of a list: a keyset walk by id, or by a price and the id, whatever the filters.
//!
//! An actor may often see rows of several sorts. Each sort is a [`Branch`], which walks an index in the order of the ids and
//! stops after a page; the page consists of the first rows of all branches. So every page costs the same, wherever it is in the
//! list.
//!
//! Words that come from the code (statuses, kinds, limits) are written into the text of a query, so that partial indexes apply
//! and the plan is made for them. Every value from outside is an argument.

use lease_core::id::{CustomerId, Id as _, Stored};
use lease_core::page::{Cursor, Page, PageRequest, Place};
use lease_core::repository::RepositoryError;
use lease_core::text::Search;
use sqlx::postgres::Postgres;
use sqlx::{Encode, QueryBuilder, Type};

use crate::database::{Database, Statement};
use crate::row::{Fields, Table, push_columns};

/// Adds something to a query.
type Push<'a> = &'a (dyn Fn(&mut QueryBuilder<Postgres>) + Sync);

/// The rows of a list: what is read of each row of its table.
pub(crate) struct Shape<'a, R> {
    pub(crate) table: &'static str,
    /// The alias of the table for the columns and the joins. (The branches and the filters call it `t`.)
    pub(crate) alias: &'static str,
    /// Adds the columns.
    pub(crate) columns: Push<'a>,
    /// Adds the joins that the columns need. Each finds one row at most.
    pub(crate) joins: Option<Push<'a>>,
    /// Reads the columns.
    pub(crate) read: &'a (dyn Fn(&mut Fields<'_>) -> Result<R, RepositoryError> + Sync),
    /// The place of a row.
    pub(crate) place: &'a (dyn Fn(&R) -> Place + Sync),
}

/// The order of a list.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    /// Whether it begins with the lowest.
    pub(crate) is_ascending: bool,
    /// The column before the id: in the only branch, and in the shape.
    pub(crate) key: Option<(&'static str, &'static str)>,
}

/// The newest row first.
const NEWEST: Order = Order { is_ascending: false, key: None };

/// A set of rows that the list shows. `from` joins other tables to the table, or takes its place; `when` is the first condition;
/// `key` is the id as the index has it. Branches of one list may have rows in common.
pub(crate) struct Branch {
    from: &'static str,
    key: &'static str,
    when: When,
}

enum When {
    Always,
    Text(&'static str),
    /// A condition that ends in a comparison with this id.
    Id(&'static str, i64),
}

impl Branch {
    /// All rows of the table.
    pub(crate) const fn all(from: &'static str) -> Self {
        Self { from, key: "t.id", when: When::Always }
    }

    /// The rows for which `condition` holds.
    pub(crate) const fn of(from: &'static str, key: &'static str, condition: &'static str) -> Self {
        Self { from, key, when: When::Text(condition) }
    }

    /// The rows for which `condition` holds. It ends in a comparison with `id`.
    pub(crate) const fn of_id(from: &'static str, key: &'static str, condition: &'static str, id: i64) -> Self {
        Self { from, key, when: When::Id(condition, id) }
    }

    fn push(&self, query: &mut QueryBuilder<Postgres>) {
        query.push(" from ").push(self.from).push(" where ");
        match self.when {
            When::Always => query.push("true"),
            When::Text(condition) => query.push(condition),
            When::Id(condition, id) => query.push(condition).push_bind(id),
        };
    }
}

/// The conditions of a filter, for the table's alias `t`.
pub(crate) struct Filters<'a> {
    query: &'a mut QueryBuilder<Postgres>,
    /// Whether the plan depends on an argument, so that it has to be made each time.
    is_planned_anew: bool,
}

impl Filters<'_> {
    /// Adds a condition without an argument.
    pub(crate) fn holds(&mut self, condition: &str) {
        self.query.push(" and ").push(condition);
    }

    /// Adds `column <operator> value`, if there is a value.
    pub(crate) fn compare<'v, T>(&mut self, column_and_operator: &str, value: Option<T>)
    where
        T: Encode<'v, Postgres> + Type<Postgres> + 'v,
    {
        if let Some(value) = value {
            self.query.push(" and ").push(column_and_operator).push(" ").push_bind(value);
        }
    }

    /// Like [`compare`](Self::compare), for a comparison whose best index depends on how many rows have the value.
    pub(crate) fn compare_anew<'v, T>(&mut self, column_and_operator: &str, value: Option<T>)
    where
        T: Encode<'v, Postgres> + Type<Postgres> + 'v,
    {
        self.is_planned_anew |= value.is_some();
        self.compare(column_and_operator, value);
    }

    /// Adds a condition or a comparison whose best index depends on how many rows have the value.
    pub(crate) fn either_anew<'v, T>(&mut self, condition: &str, column_and_operator: &str, value: T)
    where
        T: Encode<'v, Postgres> + Type<Postgres> + 'v,
    {
        self.query.push(" and (").push(condition).push(" or ").push(column_and_operator).push(" ").push_bind(value).push(")");
        self.is_planned_anew = true;
    }

    /// Adds a range of numbers, from `min` to `max`.
    pub(crate) fn between(&mut self, column: &str, min: Option<i32>, max: Option<i32>) {
        if min == max {
            return self.compare(&format!("{column} ="), min);
        }
        self.compare_anew(&format!("{column} >="), min);
        self.compare_anew(&format!("{column} <="), max);
    }

    /// Adds a comparison with what a subquery finds. It ends in a comparison with `id`.
    pub(crate) fn compare_found(&mut self, column_and_operator: &str, subquery: &str, id: i64) {
        self.query.push(" and ").push(column_and_operator).push(" (").push(subquery).push(" ").push_bind(id).push(")");
    }

    /// Adds that a condition holds or that a subquery finds something. It ends in a comparison with `id`.
    pub(crate) fn either_found(&mut self, condition: &str, subquery: &str, id: i64) {
        self.query.push(" and (").push(condition).push(" or exists (").push(subquery).push(" ").push_bind(id).push("))");
    }

    /// Adds one of the names of an enum, written into the text of the query.
    pub(crate) fn name(&mut self, column: &str, name: Option<&'static str>) {
        if let Some(name) = name {
            self.query.push(" and ").push(column).push(" = '").push(name).push("'");
        }
    }

    /// Adds the pieces of a search text, all of which must occur.
    pub(crate) fn search(&mut self, search: Option<&Search>) {
        for piece in search.into_iter().flat_map(Search::pieces) {
            self.query.push(" and t.search_text like ").push_bind(format!("%{}%", escaped(piece)));
            self.is_planned_anew = true;
        }
    }
}

/// The customer whose view limits the list. None if customers ask for their own rows, all of which they may see.
pub(crate) fn viewer(visible_to: Option<CustomerId>, of: Option<CustomerId>) -> Option<i64> {
    visible_to.filter(|viewer| of != Some(*viewer)).map(CustomerId::get)
}

/// Escapes a piece of text for `like`, so that it matches literally.
fn escaped(piece: &str) -> String {
    let mut escaped = String::with_capacity(piece.len());
    for character in piece.chars() {
        if matches!(character, '\\' | '%' | '_') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// Reads a page of a table: the rows of `branches` that pass `filters`.
pub(crate) async fn page<T: Table>(
    database: &Database,
    branches: &[Branch],
    filters: impl Fn(&mut Filters<'_>) + Sync,
    request: PageRequest,
) -> Result<Page<Stored<T>>, RepositoryError> {
    page_of(database, &rows_of::<T>(), branches, filters, request).await
}

/// The rows of a table as they are.
fn rows_of<T: Table>() -> Shape<'static, Stored<T>> {
    Shape {
        table: T::NAME,
        alias: "t",
        columns: &|query| push_columns::<T>(query, "t"),
        joins: None,
        read: &|fields| fields.row::<T>(),
        place: &|row: &Stored<T>| row.id.get().into(),
    }
}

/// The rows that are read: how many, in which direction, by which column, from behind which place.
#[derive(Clone, Copy)]
struct Window {
    start: Option<Place>,
    is_upward: bool,
    key: Option<(&'static str, &'static str)>,
    rows: usize,
}

impl Window {
    fn of(request: PageRequest, Order { is_ascending, key }: Order) -> Self {
        let is_upward = is_ascending != request.is_backward();
        Self { start: request.cursor().map(Cursor::place), is_upward, key, rows: request.fetch() }
    }
}

/// Reads a page whose rows have another shape than those of their table.
pub(crate) async fn page_of<R: Send>(
    database: &Database,
    shape: &Shape<'_, R>,
    branches: &[Branch],
    filters: impl Fn(&mut Filters<'_>) + Sync,
    request: PageRequest,
) -> Result<Page<R>, RepositoryError> {
    page_in(database, shape, branches, filters, request, NEWEST).await
}

/// The same as [`page_of`], in another order.
pub(crate) async fn page_in<R: Send>(
    database: &Database,
    shape: &Shape<'_, R>,
    branches: &[Branch],
    filters: impl Fn(&mut Filters<'_>) + Sync,
    request: PageRequest,
    order: Order,
) -> Result<Page<R>, RepositoryError> {
    let rows = read(database, shape, branches, filters, Window::of(request, order)).await?;
    Ok(Page::of(request, rows, shape.place))
}

/// Reads the rows of a table after an id, or from the first on, upwards: at most `limit` of those of `branches` that pass
/// `filters`.
pub(crate) async fn forward<T: Table>(
    database: &Database,
    branches: &[Branch],
    filters: impl Fn(&mut Filters<'_>) + Sync,
    after: Option<T::Id>,
    limit: u32,
) -> Result<Vec<Stored<T>>, RepositoryError> {
    let start = Place::from(after.map_or(0, lease_core::id::Id::get));
    let window = Window { start: Some(start), is_upward: true, key: None, rows: limit as usize };
    read(database, &rows_of::<T>(), branches, filters, window).await
}

async fn read<R: Send>(
    database: &Database,
    shape: &Shape<'_, R>,
    branches: &[Branch],
    filters: impl Fn(&mut Filters<'_>) + Sync,
    window: Window,
) -> Result<Vec<R>, RepositoryError> {
    let rows = database.read(|| statement(shape, branches, &filters, window)).await?;
    rows.iter().map(|row| (shape.read)(&mut Fields::of(row))).collect()
}

fn statement<R>(shape: &Shape<'_, R>, branches: &[Branch], filters: &impl Fn(&mut Filters<'_>), window: Window) -> Statement {
    let mut query = QueryBuilder::new("select ");
    (shape.columns)(&mut query);
    let is_planned_anew = match (branches, shape.joins) {
        ([branch], None) => walk(&mut query, branch, filters, window),
        ([branch], Some(joins)) => {
            query.push(" from (select t.*");
            let is_planned_anew = walk(&mut query, branch, filters, window);
            query.push(") ").push(shape.alias);
            joins(&mut query);
            push_order_of(&mut query, shape, window);
            is_planned_anew
        }
        (branches, joins) => {
            query.push(" from ").push(shape.table).push(" ").push(shape.alias);
            if let Some(joins) = joins {
                joins(&mut query);
            }
            let is_planned_anew = push_ids(&mut query, shape, branches, filters, window);
            push_order_of(&mut query, shape, window);
            is_planned_anew
        }
    };
    if is_planned_anew { Statement::planned_anew(query) } else { query.into() }
}

/// Adds the ids of a page of several branches. An array, so that each row of the page is fetched by its id, whatever the planner
/// assumes about the tables. Distinct, since a row may be in several branches. Returns [`Filters::is_planned_anew`].
fn push_ids<R>(
    query: &mut QueryBuilder<Postgres>,
    shape: &Shape<'_, R>,
    branches: &[Branch],
    filters: &impl Fn(&mut Filters<'_>),
    window: Window,
) -> bool {
    query.push(" where ").push(shape.alias).push(".id = any (array(select distinct branch.id from (");
    let mut is_planned_anew = false;
    for (number, branch) in branches.iter().enumerate() {
        query.push(if number == 0 { "(select " } else { ") union all (select " }).push(branch.key).push(" as id");
        is_planned_anew |= walk(query, branch, filters, window);
    }
    query.push(")) as branch");
    order(query, None, "branch.id", window);
    query.push("))");
    is_planned_anew
}

fn push_order_of<R>(query: &mut QueryBuilder<Postgres>, shape: &Shape<'_, R>, window: Window) {
    query.push(" order by ");
    if let Some((_, key)) = window.key {
        query.push(key).push(" ").push(direction(window)).push(", ");
    }
    query.push(shape.alias).push(".id ").push(direction(window));
}

/// Adds one branch, from its table to its limit. Returns [`Filters::is_planned_anew`].
fn walk(query: &mut QueryBuilder<Postgres>, branch: &Branch, filters: &impl Fn(&mut Filters<'_>), window: Window) -> bool {
    branch.push(query);
    let mut conditions = Filters { query, is_planned_anew: false };
    filters(&mut conditions);
    let is_planned_anew = conditions.is_planned_anew;
    let key = window.key.map(|(key, _)| key);
    let comparison = if window.is_upward { " > " } else { " < " };
    if let (Some(key), Some(Place { id, price: Some(price) })) = (key, window.start) {
        query.push(" and (").push(key).push(", ").push(branch.key).push(")").push(comparison).push("(");
        query.push_bind(price.amount).push(", ").push_bind(id).push(")");
    } else if let Some(Place { id: start, .. }) = window.start {
        query.push(" and ").push(branch.key).push(comparison).push_bind(start);
        // Repeats the condition for the joined table, since Postgres does not infer it and might otherwise walk that table from
        // its end.
        if branch.key != "t.id" {
            query.push(" and t.id").push(comparison).push_bind(start);
        }
    }
    order(query, key, branch.key, window);
    is_planned_anew
}

fn order(query: &mut QueryBuilder<Postgres>, key: Option<&str>, id: &str, window: Window) {
    query.push(" order by ");
    if let Some(key) = key {
        query.push(key).push(" ").push(direction(window)).push(", ");
    }
    query.push(id).push(" ").push(direction(window)).push(" limit ").push(window.rows);
}

fn direction(window: Window) -> &'static str {
    if window.is_upward { "asc" } else { "desc" }
}
