use crate::account::link::user_change;
use crate::account::{AccountChange, AccountSnapshot, require_own_user};
use crate::decision::Decision;
use crate::error::Error;
use crate::event::{Event, EventType};
use crate::id::Versioned;
use crate::input::{Field, Form, UpdateMode, as_given, draft};
use crate::model::{NoticeSettings, User};
use crate::permission::Actor;

draft! {
    /// The fields for choosing which notices come by mail. What is left out stays as it is.
    pub struct NoticeSettingsDraft as NotificationSettingsInput {
        /// About proposals.
        pub proposals: Field<bool> as optional Flag like true,
        /// About invoices.
        pub invoices: Field<bool> as optional Flag like true,
        /// About payments and refunds.
        pub payments: Field<bool> as optional Flag like false,
    }
}

/// Chooses which notices the actor's own user gets by mail (rule 9.5).
///
/// # Errors
/// [`Error::NotFound`] if it is another user; [`Error::EmailNotVerified`]; invalid fields.
pub fn choose_notices(
    snapshot: &Versioned<AccountSnapshot>,
    actor: &Actor,
    draft: &NoticeSettingsDraft,
) -> Result<Decision<AccountChange>, Error> {
    let (stored, customer) = (&snapshot.account.user, snapshot.account.customer_id);
    require_own_user(actor, stored.id)?;
    actor.require_confirmed_address()?;
    let mut form = Form::new(UpdateMode::Partial);
    let now = stored.notices;
    let proposals = form.required("proposals", &draft.proposals, Some(&now.proposals), as_given);
    let invoices = form.required("invoices", &draft.invoices, Some(&now.invoices), as_given);
    let payments = form.required("payments", &draft.payments, Some(&now.payments), as_given);
    let (Some(proposals), Some(invoices), Some(payments)) = (proposals, invoices, payments) else {
        return Err(form.errors.into());
    };
    let user = User { notices: NoticeSettings { proposals, invoices, payments }, ..stored.value.clone() };
    let event =
        Event::of_user(EventType::UserUpdated, stored.id, customer).changing(&(&stored.value, customer), &(&user, customer));
    Ok(Decision::new(user_change(snapshot, user), event.if_changed()))
}
