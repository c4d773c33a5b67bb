//! Two copies of the state, so that a writer never blocks a reader: readers read the one, the writer changes the other, the
//! two change roles, and the writer does the same again on the copy that is free now.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};

/// A value that many may read while one changes it. Readers see whole changes only.
#[derive(Debug, Default)]
pub(crate) struct LeftRight<S> {
    left: RwLock<S>,
    right: RwLock<S>,
    /// Whether readers read the right copy.
    reads_right: AtomicBool,
    /// Held by the one who writes.
    turn: Mutex<()>,
}

impl<S> LeftRight<S> {
    /// Looks at the latest state. Waits for nobody: a copy that is taken is one that readers have just been sent away from.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&S) -> R) -> R {
        loop {
            if let Some(state) = self.copy(self.reads_right.load(Ordering::Acquire)).try_read() {
                return look(&state);
            }
            std::hint::spin_loop();
        }
    }

    /// Changes the state, one writer after the other. `decide` looks at it and says what to do, or refuses; `apply` does
    /// it, once on each copy, and so must do the same to both: no randomness, no clock, and it cannot fail.
    pub(crate) fn write<P, E>(&self, decide: impl FnOnce(&S) -> Result<P, E>, apply: impl Fn(&mut S, &P)) -> Result<P, E> {
        let _turn = self.turn.lock();
        let read_side = self.reads_right.load(Ordering::Relaxed);
        let plan = decide(&self.copy(read_side).read())?;
        {
            let mut free = self.copy(!read_side).write();
            apply(&mut free, &plan);
            // Before the lock goes, so that nobody sees the change and then, on the other copy, the state before it.
            self.reads_right.store(!read_side, Ordering::Release);
        }
        apply(&mut self.copy(read_side).write(), &plan);
        Ok(plan)
    }

    const fn copy(&self, right: bool) -> &RwLock<S> {
        if right { &self.right } else { &self.left }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::AtomicU64;

    use super::*;

    type Pair = LeftRight<(u64, u64)>;

    fn add_one(pair: &Pair) -> u64 {
        let done: Result<u64, ()> = pair.write(
            |state| Ok(state.0 + 1),
            |state, next| {
                state.0 = *next;
                state.1 = *next;
            },
        );
        done.unwrap()
    }

    #[test]
    fn a_reader_gets_through_while_a_writer_is_in_the_middle_of_its_work() {
        let pair = Pair::default();
        let (working, looked) = (Barrier::new(2), Barrier::new(2));
        let times = AtomicU64::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let done: Result<(), ()> = pair.write(
                    |_| Ok(()),
                    |state, ()| {
                        state.0 += 1;
                        // Stops in the middle, on each of the copies, until the reader has read.
                        times.fetch_add(1, Ordering::SeqCst);
                        working.wait();
                        looked.wait();
                        state.1 += 1;
                    },
                );
                done.unwrap();
            });
            working.wait();
            assert_eq!(pair.read(|state| *state), (0, 0), "the change is not whole yet");
            looked.wait();
            working.wait();
            assert_eq!(pair.read(|state| *state), (1, 1), "the change is whole, though one copy lags");
            looked.wait();
        });
        assert_eq!(times.load(Ordering::SeqCst), 2);
        assert_eq!(pair.read(|state| *state), (1, 1));
    }

    #[test]
    fn readers_see_whole_commits_only_and_never_go_back() {
        let pair = Pair::default();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..2_000).for_each(|_| assert!(add_one(&pair) > 0)));
            }
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut last = 0;
                    while last < 4_000 {
                        let (left, right) = pair.read(|state| *state);
                        assert_eq!(left, right);
                        assert!(left >= last, "{left} after {last}");
                        last = left;
                    }
                });
            }
        });
        assert_eq!(pair.read(|state| *state), (4_000, 4_000));
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let pair = Pair::default();
        let refused: Result<(), &str> = pair.write(|_| Err("no"), |state, ()| state.0 += 1);
        assert_eq!(refused, Err("no"));
        assert_eq!(pair.read(|state| *state), (0, 0));
    }
}
