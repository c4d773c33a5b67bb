use chrono::{DateTime, Utc};

use super::command::no_row;
use super::trades::{WithActions, applied, at};
use super::{LeaseEngine, RequestContext, visible_to};
use crate::decision::Decision;
use crate::error::{Error, Refusal, with_causes};
use crate::gateway::{Charge, ChargeOutcome};
use crate::guard::GuardedAct;
use crate::id::{InvoiceId, PaymentId, Stored, Versioned};
use crate::input::NamedIn;
use crate::invoicing::{
    PaymentCancellationDraft, PaymentDraft, begin_payment, cancel_payment, declines_since, give_up_payment, has_waited_too_long,
    require_few_declines, require_payment_view, settle_payment,
};
use crate::lifecycle::{TradeSnapshot, payment_actions};
use crate::model::{ChargeKey, Payment, PaymentState};
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource, can_view_client_secret};
use crate::repository::{PaymentFilter, TradeKey, TradeLoad};
use crate::trade::TradeChanges;

impl LeaseEngine {
    /// Pays an invoice (rule 5.4). The payer may have to act first: then the payment says how. If the gateway gave no response, the
    /// payment is returned as pending; [`run_maintenance`](Self::run_maintenance) settles it later.
    ///
    /// Runs to its end even if the caller hangs up, because the outcome of a charge must always be recorded.
    ///
    /// # Errors
    /// As [`begin_payment`] and [`require_few_declines`]; [`Error::CardDeclined`]; [`Error::RefusedByGuard`]; [`Error::Unavailable`].
    pub async fn pay_invoice(
        &self,
        context: impl Into<RequestContext>,
        invoice: InvoiceId,
        draft: &PaymentDraft,
    ) -> Result<WithActions<Payment>, Error> {
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
    ) -> Result<WithActions<Payment>, Error> {
        self.pay_to_the_end(context.into(), draft.invoice_id.given().copied(), NamedIn::Draft, draft).await
    }

