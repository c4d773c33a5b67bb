use chrono::{DateTime, Utc};
use lease_core::account::{AccountChange, CustomerChange, FirstToken, Login, NewAccount, Token, TokenHash, TokenRevocation};
use lease_core::decision::RowChange;
use lease_core::event::NewRow;
use lease_core::id::NewIds;
use lease_core::model::{Customer, Profile, User};
use lease_core::permission::Actor;
use lease_core::repository::{Envelope, Guarantee, RepositoryError};
use sqlx::QueryBuilder;

use crate::database::{Database, fault};
use crate::row::{Table as _, WriteTable as _, parse_optional_id};
use crate::writing::{Made, ROOT_ID, Writing, change_row, push_insert, push_update, write, write_expected};

pub(crate) async fn create(database: &Database, new: &NewAccount, envelope: &Envelope) -> Result<NewIds, RepositoryError> {
    let statement = || {
        let mut writing = Writing::begin(envelope);
        if new.only_first_superuser {
            writing.part("due").push("select first_superuser_is_due() as is_due where true");
            writing.only_if_valid();
        }
        push_insert(writing.write("root"), &new.user);
        writing.makes(NewRow::User, ROOT_ID);
        let query = writing.only_if_valid();
        query.push(if new.only_first_superuser { " and exists (select from due where is_due)" } else { "" });
        query.push(" returning id");
        push_names(&mut writing, &login_names(&new.user), "");
        let customer = push_customer(&mut writing, new.profile.as_ref(), new.user.is_active, new.user.date_joined);
        let token = push_first_token(&mut writing, new);
        writing.finish(Made::Root, &[customer, token])
    };
    let written = write(database, statement).await?;
    let user = parse_optional_id(User::NAME, written.root)?;
    if user.is_none() {
        return Err(RepositoryError::Taken(Guarantee::FirstSuperuser));
    }
    let mut returned = written.returned();
    Ok(NewIds { user, customer: returned.optional_id()?, token: returned.optional_id()?, ..NewIds::default() })
}

/// The names, in the order in which every statement writes them.
fn login_names(user: &User) -> Vec<String> {
    let mut names: Vec<String> = user.login_names().iter().map(|name| name.as_str().to_owned()).collect();
    names.sort();
    names
}

/// Adds these login names to the root, if `condition` holds for them.
fn push_names(writing: &mut Writing<'_>, names: &[String], condition: &str) {
    let query = writing.write("names").push("insert into login_names (name, user_id) select wanted.name, root.id from root, ");
    query.push("unnest(").push_bind(names).push("::text[]) as wanted (name)").push(condition).push(" order by wanted.name");
}

/// Adds the customer of the root, if there is a profile. Returns the expression for its id.
fn push_customer(
    writing: &mut Writing<'_>,
    profile: Option<&Profile>,
    is_active: bool,
    created_at: DateTime<Utc>,
) -> &'static str {
    let Some(profile) = profile else { return "null::bigint" };
    let query = writing
        .write("customer")
        .push("insert into customers (user_id, is_active, job, dob, notes, created_at) select root.id, ");
    let mut values = query.separated(", ");
    values.push_bind(is_active).push_bind(&profile.job).push_bind(profile.dob).push_bind(&profile.notes).push_bind(created_at);
    query.push(" from root returning id");
    let id = "(select id from customer)";
    writing.makes(NewRow::Customer, id);
    id
}

/// The expression for the id of the part `token`.
const TOKEN_ID: &str = "(select id from token)";

