//! The work on passwords: whose turn it is, and what it costs. Rules 3.2 and 3.7.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, mpsc};

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use lease_core::account::{PasswordError, PasswordHash, PasswordHasher, PasswordParams};
use lease_core::client::ClientNetwork;
use proptest::prelude::*;
use secrecy::SecretString;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The most that wait.
const MAX_WAITING: usize = 64;

fn network(client: u8) -> ClientNetwork {
    ClientNetwork::of(IpAddr::V4(Ipv4Addr::new(10, 0, 0, client)))
}

fn hasher(memory_kib: u32, iterations: u32, concurrency: usize) -> PasswordHasher {
    let params = PasswordParams { memory_kib, iterations };
    PasswordHasher::new(params, NonZeroUsize::new(concurrency).unwrap()).unwrap()
}

/// A piece of work: its client, and its number in the order in which all were asked for.
type Piece = (u8, usize);

/// A hasher on a runtime with a single thread for work, which stands still until [`Queue::finish`], and those who wait for it.
struct Queue {
    hasher: PasswordHasher,
    tasks: Vec<JoinHandle<()>>,
    served: Arc<Mutex<Vec<Piece>>>,
    refused: Arc<Mutex<Vec<Piece>>>,
    stop: Stop,
}

/// Work that keeps the thread busy until it is dropped.
struct Stop {
    is_reached: oneshot::Receiver<()>,
    _end: mpsc::Sender<()>,
}

impl Stop {
    /// A stop behind all work that the thread has to do.
    fn new() -> Self {
        let (end, ended) = mpsc::channel::<()>();
        let (reach, is_reached) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            reach.send(()).ok();
            ended.recv().ok();
        });
        Self { is_reached, _end: end }
    }
}

impl Queue {
    fn new(concurrency: usize) -> Self {
        let stop = Stop::new();
        Self { hasher: hasher(8, 1, concurrency), tasks: Vec::new(), served: Arc::default(), refused: Arc::default(), stop }
    }

    /// Asks for a piece of work.
    async fn ask(&mut self, client: u8) {
        let piece = (client, self.tasks.len());
        let (hasher, served, refused) = (self.hasher.clone(), Arc::clone(&self.served), Arc::clone(&self.refused));
        self.tasks.push(tokio::spawn(async move {
            match hasher.hash(Some(network(client)), &SecretString::from("x")).await {
                Ok(_) => served.lock().unwrap().push(piece),
                Err(PasswordError::Busy) => refused.lock().unwrap().push(piece),
                Err(other) => panic!("{other}"),
            }
        }));
        tokio::task::yield_now().await;
    }

    /// Asks for as many pieces as there are clients.
    async fn ask_all(&mut self, clients: &[u8]) {
        for client in clients {
            self.ask(*client).await;
        }
    }

    /// Ends the future of a piece of work.
    async fn hang_up(&self, number: usize) {
        self.tasks[number].abort();
        tokio::task::yield_now().await;
    }

    /// Lets everything be done, one turn after the other. Returns what was done, in order, and what was refused.
    async fn finish(mut self) -> (Vec<Piece>, Vec<Piece>) {
        while self.tasks.iter().any(|task| !task.is_finished()) {
            self.stop = Stop::new();
            (&mut self.stop.is_reached).await.unwrap();
            // Those whose work is done note it, and the next ones begin, behind the stop.
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        }
        drop(self.stop);
        for task in self.tasks {
            assert!(task.await.map_or_else(|error| error.is_cancelled(), |()| true));
        }
        assert_eq!(self.hasher.waiting(), 0);
        let (served, refused) = (self.served.lock().unwrap().clone(), self.refused.lock().unwrap().clone());
        (served, refused)
    }
}

/// Runs a test on a runtime with a single thread for work that blocks.
fn run<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap().block_on(test)
}

