//! The output that `own_rules` shows a reader remains correct.

use std::process::Command;

/// Rules 4.15, 5.2.
#[test]
fn own_rules_refuse_and_set_the_fee() {
    let run = Command::new(env!("CARGO_BIN_EXE_own_rules")).output().expect("the example runs");
    assert!(run.status.success(), "{run:?}");
    let said = String::from_utf8_lossy(&run.stdout);
    let lines: Vec<&str> = said.lines().collect();
    let expected = [
        "a car of 1990: Vehicles older than 30 years are not offered here.",
        "sold on a Friday: agreed, and the company claims 462.50 USD",
        "sold on a Saturday: completed, and the company claims nothing",
    ];
    assert_eq!(lines, expected);
}
