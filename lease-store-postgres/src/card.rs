//! Credit cards. The root of a change is the customer, whose version it moves.

use async_trait::async_trait;
use lease_core::id::{CreditCardId, Id, Stored, Version, Versioned};
use lease_core::model::CreditCard;
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{
    CardChange, CardFilter, CardRepository, Claim, DefaultCard, RepositoryError, Wallet, WalletChange, WalletKey,
};

use crate::PostgresRepository;
use crate::list::{self, Branch, Table};
use crate::row::{At, CardRow, Row as _};
use crate::statement::claim_arguments;

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
        let at = At::new("customers", found.id);
        let value = Wallet {
            customer_id: at.id("id", found.id)?,
            card: found.card.map(CardRow::parse).transpose()?,
            newest_other: found.newest_other.map(|id| At::new("credit_cards", id).id("id", id)).transpose()?,
        };
        Ok(Some(Versioned { version: Version(found.version), value }))
    }

    async fn commit_wallet(&self, change: &WalletChange, claim: Option<Claim>) -> Result<CreditCardId, RepositoryError> {
        let (key, holder) = claim_arguments(claim.as_ref());
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
        let written = self
            .database
            .write(|pool| {
                sqlx::query!(
                    r#"
                with claim as materialized (
                    select hold_claim($1, $2) as held
                ), root as (
                    update customers
                    set version = version + 1
                    from claim
                    where customers.id = $3
                        and customers.version = $4
                        and claim.held
                    returning customers.id
                ), made as (
                    insert into credit_cards (
                        customer_id, brand, last4, exp_month, exp_year, holder_name, is_default, gateway_token, created_at,
                        deleted_at
                    )
                    select root.id, $6, $7, $8, $9, $10, $11, $12, $13, $14
                    from root
                    where $5::bigint is null
                    returning id
                ), changed as (
                    update credit_cards
                    set brand = $6,
                        last4 = $7,
                        exp_month = $8,
                        exp_year = $9,
                        holder_name = $10,
                        is_default = $11,
                        gateway_token = $12,
                        created_at = $13,
                        deleted_at = $14
                    from root
                    where credit_cards.id = $5
                        and credit_cards.customer_id = root.id
                    returning credit_cards.id
                ), others as (
                    update credit_cards
                    set is_default = (credit_cards.id is not distinct from $16)
                    from root
                    where $15
                        and credit_cards.customer_id = root.id
                        and credit_cards.id is distinct from $5
                        and credit_cards.is_default is distinct from (credit_cards.id is not distinct from $16)
                )
                select
                    (select id from made) as made,
                    ensure_whole($5::bigint is null or exists (select from changed)) as "whole!",
                    mark_claim($1, (select id from made)) as "marked!"
                from root
                "#,
                    key,
                    holder,
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
        let at = At::new("credit_cards", written.made.or(id).unwrap_or_default());
        at.id("id", at.some("id", written.made.or(id))?)
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
