//! Credit cards (rule 5.6). No response contains the number, the security code or the gateway's token.

use axum::Json;
use axum::http::StatusCode;
use lease_core::id::CreditCardId;
use lease_core::input::{Draft, UpdateMode};
use lease_core::permission::Resource;
use lease_core::repository::CardFilter;
use lease_core::wallet::{CardDraft, EnteredCardDraft};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use utoipa_axum::routes;

use super::response::{ApiResult, Created, created};
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::idempotency::{Replay, Secrets};
use crate::problem::Problem;
use crate::query::{Filter, List, Params};
use crate::schema::{CreditCardInput, CreditCardPatch};
use crate::views::{CreditCard, Listing};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new()
        .routes(routes!(list_credit_cards))
        .post(routes!(create_credit_card), Replay::created(get_credit_card).with_secrets(Secrets::Card))
        .routes(routes!(get_credit_card, update_credit_card, delete_credit_card))
}

/// A new card, as its number or as the provider's name for it. The gateway decides which of the two is read.
struct NewCard {
    numbered: CardDraft,
    entered: EnteredCardDraft,
}

impl<'de> Deserialize<'de> for NewCard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = Box::<RawValue>::deserialize(deserializer)?;
        let numbered = serde_json::from_str(body.get()).map_err(D::Error::custom)?;
        let entered = serde_json::from_str(body.get()).map_err(D::Error::custom)?;
        Ok(Self { numbered, entered })
    }
}

impl Draft for NewCard {
    fn unreadable() -> Self {
        Self { numbered: CardDraft::unreadable(), entered: EnteredCardDraft::unreadable() }
    }

    fn without_annotations(self) -> Self {
        self
    }
}

/// A page of credit cards.
type CreditCardPage = Listing<CreditCard>;

impl Filter for CardFilter {
    const RESOURCE: Resource = Resource::CreditCard;

    fn read(params: &mut Params) -> Self {
        Self { customer_id: params.id("customer_id", "Only cards of this customer."), ..Self::default() }
    }
}

/// List credit cards
///
/// A customer sees their own.
#[utoipa::path(get, path = "/api/credit-cards", tag = "credit cards", params(List<CardFilter>),
    responses((status = 200, description = "A page of credit cards.", body = CreditCardPage)))]
async fn list_credit_cards(engine: Engine, session: Session, list: List<CardFilter>) -> ApiResult<CreditCardPage> {
    let (filter, page, links) = list.for_reader(&session.actor)?;
    let found = engine.list_cards(&session.actor, filter, page).await?;
    Ok(links.respond(found, CreditCard::from))
}

/// Store a credit card
///
/// With a gateway whose cards are entered in the browser, the body is the name that the provider gave the card.
#[utoipa::path(post, path = "/api/credit-cards", tag = "credit cards", request_body = CreditCardInput,
    responses((status = 201, description = "The card is stored.", body = CreditCard)),
    extensions(("x-codes" = json!(["permission_denied", "card_declined", "throttled"]))))]
async fn create_credit_card(engine: Engine, session: Session, body: Body<NewCard>) -> Created<CreditCard> {
    let stored = if engine.gateway(&session.actor)?.takes_card_numbers {
        engine.create_card(&session, &body.numbered).await
    } else {
        engine.create_entered_card(&session, &body.entered).await
    };
    let card = body.judge(stored)?;
    Ok(created(card.id, card.into()))
}

/// Get a credit card
#[utoipa::path(get, path = "/api/credit-cards/{id}", tag = "credit cards",
    responses((status = 200, description = "The credit card.", body = CreditCard)))]
async fn get_credit_card(engine: Engine, session: Session, id: PathId<CreditCardId>) -> ApiResult<CreditCard> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(engine.get_card(&session.actor, id).await?.into()))
}

/// Change a credit card
#[utoipa::path(patch, path = "/api/credit-cards/{id}", tag = "credit cards", request_body = CreditCardPatch,
    responses((status = 200, description = "The credit card as it is now.", body = CreditCard)),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn update_credit_card(
    engine: Engine,
    session: Session,
    id: PathId<CreditCardId>,
    body: Body<CardDraft>,
) -> ApiResult<CreditCard> {
    let id = id.or_not_found(&session.actor)?;
    let card = body.judge(engine.update_card(&session, id, &body, UpdateMode::Partial).await)?;
    Ok(Json(card.into()))
}

/// Delete a credit card
///
/// Its payments remain.
#[utoipa::path(delete, path = "/api/credit-cards/{id}", tag = "credit cards",
    responses((status = 204, description = "The card is deleted.")),
    extensions(("x-codes" = json!(["permission_denied"]))))]
async fn delete_credit_card(engine: Engine, session: Session, id: PathId<CreditCardId>) -> Result<StatusCode, Problem> {
    let id = id.or_not_found(&session.actor)?;
    engine.delete_card(&session, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
