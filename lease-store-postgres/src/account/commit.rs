use chrono::{DateTime, Utc};
use lease_core::account::TokenHash;
use lease_core::id::{CustomerId, Stored};
use lease_core::model::{Account, Customer, User};
use lease_core::repository::{AccountChange, Change, Claim, CustomerChange, Guarantee, Login, NewUser, RepositoryError};

use crate::row::At;
use crate::statement::{Database, claim_arguments, fault};

pub(super) async fn create(database: &Database, new: &NewUser, claim: Option<Claim>) -> Result<Account, RepositoryError> {
    let (key, holder) = claim_arguments(claim.as_ref());
    let user = &new.user;
    let names = login_names(user);
    let role: &str = user.role.into();
    let profile = new.profile.as_ref();
    let (token, expires_at) = new.token.map(|(hash, expires_at)| (hash.0, expires_at)).unzip();
    let made = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with claim as materialized (
                select hold_claim($1, $2) as held
            ), root as (
                insert into users (
                    username, email, first_name, last_name, password_hash, is_active, role, date_joined, last_login, token_epoch,
                    search_text
                )
                select $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13
                from claim
                where claim.held
                returning id
            ), names as (
                insert into login_names (name, user_id)
                select wanted.name, root.id
                from root, unnest($14::text[]) as wanted (name)
                order by wanted.name
            ), customer as (
                insert into customers (user_id, job, dob, notes, created_at)
                select root.id, $15::text, $16::date, $17::text, $10
                from root
                where $15::text is not null
                returning id
            ), token as (
                insert into tokens (hash, user_id, epoch, expires_at)
                select $18::bytea, root.id, $12, $19::timestamptz
                from root
                where $18::bytea is not null
            )
            select
                root.id as "user_id!",
                (select id from customer) as customer_id,
                mark_claim($1, root.id) as "marked!"
            from root
            "#,
                key,
                holder,
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
    Ok(Account {
        user: Stored { id: at.id("id", made.user_id)?, value: user.clone() },
        customer_id: made.customer_id.map(|id| at.id("customer_id", id)).transpose()?,
    })
}

/// The names in the order in which every statement writes them, each once.
fn login_names(user: &User) -> Vec<String> {
    let mut names = user.login_names().map(|name| name.as_str().to_owned()).to_vec();
    names.sort();
    names.dedup();
    names
}

