#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]
//!
//! # Three steps
//!
//! Every command takes the same three steps. [`LeaseEngine`] **loads** what the decision needs from a
//! [`Repository`](repository::Repository); a pure function **decides**, from a snapshot, the actor, the input and the time, what
//! changes or why nothing may; the store **commits** the changes in one atomic step, unless a row of the snapshot has changed in
//! the meantime, in which case the engine starts over. Only decisions contain rules: stores and request handlers have none.
//!
//! # Where each rule lives
//!
//! | question | place |
//! | --- | --- |
//! | who may do what, and see what | [`permission`]: one table, five predicates |
//! | how a trade opens, is negotiated, agreed, cancelled and completed | [`lifecycle`]: one file for each rule |
//! | when the fee is invoiced, who is billed, and how it is paid | [`invoicing`] |
//! | what an app refuses for reasons of its own | [`guard`] |
//! | registering, logging in, passwords (a feature), tokens, users | [`account`] |
//! | stored cards and the default one | [`wallet`] |
//! | vehicles and services | [`catalog`] |
//! | contacts and leads | [`directory`] |
//! | what each table contains | [`model`], with [`money`], [`id`], [`text`] |
//! | what is recorded of every change, and who sees it | [`event`] |
//! | what a store must do | [`repository`], and `conformance` (a feature), which checks it |
//! | whether the data in a store is consistent: the invariants I1 to I9 as code | [`invariants`] |
//! | who charges cards | [`gateway`] |
//! | who is told of events, and when again if that failed | [`webhook`] |
//! | who gets which notice by mail | [`mail`] |
//! | what an operator may choose | [`policy`] |
//! | what another system leaves, to be stored at once | [`import`] |
//! | the input of callers, before it is validated | [`input`] |
//! | how that input is described to clients | `openapi` (a feature) |
//! | loading, committing, retrying, recovering | [`engine`] |
//!
//! # Your own users
//!
//! An app that has users and sessions of its own needs none of the passwords and tokens here, and leaves out the feature `passwords`. When
//! one of its users logs in, it makes them a customer, with its own number of the user as the external id. On each request it asks for the
//! actor again ([`LeaseEngine::actor_of`]), which is one look-up:
//!
//! ```
//! # use lease_core::{Error, LeaseEngine, account::NewCustomer, permission::Actor};
//! async fn log_in(engine: &LeaseEngine, user: &str) -> Result<Actor, Error> {
//!     engine.ensure_customer(&NewCustomer { external_id: user.into(), ..NewCustomer::default() }).await
//! }
//!
//! async fn actor(engine: &LeaseEngine, user: &str) -> Result<Actor, Error> {
//!     engine.actor_of(user).await?.ok_or(Error::NotAuthenticated)
//! }
//! ```
//!
//! What the app does on nobody's behalf, it does as [`Actor::System`](permission::Actor::System): it makes one of its users staff, renames
//! or deactivates them. It passes the `external_id` and the `metadata` of a draft on for whomever it acts, so it takes them out of what its
//! users send ([`Draft::without_annotations`](input::Draft::without_annotations)).
//!
//! ```
//! # use lease_core::{Error, LeaseEngine, account::UserDraft, id::UserId, input::UpdateMode, permission::Actor};
//! async fn make_staff(engine: &LeaseEngine, user: UserId) -> Result<(), Error> {
//!     let draft = UserDraft { is_staff: true.into(), ..UserDraft::default() };
//!     engine.update_user(Actor::System, user, &draft, UpdateMode::Partial, None).await.map(drop)
//! }
//! ```
//!
//! Over HTTP, an `Authenticator` of `lease-http` says who sends a request. `examples/own_users.rs` is such an app.
//!
//! # Beside the engine
//!
//! The crates whose types stand in signatures are re-exported: [`chrono`], [`rust_decimal`], [`secrecy`], [`serde_json`], and the macro
//! [`async_trait`](macro@async_trait) for those who implement a trait.
//!
//! An app that embeds the engine also runs [`LeaseEngine::run_maintenance`], which settles what was left pending and clears what
//! has expired.
//!
//! Time and randomness are inputs ([`clock`], [`random`]): no decision fetches them itself.
//!
//! # Rules of your own
//!
//! An app sets its own when it [builds](engine::LeaseEngineBuilder) the engine. Both are pure, and are asked within the decision, so
//! they hold whatever happens at the same time.
//!
//! - A [`FeePolicy`](invoicing::FeePolicy) says how much the company claims for a trade, at the moment of invoicing: percentages, tiers,
//!   free days.
//! - A [`Guard`](guard::Guard) may refuse to open a trade, to propose, to accept or to pay, with a code and a message of the app's own.
//!
//! ```
//! use lease_core::gateway::SandboxGateway;
//! use lease_core::invoicing::{FeeBasis, FeePolicy};
//! use lease_core::money::{Money, MoneyError};
//! use lease_core::repository::Repository;
//! use lease_core::{LeaseEngine, engine::BuildError};
//! use std::sync::Arc;
//!
//! /// One per cent of the price.
//! #[derive(Debug)]
//! struct OnePerCent;
//!
//! impl FeePolicy for OnePerCent {
//!     fn fee(&self, basis: &FeeBasis<'_>) -> Result<Money, MoneyError> {
//!         basis.proposal.amount.percent(1.into())
//!     }
//! }
//!
//! fn engine(store: Arc<dyn Repository>) -> Result<LeaseEngine, BuildError> {
//!     LeaseEngine::builder(store, Arc::new(SandboxGateway::new())).fee_policy(Arc::new(OnePerCent)).build()
//! }
//! ```

pub mod account;
mod annotating;
mod as_text;
pub mod catalog;
pub mod client;
pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod decision;
pub mod directory;
pub mod engine;
pub mod error;
pub mod event;
pub mod gateway;
pub mod guard;
pub mod id;
pub mod import;
pub mod input;
pub mod invariants;
pub mod invoicing;
pub mod lifecycle;
pub mod mail;
pub mod model;
pub mod money;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod page;
pub mod permission;
pub mod policy;
pub mod random;
pub mod repository;
pub mod rules;
pub mod text;
mod trade;
pub mod wallet;
pub mod webhook;

pub use async_trait::async_trait;
pub use engine::LeaseEngine;
pub use error::{Error, ErrorKind, OwnRefusal, Refusal, RefusalCode};
pub use {chrono, rust_decimal, secrecy, serde_json};
