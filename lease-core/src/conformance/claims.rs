//! Idempotency records: who may claim a key, and how long a record is kept.

use std::sync::Arc;

use super::build::*;
use super::commits::Commits as _;
use super::world::{World, agreed, agreement};
use crate::account::{AccountChange, CustomerChange, Login};
use crate::decision::RowChange;
use crate::directory::{ContactsOfLead, LeadChange};
use crate::id::Version;
use crate::lifecycle::{TradeChanges, TradeMove};
use crate::model::*;
use crate::repository::*;
use crate::wallet::{CardChange, DefaultCard, RefusedCard, WalletChange};
use crate::webhook::{DeliveryChange, Start, WebhookEndpointChange};

const HELD_BY_ONE: ClaimState = ClaimState::Held { fingerprint: [1; 32] };

/// Claims key 0 for the first holder.
async fn claimed(store: Arc<dyn Repository>) -> World {
    assert_eq!(store.claim(&new_claim(0, 1), base()).await.unwrap(), ClaimState::Claimed);
    World::new(store)
}

impl World {
    /// The state that another holder finds for key 0 while a claim on it would still be held.
    async fn found(&self) -> ClaimState {
        self.store.claim(&new_claim(0, 9), at(1)).await.expect("claim")
    }

    /// Commits a lead under the first holder's claim of key 0.
    async fn act(&self) -> Result<crate::id::LeadId, RepositoryError> {
        let change = LeadChange { lead: RowChange::Create(lead()), contacts: ContactsOfLead::Keep };
        self.store.commit_lead(&change, Some(claim(0, 1))).await
    }
}

pub async fn a_key_is_claimed_by_one(store: Arc<dyn Repository>) {
    let world = claimed(store).await;
    assert_eq!(world.found().await, HELD_BY_ONE);
    // Asking changes nothing, and the holder gets the same result when it asks again.
    assert_eq!(world.found().await, HELD_BY_ONE);
    assert_eq!(world.store.claim(&new_claim(0, 1), at(2)).await.unwrap(), ClaimState::Claimed);
    assert_eq!(world.found().await, HELD_BY_ONE);
    assert_eq!(world.store.claim(&new_claim(1, 2), at(1)).await.unwrap(), ClaimState::Claimed);
}

pub async fn a_claim_without_effect_expires(store: Arc<dyn Repository>) {
    let world = claimed(store).await;
    let taker = NewClaim { held_until: at(120), ..new_claim(0, 2) };
    assert_eq!(world.store.claim(&taker, at(60) - tick()).await.unwrap(), HELD_BY_ONE);
    assert_eq!(world.store.claim(&taker, at(60)).await.unwrap(), ClaimState::Claimed);
    let held = ClaimState::Held { fingerprint: [2; 32] };
    assert_eq!(world.store.claim(&new_claim(0, 3), at(119)).await.unwrap(), held);
}

pub async fn a_claim_that_is_renewed_expires_later(store: Arc<dyn Repository>) {
    let world = claimed(store).await;
    let taker = NewClaim { held_until: at(120), ..new_claim(0, 2) };
    world.store.renew_claim(&claim(0, 1), at(70), at(86_400)).await.unwrap();
    assert_eq!(world.store.claim(&taker, at(70) - tick()).await.unwrap(), HELD_BY_ONE);
    // Nobody took it over when it ran out, so it can still be renewed.
    world.store.renew_claim(&claim(0, 1), at(90), at(86_400)).await.unwrap();
    assert_eq!(world.store.claim(&taker, at(90) - tick()).await.unwrap(), HELD_BY_ONE);
    assert_eq!(world.store.claim(&taker, at(90)).await.unwrap(), ClaimState::Claimed);
}

