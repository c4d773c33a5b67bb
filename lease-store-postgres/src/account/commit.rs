use chrono::{DateTime, Utc};
use lease_core::account::{AccountChange, CustomerChange, Login, NewAccount, TokenRevocation};
use lease_core::decision::RowChange;
use lease_core::id::NewIds;
use lease_core::model::{Customer, User};
use lease_core::repository::{Guarantee, RepositoryError};
use serde_json::Value;

use crate::row::{At, parse_optional_id};
use crate::statement::{Database, fault};

pub(crate) async fn create(database: &Database, new: &NewAccount, envelope: &Value) -> Result<NewIds, RepositoryError> {
    let user = &new.user;
    let names = login_names(user);
    let role: &str = user.role.into();
    let profile = new.profile.as_ref();
    let (token, expires_at) = new.token.map(|(hash, expires_at)| (hash.0, expires_at)).unzip();
    let made = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), root as (
                insert into users (
                    username, email, first_name, last_name, password_hash, is_active, role, date_joined, last_login, token_epoch,
                    search_text
                )
                select $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
                from started
                where started.begun
                returning id
            ), names as (
                insert into login_names (name, user_id)
                select wanted.name, root.id
                from root, unnest($13::text[]) as wanted (name)
                order by wanted.name
            ), customer as (
                insert into customers (user_id, job, dob, notes, created_at)
                select root.id, $14::text, $15::date, $16::text, $9
                from root
                where $14::text is not null
                returning id
            ), token as (
                insert into tokens (hash, user_id, epoch, expires_at)
                select $17::bytea, root.id, $11, $18::timestamptz
                from root
                where $17::bytea is not null
            )
            select
                root.id as "user_id!",
                (select id from customer) as customer_id,
                end_commit($1, root.id) as "marked!"
            from root
            "#,
                envelope,
                user.username.as_str(),
                user.email.as_str(),
                user.first_name,
                user.last_name,
                user.password.expose(),
                user.is_active,
                role,
                user.date_joined,
                user.last_login,
                user.token_epoch,
                user.search_text(),
                &names,
                profile.map(|profile| profile.job.as_str()),
                profile.and_then(|profile| profile.dob),
                profile.map(|profile| profile.notes.as_str()),
                token.as_ref().map(<[u8; 32]>::as_slice),
                expires_at,
            )
            .fetch_one(pool)
        })
        .await?;
    let at = At::new("users", made.user_id);
    Ok(NewIds {
        user: Some(at.id("id", made.user_id)?),
        customer: made.customer_id.map(|id| at.id("customer_id", id)).transpose()?,
        ..NewIds::default()
    })
}

/// The names without duplicates, in the order in which every statement writes them.
fn login_names(user: &User) -> Vec<String> {
    let mut names = user.login_names().map(|name| name.as_str().to_owned()).to_vec();
    names.sort();
    names.dedup();
    names
}

