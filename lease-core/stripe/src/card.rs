use lease_core::gateway::{CardSetup, CardToken, ClientSecret, EnteredCard, TokenizedCard};
use lease_core::id::CustomerId;
use lease_core::model::CardBrand;
use serde::Deserialize;

use crate::StripeGateway;
use crate::client::Form;
use crate::error::{Refusal, StripeError};
use crate::id::Id;

/// A card that Stripe keeps, with the customer of Stripe's that it is attached to. Its token is `cus_…/pm_…`.
pub(crate) struct StripeCard {
    pub(crate) customer: Id,
    pub(crate) payment_method: Id,
}

impl StripeCard {
    /// The card with this token; `None` for one that another gateway keeps.
    pub(crate) fn of(token: &CardToken) -> Option<Self> {
        let (customer, payment_method) = token.expose().split_once('/')?;
        Some(Self { customer: Id::parse(customer, "cus_")?, payment_method: Id::parse(payment_method, "pm_")? })
    }

    fn token(&self) -> CardToken {
        CardToken::new(format!("{}/{}", self.customer, self.payment_method))
    }
}

#[derive(Deserialize)]
struct Customer {
    id: Id,
    metadata: Option<Metadata>,
}

/// What we wrote on a customer.
#[derive(Deserialize)]
struct Metadata {
    lease_customer_id: Option<String>,
}

#[derive(Deserialize)]
struct SetupIntent {
    client_secret: String,
}

#[derive(Deserialize)]
struct PaymentMethod {
    id: Id,
    customer: Option<Id>,
    card: Option<Card>,
    #[serde(default)]
    billing_details: BillingDetails,
}

#[derive(Deserialize)]
struct Card {
    brand: String,
    last4: String,
    exp_month: u32,
    exp_year: i32,
}

#[derive(Default, Deserialize)]
struct BillingDetails {
    name: Option<String>,
}

impl StripeGateway {
    /// Prepares the entry of a card for a customer.
    pub(crate) async fn prepare_card(&self, customer: CustomerId) -> Result<CardSetup, StripeError> {
        let form = vec![
            ("customer", self.make_customer(customer).await?.to_string()),
            ("usage", "on_session".to_owned()),
            ("payment_method_types[]", "card".to_owned()),
            ("metadata[lease_customer_id]", customer.to_string()),
        ];
        let made = self.client.post::<SetupIntent>("/v1/setup_intents", &form, None).await?.value;
        Ok(CardSetup { client_secret: ClientSecret::new(made.client_secret) })
    }

    /// The card that this customer has entered.
    pub(crate) async fn entered_card(&self, customer: CustomerId, payment_method: &str) -> Result<EnteredCard, StripeError> {
        let Some(id) = Id::parse(payment_method, "pm_") else { return Ok(EnteredCard::Unknown) };
        let entered = match self.client.get::<PaymentMethod>(&format!("/v1/payment_methods/{id}"), &Form::new()).await {
            Ok(entered) => entered,
            Err(StripeError::Refused(refusal)) if refusal.is_missing() => return Ok(EnteredCard::Unknown),
            Err(error) => return Err(error),
        };
        let Some(card) = entered.card else { return Ok(EnteredCard::Unknown) };
        let owner = match entered.customer {
            Some(owner) if self.belongs_to(&owner, customer).await? => owner,
            Some(_) => return Ok(EnteredCard::Unknown),
            None => {
                let owner = self.make_customer(customer).await?;
                match self.attach(&entered.id, &owner).await? {
                    Ok(()) => owner,
                    Err(failure_code) => return Ok(EnteredCard::Refused { failure_code }),
                }
            }
        };
        Ok(EnteredCard::Accepted(TokenizedCard {
            token: StripeCard { customer: owner, payment_method: entered.id }.token(),
            brand: card.brand.parse().unwrap_or(CardBrand::Unknown),
            last4: card.last4,
            exp_month: card.exp_month,
            exp_year: card.exp_year,
            holder_name: entered.billing_details.name.unwrap_or_default(),
        }))
    }

    /// A customer at Stripe for this customer. Within a day it is the same one; later ones stand for the same customer as well.
    async fn make_customer(&self, customer: CustomerId) -> Result<Id, StripeError> {
        let form = vec![("metadata[lease_customer_id]", customer.to_string())];
        let made = self.client.post::<Customer>("/v1/customers", &form, Some(&format!("lease_customer_{customer}"))).await?;
        Ok(made.value.id)
    }

    /// Whether a customer at Stripe stands for this customer.
    async fn belongs_to(&self, owner: &Id, customer: CustomerId) -> Result<bool, StripeError> {
        let owner: Customer = self.client.get(&format!("/v1/customers/{owner}"), &Form::new()).await?;
        Ok(owner.metadata.and_then(|metadata| metadata.lease_customer_id) == Some(customer.to_string()))
    }

    /// Attaches a card to a customer, or says why Stripe refused it.
    async fn attach(&self, card: &Id, owner: &Id) -> Result<Result<(), String>, StripeError> {
        let form = vec![("customer", owner.to_string())];
        match self.client.post::<PaymentMethod>(&format!("/v1/payment_methods/{card}/attach"), &form, None).await {
            Ok(_) => Ok(Ok(())),
            Err(StripeError::Refused(refusal)) if refusal.is_of_card() => Ok(Err(refused_code(&refusal))),
            Err(error) => Err(error),
        }
    }
}

fn refused_code(refusal: &Refusal) -> String {
    refusal.failure_code().unwrap_or_else(|| "card_declined".to_owned())
}
