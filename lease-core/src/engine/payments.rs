use std::time::Duration;

use chrono::{DateTime, Utc};

use super::command::{Outcome, no_row};
use super::trades::{applied, at};
use super::{LeaseEngine, RequestContext, visible_to};
use crate::error::Error;
use crate::gateway::{Charge, ChargeKey, ChargeOutcome, GatewayError};
use crate::id::{InvoiceId, PaymentId, Stored, Versioned};
use crate::input::NamedIn;
use crate::invoicing::{PaymentDraft, begin_payment, declines_since, require_few_declines, require_payment_view, settle_payment};
use crate::lifecycle::TradeSnapshot;
use crate::model::{Payment, PaymentState};
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource};
use crate::repository::{PaymentFilter, RequestId, TradeKey, TradeLoad};

/// The time in which the gateway has to respond: less than a client waits for the server, and less than a payment is pending
/// before recovery takes it up.
const GATEWAY_TIMEOUT: Duration = Duration::from_secs(20);

impl LeaseEngine {
    /// Pays an invoice (rule 5.4). If the gateway gave no response, the payment is returned as pending;
    /// [`settle_pending`](Self::settle_pending) settles it later.
    ///
    /// Runs to its end even if the caller hangs up, because the outcome of a charge must always be recorded.
    ///
    /// # Errors
    /// As [`begin_payment`] and [`require_few_declines`]; [`Error::CardDeclined`]; [`Error::Unavailable`].
    pub async fn pay_invoice(
        &self,
        context: impl Into<RequestContext>,
        invoice: InvoiceId,
        draft: &PaymentDraft,
    ) -> Result<Stored<Payment>, Error> {
        self.pay_to_the_end(context.into(), Some(invoice), NamedIn::Path, draft).await
    }

    /// Pays the invoice that the draft names.
    ///
    /// # Errors
    /// As [`pay_invoice`](Self::pay_invoice), but an invoice that the actor may not see is an invalid field.
    pub async fn create_payment(
        &self,
        context: impl Into<RequestContext>,
        draft: &PaymentDraft,
    ) -> Result<Stored<Payment>, Error> {
        self.pay_to_the_end(context.into(), draft.invoice_id.given().copied(), NamedIn::Draft, draft).await
    }

