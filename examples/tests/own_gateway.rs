//! The output that `own_gateway` shows a reader remains correct.

use std::process::Command;

/// Rule 5.5.
#[test]
fn own_gateway_charges_once() {
    let run = Command::new(env!("CARGO_BIN_EXE_own_gateway")).output().expect("the example runs");
    assert!(run.status.success(), "{run:?}");
    let said = String::from_utf8_lossy(&run.stdout);
    let lines: Vec<&str> = said.lines().collect();
    let expected = ["the provider charges 49.00 USD", "the payment is pending", "asked again, the payment is succeeded"];
    assert_eq!(lines, expected);
}
