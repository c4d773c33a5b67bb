//! Races for a vehicle, an invoice, a name and a lead, at two processes.
//!
//! Rules 3.7, 4.1, 4.10, 5.2 and 6.4.

use super::Handles;
use super::build::*;
use super::processes::{Processes, ROUNDS, count, customer, offer_of, terms};
use crate::account::RegistrationDraft;
use crate::directory::ConversionDraft;
use crate::id::{ProposalId, ServiceId, VehicleId};
use crate::lifecycle::CancellationDraft;
use crate::model::{ContactOwner, ProposalState, Role, Service, ServiceKind};
use crate::permission::Actor;
use crate::repository::{ContactFilter, CustomerFilter, LeadFilter, UserFilter};
use crate::{Error, LeaseEngine, Refusal};

pub async fn of_many_trades_opened_for_a_vehicle_one_is_open(handles: Handles) {
    const OFFERS: usize = 6;
    let processes = Processes::start(handles);
    let owner = processes.actor(Role::Customer).await;
    let services = [processes.world.service(ServiceKind::Lease).await, processes.world.service(ServiceKind::Sell).await];
    for _ in 0..*ROUNDS {
        let vehicle = processes.vehicle(&owner).await;
        let offers = (0..OFFERS).map(|racer| {
            let draft = offer_of(vehicle, services[racer % 2]);
            processes.act(|engine| async move { engine.open_trade(&owner, &draft).await })
        });
        assert_eq!(count(offers.collect()).await, [("ok", 1), ("vehicle_in_trade", OFFERS - 1)].into());
    }
    assert_eq!(processes.books().await.trades.len(), *ROUNDS);
}

/// Each proposal supersedes the one before it, and only one invoice is issued.
pub async fn many_first_proposals_bring_one_invoice(handles: Handles) {
    const PROPOSALS: usize = 8;
    let processes = Processes::start(handles);
    let lease = processes.world.service(ServiceKind::Lease).await;
    let owner = processes.actor(Role::Customer).await;
    for _ in 0..*ROUNDS {
        let draft = offer_of(processes.vehicle(&owner).await, lease);
        let trade = processes.engine().open_trade(&owner, &draft).await.unwrap().stored.id;
        let propose = || processes.act(|engine| async move { engine.propose(&owner, trade, &terms(ServiceKind::Lease)).await });
        assert_eq!(count((0..PROPOSALS).map(|_| propose()).collect()).await, [("ok", PROPOSALS)].into());
    }
    let books = processes.books().await;
    let pending = books.proposals.iter().filter(|proposal| proposal.state == ProposalState::Pending).count();
    assert_eq!((books.invoices.len(), pending, books.proposals.len()), (*ROUNDS, *ROUNDS, *ROUNDS * PROPOSALS));
}

/// Many customers make proposals in one trade at once: all succeed, however often the trade changes in the meantime.
pub async fn all_of_many_concurrent_proposals_are_made(handles: Handles) {
    const BIDDERS: usize = 100;
    let processes = Processes::start(handles);
    let sell = processes.world.service(ServiceKind::Sell).await;
    let owner = processes.actor(Role::Customer).await;
    let trade = processes.offer(&owner, sell).await.trade;
    let bidders = processes
        .customers(BIDDERS)
        .await
        .into_iter()
        .map(|bidder| processes.act(|engine| async move { engine.propose(&bidder, trade, &terms(ServiceKind::Sell)).await }));
    assert_eq!(count(bidders.collect()).await, [("ok", BIDDERS)].into());
    assert_eq!(processes.books().await.proposals.len(), 1 + BIDDERS);
}

/// Several leases of one vehicle for the same days, each opened as soon as the vehicle is free: one of them is agreed.
pub async fn one_of_many_leases_of_the_same_days_is_agreed(handles: Handles) {
    const LEASES: usize = 3;
    let processes = Processes::start(handles);
    // Without a fee, a trade completes as soon as it is agreed, and the vehicle is free for the next trade.
    let free = processes.world.service_of(Service { fee: usd("0"), ..service(ServiceKind::Lease) }).await;
    let (owner, lessee) = (processes.actor(Role::Customer).await, processes.actor(Role::Customer).await);
    for _ in 0..*ROUNDS {
        let vehicle = processes.vehicle(&owner).await;
        let leases = (0..LEASES).map(|_| processes.act(|engine| lease(engine, owner, lessee, vehicle, free)));
        assert_eq!(count(leases.collect()).await, [("ok", 1), ("vehicle_not_available", LEASES - 1)].into());
    }
    let books = processes.books().await;
    assert_eq!(books.trades.iter().filter(|trade| trade.agreement().is_some()).count(), *ROUNDS);
}

