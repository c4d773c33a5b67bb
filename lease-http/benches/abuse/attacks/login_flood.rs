//! Logins under names that do not exist, each of which costs the server a hash.

use std::time::Duration;

use reqwest::Client;

use crate::attacker::{Attacker, crowd, fresh, send};
use crate::person::login;

const CONNECTIONS: u32 = 200;
/// Half of the attackers hang up soon, the others wait.
const IMPATIENCE: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn run(attacker: Attacker) {
    let client = attacker.client();
    crowd(CONNECTIONS, |number| again(attacker.clone(), client.clone(), number)).await;
}

async fn again(attacker: Attacker, client: Client, number: u32) {
    let (url, patience) = (attacker.url("/api/login"), if number.is_multiple_of(2) { IMPATIENCE } else { PATIENCE });
    loop {
        let name = format!("nobody{}", fresh());
        let login = client.post(&url).timeout(patience).json(&login(&name));
        let login = if number % 4 < 2 { login } else { login.header("idempotency-key", name) };
        attacker.attempt(send(login)).await;
    }
}