    /// A payment.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_payment(&self, actor: &Actor, id: PaymentId) -> Result<WithActions<Payment>, Error> {
        Ok(view(self.find_payment(actor, id).await?, actor))
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
    ) -> Result<Page<WithActions<Payment>>, Error> {
        let visible_to = visible_to(actor, Resource::Payment)?;
        let page = self.store().list_payments(&PaymentFilter { visible_to, ..filter }, page).await?;
        Ok(page.map(|payment| view(payment, actor)))
    }

    /// Gives up a payment that waits for its payer (rule 5.5): at the gateway first, and then here. If the payer was quicker, the
    /// money counts, and the error is [`PaymentSettled`](crate::Refusal::PaymentSettled).
    ///
    /// # Errors
    /// As [`cancel_payment`]; [`Error::Unavailable`] if the gateway did not say whether it gave the charge up: then the payment
    /// still waits.
    pub async fn cancel_payment(
        &self,
        context: impl Into<RequestContext>,
        id: PaymentId,
        draft: &PaymentCancellationDraft,
    ) -> Result<WithActions<Payment>, Error> {
        let (engine, context, draft) = (self.clone(), context.into(), draft.clone());
        let cancelling = async move { engine.cancel(context, id, &draft).await };
        tokio::spawn(cancelling).await.map_err(Error::internal)?
    }

    /// Settles a payment by asking the gateway: if it is pending, or waits for its payer and they have acted or the time that the
    /// policy allows them is over. Harmless at any time and as often as you like. Returns the payment as it is then.
    ///
    /// If the gateway never received the charge of a pending payment, it is made now, under the same key: the payer asked for it, and
    /// the process that began the payment may still be about to make it; the key ensures that the card is charged only once.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn settle_payment(&self, id: PaymentId) -> Result<Stored<Payment>, Error> {
        let loaded = self.load_for_gateway(TradeKey::Payment(id)).await?;
        let payment = viewed_payment(&loaded)?;
        let (gateway, charge) = (&self.shared.gateway, charge_of(&loaded)?);
        let outcome = match payment.state {
            PaymentState::Succeeded { .. } | PaymentState::Failed { .. } | PaymentState::Cancelled { .. } => return Ok(payment),
            PaymentState::RequiresAction(_) if has_waited_too_long(&payment, self.policy(), self.now()) => {
                let outcome = self.ask(gateway.cancel_charge(&charge)).await?;
                let is_given_up = matches!(outcome, ChargeOutcome::Cancelled { .. });
                let actor = if is_given_up { Actor::System } else { Actor::Gateway };
                return self.settle(loaded, &outcome, RequestContext::new(actor)).await;
            }
            PaymentState::Pending | PaymentState::RequiresAction(_) => match self.ask(gateway.find_charge(&charge)).await? {
                Some(outcome) => outcome,
                None => self.ask(gateway.charge(&charge)).await?,
            },
        };
        self.settle(loaded, &outcome, RequestContext::new(Actor::Gateway)).await
    }

    /// Settles the payment whose charge has this key, as [`settle_payment`](Self::settle_payment) does: for an app that learns from
    /// its provider that something happened to a charge.
    ///
    /// # Errors
    /// As [`settle_payment`](Self::settle_payment).
    pub async fn settle_charge(&self, key: &ChargeKey) -> Result<Stored<Payment>, Error> {
        let id = self.store().find_charge_key(key).await?.ok_or(Error::NotFound)?;
        self.settle_payment(id).await
    }

    /// The declines that count against another attempt of this actor.
    pub(super) async fn declines(&self, actor: &Actor, now: DateTime<Utc>) -> Result<Vec<DateTime<Utc>>, Error> {
        match (actor.customer(), self.policy().declines_per_hour) {
            (None, _) | (_, 0) => Ok(Vec::new()),
            (Some(customer), most) => Ok(self.store().declines(customer, declines_since(now), most).await?),
        }
    }

    pub(super) async fn find_payment(&self, actor: &Actor, id: PaymentId) -> Result<Stored<Payment>, Error> {
        actor.require(Resource::Payment, Act::Read)?;
        let payment = self.store().find_payment(id).await?.ok_or(Error::NotFound)?;
        require_payment_view(&payment, actor)?;
        Ok(payment)
    }

    async fn pay_to_the_end(
        &self,
        context: RequestContext,
        invoice: Option<InvoiceId>,
        named_in: NamedIn,
        draft: &PaymentDraft,
    ) -> Result<WithActions<Payment>, Error> {
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
    ) -> Result<WithActions<Payment>, Error> {
        let (payer, request_id) = (context.actor, context.request_id.clone());
        let loaded = self.begin(context, invoice, named_in, draft).await?;
        let charge = charge_of(&loaded)?;
        match self.ask(self.shared.gateway.charge(&charge)).await {
            Ok(outcome) => {
                let context = RequestContext::new(Actor::Gateway).with_request_id(request_id);
                let payment = self.settle(loaded, &outcome, context).await?;
                match &payment.state {
                    PaymentState::Failed { failure_code, .. } => {
                        Err(Error::CardDeclined { failure_code: failure_code.clone(), payment: Some(Box::new(payment)) })
                    }
                    _ => Ok(view(payment, &payer)),
                }
            }
            Err(error) => {
                let payment = viewed_payment(&loaded)?;
                tracing::warn!(error = %with_causes(&error), payment = %payment.id, "the outcome of a charge is unknown; the payment stays pending");
                Ok(view(payment, &payer))
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
            self.ask_guard(actor, GuardedAct::pay(loaded, decision.new_payment.as_ref()), now)?;
            Ok(decision.map(|changes| at(loaded, changes)))
        };
        let done = self.execute(context, load, decide).await?;
        let (loaded, _) = done.snapshot;
        Ok(applied(loaded.ok_or_else(no_row)?, &done.changes, done.ids))
    }

    async fn cancel(
        &self,
        context: RequestContext,
        id: PaymentId,
        draft: &PaymentCancellationDraft,
    ) -> Result<WithActions<Payment>, Error> {
        let actor = context.actor;
        actor.require(Resource::Payment, Act::Read)?;
        let loaded = self.load_for_gateway(TradeKey::Payment(id)).await?;
        let reason = cancel_payment(&viewed_payment(&loaded)?.value, &actor, draft)?;
        let outcome = self.ask(self.shared.gateway.cancel_charge(&charge_of(&loaded)?)).await?;
        // What the payer did first is not the act of who cancels.
        let context = match outcome {
            ChargeOutcome::Cancelled { .. } => context,
            _ => RequestContext::new(Actor::Gateway).with_request_id(context.request_id),
        };
        let give_up = |snapshot: &TradeSnapshot, now| give_up_payment(snapshot, &outcome, &reason, now);
        let payment = self.settle_by(loaded, give_up, context).await?;
        match payment.state {
            PaymentState::Cancelled { .. } => Ok(view(payment, &actor)),
            PaymentState::Pending | PaymentState::RequiresAction(_) => Err(Refusal::PaymentPending.into()),
            PaymentState::Succeeded { .. } | PaymentState::Failed { .. } => Err(Refusal::PaymentSettled.into()),
        }
    }

    /// Records the outcome of a charge, however often the trade changes in the meantime.
    pub(super) async fn settle(
        &self,
        loaded: Versioned<TradeSnapshot>,
        outcome: &ChargeOutcome,
        context: RequestContext,
    ) -> Result<Stored<Payment>, Error> {
        self.settle_by(loaded, |snapshot, now| settle_payment(snapshot, outcome, now), context).await
    }

    async fn settle_by(
        &self,
        loaded: Versioned<TradeSnapshot>,
        decide: impl Fn(&TradeSnapshot, DateTime<Utc>) -> Result<Option<Decision<TradeChanges>>, Error>,
        context: RequestContext,
    ) -> Result<Stored<Payment>, Error> {
        let id = viewed_payment(&loaded)?.id;
        let settled = self.settle_trade(context, loaded, TradeKey::Payment(id), decide).await?;
        viewed_payment(&settled)
    }
}

/// A payment as the actor sees it: only the payer gets the secret with which they act.
pub(super) fn view(payment: Stored<Payment>, actor: &Actor) -> WithActions<Payment> {
    let available_actions = payment_actions(&payment, actor);
    let Stored { id, value } = payment;
    let is_payer = actor.customer().is_some_and(|customer| can_view_client_secret(customer, &value));
    let value = if is_payer { value } else { value.without_secret() };
    WithActions { stored: Stored { id, value }, available_actions }
}

pub(super) fn viewed_payment(snapshot: &TradeSnapshot) -> Result<Stored<Payment>, Error> {
    snapshot.payment.as_ref().map(|(payment, _)| payment.clone()).ok_or_else(|| Error::internal("the snapshot has no payment"))
}

pub(super) fn charge_of(snapshot: &TradeSnapshot) -> Result<Charge, Error> {
    let (payment, card) = snapshot.payment.as_ref().ok_or_else(|| Error::internal("the snapshot has no payment"))?;
    Ok(Charge {
        key: payment.charge_key.clone(),
        reference: payment.gateway_reference.clone(),
        card: card.token.clone(),
        amount: payment.amount,
        payment: payment.id,
        invoice: payment.invoice_id,
        customer: payment.customer_id,
        begun_at: payment.created_at,
    })
}
