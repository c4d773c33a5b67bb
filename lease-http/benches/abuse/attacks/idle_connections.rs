//! Connections on which no request is complete, or no second one follows.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::answer::Answer;
use crate::attacker::{Attacker, answer, crowd};

const CONNECTIONS: u32 = 3_000;

pub(super) async fn run(attacker: Attacker) {
    crowd(CONNECTIONS, |number| again(attacker.clone(), number)).await;
}

async fn again(attacker: Attacker, number: u32) {
    loop {
        attacker.attempt(hold(&attacker, number)).await;
    }
}

async fn hold(attacker: &Attacker, number: u32) -> io::Result<Answer> {
    let mut stream = attacker.connect().await?;
    match number % 3 {
        0 => {}
        1 => stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-half: ").await?,
        _ => {
            stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await?;
            let mut response = [0; 1024];
            if stream.read(&mut response).await? == 0 {
                return Ok(Answer::Closed);
            }
        }
    }
    answer(stream).await
}
