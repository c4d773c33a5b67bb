//! The state behind a lock: readers see each change either completely or not at all.

use parking_lot::RwLock;

/// A value that many may read or one may change. Both hold the lock for microseconds and never across an `await`.
#[derive(Debug, Default)]
pub(crate) struct Shared<S>(RwLock<S>);

impl<S> Shared<S> {
    /// Looks at the latest state.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&S) -> R) -> R {
        look(&self.0.read())
    }

    /// Changes the state; writers take turns. `decide` reads the state and returns what to do, or refuses; `apply` does it and
    /// cannot fail, so nobody sees half a change.
    pub(crate) fn write<P, E>(&self, decide: impl FnOnce(&S) -> Result<P, E>, apply: impl FnOnce(&mut S, &P)) -> Result<P, E> {
        let mut state = self.0.write();
        let plan = decide(&state)?;
        apply(&mut state, &plan);
        Ok(plan)
    }

    /// Changes the state in a way that cannot be refused; writers take turns.
    pub(crate) fn change<R>(&self, apply: impl FnOnce(&mut S) -> R) -> R {
        apply(&mut self.0.write())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_update_is_lost_and_no_half_is_seen() {
        let pair = Shared::<(u64, u64)>::default();
        let add_one = || {
            let done: Result<u64, ()> = pair.write(
                |state| Ok(state.0 + 1),
                |state, next| {
                    state.0 = *next;
                    state.1 = *next;
                },
            );
            done.unwrap()
        };
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..2_000).for_each(|_| assert!(add_one() > 0)));
                scope.spawn(|| {
                    (0..2_000).for_each(|_| {
                        let (left, right) = pair.read(|state| *state);
                        assert_eq!(left, right);
                    });
                });
            }
        });
        assert_eq!(pair.read(|state| *state), (4_000, 4_000));
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let pair = Shared::<(u64, u64)>::default();
        let refused: Result<(), &str> = pair.write(|_| Err("no"), |state, ()| state.0 += 1);
        assert_eq!(refused, Err("no"));
        assert_eq!(pair.read(|state| *state), (0, 0));
    }
}
