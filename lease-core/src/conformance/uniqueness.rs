//! Every guarantee in turn: a commit that would break it is refused with the guarantee's name and leaves nothing behind.
//!
//! Rules 3.5, 3.7, 4.1, 4.3, 4.10, 5.2 and 5.6.

use std::sync::Arc;

use super::build::*;
use super::commits::Commits as _;
use super::world::{World, agreed, agreement};
use crate::account::{AccountChange, CustomerChange};
use crate::decision::RowChange;
use crate::id::Version;
use crate::lifecycle::{NewInvoice, TradeChanges, TradeMove};
use crate::model::*;
use crate::repository::*;
use crate::wallet::{CardChange, DefaultCard, WalletChange};

fn named(number: u32, username: &str, email: &str) -> User {
    User { username: Username::parse(username).unwrap(), email: Some(Email::parse(email).unwrap()), ..user(number, Role::Staff) }
}

/// A change of the user's own fields only.
fn rewritten(id: crate::id::UserId, expected: Version, user: User) -> AccountChange {
    AccountChange { id, expected, user, customer: CustomerChange::Keep, keep_token: None, needs_another_superuser: false }
}

pub async fn a_login_name_belongs_to_one_user(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let ada = world.register(named(1, "Ada@Example.com", "ada.l@example.com")).await.user.id;
    let other = world.account(Role::Customer).await.user.id;
    let clashes = [
        named(2, "ADA@example.COM", "new@example.com"),
        named(3, "new", "ADA.L@EXAMPLE.com"),
        // A user name may not be another user's e-mail address, nor the other way round.
        named(4, "ada.L@example.com", "new@example.com"),
        named(5, "new", "ada@example.com"),
    ];
    for clash in clashes {
        let new = new_user(clash.clone());
        world.assert_taken(Guarantee::LoginName, world.store.create_account(&new, None)).await;
        let change = rewritten(other, Version::FIRST, User { role: Role::Customer, ..clash });
        world.assert_taken(Guarantee::LoginName, world.store.commit_account(&change, None)).await;
    }
    let asked = [LoginName::new("ada@example.com"), LoginName::new("ada.l@example.com"), LoginName::new("new")];
    let mut taken = world.store.taken_names(&asked).await.unwrap();
    taken.sort();
    assert_eq!(taken, [(LoginName::new("ada.l@example.com"), ada), (LoginName::new("ada@example.com"), ada)]);
}

pub async fn a_users_email_may_equal_their_username(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let ada = world.register(named(1, "ada@example.com", "ADA@example.com")).await;
    assert_eq!(world.store.find_login(&LoginName::new("Ada@Example.com")).await.unwrap(), Some(ada.clone()));
    // The name that it gives up is free again, and the one that it keeps is still its own.
    let change = rewritten(ada.user.id, Version::FIRST, named(1, "ada", "ada@example.com"));
    world.store.commit_account(&change, None).await.unwrap();
    let change = rewritten(ada.user.id, Version(2), named(1, "ada", "lovelace@example.com"));
    world.store.commit_account(&change, None).await.unwrap();
    assert_eq!(world.store.find_login(&LoginName::new("ada@example.com")).await.unwrap(), None);
    world.register(named(2, "ada@example.com", "second@example.com")).await;
}

pub async fn the_last_active_superuser_stays(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let root = world.account(Role::Superuser).await.user;
    world.account(Role::Staff).await;
    world.register(User { is_active: false, ..user(world.number(), Role::Superuser) }).await;
    let without = |user: User| AccountChange { needs_another_superuser: true, ..rewritten(root.id, Version::FIRST, user) };
    let demoted = without(User { role: Role::Staff, ..root.value.clone() });
    let deactivated = without(User { is_active: false, ..root.value.clone() });
    for change in [&demoted, &deactivated] {
        world.assert_taken(Guarantee::ActiveSuperuser, world.store.commit_account(change, None)).await;
    }
    assert!(!world.load_account(root.id).await.another_active_superuser);
    world.account(Role::Superuser).await;
    assert!(world.load_account(root.id).await.another_active_superuser);
    world.store.commit_account(&deactivated, None).await.unwrap();
}

pub async fn a_customer_has_one_default_card(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let customer = world.customer().await;
    let default = CreditCard { is_default: true, ..credit_card(customer) };
    world.card_of(default.clone()).await;
    let second = world.card(customer).await;
    let expected = world.wallet(customer).await.version;
    for card in [CardChange::Create(default.clone()), CardChange::Update(second, default.clone())] {
        let change = WalletChange { customer_id: customer, expected, card, others: DefaultCard::Keep };
        world.assert_taken(Guarantee::DefaultCard, world.store.commit_wallet(&change, None)).await;
    }
    let other = world.customer().await;
    world.card_of(CreditCard { customer_id: other, ..default }).await;
}

