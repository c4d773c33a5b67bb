use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::error::Error;
use crate::event::EventType;
use crate::lifecycle::{require_open, require_visible};
use crate::permission::{Act, Actor, Resource};
use crate::trade::{TradeChanges, TradeMove, TradeSnapshot, trade_moved};

/// Cancels a trade. Its owner and staff may do so while it is open (rule 4.6). An invoice that was issued remains due.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; [`TradeNotOpen`](crate::Refusal::TradeNotOpen).
pub fn cancel(snapshot: &TradeSnapshot, actor: &Actor, now: DateTime<Utc>) -> Result<Decision<TradeChanges>, Error> {
    may_cancel(snapshot, actor)?;
    let to = TradeMove::Cancel(now);
    let event = trade_moved(EventType::TradeCancelled, &snapshot.trade, snapshot.trade.state, to.into());
    let changes = TradeChanges { close_others: Some(now), state: Some(to), ..TradeChanges::default() };
    Ok(Decision::new(changes, [event]))
}

/// Succeeds if the actor may cancel the trade now.
pub(super) fn may_cancel(snapshot: &TradeSnapshot, actor: &Actor) -> Result<(), Error> {
    require_visible(snapshot, actor)?;
    actor.require_own(Resource::Trade, Act::Cancel, |customer| customer == snapshot.trade.customer_id)?;
    Ok(require_open(snapshot)?)
}
