//! `check`: whether the invariants I1 to I9 hold in the database.

use std::process::ExitCode;

use lease_core::invariants::Books;

use crate::config::Settings;
use crate::failure::Failure;
use crate::output::print_line;
use crate::store;

/// Prints each violation, and then how much was checked. It only reads.
pub(crate) async fn check(settings: &Settings) -> Result<ExitCode, Failure> {
    let store = store::unchanged(settings, "check").await?;
    let books = Books::read(&store).await.map_err(Failure::other)?;
    let violations = books.violations();
    for violation in &violations {
        print_line(violation)?;
    }
    print_line(&format!("{}: {}", verdict(violations.len()), extent(&books)))?;
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn verdict(violations: usize) -> String {
    match violations {
        0 => "All invariants hold".to_owned(),
        1 => "1 violation".to_owned(),
        more => format!("{more} violations"),
    }
}

fn extent(books: &Books) -> String {
    let Books { services, vehicles, trades, proposals, invoices, payments, refunds, cards, .. } = books;
    format!(
        "{} services, {} vehicles, {} trades, {} proposals, {} invoices, {} payments, {} refunds and {} cards were checked.",
        services.len(),
        vehicles.len(),
        trades.len(),
        proposals.len(),
        invoices.len(),
        payments.len(),
        refunds.len(),
        cards.len(),
    )
}
