//! Comments and documents name rules as `rule 4.5`, `rules 4.2, 4.3 and 4.11`, `rules 4.4 to 4.6`, `chapter 2` or `I3`. Each of
//! these is a heading in the documents of [`lease_core::rules`].

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The places that are searched, from the root of the workspace.
const PLACES: [&str; 9] = [
    "examples",
    "lease-core",
    "lease-http",
    "lease-store-memory",
    "lease-store-postgres",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "Makefile",
    "README.md",
];
/// The kinds of files that name rules.
const KINDS: [&str; 7] = ["md", "py", "rs", "sh", "sql", "toml", "txt"];
/// This file names rules that do not exist.
const THIS_FILE: &str = "rule_references.rs";

/// A rule, chapter or invariant as a text names it.
#[derive(Debug, PartialEq, Eq)]
struct Reference {
    /// `4.5` for a rule, `chapter 2`, `I3`; a name in any other form is kept as it is.
    name: String,
    /// The number of its line.
    line: usize,
}

/// The references in a text, in order.
fn references(text: &str) -> Vec<Reference> {
    let words: Vec<(usize, &str)> = words(text).collect();
    let mut found = Vec::new();
    for (place, (line, word)) in words.iter().enumerate() {
        let reference = |name: String| Reference { name, line: *line };
        match word.trim_start_matches(|character: char| !character.is_alphanumeric()).to_lowercase().as_str() {
            "rule" | "rules" => found.extend(numbers(&words[place + 1..]).into_iter().map(reference)),
            "chapter" | "chapters" => {
                found.extend(numbers(&words[place + 1..]).into_iter().map(|chapter| reference(format!("chapter {chapter}"))));
            }
            // A reference to a rule says `rule`: readers have no document of this other name.
            _ if bare(word).eq_ignore_ascii_case("spec") => found.push(reference(bare(word).to_owned())),
            _ if is_invariant(bare(word)) => found.push(reference(bare(word).to_owned())),
            _ => {}
        }
    }
    found
}

/// The words of a text with their lines, without comment marks. An empty line counts as an empty word.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().flat_map(|(before, line)| {
        let words = line.split_whitespace().filter(|word| word.contains(char::is_alphanumeric));
        let none = Some("").filter(|_| !line.contains(char::is_alphanumeric));
        words.chain(none).map(move |word| (before + 1, word))
    })
}

/// The numbers at the start of these words: one, or several with commas, `and` and `to` between them.
fn numbers(words: &[(usize, &str)]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let (mut goes_on, mut is_range) = (true, false);
    for (_, word) in words {
        match bare(word) {
            "and" | "to" if !found.is_empty() => (goes_on, is_range) = (true, bare(word) == "to"),
            number if goes_on && number.starts_with(|first: char| first.is_ascii_digit()) => {
                if is_range {
                    found.extend(between(found.last(), number));
                }
                found.push(number.to_owned());
                // After a comma or a plain number the list may go on; a bracket or a full stop ends it.
                (goes_on, is_range) = (word.ends_with(&format!("{number},")), false);
                if !goes_on && !word.ends_with(number) {
                    break;
                }
            }
            _ => break,
        }
    }
    found
}

/// The numbers from `4.4` to `4.6`.
fn between(first: Option<&String>, last: &str) -> Vec<String> {
    let split = |number: &str| number.split_once('.').and_then(|(chapter, rule)| Some((chapter.to_owned(), rule.parse().ok()?)));
    match (first.and_then(|first| split(first)), split(last)) {
        (Some((chapter, first)), Some((_, last))) => (first + 1..last).map(|rule: u32| format!("{chapter}.{rule}")).collect(),
        _ => Vec::new(),
    }
}

/// A word without the punctuation around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|character: char| !character.is_alphanumeric())
}

fn is_invariant(word: &str) -> bool {
    word.strip_prefix('I').is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The names in the headings of the rules: `4.5`, `chapter 2`, `I3`.
fn headings() -> BTreeSet<String> {
    let documents = files().into_iter().filter(|(place, _)| place.starts_with("lease-core/docs/rules"));
    let heading = |line: &str| {
        let (marks, text) = line.split_once(' ')?;
        let word = bare(text.split(' ').next()?);
        let is_number = word.starts_with(|first: char| first.is_ascii_digit());
        match (marks, is_number) {
            ("#", true) => Some(format!("chapter {word}")),
            ("##", true) => Some(word.to_owned()),
            ("###", false) if is_invariant(word) => Some(word.to_owned()),
            _ => None,
        }
    };
    documents.flat_map(|(_, text)| text.lines().filter_map(heading).collect::<Vec<_>>()).collect()
}

/// The path within the workspace and the text of every file that may name rules.
pub(crate) fn files() -> Vec<(PathBuf, String)> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut left: Vec<PathBuf> = PLACES.iter().map(|place| workspace.join(place)).collect();
    let mut files = Vec::new();
    while let Some(path) = left.pop() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_of_a_kind = path.extension().is_none_or(|kind| KINDS.contains(&&*kind.to_string_lossy()));
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.is_file() && is_of_a_kind {
            files.push((path.strip_prefix(&workspace).unwrap().to_owned(), std::fs::read_to_string(&path).unwrap()));
        }
    }
    files.sort();
    files
}

