//! Requests race on two server processes. Exactly one wins; all others get the error code that the specification gives.
//!
//! Rules 3.7, 4.1, 4.4 to 4.6, 4.10, 4.11, 5.2 to 5.4, 6.4 and 6.7.

use std::sync::LazyLock;

use lease_core::model::{InvoiceState, ProposalState, TradeState};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, made, registration};
use crate::two_servers::{LEASE, RACERS, Racer, SELL, TwoServers, counted, race, response, terms};

/// The number of rounds of each race: 25, or `LEASE_RACE_ROUNDS`.
pub(crate) static ROUNDS: LazyLock<usize> = LazyLock::new(|| {
    std::env::var("LEASE_RACE_ROUNDS").map_or(25, |rounds| rounds.parse().expect("LEASE_RACE_ROUNDS is a number"))
});
/// The number of customers who accept while something else happens.
const ACCEPTS: usize = RACERS - 1;

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_accepts_wins() {
    let mut servers = TwoServers::new().await;
    for _ in 0..*ROUNDS {
        let (_, proposal) = servers.offer().await;
        let accepts = race(servers.by_all(&format!("/api/proposals/{proposal}/accept"), &Value::Null)).await;
        assert_eq!(counted(&accepts), [("200", 1), ("409 trade_not_open", RACERS - 1)].into());
    }
    assert_agreed(servers, *ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepting_excludes_withdrawing_superseding_and_cancelling() {
    let mut servers = TwoServers::new().await;
    let mut agreed = 0;
    for _ in 0..*ROUNDS {
        let (_, proposal) = servers.offer().await;
        let withdraw = servers.by(&servers.owner, ACCEPTS, &format!("/api/proposals/{proposal}/withdraw"), &Value::Null);
        agreed += against_accepts(&servers, withdraw, proposal, "200", "409 proposal_not_pending").await;

        let (trade, proposal) = servers.offer().await;
        let supersede = servers.by(&servers.owner, ACCEPTS, &format!("/api/trades/{trade}/proposals"), &terms(SELL));
        agreed += against_accepts(&servers, supersede, proposal, "201", "409 proposal_not_pending").await;

        let (trade, proposal) = servers.offer().await;
        let cancel = servers.by(&servers.owner, ACCEPTS, &format!("/api/trades/{trade}/cancel"), &Value::Null);
        agreed += against_accepts(&servers, cancel, proposal, "200", "409 trade_not_open").await;
    }
    assert_agreed(servers, agreed).await;
}

/// Both succeed if the accept came first.
#[tokio::test(flavor = "multi_thread")]
async fn accepting_and_deactivating_the_author_come_one_after_the_other() {
    let mut servers = TwoServers::new().await;
    let owner = servers.owner.clone();
    let mut agreed = 0;
    for round in 0..*ROUNDS {
        servers.owner = Client::register(&servers.addresses, &format!("author{round}"), round).await;
        let (_, proposal) = servers.offer().await;
        let user = format!("/api/users/{}", servers.owner.user);
        let deactivate = Racer { method: Method::DELETE, ..servers.by(&servers.root, ACCEPTS, &user, &Value::Null) };
        let responses = accepts_and(&servers, deactivate, proposal).await;
        let (deactivated, accepts) = responses.split_last().unwrap();
        let counts = counted(accepts);
        let won = counts.get("200").copied().unwrap_or(0);
        let expected = match won {
            0 => [("409 party_inactive", ACCEPTS)].into(),
            _ => [("200", 1), ("409 trade_not_open", ACCEPTS - 1)].into(),
        };
        assert_eq!((deactivated.as_str(), counts), ("204", expected));
        agreed += won;
    }
    servers.owner = owner;
    assert_agreed(servers, agreed).await;
}

/// Many accepts race with `other`; returns the number of accepts that won. If none did, all of them got `refusal`.
async fn against_accepts(servers: &TwoServers, other: Racer, proposal: i64, ok: &str, refusal: &str) -> usize {
    let responses = accepts_and(servers, other, proposal).await;
    let (other, accepts) = responses.split_last().unwrap();
    let counts = counted(accepts);
    let won = counts.get("200").copied().unwrap_or(0);
    let expected = match won {
        0 => (ok, [(refusal, ACCEPTS)].into()),
        _ => ("409 trade_not_open", [("200", 1), ("409 trade_not_open", ACCEPTS - 1)].into()),
    };
    assert_eq!((other.as_str(), counts), expected);
    won
}

async fn accepts_and(servers: &TwoServers, other: Racer, proposal: i64) -> Vec<String> {
    let mut racers = servers.by_all(&format!("/api/proposals/{proposal}/accept"), &Value::Null);
    racers.truncate(ACCEPTS);
    racers.push(other);
    race(racers).await
}

/// This many trades are agreed, each with its invoice, and none has a pending proposal.
async fn assert_agreed(servers: TwoServers, count: usize) {
    let books = servers.finish().await;
    let agreed = books.trades.iter().filter(|trade| matches!(trade.state, TradeState::Agreed(_))).count();
    assert_eq!((agreed, books.invoices.len()), (count, count));
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_never_overshoot_and_one_pays_the_rest() {
    let mut servers = TwoServers::new().await;
    for round in 0..*ROUNDS {
        let invoice = servers.bill().await;
        let pay = format!("/api/invoices/{invoice}/payments");
        // Three payments of 15.00 fit into 49.00.
        let parts = race(servers.by_one(&servers.owner, &pay, &json!({"credit_card_id": servers.card, "amount": "15"}))).await;
        assert_eq!(counted(&parts), [("201", 3), ("400 validation_error", RACERS - 3)].into(), "round {round}");

        let rest = race(servers.by_one(&servers.owner, &pay, &json!({"credit_card_id": servers.card}))).await;
        let counts = counted(&rest);
        // The others came while that payment was pending, or when the invoice was paid.
        let [pending, paid] = ["409 payment_pending", "409 invoice_not_open"].map(|code| counts.get(code).copied().unwrap_or(0));
        assert_eq!((counts.get("201"), pending + paid), (Some(&1), RACERS - 1), "{counts:?}");
    }
    let books = servers.finish().await;
    assert_eq!(books.payments.len(), *ROUNDS * 4);
    assert!(books.invoices.iter().all(|invoice| matches!(invoice.state, InvoiceState::Paid { .. })));
}

/// The same payment is sent to both servers again and again under one key: it is made once, and each server returns the stored
/// response.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_payments_under_a_key_is_made() {
    let mut servers = TwoServers::new().await;
    for round in 0..*ROUNDS {
        let invoice = servers.bill().await;
        let (path, body) = (format!("/api/invoices/{invoice}/payments"), json!({"credit_card_id": servers.card, "amount": "15"}));
        let key = format!("pay{round}");
        let payments = servers.by_one(&servers.owner, &path, &body).into_iter();
        let responses = race(payments.map(|racer| Racer { key: key.clone(), ..racer }).collect()).await;
        let counts = counted(&responses);
        let [paid, in_use] = ["201", "409 idempotency_key_in_use"].map(|response| counts.get(response).copied().unwrap_or(0));
        assert!(paid >= 1 && paid + in_use == RACERS, "{counts:?}");
        let mut ids = Vec::new();
        for _ in 0..2 {
            ids.push(made(&servers.owner.post(&path, &body, &key).await.unwrap()));
        }
        assert_eq!(ids[0], ids[1], "each of the servers gives the first response");
    }
    assert_eq!(servers.finish().await.payments.len(), *ROUNDS);
}

#[tokio::test(flavor = "multi_thread")]
async fn voiding_and_paying_exclude_each_other() {
    let mut servers = TwoServers::new().await;
    let mut paid = 0;
    for _ in 0..*ROUNDS {
        let invoice = servers.bill().await;
        let pay = json!({"credit_card_id": servers.card, "amount": "15"});
        let mut racers: Vec<_> =
            (0..3).map(|number| servers.by(&servers.owner, number, &format!("/api/invoices/{invoice}/payments"), &pay)).collect();
        racers.push(servers.by(&servers.root, 3, &format!("/api/invoices/{invoice}/void"), &json!({"reason": "a mistake"})));
        let responses = race(racers).await;
        let (void, payments) = responses.split_last().unwrap();
        let expected = match void.as_str() {
            "200" => [("409 invoice_not_open", 3)],
            "409 invoice_has_payments" => [("201", 3)],
            _ => panic!("{responses:?}"),
        };
        assert_eq!(counted(payments), expected.into());
        paid += payments.iter().filter(|response| *response == "201").count();
    }
    assert_eq!(servers.finish().await.payments.len(), paid);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_first_proposals_bring_one_invoice() {
    let mut servers = TwoServers::new().await;
    for _ in 0..*ROUNDS {
        let trade = servers.trade(LEASE).await;
        let proposals = race(servers.by_one(&servers.owner, &format!("/api/trades/{trade}/proposals"), &terms(LEASE))).await;
        assert_eq!(counted(&proposals), [("201", RACERS)].into());
    }
    let books = servers.finish().await;
    let pending = books.proposals.iter().filter(|proposal| proposal.state == ProposalState::Pending).count();
    assert_eq!((books.invoices.len(), pending, books.proposals.len()), (*ROUNDS, *ROUNDS, *ROUNDS * RACERS));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_trades_opened_for_a_vehicle_one_is_open() {
    let mut servers = TwoServers::new().await;
    for _ in 0..*ROUNDS {
        let offer = json!({"vehicle_id": servers.vehicle().await, "service_id": SELL});
        let opens = race(servers.by_one(&servers.owner, "/api/trades", &offer)).await;
        assert_eq!(counted(&opens), [("201", 1), ("409 vehicle_in_trade", RACERS - 1)].into());
    }
    assert_eq!(servers.finish().await.trades.len(), *ROUNDS);
}

/// Several customers lease one vehicle for the same days, one after the other as it becomes free: exactly one of them reaches an
/// agreement.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_leases_of_the_same_days_is_agreed() {
    const LEASES: usize = 4;
    let mut servers = TwoServers::new().await;
    // Without a fee, a trade completes when it is agreed, and the vehicle is free for the next one.
    let free = json!({"name": "Free", "kind": "lease", "amount": "0", "currency": "USD"});
    let free = made(&servers.root.post("/api/services", &free, "").await.unwrap());
    for _ in 0..*ROUNDS {
        let vehicle = servers.vehicle().await;
        let leases: Vec<_> = (0..LEASES)
            .map(|number| {
                let (offer, lessee) = (json!({"vehicle_id": vehicle, "service_id": free}), servers.racers[number].clone());
                let owner = lessee.with_token_of(Some(&servers.owner));
                tokio::spawn(lease(owner, lessee, offer))
            })
            .collect();
        let mut responses = Vec::new();
        for lease in leases {
            responses.push(lease.await.unwrap());
        }
        assert_eq!(counted(&responses), [("200", 1), ("409 vehicle_not_available", LEASES - 1)].into());
    }
    let books = servers.finish().await;
    assert_eq!(books.trades.iter().filter(|trade| trade.agreement().is_some()).count(), *ROUNDS);
}

/// Offers the vehicle once it is free; returns the response to the lessee's accept. If that is refused, the trade is cancelled.
async fn lease(mut owner: Client, mut lessee: Client, offer: Value) -> String {
    let trade = loop {
        match owner.post("/api/trades", &offer, "").await.unwrap() {
            (409, body) if body["code"] == "vehicle_in_trade" => {}
            opened => break made(&opened),
        }
    };
    let proposal = made(&owner.post(&format!("/api/trades/{trade}/proposals"), &terms(LEASE), "").await.unwrap());
    let accepted = response(&mut lessee, Method::POST, &format!("/api/proposals/{proposal}/accept"), &Value::Null, "").await;
    if accepted != "200" {
        assert_eq!(owner.post(&format!("/api/trades/{trade}/cancel"), &Value::Null, "").await.unwrap().0, 200);
    }
    accepted
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_registers_a_name() {
    let servers = TwoServers::new().await;
    let nobody = servers.owner.with_token_of(None);
    for round in 0..*ROUNDS {
        let names = race(servers.by_one(&nobody, "/api/register", &registration(&format!("wanted{round}")))).await;
        assert_eq!(counted(&names), [("201", 1), ("400 validation_error", RACERS - 1)].into());
    }
    servers.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_converts_a_lead() {
    let mut servers = TwoServers::new().await;
    for _ in 0..*ROUNDS {
        let lead = made(&servers.root.post("/api/leads", &json!({"first_name": "Lea"}), "").await.unwrap());
        let contact = json!({"lead_id": lead, "email": "lea@example.com"});
        let contact = made(&servers.root.post("/api/contacts", &contact, "").await.unwrap());
        let convert = |(number, racer): (usize, &Client)| {
            servers.by(&servers.root, number, &format!("/api/leads/{lead}/convert"), &json!({"customer_id": racer.customer}))
        };
        let conversions = race(servers.racers.iter().enumerate().map(convert).collect()).await;
        assert_eq!(counted(&conversions), [("200", 1), ("409 lead_converted", RACERS - 1)].into());
        let winner = servers.root.read(&format!("/api/leads/{lead}")).await["customer_id"].clone();
        assert_eq!(servers.root.read(&format!("/api/contacts/{contact}")).await["customer_id"], winner);
        let position = conversions.iter().position(|response| response == "200").unwrap();
        assert_eq!(winner, servers.racers[position].customer);
    }
    servers.finish().await;
}