/// Adds the first token of the root, if there is to be one. Returns the expression for its id.
fn push_first_token(writing: &mut Writing<'_>, new: &NewAccount) -> &'static str {
    let Some(FirstToken { hash, name, expires_at }) = &new.token else { return "null::bigint" };
    let query = writing.write("token").push("insert into tokens (").push(Token::WRITTEN).push(") select root.id, ");
    query
        .separated(", ")
        .push_bind(hash.0.as_slice())
        .push_bind(name)
        .push_bind(new.user.token_epoch)
        .push_bind(new.user.date_joined)
        .push_bind(*expires_at);
    query.push(" from root returning id");
    writing.makes(NewRow::Token, TOKEN_ID);
    TOKEN_ID
}

/// The user who acts, the user who is changed and, if one superuser must remain, all active superusers are locked in one order:
/// if two superusers resign or demote each other at once, the second one sees what the first one has done.
pub(crate) async fn account(database: &Database, change: &AccountChange, envelope: &Envelope) -> Result<NewIds, RepositoryError> {
    let (user, id) = (&change.user, change.id.get());
    let statement = || {
        let mut writing = Writing::begin_after("locked", envelope, |query| push_locks(query, change, &envelope.actor));
        let query = writing.part("another_superuser").push("select from locked where is_active_superuser and id <> ");
        query.push_bind(id);
        let query = writing.write("root");
        push_update(query, id, change.expected, user);
        if change.needs_another_superuser {
            query.push(" and exists (select from another_superuser)");
        }
        writing.only_if_valid().push(" returning id");
        push_renaming(&mut writing, user);
        if let Some(kept) = change.keep_token {
            push_kept_token(&mut writing, kept, user.token_epoch);
        }
        let customer = push_customer_change(&mut writing, &change.customer, user.is_active);
        writing.finish(Made::Nothing, &[customer, "exists (select from another_superuser)"])
    };
    let written = write(database, statement).await?;
    let mut returned = written.returned();
    let customer = returned.optional_id()?;
    let has_another_superuser: bool = returned.get()?;
    match written.root {
        Some(_) => Ok(NewIds { customer, ..NewIds::default() }),
        None if change.needs_another_superuser && !has_another_superuser => {
            Err(RepositoryError::Taken(Guarantee::ActiveSuperuser))
        }
        None => Err(RepositoryError::Conflict),
    }
}

fn push_locks(query: &mut QueryBuilder<sqlx::Postgres>, change: &AccountChange, actor: &Actor) {
    query.push("select u.id, u.is_active and u.role = 'superuser' as is_active_superuser from users u where u.id in (select ");
    query.push_bind(change.id.get());
    if let Some(acting) = actor.user() {
        query.push(" union select ").push_bind(acting.get());
    }
    if change.needs_another_superuser {
        query.push(" union select id from users where role = 'superuser' and is_active");
    }
    query.push(") order by u.id for no key update of u");
}

/// Adds the change of the login names: those that are no longer the user's go, new ones come.
fn push_renaming(writing: &mut Writing<'_>, user: &User) {
    let names = &login_names(user)[..];
    let query = writing.write("names_gone").push("delete from login_names using root where login_names.user_id = root.id");
    query.push(" and login_names.name <> all (").push_bind(names).push("::text[])");
    let own = " where not exists (select from login_names own where own.name = wanted.name and own.user_id = root.id)";
    push_names(writing, names, own);
}

/// Adds the change that keeps one token good, though the user's epoch changes.
fn push_kept_token(writing: &mut Writing<'_>, kept: TokenHash, epoch: i64) {
    let query = writing.write("token_kept").push("update tokens set epoch = ").push_bind(epoch);
    query.push(" from root, users before where before.id = root.id and tokens.user_id = root.id");
    query.push(" and tokens.epoch = before.token_epoch and tokens.hash = ").push_bind(kept.0.as_slice());
}

/// Adds the change of the user's customer. Returns the expression for the id of a new one.
fn push_customer_change(writing: &mut Writing<'_>, change: &CustomerChange, is_active: bool) -> &'static str {
    match change {
        CustomerChange::Keep => "null::bigint",
        CustomerChange::Create(profile, at) => push_customer(writing, Some(profile), is_active, *at),
        CustomerChange::Delete(id) => {
            let query = writing.write("customer_gone").push("delete from customers using root where customers.id = ");
            query.push_bind(id.get()).push(" and customers.user_id = root.id returning customers.id");
            writing.require("exists (select from customer_gone)");
            "null::bigint"
        }
    }
}

pub(crate) async fn login(database: &Database, login: &Login, envelope: &Envelope) -> Result<NewIds, RepositoryError> {
    let token = &login.token;
    let statement = || {
        let mut writing = Writing::begin(envelope);
        let query = writing.write("root").push("update users set last_login = ").push_bind(login.at);
        if let Some(renewal) = &login.renewal {
            // The row as it is now decides: an update that waited for another one reads it again.
            query.push(", password_hash = case password_hash when ").push_bind(renewal.from.expose());
            query.push(" then ").push_bind(renewal.to.expose()).push(" else password_hash end");
        }
        query.push(" where id = ").push_bind(token.user_id.get());
        writing.only_if_valid().push(" returning id");
        push_insert(writing.write("token"), token).push(" and exists (select from root) returning id");
        writing.makes(NewRow::Token, TOKEN_ID);
        writing.finish(Made::Part("token"), &[TOKEN_ID])
    };
    let written = write_expected(database, statement).await?;
    Ok(NewIds { token: written.returned().optional_id()?, ..NewIds::default() })
}

/// The user is locked, so that the tokens of this epoch are not revoked while the token is created.
pub(crate) async fn create_token(database: &Database, token: &Token, envelope: &Envelope) -> Result<NewIds, RepositoryError> {
    let statement = || {
        let mut writing = Writing::begin(envelope);
        let query = writing.part("owner").push("select u.id from users u where u.id = ").push_bind(token.user_id.get());
        query.push(" and u.token_epoch = ").push_bind(token.epoch);
        writing.only_if_valid().push(" for share of u");
        push_insert(writing.write("root"), token).push(" and exists (select from owner) returning id");
        writing.makes(NewRow::Token, ROOT_ID);
        writing.finish(Made::Root, &[])
    };
    let written = write_expected(database, statement).await?;
    Ok(NewIds { token: parse_optional_id(Token::NAME, written.root)?, ..NewIds::default() })
}

pub(crate) async fn revoke_token(
    database: &Database,
    revocation: &TokenRevocation,
    envelope: &Envelope,
) -> Result<NewIds, RepositoryError> {
    let statement = || {
        let mut writing = Writing::begin(envelope);
        // A token that is not there is revoked.
        writing.part("root").push("select 0::bigint as id where true");
        writing.only_if_valid();
        let query = writing.write("gone").push("delete from tokens using root where tokens.hash = ");
        query.push_bind(revocation.token.0.as_slice());
        query.push(" and tokens.user_id = ").push_bind(revocation.user_id.get()).push(" returning tokens.user_id");
        writing.events().condition = " and exists (select from gone)";
        writing.finish(Made::Nothing, &[])
    };
    write_expected(database, statement).await.map(|_| NewIds::default())
}

pub(super) async fn purge_tokens(database: &Database, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
    database.purge(("tokens", "id", "expires_at", "true"), now, limit).await
}

pub(crate) async fn customer(
    database: &Database,
    change: &RowChange<Customer>,
    envelope: &Envelope,
) -> Result<NewIds, RepositoryError> {
    if !matches!(change, RowChange::Update { .. }) {
        return Err(fault("customers are created and deleted with their users"));
    }
    change_row(database, change, envelope, |_| {}).await.map(|_| NewIds::default())
}
