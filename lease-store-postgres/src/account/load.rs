use lease_core::account::{AccountSnapshot, Token};
use lease_core::id::{Stored, UserId, Version, Versioned};
use lease_core::model::{Account, LoginName, User};
use lease_core::repository::{RepositoryError, TokenKey};
use sqlx::QueryBuilder;
use sqlx::postgres::Postgres;

use crate::database::Database;
use crate::row::{Fields, push_columns, read_account};

/// Adds the columns of a user and the id of the user's customer.
fn push_account(query: &mut QueryBuilder<Postgres>) {
    push_columns::<User>(query, "u");
    query.push(", c.id");
}

pub(super) async fn token(database: &Database, key: TokenKey) -> Result<Option<(Stored<Token>, Account)>, RepositoryError> {
    let statement = || {
        let mut query = QueryBuilder::new("select ");
        push_columns::<Token>(&mut query, "t");
        push_account(query.push(", "));
        query.push(" from tokens t join users u on u.id = t.user_id left join customers c on c.user_id = u.id where ");
        match &key {
            TokenKey::Hash(hash) => query.push("t.hash = ").push_bind(hash.0),
            TokenKey::Id(id) => query.push("t.id = ").push_bind(id.get()),
        };
        query
    };
    let Some(row) = database.read_one(statement).await? else { return Ok(None) };
    let mut fields = Fields::of(&row);
    Ok(Some((fields.row()?, read_account(&mut fields)?)))
}

pub(super) async fn login(database: &Database, name: &LoginName) -> Result<Option<Account>, RepositoryError> {
    let statement = || {
        let mut query = QueryBuilder::new("select ");
        push_account(&mut query);
        query.push(" from login_names n join users u on u.id = n.user_id left join customers c on c.user_id = u.id");
        query.push(" where n.name = ").push_bind(name.as_str());
        query
    };
    let found = database.read_one(statement).await?;
    found.map(|row| read_account(&mut Fields::of(&row))).transpose()
}

pub(super) async fn account(database: &Database, id: UserId) -> Result<Option<Versioned<AccountSnapshot>>, RepositoryError> {
    let statement = || {
        let mut query = QueryBuilder::new("select u.version, ");
        push_account(&mut query);
        query.push(
            ", exists (select from credit_cards where customer_id = c.id) \
             or exists (select from contacts where customer_id = c.id) \
             or exists (select from leads where customer_id = c.id) \
             or exists (select from vehicles where customer_id = c.id) \
             or exists (select from trade_parties where customer_id = c.id) \
             or exists (select from invoices where customer_id = c.id) \
             or exists (select from payments where customer_id = c.id), \
             exists (select from users other where other.role = 'superuser' and other.is_active and other.id <> u.id) \
             from users u left join customers c on c.user_id = u.id where u.id = ",
        );
        query.push_bind(id.get());
        query
    };
    let Some(row) = database.read_one(statement).await? else { return Ok(None) };
    let mut fields = Fields::of(&row);
    let version: Version = fields.version()?;
    let value = AccountSnapshot {
        account: read_account(&mut fields)?,
        customer_in_use: fields.get()?,
        another_active_superuser: fields.get()?,
    };
    Ok(Some(Versioned { version, value }))
}

pub(super) async fn taken_names(database: &Database, names: &[LoginName]) -> Result<Vec<(LoginName, UserId)>, RepositoryError> {
    let wanted: Vec<String> = names.iter().map(|name| name.as_str().to_owned()).collect();
    let statement = || {
        let mut query = QueryBuilder::new("select name, user_id from login_names where name = any (");
        query.push_bind(&wanted[..]).push(")");
        query
    };
    let taken = database.read(statement).await?;
    let read = |mut fields: Fields<'_>| Ok((LoginName::new(fields.get()?), fields.id()?));
    taken.iter().map(|row| read(Fields::of(row))).collect()
}
