use super::{LeaseEngine, RequestContext, visible_to};
use crate::error::Error;
use crate::id::{InvoiceId, Stored};
use crate::invoicing::{DueDateDraft, VoidDraft, WriteOffDraft, move_due_date, require_invoice_view, void, write_off};
use crate::lifecycle::TradeSnapshot;
use crate::model::Invoice;
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource};
use crate::repository::{InvoiceFilter, TradeKey};

impl LeaseEngine {
    /// An invoice.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_invoice(&self, actor: &Actor, id: InvoiceId) -> Result<Stored<Invoice>, Error> {
        actor.require(Resource::Invoice, Act::Read)?;
        let invoice = self.store().find_invoice(id).await?.ok_or(Error::NotFound)?;
        require_invoice_view(&invoice, actor)?;
        Ok(invoice)
    }

    /// Voids an invoice (rule 5.3).
    ///
    /// # Errors
    /// As [`void`]; [`Error::Unavailable`].
    pub async fn void_invoice(
        &self,
        context: impl Into<RequestContext>,
        id: InvoiceId,
        draft: &VoidDraft,
    ) -> Result<Stored<Invoice>, Error> {
        let decide = |trade: &TradeSnapshot, actor: &Actor, now| void(trade, actor, draft, now);
        let changed = self.change_trade(context, TradeKey::Invoice(id), decide).await?;
        changed.snapshot.invoice.ok_or(Error::NotFound)
    }

    /// Writes an invoice off (rule 5.3).
    ///
    /// # Errors
    /// As [`write_off`]; [`Error::Unavailable`].
    pub async fn write_off_invoice(
        &self,
        context: impl Into<RequestContext>,
        id: InvoiceId,
        draft: &WriteOffDraft,
    ) -> Result<Stored<Invoice>, Error> {
        let decide = |trade: &TradeSnapshot, actor: &Actor, now| write_off(trade, actor, draft, now);
        let changed = self.change_trade(context, TradeKey::Invoice(id), decide).await?;
        changed.snapshot.invoice.ok_or(Error::NotFound)
    }

    /// Moves the due date of an invoice (rule 5.3).
    ///
    /// # Errors
    /// As [`move_due_date`]; [`Error::Unavailable`].
    pub async fn move_due_date(
        &self,
        context: impl Into<RequestContext>,
        id: InvoiceId,
        draft: &DueDateDraft,
    ) -> Result<Stored<Invoice>, Error> {
        let decide = |trade: &TradeSnapshot, actor: &Actor, now| move_due_date(trade, actor, draft, now);
        let changed = self.change_trade(context, TradeKey::Invoice(id), decide).await?;
        changed.snapshot.invoice.ok_or(Error::NotFound)
    }

    /// The invoices that the actor may see.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn list_invoices(
        &self,
        actor: &Actor,
        filter: InvoiceFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<Invoice>>, Error> {
        let visible_to = visible_to(actor, Resource::Invoice)?;
        Ok(self.store().list_invoices(&InvoiceFilter { visible_to, ..filter }, page, self.now()).await?)
    }
}
