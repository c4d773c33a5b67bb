use std::time::Duration;

use super::{LeaseEngine, own_only};
use crate::error::Error;
use crate::gateway::{Charge, ChargeKey, ChargeOutcome, GatewayError};
use crate::id::{InvoiceId, PaymentId, Stored, Versioned};
use crate::invoicing::{PaymentDraft, begin_payment, pay_unknown_invoice, settle_payment};
use crate::lifecycle::TradeSnapshot;
use crate::model::{Payment, PaymentState};
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource, can_view_payment};
use crate::repository::{PaymentFilter, TradeKey, TradeLoad};

/// How long the gateway may take for a response: less than a client waits for the server's, and less than a payment is pending
/// before recovery asks after it.
const GATEWAY_TIMEOUT: Duration = Duration::from_secs(20);

impl LeaseEngine {
    /// Pays an invoice (spec 5.4). The payment comes back pending where the gateway gave no response: it is settled by
    /// [`settle_pending`](Self::settle_pending), and whether it went through can be read then.
    ///
    /// Goes on to its end when the caller hangs up: between charging and writing it down nothing may be dropped.
    ///
    /// # Errors
    /// As [`begin_payment`]; [`Error::CardDeclined`]; [`Error::Unavailable`].
    pub async fn pay_invoice(&self, actor: &Actor, invoice: InvoiceId, draft: &PaymentDraft) -> Result<Stored<Payment>, Error> {
        let (engine, actor, draft) = (self.clone(), *actor, draft.clone());
        tokio::spawn(async move { engine.pay(&actor, invoice, &draft).await }).await.map_err(Error::internal)?
    }

    /// Pays the invoice that the draft names.
    ///
    /// # Errors
    /// As [`pay_invoice`](Self::pay_invoice), but an invoice that the actor may not see is a wrong field.
    pub async fn create_payment(&self, actor: &Actor, draft: &PaymentDraft) -> Result<Stored<Payment>, Error> {
        match draft.invoice_id.given() {
            Some(invoice) => match self.pay_invoice(actor, *invoice, draft).await {
                Err(Error::NotFound) => Err(pay_unknown_invoice(actor, draft)),
                response => response,
            },
            None => Err(pay_unknown_invoice(actor, draft)),
        }
    }

    /// A payment.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_payment(&self, actor: &Actor, id: PaymentId) -> Result<Stored<Payment>, Error> {
        let loaded = self.load_trade(TradeKey::Payment(id), actor, self.now()).await?;
        let (payment, _) = loaded.value.payment.ok_or(Error::NotFound)?;
        match actor.customer() {
            Some(customer) if !can_view_payment(customer, &payment) => Err(Error::NotFound),
            _ => Ok(payment),
        }
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
        let visible_to = own_only(actor, Resource::Payment)?;
        Ok(self.store().list_payments(&PaymentFilter { visible_to, ..filter }, page).await?)
    }

    async fn pay(&self, actor: &Actor, invoice: InvoiceId, draft: &PaymentDraft) -> Result<Stored<Payment>, Error> {
        let loaded = self.begin(actor, invoice, draft).await?;
        let charge = charge_of(&loaded)?;
        match within_timeout(self.shared.gateway.charge(&charge)).await {
            Ok(outcome) => {
                let payment = self.settle(loaded, &outcome).await?;
                match payment.state {
                    PaymentState::Failed { .. } => Err(Error::CardDeclined(Box::new(payment))),
                    PaymentState::Pending | PaymentState::Succeeded { .. } => Ok(payment),
                }
            }
            Err(error) => {
                tracing::warn!(%error, invoice = %invoice, "the outcome of a charge is unknown; the payment stays pending");
                viewed_payment(&loaded)
            }
        }
    }

    /// Records the payment as pending, before anything is charged.
    async fn begin(&self, actor: &Actor, invoice: InvoiceId, draft: &PaymentDraft) -> Result<Versioned<TradeSnapshot>, Error> {
        actor.require(Resource::Payment, Act::Create)?;
        let key = ChargeKey::new(hex::encode(self.random::<16>()?));
        let mut retry = self.retry();
        loop {
            let now = self.now();
            let load = TradeLoad {
                key: TradeKey::Invoice(invoice),
                viewer: actor.customer(),
                card: draft.credit_card_id.given().copied(),
                now,
            };
            let mut loaded = self.store().load_trade(&load).await?.ok_or(Error::NotFound)?;
            let changes = begin_payment(&loaded, actor, draft, self.policy(), key.clone(), now)?;
            match self.commit_trade(&mut loaded, &changes).await {
                Ok(()) => return Ok(loaded),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// Writes down what became of a charge, however often the trade moves meanwhile.
    async fn settle(&self, mut loaded: Versioned<TradeSnapshot>, outcome: &ChargeOutcome) -> Result<Stored<Payment>, Error> {
        // The claim was marked when the payment was begun.
        let engine = Self { shared: std::sync::Arc::clone(&self.shared), claim: None };
        let id = viewed_payment(&loaded)?.id;
        let mut retry = self.retry();
        loop {
            let now = self.now();
            let Some(changes) = settle_payment(&loaded, outcome, now)? else { return viewed_payment(&loaded) };
            match engine.commit_trade(&mut loaded, &changes).await {
                Ok(()) => return viewed_payment(&loaded),
                Err(error) => retry.after(error).await?,
            }
            loaded = self.load_payment(id).await?;
        }
    }

    /// Settles one pending payment by asking the gateway. A charge that it never got is made now, under the same key: whoever
    /// began the payment wanted it, and may still be about to charge it; the key makes sure that it happens once.
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
        self.settle(loaded, &outcome).await
    }

    async fn load_payment(&self, id: PaymentId) -> Result<Versioned<TradeSnapshot>, Error> {
        let load = TradeLoad { key: TradeKey::Payment(id), viewer: None, card: None, now: self.now() };
        self.store().load_trade(&load).await?.ok_or(Error::NotFound)
    }
}

/// What the gateway answers; an error where it takes too long, as one that hangs must not hold up others for ever.
pub(super) async fn within_timeout<T>(call: impl Future<Output = Result<T, GatewayError>>) -> Result<T, GatewayError> {
    tokio::time::timeout(GATEWAY_TIMEOUT, call).await.unwrap_or_else(|silence| Err(GatewayError::new(silence)))
}

fn viewed_payment(snapshot: &TradeSnapshot) -> Result<Stored<Payment>, Error> {
    snapshot.payment.as_ref().map(|(payment, _)| payment.clone()).ok_or_else(|| Error::internal("a payment was begun"))
}

fn charge_of(snapshot: &TradeSnapshot) -> Result<Charge, Error> {
    let (payment, card) = snapshot.payment.as_ref().ok_or_else(|| Error::internal("a payment was begun"))?;
    Ok(Charge { key: payment.charge_key.clone(), card: card.token.clone(), amount: payment.amount })
}
