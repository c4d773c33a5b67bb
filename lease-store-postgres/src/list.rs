//! Pages of a list: a keyset walk by id, whatever the filters.
//!
//! An actor may often see rows of several sorts. Each sort is a [`Branch`], which walks an index in the order of the ids and
//! stops after a page; the page consists of the first rows of all branches. So every page costs the same, wherever it is in the
//! list.
//!
//! Words that come from the code (statuses, kinds, limits) are written into the text of a query, so that partial indexes apply
//! and the plan is made for them. Every value from outside is an argument.

use lease_core::id::{CustomerId, Entity, Id, Stored};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::RepositoryError;
use lease_core::text::Search;
use sqlx::postgres::{PgRow, Postgres};
use sqlx::{Encode, FromRow, QueryBuilder, Type};

use crate::row::Row;
use crate::statement::Database;

/// A table that can be listed. Its alias in every query is `t`.
pub(crate) struct Table {
    /// Its name and alias: `trades t`.
    pub(crate) from: &'static str,
    /// The columns that are read, each with the alias.
    pub(crate) columns: &'static str,
}

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
    pub(crate) const fn all(table: &Table) -> Self {
        Self { from: table.from, key: "t.id", when: When::Always }
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
    visible_to.filter(|viewer| of != Some(*viewer)).map(Id::get)
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

/// Reads a page of `table`: the rows of `branches` that pass `filters`.
pub(crate) async fn page<R>(
    database: &Database,
    table: &Table,
    branches: &[Branch],
    filters: impl Fn(&mut Filters<'_>),
    request: PageRequest,
) -> Result<Page<Stored<R::Entity>>, RepositoryError>
where
    R: Row + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let rows = rows::<R>(database, table, branches, filters, request).await?;
    let items = rows.into_iter().map(Row::parse).collect::<Result<Vec<Stored<R::Entity>>, _>>()?;
    Ok(Page::of(request, items, |item| <R::Entity as Entity>::Id::get(item.id)))
}

/// Reads the rows of a page, in the order of the walk.
pub(crate) async fn rows<R>(
    database: &Database,
    table: &Table,
    branches: &[Branch],
    filters: impl Fn(&mut Filters<'_>),
    request: PageRequest,
) -> Result<Vec<R>, RepositoryError>
where
    R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    database
        .read(|pool| {
            let (mut query, is_planned_anew) = query(table, branches, &filters, request);
            async move { query.build_query_as::<R>().persistent(!is_planned_anew).fetch_all(pool).await }
        })
        .await
}

fn query(
    table: &Table,
    branches: &[Branch],
    filters: &impl Fn(&mut Filters<'_>),
    request: PageRequest,
) -> (QueryBuilder<Postgres>, bool) {
    let mut query = QueryBuilder::new("select ");
    query.push(table.columns);
    if let [branch] = branches {
        let is_planned_anew = walk(&mut query, branch, filters, request);
        return (query, is_planned_anew);
    }
    // An array, so that each row of the page is fetched by its id, whatever the planner assumes about the tables. Distinct, since
    // a row may be in several branches.
    query.push(" from ").push(table.from).push(" where t.id = any (array(select distinct branch.id from (");
    let mut is_planned_anew = false;
    for (number, branch) in branches.iter().enumerate() {
        query.push(if number == 0 { "(select " } else { ") union all (select " }).push(branch.key).push(" as id");
        is_planned_anew |= walk(&mut query, branch, filters, request);
    }
    query.push(")) as branch");
    order(&mut query, "branch.id", request);
    query.push(")) order by t.id ").push(direction(request));
    (query, is_planned_anew)
}

/// Adds one branch, from its table to its limit. Returns [`Filters::is_planned_anew`].
fn walk(query: &mut QueryBuilder<Postgres>, branch: &Branch, filters: &impl Fn(&mut Filters<'_>), request: PageRequest) -> bool {
    branch.push(query);
    let mut conditions = Filters { query, is_planned_anew: false };
    filters(&mut conditions);
    let is_planned_anew = conditions.is_planned_anew;
    if let Some(cursor) = request.cursor() {
        let comparison = if request.is_backward() { " > " } else { " < " };
        query.push(" and ").push(branch.key).push(comparison).push_bind(cursor.id());
        // Repeats the condition for the joined table, since Postgres does not infer it and might otherwise walk that table from
        // its end.
        if branch.key != "t.id" {
            query.push(" and t.id").push(comparison).push_bind(cursor.id());
        }
    }
    order(query, branch.key, request);
    is_planned_anew
}

fn order(query: &mut QueryBuilder<Postgres>, key: &str, request: PageRequest) {
    query.push(" order by ").push(key).push(" ").push(direction(request)).push(" limit ").push(request.fetch());
}

fn direction(request: PageRequest) -> &'static str {
    if request.is_backward() { "asc" } else { "desc" }
}