#[expect(clippy::too_many_lines, reason = "one statement and its arguments")]
pub(crate) async fn account(database: &Database, change: &AccountChange, envelope: &Value) -> Result<NewIds, RepositoryError> {
    let user = &change.user;
    let names = login_names(user);
    let role: &str = user.role.into();
    let (profile, made_at, erased) = match &change.customer {
        CustomerChange::Keep => (None, None, None),
        CustomerChange::Create(profile, at) => (Some(profile), Some(*at), None),
        CustomerChange::Delete(id) => (None, None, Some(id.get())),
    };
    let outcome = database
        .write(|pool| {
            // The user who acts, the user who is changed and, if one superuser must remain, all active superusers are locked in
            // one order: if two superusers resign or demote each other at once, the second one sees what the first one has done.
            sqlx::query!(
                r#"
            with locked as materialized (
                select u.id, u.is_active and u.role = 'superuser' as is_active_superuser
                from users u
                where u.id in (
                    select $2
                    union
                    select ($1::jsonb #>> '{actor,user_id}')::bigint
                    union
                    select id
                    from users
                    where $4
                        and role = 'superuser'
                        and is_active
                )
                order by u.id
                for no key update of u
            ), started as materialized (
                select begin_commit($1) as begun
                from (select count(*) from locked) as all_locked
            ), remaining as materialized (
                select not $4 or exists (select from locked where id <> $2 and is_active_superuser) as enough
                from started
                where started.begun
            ), root as (
                update users u
                set version = version + 1,
                    username = $5,
                    email = $6,
                    first_name = $7,
                    last_name = $8,
                    password_hash = $9,
                    is_active = $10,
                    role = $11,
                    token_epoch = $12,
                    search_text = $13,
                    date_joined = $21
                from started, remaining
                where u.id = $2
                    and u.version = $3
                    and started.begun
                    and remaining.enough
                returning u.id
            ), names_gone as (
                delete from login_names
                using root
                where login_names.user_id = root.id
                    and login_names.name <> all ($14::text[])
            ), names_new as (
                insert into login_names (name, user_id)
                select wanted.name, root.id
                from root, unnest($14::text[]) as wanted (name)
                where not exists (
                    select
                    from login_names own
                    where own.name = wanted.name
                        and own.user_id = root.id
                )
                order by wanted.name
            ), token_kept as (
                update tokens
                set epoch = $12
                from root, users before
                where tokens.hash = $15
                    and tokens.user_id = root.id
                    and before.id = root.id
                    and tokens.epoch = before.token_epoch
            ), customer_made as (
                insert into customers (user_id, job, dob, notes, created_at)
                select root.id, $16::text, $17::date, $18::text, $19::timestamptz
                from root
                where $16::text is not null
                returning id
            ), customer_erased as (
                delete from customers
                using root
                where customers.id = $20
                    and customers.user_id = root.id
                returning customers.id
            )
            select
                remaining.enough as "enough!",
                exists (select from users where id = $2 and version = $3) as "is_expected!",
                root.id as "root_id?",
                (select id from customer_made) as customer_id,
                case
                    when root.id is not null
                    then ensure_whole($20::bigint is null or exists (select from customer_erased)) and end_commit($1, null)
                end as marked
            from remaining
            left join root on true
            "#,
                envelope,
                change.id.get(),
                change.expected.0,
                change.needs_another_superuser,
                user.username.as_str(),
                user.email.as_str(),
                user.first_name,
                user.last_name,
                user.password.expose(),
                user.is_active,
                role,
                user.token_epoch,
                user.search_text(),
                &names,
                change.keep_token.as_ref().map(|hash| hash.0.as_slice()),
                profile.map(|profile| profile.job.as_str()),
                profile.and_then(|profile| profile.dob),
                profile.map(|profile| profile.notes.as_str()),
                made_at,
                erased,
                user.date_joined,
            )
            .fetch_one(pool)
        })
        .await?;
    if outcome.root_id.is_none() {
        let taken = outcome.is_expected && !outcome.enough;
        return Err(if taken { RepositoryError::Taken(Guarantee::ActiveSuperuser) } else { RepositoryError::Conflict });
    }
    let customer = parse_optional_id("customers", outcome.customer_id)?;
    Ok(NewIds { customer, ..NewIds::default() })
}

pub(crate) async fn login(database: &Database, login: &Login, envelope: &Value) -> Result<NewIds, RepositoryError> {
    let token = &login.token;
    let written = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), root as (
                update users
                set last_login = $6
                from started
                where users.id = $3
                    and started.begun
                returning users.id
            ), token as (
                insert into tokens (hash, user_id, epoch, expires_at)
                select $2, root.id, $4, $5
                from root
            )
            select end_commit($1, null) as "marked!"
            from root
            "#,
                envelope,
                token.hash.0.as_slice(),
                token.user_id.get(),
                token.epoch,
                token.expires_at,
                login.at,
            )
            .fetch_optional(pool)
        })
        .await?;
    written.map(|_| NewIds::default()).ok_or(RepositoryError::Conflict)
}

pub(crate) async fn revoke_token(
    database: &Database,
    revocation: &TokenRevocation,
    envelope: &Value,
) -> Result<NewIds, RepositoryError> {
    database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), gone as (
                delete from tokens
                using started
                where tokens.hash = $2
                    and tokens.user_id = $3
                    and started.begun
            )
            select end_commit($1, null) as "marked!"
            from started
            where started.begun
            "#,
                envelope,
                revocation.token.0.as_slice(),
                revocation.user_id.get(),
            )
            .fetch_one(pool)
        })
        .await
        .map(|_| NewIds::default())
}

pub(super) async fn purge_tokens(database: &Database, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
    let purged = database
        .write(|pool| {
            sqlx::query!(
                r#"
            delete from tokens
            where hash in (
                select hash
                from tokens
                where expires_at < $1
                order by expires_at
                limit $2
                for update skip locked
            )
            "#,
                now,
                i64::from(limit),
            )
            .execute(pool)
        })
        .await?;
    Ok(purged.rows_affected())
}

pub(crate) async fn customer(
    database: &Database,
    change: &RowChange<Customer>,
    envelope: &Value,
) -> Result<NewIds, RepositoryError> {
    let RowChange::Update { id, expected, value } = change else {
        return Err(fault("customers are created and deleted with their users"));
    };
    let written = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), root as (
                update customers
                set version = version + 1,
                    user_id = $4,
                    job = $5,
                    dob = $6,
                    notes = $7,
                    created_at = $8
                from started
                where customers.id = $2
                    and customers.version = $3
                    and started.begun
                returning customers.id
            )
            select end_commit($1, null) as "marked!"
            from root
            "#,
                envelope,
                id.get(),
                expected.0,
                value.user_id.get(),
                value.profile.job,
                value.profile.dob,
                value.profile.notes,
                value.created_at,
            )
            .fetch_optional(pool)
        })
        .await?;
    written.map(|_| NewIds::default()).ok_or(RepositoryError::Conflict)
}
