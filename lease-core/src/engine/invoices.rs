use super::{LeaseEngine, own_only};
use crate::error::Error;
use crate::id::{InvoiceId, Stored};
use crate::invoicing::{VoidDraft, visible_invoice, void};
use crate::model::Invoice;
use crate::page::{Page, PageRequest};
use crate::permission::{Actor, Resource};
use crate::repository::{InvoiceFilter, TradeKey};

impl LeaseEngine {
    /// An invoice.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_invoice(&self, actor: &Actor, id: InvoiceId) -> Result<Stored<Invoice>, Error> {
        let loaded = self.load_trade(TradeKey::Invoice(id), actor, self.now()).await?;
        visible_invoice(&loaded, actor).cloned()
    }

    /// Drops an invoice (spec 5.3).
    ///
    /// # Errors
    /// As [`void`]; [`Error::Unavailable`].
    pub async fn void_invoice(&self, actor: &Actor, id: InvoiceId, draft: &VoidDraft) -> Result<Stored<Invoice>, Error> {
        let (snapshot, _) = self.change_trade(TradeKey::Invoice(id), actor, |trade, now| void(trade, actor, draft, now)).await?;
        snapshot.invoice.ok_or(Error::NotFound)
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
        let visible_to = own_only(actor, Resource::Invoice)?;
        Ok(self.store().list_invoices(&InvoiceFilter { visible_to, ..filter }, page, self.now()).await?)
    }
}