/// All files except this one.
fn files_with_references() -> impl Iterator<Item = (PathBuf, String)> {
    files().into_iter().filter(|(place, _)| !place.ends_with(THIS_FILE))
}

/// Whether a file contains tests or helpers of tests.
pub(crate) fn is_test(place: &Path) -> bool {
    place.iter().any(|folder| folder == "tests" || folder == "conformance")
}

#[test]
fn every_reference_names_a_rule_that_is_there() {
    let headings = headings();
    assert!(headings.len() > 50, "{headings:?}");
    let mut unknown = Vec::new();
    for (place, text) in files_with_references() {
        let wrong = references(&text).into_iter().filter(|reference| !headings.contains(&reference.name));
        unknown.extend(wrong.map(|reference| format!("{}:{}: {}", place.display(), reference.line, reference.name)));
    }
    assert!(unknown.is_empty(), "these name no heading of lease-core/docs/rules:\n{}", unknown.join("\n"));
}

#[test]
fn every_rule_is_named_by_a_test() {
    let tests = files_with_references().filter(|(place, _)| is_test(place));
    let named: BTreeSet<String> = tests.flat_map(|(_, text)| references(&text)).map(|reference| reference.name).collect();
    // Chapter 1 is about values and chapter 7 about settings: tests name only the chapter.
    let is_about_acts = |rule: &str| ('2'..='6').any(|chapter| rule.starts_with(chapter));
    let unnamed: Vec<String> = headings().into_iter().filter(|rule| is_about_acts(rule) && !named.contains(rule)).collect();
    assert!(unnamed.is_empty(), "no test names these: {unnamed:?}");
}

#[test]
fn a_comment_of_the_code_is_never_only_a_number() {
    let mut silent = Vec::new();
    for (place, text) in files().iter().filter(|(place, _)| place.iter().nth(1).is_some_and(|folder| folder == "src")) {
        let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
        let comment = |line: &&str| line.starts_with("//");
        for (before, line) in lines.iter().enumerate() {
            let stands_alone = comment(line)
                && !before.checked_sub(1).and_then(|above| lines.get(above)).is_some_and(comment)
                && !lines.get(before + 1).is_some_and(comment);
            let says =
                |word: &str| !["Rule", "Rules", "Chapter", "and", "to"].contains(&word) && word.contains(char::is_alphabetic);
            if stands_alone
                && !references(line).is_empty()
                && !words(line).any(|(_, word)| says(bare(word)) && !is_invariant(bare(word)))
            {
                silent.push(format!("{}:{}: {line}", place.display(), before + 1));
            }
        }
    }
    assert!(silent.is_empty(), "say the rule in a sentence:\n{}", silent.join("\n"));
}

#[test]
fn references_are_found_in_each_of_their_forms() {
    let named = |text| references(text).into_iter().map(|reference| reference.name).collect::<Vec<_>>();
    assert_eq!(named("/// Turns it down (rule 4.5): the owner."), ["4.5"]);
    assert_eq!(named("//! Rules 4.2, 4.3 and 4.11, and the invoice."), ["4.2", "4.3", "4.11"]);
    assert_eq!(named("-- rules 4.4 to\n-- 4.7 and 5.2. 3 more"), ["4.4", "4.5", "4.6", "4.7", "5.2"]);
    assert_eq!(named("# A rule\n\n1. Write it"), Vec::<String>::new());
    assert_eq!(named("what chapters 4 and 5 say, chapter 2"), ["chapter 4", "chapter 5", "chapter 2"]);
    assert_eq!(named("(I1, I6) hold; the rule of 4.5 hands"), ["I1", "I6"]);
    assert_eq!(named("| rule 2.1 | 401 | (rule 5.4), 400 for `rules` 1"), ["2.1", "5.4"]);
    assert_eq!(named("the spec 4.5"), ["spec"]);
    assert_eq!(references("one\ntwo rule 9.9")[0], Reference { name: "9.9".to_owned(), line: 2 });
    for nowhere in ["9.9", "4", "chapter 99", "I99", "spec", "4.5b"] {
        assert!(!headings().contains(nowhere), "{nowhere}");
    }
}
