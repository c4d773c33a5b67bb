//! The engine in an app's own process, on the memory store.

#![expect(clippy::unwrap_used, reason = "a failed expectation is how a test fails")]

mod maintenance;
mod shop;
