//! Whole sales, to see that everything works that a server needs.

use serde_json::{Value, json};

use crate::client::{Addresses, Client, card, made, vehicle};
use crate::process::Server;
use crate::two_servers::{SELL, terms};

/// Two customers who sell vehicles to each other.
#[derive(Clone)]
pub(crate) struct Market {
    addresses: Addresses,
    pub(crate) owner: Client,
    buyer: Client,
    card: i64,
    vehicles: u32,
}

impl Market {
    /// Registers the customers with this server.
    pub(crate) async fn open(server: &Server) -> Self {
        let addresses = Addresses::default();
        addresses.set(vec![server.address.clone()]);
        let mut owner = Client::register(&addresses, "owner", 0).await;
        let buyer = Client::register(&addresses, "buyer", 0).await;
        let card = made(&owner.post("/api/credit-cards", &card(), "").await.unwrap());
        Self { addresses, owner, buyer, card, vehicles: 0 }
    }

    /// From now on the customers use this server.
    pub(crate) fn go_to(&self, server: &Server) {
        self.addresses.set(vec![server.address.clone()]);
    }

    /// Sells another vehicle, from its registration to the payment. Returns the trade.
    pub(crate) async fn sell(&mut self) -> i64 {
        self.vehicles += 1;
        let vehicle = made(&self.owner.post("/api/vehicles", &vehicle(self.vehicles), "").await.unwrap());
        let trade = json!({"vehicle_id": vehicle, "service_id": SELL});
        let trade = made(&self.owner.post("/api/trades", &trade, "").await.unwrap());
        let path = format!("/api/trades/{trade}");
        let offer = made(&self.owner.post(&format!("{path}/proposals"), &terms(SELL), "").await.unwrap());
        let (status, body) = self.buyer.post(&format!("/api/proposals/{offer}/accept"), &Value::Null, "").await.unwrap();
        assert_eq!(status, 200, "{body}");
        let payment = json!({"invoice_id": self.owner.read(&path).await["invoice_id"], "credit_card_id": self.card});
        made(&self.owner.post("/api/payments", &payment, "").await.unwrap());
        assert_eq!(self.owner.read(&path).await["status"], "completed");
        assert_eq!(self.buyer.read(&format!("/api/vehicles/{vehicle}")).await["customer_id"], self.buyer.customer);
        trade
    }

    /// Takes back the last sales, of which the servers know nothing any more.
    pub(crate) const fn forget(&mut self, sales: u32) {
        self.vehicles -= sales;
    }

    /// Whether there is this trade.
    pub(crate) async fn has(&mut self, trade: i64) -> bool {
        let path = format!("/api/trades/{trade}");
        let (status, body) = self.owner.send(reqwest::Method::GET, &path, &Value::Null, "").await.unwrap();
        assert!([200, 404].contains(&status), "{body}");
        status == 200
    }
}
