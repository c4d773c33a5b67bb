use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::error::Error;
use crate::event::Event;
use crate::lifecycle::{require_open, require_visible};
use crate::permission::{Act, Actor, Resource};
use crate::trade::{TradeChanges, TradeMove, TradeSnapshot};

/// Cancels a trade. Its owner and staff may do so while it is open (rule 4.6). An invoice that was issued remains due.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; [`TradeNotOpen`](crate::Refusal::TradeNotOpen).
pub fn cancel(snapshot: &TradeSnapshot, actor: &Actor, now: DateTime<Utc>) -> Result<Decision<TradeChanges>, Error> {
    require_visible(snapshot, actor)?;
    actor.require_own(Resource::Trade, Act::Cancel, |customer| customer == snapshot.trade.customer_id)?;
    require_open(snapshot)?;
    let changes = TradeChanges { close_others: Some(now), state: Some(TradeMove::Cancel(now)), ..TradeChanges::default() };
    Ok(Decision::new(changes, Event::TradeCancelled))
}
