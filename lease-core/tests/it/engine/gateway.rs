//! Cards and notifications (rules 5.4 to 5.8), with a gateway and a store that fail.

use lease_core::Error;
use lease_core::gateway::{
    CardSetup, CardToken, ClientSecret, EnteredCard, GatewayError, Notification, NotificationError, RefundKey, RefundOutcome,
    SandboxGateway, Tokenization, TokenizedCard,
};
use lease_core::model::{CardBrand, PaymentState, RefundState};
use lease_core::repository::WalletKey;
use lease_core::wallet::{CardChange, RefusedCard, Wallet};

use super::payments::card_draft;
use super::*;

/// A gateway whose cards are entered in the browser.
fn in_the_browser() -> lease_core::gateway::MockPaymentGateway {
    a_gateway_that(false)
}

fn entered() -> TokenizedCard {
    TokenizedCard {
        token: CardToken::new("pm_1".into()),
        brand: CardBrand::Jcb,
        last4: "0505".into(),
        exp_month: 1,
        exp_year: 2031,
        holder_name: String::new(),
    }
}

/// A store in which the owner has no card, and in which a card like [`entered`] is stored once.
fn storing_the_entered_card(is_default: bool) -> MockRepository {
    let mut store = MockRepository::new();
    never_declined(&mut store);
    store.expect_load_wallet().returning(|key| {
        assert_eq!(key, WalletKey::Customer(id(OWNER)));
        Ok(Some(first(Wallet { customer_id: id(OWNER), card: None, newest_other: Some(id(9)), default_other: Some(id(9)) })))
    });
    store.expect_commit().times(1).returning(move |commit| {
        let Change::Wallet(change) = &commit.change else { panic!("a card was expected, not {commit:?}") };
        let CardChange::Create(card) = &change.card else { panic!("a new card was expected, not {commit:?}") };
        let TokenizedCard { token, brand, last4, exp_month, exp_year, holder_name } = entered();
        assert_eq!((&card.token, card.brand, &card.last4), (&token, brand, &last4));
        assert_eq!((card.exp_month, card.exp_year, &card.holder_name), (exp_month, exp_year, &holder_name));
        assert_eq!((card.customer_id, card.is_default), (id(OWNER), is_default));
        Ok(NewIds { credit_card: Some(id(3)), ..NewIds::default() })
    });
    store
}

/// Rule 5.4: a new card that the gateway refuses is told as a decline, counts as one, and is not kept.
#[tokio::test]
async fn a_card_that_the_gateway_refuses_counts_as_a_decline() {
    for is_entered in [false, true] {
        let mut store = MockRepository::new();
        never_declined(&mut store);
        store.expect_commit().times(1).returning(|commit| {
            let expected = RefusedCard { customer_id: id(OWNER), at: now() };
            assert!(matches!(&commit.change, Change::RefusedCard(refused) if *refused == expected), "{commit:?}");
            assert_eq!((commit.envelope.actor, names(&commit.envelope.events)), (customer(OWNER), vec![]));
            Ok(NewIds::default())
        });
        let mut gateway = a_gateway_that(!is_entered);
        let code = || "incorrect_cvc".to_owned();
        gateway.expect_tokenize().returning(move |_| Ok(Tokenization::Refused { failure_code: code() }));
        gateway.expect_find_card().returning(move |_, _| Ok(EnteredCard::Refused { failure_code: code() }));
        let engine = engine_with(store, gateway);
        let response = if is_entered {
            engine.create_entered_card(customer(OWNER), &draft(json!({"payment_method": "pm_1"}))).await
        } else {
            engine.create_card(customer(OWNER), &card_draft()).await
        };
        let Err(Error::CardDeclined { failure_code, payment: None }) = response else { panic!("{response:?}") };
        assert_eq!(failure_code, "incorrect_cvc");
    }
}

/// Rule 5.4: whoever was declined too often has no further card tried, however it is entered.
#[tokio::test]
async fn after_too_many_declines_no_card_is_tried() {
    let mut store = MockRepository::new();
    store.expect_declines().times(2).returning(|customer, _, most| {
        assert_eq!((customer, most), (id(OWNER), 2));
        Ok(vec![now(), now()])
    });
    let policy = Policy::default().with_declines_per_hour(2);
    let engine = with_policy(store, a_gateway(), policy);
    assert_eq!(code(engine.create_card(customer(OWNER), &card_draft()).await), "throttled");
    let named = draft(json!({"payment_method": "pm_1"}));
    assert_eq!(code(engine.create_entered_card(customer(OWNER), &named).await), "throttled");
}

