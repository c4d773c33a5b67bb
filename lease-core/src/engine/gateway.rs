//! What the engine says to the payment gateway, apart from charges and refunds, and what it hears from it.

use super::payments::{charge_of, view, viewed_payment};
use super::trades::WithActions;
use super::{LeaseEngine, RequestContext};
use crate::error::Error;
use crate::gateway::{CardSetup, GatewayError, GatewayInfo, Notification, NotificationError};
use crate::id::PaymentId;
use crate::input::{Field, FieldErrors, Form, Invalid, UpdateMode, choice, draft};
use crate::invoicing::{require_payment_view, require_waiting};
use crate::model::Payment;
use crate::permission::{Act, Actor, Resource};
use crate::repository::TradeKey;

draft! {
    /// What the payer does, in a payment that waits for them.
    pub struct PayerDraft as PayerInput {
        /// Whether they confirm the payment.
        pub outcome: Field<String> as required PayerOutcome like "succeed",
    }
}

impl LeaseEngine {
    /// What clients have to know of the gateway.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`].
    pub fn gateway(&self, actor: &Actor) -> Result<GatewayInfo, Error> {
        actor.user().ok_or(Error::NotAuthenticated)?;
        Ok(self.shared.gateway.info())
    }

    /// Prepares the entry of a card in the browser of the customer who is acting.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`]; [`Error::NotFound`] under a gateway that takes card numbers; [`Error::Throttled`] after too many
    /// declines; [`Error::Unavailable`].
    pub async fn set_up_card(&self, actor: &Actor) -> Result<CardSetup, Error> {
        let customer = actor.require_customer(Resource::CreditCard, Act::Create)?;
        if self.shared.gateway.info().takes_card_numbers {
            return Err(Error::NotFound);
        }
        self.require_few_declines(actor).await?;
        self.ask(self.shared.gateway.set_up_card(customer)).await
    }

    /// Takes a notification of the gateway: its body, and the signature that came with it. Only what it is about is read from it; what
    /// happened is asked. One that is repeated, late or about something unknown is harmless.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the gateway sends none; [`Error::Invalid`] if it is not signed by the gateway or cannot be read;
    /// [`Error::Unavailable`] if what it is about could not be asked or recorded: it should be sent again.
    pub async fn take_notification(&self, signature: &str, body: &[u8]) -> Result<(), Error> {
        let settled = match self.shared.gateway.read_notification(signature, body) {
            Ok(Some(Notification::Charge(key))) => self.settle_charge(&key).await.map(drop),
            Ok(Some(Notification::Refund(key))) => self.settle_refund_key(&key).await.map(drop),
            Ok(None) => Ok(()),
            Err(NotificationError::NotSupported) => return Err(Error::NotFound),
            Err(NotificationError::NotSigned) => return Err(unacceptable(Invalid::NotificationNotSigned)),
            Err(NotificationError::NotReadable) => return Err(unacceptable(Invalid::NotificationNotReadable)),
        };
        match settled {
            // It is about something of another database, or from before a backup was restored.
            Err(Error::NotFound) => {
                tracing::warn!("the gateway tells of a charge or a refund that is not known here");
                Ok(())
            }
            settled => settled,
        }
    }

    /// Plays the payer's part in a payment that waits for them, under the sandbox (rule 5.5).
    ///
    /// # Errors
    /// [`Error::NotFound`], also under another gateway; [`Error::PermissionDenied`];
    /// [`PaymentPending`](crate::Refusal::PaymentPending), [`PaymentSettled`](crate::Refusal::PaymentSettled).
    pub async fn act_as_payer(
        &self,
        context: impl Into<RequestContext>,
        id: PaymentId,
        draft: &PayerDraft,
    ) -> Result<WithActions<Payment>, Error> {
        let RequestContext { actor, request_id, .. } = context.into();
        let gateway = &self.shared.gateway;
        if !gateway.info().is_sandbox {
            return Err(Error::NotFound);
        }
        actor.require_customer(Resource::Payment, Act::Create)?;
        let loaded = self.load_for_gateway(TradeKey::Payment(id)).await?;
        let payment = viewed_payment(&loaded)?;
        require_payment_view(&payment, &actor)?;
        let mut form = Form::new(UpdateMode::Full);
        let outcome = form.required("outcome", &draft.outcome, None, |outcome| choice(outcome));
        let Some(outcome) = outcome else { return Err(form.errors.into()) };
        require_waiting(&payment)?;
        let outcome = gateway.act_as_payer(&charge_of(&loaded)?, outcome).ok_or(Error::NotFound)?;
        let context = RequestContext::new(Actor::Gateway).with_request_id(request_id);
        Ok(view(self.settle(loaded, &outcome, context).await?, &actor))
    }

    /// The gateway's response, or an error if it takes too long: a hanging gateway must not hold up others for ever.
    pub(super) async fn ask<T>(&self, call: impl Future<Output = Result<T, GatewayError>>) -> Result<T, Error> {
        let most = self.policy().gateway_timeout.to_std().unwrap_or_default();
        let response = tokio::time::timeout(most, call).await.unwrap_or_else(|silence| Err(GatewayError::new(silence)));
        response.map_err(|error| Error::Unavailable(error.into()))
    }
}

/// The error for a notification that is not accepted.
fn unacceptable(reason: Invalid) -> Error {
    FieldErrors::one(FieldErrors::NON_FIELD, reason).into()
}
