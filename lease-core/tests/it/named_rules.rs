//! Tests name the rule that they are about, as `spec 4.4` or `spec 2, rule 1`, so that a rule and its tests find each other; and
//! the page *How we know* names tests that there are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The sections of the specification that hold rules, and how many rules each has.
const RULES: [(usize, usize); 5] = [(2, 4), (3, 7), (4, 12), (5, 6), (6, 8)];

/// Where tests stand.
const TESTS: [&str; 4] = ["lease-core/tests", "lease-core/src/conformance", "lease-http/tests", "lease-store-postgres/tests"];

/// The rules that a line names, `4.4` each.
fn named_in(line: &str) -> impl Iterator<Item = String> {
    let line = line.trim_start();
    let is_description = line.starts_with("///") || line.starts_with("//!");
    let line = line.to_lowercase().replace(", rule ", ".");
    let said = if is_description { line.split_once("spec ").map(|(_, said)| said.to_owned()) } else { None };
    let words = said.unwrap_or_default();
    let is_rule = |word: &&str| word.split('.').flat_map(str::parse::<usize>).count() == 2;
    let trimmed: Vec<String> = words
        .split(|character: char| !character.is_ascii_digit() && character != '.')
        .map(|word| word.trim_matches('.'))
        .filter(is_rule)
        .map(str::to_owned)
        .collect();
    trimmed.into_iter()
}

/// The text of every file below these directories of the workspace.
fn texts(directories: &[&str]) -> Vec<String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut left: Vec<PathBuf> = directories.iter().map(|directory| workspace.join(directory)).collect();
    let mut texts = Vec::new();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "sql") {
            texts.push(std::fs::read_to_string(&path).unwrap());
        }
    }
    texts
}

#[test]
fn every_rule_is_named_by_a_test() {
    let named: BTreeSet<String> = texts(&TESTS).iter().flat_map(|text| text.lines()).flat_map(named_in).collect();
    let rules = RULES.iter().flat_map(|(section, rules)| (1..=*rules).map(move |rule| format!("{section}.{rule}")));
    let unnamed: Vec<String> = rules.filter(|rule| !named.contains(rule)).collect();
    assert_eq!(unnamed, Vec::<String>::new(), "no test names these");
    assert!(!named.contains("4.13"), "a rule that is not there");
}

#[test]
fn the_page_names_tests_and_constraints_that_there_are() {
    let page = include_str!("../../src/invariants/how_we_know.md");
    let texts = texts(&[&TESTS[..], &["lease-store-postgres/migrations"]].concat());
    let is_name =
        |word: &&str| word.contains('_') && word.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_');
    let names: BTreeSet<&str> = page.split('`').skip(1).step_by(2).filter(is_name).collect();
    let is_there = |name: &str| texts.iter().any(|text| text.contains(&format!(" {name}")));
    let unknown: Vec<_> = names.iter().filter(|name| !is_there(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(names.len() > 40, "{names:?}");
}
