//! What the benchmarks of whole servers share: a throw-away Postgres with rows in it, and `lease-server` as a process of its own.

pub(crate) mod cpu;
pub(crate) mod data;
pub(crate) mod postgres;
#[path = "../../../lease-store-postgres/tests/postgres/support/script.rs"]
#[expect(dead_code, reason = "shared with the tests, which also give orders")]
mod script;
pub(crate) mod server;
