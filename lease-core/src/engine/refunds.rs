use super::payments::viewed_payment;
use super::trades::{applied, at};
use super::{LeaseEngine, RequestContext, visible_to};
use crate::error::{Error, with_causes};
use crate::gateway::{RefundOutcome, RefundRequest};
use crate::id::{PaymentId, RefundId, Stored, Versioned};
use crate::invoicing::{RefundDraft, begin_refund, require_refund_view, settle_refund};
use crate::lifecycle::TradeSnapshot;
use crate::model::{Refund, RefundKey, RefundState};
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource};
use crate::repository::{RefundFilter, TradeKey};

impl LeaseEngine {
    /// Gives back money of a payment (rule 5.7). If the gateway gave no response, the refund is returned as pending;
    /// [`run_maintenance`](Self::run_maintenance) settles it later.
    ///
    /// Runs to its end even if the caller hangs up, because the outcome of a refund must always be recorded.
    ///
    /// # Errors
    /// As [`begin_refund`]; [`Error::RefundFailed`]; [`Error::Unavailable`].
    pub async fn refund_payment(
        &self,
        context: impl Into<RequestContext>,
        payment: PaymentId,
        draft: &RefundDraft,
    ) -> Result<Stored<Refund>, Error> {
        let (engine, context, draft) = (self.clone(), context.into(), draft.clone());
        let refund = async move { engine.refund(context, payment, &draft).await };
        tokio::spawn(refund).await.map_err(Error::internal)?
    }

    /// A refund.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_refund(&self, actor: &Actor, id: RefundId) -> Result<Stored<Refund>, Error> {
        actor.require(Resource::Refund, Act::Read)?;
        let refund = self.store().find_refund(id).await?.ok_or(Error::NotFound)?;
        require_refund_view(&refund, actor)?;
        Ok(refund)
    }

    /// The refunds that the actor may see.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn list_refunds(
        &self,
        actor: &Actor,
        filter: RefundFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<Refund>>, Error> {
        let visible_to = visible_to(actor, Resource::Refund)?;
        Ok(self.store().list_refunds(&RefundFilter { visible_to, ..filter }, page).await?)
    }

    /// The refunds of a payment that the actor may see.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn list_refunds_of(
        &self,
        actor: &Actor,
        payment: PaymentId,
        filter: RefundFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<Refund>>, Error> {
        self.find_payment(actor, payment).await?;
        if filter.payment_id.is_some_and(|other| other != payment) {
            return Ok(Page { items: Vec::new(), next: None, previous: None });
        }
        self.list_refunds(actor, RefundFilter { payment_id: Some(payment), ..filter }, page).await
    }

    /// Settles a refund that is pending by asking the gateway. Harmless at any time and as often as you like. Returns the refund as it
    /// is then. If the gateway never received it, it is made now, under the same key.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn settle_refund(&self, id: RefundId) -> Result<Stored<Refund>, Error> {
        let loaded = self.load_for_gateway(TradeKey::Refund(id)).await?;
        let refund = viewed_refund(&loaded)?;
        if refund.state != RefundState::Pending {
            return Ok(refund);
        }
        let (gateway, request) = (&self.shared.gateway, request_of(&loaded)?);
        let outcome = match self.ask(gateway.find_refund(&request)).await? {
            Some(outcome) => outcome,
            None => self.ask(gateway.refund(&request)).await?,
        };
        self.settle_with(loaded, &outcome, RequestContext::new(Actor::Gateway)).await
    }

    /// Settles the refund with this key, as [`settle_refund`](Self::settle_refund) does: for an app that learns from its provider that
    /// something happened to a refund.
    ///
    /// # Errors
    /// As [`settle_refund`](Self::settle_refund).
    pub async fn settle_refund_key(&self, key: &RefundKey) -> Result<Stored<Refund>, Error> {
        let id = self.store().find_refund_key(key).await?.ok_or(Error::NotFound)?;
        self.settle_refund(id).await
    }

    async fn refund(&self, context: RequestContext, payment: PaymentId, draft: &RefundDraft) -> Result<Stored<Refund>, Error> {
        let request_id = context.request_id.clone();
        let loaded = self.begin_refund(context, payment, draft).await?;
        match self.ask(self.shared.gateway.refund(&request_of(&loaded)?)).await {
            Ok(outcome) => {
                let context = RequestContext::new(Actor::Gateway).with_request_id(request_id);
                let refund = self.settle_with(loaded, &outcome, context).await?;
                match refund.state {
                    RefundState::Failed { .. } => Err(Error::RefundFailed(Box::new(refund))),
                    RefundState::Pending | RefundState::Succeeded { .. } => Ok(refund),
                }
            }
            Err(error) => {
                let refund = viewed_refund(&loaded)?;
                tracing::warn!(error = %with_causes(&error), refund = %refund.id, "the outcome of a refund is unknown; it stays pending");
                Ok(refund)
            }
        }
    }

    /// Records the refund as pending, before any money goes back.
    async fn begin_refund(
        &self,
        context: RequestContext,
        payment: PaymentId,
        draft: &RefundDraft,
    ) -> Result<Versioned<TradeSnapshot>, Error> {
        let key = RefundKey::new(hex::encode(self.random::<16>()?));
        let load = |actor: Actor, _| async move {
            actor.require(Resource::Payment, Act::Read)?;
            self.load_for_gateway(TradeKey::Payment(payment)).await
        };
        let decide = |loaded: &Versioned<TradeSnapshot>, actor: &Actor, now| {
            let decision = begin_refund(loaded, actor, draft, key.clone(), now)?;
            Ok(decision.map(|changes| at(loaded, changes)))
        };
        let done = self.execute(context, load, decide).await?;
        Ok(applied(done.snapshot, &done.changes, done.ids))
    }

    /// Records the outcome of a refund, however often the trade changes in the meantime.
    async fn settle_with(
        &self,
        loaded: Versioned<TradeSnapshot>,
        outcome: &RefundOutcome,
        context: RequestContext,
    ) -> Result<Stored<Refund>, Error> {
        let id = viewed_refund(&loaded)?.id;
        let decide = |snapshot: &TradeSnapshot, now| settle_refund(snapshot, outcome, now);
        let settled = self.settle_trade(context, loaded, TradeKey::Refund(id), decide).await?;
        viewed_refund(&settled)
    }
}

fn viewed_refund(snapshot: &TradeSnapshot) -> Result<Stored<Refund>, Error> {
    snapshot.refund.clone().ok_or_else(|| Error::internal("the snapshot has no refund"))
}

fn request_of(snapshot: &TradeSnapshot) -> Result<RefundRequest, Error> {
    let (refund, payment) = (viewed_refund(snapshot)?, viewed_payment(snapshot)?);
    let charge_reference = payment.value.gateway_reference;
    Ok(RefundRequest {
        key: refund.refund_key.clone(),
        reference: refund.gateway_reference.clone(),
        charge_reference: charge_reference.ok_or_else(|| Error::internal("a payment that succeeded has no reference"))?,
        amount: refund.amount,
        reason: refund.reason,
        refund: refund.id,
        payment: payment.id,
        begun_at: refund.created_at,
    })
}
