use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::model::{Agreement, ServiceKind, VehicleTransfer};
use crate::trade::{TradeChanges, TradeMove, TradeSnapshot, trade_completed, vehicle_transferred};

/// Records the state of a trade after an agreement (rule 4.7, I6): agreed while something is owed, otherwise completed. A
/// completed sale transfers the vehicle in the same step.
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
    decision.events.push(trade_completed(&snapshot.trade, agreement, now));
    if snapshot.service.kind == ServiceKind::Sell {
        let transfer = VehicleTransfer {
            vehicle_id: snapshot.trade.vehicle_id,
            from: snapshot.trade.customer_id,
            to: agreement.counterparty_id,
        };
        decision.transfer = Some(transfer);
        decision.events.push(vehicle_transferred(&snapshot.trade, &transfer));
    }
}
