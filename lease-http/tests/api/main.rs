//! Tests of the REST layer and the server from the outside.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed expectation is how a test fails")]

mod accounts;
mod actions;
mod app;
mod cycle;
mod docs;
mod document;
mod errors;
mod idempotency;
mod lists;
mod ops;
mod permissions;
mod process;
mod server;
mod support;
mod throttle;
mod time;
mod words;