fn clients(pieces: &[Piece]) -> Vec<u8> {
    pieces.iter().map(|(client, _)| *client).collect()
}

/// Whoever comes during a flood has the next turn.
#[test]
fn nobody_waits_for_more_of_anothers_flood_than_is_under_way() {
    for concurrency in 1..=3 {
        run(async {
            let mut queue = Queue::new(concurrency);
            queue.ask_all(&[1; 30]).await;
            queue.ask(2).await;
            let (served, refused) = queue.finish().await;
            assert_eq!((clients(&served).iter().position(|client| *client == 2), refused), (Some(concurrency), vec![]));
        });
    }
}

#[test]
fn clients_are_served_in_turn_and_each_in_its_own_order() {
    run(async {
        let mut queue = Queue::new(1);
        queue.ask_all(&[1, 1, 1, 2, 2, 2, 3]).await;
        let (served, _) = queue.finish().await;
        assert_eq!(served, [(1, 0), (2, 3), (3, 6), (1, 1), (2, 4), (1, 2), (2, 5)]);
    });
}

#[test]
fn whoever_has_no_turn_comes_before_those_who_have_one() {
    run(async {
        let mut queue = Queue::new(2);
        queue.ask_all(&[1, 2, 1, 2, 3]).await;
        let (served, _) = queue.finish().await;
        assert_eq!(served, [(1, 0), (2, 1), (3, 4), (1, 2), (2, 3)]);
    });
}

/// Nothing is hashed for those who hung up before their turn.
#[test]
fn whoever_hangs_up_leaves_the_queue_at_once() {
    run(async {
        let mut queue = Queue::new(1);
        queue.ask_all(&[1, 1, 1]).await;
        assert_eq!((queue.hasher.available_permits(), queue.hasher.waiting()), (0, 2));
        queue.hang_up(1).await;
        assert_eq!(queue.hasher.waiting(), 1);
        let (hasher, before) = (queue.hasher.clone(), queue.hasher.blocks_computed());
        assert_eq!(queue.finish().await.0, [(1, 0), (1, 2)]);
        assert_eq!((hasher.blocks_computed() - before, hasher.available_permits()), (16, 1));
    });
}

/// A turn that was given to somebody who has just hung up passes to the next one.
#[test]
fn a_turn_is_not_lost_on_those_who_have_gone() {
    run(async {
        let mut queue = Queue::new(1);
        queue.ask_all(&[1, 2, 3]).await;
        for task in &queue.tasks[1..] {
            task.abort();
        }
        let hasher = queue.hasher.clone();
        assert_eq!(queue.finish().await.0, [(1, 0)]);
        assert_eq!(hasher.available_permits(), 1);
    });
}

#[test]
fn a_full_queue_refuses_the_client_with_the_longest_line() {
    run(async {
        let mut queue = Queue::new(1);
        queue.ask_all(&[1; 1 + MAX_WAITING]).await;
        queue.ask(1).await;
        assert_eq!((queue.hasher.waiting(), queue.hasher.refused()), (MAX_WAITING, 1));
        queue.ask(2).await;
        assert_eq!((queue.hasher.waiting(), queue.hasher.refused()), (MAX_WAITING, 2));
        queue.hang_up(10).await;
        queue.ask(1).await;
        assert_eq!(queue.hasher.refused(), 2, "the place of those who hang up is free");
        let (served, refused) = queue.finish().await;
        assert_eq!(refused, [(1, 1 + MAX_WAITING), (1, MAX_WAITING)], "the newest goes");
        assert!(served.starts_with(&[(1, 0), (2, 2 + MAX_WAITING), (1, 1)]), "{served:?}");
    });
}

