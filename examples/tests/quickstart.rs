//! The output that `quickstart` shows a reader remains correct.

use std::process::Command;

#[test]
fn quickstart_ends_with_a_completed_lease_and_a_completed_sale() {
    let run = Command::new(env!("CARGO_BIN_EXE_quickstart")).output().expect("the example runs");
    assert!(run.status.success(), "{run:?}");
    let said = String::from_utf8_lossy(&run.stdout);
    for line in [
        "lease: Olivia pays the fee; the trade is completed",
        "sale: Olivia pays the fee; the trade is completed",
        "sale: the car is Ben's: true",
    ] {
        assert!(said.lines().any(|it| it == line), "{line}\n{said}");
    }
}
