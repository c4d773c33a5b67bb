//! `available_actions` agrees with the endpoints: in every state of a trade and for every caller, the actions that are listed
//! succeed and all others are refused.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::Duration;
use lease_core::policy::{LatePayments, Policy};
use serde_json::{Value, json};

use crate::support::setup::{GOOD_CARD, card};
use crate::support::{ApiResponse, Person, World, id};

/// The states: a service, and the steps that lead to the state (see [`Stage::step`]).
const STATES: [(&str, &str); 25] = [
    ("sell", ""),
    ("sell", "offer"),
    ("sell", "offer offer"),
    ("sell", "offer withdraw"),
    ("sell", "offer counter"),
    ("sell", "offer counter reject"),
    ("sell", "offer counter withdraw"),
    ("sell", "offer brief wait"),
    ("sell", "offer counter counter counter"),
    ("sell", "offer offer offer counter"),
    ("sell", "offer counter leave"),
    ("sell", "offer counter cancel"),
    ("sell", "offer accept"),
    ("sell", "offer accept part"),
    ("sell", "offer accept pay"),
    ("sell", "offer accept part rescind"),
    ("sell", "offer accept part write_off"),
    ("lease", "offer"),
    ("lease", "offer pay"),
    ("lease", "offer void"),
    ("lease", "offer cancel"),
    ("lease", "offer counter overdue"),
    ("lease", "offer accept end"),
    ("lease", "offer accept rescind"),
    ("lease", "offer pay accept again offer counter"),
];
const PEOPLE: [&str; 5] = ["root", "staff", "owner", "buyer", "stranger"];
const OF_TRADES: [&str; 7] = ["propose", "cancel", "end", "pay", "void", "write_off", "move_due_date"];
const OF_PROPOSALS: [&str; 3] = ["accept", "reject", "withdraw"];

/// A trade that goes through the steps.
struct Stage<'a> {
    world: &'a World,
    service: i64,
    vehicle: i64,
    trade: i64,
    buyer: Person,
    proposals: Vec<i64>,
}

impl<'a> Stage<'a> {
    /// Takes a new trade of a new vehicle through these steps.
    async fn set(world: &'a World, (service, steps): (&str, &str)) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let service = if service == "lease" { world.lease } else { world.sell };
        let vehicle = world.vehicle(&world.owner, number).await;
        let buyer = world.register(&format!("buyer{number}")).await;
        let mut stage = Self { world, service, vehicle, trade: 0, buyer, proposals: Vec::new() };
        stage.step("again").await;
        for step in steps.split_whitespace() {
            stage.step(step).await;
        }
        stage
    }

    async fn step(&mut self, step: &str) {
        let (owner, buyer, staff) = (&self.world.owner, &self.buyer, &self.world.staff);
        match step {
            "again" => {
                let body = json!({"vehicle_id": self.vehicle, "service_id": self.service});
                self.trade = id(&self.world.post("/api/trades", owner, body).await.expect(201));
                self.proposals.clear();
            }
            "offer" => self.propose(&owner.clone(), &Value::Null).await,
            "counter" => self.propose(&buyer.clone(), &Value::Null).await,
            "brief" => self.propose(&buyer.clone(), &json!(self.world.app.engine.now() + Duration::minutes(1))).await,
            "wait" => self.world.app.clock.advance(Duration::minutes(1)),
            "overdue" => self.world.app.clock.advance(Duration::days(15)),
            "accept" => self.decide("accept", buyer).await,
            "reject" => self.decide("reject", owner).await,
            "withdraw" if self.proposals.len() == 1 => self.decide("withdraw", owner).await,
            "withdraw" => self.decide("withdraw", buyer).await,
            "cancel" => drop(self.act("cancel", owner).await.expect(200)),
            "rescind" => drop(self.act("cancel", staff).await.expect(200)),
            "end" | "void" | "write_off" => drop(self.act(step, staff).await.expect(200)),
            "pay" => drop(self.act("pay", owner).await.expect(201)),
            "part" => drop(self.pay(owner, json!("1.00")).await.expect(201)),
            "leave" => drop(self.world.delete(&format!("/api/users/{}", buyer.user), staff).await.expect(204)),
            other => panic!("there is no step {other}"),
        }
    }

    async fn propose(&mut self, person: &Person, expires_at: &Value) {
        self.proposals.push(id(&self.offer(person, expires_at).await.expect(201)));
    }

    async fn offer(&self, person: &Person, expires_at: &Value) -> ApiResponse {
        let mut terms = json!({"trade_id": self.trade, "amount": "300", "expires_at": expires_at});
        if self.service == self.world.lease {
            terms["start_date"] = json!("2026-04-01");
            terms["end_date"] = json!("2026-05-01");
        }
        self.world.post("/api/proposals", person, terms).await
    }

    /// Performs an action on the newest proposal.
    async fn decide(&self, act: &str, person: &Person) {
        let path = format!("/api/proposals/{}/{act}", self.proposals.last().unwrap());
        self.world.post(&path, person, Value::Null).await.expect(200);
    }