/// Rule 5.6: where cards are entered in the browser, a number never reaches the gateway.
#[tokio::test]
async fn a_number_is_wrong_where_cards_are_entered_in_the_browser() {
    let engine = engine_with(MockRepository::new(), in_the_browser());
    assert_eq!(wrong_fields(engine.create_card(customer(OWNER), &card_draft()).await), ["number"]);
    let both = draft(json!({"payment_method": "pm_1", "number": "4242424242424242"}));
    assert_eq!(wrong_fields(engine.create_entered_card(customer(OWNER), &both).await), ["number"]);
}

/// Rule 5.6: a card that its customer has entered in the browser is stored as the gateway describes it.
#[tokio::test]
async fn an_entered_card_is_stored_as_the_gateway_describes_it() {
    for is_default in [true, false] {
        let mut gateway = in_the_browser();
        gateway.expect_find_card().times(1).returning(|customer, named| {
            assert_eq!((customer, named), (id(OWNER), "pm_1"));
            Ok(EnteredCard::Accepted(entered()))
        });
        let engine = engine_with(storing_the_entered_card(is_default), gateway);
        let named = draft(json!({"payment_method": "pm_1", "is_default": is_default}));
        assert_eq!(engine.create_entered_card(customer(OWNER), &named).await.unwrap().id.get(), 3);
    }
}

/// Rule 5.6: a card that this customer has not entered is a wrong field, also under a gateway without a browser; without a response
/// nothing is stored.
#[tokio::test]
async fn a_card_that_was_not_entered_is_a_wrong_field() {
    let named = || draft(json!({"payment_method": "pm_of_another"}));
    let store = || {
        let mut store = MockRepository::new();
        never_declined(&mut store);
        store.expect_commit().times(1).returning(|commit| {
            assert!(matches!(commit.change, Change::RefusedCard(_)), "whoever tries out names is counted");
            Ok(NewIds::default())
        });
        store
    };
    let mut gateway = in_the_browser();
    gateway.expect_find_card().times(1).returning(|_, _| Ok(EnteredCard::Unknown));
    gateway.expect_find_card().times(1).returning(|_, _| Err(GatewayError::new("timed out")));
    let engine = engine_with(store(), gateway);
    assert_eq!(wrong_fields(engine.create_entered_card(customer(OWNER), &named()).await), ["payment_method"]);
    assert_eq!(code(engine.create_entered_card(customer(OWNER), &named()).await), "unavailable");
    let sandbox = engine_with(store(), SandboxGateway::new());
    assert_eq!(wrong_fields(sandbox.create_entered_card(customer(OWNER), &named()).await), ["payment_method"]);
}

/// Rule 5.6: an app that has had a card tokenised itself stores it without asking the gateway.
#[tokio::test]
async fn an_app_stores_a_card_that_it_has_had_tokenised() {
    let engine = engine(storing_the_entered_card(true));
    assert_eq!(engine.add_tokenized_card(customer(OWNER), &entered(), true).await.unwrap().id.get(), 3);
    assert_eq!(code(engine.add_tokenized_card(staff(), &entered(), true).await), "permission_denied");
}

/// Rule 5.8: a browser is set up for a customer, where cards are entered there.
#[tokio::test]
async fn a_browser_is_set_up_where_cards_are_entered_there() {
    let mut gateway = in_the_browser();
    gateway.expect_set_up_card().times(1).returning(|customer| {
        assert_eq!(customer, id(OWNER));
        Ok(CardSetup { client_secret: ClientSecret::new("seti_1_secret".into()) })
    });
    let mut store = MockRepository::new();
    never_declined(&mut store);
    let browser = engine_with(store, gateway);
    assert_eq!(browser.set_up_card(&customer(OWNER)).await.unwrap().client_secret.expose(), "seti_1_secret");
    assert_eq!(code(browser.set_up_card(&staff()).await), "permission_denied");
    let sandbox = engine_with(MockRepository::new(), SandboxGateway::new());
    assert_eq!(code(sandbox.set_up_card(&customer(OWNER)).await), "not_found");
}

