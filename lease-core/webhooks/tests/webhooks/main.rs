//! The sender against receivers on this machine.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is how a test fails")]

mod addresses;
mod answers;
mod certificates;
mod connections;
mod signatures;
mod support;
mod time_limit;
mod verifiers;
