//! What is remembered in memory of what was read with a credential. Each credential knows only what was read with it.

use std::fmt;
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use secrecy::SecretString;

use super::call::digest;

/// Values by credential, as a digest, and key: as many as there is room for, those that were used last.
pub struct Remembered<K: Hash + Eq, V>(Mutex<State<K, V>>);

struct State<K: Hash + Eq, V> {
    values: LruCache<([u8; 32], K), V>,
    /// How often something was forgotten.
    forgotten: u64,
}

/// A moment before something is read, told by how often anything of anybody was forgotten until then.
#[derive(Clone, Copy, Debug)]
pub struct Before(u64);

impl<K: Hash + Eq, V> fmt::Debug for Remembered<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered").finish_non_exhaustive()
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Remembered<K, V> {
    /// Nothing is known yet; of more than `most` the one that was used longest ago goes.
    pub fn with_room_for(most: NonZeroUsize) -> Self {
        Self(Mutex::new(State { values: LruCache::new(most), forgotten: 0 }))
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the moment before something is read, for [`Remembered::put`].
    pub fn before(&self) -> Before {
        Before(self.state().forgotten)
    }

    /// Remembers what was read; not, if anything was forgotten since `before`: that may have been meant.
    pub fn put(&self, token: &SecretString, key: K, value: V, before: Before) {
        let mut state = self.state();
        if state.forgotten == before.0 {
            state.values.put((digest(token), key), value);
        }
    }

    /// What is known.
    pub fn get(&self, token: &SecretString, key: K) -> Option<V> {
        self.state().values.get(&(digest(token), key)).cloned()
    }

    /// Forgets one thing.
    pub fn forget_one(&self, token: &SecretString, key: K) {
        let mut state = self.state();
        state.forgotten = state.forgotten.wrapping_add(1);
        state.values.pop(&(digest(token), key));
    }

    /// Forgets what was read with a credential.
    pub fn forget(&self, token: &SecretString) {
        let of = digest(token);
        let mut state = self.state();
        state.forgotten = state.forgotten.wrapping_add(1);
        let theirs: Vec<_> = state.values.iter().map(|(place, _)| place).filter(|(credential, _)| *credential == of).cloned().collect();
        theirs.iter().for_each(|place| {
            state.values.pop(place);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> [SecretString; 2] {
        ["ana".into(), "bob".into()]
    }

    #[test]
    fn each_credential_knows_and_is_forgotten_by_itself() {
        let (known, [ana, bob]) = (Remembered::with_room_for(NonZeroUsize::MIN.saturating_add(9)), tokens());
        known.put(&ana, "a", 1, known.before());
        assert_eq!((known.get(&ana, "a"), known.get(&bob, "a")), (Some(1), None));
        known.put(&bob, "a", 2, known.before());
        known.put(&bob, "b", 3, known.before());
        known.forget(&ana);
        assert_eq!((known.get(&ana, "a"), known.get(&bob, "a")), (None, Some(2)));
        known.forget_one(&bob, "a");
        assert_eq!((known.get(&bob, "a"), known.get(&bob, "b")), (None, Some(3)));
    }

    #[test]
    fn what_is_being_read_while_it_is_forgotten_is_not_remembered() {
        let (known, [ana, _]) = (Remembered::with_room_for(NonZeroUsize::MIN.saturating_add(9)), tokens());
        let before = known.before();
        known.forget(&ana);
        known.put(&ana, "a", 1, before);
        assert_eq!(known.get(&ana, "a"), None);
    }

    #[test]
    fn there_is_room_for_so_many() {
        let (known, [ana, _]) = (Remembered::with_room_for(NonZeroUsize::MIN), tokens());
        known.put(&ana, "a", 1, known.before());
        known.put(&ana, "b", 2, known.before());
        assert_eq!((known.get(&ana, "a"), known.get(&ana, "b")), (None, Some(2)));
    }
}
