use chrono::{DateTime, Utc};
use lease_core::account::Token;
use lease_core::id::{CustomerId, Stored, UserId};
use lease_core::model::{Account, Customer, ExternalId, User};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{CustomerFilter, RepositoryError, TokenFilter, UserFilter};

use crate::database::Database;
use crate::list::{self, Branch, Shape};
use crate::row::{push_columns, read_account};

pub(super) async fn users(database: &Database, filter: &UserFilter, page: PageRequest) -> Result<Page<Account>, RepositoryError> {
    let shape = Shape {
        table: "users",
        alias: "t",
        columns: &|query| {
            push_columns::<User>(query, "t");
            query.push(", c.id");
        },
        joins: Some(&|query| {
            query.push(" left join customers c on c.user_id = t.id");
        }),
        read: &read_account,
        place: &|account: &Account| account.user.id.get().into(),
    };
    list::page_of(
        database,
        &shape,
        &[Branch::all("users t")],
        |query| {
            query.compare("t.id =", filter.visible_to.map(UserId::get));
            match filter.is_active {
                Some(true) => query.holds("t.is_active"),
                Some(false) => query.holds("not t.is_active"),
                None => {}
            }
            match filter.is_staff {
                Some(true) => query.holds("t.role <> 'customer'"),
                Some(false) => query.name("t.role", Some("customer")),
                None => {}
            }
            query.name("t.role", filter.role.map(Into::into));
            query.compare("t.external_id =", filter.external_id.as_ref().map(ExternalId::as_str));
            query.search(filter.search.as_ref());
        },
        page,
    )
    .await
}

pub(super) async fn tokens(
    database: &Database,
    filter: &TokenFilter,
    page: PageRequest,
    now: DateTime<Utc>,
) -> Result<Page<Stored<Token>>, RepositoryError> {
    let user = filter.user_id.get();
    list::page(
        database,
        &[Branch::of_id("tokens t", "t.id", "t.user_id = ", user)],
        |query| {
            // Found once, so that the list walks the tokens of this epoch only.
            query.compare_found("t.epoch =", "select u.token_epoch from users u where u.id =", user);
            query.compare("t.expires_at >", Some(now));
        },
        page,
    )
    .await
}

pub(super) async fn customers(
    database: &Database,
    filter: &CustomerFilter,
    page: PageRequest,
) -> Result<Page<Stored<Customer>>, RepositoryError> {
    list::page(
        database,
        &[Branch::all("customers t")],
        |query| {
            query.compare("t.id =", filter.visible_to.map(CustomerId::get));
            query.compare("t.user_id =", filter.user_id.map(UserId::get));
            query.compare("t.external_id =", filter.external_id.as_ref().map(ExternalId::as_str));
        },
        page,
    )
    .await
}
