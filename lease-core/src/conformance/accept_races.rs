//! Races of an acceptance with other acceptances and with everything else that ends a proposal, at two processes: the first
//! commit wins, and everybody else is refused with the right reason.
//!
//! Rules 4.4, 4.5, 4.6 and 4.11.

use super::Handles;
use super::processes::{Act, Offered, Processes, ROUNDS, count, terms};
use super::race::together;
use crate::id::ProposalId;
use crate::lifecycle::CancellationDraft;
use crate::model::{ProposalState, Role, ServiceKind, TradeState};
use crate::permission::Actor;

/// The number of acceptances at the same time.
const ACCEPTS: usize = 4;

pub async fn one_of_many_who_accept_the_owners_proposal_wins(handles: Handles) {
    let race = Race::start(handles).await;
    for _ in 0..*ROUNDS {
        let offered = race.offer().await;
        let accepts = race.customers.iter().map(|customer| race.accept(*customer, offered.proposal));
        let counts = count(accepts.collect()).await;
        assert_eq!(counts, [("ok", 1), ("trade_not_open", ACCEPTS - 1)].into());
    }
    race.assert_agreed(*ROUNDS).await;
}

pub async fn the_owner_accepts_one_of_many_proposals(handles: Handles) {
    let race = Race::start(handles).await;
    for _ in 0..*ROUNDS {
        let offered = race.offer().await;
        let mut accepts = Vec::new();
        for customer in &race.customers {
            let counter = race.processes.engine().propose(customer, offered.trade, &terms(ServiceKind::Sell)).await.unwrap();
            accepts.push(race.accept(race.owner, counter.stored.id));
        }
        let counts = count(accepts).await;
        assert_eq!(counts, [("ok", 1), ("trade_not_open", ACCEPTS - 1)].into());
    }
    let proposals = race.assert_agreed(*ROUNDS).await.proposals;
    let closed = proposals.iter().filter(|proposal| matches!(proposal.state, ProposalState::Closed { .. })).count();
    assert_eq!((closed, proposals.len()), (*ROUNDS * ACCEPTS, *ROUNDS * (ACCEPTS + 1)));
}

pub async fn accepting_and_withdrawing_exclude_each_other(handles: Handles) {
    let withdraw = |race: &Race, offered: Offered| {
        let owner = race.owner;
        race.processes.act(|engine| async move { engine.withdraw_proposal(&owner, offered.proposal).await })
    };
    one_or_the_other(handles, withdraw, "proposal_not_pending").await;
}

pub async fn accepting_and_superseding_exclude_each_other(handles: Handles) {
    let supersede = |race: &Race, offered: Offered| {
        let owner = race.owner;
        race.processes.act(|engine| async move { engine.propose(&owner, offered.trade, &terms(ServiceKind::Sell)).await })
    };
    one_or_the_other(handles, supersede, "proposal_not_pending").await;
}

pub async fn accepting_and_cancelling_exclude_each_other(handles: Handles) {
    let cancel = |race: &Race, offered: Offered| {
        let owner = race.owner;
        race.processes
            .act(|engine| async move { engine.cancel_trade(&owner, offered.trade, &CancellationDraft::default()).await })
    };
    one_or_the_other(handles, cancel, "trade_not_open").await;
}

/// The owner of a trade rejects a proposal and accepts it at the same time.
pub async fn accepting_and_rejecting_exclude_each_other(handles: Handles) {
    let race = Race::start(handles).await;
    let [customer, ..] = race.customers[..] else { unreachable!() };
    let mut agreed = 0;
    for _ in 0..*ROUNDS {
        let trade = race.offer().await.trade;
        let proposal = race.processes.engine().propose(&customer, trade, &terms(ServiceKind::Sell)).await.unwrap().stored.id;
        let owner = race.owner;
        let reject = race.processes.act(|engine| async move { engine.reject_proposal(&owner, proposal).await });
        agreed += race.run(reject, vec![owner; ACCEPTS], proposal, "proposal_not_pending").await;
    }
    race.assert_agreed(agreed).await;
}

