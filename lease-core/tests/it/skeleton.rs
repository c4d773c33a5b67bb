//! The skeleton of a store, which whoever writes one copies. That it compiles shows that no method is missing.

#[path = "../../docs/skeleton.rs"]
#[expect(unreachable_pub, reason = "it is the front page of a crate, once it is copied")]
mod store;

use lease_core::conformance::THEMES;
use lease_core::repository::{Repository as _, RepositoryError};

const SKELETON: &str = include_str!("../../docs/skeleton.rs");

/// The text between two others in a line.
fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    Some(line.split_once(before)?.1.split_once(after)?.0)
}

/// A case of the suite that fails then says what is missing.
#[test]
fn what_is_not_written_yet_says_its_name() {
    let (mut found, mut of, mut method) = (0, "", "");
    for line in SKELETON.lines() {
        of = between(line, "impl ", " for MyStore").unwrap_or(of);
        method = between(line, "async fn ", "(").unwrap_or(method);
        let Some(name) = between(line, "not_written_yet(\"", "\")") else { continue };
        let own = match between(line, "Change::", "(") {
            Some(change) => format!("Change::{change}"),
            None => format!("{of}::{method}"),
        };
        assert!(name == own || name == "Envelope::claim", "{own} says {name}");
        found += 1;
    }
    assert!(found > 80, "{found} answers");
}

/// Each but the last, which needs nothing more.
#[test]
fn each_step_of_the_guide_is_there() {
    for step in 1..THEMES.len() {
        let is_named = |line: &str| line.split([' ', ',', '.']).any(|word| word == step.to_string());
        assert!(SKELETON.lines().filter(|line| line.contains("// Step")).any(is_named), "step {step}");
    }
}

#[tokio::test]
async fn a_store_that_is_not_written_yet_says_so() {
    let answer = store::MyStore.ping().await;
    let Err(RepositoryError::Internal(fault)) = answer else { panic!("{answer:?}") };
    assert_eq!(fault.to_string(), "Repository::ping is not written yet");
}