pub async fn a_vin_belongs_to_one_vehicle_until_that_is_deleted(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let owner = world.customer().await;
    let first = world.vehicle_of(vehicle(owner, 1)).await;
    let second = world.vehicle_of(vehicle(owner, 2)).await;
    let create = RowChange::Create(vehicle(world.customer().await, 1));
    world.assert_taken(Guarantee::VehicleIdentity, world.store.commit_vehicle(&create, None)).await;
    let update = RowChange::Update { id: second, expected: Version::FIRST, value: vehicle(owner, 1) };
    world.assert_taken(Guarantee::VehicleIdentity, world.store.commit_vehicle(&update, None)).await;
    assert_eq!(world.store.find_vehicle(&VehicleIdentity::Vin(vin(1))).await.unwrap(), Some(first));

    let delete = RowChange::Delete { id: first, expected: Version::FIRST };
    world.store.commit_vehicle(&delete, None).await.unwrap();
    assert_eq!(world.store.find_vehicle(&VehicleIdentity::Vin(vin(1))).await.unwrap(), None);
    world.store.commit_vehicle(&update, None).await.unwrap();
    assert_eq!(world.store.find_vehicle(&VehicleIdentity::Vin(vin(1))).await.unwrap(), Some(second));
    world.vehicle_of(vehicle(owner, 2)).await;
}

pub async fn a_chassis_number_belongs_to_one_vehicle_until_that_is_deleted(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let owner = world.customer().await;
    let identity = VehicleIdentity::Chassis(chassis(1));
    let numbered = Vehicle { identity: Some(identity.clone()), ..vehicle(owner, 1) };
    let first = world.vehicle_of(numbered.clone()).await;
    let second = world.vehicle_of(vehicle(owner, 2)).await;
    let create = RowChange::Create(numbered.clone());
    world.assert_taken(Guarantee::VehicleIdentity, world.store.commit_vehicle(&create, None)).await;
    let update = RowChange::Update { id: second, expected: Version::FIRST, value: numbered };
    world.assert_taken(Guarantee::VehicleIdentity, world.store.commit_vehicle(&update, None)).await;
    assert_eq!(world.store.find_vehicle(&identity).await.unwrap(), Some(first));

    let delete = RowChange::Delete { id: first, expected: Version::FIRST };
    world.store.commit_vehicle(&delete, None).await.unwrap();
    assert_eq!(world.store.find_vehicle(&identity).await.unwrap(), None);
    world.store.commit_vehicle(&update, None).await.unwrap();
    assert_eq!(world.store.find_vehicle(&identity).await.unwrap(), Some(second));
    assert_eq!(world.store.find_vehicle(&VehicleIdentity::Vin(vin(2))).await.unwrap(), None, "it had a VIN before");
}

pub async fn vehicles_without_a_number_are_told_apart_by_their_ids(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let owner = world.customer().await;
    let unidentified = Vehicle { identity: None, ..vehicle(owner, 1) };
    let first = world.vehicle_of(unidentified.clone()).await;
    let second = world.vehicle_of(unidentified.clone()).await;
    assert_eq!(world.store.load_vehicle(first, None, base()).await.unwrap().unwrap().value.vehicle.value, unidentified);
    let update = RowChange::Update { id: second, expected: Version::FIRST, value: vehicle(owner, 1) };
    world.store.commit_vehicle(&update, None).await.unwrap();
    assert_eq!(world.store.find_vehicle(&VehicleIdentity::Vin(vin(1))).await.unwrap(), Some(second));
}

pub async fn a_vehicle_has_one_live_trade(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    let service = world.service(ServiceKind::Sell).await;
    let again = world.opening(deal.vehicle, service).await;
    world.assert_taken(Guarantee::LiveTradeOfVehicle, world.store.open_trade(&again, None)).await;
    let buyer = world.customer().await;
    world.agree(deal.trade, deal.proposal, buyer).await;
    let again = world.opening(deal.vehicle, service).await;
    world.assert_taken(Guarantee::LiveTradeOfVehicle, world.store.open_trade(&again, None)).await;
    let state = Some(TradeMove::Complete(agreement(deal.proposal, buyer), at(9)));
    world.commit(deal.trade, &TradeChanges { state, ..TradeChanges::default() }).await;
    let second = world.open(deal.vehicle, service).await;
    world.cancel(second).await;
    world.open(deal.vehicle, service).await;
}

pub async fn a_traded_vehicle_is_never_deleted(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    world.cancel(deal.trade).await;
    let expected = world.load_vehicle(deal.vehicle).await.version;
    let delete = RowChange::Delete { id: deal.vehicle, expected };
    world.assert_conflict(world.store.commit_vehicle(&delete, None)).await;
}

pub async fn a_trade_has_one_invoice(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    world.bill(deal.trade, deal.proposal, deal.owner).await;
    let invoice = NewInvoice { proposal_id: Some(deal.proposal), ..new_invoice(deal.owner) };
    let again = TradeChanges { new_invoice: Some(invoice), ..retitled("half") };
    let version = world.load(TradeKey::Trade(deal.trade)).await.version;
    let commit = world.store.commit_trade(deal.trade, version, &again, None);
    world.assert_taken(Guarantee::InvoiceOfTrade, commit).await;
}

