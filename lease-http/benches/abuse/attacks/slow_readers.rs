//! Requests for large files whose responses nobody reads.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, Interest};
use tokio::time::timeout;

use crate::answer::Answer;
use crate::attacker::{Attacker, crowd};

const CONNECTIONS: u32 = 300;
/// One who does not read does not see the end of the connection either, so it is replaced after this time.
const HOLD: Duration = Duration::from_secs(45);

pub(super) async fn run(attacker: Attacker) {
    crowd(CONNECTIONS, |number| again(attacker.clone(), number)).await;
}

async fn again(attacker: Attacker, number: u32) {
    loop {
        attacker.attempt(hold(&attacker, number)).await;
    }
}

async fn hold(attacker: &Attacker, number: u32) -> io::Result<Answer> {
    let path = if number.is_multiple_of(2) { "/docs/swagger-ui-bundle.js" } else { "/api/openapi.json" };
    // Half of them ask for many at once.
    let requests = if number % 4 < 2 { 1 } else { 20 };
    let mut stream = attacker.connect().await?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").repeat(requests).as_bytes()).await?;
    // The server may reset the connection.
    let ended = timeout(HOLD, stream.ready(Interest::ERROR)).await;
    Ok(if ended.is_ok() { Answer::Closed } else { Answer::HungUp })
}
