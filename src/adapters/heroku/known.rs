//! What was read and need not be read again: what never changes, and for a moment what Heroku itself checks once more.

use std::num::NonZeroUsize;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::adapters::http::remembered::{Before, Remembered};
use crate::domain::names::{AppId, CommitSha};
use crate::domain::release::Access;

/// For how long it is taken for true what somebody may do with an app: a deploy asks when it is asked for and again before it
/// starts. Whoever may not build any more is refused by the build itself.
const ACCESS_HOLDS: SignedDuration = SignedDuration::from_secs(30);

/// Of how much code the commit is remembered, and how many rights are.
const MOST: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

/// What is known.
#[derive(Debug)]
pub(super) struct Known {
    code: Remembered<String, Option<CommitSha>>,
    access: Remembered<AppId, (Access, Timestamp)>,
}

/// A moment before something is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct BeforeReading {
    code: Before,
    access: Before,
}

impl Default for Known {
    fn default() -> Self {
        Self { code: Remembered::with_room_for(MOST), access: Remembered::with_room_for(MOST) }
    }
}

impl Known {
    /// Marks the moment before something is read.
    pub(super) fn before(&self) -> BeforeReading {
        BeforeReading { code: self.code.before(), access: self.access.before() }
    }

    /// Forgets what was read with a credential.
    pub(super) fn forget(&self, token: &SecretString) {
        self.code.forget(token);
        self.access.forget(token);
    }

    /// The commit of a slug or an image, if that has been read: neither ever changes.
    pub(super) fn commit_of(&self, token: &SecretString, code: &str) -> Option<Option<CommitSha>> {
        self.code.get(token, code.to_owned())
    }

    /// Remembers the commit of a slug or an image.
    pub(super) fn code_is_of(&self, token: &SecretString, code: &str, commit: Option<CommitSha>, before: BeforeReading) {
        self.code.put(token, code.to_owned(), commit, before.code);
    }

    /// What was read a moment ago of what somebody may do with an app.
    pub(super) fn access_to(&self, token: &SecretString, app: &AppId, now: Timestamp) -> Option<Access> {
        let (known, read_at) = self.access.get(token, app.clone())?;
        let age = now.duration_since(read_at);
        (SignedDuration::ZERO <= age && age < ACCESS_HOLDS).then_some(known)
    }

    /// Remembers for a moment what somebody may do with an app. Only a yes: who is given a right wants to use it at once.
    pub(super) fn has_access(&self, token: &SecretString, app: &AppId, access: Access, now: Timestamp, before: BeforeReading) {
        if access.may_deploy == Some(true) {
            self.access.put(token, app.clone(), (access, now), before.access);
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
            known.code_is_of(token, "slug", None, known.before());
            known.has_access(token, &app, may, now, known.before());
        }
        known.forget(&tokens[0]);
        let knows = |token| (known.commit_of(token, "slug").is_some(), known.access_to(token, &app, now).is_some());
        assert_eq!((knows(&tokens[0]), knows(&tokens[1])), ((false, false), (true, true)));
    }
}
