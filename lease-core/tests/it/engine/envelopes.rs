//! Every commit records who acted and when, for which request, under which claim, and what happened.

use std::fmt::Debug;
use std::mem;

use lease_core::Error;
use lease_core::account::FIRST_EPOCH;
use lease_core::gateway::{CardToken, Tokenization};
use lease_core::id::Stored;
use lease_core::input::UpdateMode;
use lease_core::lifecycle::{CancellationDraft, OpeningSnapshot};
use lease_core::model::{
    Annotations, Contact, ContactOwner, Customer, Lead, LeadState, PaymentState, Profile, Role, ServiceKind,
};
use lease_core::page::Page;
use lease_core::repository::{Envelope, RequestId, TradeKey};
use lease_core::wallet::Wallet;
use serde_json::json;

use super::accounts::{PASSWORD, account_with_password, login_draft, registration};
use super::payments::card_draft;
use super::*;

const PATCH: UpdateMode = UpdateMode::Partial;

/// A command by this actor for a request, under [`CLAIM`].
fn asked_by(actor: Actor) -> RequestContext {
    claimed(actor).with_request_id(RequestId::new("request-7"))
}

/// An envelope without its events, and the names of those.
type Seen = (Envelope, Vec<&'static str>);

fn envelope(context: RequestContext, events: &[&'static str]) -> Seen {
    let RequestContext { actor, request_id, claim, .. } = context;
    (Envelope { actor, at: now(), request_id, claim, events: Vec::new() }, events.to_vec())
}

/// The envelopes of all commits since the last call.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<Seen>>>);

impl Log {
    /// A store that accepts every commit, and returns an id for everything that may be new.
    fn store(&self) -> MockRepository {
        let log = Arc::clone(&self.0);
        let ids = NewIds {
            user: Some(id(1)),
            token: Some(id(12)),
            customer: Some(id(2)),
            credit_card: Some(id(3)),
            contact: Some(id(4)),
            lead: Some(id(5)),
            vehicle: Some(id(6)),
            service: Some(id(7)),
            trade: Some(id(8)),
            proposal: Some(id(9)),
            invoice: Some(id(10)),
            payment: Some(id(11)),
            refund: Some(id(13)),
            webhook_endpoint: Some(id(14)),
            webhook_delivery: Some(id(15)),
        };
        let mut store = MockRepository::new();
        store.expect_commit().returning(move |commit| {
            let mut envelope = commit.envelope.clone();
            let events = mem::take(&mut envelope.events);
            log.lock().unwrap().push((envelope, names(&events)));
            Ok(ids)
        });
        store
    }

    /// Checks that one commit carried out the command, in this context and with this event.
    fn says<T: Debug>(&self, response: Result<T, Error>, context: impl Into<RequestContext>, events: &[&'static str]) {
        assert_eq!(code(response), "ok", "{events:?}");
        assert_eq!(self.taken(), [envelope(context.into(), events)]);
    }

    fn taken(&self) -> Vec<Seen> {
        mem::take(&mut *self.0.lock().unwrap())
    }
}

#[tokio::test]
async fn registering_and_sessions() {
    let (log, known) = (Log::default(), account_with_password().await);
    let mut store = log.store();
    store.expect_taken_names().returning(|_| Ok(Vec::new()));
    store.expect_find_login().returning(move |_| Ok(Some(known.clone())));
    store.expect_find_token().returning(|_| Ok(Some((stored(1, token(OWNER)), account(OWNER, Role::Customer)))));
    store.expect_load_account().returning(|_| {
        let mut row = account_snapshot(OWNER, Role::Customer);
        row.value.account.user.value.token_epoch = FIRST_EPOCH;
        Ok(Some(row))
    });
    store.expect_find_customer().returning(|id| {
        let behind = Customer {
            user_id: user_id(OWNER),
            profile: Profile::default(),
            created_at: now(),
            annotations: Annotations::default(),
        };
        Ok(Some(first(Stored { id, value: behind })))
    });
    let (engine, nobody, owner) = (engine(store), asked_by(Actor::Anonymous), asked_by(customer(OWNER)));
    let user = user_id(OWNER);
    log.says(engine.register(&nobody, &registration()).await, &nobody, &["user.registered", "token.created"]);
    log.says(engine.login(&nobody, &login_draft("user-1", PASSWORD)).await, &nobody, &["user.logged_in", "token.created"]);
    log.says(engine.repeat_registration(user).await, Actor::Anonymous, &["user.logged_in", "token.created"]);
    log.says(engine.logout(&owner, &stored(1, token(OWNER))).await, &owner, &["token.revoked"]);
    log.says(engine.logout_everywhere(&owner).await, &owner, &["token.revoked"]);
    let named = draft(json!({"name": "Backup"}));
    log.says(engine.create_token(&owner, token(OWNER).hash, &named).await, &owner, &["token.created"]);
    log.says(engine.revoke_token(&owner, id(1)).await, &owner, &["token.revoked"]);
}

#[tokio::test]
async fn users_and_customers() {
    let log = Log::default();
    let mut store = log.store();
    store.expect_taken_names().returning(|_| Ok(Vec::new()));
    store.expect_find_login().returning(|_| Ok(None));
    store.expect_load_account().returning(|_| Ok(Some(account_snapshot(OWNER, Role::Customer))));
    store.expect_find_customer().returning(|_| {
        let customer = Customer {
            user_id: user_id(OWNER),
            profile: Profile::default(),
            created_at: now(),
            annotations: Annotations::default(),
        };
        Ok(Some(first(stored(OWNER, customer))))
    });
    let (engine, owner, clerk) = (engine(store), asked_by(customer(OWNER)), asked_by(staff()));
    let user = user_id(OWNER);
    let eve = json!({"username": "eve", "email": "eve@example.com", "first_name": "E", "last_name": "M", "password": PASSWORD});
    log.says(engine.create_user(&clerk, &draft(eve)).await, &clerk, &["user.created"]);
    let root = engine.ensure_superuser("root", "root@example.com", PASSWORD.into()).await;
    log.says(root, Actor::System, &["user.created"]);
    let rename = draft(json!({"first_name": "Eve"}));
    log.says(engine.update_user(&owner, user, &rename, PATCH, None).await, &owner, &["user.updated"]);
    let close = draft(json!({"is_active": false, "password": PASSWORD}));
    let closed = ["user.deactivated", "token.revoked", "user.password_changed", "token.revoked"];
    log.says(engine.update_user(&clerk, user, &close, PATCH, None).await, &clerk, &closed);
    log.says(engine.deactivate_user(&clerk, user).await, &clerk, &["user.deactivated", "token.revoked"]);
    let profile = draft(json!({"job": "poet"}));
    log.says(engine.update_customer(&owner, id(OWNER), &profile).await, &owner, &["customer.updated"]);
}

#[tokio::test]
async fn cards() {
    let log = Log::default();
    let mut store = log.store();
    never_declined(&mut store);
    store.expect_load_wallet().returning(|_| {
        Ok(Some(first(Wallet {
            customer_id: id(OWNER),
            card: Some(stored(1, card(OWNER))),
            newest_other: None,
            default_other: None,
        })))
    });
    let mut gateway = a_gateway();
    gateway.expect_tokenize().returning(|_| Ok(Tokenization::Accepted(CardToken::new("tok".into()))));
    let (engine, owner) = (engine_with(store, gateway), asked_by(customer(OWNER)));
    log.says(engine.create_card(&owner, &card_draft()).await, &owner, &["credit_card.added"]);
    let rename = draft(json!({"holder_name": "Eve"}));
    log.says(engine.update_card(&owner, id(1), &rename, PATCH).await, &owner, &["credit_card.updated"]);
    log.says(engine.delete_card(&owner, id(1)).await, &owner, &["credit_card.deleted"]);
}

fn a_contact() -> Contact {
    Contact {
        owner: ContactOwner::Customer(id(OWNER)),
        label: String::new(),
        name: "Ada".into(),
        email: String::new(),
        phone: "1".into(),
        address_line1: String::new(),
        address_line2: String::new(),
        city: String::new(),
        state: String::new(),
        postal_code: String::new(),
        country: String::new(),
        created_at: now(),
    }
}

fn a_lead() -> Lead {
    Lead {
        first_name: "Grace".into(),
        last_name: String::new(),
        email: String::new(),
        phone: String::new(),
        company: String::new(),
        source: String::new(),
        state: LeadState::New,
        notes: String::new(),
        created_at: now(),
    }
}

#[tokio::test]
async fn contacts_and_leads() {
    let log = Log::default();
    let mut store = log.store();
    store.expect_find_contact().returning(|_| Ok(Some(first(stored(1, a_contact())))));
    store.expect_find_lead().returning(|_| Ok(Some(first(stored(1, a_lead())))));
    store.expect_find_customer().returning(|_| {
        let customer = Customer {
            user_id: user_id(OWNER),
            profile: Profile::default(),
            created_at: now(),
            annotations: Annotations::default(),
        };
        Ok(Some(first(stored(OWNER, customer))))
    });
    let (engine, owner, clerk) = (engine(store), asked_by(customer(OWNER)), asked_by(staff()));
    let phone = draft(json!({"phone": "2"}));
    log.says(engine.create_contact(&owner, &phone).await, &owner, &["contact.created"]);
    log.says(engine.update_contact(&owner, id(1), &phone, PATCH).await, &owner, &["contact.updated"]);
    log.says(engine.delete_contact(&owner, id(1)).await, &owner, &["contact.deleted"]);
    let phone = draft(json!({"phone": "2"}));
    log.says(engine.create_lead(&clerk, &phone).await, &clerk, &["lead.created"]);
    log.says(engine.update_lead(&clerk, id(1), &phone, PATCH).await, &clerk, &["lead.updated"]);
    log.says(engine.delete_lead(&clerk, id(1)).await, &clerk, &["lead.deleted"]);
    log.says(engine.convert_lead(&clerk, id(1), &draft(json!({"customer_id": OWNER}))).await, &clerk, &["lead.converted"]);
}

#[tokio::test]
async fn vehicles_and_services() {
    let log = Log::default();
    let mut store = log.store();
    store.expect_find_vehicle().returning(|_| Ok(None));
    store.expect_load_vehicle().returning(|_, _, _| Ok(Some(vehicle_snapshot())));
    store.expect_find_service().returning(|_| Ok(Some(stored_service(ServiceKind::Lease))));
    store.expect_list_services().returning(|_, _| Ok(Page { items: Vec::new(), next: None, previous: None }));
    let (engine, owner, clerk) = (engine(store), asked_by(customer(OWNER)), asked_by(staff()));
    log.says(engine.create_vehicle(&owner, &a_vehicle()).await, &owner, &["vehicle.created"]);
    let blue = draft(json!({"color": "blue"}));
    log.says(engine.update_vehicle(&owner, id(1), &blue, PATCH).await, &owner, &["vehicle.updated"]);
    log.says(engine.delete_vehicle(&owner, id(1)).await, &owner, &["vehicle.deleted"]);
    let standard = engine.ensure_standard_services(usd("49"), usd("199")).await;
    log.says(standard, Actor::System, &["service.created", "service.created"]);
    let new = draft(json!({"name": "Rent", "kind": "lease", "amount": "49.00", "currency": "USD"}));
    log.says(engine.create_service(&clerk, &new).await, &clerk, &["service.created"]);
    let rename = draft(json!({"name": "Let"}));
    log.says(engine.update_service(&clerk, id(1), &rename, PATCH).await, &clerk, &["service.updated"]);
    log.says(engine.deactivate_service(&clerk, id(1)).await, &clerk, &["service.deactivated"]);
}

/// A store with a sale in which [`BUYER`] made a proposal and [`OWNER`] was billed. Asked for a payment, it returns a pending
/// one.
fn trading(log: &Log) -> MockRepository {
    let mut store = log.store();
    store.expect_load_opening().returning(|_, _, _, _| {
        Ok(OpeningSnapshot { vehicle: Some(vehicle_snapshot()), service: Some(stored_service(ServiceKind::Sell)) })
    });
    store.expect_load_trade().returning(|load| {
        let billed = Scene::sale().proposed_by(BUYER).billed_to(OWNER).with_card(card(OWNER));
        let scene = match load.key {
            TradeKey::Payment(_) => billed.paid_and_pending("0", "100").with_payment("100", PaymentState::Pending),
            _ => billed,
        };
        Ok(Some(first(scene.0)))
    });
    store
}

#[tokio::test]
async fn trades_and_proposals() {
    let log = Log::default();
    let (engine, owner, buyer) = (engine(trading(&log)), asked_by(customer(OWNER)), asked_by(customer(BUYER)));
    let offer = draft(json!({"vehicle_id": 1, "service_id": 1}));
    log.says(engine.open_trade(&owner, &offer).await, &owner, &["trade.opened"]);
    log.says(engine.amend_trade(&owner, id(1), &draft(json!({"title": "New"}))).await, &owner, &["trade.amended"]);
    log.says(engine.cancel_trade(&owner, id(1), &CancellationDraft::default()).await, &owner, &["trade.cancelled"]);
    let terms = draft(json!({"trade_id": 1, "amount": 300}));
    log.says(engine.propose(&owner, id(1), &terms).await, &owner, &["proposal.made"]);
    log.says(engine.create_proposal(&buyer, &terms).await, &buyer, &["proposal.made"]);
    let accepted = ["proposal.accepted", "trade.agreed"];
    log.says(engine.accept_proposal(&owner, id(1)).await, &owner, &accepted);
    log.says(engine.reject_proposal(&owner, id(1)).await, &owner, &["proposal.rejected"]);
    log.says(engine.withdraw_proposal(&buyer, id(1)).await, &buyer, &["proposal.withdrawn"]);
}

/// An agreed trade is cancelled together with its accepted proposal, which is loaded with it (rule 4.6).
#[tokio::test]
async fn agreed_trades() {
    let log = Log::default();
    let mut store = log.store();
    store.expect_load_trade().returning(|load| {
        let agreed = Scene::lease().agreed().with_days(period(1, 9));
        let scene = match load.key {
            TradeKey::Proposal(_) => agreed.proposed_by(BUYER),
            _ => agreed,
        };
        Ok(Some(first(scene.0)))
    });
    let (engine, clerk) = (engine(store), asked_by(staff()));
    let why = draft(json!({"reason": "Never paid"}));
    log.says(engine.cancel_trade(&clerk, id(1), &why).await, &clerk, &["trade.cancelled", "proposal.rescinded"]);
    let end = draft(json!({"end_date": "2026-03-04", "reason": "Returned"}));
    log.says(engine.end_trade(&clerk, id(1), &end).await, &clerk, &["trade.ended"]);
}

/// The customer begins a payment, under their claim; the gateway reports its outcome, in the same
/// request where there is one.
#[tokio::test]
async fn invoices_and_payments() {
    let log = Log::default();
    let mut store = trading(&log);
    lists_pending(&mut store);
    never_declined(&mut store);
    let mut gateway = a_gateway();
    gateway.expect_charge().returning(|_| Ok(charged()));
    gateway.expect_find_charge().returning(|_| Ok(Some(charged())));
    let (engine, owner, clerk) = (engine_with(store, gateway), asked_by(customer(OWNER)), asked_by(staff()));
    let why = draft(json!({"reason": "a mistake"}));
    log.says(engine.void_invoice(&clerk, id(1), &why).await, &clerk, &["invoice.voided"]);
    let hopeless = draft(json!({"reason": "hopeless"}));
    log.says(engine.write_off_invoice(&clerk, id(1), &hopeless).await, &clerk, &["invoice.written_off"]);
    let later = draft(json!({"due_date": "2026-04-01"}));
    log.says(engine.move_due_date(&clerk, id(1), &later).await, &clerk, &["invoice.updated"]);

    let gateway = || RequestContext::new(Actor::Gateway);
    let asked = || gateway().with_request_id(RequestId::new("request-7"));
    let paid = |context| envelope(context, &["payment.succeeded", "invoice.paid"]);
    let begun = envelope(owner.clone(), &["payment.begun"]);
    let all = draft(json!({"invoice_id": 1, "credit_card_id": 1}));
    assert_eq!(code(engine.pay_invoice(&owner, id(1), &all).await), "ok");
    assert_eq!(log.taken(), [begun.clone(), paid(asked())]);
    assert_eq!(code(engine.create_payment(&owner, &all).await), "ok");
    assert_eq!(log.taken(), [begun, paid(asked())]);
    assert_eq!(engine.settle_pending(chrono::Duration::zero(), 10).await.unwrap(), 1);
    assert_eq!(log.taken(), [paid(gateway())]);
}