pub async fn the_record_of_a_claim_that_is_renewed_is_kept_longer(store: Arc<dyn Repository>) {
    let world = claimed(store).await;
    world.store.renew_claim(&claim(0, 1), at(200_060), at(300_000)).await.unwrap();
    assert_eq!(world.store.purge_claims(at(200_000), 10).await.unwrap(), 0);
    assert_eq!(world.store.claim(&new_claim(0, 9), at(200_000)).await.unwrap(), HELD_BY_ONE);
    world.store.save_response(&claim(0, 1), &SavedResponse(vec![1])).await.unwrap();
    assert_eq!(world.store.purge_claims(at(300_000), 10).await.unwrap(), 0);
    assert_eq!(world.store.purge_claims(at(300_000) + tick(), 10).await.unwrap(), 1);
}

pub async fn a_done_claim_can_be_renewed(store: Arc<dyn Repository>) {
    let world = claimed(store).await;
    let id = world.act().await.unwrap();
    world.store.renew_claim(&claim(0, 1), at(90), at(86_400)).await.unwrap();
    assert_eq!(world.found().await, ClaimState::Done { fingerprint: [1; 32], made: Some(id.get()), held_until: at(90) });
    world.assert_taken(Guarantee::Claim, world.act()).await;
}

pub async fn a_claim_that_is_not_there_cannot_be_renewed(store: Arc<dyn Repository>) {
    let world = claimed(store).await;
    world.store.release_claim(&claim(0, 1)).await.unwrap();
    for key in [0, 1] {
        world.assert_taken(Guarantee::Claim, world.store.renew_claim(&claim(key, 1), at(90), at(86_400))).await;
        assert_eq!(world.store.claim(&new_claim(key, 2), at(1)).await.unwrap(), ClaimState::Claimed);
    }
}

pub async fn a_claim_that_was_taken_over_can_do_nothing(store: Arc<dyn Repository>) {
    let world = claimed(store).await;
    let taker = NewClaim { held_until: at(120), ..new_claim(0, 2) };
    assert_eq!(world.store.claim(&taker, at(60)).await.unwrap(), ClaimState::Claimed);
    world.assert_taken(Guarantee::Claim, world.act()).await;
    // Neither its response nor its renewal nor its release affects the claim of the other holder.
    world.assert_taken(Guarantee::Claim, world.store.save_response(&claim(0, 1), &SavedResponse(vec![1]))).await;
    world.assert_taken(Guarantee::Claim, world.store.renew_claim(&claim(0, 1), at(99), at(86_400))).await;
    world.store.release_claim(&claim(0, 1)).await.unwrap();
    assert_eq!(world.store.claim(&new_claim(0, 3), at(100)).await.unwrap(), ClaimState::Held { fingerprint: [2; 32] });
}

pub async fn a_claim_that_nobody_took_over_still_commits(store: Arc<dyn Repository>) {
    let world = claimed(store).await;
    let id = world.act().await.unwrap();
    let done = ClaimState::Done { fingerprint: [1; 32], made: Some(id.get()), held_until: at(60) };
    assert_eq!(world.store.claim(&new_claim(0, 2), at(60)).await.unwrap(), done, "a claim that is done cannot be taken over");
}

pub async fn a_commit_under_a_claim_that_was_never_made_is_refused(store: Arc<dyn Repository>) {
    let world = World::new(store);
    world.assert_taken(Guarantee::Claim, world.act()).await;
    assert_eq!(world.found().await, ClaimState::Claimed);
}

pub async fn one_claim_commits_once(store: Arc<dyn Repository>) {
    let world = claimed(store).await;
    world.act().await.unwrap();
    world.assert_taken(Guarantee::Claim, world.act()).await;
}

pub async fn a_refused_commit_leaves_the_claim_held(store: Arc<dyn Repository>) {
    let world = claimed(store).await;
    let owner = world.customer().await;
    world.vehicle_of(vehicle(owner, 50)).await;
    let create = RowChange::Create(vehicle(owner, 50));
    let commit = world.store.commit_vehicle(&create, Some(claim(0, 1)));
    world.assert_taken(Guarantee::VehicleIdentity, commit).await;
    assert_eq!(world.found().await, HELD_BY_ONE);
    world.act().await.unwrap();
}

