//! Credit cards. The root of a change is the customer, whose version it increases.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::event::NewRow;
use lease_core::id::{CreditCardId, CustomerId, NewIds, Stored, Version, Versioned};
use lease_core::model::CreditCard;
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{CardFilter, CardRepository, Envelope, RepositoryError, WalletKey};
use lease_core::wallet::{CardChange, DefaultCard, RefusedCard, Wallet, WalletChange};
use sqlx::QueryBuilder;

use crate::PostgresRepository;
use crate::database::Database;
use crate::list::{self, Branch};
use crate::row::{Fields, WriteTable as _, push_columns};
use crate::writing::{Made, Writing, push_expected, write_expected};

#[async_trait]
impl CardRepository for PostgresRepository {
    async fn load_wallet(&self, key: WalletKey) -> Result<Option<Versioned<Wallet>>, RepositoryError> {
        let statement = || {
            let mut query = QueryBuilder::new("select c.version, c.id, (");
            query.push("select other.id from credit_cards other where other.customer_id = c.id and other.deleted_at is null");
            if let WalletKey::Card(card) = key {
                query.push(" and other.id <> ").push_bind(card.get());
            }
            query.push(" order by other.id desc limit 1), (");
            query.push("select other.id from credit_cards other where other.customer_id = c.id and other.is_default");
            if let WalletKey::Card(card) = key {
                query.push(" and other.id <> ").push_bind(card.get());
            }
            query.push(")");
            match key {
                WalletKey::Customer(customer) => query.push(" from customers c where c.id = ").push_bind(customer.get()),
                WalletKey::Card(card) => {
                    push_columns::<CreditCard>(query.push(", "), "k");
                    query.push(" from credit_cards k join customers c on c.id = k.customer_id where k.deleted_at is null");
                    query.push(" and k.id = ").push_bind(card.get())
                }
            };
            query
        };
        let Some(row) = self.directory.read_one(statement).await? else { return Ok(None) };
        let mut fields = Fields::of(&row);
        let version: Version = fields.version()?;
        let value = Wallet {
            customer_id: fields.id()?,
            newest_other: fields.optional_id()?,
            default_other: fields.optional_id()?,
            card: matches!(key, WalletKey::Card(_)).then(|| fields.row()).transpose()?,
        };
        Ok(Some(Versioned { version, value }))
    }

    async fn purge_refused_cards(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        self.directory.purge(("card_refusals", "id", "refused_at", "true"), before, limit).await
    }

    async fn list_cards(&self, filter: &CardFilter, page: PageRequest) -> Result<Page<Stored<CreditCard>>, RepositoryError> {
        list::page(
            &self.directory,
            &[Branch::of("credit_cards t", "t.id", "t.deleted_at is null")],
            |query| {
                query.compare("t.customer_id =", filter.visible_to.map(CustomerId::get));
                query.compare("t.customer_id =", filter.customer_id.map(CustomerId::get));
            },
            page,
        )
        .await
    }
}

/// Writes a change to a customer's cards.
pub(crate) async fn commit(database: &Database, change: &WalletChange, envelope: &Envelope) -> Result<NewIds, RepositoryError> {
    let statement = || {
        let mut writing = Writing::begin(envelope);
        let root = writing.write("root").push("update customers set version = version + 1");
        push_expected(root, change.customer_id.get(), change.expected);
        writing.only_if_valid().push(" returning id");
        let made = push_card(&mut writing, &change.card);
        push_default(&mut writing, change);
        writing.finish(made, &["(select id from card)"])
    };
    let written = write_expected(database, statement).await?;
    let credit_card = match change.card {
        CardChange::Create(_) => written.returned().optional_id()?,
        CardChange::Update(..) => None,
    };
    Ok(NewIds { credit_card, ..NewIds::default() })
}

/// Keeps that a card was refused.
pub(crate) async fn refused(database: &Database, refused: &RefusedCard, envelope: &Envelope) -> Result<NewIds, RepositoryError> {
    let statement = || {
        let mut writing = Writing::begin(envelope);
        let root = writing.write("root").push("insert into card_refusals (customer_id, refused_at) select ");
        root.separated(", ").push_bind(refused.customer_id.get()).push_bind(refused.at);
        root.push(" where true");
        writing.only_if_valid().push(" returning id");
        writing.finish(Made::Nothing, &[])
    };
    write_expected(database, statement).await?;
    Ok(NewIds::default())
}

/// Adds the card that is created or changed. Returns what it makes.
fn push_card(writing: &mut Writing<'_>, change: &CardChange) -> Made {
    let query = writing.write("card");
    match change {
        CardChange::Create(card) => {
            query.push("insert into credit_cards (").push(CreditCard::WRITTEN).push(") select ");
            card.write(&mut query.separated(", "));
            query.push(" from root returning id");
            writing.makes(NewRow::CreditCard, "(select id from card)");
            Made::Part("card")
        }
        CardChange::Update(id, card) => {
            query.push("update credit_cards set (").push(CreditCard::WRITTEN).push(") = row(");
            card.write(&mut query.separated(", "));
            query.push(") from root where credit_cards.id = ").push_bind(id.get());
            query.push(" and credit_cards.customer_id = root.id returning credit_cards.id");
            writing.require("exists (select from card)");
            Made::Nothing
        }
    }
}

/// Adds the change to which of the other cards is the default.
fn push_default(writing: &mut Writing<'_>, change: &WalletChange) {
    let default: Option<CreditCardId> = match change.others {
        DefaultCard::Keep => return,
        DefaultCard::Clear => None,
        DefaultCard::Becomes(id) => Some(id),
    };
    let default = default.map(CreditCardId::get);
    let query = writing.write("others").push("update credit_cards set is_default = not is_default from root");
    query.push(" where credit_cards.customer_id = root.id and is_default <> (credit_cards.id is not distinct from ");
    query.push_bind(default).push(")");
    if let CardChange::Update(id, _) = &change.card {
        query.push(" and credit_cards.id <> ").push_bind(id.get());
    }
}
