//! The standard output.

use std::io::Write as _;

use crate::failure::Failure;

/// Prints a line.
pub(crate) fn print_line(line: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout(), "{line}").map_err(Failure::other)
}
