//! Streams of events (rule 8.7) at two servers on one database: what one commits arrives at the other.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout};

use crate::process::Server;
use crate::two_servers::{RACERS, TwoServers};

/// A client of an open stream.
struct Follower {
    response: reqwest::Response,
    received: String,
}

impl Follower {
    async fn open(server: &Server, token: &str, last: Option<i64>) -> Self {
        let request = reqwest::Client::new().get(format!("http://{}/api/events/stream", server.address));
        let request = request.header("authorization", format!("Token {token}"));
        let request = match last {
            Some(last) => request.header("last-event-id", last),
            None => request,
        };
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self { response, received: String::new() }
    }

    /// The next event.
    async fn next(&mut self) -> Value {
        loop {
            while let Some(end) = self.received.find("\n\n") {
                let block: String = self.received.drain(..end + 2).collect();
                if let Some(data) = block.lines().find_map(|line| line.strip_prefix("data: ")) {
                    return serde_json::from_str(data).unwrap();
                }
            }
            let more = timeout(Duration::from_secs(30), self.response.chunk()).await.expect("nothing comes");
            self.received.push_str(std::str::from_utf8(&more.unwrap().expect("the stream goes on")).unwrap());
        }
    }

    /// The ids of the next events.
    async fn ids(&mut self, count: usize) -> Vec<i64> {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(self.next().await["id"].as_i64().unwrap());
        }
        ids
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_arrives_within_a_second_from_another_server() {
    let mut scene = TwoServers::new().await;
    let (root, owner) = (scene.root.clone(), scene.owner.clone());
    let mut streams = Vec::new();
    for server in [0, 1, 0, 1] {
        streams.push(Follower::open(scene.server(server), &root.token, None).await);
        streams.push(Follower::open(scene.server(server), &owner.token, None).await);
    }
    for _ in 0..6 {
        // One of the two servers, in turn.
        let vehicle = scene.vehicle().await;
        let committed = Instant::now();
        for stream in &mut streams {
            let event = stream.next().await;
            assert_eq!((&event["type"], &event["subject"]["id"]), (&"vehicle.created".into(), &vehicle.into()));
        }
        assert!(committed.elapsed() < Duration::from_secs(1), "{:?}", committed.elapsed());
    }
    scene.finish().await;
}

/// While many write at both servers, a client that loses its connection again and again, and comes back at the other server, gets
/// each event once and in order.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_comes_back_elsewhere_misses_nothing() {
    const EACH: usize = 12;
    let mut scene = TwoServers::new().await;
    let token = scene.root.token.clone();
    let all = |after: i64| format!("/api/events?after={after}&limit=100");
    scene.vehicle().await;
    let start = scene.root.clone().read("/api/events?limit=1").await["results"][0]["id"].as_i64().unwrap();
    let writers = scene.racers.clone().into_iter().enumerate().map(|(number, mut racer)| {
        tokio::spawn(async move {
            for round in 0..EACH {
                let vehicle = crate::client::vehicle(u32::try_from(1_000 + number * EACH + round).unwrap());
                crate::client::made(&racer.post("/api/vehicles", &vehicle, "").await.unwrap());
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut seen = vec![start];
    for turn in 0_usize.. {
        let left = RACERS * EACH + 1 - seen.len();
        if left == 0 {
            break;
        }
        let mut stream = Follower::open(scene.server(turn % 2), &token, seen.last().copied()).await;
        seen.extend(stream.ids(left.min(7)).await);
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let list = scene.root.clone().read(&all(start)).await;
    let listed: Vec<i64> = list["results"].as_array().unwrap().iter().map(|event| event["id"].as_i64().unwrap()).collect();
    assert_eq!(seen[1..], listed);
    scene.finish().await;
}
