//! The page *How we know* names tests and constraints that there are.

use std::collections::BTreeSet;

use crate::rule_references::{files, is_test};

#[test]
fn the_page_names_tests_and_constraints_that_there_are() {
    let page = include_str!("../../src/invariants/how_we_know.md");
    let texts: Vec<String> = files()
        .into_iter()
        .filter(|(place, _)| is_test(place) || place.extension().is_some_and(|kind| kind == "sql"))
        .map(|(_, text)| text)
        .collect();
    let is_name =
        |word: &&str| word.contains('_') && word.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_');
    let names: BTreeSet<&str> = page.split('`').skip(1).step_by(2).filter(is_name).collect();
    let is_there = |name: &str| texts.iter().any(|text| text.contains(&format!(" {name}")));
    let unknown: Vec<_> = names.iter().filter(|name| !is_there(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(names.len() > 40, "{names:?}");
}
