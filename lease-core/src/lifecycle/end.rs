use chrono::NaiveDate;

use crate::decision::Decision;
use crate::error::{Error, Refusal};
use crate::input::{Field, Form, Invalid, UpdateMode, draft};
use crate::lifecycle::require_visible;
use crate::model::{Agreement, Period, TradeState};
use crate::permission::{Act, Actor, Resource};
use crate::text;
use crate::trade::{TradeChanges, TradeMove, TradeSnapshot, trade_ended};

draft! {
    /// The fields for ending the agreed days of a trade early.
    pub struct EndDraft as EndInput {
        /// The new end, from which day on the vehicle is free; from `start_date` on, and before the present `end_date`.
        pub end_date: Field<NaiveDate> as required DateInput like "2027-07-01",
        /// Why the days end early.
        pub reason: Field<String> as required Reason like "The car is returned early.",
    }
}

/// Ends the agreed days of a trade early (rule 4.12). Staff may do so, whether the trade is agreed or completed. The accepted
/// proposal keeps what was agreed.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; invalid fields; [`Refusal::TradeHasNoDays`].
pub fn end(snapshot: &TradeSnapshot, actor: &Actor, draft: &EndDraft) -> Result<Decision<TradeChanges>, Error> {
    require_right(snapshot, actor)?;
    let days = days_to_end(snapshot);
    let mut form = Form::new(UpdateMode::Full);
    let ended = form.required("end_date", &draft.end_date, None, |end| days.map(|days| shortened(days, *end)).transpose());
    let reason = form.required("reason", &draft.reason, None, |reason| text::reason(reason));
    let (Some(ended), Some(reason)) = (ended, reason) else { return Err(form.errors.into()) };

    let trade = &snapshot.trade;
    let (Some(days), Some(ended), Some(agreement)) = (days, ended, trade.agreement()) else {
        return Err(Refusal::TradeHasNoDays.into());
    };
    let after = Agreement { days: Some(ended), ..*agreement };
    let to = match trade.state {
        TradeState::Completed { completed_at, .. } => TradeMove::Complete(after, completed_at),
        _ => TradeMove::Agree(after),
    };
    let event = trade_ended(trade, after, days, ended).fact("reason", reason);
    Ok(Decision::new(TradeChanges { state: Some(to), ..TradeChanges::default() }, [event]))
}

/// Succeeds if the actor may end the trade's days early now.
pub(super) fn may_end(snapshot: &TradeSnapshot, actor: &Actor) -> Result<(), Error> {
    require_right(snapshot, actor)?;
    Ok(days_to_end(snapshot).map(drop).ok_or(Refusal::TradeHasNoDays)?)
}

fn require_right(snapshot: &TradeSnapshot, actor: &Actor) -> Result<(), Error> {
    require_visible(snapshot, actor)?;
    actor.require(Resource::Trade, Act::End).map(drop)
}

/// The agreed days, if there are any left.
fn days_to_end(snapshot: &TradeSnapshot) -> Option<Period> {
    snapshot.trade.days().filter(|days| !days.is_empty())
}

fn shortened(days: Period, end: NaiveDate) -> Result<Period, Invalid> {
    let ended = days.ended(end);
    ended.ok_or(Invalid::EndOutOfDays { from: days.start(), before: days.end() })
}
