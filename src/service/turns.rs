//! Who is answered now and who waits: so many at once and no more, however fast commands come in.
//!
//! Each answer calls the outside and needs a connection. What waits lies on disk already and has been acknowledged, so that here
//! an id is enough of it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many are answered at the same time.
const AT_ONCE: usize = 64;

/// The turns.
#[derive(Debug)]
pub(super) struct Turns<T>(Mutex<Line<T>>);

#[derive(Debug)]
struct Line<T> {
    taken: usize,
    waiting: VecDeque<T>,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self(Mutex::new(Line { taken: 0, waiting: VecDeque::new() }))
    }
}

impl<T> Turns<T> {
    /// Takes a turn and gives back what it is for, or puts it behind the others that wait.
    pub(super) fn take(&self, next: T) -> Option<T> {
        let mut line = self.line();
        if line.taken < AT_ONCE {
            line.taken = line.taken.saturating_add(1);
            return Some(next);
        }
        line.waiting.push_back(next);
        None
    }

    /// Passes a turn on to whoever has waited longest; gives it back where nobody waits.
    pub(super) fn pass_on(&self) -> Option<T> {
        let mut line = self.line();
        let next = line.waiting.pop_front();
        if next.is_none() {
            line.taken = line.taken.saturating_sub(1);
            // A rush is over: what it took is given back as well.
            line.waiting.shrink_to(AT_ONCE);
        }
        next
    }

    fn line(&self) -> MutexGuard<'_, Line<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_once_and_the_others_in_their_order() {
        let turns = Turns::default();
        let begun: Vec<usize> = (0..AT_ONCE + 3).filter_map(|n| turns.take(n)).collect();
        assert_eq!(begun, (0..AT_ONCE).collect::<Vec<_>>());
        assert_eq!((turns.pass_on(), turns.pass_on(), turns.pass_on()), (Some(AT_ONCE), Some(AT_ONCE + 1), Some(AT_ONCE + 2)));
        assert_eq!(turns.pass_on(), None);
        assert_eq!(turns.take(7), Some(7), "the turn that was given back");
        assert_eq!(turns.take(8), None);
    }
}
