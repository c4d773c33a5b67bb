//! Errors of SQLite as errors of the contract: a constraint that refuses a change is the guarantee that it stands for.

use lease_core::repository::{Guarantee, RepositoryError};
use sqlx::error::DatabaseError;

/// What SQLite calls the constraints, and what they guarantee.
const GUARANTEES: [(&str, Guarantee); 15] = [
    ("UNIQUE constraint failed: login_names.name", Guarantee::LoginName),
    ("UNIQUE constraint failed: credit_cards.customer_id", Guarantee::DefaultCard),
    ("UNIQUE constraint failed: vehicles.vin", Guarantee::VehicleIdentity),
    ("UNIQUE constraint failed: vehicles.chassis_number", Guarantee::VehicleIdentity),
    ("UNIQUE constraint failed: trades.vehicle_id", Guarantee::LiveTradeOfVehicle),
    ("UNIQUE constraint failed: invoices.trade_id", Guarantee::InvoiceOfTrade),
    ("UNIQUE constraint failed: proposals.trade_id, proposals.customer_id", Guarantee::PendingProposal),
    ("UNIQUE constraint failed: proposals.trade_id", Guarantee::AcceptedProposal),
    ("UNIQUE constraint failed: payments.charge_key", Guarantee::ChargeKey),
    ("UNIQUE constraint failed: refunds.refund_key", Guarantee::RefundKey),
    ("UNIQUE constraint failed: users.external_id", Guarantee::ExternalId),
    ("UNIQUE constraint failed: customers.external_id", Guarantee::ExternalId),
    ("UNIQUE constraint failed: vehicles.external_id", Guarantee::ExternalId),
    ("UNIQUE constraint failed: trades.external_id", Guarantee::ExternalId),
    ("agreed periods overlap", Guarantee::AgreedPeriods),
];

/// An error of the driver as one of the contract.
pub(crate) fn failure(error: sqlx::Error) -> RepositoryError {
    match &error {
        sqlx::Error::Database(database) => of_database(database.as_ref()).unwrap_or_else(|| fault(&database.to_string())),
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            RepositoryError::Unavailable(Box::new(error))
        }
        _ => RepositoryError::Internal(Box::new(error)),
    }
}

/// The meaning of an error that is no fault of this crate.
fn of_database(error: &(dyn DatabaseError + 'static)) -> Option<RepositoryError> {
    if error.is_foreign_key_violation() {
        // What it refers to is gone, or something refers to what is to go.
        return Some(RepositoryError::Conflict);
    }
    if let Some((_, guarantee)) = GUARANTEES.iter().find(|(message, _)| *message == error.message()) {
        return Some(RepositoryError::Taken(*guarantee));
    }
    // Busy, locked, read-only, an error of the disk, a full disk, a file that cannot be opened.
    [BUSY, 6, 8, 10, 13, 14].contains(&kind(error)?).then(|| RepositoryError::Unavailable(error.to_string().into()))
}

/// Whether somebody else holds the file at the moment.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(kind) == Some(BUSY)
}

/// The kind of an error: the lowest byte of its code.
fn kind(error: &(dyn DatabaseError + 'static)) -> Option<i32> {
    Some(error.code()?.parse::<i32>().ok()? & 0xff)
}

/// The kind of an error where somebody else holds the file.
const BUSY: i32 = 5;

/// A fault of this crate or of who uses it.
pub(crate) fn fault(reason: &str) -> RepositoryError {
    RepositoryError::Internal(reason.into())
}

/// Succeeds if what the change depends on is true.
pub(crate) const fn require(holds: bool) -> Result<(), RepositoryError> {
    if holds { Ok(()) } else { Err(RepositoryError::Conflict) }
}
