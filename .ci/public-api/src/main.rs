//! Prints the public API of a crate, an item a line, from the JSON that rustdoc writes of it.

use std::error::Error;
use std::io::Write as _;

fn main() -> Result<(), Box<dyn Error>> {
    let json = std::env::args_os().nth(1).ok_or("usage: lease-public-api RUSTDOC.json")?;
    // What every type has, or derives, is left out.
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()?;
    write!(std::io::stdout(), "{api}")?;
    Ok(())
}
