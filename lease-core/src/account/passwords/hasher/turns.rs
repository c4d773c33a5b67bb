//! A bounded and fair queue. Only so many clients have a *turn* at once; the others wait, and are served one after the other, so
//! that none waits for a whole flood of another one's work.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::client::ClientNetwork;

/// The client whose line a piece of work joins; work without a client has a line of its own.
type Client = Option<ClientNetwork>;

/// Hands out turns, each with a tool that only one may use at a time. Cheap to clone; clones share the queue.
#[derive(Debug)]
pub(super) struct Turns<T: Default> {
    queue: Arc<Mutex<Queue<T>>>,
}

impl<T: Default> Clone for Turns<T> {
    fn clone(&self) -> Self {
        Self { queue: Arc::clone(&self.queue) }
    }
}

/// The queue is full, and this client has no claim to a place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Busy;

impl<T: Default> Turns<T> {
    /// A queue with a turn for each of these tools, in which at most `max_waiting` wait.
    pub(super) fn new(tools: Vec<T>, max_waiting: usize) -> Self {
        Self { queue: Arc::new(Mutex::new(Queue { free: tools, lines: VecDeque::new(), max_waiting, refused: 0 })) }
    }

    /// Waits for a turn. Whoever stops waiting leaves the queue at once.
    ///
    /// # Errors
    /// [`Busy`] if the queue is full of clients who wait for no more turns than this one; or if it was not, and others who wait
    /// for fewer turns have come since.
    pub(super) async fn take(&self, client: Client) -> Result<Turn<T>, Busy> {
        let place = self.lock().join(client)?;
        match place {
            Place::Free(tool) => Ok(Turn { tool, client, turns: self.clone() }),
            Place::InLine(turn) => {
                let mut waiting = Waiting { turn, turns: self };
                (&mut waiting.turn).await.map_err(|_| Busy)
            }
        }
    }

    /// The number of turns that could be had without waiting.
    pub(super) fn free(&self) -> usize {
        self.lock().free.len()
    }

    /// The number of those who wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting()
    }

    /// The number of those who were refused so far.
    pub(super) fn refused(&self) -> u64 {
        self.lock().refused
    }

    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A turn, which lasts until it is dropped. It dereferences to its tool.
#[derive(Debug)]
pub(super) struct Turn<T: Default> {
    tool: T,
    client: Client,
    turns: Turns<T>,
}

impl<T: Default> Deref for Turn<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.tool
    }
}

impl<T: Default> DerefMut for Turn<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.tool
    }
}

impl<T: Default> Drop for Turn<T> {
    fn drop(&mut self) {
        let tool = std::mem::take(&mut self.tool);
        let next = self.turns.lock().end(self.client, tool);
        if let Some((client, tool, waiter)) = next {
            // If the waiter has just gone, this drops the turn, which then passes to the one after.
            drop(waiter.send(Turn { tool, client, turns: self.turns.clone() }));
        }
    }
}

/// A place in the queue, which is left if it is dropped.
struct Waiting<'a, T: Default> {
    turn: oneshot::Receiver<Turn<T>>,
    turns: &'a Turns<T>,
}

impl<T: Default> Drop for Waiting<'_, T> {
    fn drop(&mut self) {
        self.turn.close();
        self.turns.lock().forget_gone();
    }
}

type Waiter<T> = oneshot::Sender<Turn<T>>;

enum Place<T: Default> {
    Free(T),
    InLine(oneshot::Receiver<Turn<T>>),
}

#[derive(Debug)]
struct Queue<T: Default> {
    /// The tools of the turns that nobody has. There are none while somebody waits.
    free: Vec<T>,
    /// One line for each client who has a turn or waits for one, in the order in which they are served.
    lines: VecDeque<Line<T>>,
    max_waiting: usize,
    refused: u64,
}

#[derive(Debug)]
struct Line<T: Default> {
    client: Client,
    /// The number of turns that the client has.
    turns: usize,
    waiting: VecDeque<Waiter<T>>,
}

impl<T: Default> Queue<T> {
    fn join(&mut self, client: Client) -> Result<Place<T>, Busy> {
        if let Some(tool) = self.free.pop() {
            self.line(client).turns += 1;
            return Ok(Place::Free(tool));
        }
        if self.waiting() >= self.max_waiting {
            self.refused += 1;
            self.make_room(client)?;
        }
        let (waiter, turn) = oneshot::channel();
        self.line(client).waiting.push_back(waiter);
        Ok(Place::InLine(turn))
    }

    /// Ends a turn of this client. Returns who has the next one.
    fn end(&mut self, client: Client, tool: T) -> Option<(Client, T, Waiter<T>)> {
        if let Some(place) = self.place(client)
            && let Some(mut line) = self.lines.remove(place)
        {
            line.turns = line.turns.saturating_sub(1);
            // Whoever came while the client had a turn is served before the client has another one.
            self.lines.push_back(line);
        }
        self.forget_empty();
        let Some((client, waiter)) = self.next() else {
            self.free.push(tool);
            return None;
        };
        Some((client, tool, waiter))
    }

    /// The first of those with the fewest turns.
    fn next(&mut self) -> Option<(Client, Waiter<T>)> {
        let line = self.lines.iter_mut().filter(|line| !line.waiting.is_empty()).min_by_key(|line| line.turns)?;
        let waiter = line.waiting.pop_front()?;
        line.turns += 1;
        Some((line.client, waiter))
    }

    /// Sends away the last one of the longest line, if that is longer than the line of this client with one more.
    fn make_room(&mut self, client: Client) -> Result<(), Busy> {
        let own = self.place(client).and_then(|place| self.lines.get(place)).map_or(0, |line| line.waiting.len());
        let longest = self.lines.iter_mut().max_by_key(|line| line.waiting.len()).filter(|line| line.waiting.len() > own + 1);
        longest.and_then(|line| line.waiting.pop_back()).map(drop).ok_or(Busy)
    }

    fn forget_gone(&mut self) {
        for line in &mut self.lines {
            line.waiting.retain(|waiter| !waiter.is_closed());
        }
        self.forget_empty();
    }

    fn forget_empty(&mut self) {
        self.lines.retain(|line| line.turns > 0 || !line.waiting.is_empty());
    }

    fn waiting(&self) -> usize {
        self.lines.iter().map(|line| line.waiting.len()).sum()
    }

    fn place(&self, client: Client) -> Option<usize> {
        self.lines.iter().position(|line| line.client == client)
    }

    /// The line of this client, which is the last one if it is new.
    fn line(&mut self, client: Client) -> &mut Line<T> {
        let place = self.place(client).unwrap_or_else(|| {
            self.lines.push_back(Line { client, turns: 0, waiting: VecDeque::new() });
            self.lines.len() - 1
        });
        &mut self.lines[place]
    }
}