    /// Performs an action on the trade.
    async fn act(&self, act: &str, person: &Person) -> ApiResponse {
        match act {
            "propose" => self.offer(person, &Value::Null).await,
            "cancel" => {
                self.world.post(&format!("/api/trades/{}/cancel", self.trade), person, json!({"reason": "It is over."})).await
            }
            "end" => {
                let body = json!({"end_date": "2026-04-01", "reason": "Returned."});
                self.world.post(&format!("/api/trades/{}/end", self.trade), person, body).await
            }
            "pay" => self.pay(person, Value::Null).await,
            "void" => {
                let path = format!("/api/invoices/{}/void", self.invoice().await);
                self.world.post(&path, person, json!({"reason": "A gift."})).await
            }
            "write_off" => {
                let path = format!("/api/invoices/{}/write-off", self.invoice().await);
                self.world.post(&path, person, json!({"reason": "Hopeless."})).await
            }
            "move_due_date" => {
                let path = format!("/api/invoices/{}", self.invoice().await);
                self.world.patch(&path, person, json!({"due_date": "2030-01-01"})).await
            }
            other => panic!("there is no act {other}"),
        }
    }

    async fn pay(&self, person: &Person, amount: Value) -> ApiResponse {
        // A person without a card names a card that is not theirs.
        let card = self.world.post("/api/credit-cards", person, card(GOOD_CARD)).await.json()["id"].as_i64().unwrap_or(1);
        let mut body = json!({"invoice_id": self.invoice().await, "credit_card_id": card});
        if !amount.is_null() {
            body["amount"] = amount;
        }
        self.world.post("/api/payments", person, body).await
    }

    /// The trade's invoice, or an id that no row has.
    async fn invoice(&self) -> i64 {
        let trade = self.world.get(&format!("/api/trades/{}", self.trade), &self.world.root).await.expect(200);
        trade["invoice_id"].as_i64().unwrap_or(i64::MAX)
    }

    fn person(&self, name: &str) -> &Person {
        match name {
            "root" => &self.world.root,
            "staff" => &self.world.staff,
            "owner" => &self.world.owner,
            "buyer" => &self.buyer,
            _ => &self.world.stranger,
        }
    }

    /// The available actions of this person for this row, which are the same in the single response and in the list. None if it
    /// is hidden.
    async fn listed(&self, person: &Person, path: &str, list: &str) -> Vec<String> {
        let response = self.world.get(path, person).await;
        if response.status != 200 {
            return Vec::new();
        }
        let thing = response.json();
        let list = self.world.get(list, person).await.expect(200);
        let row = list["results"].as_array().unwrap().iter().find(|row| row["id"] == thing["id"]).unwrap();
        assert_eq!(row["available_actions"], thing["available_actions"], "{path}");
        thing["available_actions"].as_array().unwrap().iter().map(|act| act.as_str().unwrap().to_owned()).collect()
    }
}

/// A world in which a customer may make at most three proposals in a trade, and late payments are not accepted.
async fn world() -> World {
    let policy =
        Policy::default().with_token_ttl(Duration::days(36_500)).with_late_payments(LatePayments::Reject).with_max_proposals(3);
    World::with(|builder| builder.policy(policy)).await
}

#[tokio::test]
async fn the_available_actions_of_a_trade_succeed_and_all_others_fail() {
    let world = world().await;
    for state in STATES {
        for name in PEOPLE {
            let stage = Stage::set(&world, state).await;
            let (path, list) = (format!("/api/trades/{}", stage.trade), format!("/api/trades?vehicle_id={}", stage.vehicle));
            let listed = stage.listed(stage.person(name), &path, &list).await;
            for act in OF_TRADES {
                if !listed.iter().any(|listed| listed == act) {
                    let response = stage.act(act, stage.person(name)).await;
                    assert!(!response.status.is_success(), "{name} may {act} after {state:?}: {}", response.text);
                }
            }
            for act in &listed {
                let stage = Stage::set(&world, state).await;
                let response = stage.act(act, stage.person(name)).await;
                assert!(response.status.is_success(), "{name} may not {act} after {state:?}: {}", response.text);
            }
        }
    }
}

#[tokio::test]
async fn the_available_actions_of_a_proposal_succeed_and_all_others_fail() {
    let world = world().await;
    for state in STATES {
        for name in PEOPLE {
            let stage = Stage::set(&world, state).await;
            let list = format!("/api/trades/{}/proposals", stage.trade);
            for (place, proposal) in stage.proposals.iter().enumerate() {
                let listed = stage.listed(stage.person(name), &format!("/api/proposals/{proposal}"), &list).await;
                for act in OF_PROPOSALS {
                    if !listed.iter().any(|listed| listed == act) {
                        let path = format!("/api/proposals/{proposal}/{act}");
                        let response = world.post(&path, stage.person(name), Value::Null).await;
                        assert!(!response.status.is_success(), "{name} may {act} {place} after {state:?}: {}", response.text);
                    }
                }
                for act in &listed {
                    let stage = Stage::set(&world, state).await;
                    let path = format!("/api/proposals/{}/{act}", stage.proposals[place]);
                    let response = world.post(&path, stage.person(name), Value::Null).await;
                    assert!(response.status.is_success(), "{name} may not {act} {place} after {state:?}: {}", response.text);
                }
            }
        }
    }
}
