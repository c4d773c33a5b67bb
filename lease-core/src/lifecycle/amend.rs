use crate::decision::Decision;
use crate::error::Error;
use crate::event::EventType;
use crate::input::{Field, Form, UpdateMode, draft};
use crate::lifecycle::{require_open, require_visible};
use crate::model::Trade;
use crate::permission::{Act, Actor, Resource};
use crate::text;
use crate::trade::{TradeChanges, TradeSnapshot, TradeText, trade_event};

draft! {
    /// The fields for changing the title and description of a trade.
    pub struct AmendmentDraft as AmendmentInput {
        /// A title for the trade.
        pub title: Field<String> as nullable Title like "Honda Accord, one owner",
        /// Anything else worth knowing.
        pub description: Field<String> as nullable FreeText like "With winter tyres.",
    }
}

/// Changes the title and the description of a trade. Only its owner may do so, while the trade is open (rule 4.14).
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; invalid fields; [`TradeNotOpen`](crate::Refusal::TradeNotOpen).
pub fn amend(snapshot: &TradeSnapshot, actor: &Actor, draft: &AmendmentDraft) -> Result<Decision<TradeChanges>, Error> {
    require_visible(snapshot, actor)?;
    if actor.require_customer(Resource::Trade, Act::Update)? != snapshot.trade.customer_id {
        return Err(Error::PermissionDenied);
    }
    let mut form = Form::new(UpdateMode::Partial);
    let trade = &snapshot.trade;
    let title = form.optional("title", &draft.title, Some(&trade.title), String::new(), |title| text::title(title));
    let description =
        form.optional("description", &draft.description, Some(&trade.description), String::new(), |words| text::free(words));
    let (Some(title), Some(description)) = (title, description) else { return Err(form.errors.into()) };
    require_open(snapshot)?;
    let after = Trade { title: title.clone(), description: description.clone(), ..trade.value.clone() };
    let event = trade_event(EventType::TradeAmended, trade.id, &after).changing(&trade.value, &after);
    let changes = TradeChanges { text: Some(TradeText { title, description }), ..TradeChanges::default() };
    Ok(Decision::new(changes, event.if_changed()))
}
