//! Every commit checks its actor again: a user who was deactivated, or has another role or customer, can no longer act.
//!
//! Rules 2.1 and 3.5.

use std::sync::Arc;

use super::Handles;
use super::build::*;
use super::commits::{Commits as _, a_fact};
use super::processes::{Processes, ROUNDS, count};
use super::world::World;
use crate::account::{AccountChange, CustomerChange, Login, TokenRevocation, UserDraft};
use crate::catalog::VehicleChange;
use crate::catalog::{FirstServices, VehicleDraft};
use crate::decision::RowChange;
use crate::directory::{ContactsOfLead, LeadChange};
use crate::id::{CustomerId, UserId, Version};
use crate::input::UpdateMode;
use crate::lifecycle::TradeChange;
use crate::model::{Account, Annotations, Contact, ContactOwner, Customer, MailRecipient, Profile, Role, ServiceKind, User};
use crate::permission::Actor;
use crate::repository::{Change, Commit, Envelope, Guarantee, Repository, TradeKey, VehicleFilter};
use crate::wallet::{CardChange, DefaultCard, RefusedCard, WalletChange};
use crate::webhook::{DeliveryChange, Start, WebhookEndpointChange};

/// A commit of this change by this actor.
fn by(actor: Actor, change: impl Into<Change>) -> Commit {
    Commit::new(Envelope { events: vec![a_fact()], ..Envelope::new(actor, base()) }, change)
}

/// One change for each variant of [`Change`] except the creation of the first services.
pub(super) async fn changes(world: &World) -> Vec<Change> {
    let deal = world.deal().await;
    let account = world.account(Role::Customer).await;
    let (id, owner) = (account.user.id, account.customer_id.unwrap());
    let car = world.vehicle(owner).await;
    let opening = world.opening(car, world.service(ServiceKind::Sell).await).await;
    let profile = Customer { user_id: id, profile: Profile::default(), created_at: base(), annotations: Annotations::default() };
    let entry: Contact = contact(ContactOwner::Customer(owner));
    let holder = world.customer().await;
    let card = CardChange::Create(credit_card(holder));
    let expected = world.load(TradeKey::Trade(deal.trade)).await.version;
    let listener = world.endpoint(endpoint()).await;
    let tested = world.test(listener, base()).await;
    vec![
        new_user(user(world.number(), Role::Customer)).into(),
        update(&account, |user| user.first_name = "New".into()).into(),
        Login::new(token(id, 1), at(1)).into(),
        TokenRevocation { user_id: id, token: token_hash(9) }.into(),
        token(id, 2).into(),
        RowChange::Update { id: owner, expected: Version::FIRST, value: profile }.into(),
        WalletChange { customer_id: holder, expected: Version::FIRST, card, others: DefaultCard::Keep }.into(),
        RefusedCard { customer_id: holder, at: at(1) }.into(),
        RowChange::Create(entry).into(),
        LeadChange { lead: RowChange::Create(lead()), contacts: ContactsOfLead::Keep }.into(),
        VehicleChange::from(RowChange::Create(vehicle(owner, world.number() + 900))).into(),
        RowChange::Create(service(ServiceKind::Sell)).into(),
        opening.into(),
        TradeChange { id: deal.trade, expected, changes: retitled("new") }.into(),
        WebhookEndpointChange { endpoint: RowChange::Create(endpoint()), start: Some(Start { after: None }) }.into(),
        DeliveryChange::Create(delivery(listener)).into(),
        DeliveryChange::Retry { id: tested, at: at(1) }.into(),
        mail(MailRecipient::User(id)).into(),
    ]
}

/// A change to a user who was never changed before.
fn update(account: &Account, change: impl FnOnce(&mut User)) -> AccountChange {
    let mut user = account.user.value.clone();
    change(&mut user);
    AccountChange {
        id: account.user.id,
        expected: Version::FIRST,
        user,
        customer: CustomerChange::Keep,
        keep_token: None,
        needs_another_superuser: false,
    }
}

pub async fn every_commit_checks_its_actor(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let customer = world.account(Role::Customer).await;
    let (id, own) = (customer.user.id, customer.customer_id.unwrap());
    let other = world.customer().await;
    let (staff, superuser) = (world.account(Role::Staff).await.user.id, world.account(Role::Superuser).await.user.id);
    let inactive = world.register(User { is_active: false, ..user(world.number(), Role::Staff) }).await.user.id;
    let nobody: UserId = nobody();
    let wrong = [
        Actor::Customer { user: id, customer: other },
        Actor::Customer { user: nobody, customer: own },
        Actor::Customer { user: staff, customer: own },
        Actor::Unverified { user: id, customer: other },
        Actor::Unverified { user: nobody, customer: own },
        Actor::Unverified { user: staff, customer: own },
        Actor::Staff { user: id },
        Actor::Staff { user: inactive },
        Actor::Staff { user: superuser },
        Actor::Staff { user: nobody },
        Actor::Superuser { user: staff },
    ];
    for change in changes(&world).await {
        for actor in wrong {
            world.assert_taken(Guarantee::Actor, world.store.commit(&by(actor, change.clone()))).await;
        }
    }
    assert_eq!(world.mails_due(at(1)).await, []);
}

