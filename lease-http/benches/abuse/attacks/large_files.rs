//! The largest responses that anybody may ask for, compressed.

use reqwest::Client;

use crate::attacker::{Attacker, crowd, send};

const CONNECTIONS: u32 = 64;
/// Customers who ask for the longest pages, each for their own: ids from this one on.
const FIRST_CUSTOMER: u32 = 100;

pub(super) async fn run(attacker: Attacker) {
    let client = attacker.client();
    crowd(CONNECTIONS, |number| again(attacker.clone(), client.clone(), number)).await;
}

async fn again(attacker: Attacker, client: Client, number: u32) {
    let path = ["/docs/swagger-ui-bundle.js", "/api/openapi.json", "/api/trades?limit=100"][number as usize % 3];
    let (url, token) = (attacker.url(path), format!("Token {:040x}", FIRST_CUSTOMER + number));
    loop {
        let request = client.get(&url).header("accept-encoding", "gzip").header("authorization", &token);
        attacker.attempt(send(request)).await;
    }
}
