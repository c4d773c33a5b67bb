//! What becomes of the data of a Django Lease API: any rows, and a dump with every oddity that the guide names.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is how a test fails")]

mod any_rows;
mod oddities;
mod properties;
mod sources;
mod whole;
