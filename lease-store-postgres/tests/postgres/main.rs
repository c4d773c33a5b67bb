//! Tests of the store on a real Postgres.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed expectation is how a test fails")]

mod conformance;
mod constraints;
mod disconnects;
mod engine;
mod events;
mod failures;
mod hooks;
mod mails;
mod migrations;
mod model;
mod odd_rows;
mod outages;
mod poolers;
mod query_plans;
mod readiness;
mod schemas;
#[expect(dead_code, reason = "shared with the tests of the server, which crash it")]
mod support;
mod webhooks;
