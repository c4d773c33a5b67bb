//! Credit cards. The root of a change is the customer, whose version it increases.

use async_trait::async_trait;
use lease_core::id::{Id, NewIds, Stored, Version, Versioned};
use lease_core::model::CreditCard;
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{CardFilter, CardRepository, RepositoryError, WalletKey};
use lease_core::wallet::{CardChange, DefaultCard, Wallet, WalletChange};
use serde_json::Value;

use crate::PostgresRepository;
use crate::list::{self, Branch, Table};
use crate::row::{CardRow, Row as _, parse_id, parse_optional_id};
use crate::statement::Database;

const CARDS: Table = Table {
    from: "credit_cards t",
    columns: "t.id, t.customer_id, t.brand, t.last4, t.exp_month, t.exp_year, t.holder_name, t.is_default, t.gateway_token, \
              t.created_at, t.deleted_at",
};

#[async_trait]
impl CardRepository for PostgresRepository {
    async fn load_wallet(&self, key: WalletKey) -> Result<Option<Versioned<Wallet>>, RepositoryError> {
        let (customer, card) = match key {
            WalletKey::Customer(id) => (Some(id.get()), None),
            WalletKey::Card(id) => (None, Some(id.get())),
        };
        let found = self
            .database
            .read(|pool| {
                sqlx::query!(
                    r#"
                select
                    c.id,
                    c.version,
                    case
                        when k.id is not null
                        then row(
                            k.id, k.customer_id, k.brand, k.last4, k.exp_month, k.exp_year, k.holder_name, k.is_default,
                            k.gateway_token, k.created_at, k.deleted_at
                        )
                    end as "card?: CardRow",
                    (
                        select other.id
                        from credit_cards other
                        where other.customer_id = c.id
                            and other.deleted_at is null
                            and other.id is distinct from k.id
                        order by other.id desc
                        limit 1
                    ) as newest_other
                from customers c
                left join credit_cards k on k.id = $2 and k.deleted_at is null
                where c.id = coalesce($1, (select customer_id from credit_cards where id = $2 and deleted_at is null))
                "#,
                    customer,
                    card,
                )
                .fetch_optional(pool)
            })
            .await?;
        let Some(found) = found else { return Ok(None) };
        let value = Wallet {
            customer_id: parse_id("customers", found.id)?,
            card: found.card.map(CardRow::parse).transpose()?,
            newest_other: parse_optional_id("credit_cards", found.newest_other)?,
        };
        Ok(Some(Versioned { version: Version(found.version), value }))
    }

    async fn list_cards(&self, filter: &CardFilter, page: PageRequest) -> Result<Page<Stored<CreditCard>>, RepositoryError> {
        list::page::<CardRow>(
            &self.database,
            &CARDS,
            &[Branch::of(CARDS.from, "t.id", "t.deleted_at is null")],
            |query| {
                query.compare("t.customer_id =", filter.visible_to.map(Id::get));
                query.compare("t.customer_id =", filter.customer_id.map(Id::get));
            },
            page,
        )
        .await
    }
}

/// Writes a change to a customer's cards.
pub(crate) async fn commit(database: &Database, change: &WalletChange, envelope: &Value) -> Result<NewIds, RepositoryError> {
    let (id, card) = match &change.card {
        CardChange::Create(card) => (None, card),
        CardChange::Update(id, card) => (Some(id.get()), card),
    };
    let (others_change, default) = match change.others {
        DefaultCard::Keep => (false, None),
        DefaultCard::Clear => (true, None),
        DefaultCard::Becomes(id) => (true, Some(id.get())),
    };
    let brand = card.brand.to_string();
    let exp_month = i32::try_from(card.exp_month).unwrap_or(i32::MAX);
    let written = database
        .write(|pool| {
            sqlx::query!(
                r#"
            with started as materialized (
                select begin_commit($1) as begun
            ), root as (
                update customers
                set version = version + 1
                from started
                where customers.id = $2
                    and customers.version = $3
                    and started.begun
                returning customers.id
            ), made as (
                insert into credit_cards (
                    customer_id, brand, last4, exp_month, exp_year, holder_name, is_default, gateway_token, created_at,
                    deleted_at
                )
                select root.id, $5, $6, $7, $8, $9, $10, $11, $12, $13
                from root
                where $4::bigint is null
                returning id
            ), changed as (
                update credit_cards
                set brand = $5,
                    last4 = $6,
                    exp_month = $7,
                    exp_year = $8,
                    holder_name = $9,
                    is_default = $10,
                    gateway_token = $11,
                    created_at = $12,
                    deleted_at = $13
                from root
                where credit_cards.id = $4
                    and credit_cards.customer_id = root.id
                returning credit_cards.id
            ), others as (
                update credit_cards
                set is_default = (credit_cards.id is not distinct from $15)
                from root
                where $14
                    and credit_cards.customer_id = root.id
                    and credit_cards.id is distinct from $4
                    and credit_cards.is_default is distinct from (credit_cards.id is not distinct from $15)
            )
            select
                (select id from made) as made,
                ensure_whole($4::bigint is null or exists (select from changed)) as "whole!",
                end_commit($1, (select id from made)) as "marked!"
            from root
            "#,
                envelope,
                change.customer_id.get(),
                change.expected.0,
                id,
                brand,
                card.last4,
                exp_month,
                card.exp_year,
                card.holder_name,
                card.is_default,
                card.token.expose(),
                card.created_at,
                card.deleted_at,
                others_change,
                default,
            )
            .fetch_optional(pool)
        })
        .await?
        .ok_or(RepositoryError::Conflict)?;
    let credit_card = parse_optional_id("credit_cards", written.made)?;
    Ok(NewIds { credit_card, ..NewIds::default() })
}
