use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::event::Event;
use crate::lifecycle::{TradeChanges, TradeMove, TradeSnapshot};
use crate::model::{Agreement, ServiceKind, VehicleTransfer};

/// Writes down where an agreement leaves the trade (rule 4.7, I6): agreed while something is owed, else completed; and a
/// completed sale hands the vehicle over in the same step.
pub(crate) fn conclude(
    decision: &mut Decision<TradeChanges>,
    snapshot: &TradeSnapshot,
    agreement: Agreement,
    settled: bool,
    now: DateTime<Utc>,
) {
    if !settled {
        decision.state = Some(TradeMove::Agree(agreement));
        return;
    }
    decision.state = Some(TradeMove::Complete(agreement, now));
    decision.events.push(Event::TradeCompleted);
    if snapshot.service.kind == ServiceKind::Sell {
        let transfer = VehicleTransfer {
            vehicle_id: snapshot.trade.vehicle_id,
            from: snapshot.trade.customer_id,
            to: agreement.counterparty_id,
        };
        decision.transfer = Some(transfer);
        decision.events.push(Event::VehicleTransferred(transfer));
    }
}
