//! Credit cards.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::id::{CreditCardId, NewIds, Stored, Versioned};
use lease_core::model::{CreditCard, Customer};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{CardFilter, CardRepository, RepositoryError, WalletKey};
use lease_core::wallet::{CardChange, DefaultCard, RefusedCard, Wallet, WalletChange};

use crate::SqliteRepository;
use crate::error::{failure, require};
use crate::list::{self, Branch, Filters};
use crate::sql::{Db, sql};
use crate::table::{self, bump, find, get, insert, update};
use crate::value::values;

#[async_trait]
impl CardRepository for SqliteRepository {
    async fn load_wallet(&self, key: WalletKey) -> Result<Option<Versioned<Wallet>>, RepositoryError> {
        let mut db = self.reading().await?;
        let (customer_id, card) = match key {
            WalletKey::Customer(customer) => (customer, None),
            WalletKey::Card(id) => match find::<CreditCard>(&mut db, id).await? {
                Some(card) if card.deleted_at.is_none() => (card.customer_id, Some(card)),
                _ => return Ok(None),
            },
        };
        let version = sql("select version from customers where id = ?", values![customer_id]).value(&mut db).await?;
        let Some(version) = version else { return Ok(None) };
        let others = "select id from credit_cards where customer_id = ? and deleted_at is null and id is not ?";
        let named = card.as_ref().map(|card| card.id);
        let newest = sql(format!("{others} order by id desc"), values![customer_id, named]);
        let default = sql(format!("{others} and is_default"), values![customer_id, named]);
        let (newest_other, default_other) = (newest.value(&mut db).await?, default.value(&mut db).await?);
        Ok(Some(Versioned { version, value: Wallet { customer_id, card, newest_other, default_other } }))
    }

    async fn purge_refused_cards(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        let mut db = self.writing().await?;
        let refusals = ("card_refusals", "id", "refused_at");
        let purged = table::purge(&mut db, refusals, "refused_at < ?", values![before], limit).await?;
        db.commit().await.map_err(failure)?;
        Ok(purged)
    }

    async fn list_cards(&self, filter: &CardFilter, page: PageRequest) -> Result<Page<Stored<CreditCard>>, RepositoryError> {
        let mut db = self.reading().await?;
        let filters = Filters::default()
            .compare("t.customer_id =", filter.visible_to)
            .compare("t.customer_id =", filter.customer_id)
            .holds("t.deleted_at is null", Vec::new());
        list::page(&mut db, &Branch::all::<CreditCard>(), filters, page).await
    }
}

/// Writes a change to a customer's cards: first the others cease to be the default, and last another one becomes it.
pub(crate) async fn change(db: &mut Db, change: &WalletChange) -> Result<NewIds, RepositoryError> {
    let WalletChange { customer_id, expected, card, others } = change;
    bump::<Customer>(db, *customer_id, *expected).await?;
    if matches!(others, DefaultCard::Clear | DefaultCard::Becomes(_)) {
        sql("update credit_cards set is_default = 0 where customer_id = ? and is_default", values![customer_id]).run(db).await?;
    }
    let mut ids = NewIds::default();
    match card {
        CardChange::Create(card) => {
            require(card.customer_id == *customer_id)?;
            ids.credit_card = Some(insert(db, card).await?);
        }
        CardChange::Update(id, card) => {
            require(card.customer_id == *customer_id && get::<CreditCard>(db, *id).await?.customer_id == *customer_id)?;
            update(db, *id, card).await?;
        }
    }
    if let DefaultCard::Becomes(other) = others {
        make_default(db, *other, change).await?;
    }
    Ok(ids)
}

async fn make_default(db: &mut Db, id: CreditCardId, change: &WalletChange) -> Result<(), RepositoryError> {
    let default = "update credit_cards set is_default = 1 where id = ? and customer_id = ?";
    require(sql(default, values![id, change.customer_id]).run(db).await? == 1)
}

pub(crate) async fn refuse(db: &mut Db, refused: &RefusedCard) -> Result<NewIds, RepositoryError> {
    let refuse = "insert into card_refusals (customer_id, refused_at) values (?, ?)";
    sql(refuse, values![refused.customer_id, refused.at]).run(db).await?;
    Ok(NewIds::default())
}
