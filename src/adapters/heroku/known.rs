//! What was read and need not be read again: what never changes, and for a moment what Heroku itself checks once more.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use lru::LruCache;
use secrecy::SecretString;

use crate::adapters::http::call::digest;
use crate::domain::names::{AppId, CommitSha};
use crate::domain::release::Access;

/// For how long it is taken for true what somebody may do with an app: a deploy asks when it is asked for and again before it
/// starts. Whoever may not build any more is refused by the build itself.
const ACCESS_HOLDS: SignedDuration = SignedDuration::from_secs(30);

/// Of how much code the commit is remembered, and how many rights are.
const MOST: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

/// A credential, as a digest, and what it was asked of.
type Place = ([u8; 32], String);

/// What is known. Each credential knows only what was read with it.
pub(super) struct Known {
    code: Mutex<LruCache<Place, Option<CommitSha>>>,
    access: Mutex<LruCache<Place, (Access, Timestamp)>>,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").finish_non_exhaustive()
    }
}

impl Default for Known {
    fn default() -> Self {
        Self { code: Mutex::new(LruCache::new(MOST)), access: Mutex::new(LruCache::new(MOST)) }
    }
}

fn place(token: &SecretString, id: &str) -> Place {
    (digest(token), id.to_owned())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forgets what was read with a credential.
fn forget<T>(known: &Mutex<LruCache<Place, T>>, of: [u8; 32]) {
    let mut known = locked(known);
    let theirs: Vec<Place> = known.iter().map(|(place, _)| place.clone()).filter(|(credential, _)| *credential == of).collect();
    theirs.iter().for_each(|place| {
        known.pop(place);
    });
}

impl Known {
    /// Forgets what was read with a credential.
    pub(super) fn forget(&self, token: &SecretString) {
        let of = digest(token);
        forget(&self.code, of);
        forget(&self.access, of);
    }

    /// The commit of a slug or an image, if that has been read: neither ever changes.
    pub(super) fn commit_of(&self, token: &SecretString, code: &str) -> Option<Option<CommitSha>> {
        locked(&self.code).get(&place(token, code)).cloned()
    }

    /// Remembers the commit of a slug or an image.
    pub(super) fn code_is_of(&self, token: &SecretString, code: &str, commit: Option<CommitSha>) {
        locked(&self.code).put(place(token, code), commit);
    }

    /// What was read a moment ago of what somebody may do with an app.
    pub(super) fn access_to(&self, token: &SecretString, app: &AppId, now: Timestamp) -> Option<Access> {
        let mut access = locked(&self.access);
        let (known, read_at) = access.get(&place(token, app.as_str()))?;
        let age = now.duration_since(*read_at);
        (SignedDuration::ZERO <= age && age < ACCESS_HOLDS).then_some(*known)
    }

    /// Remembers for a moment what somebody may do with an app. Only a yes: who is given a right wants to use it at once.
    pub(super) fn has_access(&self, token: &SecretString, app: &AppId, access: Access, now: Timestamp) {
        if access.may_deploy == Some(true) {
            locked(&self.access).put(place(token, app.as_str()), (access, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_credential_is_forgotten_by_itself() {
        let known = Known::default();
        let (app, now) = (AppId::parse("app-1").unwrap(), Timestamp::UNIX_EPOCH);
        let may = Access { may_deploy: Some(true), ..Access::default() };
        let tokens: [SecretString; 2] = ["ana".into(), "bob".into()];
        for token in &tokens {
            known.code_is_of(token, "slug", None);
            known.has_access(token, &app, may, now);
        }
        known.forget(&tokens[0]);
        let knows = |token| (known.commit_of(token, "slug").is_some(), known.access_to(token, &app, now).is_some());
        assert_eq!((knows(&tokens[0]), knows(&tokens[1])), ((false, false), (true, true)));
    }
}
