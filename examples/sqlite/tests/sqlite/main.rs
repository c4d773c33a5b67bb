//! Tests of the store on files of its own.

#![expect(clippy::unwrap_used, reason = "a failed expectation is how a test fails")]

mod conformance;
mod cut_off;
mod files;
mod support;
