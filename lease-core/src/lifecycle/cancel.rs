use chrono::{DateTime, Utc};

use crate::error::Error;
use crate::lifecycle::{Event, TradeChanges, TradeMove, TradeSnapshot, require_open, require_visible};
use crate::permission::{Act, Actor, Grant, Resource};

/// Calls a trade off: its owner or staff, while it is open (spec 4.6). Its invoice stays due.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; [`TradeNotOpen`](crate::Refusal::TradeNotOpen).
pub fn cancel(snapshot: &TradeSnapshot, actor: &Actor, now: DateTime<Utc>) -> Result<TradeChanges, Error> {
    require_visible(snapshot, actor)?;
    let grant = actor.require(Resource::Trade, Act::Cancel)?;
    if grant == Grant::Own && actor.customer() != Some(snapshot.trade.customer_id) {
        return Err(Error::PermissionDenied);
    }
    require_open(snapshot)?;
    Ok(TradeChanges {
        close_others: Some(now),
        state: Some(TradeMove::Cancel(now)),
        events: vec![Event::TradeCancelled],
        ..TradeChanges::default()
    })
}
