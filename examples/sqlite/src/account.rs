//! Users, customers and tokens.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::account::{AccountChange, AccountSnapshot, CustomerChange, Login, NewAccount, Token, TokenRevocation};
use lease_core::decision::RowChange;
use lease_core::event::Event;
use lease_core::id::{CustomerId, NewIds, Stored, UserId, Versioned};
use lease_core::model::{Account, Annotations, Customer, ExternalId, LoginName, Profile, User};
use lease_core::page::{Page, PageRequest};
use lease_core::permission::Actor;
use lease_core::repository::{AccountRepository, CustomerFilter, Guarantee, RepositoryError, TokenFilter, TokenKey, UserFilter};

use crate::SqliteRepository;
use crate::error::{failure, fault, require};
use crate::list::{self, Branch, Filters};
use crate::sql::{Db, Fields, sql};
use crate::table::{self, bump, delete, find, find_by, find_versioned, get, insert, update};
use crate::value::values;

#[async_trait]
impl AccountRepository for SqliteRepository {
    async fn find_token(&self, key: TokenKey) -> Result<Option<(Stored<Token>, Account)>, RepositoryError> {
        let mut db = self.reading().await?;
        let token = match key {
            TokenKey::Hash(hash) => find_by(&mut db, "hash = ?", values![hash.0]).await?,
            TokenKey::Id(id) => find::<Token>(&mut db, id).await?,
        };
        let Some(token) = token else { return Ok(None) };
        Ok(account(&mut db, token.user_id).await?.map(|account| (token, account)))
    }

    async fn list_tokens(
        &self,
        filter: &TokenFilter,
        page: PageRequest,
        now: DateTime<Utc>,
    ) -> Result<Page<Stored<Token>>, RepositoryError> {
        let mut db = self.reading().await?;
        let of_epoch = "tokens t where t.user_id = ? and t.epoch = (select token_epoch from users where id = t.user_id)";
        let branches = [Branch::new("t.id", of_epoch, values![filter.user_id])];
        list::page(&mut db, &branches, Filters::default().compare("t.expires_at >", Some(now)), page).await
    }

    async fn find_login(&self, name: &LoginName) -> Result<Option<Account>, RepositoryError> {
        let mut db = self.reading().await?;
        match user_of(&mut db, name).await? {
            Some(user) => account(&mut db, user).await,
            None => Ok(None),
        }
    }

    async fn load_account(&self, id: UserId) -> Result<Option<Versioned<AccountSnapshot>>, RepositoryError> {
        let mut db = self.reading().await?;
        let Some(Versioned { version, value: user }) = find_versioned::<User>(&mut db, id).await? else { return Ok(None) };
        let account = with_customer(&mut db, user).await?;
        let value = AccountSnapshot {
            customer_in_use: customer_in_use(&mut db, account.customer_id).await?,
            another_active_superuser: has_superuser_beside(&mut db, Some(id)).await?,
            account,
        };
        Ok(Some(Versioned { version, value }))
    }

    async fn taken_names(&self, names: &[LoginName]) -> Result<Vec<(LoginName, UserId)>, RepositoryError> {
        let mut db = self.reading().await?;
        let mut taken = Vec::new();
        for name in names {
            taken.extend(user_of(&mut db, name).await?.map(|user| (name.clone(), user)));
        }
        Ok(taken)
    }

    async fn purge_tokens(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        let mut db = self.writing().await?;
        let purged = table::purge(&mut db, ("tokens", "id", "expires_at"), "expires_at < ?", values![now], limit).await?;
        db.commit().await.map_err(failure)?;
        Ok(purged)
    }

    async fn list_users(&self, filter: &UserFilter, page: PageRequest) -> Result<Page<Account>, RepositoryError> {
        let mut db = self.reading().await?;
        let mut filters = Filters::default()
            .compare("t.id =", filter.visible_to)
            .compare("t.is_active =", filter.is_active)
            .named("t.role", filter.role)
            .compare("t.external_id =", filter.external_id.as_ref().map(ExternalId::as_str))
            .search(filter.search.as_ref());
        if let Some(is_staff) = filter.is_staff {
            filters =
                filters.holds(if is_staff { "t.role in ('staff', 'superuser')" } else { "t.role = 'customer'" }, Vec::new());
        }
        let users: Page<Stored<User>> = list::page(&mut db, &Branch::all::<User>(), filters, page).await?;
        let mut items = Vec::with_capacity(users.items.len());
        for user in users.items {
            items.push(with_customer(&mut db, user).await?);
        }
        Ok(Page { items, next: users.next, previous: users.previous })
    }

