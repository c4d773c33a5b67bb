use lease_core::id::{Id, Stored};
use lease_core::model::{Account, Customer};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{CustomerFilter, RepositoryError, UserFilter};

use crate::list::{self, Branch, Table};
use crate::row::{CustomerRow, UserRow};
use crate::statement::Database;

const USERS: Table = Table {
    from: "users t",
    columns: "t.id, t.username, t.email, t.first_name, t.last_name, t.password_hash, t.is_active, t.role, t.date_joined, \
              t.last_login, t.token_epoch, (select c.id from customers c where c.user_id = t.id) as customer_id",
};

const CUSTOMERS: Table = Table { from: "customers t", columns: "t.id, t.user_id, t.job, t.dob, t.notes, t.created_at" };

pub(super) async fn users(database: &Database, filter: &UserFilter, page: PageRequest) -> Result<Page<Account>, RepositoryError> {
    let rows: Vec<UserRow> = list::rows(
        database,
        &USERS,
        &[Branch::all(&USERS)],
        |query| {
            query.compare("t.id =", filter.visible_to.map(Id::get));
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
            query.search(filter.search.as_ref());
        },
        page,
    )
    .await?;
    let accounts = rows.into_iter().map(UserRow::account).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::of(page, accounts, |account| account.user.id.get()))
}

pub(super) async fn customers(
    database: &Database,
    filter: &CustomerFilter,
    page: PageRequest,
) -> Result<Page<Stored<Customer>>, RepositoryError> {
    list::page::<CustomerRow>(
        database,
        &CUSTOMERS,
        &[Branch::all(&CUSTOMERS)],
        |query| {
            query.compare("t.id =", filter.visible_to.map(Id::get));
            query.compare("t.user_id =", filter.user_id.map(Id::get));
        },
        page,
    )
    .await
}
