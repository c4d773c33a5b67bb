//! The output that `own_users` shows a reader remains correct.

use std::process::Command;

#[test]
fn own_users_ends_with_a_lease_that_is_paid() {
    let run = Command::new(env!("CARGO_BIN_EXE_own_users")).output().expect("the example runs");
    assert!(run.status.success(), "{run:?}");
    let said = String::from_utf8_lossy(&run.stdout);
    let lines: Vec<&str> = said.lines().collect();
    let expected = [
        "the trade is opened once: true",
        r#"the payment has "succeeded""#,
        r#"the trade is "completed""#,
        "elsewhere: a page of the app",
    ];
    assert_eq!(lines, expected);
}