#[expect(clippy::too_many_lines, reason = "one statement and its arguments")]
pub(super) async fn account(
    database: &Database,
    change: &AccountChange,
    claim: Option<Claim>,
) -> Result<Option<CustomerId>, RepositoryError> {
    let (key, holder) = claim_arguments(claim.as_ref());
    let user = &change.user;
    let names = login_names(user);
    let role: &str = user.role.into();
    let (profile, made_at, erased) = match &change.customer {
        CustomerChange::Keep => (None, None, None),
        CustomerChange::Create(profile, at) => (Some(profile), Some(*at), None),
        CustomerChange::Erase(id) => (None, None, Some(id.get())),
    };
    let outcome = database
        .write(|pool| {
            // All active superusers are locked in one order, so that of two who leave at once the second sees that the first
            // has gone.
            sqlx::query!(
                r#"
            with claim as materialized (
                select hold_claim($1, $2) as held
            ), superusers as materialized (
                select u.id
                from users u, claim
                where claim.held
                    and $5
                    and u.role = 'superuser'
                    and u.is_active
                order by u.id
                for no key update of u
            ), remaining as materialized (
                select not $5 or exists (select from superusers where id <> $3) as enough
            ), root as (
                update users u
                set version = version + 1,
                    username = $6,
                    email = $7,
                    first_name = $8,
                    last_name = $9,
                    password_hash = $10,
                    is_active = $11,
                    role = $12,
                    token_epoch = $13,
                    search_text = $14,
                    date_joined = $22
                from claim, remaining
                where u.id = $3
                    and u.version = $4
                    and claim.held
                    and remaining.enough
                returning u.id
            ), names_gone as (
                delete from login_names
                using root
                where login_names.user_id = root.id
                    and login_names.name <> all ($15::text[])
            ), names_new as (
                insert into login_names (name, user_id)
                select wanted.name, root.id
                from root, unnest($15::text[]) as wanted (name)
                where not exists (
                    select
                    from login_names own
                    where own.name = wanted.name
                        and own.user_id = root.id
                )
                order by wanted.name
            ), token_kept as (
                update tokens
                set epoch = $13
                from root, users before
                where tokens.hash = $16
                    and tokens.user_id = root.id
                    and before.id = root.id
                    and tokens.epoch = before.token_epoch
            ), customer_made as (
                insert into customers (user_id, job, dob, notes, created_at)
                select root.id, $17::text, $18::date, $19::text, $20::timestamptz
                from root
                where $17::text is not null
                returning id
            ), customer_erased as (
                delete from customers
                using root
                where customers.id = $21
                    and customers.user_id = root.id
                returning customers.id
            )
            select
                remaining.enough as "enough!",
                exists (select from users where id = $3 and version = $4) as "is_expected!",
                root.id as "root_id?",
                (select id from customer_made) as customer_id,
                case
                    when root.id is not null
                    then ensure_whole($21::bigint is null or exists (select from customer_erased)) and mark_claim($1, null)
                end as marked
            from remaining
            left join root on true
            "#,
                key,
                holder,
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
    outcome.customer_id.map(|id| At::new("customers", id).id("id", id)).transpose()
}

pub(super) async fn login(database: &Database, login: &Login, claim: Option<Claim>) -> Result<(), RepositoryError> {
    let (key, holder) = claim_arguments(claim.as_ref());
    let token = &login.token;
    let written = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with claim as materialized (
                select hold_claim($1, $2) as held
            ), root as (
                update users
                set last_login = $7
                from claim
                where users.id = $4
                    and claim.held
                returning users.id
            ), token as (
                insert into tokens (hash, user_id, epoch, expires_at)
                select $3, root.id, $5, $6
                from root
            )
            select mark_claim($1, null) as "marked!"
            from root
            "#,
                key,
                holder,
                token.hash.0.as_slice(),
                token.user_id.get(),
                token.epoch,
                token.expires_at,
                login.at,
            )
            .fetch_optional(pool)
        })
        .await?;
    written.map(drop).ok_or(RepositoryError::Conflict)
}

pub(super) async fn delete_token(database: &Database, hash: &TokenHash, claim: Option<Claim>) -> Result<(), RepositoryError> {
    let (key, holder) = claim_arguments(claim.as_ref());
    database
        .write(|pool| {
            sqlx::query!(
                r#"
            with claim as materialized (
                select hold_claim($1, $2) as held
            ), gone as (
                delete from tokens
                using claim
                where tokens.hash = $3
                    and claim.held
            )
            select mark_claim($1, null) as "marked!"
            from claim
            where claim.held
            "#,
                key,
                holder,
                hash.0.as_slice(),
            )
            .fetch_one(pool)
        })
        .await
        .map(drop)
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

pub(super) async fn customer(database: &Database, change: &Change<Customer>) -> Result<CustomerId, RepositoryError> {
    let Change::Update { id, expected, value } = change else {
        return Err(fault("customers are made and erased with their users"));
    };
    let written = database
        .write(|pool| {
            sqlx::query!(
                r#"
            update customers
            set version = version + 1,
                user_id = $3,
                job = $4,
                dob = $5,
                notes = $6,
                created_at = $7
            where id = $1
                and version = $2
            "#,
                id.get(),
                expected.0,
                value.user_id.get(),
                value.profile.job,
                value.profile.dob,
                value.profile.notes,
                value.created_at,
            )
            .execute(pool)
        })
        .await?;
    if written.rows_affected() == 1 { Ok(*id) } else { Err(RepositoryError::Conflict) }
}