    async fn find_customer(&self, id: CustomerId) -> Result<Option<Versioned<Stored<Customer>>>, RepositoryError> {
        find_versioned(&mut *self.reading().await?, id).await
    }

    async fn list_customers(
        &self,
        filter: &CustomerFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<Customer>>, RepositoryError> {
        let mut db = self.reading().await?;
        let filters = Filters::default()
            .compare("t.id =", filter.visible_to)
            .compare("t.user_id =", filter.user_id)
            .compare("t.external_id =", filter.external_id.as_ref().map(ExternalId::as_str));
        list::page(&mut db, &Branch::all::<Customer>(), filters, page).await
    }
}

/// The user who has a login name.
async fn user_of(db: &mut Db, name: &LoginName) -> Result<Option<UserId>, RepositoryError> {
    sql("select user_id from login_names where name = ?", values![name.as_str()]).value(db).await
}

async fn account(db: &mut Db, user: UserId) -> Result<Option<Account>, RepositoryError> {
    match find::<User>(db, user).await? {
        Some(user) => with_customer(db, user).await.map(Some),
        None => Ok(None),
    }
}

async fn with_customer(db: &mut Db, user: Stored<User>) -> Result<Account, RepositoryError> {
    let customer_id = sql("select id from customers where user_id = ?", values![user.id]).value(db).await?;
    Ok(Account { user, customer_id })
}

/// Whether any row refers to a customer.
async fn customer_in_use(db: &mut Db, customer: Option<CustomerId>) -> Result<bool, RepositoryError> {
    const REFERENCES: [&str; 9] = [
        "credit_cards where customer_id",
        "contacts where customer_id",
        "leads where customer_id",
        "vehicles where customer_id",
        "trades where customer_id",
        "trades where counterparty_id",
        "proposals where customer_id",
        "invoices where customer_id",
        "payments where customer_id",
    ];
    for reference in REFERENCES {
        if sql(format!("select 1 from {reference} = ?"), values![customer]).exists(db).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether there is an active superuser who is not this user.
async fn has_superuser_beside(db: &mut Db, user: Option<UserId>) -> Result<bool, RepositoryError> {
    sql("select 1 from users where role = 'superuser' and is_active = 1 and id is not ?", values![user]).exists(db).await
}

/// Whether the user behind a customer is active.
pub(crate) async fn is_active(db: &mut Db, customer: CustomerId) -> Result<bool, RepositoryError> {
    let active = "select 1 from customers c join users u on u.id = c.user_id where c.id = ? and u.is_active";
    sql(active, values![customer]).exists(db).await
}

/// Succeeds if an acting user is active, and has the role and the customer that the actor says.
pub(crate) async fn check_actor(db: &mut Db, actor: &Actor) -> Result<(), RepositoryError> {
    let Some(id) = actor.user() else { return Ok(()) };
    let present = "select u.role, c.id from users u left join customers c on c.user_id = u.id where u.id = ? and u.is_active";
    let is_so = match sql(present, values![id]).row(db).await? {
        Some(row) => {
            let mut fields = Fields::of(&row, "users");
            let now = Actor::of_user(id, fields.name()?, fields.get()?);
            (now.role(), now.customer()) == (actor.role(), actor.customer())
        }
        None => false,
    };
    if is_so { Ok(()) } else { Err(RepositoryError::Taken(Guarantee::Actor)) }
}

pub(crate) async fn create(db: &mut Db, new: &NewAccount) -> Result<NewIds, RepositoryError> {
    if new.only_first_superuser && has_superuser_beside(db, None).await? {
        return Err(RepositoryError::Taken(Guarantee::FirstSuperuser));
    }
    let user = insert(db, &new.user).await?;
    insert_names(db, user, &new.user).await?;
    let mut ids = NewIds { user: Some(user), ..NewIds::default() };
    if let Some(profile) = &new.profile {
        ids.customer = Some(insert(db, &customer_of(user, profile, new.user.date_joined)).await?);
    }
    if let Some(token) = new.first_token(user) {
        ids.token = Some(insert(db, &token).await?);
    }
    Ok(ids)
}

/// A new customer of a user.
fn customer_of(user_id: UserId, profile: &Profile, created_at: DateTime<Utc>) -> Customer {
    Customer { user_id, profile: profile.clone(), created_at, annotations: Annotations::default() }
}

async fn insert_names(db: &mut Db, id: UserId, user: &User) -> Result<(), RepositoryError> {
    for name in user.login_names() {
        sql("insert into login_names (name, user_id) values (?, ?)", values![name.as_str(), id]).run(db).await?;
    }
    Ok(())
}

pub(crate) async fn change(db: &mut Db, change: &AccountChange) -> Result<NewIds, RepositoryError> {
    let AccountChange { id, expected, user, customer, keep_token, needs_another_superuser } = change;
    let before = get::<User>(db, *id).await?;
    bump::<User>(db, *id, *expected).await?;
    if *needs_another_superuser && !has_superuser_beside(db, Some(*id)).await? {
        return Err(RepositoryError::Taken(Guarantee::ActiveSuperuser));
    }
    sql("delete from login_names where user_id = ?", values![id]).run(db).await?;
    insert_names(db, *id, user).await?;
    // Only logins write when the last one was.
    update(db, *id, &User { last_login: before.last_login, ..user.clone() }).await?;
    if let Some(hash) = keep_token {
        let keep = "update tokens set epoch = ? where hash = ? and user_id = ? and epoch = ?";
        sql(keep, values![user.token_epoch, hash.0, id, before.token_epoch]).run(db).await?;
    }
    Ok(NewIds { customer: change_customer_of(db, *id, customer).await?, ..NewIds::default() })
}

/// Writes the change to a user's customer. Returns the id of a new one.
async fn change_customer_of(db: &mut Db, user: UserId, change: &CustomerChange) -> Result<Option<CustomerId>, RepositoryError> {
    match change {
        CustomerChange::Keep => Ok(None),
        CustomerChange::Create(profile, created_at) => {
            require(!sql("select 1 from customers where user_id = ?", values![user]).exists(db).await?)?;
            insert(db, &customer_of(user, profile, *created_at)).await.map(Some)
        }
        CustomerChange::Delete(id) => {
            require(get::<Customer>(db, *id).await?.user_id == user)?;
            delete::<Customer>(db, *id).await.map(|()| None)
        }
    }
}

pub(crate) async fn change_customer(db: &mut Db, change: &RowChange<Customer>) -> Result<NewIds, RepositoryError> {
    if !matches!(change, RowChange::Update { .. }) {
        return Err(fault("customers are created and deleted with their users"));
    }
    table::change(db, change).await.map(|_| NewIds::default())
}

pub(crate) async fn log_in(db: &mut Db, login: &Login) -> Result<NewIds, RepositoryError> {
    let user = login.token.user_id;
    require(sql("update users set last_login = ? where id = ?", values![login.at, user]).run(db).await? == 1)?;
    if let Some(renewal) = &login.renewal {
        let renew = "update users set password_hash = ? where id = ? and password_hash = ?";
        sql(renew, values![renewal.to.expose(), user, renewal.from.expose()]).run(db).await?;
    }
    Ok(NewIds { token: Some(insert(db, &login.token).await?), ..NewIds::default() })
}

pub(crate) async fn create_token(db: &mut Db, token: &Token) -> Result<NewIds, RepositoryError> {
    require(get::<User>(db, token.user_id).await?.token_epoch == token.epoch)?;
    Ok(NewIds { token: Some(insert(db, token).await?), ..NewIds::default() })
}

/// Deletes a token. If there was none to delete, nothing has happened.
pub(crate) async fn revoke_token(
    db: &mut Db,
    revocation: &TokenRevocation,
    events: &mut Vec<Event>,
) -> Result<NewIds, RepositoryError> {
    let revoke = "delete from tokens where hash = ? and user_id = ?";
    if sql(revoke, values![revocation.token.0, revocation.user_id]).run(db).await? == 0 {
        events.clear();
    }
    Ok(NewIds::default())
}