/// Rule 5.8: any user learns what the gateway is.
#[tokio::test]
async fn any_user_learns_of_the_gateway() {
    let engine = engine_with(MockRepository::new(), SandboxGateway::new());
    for actor in [customer(OWNER), staff(), superuser()] {
        let info = engine.gateway(&actor).unwrap();
        assert_eq!((info.kind, info.publishable_key, info.is_sandbox, info.takes_card_numbers), ("sandbox", None, true, true));
    }
    assert_eq!(code(engine.gateway(&Actor::Anonymous)), "not_authenticated");
}

/// Rule 5.5: a notification only says what to ask about. One about something unknown, or about nothing, is harmless; one that is not
/// the gateway's is refused; one that could not be followed is to be sent again.
#[tokio::test]
async fn a_notification_says_only_what_to_ask_about() {
    let waits = PaymentState::RequiresAction(next_action());
    let cases: [(Result<Option<Notification>, NotificationError>, &str); 7] = [
        (Ok(Some(Notification::Charge(key()))), "ok"),
        (Ok(Some(Notification::Charge(lease_core::gateway::ChargeKey::new("unknown".into())))), "ok"),
        (Ok(Some(Notification::Refund(RefundKey::new("unknown".into())))), "ok"),
        (Ok(None), "ok"),
        (Err(NotificationError::NotSigned), "validation_error"),
        (Err(NotificationError::NotReadable), "validation_error"),
        (Err(NotificationError::NotSupported), "not_found"),
    ];
    for (notification, expected) in cases {
        let is_about_it = matches!(&notification, Ok(Some(Notification::Charge(about))) if *about == key());
        let row = Row::new(Scene::lease().billed_to(OWNER).paid_and_pending("0", "100").with_payment("100", waits.clone()));
        let mut store = MockRepository::new();
        row.loads(&mut store);
        row.commits(&mut store, usize::from(is_about_it));
        store.expect_find_charge_key().returning(|asked| Ok((*asked == key()).then(|| id(1))));
        store.expect_find_refund_key().returning(|_| Ok(None));
        let mut gateway = a_gateway();
        gateway.expect_read_notification().times(2).returning(move |signature, body| {
            assert_eq!((signature, body), ("t=1,v1=ab", &b"{}"[..]));
            notification.clone()
        });
        gateway.expect_find_charge().times(usize::from(is_about_it)).returning(|_| Ok(Some(charged())));
        let engine = engine_with(store, gateway);
        for _ in 0..2 {
            assert_eq!(code(engine.take_notification("t=1,v1=ab", b"{}").await), expected, "also the second time");
        }
        let state = row.snapshot().payment.unwrap().0.value.state;
        assert_eq!(matches!(state, PaymentState::Succeeded { .. }), is_about_it);
    }
    let sandbox = engine_with(MockRepository::new(), SandboxGateway::new());
    assert_eq!(code(sandbox.take_notification("", b"{}").await), "not_found");
}

/// Rules 5.5, 5.7: a notification about a refund, which the gateway does not answer about at first.
#[tokio::test]
async fn a_notification_that_could_not_be_followed_is_to_be_sent_again() {
    let row = Row::new(Scene::lease().with_refund("0", "30", RefundState::Pending));
    let mut store = MockRepository::new();
    row.loads(&mut store);
    row.commits(&mut store, 1);
    store.expect_find_refund_key().returning(|_| Ok(Some(id(1))));
    let mut gateway = a_gateway();
    gateway.expect_read_notification().returning(|_, _| Ok(Some(Notification::Refund(refund_key()))));
    gateway.expect_find_refund().times(1).returning(|_| Err(GatewayError::new("timed out")));
    gateway.expect_find_refund().times(1).returning(|_| Ok(Some(RefundOutcome::Succeeded { reference: "re_1".into() })));
    let engine = engine_with(store, gateway);
    for expected in ["unavailable", "ok", "ok"] {
        assert_eq!(code(engine.take_notification("", b"").await), expected);
    }
    assert_eq!(row.snapshot().refund.unwrap().value.state, RefundState::Succeeded { at: now() });
}
