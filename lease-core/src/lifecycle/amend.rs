use serde_json::{Map, Value};

use crate::annotating::AnnotationsDraft;
use crate::decision::Decision;
use crate::error::Error;
use crate::event::EventType;
use crate::id::TradeId;
use crate::input::{Field, Form, UpdateMode, draft};
use crate::lifecycle::{require_open, require_visible};
use crate::model::Trade;
use crate::permission::{Act, Actor, Resource};
use crate::text;
use crate::trade::{TradeChanges, TradeSnapshot, TradeText, trade_event};

draft! {
    /// The fields for changing a trade: its title and description.
    pub struct AmendmentDraft as AmendmentInput {
        /// A title for the trade.
        pub title: Field<String> as nullable Title like "Honda Accord, one owner",
        /// Anything else worth knowing.
        pub description: Field<String> as nullable FreeText like "With winter tyres.",
        /// What another system calls the trade; unique.
        pub external_id: Field<String> as annotation ExternalIdInput,
        /// What the company keeps with the trade.
        pub metadata: Field<Map<String, Value>> as annotation MetadataInput,
    }
}

impl AmendmentDraft {
    pub(crate) const fn annotations(&self) -> AnnotationsDraft<'_> {
        AnnotationsDraft { external_id: &self.external_id, metadata: &self.metadata }
    }

    const fn changes_text(&self) -> bool {
        !self.title.is_missing() || !self.description.is_missing()
    }
}

/// Changes a trade's title and description, which only its owner may do and while the trade is open (rule 4.14), and what the company
/// keeps with it, at any time. `taken_by` is the trade that already has the draft's external id.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; invalid fields; [`TradeNotOpen`](crate::Refusal::TradeNotOpen).
pub fn amend(
    snapshot: &TradeSnapshot,
    actor: &Actor,
    draft: &AmendmentDraft,
    taken_by: Option<TradeId>,
) -> Result<Decision<TradeChanges>, Error> {
    require_visible(snapshot, actor)?;
    let trade = &snapshot.trade;
    let is_annotated = draft.annotations().is_given();
    let is_amended = draft.changes_text() || !is_annotated;
    if is_annotated {
        actor.require_own(Resource::Trade, Act::Annotate, |customer| customer == trade.customer_id)?;
    }
    if is_amended {
        actor.require_own(Resource::Trade, Act::Update, |customer| customer == trade.customer_id)?;
    }
    let mut form = Form::new(UpdateMode::Partial);
    let title = form.optional("title", &draft.title, Some(&trade.title), String::new(), |title| text::title(title));
    let description =
        form.optional("description", &draft.description, Some(&trade.description), String::new(), |words| text::free(words));
    let is_taken = taken_by.is_some_and(|other| other != trade.id);
    let annotations = draft.annotations().read(&mut form, Some(&trade.annotations), "trade", is_taken);
    let (Some(title), Some(description), Some(annotations)) = (title, description, annotations) else {
        return Err(form.errors.into());
    };
    if is_amended {
        require_open(snapshot)?;
    }
    let after = Trade { title: title.clone(), description: description.clone(), ..trade.value.clone() };
    let amended = || trade_event(EventType::TradeAmended, trade.id, &after);
    let events = [amended().changing(&trade.value, &after).if_changed(), amended().annotating(&trade.annotations, &annotations)];
    let changes = TradeChanges {
        text: is_amended.then_some(TradeText { title, description }),
        annotations: is_annotated.then_some(annotations),
        ..TradeChanges::default()
    };
    Ok(Decision::new(changes, events.into_iter().flatten()))
}
