//! What objects are called, all in one statement.

use lease_core::repository::{Named, RepositoryError, Words};
use sqlx::QueryBuilder;

use crate::database::Database;
use crate::row::Fields;

/// The ids of each kind of object, and where their names are, in the order of the kinds.
const NAMES: [&str; 5] = [
    "u.id, u.username, '', '' from users u where u.id",
    "c.id, u.first_name, u.last_name, '' from customers c join users u on u.id = c.user_id where c.id",
    "v.id, v.make, v.model, '' from vehicles v where v.id",
    "s.id, s.name, '', '' from services s where s.id",
    "t.id, t.title, t.offered_make, t.offered_model from trades t where t.id",
];

pub(crate) async fn names(database: &Database, of: &[Named]) -> Result<Vec<(Named, Words)>, RepositoryError> {
    let mut ids: [Vec<i64>; 5] = Default::default();
    for named in of {
        let (kind, id) = place(*named);
        ids[kind].push(id);
    }
    let statement = || {
        let asked = ids.iter().enumerate().filter(|(_, ids)| !ids.is_empty());
        let mut query = QueryBuilder::new("");
        for (place, (kind, ids)) in asked.enumerate() {
            let union = if place == 0 { "" } else { " union all " };
            query.push(format_args!("{union}select {kind}, {} = any(", NAMES[kind])).push_bind(ids.clone()).push(")");
        }
        query
    };
    let rows = database.read(statement).await?;
    rows.iter().map(|row| read(Fields::of(row))).collect()
}

/// The place of the kind among [`NAMES`], and the id.
fn place(named: Named) -> (usize, i64) {
    match named {
        Named::User(id) => (0, id.get()),
        Named::Customer(id) => (1, id.get()),
        Named::Vehicle(id) => (2, id.get()),
        Named::Service(id) => (3, id.get()),
        Named::Trade(id) => (4, id.get()),
    }
}

fn read(mut fields: Fields<'_>) -> Result<(Named, Words), RepositoryError> {
    let kind: i32 = fields.get()?;
    let named = match kind {
        0 => Named::User(fields.id()?),
        1 => Named::Customer(fields.id()?),
        2 => Named::Vehicle(fields.id()?),
        3 => Named::Service(fields.id()?),
        _ => Named::Trade(fields.id()?),
    };
    Ok((named, [fields.get()?, fields.get()?, fields.get()?]))
}
