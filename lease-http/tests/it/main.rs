//! The REST layer and the server, from the outside.

mod app;
mod docs;
mod errors;
mod idempotency;
mod operation;
mod server;
mod support;
mod throttle;
