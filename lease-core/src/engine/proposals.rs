use super::command::no_row;
use super::trades::{ChangedTrade, applied, at};
use super::{LeaseEngine, RequestContext, WithActions, visible_to};
use crate::error::Error;
use crate::guard::GuardedAct;
use crate::id::{ProposalId, TradeId, Versioned};
use crate::input::NamedIn;
use crate::lifecycle::{
    ProposalDraft, TradeSnapshot, accept, proposal_actions, propose, reject, require_visible, visible_proposal, withdraw,
};
use crate::model::Proposal;
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource};
use crate::repository::{ProposalFilter, TradeKey, TradeLoad};

impl LeaseEngine {
    /// Makes a proposal in a trade (rules 4.2, 4.3).
    ///
    /// # Errors
    /// As [`propose`]; [`Error::RefusedByGuard`]; [`Error::Unavailable`].
    pub async fn propose(
        &self,
        context: impl Into<RequestContext>,
        trade: TradeId,
        draft: &ProposalDraft,
    ) -> Result<WithActions<Proposal>, Error> {
        self.propose_in(context, Some(trade), NamedIn::Path, draft).await
    }

    /// Makes a proposal in the trade that the draft names.
    ///
    /// # Errors
    /// As [`propose`](Self::propose), but a trade that the actor may not see is an invalid field.
    pub async fn create_proposal(
        &self,
        context: impl Into<RequestContext>,
        draft: &ProposalDraft,
    ) -> Result<WithActions<Proposal>, Error> {
        self.propose_in(context, draft.trade_id.given().copied(), NamedIn::Draft, draft).await
    }

    async fn propose_in(
        &self,
        context: impl Into<RequestContext>,
        trade: Option<TradeId>,
        named_in: NamedIn,
        draft: &ProposalDraft,
    ) -> Result<WithActions<Proposal>, Error> {
        let load = |actor: Actor, now| async move {
            actor.require(Resource::Trade, Act::Read)?;
            let Some(trade) = trade else { return Ok(None) };
            let (key, viewer) = (TradeKey::Trade(trade), actor.customer());
            let load = TradeLoad { key, viewer, with_pending: true, card: None, now };
            match (self.store().load_trade(&load).await?, named_in) {
                (None, NamedIn::Path) => Err(Error::NotFound),
                (loaded, _) => Ok(loaded),
            }
        };
        let decide = |loaded: &Option<Versioned<TradeSnapshot>>, actor: &Actor, now| {
            let decision = propose(loaded.as_deref(), named_in, actor, draft, self.policy(), self.fees(), now)?;
            let loaded = loaded.as_ref().ok_or(Error::NotFound)?;
            self.ask_guard(actor, Some(GuardedAct::propose(loaded, decision.new_proposal.as_ref())), now)?;
            Ok(decision.map(|changes| at(loaded, changes)))
        };
        let done = self.execute(context, load, decide).await?;
        let snapshot = applied(done.snapshot.ok_or_else(no_row)?, &done.changes, done.ids).value;
        self.proposal_view(ChangedTrade { snapshot, actor: done.actor, at: done.at })
    }

    /// A proposal.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_proposal(&self, actor: &Actor, id: ProposalId) -> Result<WithActions<Proposal>, Error> {
        let at = self.now();
        let snapshot = self.load_trade(TradeKey::Proposal(id), actor, at).await?.value;
        visible_proposal(&snapshot, actor)?;
        self.proposal_view(ChangedTrade { snapshot, actor: *actor, at })
    }

    /// Accepts a proposal (rule 4.4).
    ///
    /// # Errors
    /// As [`accept`]; [`Error::RefusedByGuard`]; [`Error::Unavailable`].
    pub async fn accept_proposal(
        &self,
        context: impl Into<RequestContext>,
        id: ProposalId,
    ) -> Result<WithActions<Proposal>, Error> {
        let decide = |trade: &TradeSnapshot, actor: &Actor, now| {
            let decision = accept(trade, actor, self.fees(), now)?;
            self.ask_guard(actor, GuardedAct::accept(trade), now)?;
            Ok(decision)
        };
        self.proposal_view(self.change_trade(context, TradeKey::Proposal(id), decide).await?)
    }

    /// Rejects a proposal (rule 4.5).
    ///
    /// # Errors
    /// As [`reject`]; [`Error::Unavailable`].
    pub async fn reject_proposal(
        &self,
        context: impl Into<RequestContext>,
        id: ProposalId,
    ) -> Result<WithActions<Proposal>, Error> {
        self.proposal_view(self.change_trade(context, TradeKey::Proposal(id), reject).await?)
    }

    /// Withdraws a proposal (rule 4.5).
    ///
    /// # Errors
    /// As [`withdraw`]; [`Error::Unavailable`].
    pub async fn withdraw_proposal(
        &self,
        context: impl Into<RequestContext>,
        id: ProposalId,
    ) -> Result<WithActions<Proposal>, Error> {
        self.proposal_view(self.change_trade(context, TradeKey::Proposal(id), withdraw).await?)
    }

    /// The proposals that the actor may see.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn list_proposals(
        &self,
        actor: &Actor,
        filter: ProposalFilter,
        page: PageRequest,
    ) -> Result<Page<WithActions<Proposal>>, Error> {
        let visible_to = visible_to(actor, Resource::Proposal)?;
        let now = self.now();
        let found = self.store().list_proposals(&ProposalFilter { visible_to, ..filter }, page, now).await?;
        found.try_map(|snapshot| self.proposal_view(ChangedTrade { snapshot, actor: *actor, at: now }))
    }

    /// The proposals of a trade that the actor may see.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a hidden trade; [`Error::Unavailable`].
    pub async fn list_trade_proposals(
        &self,
        actor: &Actor,
        trade: TradeId,
        filter: ProposalFilter,
        page: PageRequest,
    ) -> Result<Page<WithActions<Proposal>>, Error> {
        actor.require(Resource::Proposal, Act::Read)?;
        require_visible(&*self.load_trade(TradeKey::Trade(trade), actor, self.now()).await?, actor)?;
        self.list_proposals(actor, ProposalFilter { trade_id: Some(trade), ..filter }, page).await
    }

    fn proposal_view(&self, ChangedTrade { snapshot, actor, at }: ChangedTrade) -> Result<WithActions<Proposal>, Error> {
        let available_actions = self.unrefused(proposal_actions(&snapshot, &actor, at), &snapshot, &actor, at);
        let mut stored = snapshot.proposal.ok_or(Error::NotFound)?.proposal;
        stored.state = stored.state_at(at);
        Ok(WithActions { stored, available_actions })
    }
}
