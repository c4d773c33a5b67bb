//! The engine in an app's own process, on the memory store.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is how a test fails")]

mod mails;
mod maintenance;
mod reading;
mod shop;
mod test_clock;
mod webhooks;
