use chrono::{DateTime, Utc};

use super::{LeaseEngine, WithActions, own_only};
use crate::error::Error;
use crate::id::{ProposalId, TradeId};
use crate::lifecycle::{
    ProposalDraft, TradeSnapshot, accept, proposal_actions, propose, propose_in_unknown_trade, reject, require_visible,
    visible_proposal, withdraw,
};
use crate::model::Proposal;
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource};
use crate::repository::{ProposalFilter, TradeKey};

impl LeaseEngine {
    /// Makes a proposal in a trade (spec 4.2, 4.3).
    ///
    /// # Errors
    /// As [`propose`]; [`Error::Unavailable`].
    pub async fn propose(&self, actor: &Actor, trade: TradeId, draft: &ProposalDraft) -> Result<WithActions<Proposal>, Error> {
        let limit = self.policy().max_proposals;
        let decide = |trade: &TradeSnapshot, now| propose(trade, actor, draft, limit, now);
        let (snapshot, now) = self.change_trade(TradeKey::Trade(trade), actor, decide).await?;
        proposal_view(snapshot, actor, now)
    }

    /// Makes a proposal in the trade that the draft names.
    ///
    /// # Errors
    /// As [`propose`], but a trade that the actor may not see is a wrong field; [`Error::Unavailable`].
    pub async fn create_proposal(&self, actor: &Actor, draft: &ProposalDraft) -> Result<WithActions<Proposal>, Error> {
        let unknown = || Err(propose_in_unknown_trade(actor, draft, self.now()));
        match draft.trade_id.given() {
            Some(trade) => match self.propose(actor, *trade, draft).await {
                Err(Error::NotFound) => unknown(),
                response => response,
            },
            None => unknown(),
        }
    }

    /// A proposal.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_proposal(&self, actor: &Actor, id: ProposalId) -> Result<WithActions<Proposal>, Error> {
        let now = self.now();
        let loaded = self.load_trade(TradeKey::Proposal(id), actor, now).await?;
        visible_proposal(&loaded, actor)?;
        proposal_view(loaded.value, actor, now)
    }

    /// Accepts a proposal (spec 4.4).
    ///
    /// # Errors
    /// As [`accept`]; [`Error::Unavailable`].
    pub async fn accept_proposal(&self, actor: &Actor, id: ProposalId) -> Result<WithActions<Proposal>, Error> {
        let (snapshot, now) = self.change_trade(TradeKey::Proposal(id), actor, |trade, now| accept(trade, actor, now)).await?;
        proposal_view(snapshot, actor, now)
    }

    /// Turns a proposal down (spec 4.5).
    ///
    /// # Errors
    /// As [`reject`]; [`Error::Unavailable`].
    pub async fn reject_proposal(&self, actor: &Actor, id: ProposalId) -> Result<WithActions<Proposal>, Error> {
        let (snapshot, now) = self.change_trade(TradeKey::Proposal(id), actor, |trade, now| reject(trade, actor, now)).await?;
        proposal_view(snapshot, actor, now)
    }

    /// Takes a proposal back (spec 4.5).
    ///
    /// # Errors
    /// As [`withdraw`]; [`Error::Unavailable`].
    pub async fn withdraw_proposal(&self, actor: &Actor, id: ProposalId) -> Result<WithActions<Proposal>, Error> {
        let (snapshot, now) = self.change_trade(TradeKey::Proposal(id), actor, |trade, now| withdraw(trade, actor, now)).await?;
        proposal_view(snapshot, actor, now)
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
        let visible_to = own_only(actor, Resource::Proposal)?;
        let now = self.now();
        let found = self.store().list_proposals(&ProposalFilter { visible_to, ..filter }, page, now).await?;
        self.with_actions(
            found,
            actor,
            now,
            |proposal| TradeKey::Proposal(proposal.id),
            |snapshot| proposal_actions(snapshot, actor, now),
        )
        .await
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
}

fn proposal_view(snapshot: TradeSnapshot, actor: &Actor, now: DateTime<Utc>) -> Result<WithActions<Proposal>, Error> {
    let available_actions = proposal_actions(&snapshot, actor, now);
    let view = snapshot.proposal.ok_or(Error::NotFound)?;
    Ok(WithActions { stored: view.proposal, available_actions })
}