pub async fn a_released_key_is_free(store: Arc<dyn Repository>) {
    let world = claimed(store).await;
    world.store.release_claim(&claim(0, 7)).await.unwrap();
    assert_eq!(world.found().await, HELD_BY_ONE, "another cannot release it");
    world.store.release_claim(&claim(0, 1)).await.unwrap();
    world.store.release_claim(&claim(0, 1)).await.unwrap();
    world.assert_taken(Guarantee::Claim, world.act()).await;
    assert_eq!(world.found().await, ClaimState::Claimed);
}

pub async fn a_claim_with_an_effect_is_not_released(store: Arc<dyn Repository>) {
    let world = claimed(store).await;
    let id = world.act().await.unwrap();
    world.store.release_claim(&claim(0, 1)).await.unwrap();
    assert_eq!(world.found().await, ClaimState::Done { fingerprint: [1; 32], made: Some(id.get()), held_until: at(60) });
}

pub async fn a_response_is_kept_until_the_record_expires(store: Arc<dyn Repository>) {
    let world = claimed(store).await;
    world.act().await.unwrap();
    let response = SavedResponse(vec![0, 255, 7]);
    world.store.save_response(&claim(0, 1), &response).await.unwrap();
    let answered = ClaimState::Answered { fingerprint: [1; 32], response };
    assert_eq!(world.found().await, answered);
    world.store.release_claim(&claim(0, 1)).await.unwrap();
    let late = NewClaim { held_until: at(90_000), expires_at: at(190_000), ..new_claim(0, 2) };
    assert_eq!(world.store.claim(&late, at(86_400) - tick()).await.unwrap(), answered);
    assert_eq!(world.store.claim(&late, at(86_400)).await.unwrap(), ClaimState::Claimed);
    let held = ClaimState::Held { fingerprint: [2; 32] };
    assert_eq!(world.store.claim(&new_claim(0, 3), at(86_401)).await.unwrap(), held, "nothing of the old record is left");
}

/// A refusal is a response too: nothing was done, but the key is used up all the same.
pub async fn a_response_may_be_saved_without_an_effect(store: Arc<dyn Repository>) {
    let world = claimed(store).await;
    let response = SavedResponse(vec![]);
    world.store.save_response(&claim(0, 1), &response).await.unwrap();
    let answered = ClaimState::Answered { fingerprint: [1; 32], response };
    assert_eq!(world.store.claim(&new_claim(0, 2), at(61)).await.unwrap(), answered);
}