pub async fn an_unchanged_actor_may_act(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let services = FirstServices(vec![service(ServiceKind::Lease)]);
    let superuser = world.account(Role::Superuser).await;
    let unverified = world.account(Role::Customer).await;
    world.store.commit(&by(Actor::of(&superuser), services)).await.unwrap();
    let actors = [
        Actor::of(&world.account(Role::Customer).await),
        Actor::Unverified { user: unverified.user.id, customer: unverified.customer_id.unwrap() },
        Actor::of(&world.account(Role::Staff).await),
        Actor::of(&superuser),
        Actor::Anonymous,
        Actor::System,
        Actor::Gateway,
    ];
    for actor in actors {
        for change in changes(&world).await {
            // Each round creates the same tokens, so those of the previous round are deleted first.
            for number in [1, 2] {
                world.store.delete_token(&token_hash(number), None).await.unwrap();
            }
            let written = world.store.commit(&by(actor, change.clone())).await;
            assert!(written.is_ok(), "{actor:?}: {change:?}: {written:?}");
        }
    }
}

/// A user who has logged in again or changed their name can still act.
pub async fn an_actor_whose_other_data_changed_may_act(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let account = world.account(Role::Customer).await;
    let actor = Actor::of(&account);
    world.store.commit_login(&Login::new(token(account.user.id, 1), at(1)), None).await.unwrap();
    let renamed = update(&account, |user| {
        user.first_name = "New".into();
        user.token_epoch += 1;
    });
    world.store.commit_account(&renamed, None).await.unwrap();
    let vehicle = VehicleChange::from(RowChange::Create(vehicle(account.customer_id.unwrap(), 900)));
    world.store.commit(&by(actor, vehicle)).await.unwrap();
}

/// Once the deactivation of a user is acknowledged, no act of that user is acknowledged any more.
pub async fn a_command_races_with_the_deactivation_of_its_actor(handles: Handles) {
    let world = World::new(handles);
    for round in 0..*ROUNDS {
        let account = world.account(Role::Customer).await;
        let owner: CustomerId = account.customer_id.unwrap();
        let new = RowChange::Create(vehicle(owner, u32::try_from(round).unwrap() + 5_000));
        let new = by(Actor::of(&account), VehicleChange::from(new));
        let deactivate = update(&account, |user| user.is_active = false);
        let (acts, deactivates) = (world.handle(), world.handle());
        let acts = tokio::spawn(async move { acts.commit(&new).await });
        let off = tokio::spawn(async move {
            deactivates.commit_account(&deactivate, None).await.unwrap();
            let filter = VehicleFilter { customer_id: Some(owner), ..VehicleFilter::default() };
            deactivates.list_vehicles(&filter, crate::page::PageRequest::default()).await.unwrap().items.len()
        });
        let (acted, there) = (acts.await.unwrap(), off.await.unwrap());
        match acted {
            Ok(_) => assert_eq!(there, 1, "it was there when the deactivation was acknowledged"),
            Err(crate::repository::RepositoryError::Taken(Guarantee::Actor)) => assert_eq!(there, 0),
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// A customer creates a vehicle while being made administrative: one of the two wins, and the other is refused with the reason.
pub async fn creating_a_vehicle_and_becoming_administrative_exclude_each_other(handles: Handles) {
    let processes = Processes::start(handles);
    let root = processes.actor(Role::Superuser).await;
    for round in 0..*ROUNDS {
        let account = processes.world.account(Role::Customer).await;
        let (id, actor) = (account.user.id, Actor::of(&account));
        let draft = VehicleDraft {
            vin: vin(u32::try_from(round).unwrap() + 7_000).as_str().to_owned().into(),
            make: "Skoda".to_owned().into(),
            model: "Octavia".to_owned().into(),
            year: 2020.into(),
            ..VehicleDraft::default()
        };
        let promotion = UserDraft { is_staff: true.into(), ..UserDraft::default() };
        let acts = vec![
            processes.act(|engine| async move { engine.create_vehicle(&actor, &draft).await }),
            processes.act(|engine| async move { engine.update_user(&root, id, &promotion, UpdateMode::Partial, None).await }),
        ];
        let told = count(acts).await;
        let vehicle_first = [("ok", 1), ("customer_in_use", 1)].into();
        let promotion_first = [("ok", 1), ("permission_denied", 1)].into();
        assert!(told == vehicle_first || told == promotion_first, "{told:?}");
    }
}

/// Two superusers demote each other at the same time: one of them is no longer a superuser when their commit is checked.
pub async fn of_two_superusers_who_demote_each_other_one_is_refused(handles: Handles) {
    let processes = Processes::start(handles);
    // A third superuser, so that neither of them is ever the last.
    processes.actor(Role::Superuser).await;
    for _ in 0..*ROUNDS {
        let (one, other) = (processes.actor(Role::Superuser).await, processes.actor(Role::Superuser).await);
        let demote = |actor: Actor, target: Actor| {
            let draft = UserDraft { is_staff: true.into(), is_superuser: false.into(), ..UserDraft::default() };
            let id = target.user().unwrap();
            processes.act(|engine| async move { engine.update_user(&actor, id, &draft, UpdateMode::Partial, None).await })
        };
        let told = count(vec![demote(one, other), demote(other, one)]).await;
        assert_eq!(told, [("ok", 1), ("permission_denied", 1)].into(), "a commit checks the actor of its envelope");
    }
}
