//! Runs the fake Stripe until it is stopped, for programs in other languages. Its first line is its address.

#![expect(clippy::print_stdout, reason = "whoever starts it reads the address")]

use std::sync::Arc;

use lease_core::clock::SystemClock;
use lease_stripe::fake::FakeStripe;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let fake = FakeStripe::start(Arc::new(SystemClock), 0).await?;
    println!("{}", fake.address());
    std::future::pending().await
}
