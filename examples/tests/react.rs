//! The output that `react` shows a reader remains correct.

use std::process::Command;

/// Rule 8.7.
#[test]
fn react_reacts_again_to_what_was_not_done() {
    let run = Command::new(env!("CARGO_BIN_EXE_react")).output().expect("the example runs");
    assert!(run.status.success(), "{run:?}");
    let said = String::from_utf8_lossy(&run.stdout);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[0].ends_with(r#"contract 1 over "18500.00" "USD""#), "{said}");
    assert_eq!(lines[0], lines[1]);
    assert!(lines[2].ends_with("is done, and does not come again"), "{said}");
}
