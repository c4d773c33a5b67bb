//! `import-django`: the data of a Django Lease API, as docs/django.md describes it.

use std::path::Path;

use lease_core::clock::{Clock as _, SystemClock};
use lease_core::invariants::Books;
use lease_django::{Mapped, Report, Source, SourceError, Terms, map};
use lease_store_postgres::ImportError;
use rust_decimal::Decimal;
use secrecy::SecretString;

use crate::config::Settings;
use crate::failure::{Failure, one_line};
use crate::output::print_line;
use crate::store;

/// Reads a source, prints what becomes of its rows and, unless it is a dry run, writes them and compares what was written.
pub(crate) async fn import(
    settings: &Settings,
    dump: Option<&Path>,
    from: Option<&SecretString>,
    dry_run: bool,
) -> Result<(), Failure> {
    let source = match (dump, from) {
        (Some(dump), _) => Source::Dump(dump.to_owned()),
        (None, Some(url)) => Source::at(url.clone()).map_err(|error| unreadable(&error))?,
        (None, None) => return Err(Failure::Setting("import-django needs --dump or --from".to_owned())),
    };
    let store = if dry_run { None } else { Some(store::postgres(settings, "import-django").await?) };
    let rows = source.read().await.map_err(|error| unreadable(&error))?;
    let terms = Terms { now: SystemClock.now(), currency: settings.fee_currency, token_ttl: settings.policy().token_ttl };
    let Mapped { import, report } = map(&rows, &terms);
    print_line(report.to_string().trim_end())?;
    let Some(store) = store else { return print_line("Nothing was written.") };
    store.import(&import).await.map_err(not_imported)?;
    compare(&Books::read(&store).await.map_err(Failure::other)?, &report)?;
    print_line("All of this was written. The sums are the same in the database, and all invariants hold.")
}

/// Compares what is in the database with what was to be.
fn compare(books: &Books, report: &Report) -> Result<(), Failure> {
    let invoices: Decimal = books.invoices.iter().map(|invoice| invoice.amount.amount()).sum();
    let payments: Decimal = books.payments.iter().map(|payment| payment.amount.amount()).sum();
    if (invoices, payments) != (report.invoices.here, report.payments.here) {
        let message =
            format!("the database has invoices of {invoices} and payments of {payments}, which is not what was imported");
        return Err(Failure::Other(message.into()));
    }
    let violations = books.violations();
    if violations.is_empty() { Ok(()) } else { Err(Failure::Other(violations.join("; ").into())) }
}

/// What a wrong file or URL brings about has another exit code than what may pass by itself.
fn unreadable(error: &SourceError) -> Failure {
    let message = format!("nothing was imported: {}", one_line(error));
    match error {
        SourceError::Database(_) => Failure::Other(message.into()),
        _ => Failure::Setting(message),
    }
}

fn not_imported(error: ImportError) -> Failure {
    match error {
        ImportError::NotEmpty { .. } | ImportError::SameName(_) => Failure::Setting(format!("nothing was imported: {error}")),
        error => Failure::Other(format!("nothing was imported: {}", one_line(&error)).into()),
    }
}
