//! Short fuzzing: a test runs each target on random input. [`libfuzzer`](../../examples) runs the same targets for longer, guided
//! by coverage: see `make fuzz`.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed expectation is how a test fails")]

#[path = "../api/app.rs"]
#[expect(dead_code, reason = "shared with the tests of the API, which need more of it")]
mod app;
#[path = "../api/support/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of the API, which need more of it")]
mod support;
mod targets;

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any};
use proptest::test_runner::TestRunner;
use targets::Target;

/// Runs a target on random bytes, `PROPTEST_CASES` times, or fewer if each case is a sequence of commands.
fn try_out(target: Target) {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if target.tells_a_story {
        config.cases = config.cases.div_ceil(16);
    }
    let longest = if target.tells_a_story { 2_048 } else { 128 };
    TestRunner::new(config)
        .run(&vec(any::<u8>(), 0..longest), |bytes| {
            target.run(&bytes);
            Ok(())
        })
        .unwrap();
}

macro_rules! a_test_each {
    ($($module:ident { $($target:ident,)+ })+) => {$($(
        #[test]
        fn $target() {
            try_out(targets::find(stringify!($target)).unwrap());
        }
    )+)+};
}

targets::all!(a_test_each);