/// Both may succeed: an acceptance that comes first is an agreement with a user who was still active. If none comes first, all
/// are refused.
pub async fn accepting_and_deactivating_the_author_come_one_after_the_other(handles: Handles) {
    let race = Race::start(handles).await;
    let staff = race.processes.actor(Role::Staff).await;
    let mut agreed = 0;
    for _ in 0..*ROUNDS {
        let author = race.processes.actor(Role::Customer).await;
        let offered = race.processes.offer(&author, race.sell).await;
        let user = author.user().unwrap();
        let mut acts = vec![race.processes.act(|engine| async move { engine.deactivate_user(&staff, user).await })];
        acts.extend(race.customers.iter().map(|customer| race.accept(*customer, offered.proposal)));
        let responses = together(acts).await;
        let (deactivated, accepted) = responses.split_first().unwrap();
        assert_eq!(*deactivated, "ok");
        let won = accepted.iter().filter(|response| **response == "ok").count();
        let refusal = if won == 1 { "trade_not_open" } else { "party_inactive" };
        let told = accepted.iter().filter(|response| **response == refusal).count();
        assert!(won <= 1 && won + told == ACCEPTS, "{responses:?}");
        agreed += won;
    }
    race.assert_agreed(agreed).await;
}

/// Customers accept while the owner does `other`: exactly one of them wins. If it is the owner, every acceptance is refused with
/// `refusal`.
async fn one_or_the_other(handles: Handles, other: impl Fn(&Race, Offered) -> Act, refusal: &'static str) {
    let race = Race::start(handles).await;
    let mut agreed = 0;
    for _ in 0..*ROUNDS {
        let offered = race.offer().await;
        agreed += race.run(other(&race, offered), race.customers.clone(), offered.proposal, refusal).await;
    }
    race.assert_agreed(agreed).await;
}

/// A seller, and customers who want to buy.
struct Race {
    processes: Processes,
    owner: Actor,
    customers: Vec<Actor>,
    sell: crate::id::ServiceId,
}

impl Race {
    async fn start(handles: Handles) -> Self {
        let processes = Processes::start(handles);
        let sell = processes.world.service(ServiceKind::Sell).await;
        let owner = processes.actor(Role::Customer).await;
        let customers = processes.customers(ACCEPTS).await;
        Self { processes, owner, customers, sell }
    }

    async fn offer(&self) -> Offered {
        self.processes.offer(&self.owner, self.sell).await
    }

    fn accept(&self, who: Actor, proposal: ProposalId) -> Act {
        self.processes.act(|engine| async move { engine.accept_proposal(&who, proposal).await })
    }

    /// The number of acceptances that won: one, or none if the other act won.
    async fn run(&self, other: Act, who: Vec<Actor>, proposal: ProposalId, refusal: &'static str) -> usize {
        let accepts = who.into_iter().map(|who| self.accept(who, proposal));
        let responses = together([other].into_iter().chain(accepts)).await;
        let (other, accepted) = responses.split_first().unwrap();
        let won = accepted.iter().filter(|response| **response == "ok").count();
        let expected = if won == 1 { ("trade_not_open", "trade_not_open") } else { ("ok", refusal) };
        let told = accepted.iter().filter(|response| **response == expected.1).count();
        assert_eq!((*other, won + told), (expected.0, accepted.len()), "{responses:?}");
        won
    }

    /// Asserts that this many trades are agreed, each with its invoice.
    async fn assert_agreed(&self, count: usize) -> crate::invariants::Books {
        let books = self.processes.books().await;
        let agreed = books.trades.iter().filter(|trade| matches!(trade.state, TradeState::Agreed(_))).count();
        assert_eq!((agreed, books.invoices.len()), (count, count));
        books
    }
}