/// Work without a client is a line of its own.
#[test]
fn work_of_the_app_itself_waits_like_that_of_a_client() {
    run(async {
        let mut queue = Queue::new(1);
        queue.ask_all(&[1; 10]).await;
        let (hasher, served) = (queue.hasher.clone(), Arc::clone(&queue.served));
        let own = tokio::spawn(async move {
            hasher.hash(None, &SecretString::from("x")).await.unwrap();
            served.lock().unwrap().len()
        });
        tokio::task::yield_now().await;
        queue.finish().await;
        assert!(own.await.unwrap() <= 2);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked for and given up: everybody is served in turn, and whoever asks for no more than a fair share is never
    /// refused.
    #[test]
    fn the_queue_is_fair(asked in prop::collection::vec(0..5_u8, 1..150), gone in prop::collection::vec(any::<prop::sample::Index>(), 0..10)) {
        let gone: Vec<usize> = gone.iter().map(|index| index.index(asked.len())).collect();
        let (served, refused) = run(async {
            let mut queue = Queue::new(1);
            queue.ask_all(&asked).await;
            assert!(queue.hasher.waiting() <= MAX_WAITING);
            if asked.len() > MAX_WAITING {
                assert_eq!(queue.hasher.waiting(), MAX_WAITING);
            }
            for number in &gone {
                queue.hang_up(*number).await;
            }
            queue.finish().await
        });

        for client in 0..5 {
            let of = |pieces: &[Piece]| -> Vec<usize> { pieces.iter().filter(|(who, _)| *who == client).map(|(_, number)| *number).collect() };
            prop_assert!(of(&served).is_sorted());
            let own: Vec<_> = asked.iter().filter(|who| **who == client).collect();
            prop_assert!(own.len() > MAX_WAITING / 5 || of(&refused).is_empty());
        }
        let order = clients(&served);
        for (first, client) in order.iter().enumerate() {
            let Some(second) = order[first + 1..].iter().position(|next| next == client).map(|place| first + 1 + place) else { continue };
            for other in order[second..].iter().filter(|other| *other != client) {
                prop_assert!(order[first..second].contains(other), "{} is served twice while {} waits: {:?}", client, other, order);
            }
        }
    }
}

/// The blocks that these take to verify: an unknown name, and a wrong password whose hash has these costs.
async fn blocks(present: &PasswordHasher, stored: (u32, u32)) -> (u64, u64) {
    let hash = hasher(stored.0, stored.1, 1).hash(None, &"right".into()).await.unwrap();
    let mut counts = Vec::new();
    for known in [None, Some(&hash)] {
        let before = present.blocks_computed();
        assert!(!present.verify(None, &"wrong".into(), known).await.unwrap().matches);
        counts.push(present.blocks_computed() - before);
    }
    (counts[0], counts[1])
}

/// Rule 3.2: the time of a wrong password does not tell a hash that was cheaper from an unknown name.
#[tokio::test]
async fn a_wrong_password_costs_as_much_as_an_unknown_name() {
    let present = hasher(256, 2, 1);
    for cheaper in [(256, 2), (256, 1), (128, 2), (8, 1), (64, 3), (32, 16), (504, 1), (9, 5)] {
        assert_eq!(blocks(&present, cheaper).await, (512, 512), "{cheaper:?}");
    }
    assert_eq!(blocks(&present, (256, 3)).await, (512, 768), "more than the present costs");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Argon2 has at least 8 blocks, in groups of 4, so less than 8 may be missing.
    #[test]
    fn every_cheaper_hash_is_made_up_for(present in (8..300_u32, 1..6_u32), stored in (8..300_u32, 1..6_u32)) {
        let present = hasher(present.0, present.1, 1);
        let (unknown, wrong) = run(blocks(&present, stored));
        let own = u64::from(stored.0 / 4 * 4) * u64::from(stored.1);
        prop_assert!(wrong == own.max(wrong) && (own >= unknown || unknown - wrong < 8), "{unknown} {wrong} {own}");
    }
}

/// Rule 3.7: a hash of other costs is renewed when its password is known, and only then.
#[tokio::test]
async fn a_hash_of_other_costs_is_renewed_with_the_right_password() {
    let present = hasher(64, 2, 1);
    let right = SecretString::from("right");
    for other in [(32, 2), (64, 1), (128, 3)] {
        let old = hasher(other.0, other.1, 1).hash(None, &right).await.unwrap();
        let verified = present.verify(None, &right, Some(&old)).await.unwrap();
        let renewed = verified.renewed.unwrap();
        assert!(verified.matches && renewed.expose().starts_with("$argon2id$v=19$m=64,t=2,p=1$"), "{}", renewed.expose());
        let again = present.verify(None, &right, Some(&renewed)).await.unwrap();
        assert!(again.matches && again.renewed.is_none());
        assert_eq!(present.verify(None, &"wrong".into(), Some(&old)).await.unwrap().renewed, None);
    }
}

/// Rule 3.7: hashes are those of the library, in PHC form: what it made is verified, and what is made it verifies.
#[tokio::test]
async fn hashes_are_standard() {
    let params = Params::new(64, 3, 1, None).unwrap();
    let library = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let ours = hasher(64, 3, 1).hash(None, &"right".into()).await.unwrap();
    assert!(library.verify_password(b"right", ours.expose()).is_ok());
    let lanes = Argon2::new(Algorithm::Argon2i, Version::V0x10, Params::new(70, 2, 2, Some(20)).unwrap());
    for made in [&library, &lanes] {
        let theirs = PasswordHash::from_phc(made.hash_password(b"right").unwrap().to_string());
        for (password, matches) in [("right", true), ("wrong", false)] {
            assert_eq!(hasher(64, 3, 1).verify(None, &password.into(), Some(&theirs)).await.unwrap().matches, matches);
        }
    }
    let mut expected = [0; 32];
    library.hash_password_into(b"secret", &[7; 16], &mut expected).unwrap();
    assert_eq!(hasher(64, 3, 1).derive(None, &"secret".into(), &[7; 16]).await.unwrap(), expected);
}

/// Rule 3.2: no password matches what is no hash, and finding that out costs as much as a wrong password.
#[tokio::test]
async fn a_text_that_is_no_hash_matches_no_password_and_costs_the_same() {
    let hasher = hasher(64, 3, 1);
    let right = hasher.hash(None, &"right".into()).await.unwrap();
    let cost = async |hash: &PasswordHash, password: &str| {
        let before = hasher.blocks_computed();
        let verified = hasher.verify(None, &password.into(), Some(hash)).await.unwrap();
        assert!(!verified.matches && verified.renewed.is_none(), "{}", hash.expose());
        hasher.blocks_computed() - before
    };
    let wrong = cost(&right, "wrong").await;
    let cut = right.expose().rsplit_once('$').unwrap().0;
    let texts = ["", "!", "secret", "$argon2id$one", "$2b$12$abcdefghijklmnopqrstuv", "pbkdf2_sha256$1$a$b", cut];
    for hash in texts.map(|text| PasswordHash::from_phc(text.to_owned())).into_iter().chain([PasswordHash::unusable()]) {
        let same = hash.expose().to_owned();
        for password in ["right", "", "the password of nobody", &same] {
            assert_eq!(cost(&hash, password).await, wrong, "{same}");
        }
    }
}

/// The memory is reused, and what one hash leaves in it changes no other.
#[tokio::test]
async fn one_hash_does_not_depend_on_the_one_before() {
    let hasher = hasher(64, 1, 1);
    let first = hasher.derive(None, &"a".into(), &[1; 16]).await.unwrap();
    let other = hasher.derive(None, &"b".into(), &[1; 16]).await.unwrap();
    let salted = hasher.derive(None, &"a".into(), &[2; 16]).await.unwrap();
    assert_ne!(first, other);
    assert_ne!(first, salted);
    assert_eq!(hasher.derive(None, &"a".into(), &[1; 16]).await.unwrap(), first);
}