pub async fn every_commit_marks_its_claim_with_the_id_of_the_new_row(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let store = &world.store;
    let mut made = Vec::new();
    for key in 0..18 {
        store.claim(&new_claim(key, 1), base()).await.unwrap();
    }
    let under = |key| Some(claim(key, 1));

    // Ids that no other table has reached yet distinguish the tables.
    for _ in 0..3 {
        world.account(Role::Staff).await;
    }
    let account = store.create_account(&new_user(user(world.number(), Role::Customer)), under(0)).await.unwrap();
    let owner = account.customer_id.unwrap();
    made.push(Some(account.user.id.get()));
    let card = WalletChange {
        customer_id: owner,
        expected: Version::FIRST,
        card: CardChange::Create(credit_card(owner)),
        others: DefaultCard::Keep,
    };
    let card_id = store.commit_wallet(&card, under(1)).await.unwrap();
    made.push(Some(card_id.get()));
    let entry = RowChange::Create(contact(ContactOwner::Customer(owner)));
    made.push(Some(store.commit_contact(&entry, under(2)).await.unwrap().get()));
    let prospect = LeadChange { lead: RowChange::Create(lead()), contacts: ContactsOfLead::Keep };
    made.push(Some(store.commit_lead(&prospect, under(3)).await.unwrap().get()));
    let vehicle_id = store.commit_vehicle(&RowChange::Create(vehicle(owner, 900)), under(4)).await.unwrap();
    made.push(Some(vehicle_id.get()));
    let service_id = store.commit_service(&RowChange::Create(service(ServiceKind::Sell)), under(5)).await.unwrap();
    made.push(Some(service_id.get()));
    let trade_id = store.open_trade(&opening(trade(vehicle_id, service_id, owner), Version::FIRST), under(6)).await.unwrap();
    made.push(Some(trade_id.get()));

    let first = proposed(proposal(trade_id, owner));
    let billed = TradeChanges { new_invoice: Some(new_invoice(owner)), ..first };
    let ids = store.commit_trade(trade_id, Version(1), &billed, under(7)).await.unwrap();
    made.push(ids.proposal.map(crate::id::ProposalId::get));
    let invoice = ids.invoice.unwrap();
    let begun = paying(payment(invoice, card_id, owner, "charge"));
    let other = world.customer().await;
    let counter = proposal(trade_id, other);
    let both = TradeChanges { new_proposal: Some(counter), ..begun };
    let ids = store.commit_trade(trade_id, Version(2), &both, under(8)).await.unwrap();
    made.push(ids.payment.map(crate::id::PaymentId::get));
    let (terms, payment) = (ids.proposal.unwrap(), ids.payment.unwrap());
    let accept = agreed(terms, TradeMove::Agree(agreement(terms, other)));
    store.commit_trade(trade_id, Version(3), &accept, under(9)).await.unwrap();
    made.push(None);

    let login = Login::new(token(account.user.id, 1), at(1));
    let id = store.commit_login(&login, under(10)).await.unwrap();
    made.push(Some(id.get()));
    store.delete_token(&token_hash(1), under(11)).await.unwrap();
    made.push(None);
    let id = store.create_token(&token(account.user.id, 2), under(12)).await.unwrap();
    made.push(Some(id.get()));
    let new_refund = Some(refund(payment, invoice, owner, "refund"));
    let refunded = TradeChanges { new_refund, ..TradeChanges::default() };
    let ids = store.commit_trade(trade_id, Version(4), &refunded, under(13)).await.unwrap();
    made.push(ids.refund.map(crate::id::RefundId::get));
    store.write(RefusedCard { customer_id: owner, at: at(1) }.into(), under(14)).await.unwrap();
    made.push(None);

    let listener = WebhookEndpointChange { endpoint: RowChange::Create(endpoint()), start: None };
    for _ in 0..4 {
        store.commit_endpoint(&listener, None).await.unwrap();
    }
    let listener = store.commit_endpoint(&listener, under(15)).await.unwrap();
    made.push(Some(listener.get()));
    for _ in 0..5 {
        world.test(listener, base()).await;
    }
    let ids = store.write(DeliveryChange::Create(delivery(listener)).into(), under(16)).await.unwrap();
    made.push(ids.webhook_delivery.map(crate::id::WebhookDeliveryId::get));
    store.write(mail(MailRecipient::Customer(owner)).into(), under(17)).await.unwrap();
    made.push(None);

    for (key, made) in (0_u8..).zip(made) {
        let state = store.claim(&new_claim(key, 9), at(1)).await.unwrap();
        assert_eq!(state, ClaimState::Done { fingerprint: [1; 32], made, held_until: at(60) }, "key {key}");
    }
}

