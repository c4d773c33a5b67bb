use chrono::{DateTime, Utc};

use crate::lifecycle::{Event, TradeChanges, TradeMove, TradeSnapshot, VehicleTransfer};
use crate::model::{Agreement, ServiceKind};

/// Writes down where an agreement leaves the trade (spec 4.7, I6): agreed while something is owed, else completed; and a
/// completed sale hands the vehicle over in the same step.
pub(crate) fn conclude(
    changes: &mut TradeChanges,
    snapshot: &TradeSnapshot,
    agreement: Agreement,
    settled: bool,
    now: DateTime<Utc>,
) {
    if !settled {
        changes.state = Some(TradeMove::Agree(agreement));
        return;
    }
    changes.state = Some(TradeMove::Complete(agreement, now));
    changes.events.push(Event::TradeCompleted);
    if snapshot.service.kind == ServiceKind::Sell {
        let transfer = VehicleTransfer {
            vehicle_id: snapshot.trade.vehicle_id,
            from: snapshot.trade.customer_id,
            to: agreement.counterparty_id,
        };
        changes.transfer = Some(transfer);
        changes.events.push(Event::VehicleTransferred(transfer));
    }
}