    /// A payment.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_payment(&self, actor: &Actor, id: PaymentId) -> Result<Stored<Payment>, Error> {
        actor.require(Resource::Payment, Act::Read)?;
        let payment = self.store().find_payment(id).await?.ok_or(Error::NotFound)?;
        require_payment_view(&payment, actor)?;
        Ok(payment)
    }

    /// The payments that the actor may see.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn list_payments(
        &self,
        actor: &Actor,
        filter: PaymentFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<Payment>>, Error> {
        let visible_to = visible_to(actor, Resource::Payment)?;
        Ok(self.store().list_payments(&PaymentFilter { visible_to, ..filter }, page).await?)
    }

    async fn pay_to_the_end(
        &self,
        context: RequestContext,
        invoice: Option<InvoiceId>,
        named_in: NamedIn,
        draft: &PaymentDraft,
    ) -> Result<Stored<Payment>, Error> {
        let (engine, draft) = (self.clone(), draft.clone());
        let payment = async move { engine.pay(context, invoice, named_in, &draft).await };
        tokio::spawn(payment).await.map_err(Error::internal)?
    }

    async fn pay(
        &self,
        context: RequestContext,
        invoice: Option<InvoiceId>,
        named_in: NamedIn,
        draft: &PaymentDraft,
    ) -> Result<Stored<Payment>, Error> {
        let request_id = context.request_id.clone();
        let loaded = self.begin(context, invoice, named_in, draft).await?;
        let charge = charge_of(&loaded)?;
        match within_timeout(self.shared.gateway.charge(&charge)).await {
            Ok(outcome) => {
                let payment = self.settle(loaded, &outcome, request_id).await?;
                match payment.state {
                    PaymentState::Failed { .. } => Err(Error::CardDeclined(Box::new(payment))),
                    PaymentState::Pending | PaymentState::Succeeded { .. } => Ok(payment),
                }
            }
            Err(error) => {
                let payment = viewed_payment(&loaded)?;
                tracing::warn!(%error, payment = %payment.id, "the outcome of a charge is unknown; the payment stays pending");
                Ok(payment)
            }
        }
    }

    /// Records the payment as pending, before anything is charged.
    async fn begin(
        &self,
        context: RequestContext,
        invoice: Option<InvoiceId>,
        named_in: NamedIn,
        draft: &PaymentDraft,
    ) -> Result<Versioned<TradeSnapshot>, Error> {
        let key = ChargeKey::new(hex::encode(self.random::<16>()?));
        let load = |actor: Actor, now| async move {
            actor.require(Resource::Payment, Act::Create)?;
            let Some(invoice) = invoice else { return Ok((None, Vec::new())) };
            let card = draft.credit_card_id.given().copied();
            let load = TradeLoad { key: TradeKey::Invoice(invoice), viewer: actor.customer(), with_pending: false, card, now };
            match self.store().load_trade(&load).await? {
                Some(loaded) => Ok((Some(loaded), self.declines(&actor, now).await?)),
                None => Ok((None, Vec::new())),
            }
        };
        let decide = |(loaded, declines): &(Option<Versioned<TradeSnapshot>>, Vec<DateTime<Utc>>), actor: &Actor, now| {
            let decision = begin_payment(loaded.as_deref(), named_in, actor, draft, self.policy(), key.clone(), now)?;
            require_few_declines(declines, self.policy(), now)?;
            let loaded = loaded.as_ref().ok_or(Error::NotFound)?;
            Ok(decision.map(|changes| at(loaded, changes)))
        };
        let done = self.execute(context, load, decide).await?;
        let (loaded, _) = done.snapshot;
        Ok(applied(loaded.ok_or_else(no_row)?, &done.changes, done.ids))
    }

    /// The declines that count against another payment of this actor.
    async fn declines(&self, actor: &Actor, now: DateTime<Utc>) -> Result<Vec<DateTime<Utc>>, Error> {
        match (actor.customer(), self.policy().declines_per_hour) {
            (None, _) | (_, 0) => Ok(Vec::new()),
            (Some(customer), most) => Ok(self.store().declines(customer, declines_since(now), most).await?),
        }
    }

    /// Records the outcome of a charge, however often the trade changes in the meantime.
    async fn settle(
        &self,
        loaded: Versioned<TradeSnapshot>,
        outcome: &ChargeOutcome,
        request_id: Option<RequestId>,
    ) -> Result<Stored<Payment>, Error> {
        let id = viewed_payment(&loaded)?.id;
        let mut loaded = Some(loaded);
        let load = |_, _| {
            let known = loaded.take();
            async move {
                match known {
                    Some(loaded) => Ok(loaded),
                    None => self.load_payment(id).await,
                }
            }
        };
        let decide = |loaded: &Versioned<TradeSnapshot>, _: &Actor, now| {
            let decision = settle_payment(loaded, outcome, now)?;
            Ok(decision.map(|decision| decision.map(|changes| at(loaded, changes))))
        };
        let context = RequestContext::new(Actor::Gateway).with_request_id(request_id);
        match self.execute_if_needed(context, load, decide).await? {
            Outcome::Committed(done) => viewed_payment(&applied(done.snapshot, &done.changes, done.ids)),
            Outcome::NothingToDo(loaded) => viewed_payment(&loaded),
        }
    }

    /// Settles one pending payment by asking the gateway. If the gateway never received the charge, it is made now, under the
    /// same key: the payer asked for it, and the process that began the payment may still be about to make it; the key ensures
    /// that the card is charged only once.
    pub(super) async fn recover(&self, id: PaymentId) -> Result<Stored<Payment>, Error> {
        let loaded = self.load_payment(id).await?;
        let payment = viewed_payment(&loaded)?;
        if payment.state != PaymentState::Pending {
            return Ok(payment);
        }
        let charge = charge_of(&loaded)?;
        let gateway = &self.shared.gateway;
        let unavailable = |error: GatewayError| Error::Unavailable(error.into());
        let outcome = match within_timeout(gateway.find_charge(&charge.key)).await.map_err(unavailable)? {
            Some(outcome) => outcome,
            None => within_timeout(gateway.charge(&charge)).await.map_err(unavailable)?,
        };
        self.settle(loaded, &outcome, None).await
    }

    async fn load_payment(&self, id: PaymentId) -> Result<Versioned<TradeSnapshot>, Error> {
        let load = TradeLoad { key: TradeKey::Payment(id), viewer: None, with_pending: false, card: None, now: self.now() };
        self.store().load_trade(&load).await?.ok_or(Error::NotFound)
    }
}

/// The gateway's response, or an error if it takes too long: a hanging gateway must not hold up others for ever.
pub(super) async fn within_timeout<T>(call: impl Future<Output = Result<T, GatewayError>>) -> Result<T, GatewayError> {
    tokio::time::timeout(GATEWAY_TIMEOUT, call).await.unwrap_or_else(|silence| Err(GatewayError::new(silence)))
}

fn viewed_payment(snapshot: &TradeSnapshot) -> Result<Stored<Payment>, Error> {
    snapshot.payment.as_ref().map(|(payment, _)| payment.clone()).ok_or_else(|| Error::internal("the snapshot has no payment"))
}

fn charge_of(snapshot: &TradeSnapshot) -> Result<Charge, Error> {
    let (payment, card) = snapshot.payment.as_ref().ok_or_else(|| Error::internal("the snapshot has no payment"))?;
    Ok(Charge { key: payment.charge_key.clone(), card: card.token.clone(), amount: payment.amount })
}