/// Every kind of commit is refused if its claim is not held, and then writes nothing.
pub async fn every_commit_checks_its_claim(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let deal = world.deal().await;
    let account = world.account(Role::Customer).await;
    let (id, owner) = (account.user.id, account.customer_id.unwrap());
    let car = world.vehicle(owner).await;
    let login = Login::new(token(id, 1), at(1));
    world.store.commit_login(&login, None).await.unwrap();
    let (store, never, taken) = (&world.store, Some(claim(0, 1)), Guarantee::Claim);

    let new = new_user(user(world.number(), Role::Customer));
    world.assert_taken(taken, store.create_account(&new, never)).await;
    let change = AccountChange {
        id,
        expected: Version::FIRST,
        user: User { first_name: "New".into(), ..account.user.value },
        customer: CustomerChange::Keep,
        keep_token: None,
        needs_another_superuser: false,
    };
    world.assert_taken(taken, store.commit_account(&change, never)).await;
    let second = Login::new(token(id, 2), at(2));
    world.assert_taken(taken, store.commit_login(&second, never)).await;
    assert_eq!(world.find_token(2).await, None);
    world.assert_taken(taken, store.delete_token(&token_hash(1), never)).await;
    assert!(world.find_token(1).await.is_some());
    let card = CardChange::Create(credit_card(owner));
    let wallet = WalletChange { customer_id: owner, expected: Version::FIRST, card, others: DefaultCard::Keep };
    world.assert_taken(taken, store.commit_wallet(&wallet, never)).await;
    let refused = RefusedCard { customer_id: owner, at: at(1) };
    world.assert_taken(taken, store.write(refused.into(), never)).await;
    assert_eq!(store.declines(owner, at(0), 1).await.unwrap().len(), 0);
    let entry = RowChange::Create(contact(ContactOwner::Customer(owner)));
    world.assert_taken(taken, store.commit_contact(&entry, never)).await;
    let new = RowChange::Create(vehicle(owner, 901));
    world.assert_taken(taken, store.commit_vehicle(&new, never)).await;
    let new = RowChange::Create(service(ServiceKind::Sell));
    world.assert_taken(taken, store.commit_service(&new, never)).await;
    let opening = world.opening(car, world.service(ServiceKind::Sell).await).await;
    world.assert_taken(taken, store.open_trade(&opening, never)).await;
    let version = world.load(TradeKey::Trade(deal.trade)).await.version;
    let retitled = retitled("new");
    world.assert_taken(taken, store.commit_trade(deal.trade, version, &retitled, never)).await;
    let listener = world.endpoint(endpoint()).await;
    let new = WebhookEndpointChange { endpoint: RowChange::Create(endpoint()), start: Some(Start { after: None }) };
    world.assert_taken(taken, store.commit_endpoint(&new, never)).await;
    let test = DeliveryChange::Create(delivery(listener));
    world.assert_taken(taken, store.write(test.into(), never)).await;
    let test = DeliveryChange::Retry { id: world.test(listener, base()).await, at: at(1) };
    world.assert_taken(taken, store.write(test.into(), never)).await;
    world.assert_taken(taken, store.write(mail(MailRecipient::Customer(owner)).into(), never)).await;
    assert_eq!(world.mails_due(at(1)).await, []);
}

pub async fn expired_records_are_purged_some_at_a_time(store: Arc<dyn Repository>) {
    for key in 0..5 {
        let new = NewClaim { expires_at: at(1_000 + i64::from(key)), ..new_claim(key, 1) };
        store.claim(&new, base()).await.unwrap();
    }
    assert_eq!(store.purge_claims(at(1_000), 10).await.unwrap(), 0, "one that expires now has not expired before");
    assert_eq!(store.purge_claims(at(1_004), 3).await.unwrap(), 3);
    assert_eq!(store.purge_claims(at(1_004), 3).await.unwrap(), 1);
    assert_eq!(store.purge_claims(at(1_004), 3).await.unwrap(), 0);
    // The remaining record is unchanged; the others are gone completely.
    assert_eq!(store.claim(&new_claim(4, 2), at(1)).await.unwrap(), HELD_BY_ONE);
    assert_eq!(store.claim(&new_claim(0, 2), at(1)).await.unwrap(), ClaimState::Claimed);
}
