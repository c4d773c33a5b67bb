//! The gateway against the fake Stripe of the feature `fake`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is how a test fails")]

mod amounts;
mod cards;
mod charges;
mod config;
mod failures;
mod payers;
mod refunds;
mod secrets;
mod support;
mod webhooks;
