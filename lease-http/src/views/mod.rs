//! What the API answers, as types: the JSON of each resource, and its schema in the `OpenAPI` document.
//!
//! An app with handlers of its own answers with the same JSON as the routes of this crate: each view is made of what the
//! [engine](lease_core::LeaseEngine) returns, and an error of the engine becomes a [`Problem`](crate::Problem). A client in Rust reads the
//! answers of a server into the same types. It fails on a status, an action or a type of event that is newer than it is.
//!
//! A handler that takes a draft from a customer takes the `external_id` and `metadata` out of it first, as the routes of this crate do:
//! [`Draft::without_annotations`](lease_core::input::Draft::without_annotations).
//!
//! ```
//! # use std::sync::Arc;
//! # use axum::body::{Body, to_bytes};
//! use axum::extract::{Path, Request, State};
//! use axum::routing::get;
//! use axum::{Extension, Json, Router};
//! use lease_core::LeaseEngine;
//! # use lease_core::id::ServiceId;
//! use lease_core::id::TradeId;
//! use lease_core::model::TradeStatus;
//! use lease_core::permission::Actor;
//! use lease_http::{Problem, views};
//! # use lease_core::account::NewCustomer;
//! # use lease_core::catalog::VehicleDraft;
//! # use lease_core::gateway::SandboxGateway;
//! # use lease_core::lifecycle::TradeDraft;
//! # use lease_core::money::{Currency, Money};
//! # use lease_store_memory::MemoryRepository;
//! use tower::ServiceExt as _;
//!
//! // The app puts the actor into the request, by its own session.
//! async fn show_trade(
//!     State(engine): State<LeaseEngine>,
//!     Extension(actor): Extension<Actor>,
//!     Path(id): Path<TradeId>,
//! ) -> Result<Json<views::Trade>, Problem> {
//!     let trade = engine.get_trade(&actor, id).await?;
//!     Ok(Json(views::Trade::seen_by(&actor, trade)))
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let engine = LeaseEngine::builder(Arc::new(MemoryRepository::default()), Arc::new(SandboxGateway::new())).build()?;
//! # engine.ensure_standard_services(Money::parse("49.00", Currency::USD)?, Money::parse("199.00", Currency::USD)?).await?;
//! # engine.create_customer(&NewCustomer { external_id: "17".into(), ..NewCustomer::default() }).await?;
//! # let actor = engine.actor_of("17").await?.ok_or("nobody")?;
//! # let car = VehicleDraft {
//! #     vin: "1HGCM82633A004352".into(), make: "Honda".into(), model: "Accord".into(), year: 2003.into(), ..VehicleDraft::default()
//! # };
//! # let car = engine.create_vehicle(actor, &car).await?;
//! # let trade = TradeDraft { vehicle_id: car.id.into(), service_id: ServiceId::new(1).into(), ..TradeDraft::default() };
//! # engine.open_trade(actor, &trade).await?;
//! # let request = Request::get("/trades/1").extension(actor).body(Body::empty())?;
//! let app = Router::new().route("/trades/{id}", get(show_trade)).with_state(engine);
//! let answer = app.oneshot(request).await?;
//!
//! # let body = to_bytes(answer.into_body(), usize::MAX).await?;
//! // And in a client:
//! let trade: views::Trade = serde_json::from_slice(&body)?;
//! assert_eq!(trade.status, TradeStatus::Open);
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "passwords")]
mod account;
mod amount;
mod annotations;
mod contact;
mod credit_card;
mod customer;
mod gateway;
mod invoice;
mod lead;
mod listing;
mod notification_settings;
mod payment;
mod problem;
mod proposal;
mod refund;
mod secret;
mod service;
mod test_clock;
mod token;
mod trade;
mod user;
mod vehicle;
mod webhook;

#[doc(inline)]
pub use lease_core::event::EventView as Event;

#[cfg(feature = "passwords")]
pub use account::{Login, Registration};
pub use amount::Amount;
pub use contact::Contact;
pub use credit_card::CreditCard;
pub use customer::Customer;
pub use gateway::{CardSetup, Gateway};
pub use invoice::Invoice;
pub use lead::Lead;
pub use listing::Listing;
pub use notification_settings::NotificationSettings;
pub use payment::{NextAction, Payment};
pub use problem::Problem;
pub use proposal::Proposal;
pub use refund::Refund;
pub use secret::Secret;
pub use service::Service;
pub use test_clock::TestClock;
pub use token::{NewToken, Token};
pub use trade::{Asking, OfferedVehicle, Trade};
pub use user::User;
pub use vehicle::Vehicle;
pub use webhook::{WebhookDelivery, WebhookEndpoint, WebhookEndpointWithSecret, WebhookTry};