/// Offers the vehicle once it is free, and cancels the trade if the acceptance is refused.
async fn lease(engine: LeaseEngine, owner: Actor, lessee: Actor, vehicle: VehicleId, service: ServiceId) -> Result<(), Error> {
    let trade = loop {
        match engine.open_trade(&owner, &offer_of(vehicle, service)).await {
            Err(Error::Refused(Refusal::VehicleInTrade)) => tokio::task::yield_now().await,
            opened => break opened?.stored.id,
        }
    };
    let proposal: ProposalId = engine.propose(&owner, trade, &terms(ServiceKind::Lease)).await?.stored.id;
    let accepted = engine.accept_proposal(&lessee, proposal).await;
    if accepted.is_err() {
        engine.cancel_trade(&owner, trade, &CancellationDraft::default()).await?;
    }
    accepted.map(drop)
}

/// They share either the user name or the e-mail address.
pub async fn one_of_many_registers_a_name(handles: Handles) {
    const PEOPLE: usize = 6;
    let processes = Processes::start(handles);
    for round in 0..*ROUNDS {
        let shared = format!("wanted-{round}@example.com");
        let people = (0..PEOPLE).map(|person| {
            let own = format!("person-{round}-{person}");
            let (username, email) = match person % 2 {
                0 => (shared.clone(), format!("{own}@example.com")),
                _ => (own, shared.clone()),
            };
            let draft = RegistrationDraft {
                username: username.into(),
                email: email.into(),
                password: "violet-harbor-93".into(),
                password2: "violet-harbor-93".into(),
                first_name: "Ada".into(),
                last_name: "Byron".into(),
                ..RegistrationDraft::default()
            };
            processes.act(|engine| async move { engine.register(Actor::Anonymous, &draft).await })
        });
        assert_eq!(count(people.collect()).await, [("ok", 1), ("validation_error", PEOPLE - 1)].into());
    }
    assert_eq!(processes.world.list_users(&UserFilter::default()).await.len(), *ROUNDS);
    assert_eq!(processes.world.list_customers(&CustomerFilter::default()).await.len(), *ROUNDS);
}

/// Servers that start at the same time each ensure the superuser in their settings: one creates it, and all others find it.
pub async fn one_of_many_makes_the_superuser(handles: Handles) {
    const SERVERS: usize = 6;
    /// The number of servers is small, since each of them hashes a password at full cost.
    const STARTS: usize = 20;
    let processes = Processes::start(handles);
    for round in 0..STARTS {
        let name = format!("root-{round}");
        let email = format!("{name}@example.com");
        let servers = (0..SERVERS).map(|_| {
            let (name, email) = (name.clone(), email.clone());
            processes.act(|engine| async move {
                let (found, is_made) = engine.ensure_superuser(&name, &email, "violet-harbor-93".into()).await?;
                assert_eq!(found.user.username.as_str(), name);
                // A superuser that already exists counts as a refusal.
                if is_made { Ok(()) } else { Err(Error::NotFound) }
            })
        });
        assert_eq!(count(servers.collect()).await, [("ok", 1), ("not_found", SERVERS - 1)].into());
    }
    assert_eq!(processes.world.list_users(&UserFilter::default()).await.len(), STARTS);
}

/// Rule 7.2: servers that start at the same time with different superusers in their settings make one of them.
pub async fn one_of_many_servers_makes_the_first_superuser(handles: Handles) {
    const SERVERS: usize = 6;
    let processes = Processes::start(handles);
    let servers = (0..SERVERS).map(|server| {
        processes.act(move |engine| async move {
            let (name, email) = (format!("root-{server}"), format!("root-{server}@example.com"));
            let made = engine.ensure_first_superuser(&name, &email, "violet-harbor-93".into()).await?;
            made.map(drop).ok_or(Error::NotFound)
        })
    });
    assert_eq!(count(servers.collect()).await, [("ok", 1), ("not_found", SERVERS - 1)].into());
    assert_eq!(processes.world.list_users(&UserFilter::default()).await.len(), 1);
}

/// The lead is converted to one customer, who gets all of its contacts.
pub async fn one_of_many_converts_a_lead(handles: Handles) {
    const CONVERSIONS: usize = 6;
    const CONTACTS: usize = 2;
    let processes = Processes::start(handles);
    let staff = processes.actor(Role::Staff).await;
    let customers = processes.customers(CONVERSIONS).await;
    for _ in 0..*ROUNDS {
        let id = processes.world.lead(lead()).await;
        for _ in 0..CONTACTS {
            processes.world.contact(ContactOwner::Lead(id)).await;
        }
        let convert = |actor: &Actor| {
            let draft = ConversionDraft { customer_id: customer(actor).into() };
            processes.act(|engine| async move { engine.convert_lead(&staff, id, &draft).await })
        };
        let counts = count(customers.iter().map(convert).collect()).await;
        assert_eq!(counts, [("ok", 1), ("lead_converted", CONVERSIONS - 1)].into());
    }
    let mut leads = 0;
    for customer_id in customers.iter().map(|actor| Some(customer(actor))) {
        let won = processes.world.list_leads(&LeadFilter { customer_id, ..LeadFilter::default() }).await.len();
        let contacts = processes.world.list_contacts(&ContactFilter { customer_id, ..ContactFilter::default() }).await.len();
        assert_eq!(contacts, won * CONTACTS, "contacts move with their lead");
        leads += won;
    }
    assert_eq!(leads, *ROUNDS);
}
