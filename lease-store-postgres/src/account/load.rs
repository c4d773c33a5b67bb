use lease_core::account::AccountSnapshot;
use lease_core::account::{Token, TokenHash};
use lease_core::id::{CustomerId, Stored, UserId, Version, Versioned};
use lease_core::model::{Account, Customer, LoginName};
use lease_core::repository::RepositoryError;

use crate::row::{At, CustomerRow, TokenRow, UserRow, versioned};
use crate::statement::Database;

pub(super) async fn token(database: &Database, hash: &TokenHash) -> Result<Option<(Token, Account)>, RepositoryError> {
    let found = database
        .read(|pool| {
            sqlx::query!(
                r#"
            select
                row(t.hash, t.user_id, t.epoch, t.expires_at) as "token!: TokenRow",
                row(
                    u.id, u.username, u.email, u.first_name, u.last_name, u.password_hash, u.is_active, u.role, u.date_joined,
                    u.last_login, u.token_epoch, c.id
                ) as "user!: UserRow"
            from tokens t
            join users u on u.id = t.user_id
            left join customers c on c.user_id = u.id
            where t.hash = $1
            "#,
                hash.0.as_slice()
            )
            .fetch_optional(pool)
        })
        .await?;
    found.map(|found| Ok((found.token.token()?, found.user.account()?))).transpose()
}

pub(super) async fn login(database: &Database, name: &LoginName) -> Result<Option<Account>, RepositoryError> {
    let found = database
        .read(|pool| {
            sqlx::query!(
                r#"
            select
                row(
                    u.id, u.username, u.email, u.first_name, u.last_name, u.password_hash, u.is_active, u.role, u.date_joined,
                    u.last_login, u.token_epoch, c.id
                ) as "user!: UserRow"
            from login_names n
            join users u on u.id = n.user_id
            left join customers c on c.user_id = u.id
            where n.name = $1
            "#,
                name.as_str()
            )
            .fetch_optional(pool)
        })
        .await?;
    found.map(|found| found.user.account()).transpose()
}

pub(super) async fn account(database: &Database, id: UserId) -> Result<Option<Versioned<AccountSnapshot>>, RepositoryError> {
    let found = database
        .read(|pool| {
            sqlx::query!(
                r#"
            select
                u.version,
                row(
                    u.id, u.username, u.email, u.first_name, u.last_name, u.password_hash, u.is_active, u.role, u.date_joined,
                    u.last_login, u.token_epoch, c.id
                ) as "user!: UserRow",
                (
                    exists (select from credit_cards where customer_id = c.id)
                    or exists (select from contacts where customer_id = c.id)
                    or exists (select from leads where customer_id = c.id)
                    or exists (select from vehicles where customer_id = c.id)
                    or exists (select from trade_parties where customer_id = c.id)
                    or exists (select from invoices where customer_id = c.id)
                    or exists (select from payments where customer_id = c.id)
                ) as "customer_in_use!",
                exists (
                    select
                    from users other
                    where other.role = 'superuser'
                        and other.is_active
                        and other.id <> u.id
                ) as "another_active_superuser!"
            from users u
            left join customers c on c.user_id = u.id
            where u.id = $1
            "#,
                id.get()
            )
            .fetch_optional(pool)
        })
        .await?;
    found
        .map(|found| {
            let value = AccountSnapshot {
                account: found.user.account()?,
                customer_in_use: found.customer_in_use,
                another_active_superuser: found.another_active_superuser,
            };
            Ok(Versioned { version: Version(found.version), value })
        })
        .transpose()
}

pub(super) async fn taken_names(database: &Database, names: &[LoginName]) -> Result<Vec<(LoginName, UserId)>, RepositoryError> {
    let wanted: Vec<String> = names.iter().map(|name| name.as_str().to_owned()).collect();
    let taken = database
        .read(|pool| {
            sqlx::query!(
                r#"
            select name, user_id
            from login_names
            where name = any ($1)
            "#,
                &wanted
            )
            .fetch_all(pool)
        })
        .await?;
    taken
        .into_iter()
        .map(|row| Ok((LoginName::new(&row.name), At::new("login_names", row.user_id).id("user_id", row.user_id)?)))
        .collect()
}

pub(super) async fn customer(
    database: &Database,
    id: CustomerId,
) -> Result<Option<Versioned<Stored<Customer>>>, RepositoryError> {
    let found = database
        .read(|pool| {
            sqlx::query!(
                r#"
            select version, row(id, user_id, job, dob, notes, created_at) as "customer!: CustomerRow"
            from customers
            where id = $1
            "#,
                id.get()
            )
            .fetch_optional(pool)
        })
        .await?;
    found.map(|found| versioned(found.version, found.customer)).transpose()
}
