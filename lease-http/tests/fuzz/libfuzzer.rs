//! Long fuzzing: libFuzzer runs the target that `FUZZ_TARGET` names. It is a Cargo example only so that it can be a program with
//! the dependencies of the tests. `make fuzz` builds it with coverage, on a stable compiler; in other builds it does nothing.

#![cfg_attr(fuzzing, no_main)]
#![cfg_attr(
    fuzzing,
    expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed expectation is how a target fails")
)]

#[cfg(fuzzing)]
#[path = "../api/app.rs"]
#[expect(dead_code, reason = "shared with the tests of the API, which need more of it")]
mod app;
#[cfg(fuzzing)]
#[path = "../api/support/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of the API, which need more of it")]
mod support;
#[cfg(fuzzing)]
mod targets;

#[cfg(fuzzing)]
static TARGET: std::sync::LazyLock<targets::Target> = std::sync::LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    targets::find(&name).unwrap_or_else(|| panic!("FUZZ_TARGET is one of {:?}", targets::names().collect::<Vec<_>>()))
});

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET.run(bytes));

#[cfg(not(fuzzing))]
fn main() {}
