//! How an app tests its own code without a store or a provider that fails when it should: with the mocks of the feature `mock`.
//!
//! `cargo test -p lease-examples --test mock`

use std::sync::Arc;

use lease_core::account::{PasswordParams, RegistrationDraft};
use lease_core::gateway::{GatewayInfo, MockPaymentGateway, SandboxGateway, Tokenization};
use lease_core::id::{TradeId, UserId};
use lease_core::page::PageRequest;
use lease_core::permission::Actor;
use lease_core::repository::{CardFilter, MockRepository, RepositoryError};
use lease_core::wallet::CardDraft;
use lease_core::{Error, LeaseEngine};
use lease_store_memory::MemoryRepository;

/// The app's own code: what its page of a trade shows.
async fn page_of_trade(engine: &LeaseEngine, actor: &Actor, trade: TradeId) -> String {
    match engine.get_trade(actor, trade).await {
        Ok(trade) => format!("Trade {}: {}", trade.stored.id, trade.stored.title),
        Err(Error::NotFound) => "There is no such trade.".to_owned(),
        Err(Error::Unavailable(_)) => "Please come back in a minute.".to_owned(),
        Err(error) => format!("Sorry: {error}"),
    }
}

/// The app's own code: what it says when somebody adds a card.
async fn add_card(engine: &LeaseEngine, actor: &Actor, card: &CardDraft) -> String {
    match engine.create_card(actor, card).await {
        Ok(card) => format!("Your card ending in {} was added.", card.last4),
        Err(Error::CardDeclined { failure_code, .. }) if failure_code == "lost_card" => "Please call your bank.".to_owned(),
        Err(error) => format!("Sorry: {error}"),
    }
}

/// A mock knows nothing but what it is told to expect; any other call fails the test.
#[tokio::test]
async fn the_page_of_a_trade_says_what_went_wrong() {
    for (is_up, expected) in [(true, "There is no such trade."), (false, "Please come back in a minute.")] {
        let mut store = MockRepository::new();
        let away = || RepositoryError::Unavailable("connection refused".into());
        store.expect_load_trade().times(1).returning(move |_| if is_up { Ok(None) } else { Err(away()) });
        let engine = LeaseEngine::builder(Arc::new(store), Arc::new(SandboxGateway::new())).build().unwrap();
        let staff = Actor::Staff { user: UserId::new(1).unwrap() };
        assert_eq!(page_of_trade(&engine, &staff, TradeId::new(7).unwrap()).await, expected);
    }
}

/// A provider that refuses the card, beside a store that works.
#[tokio::test]
async fn a_lost_card_sends_its_holder_to_the_bank() {
    let mut provider = MockPaymentGateway::new();
    let info = GatewayInfo { kind: "mock", publishable_key: None, is_sandbox: false, takes_card_numbers: true };
    provider.expect_info().return_const(info);
    let refusal = Tokenization::Refused { failure_code: "lost_card".into() };
    provider.expect_tokenize().times(1).withf(|card| card.exp_year == 2099).return_once(|_| Ok(refusal));
    let engine = LeaseEngine::builder(Arc::new(MemoryRepository::default()), Arc::new(provider))
        .password_params(PasswordParams { memory_kib: 8, iterations: 1 })
        .build()
        .unwrap();
    let olivia = RegistrationDraft {
        username: "olivia".into(),
        email: "olivia@example.com".into(),
        first_name: "Olivia".into(),
        last_name: "Example".into(),
        password: "a horse of another colour".into(),
        password2: "a horse of another colour".into(),
        ..RegistrationDraft::default()
    };
    let token = engine.register(Actor::Anonymous, &olivia).await.unwrap().token;
    let olivia = engine.authenticate(&token).await.unwrap().actor;
    let card = CardDraft {
        number: "4242424242424242".into(),
        exp_month: 12.into(),
        exp_year: 2099.into(),
        holder_name: "Olivia Example".into(),
        ..CardDraft::default()
    };
    assert_eq!(add_card(&engine, &olivia, &card).await, "Please call your bank.");
    let cards = engine.list_cards(&olivia, CardFilter::default(), PageRequest::default()).await.unwrap();
    assert!(cards.items.is_empty(), "a card that is refused is not kept");
}