pub async fn a_customer_has_one_pending_proposal_in_a_trade(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    let other = world.customer().await;
    world.propose(deal.trade, other).await;
    let version = world.load(TradeKey::Trade(deal.trade)).await.version;
    let mut changes = TradeChanges { text: retitled("half").text, ..proposed(proposal(deal.trade, deal.owner)) };
    let commit = world.store.commit_trade(deal.trade, version, &changes, None);
    world.assert_taken(Guarantee::PendingProposal, commit).await;
    // A new proposal is accepted if the same changes supersede the earlier one.
    changes.decided = Some((deal.proposal, ProposalState::Superseded { at: at(1) }));
    world.commit(deal.trade, &changes).await;
    let states: Vec<_> = world.proposals().await.iter().map(|proposal| proposal.state).collect();
    assert_eq!(states, [ProposalState::Pending, ProposalState::Pending, ProposalState::Superseded { at: at(1) }]);
    // A pending proposal in another trade does not matter.
    world.propose(world.trade(other).await, deal.owner).await;
}

pub async fn a_pending_proposal_that_expired_still_counts_as_pending(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let owner = world.customer().await;
    let trade = world.trade(owner).await;
    let short = Proposal { expires_at: Some(at(1)), ..proposal(trade, owner) };
    let first = world.propose_as(short).await;
    let version = world.load(TradeKey::Trade(trade)).await.version;
    let mut changes = proposed(Proposal { created_at: at(5), ..proposal(trade, owner) });
    let commit = world.store.commit_trade(trade, version, &changes, None);
    world.assert_taken(Guarantee::PendingProposal, commit).await;
    changes.decided = Some((first, ProposalState::Expired { at: at(1) }));
    world.commit(trade, &changes).await;
}

pub async fn a_trade_has_one_accepted_proposal(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    let other = world.customer().await;
    let second = world.propose(deal.trade, other).await;
    world.agree(deal.trade, deal.proposal, other).await;
    let decided = Some((second, ProposalState::Accepted { at: at(2) }));
    let changes = TradeChanges { decided, ..retitled("half") };
    let version = world.load(TradeKey::Trade(deal.trade)).await.version;
    let commit = world.store.commit_trade(deal.trade, version, &changes, None);
    world.assert_taken(Guarantee::AcceptedProposal, commit).await;
}

pub async fn the_agreed_periods_of_a_vehicle_do_not_overlap(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (owner, lessee) = (world.customer().await, world.customer().await);
    let (car, service) = (world.vehicle(owner).await, world.service(ServiceKind::Lease).await);
    let first = world.open(car, service).await;
    let dated = |trade, days| Proposal { period: Some(days), ..proposal(trade, owner) };
    let terms = world.propose_as(dated(first, period(10, 20))).await;
    world.complete(first, terms, lessee).await;

    let second = world.open(car, service).await;
    for days in [period(19, 21), period(9, 11), period(12, 13), period(1, 99), period(10, 20)] {
        let terms = world.propose_as(dated(second, days)).await;
        let version = world.load(TradeKey::Trade(second)).await.version;
        let agreement = Agreement { days: Some(days), ..agreement(terms, lessee) };
        for to in [TradeMove::Agree(agreement), TradeMove::Complete(agreement, at(10))] {
            let commit_changes = agreed(terms, to);
            let commit = world.store.commit_trade(second, version, &commit_changes, None);
            world.assert_taken(Guarantee::AgreedPeriods, commit).await;
        }
        world.decide(second, terms, ProposalState::Withdrawn { at: at(1) }).await;
    }
    // The end is not included: another period may start on that day, or end on the first day of this one.
    let terms = world.propose_as(dated(second, period(20, 30))).await;
    world.complete(second, terms, lessee).await;
    let third = world.open(car, service).await;
    let terms = world.propose_as(dated(third, period(5, 10))).await;
    world.complete(third, terms, lessee).await;
    // Another vehicle may be leased on the same days.
    let other = world.open(world.vehicle(owner).await, service).await;
    let terms = world.propose_as(dated(other, period(10, 20))).await;
    world.agree(other, terms, lessee).await;
}

pub async fn a_charge_key_belongs_to_one_payment(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (one, two) = (world.deal().await, world.deal().await);
    let first = world.bill(one.trade, one.proposal, one.owner).await;
    let second = world.bill(two.trade, two.proposal, two.owner).await;
    let card = world.card(one.owner).await;
    world.commit(one.trade, &paying(payment(first, card, one.owner, "key"))).await;
    let others_card = world.card(two.owner).await;
    let clashes = [(&one, payment(first, card, one.owner, "key")), (&two, payment(second, others_card, two.owner, "key"))];
    for (deal, payment) in clashes {
        let changes = TradeChanges { new_payment: Some(payment), ..retitled("half") };
        let version = world.load(TradeKey::Trade(deal.trade)).await.version;
        let commit = world.store.commit_trade(deal.trade, version, &changes, None);
        world.assert_taken(Guarantee::ChargeKey, commit).await;
    }
    // Keys are compared exactly, including case.
    world.commit(one.trade, &paying(payment(first, card, one.owner, "Key"))).await;
}
