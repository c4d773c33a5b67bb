//! Commands that prepare the state for a test.

use serde_json::{Value, json};

use super::{Person, World, id};

pub(crate) const GOOD_CARD: &str = "4242424242424242";

/// Waits for its payer.
pub(crate) const ASKS_PAYER: &str = "4000002500003155";
/// Waits for its payer, and is then declined whatever they do.
pub(crate) const ASKS_PAYER_IN_VAIN: &str = "4000008400001629";
/// Is charged; its refunds fail.
pub(crate) const REFUSES_REFUNDS: &str = "4000000000005126";

impl World {
    /// Creates a vehicle of this person.
    pub(crate) async fn vehicle(&self, person: &Person, number: u32) -> i64 {
        id(&self.post("/api/vehicles", person, crate::app::vehicle(number)).await.expect(201))
    }

    /// Stores a card of this person.
    pub(crate) async fn card(&self, person: &Person, number: &str) -> i64 {
        id(&self.post("/api/credit-cards", person, card(number)).await.expect(201))
    }

    /// Opens a trade of the owner, with a new vehicle under this service.
    pub(crate) async fn trade(&self, service: i64, number: u32) -> i64 {
        let vehicle = self.vehicle(&self.owner, number).await;
        let body = json!({"vehicle_id": vehicle, "service_id": service, "title": "A fine car"});
        id(&self.post("/api/trades", &self.owner, body).await.expect(201))
    }

    /// Makes a proposal in a trade under *Sell*.
    pub(crate) async fn offer(&self, trade: i64, person: &Person, amount: &str) -> i64 {
        id(&self.post(&format!("/api/trades/{trade}/proposals"), person, json!({"amount": amount})).await.expect(201))
    }

    /// Makes a proposal in a trade under *Lease*, for March 2026.
    pub(crate) async fn lease_offer(&self, trade: i64, person: &Person) -> i64 {
        let terms = json!({"amount": "300", "start_date": "2026-04-01", "end_date": "2026-05-01"});
        id(&self.post(&format!("/api/trades/{trade}/proposals"), person, terms).await.expect(201))
    }

    /// A trade under *Sell* that is agreed with the buyer: the trade and its invoice.
    pub(crate) async fn agreed_sale(&self, number: u32) -> (i64, i64) {
        let trade = self.trade(self.sell, number).await;
        let offer = self.offer(trade, &self.owner, "9000").await;
        self.post(&format!("/api/proposals/{offer}/accept"), &self.buyer, Value::Null).await.expect(200);
        let trade_now = self.get(&format!("/api/trades/{trade}"), &self.owner).await.expect(200);
        (trade, trade_now["invoice_id"].as_i64().unwrap())
    }

    /// A payment of an invoice by the owner, with a new card of this number.
    pub(crate) async fn pay(&self, invoice: i64, number: &str, amount: &str) -> Value {
        let card = self.card(&self.owner, number).await;
        let body = json!({"invoice_id": invoice, "credit_card_id": card, "amount": amount});
        self.post("/api/payments", &self.owner, body).await.expect(201)
    }
}

/// The body of a request that stores a card.
pub(crate) fn card(number: &str) -> Value {
    json!({"number": number, "exp_month": 12, "exp_year": 2030, "cvc": "123", "holder_name": "Ada Byron"})
}
