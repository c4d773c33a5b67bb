//! Registrations, right ones and empty ones. The server is asked to keep its answers to the empty ones.

use reqwest::Client;
use serde_json::json;

use crate::attacker::{Attacker, crowd, fresh, send};
use crate::person::{PASSWORD, registration};

const CONNECTIONS: u32 = 64;

pub(super) async fn run(attacker: Attacker) {
    let client = attacker.client();
    crowd(CONNECTIONS, |number| again(attacker.clone(), client.clone(), number)).await;
}

async fn again(attacker: Attacker, client: Client, number: u32) {
    let url = attacker.url("/api/register");
    loop {
        let (register, name) = (client.post(&url), format!("flood{}", fresh()));
        attacker
            .attempt(send(if number.is_multiple_of(2) {
                register.json(&registration(&name, PASSWORD))
            } else {
                register.json(&json!({})).header("idempotency-key", name)
            }))
            .await;
    }
}
