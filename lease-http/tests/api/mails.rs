//! Notices by mail (rule 9.5), as their recipients get them.

use lease_core::model::MailKind::{
    self, InvoiceDueSoon, InvoiceIssued, InvoiceOverdue, PaymentFailed, PaymentReceived, PaymentRefunded, ProposalAccepted,
    ProposalClosed, ProposalMade, ProposalRejected,
};
use serde_json::{Value, json};

use crate::support::setup::GOOD_CARD;
use crate::support::{World, id};

const OWNER: &str = "owner@example.com";
const BUYER: &str = "buyer@example.com";
const STRANGER: &str = "stranger@example.com";

/// Mails, in the order of their kinds and addresses.
async fn mails(world: &World) -> Vec<(MailKind, String)> {
    let mut mails = world.mails().await;
    mails.sort();
    mails
}

fn to(mails: &[(MailKind, &str)]) -> Vec<(MailKind, String)> {
    mails.iter().map(|(kind, address)| (*kind, (*address).to_owned())).collect()
}

async fn advance(world: &World, days: i64) {
    let root = world.log_in("root").await;
    world.post("/api/test-clock/advance", &root, json!({"seconds": days * 86_400})).await.expect(200);
}

/// Rule 9.5: a proposal is told to the owner, or by the owner to those who have proposed; what becomes of it to its author.
#[tokio::test]
async fn parties_are_told_of_proposals() {
    let world = World::new().await;
    let (owner, buyer, stranger) = (&world.owner, &world.buyer, &world.stranger);
    let trade = world.trade(world.sell, 1).await;
    world.offer(trade, owner, "9000").await;
    assert_eq!(mails(&world).await, [], "nobody has proposed yet");
    let first = world.offer(trade, buyer, "8000").await;
    assert_eq!(mails(&world).await, to(&[(ProposalMade, OWNER)]));
    world.offer(trade, owner, "8900").await;
    assert_eq!(mails(&world).await, to(&[(ProposalMade, BUYER)]));
    world.post(&format!("/api/proposals/{first}/reject"), owner, Value::Null).await.expect(200);
    assert_eq!(mails(&world).await, to(&[(ProposalRejected, BUYER)]));
    world.offer(trade, buyer, "8500").await;
    let best = world.offer(trade, stranger, "8800").await;
    world.mails().await;
    world.post(&format!("/api/proposals/{best}/accept"), owner, Value::Null).await.expect(200);
    let told = mails(&world).await;
    assert!(told.contains(&(ProposalAccepted, STRANGER.to_owned())), "{told:?}");
    assert!(told.contains(&(ProposalClosed, BUYER.to_owned())), "{told:?}");
    assert_eq!(mails(&world).await, [], "each once");
}

/// Rule 9.5: what becomes of an invoice, and of its payments, is told to who is billed.
#[tokio::test]
async fn who_is_billed_is_told_of_the_invoice_and_its_payments() {
    let world = World::new().await;
    let (_, invoice) = world.agreed_sale(1).await;
    let issued: Vec<_> = mails(&world).await.into_iter().filter(|(kind, _)| *kind == InvoiceIssued).collect();
    assert_eq!(issued, to(&[(InvoiceIssued, OWNER)]));
    let card = world.card(&world.owner, "4000000000000002").await;
    let pay = json!({"invoice_id": invoice, "credit_card_id": card});
    world.post("/api/payments", &world.owner, pay).await.refused(402, "card_declined");
    assert_eq!(mails(&world).await, to(&[(PaymentFailed, OWNER)]));
    let part = id(&world.pay(invoice, GOOD_CARD, "1.00").await);
    assert_eq!(mails(&world).await, to(&[(PaymentReceived, OWNER)]));
    world.post(&format!("/api/payments/{part}/refunds"), &world.staff, json!({"reason": "other"})).await.expect(201);
    assert_eq!(mails(&world).await, to(&[(PaymentRefunded, OWNER)]));
    advance(&world, 10).await;
    assert_eq!(mails(&world).await, []);
    advance(&world, 1).await;
    assert_eq!(mails(&world).await, to(&[(InvoiceDueSoon, OWNER)]));
    advance(&world, 4).await;
    assert_eq!(mails(&world).await, to(&[(InvoiceOverdue, OWNER)]));
}

/// Rule 9.5: each kind can be switched off, apart from the notices about the security of the account.
#[tokio::test]
async fn settings_switch_notices_off() {
    let world = World::new().await;
    let settings = "/api/notification-settings";
    let put = async |body: Value| world.put(settings, &world.owner, body).await;
    let all_but = json!({"proposals": false, "invoices": true, "payments": true});
    assert_eq!(put(json!({"proposals": false})).await.expect(200), all_but);
    assert_eq!(put(json!({})).await.expect(200), all_but, "what is left out stays");
    assert_eq!(world.get(settings, &world.owner).await.expect(200), all_but);
    let everything = json!({"proposals": true, "invoices": true, "payments": true});
    assert_eq!(world.get(settings, &world.buyer).await.expect(200), everything, "each has their own");
    put(json!({"proposals": "perhaps", "invoices": null})).await.invalid(&["invoices", "proposals"]);

    let trade = world.trade(world.sell, 1).await;
    world.offer(trade, &world.owner, "9000").await;
    assert_eq!(mails(&world).await, []);
    let offer = world.offer(trade, &world.buyer, "8000").await;
    world.post(&format!("/api/proposals/{offer}/accept"), &world.owner, Value::Null).await.expect(200);
    assert_eq!(mails(&world).await, to(&[(ProposalAccepted, BUYER), (InvoiceIssued, OWNER)]));
    put(json!({"invoices": 0, "payments": "false"})).await.expect(200);
    let (_, invoice) = world.agreed_sale(2).await;
    world.pay(invoice, GOOD_CARD, "199.00").await;
    let told = mails(&world).await;
    assert!(told.iter().all(|(_, address)| address != OWNER), "{told:?}");
    world.patch(&format!("/api/users/{}", world.owner.user), &world.owner, json!({"email": "new@example.com"})).await.expect(200);
    assert_eq!(mails(&world).await, to(&[(MailKind::EmailChanged, OWNER)]));
}
